"""Time-boxed per-peer Postfix debug logging on remote mail hosts, that reverts by itself."""

__version__ = "0.1.0"
