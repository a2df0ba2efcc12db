"""Many windows at once: a bounded pool, interrupts, and who is late."""
