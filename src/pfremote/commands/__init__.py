"""One file per command; each command is a function of plain values that returns an exit code."""
