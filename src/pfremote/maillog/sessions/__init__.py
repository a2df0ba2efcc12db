"""Records → sessions."""
