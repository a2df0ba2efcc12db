"""What several commands share on the command line."""
