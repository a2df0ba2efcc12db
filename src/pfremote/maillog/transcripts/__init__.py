"""Session → transcript."""
