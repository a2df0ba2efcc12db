"""One line of a Postfix log as a value."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Record(NamedTuple):
    """A log line, split. ``number`` is its 1-based place in the evidence.

    ``time`` is aware and in UTC, or None where the line has no readable time stamp. ``tag`` is the
    syslog tag without pid (``postfix/submission/smtpd``), ``daemon`` its last part (``smtpd``). ``head`` is
    everything before ``text``, kept so that ``head + text`` is the line again, byte for byte
    (bytes that are not UTF-8 are kept as surrogate escapes). A tuple, because there is one per line of a log: it
    is made in half the time that a frozen dataclass takes.
    """

    number: int
    time: datetime | None
    host: str
    tag: str
    daemon: str
    pid: int | None
    head: str
    text: str

    def with_text(self, text: str) -> Record:
        """Return the record with another text; quicker than ``_replace``, since it is done for most lines."""
        number, time, host, tag, daemon, pid, head, _ = self
        return tuple.__new__(Record, (number, time, host, tag, daemon, pid, head, text))
