"""The way of a message: who had it, what became of it there, and where it is now."""
