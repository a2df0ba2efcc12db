"""Show what the modules log of their own work, as far as ``-v`` asks for it."""

from __future__ import annotations

import logging

from pfremote.model.log_levels import BY_VERBOSITY, TRANSPORT
from pfremote.output.console import Console

#: Paramiko explains itself at DEBUG: algorithms, keys on offer, channels; never a packet or a password.
_FOREIGN = "paramiko"
_CONNECTION = "paramiko.transport."


class _ToConsole(logging.Handler):
    """Hands each record on as one dim line; the host is in the record, where one is known."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        host = str(getattr(record, "host", "")) or _find_host(record.name)
        for line in record.getMessage().splitlines():
            self._console.detail(line, host=host, level=0)


def _find_host(logger: str) -> str:
    """Return the host in the name of the logger that the transport gives each connection."""
    return logger.removeprefix(_CONNECTION) if logger.startswith(_CONNECTION) else ""


def show_log(console: Console, verbosity: int) -> None:
    """Show our own log from now on; with ``verbosity`` 4 also that of the SSH library."""
    if verbosity < 1:
        return
    level = BY_VERBOSITY[min(verbosity, max(BY_VERBOSITY))]
    handler = _ToConsole(console)
    ours = logging.getLogger("pfremote")
    _put(ours, handler, level)
    if level <= TRANSPORT:
        _put(logging.getLogger(_FOREIGN), handler, logging.DEBUG)


def _put(logger: logging.Logger, handler: logging.Handler, level: int) -> None:
    for old in [item for item in logger.handlers if isinstance(item, _ToConsole)]:
        logger.removeHandler(old)  # one process may run several commands, as tests do
    logger.addHandler(handler)
    logger.setLevel(level)
