"""From log lines to records, sessions, transcripts and findings, without the secrets. Pure."""
