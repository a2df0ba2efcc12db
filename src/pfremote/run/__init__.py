"""One run of a command over its hosts: who they are, what is asked of them, what is kept and told."""
