"""The second look at redacted lines."""
