"""Everything that is said: to people on the terminal, to programs as JSON Lines, to a monitoring system."""
