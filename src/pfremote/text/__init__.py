"""Text for people: made safe for a terminal, quantities, times, and equal messages said once. Pure."""
