"""The inventory variables that are pfremote's own. Pure.

A misspelt one is an error, since it may be a limit that the operator relies on.
"""

from __future__ import annotations

from difflib import get_close_matches

from pfremote.errors import ConfigError
from pfremote.inventory.values import Origin

PREFIX = "pfremote_"

#: Name of each variable, and what it means.
OPTIONS = {
    "pfremote_instance": "Postfix instance: a configuration directory, or a name that postmulti -l shows",
    "pfremote_max_minutes": "longest window that may be asked for on this host",
    "pfremote_log": "where this Postfix logs: journal, file:/path, or none for elsewhere",
    "pfremote_helper": "path of the agent where it is installed on the host",
    "pfremote_agent": "another name of pfremote_helper",
    "pfremote_host_key_checking": "false to accept and record an unknown host key",
    "pfremote_guard": "what ends a lease: auto, systemd, cron, at or process",
    "pfremote_min_free": "percentage of the log's file system that must stay free",
    "pfremote_max_log": "size by which the log may grow during a window",
    "pfremote_drain": "seconds to wait for verbose processes after a window",
}


def check_option_name(name: str, origin: Origin) -> None:
    """Accept every variable that is not ours, and ours if it exists.

    Raises:
        ConfigError: the name begins with ``pfremote_`` and is none of :data:`OPTIONS`.
    """
    if not name.startswith(PREFIX) or name in OPTIONS:
        return
    close = get_close_matches(name, OPTIONS, n=1)
    hint = f"Did you mean {close[0]}?" if close else "Known are: " + ", ".join(OPTIONS) + "."
    raise ConfigError(f"there is no variable {name}", file=origin.file, line=origin.line, path=origin.path, hint=hint)
