"""Entries of the journal that take several lines: ``journalctl -o export``, ``json-pretty`` and ``verbose``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Self

#: No entry of the journal has more lines: what goes on beyond is none.
_MOST_LINES = 2000
#: ``-o verbose``: a date, and the cursor, in which ``t`` is the time in microseconds since the epoch
#: (journalctl's show_journal_entry in src/shared/logs-show.c).
_VERBOSE = re.compile(
    r"\w{3} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? \S+ \[s=[0-9a-f]+;(?:\w=[0-9a-f]+;)*t=(?P<t>[0-9a-f]+);"
)


class ExportEntry:
    """``FIELD=VALUE`` lines up to an empty one.

    A value that is no text stands behind its name on a line of its own: its length as 64 bits, little-endian, then that
    many bytes, which may hold line feeds, and a line feed (https://systemd.io/JOURNAL_EXPORT_FORMATS).
    """

    layout = "journalctl -o export"

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.is_whole = False
        self._fields: dict[str, str] = {}
        self._name = ""
        self._bytes: bytes | None = None

    @classmethod
    def begin(cls, line: str) -> Self | None:
        """Return the entry that ``line`` begins, or None."""
        if not line.startswith("__CURSOR="):
            return None
        entry = cls()
        entry.takes(line)
        return entry

    def takes(self, line: str) -> bool:
        """Take a line; False where it belongs to no entry any more."""
        if len(self.lines) >= _MOST_LINES:
            return False
        self.lines.append(line)
        if self._bytes is not None:
            self._take_bytes(line)
            return True
        if not line:
            self.is_whole = True
            return True
        name, equals, value = line.partition("=")
        if equals:
            self._fields[name] = value
        else:
            self._name, self._bytes = name, b""
        return True

    def _take_bytes(self, line: str) -> None:
        self._bytes = (self._bytes or b"") + line.encode("utf-8", "surrogateescape") + b"\n"
        length = int.from_bytes(self._bytes[:8], "little")
        if len(self._bytes) >= 8 + length + 1:
            self._fields[self._name] = self._bytes[8 : 8 + length].decode("utf-8", "surrogateescape")
            self._bytes = None

    def fields(self) -> Mapping[str, Any]:
        """Return the fields of the entry."""
        return self._fields


class PrettyEntry:
    """One JSON object over several lines, between a line ``{`` and a line ``}``."""

    layout = "journalctl -o json-pretty"

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.is_whole = False

    @classmethod
    def begin(cls, line: str) -> Self | None:
        """Return the entry that ``line`` begins, or None."""
        if line != "{":
            return None
        entry = cls()
        entry.takes(line)
        return entry

    def takes(self, line: str) -> bool:
        """Take a line; False where it belongs to no such object."""
        if len(self.lines) >= _MOST_LINES or (self.lines and not line.startswith(("\t", " ", "}"))):
            return False
        self.lines.append(line)
        self.is_whole = line == "}"
        return True

    def fields(self) -> Mapping[str, Any]:
        """Return the fields of the entry; none where it is no JSON."""
        try:
            entry = json.loads("\n".join(self.lines))
        except ValueError:
            return {}
        return entry if isinstance(entry, dict) else {}


class VerboseEntry:
    """A line with time and cursor, and indented lines ``FIELD=VALUE``; what is indented more goes on with a value."""

    layout = "journalctl -o verbose"

    def __init__(self, line: str, moment: int) -> None:
        self.lines = [line]
        self.is_whole = False
        self._fields = {"__REALTIME_TIMESTAMP": str(moment)}
        self._name = ""

    @classmethod
    def begin(cls, line: str) -> Self | None:
        """Return the entry that ``line`` begins, or None."""
        found = _VERBOSE.match(line)
        return None if found is None else cls(line, int(found["t"], 16))

    def takes(self, line: str) -> bool:
        """Take a line; False where it belongs to no entry any more."""
        if not line.startswith("    ") or len(self.lines) >= _MOST_LINES:
            return False
        self.lines.append(line)
        name, equals, value = line[4:].partition("=")
        if equals and name.isidentifier():
            self._name = name
            self._fields[name] = value
        elif self._name:
            self._fields[self._name] += "\n" + line.strip()
        return True

    def fields(self) -> Mapping[str, Any]:
        """Return the fields of the entry."""
        return self._fields
