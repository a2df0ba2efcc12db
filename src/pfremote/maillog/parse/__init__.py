"""Log line → record."""
