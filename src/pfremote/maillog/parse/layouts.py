"""Logs as other programs hand them on, line by line in the form that syslog writes: ``STAMP HOST TAG[PID]: TEXT``.

Structured layouts (journalctl's json and export, rsyslog's and syslog-ng's JSON, docker's json-file), the frames of
container runtimes (CRI, ``docker logs -t``, compose, ``kubectl logs``), s6 and supervisord, quoted mail, Windows line
ends and byte order marks are taken off here. What is a plain syslog line passes as it is; its head is read in
:mod:`pfremote.maillog.parse.lines`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pfremote.maillog.parse.frames import take_off_frames, with_stamp
from pfremote.maillog.parse.journal import ExportEntry, PrettyEntry, VerboseEntry
from pfremote.maillog.parse.nameless import DaemonNames

#: CRI: the first or a middle part of a line that the runtime read in parts, and the last part.
_PART = re.compile(
    r"(?P<frame>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|[+-]\d\d:\d\d) (?P<stream>stdout|stderr) )(?P<kind>[FP]) "
)
#: No line of Postfix is longer; what a runtime reads in parts beyond is not put together.
_LONGEST = 64 * 1024
#: metalog: the tag in brackets, and no process.
_METALOG = re.compile(
    r"(?P<head>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d )\[(?P<tag>postfix[\w./-]*/[a-z][\w-]*)\] (?P<text>.*)"
)
#: NethServer 8 shows the journal of all its nodes: node, module and tag in brackets, and no process.
_NETHSERVER = re.compile(
    r"(?P<head>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) )"
    r"\[\d+:(?P<host>[\w.-]+):(?P<tag>[\w./@-]+)\] (?P<text>.*)"
)
_JSON_NAMES = {
    "host": ("_HOSTNAME", "hostname", "host", "HOST", "fromhost", "source"),
    "tag": ("SYSLOG_IDENTIFIER", "syslogtag", "programname", "PROGRAM", "program", "tag", "app-name", "ident"),
    "pid": ("SYSLOG_PID", "_PID", "procid", "PID", "pid"),
    "text": ("MESSAGE", "msg", "message"),
    "stamp": (
        "timereported",
        "timegenerated",
        "timestamp",
        "@timestamp",
        "ISODATE",
        "S_ISODATE",
        "R_ISODATE",
        "DATE",
        "time",
    ),
}


#: Lines that syslog wrote itself, of which nothing is to be taken off: no tag in brackets (metalog, NethServer), no
#: frame's stamp in UTC, and no name of a stream behind the stamp.
_PLAIN = re.compile(
    rb"(?:(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (?!\[)"
    rb"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d:\d\d (?!std|\[))[^\n]*\n)*+"
)


class LayoutReader:
    """Takes frames off the lines of one log, and counts which layouts were met."""

    def __init__(self) -> None:
        #: Lines by the name of their layout.
        self.seen: Counter[str] = Counter()
        self._entry: _Entry | None = None
        self._daemons = DaemonNames()
        self._first = True
        self._owes_blank = False
        self._parts: dict[str, str] = {}

    def passes(self, block: bytes) -> bool:
        """Tell whether whole lines pass as they are, and count them then."""
        if (
            self._entry
            or self._parts
            or b"\r" in block
            or _PLAIN.fullmatch(block) is None
            or DaemonNames.may_be_wanted(block)
        ):
            return False
        self._first = False
        self.seen["syslog"] += block.count(b"\n")
        return True

    def read(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield each line in the form that syslog writes; what is not understood comes as it is."""
        for line in lines:
            if self._first:
                line = line.removeprefix("\ufeff")
                self._first = False
            yield from self._read_line(line.removesuffix("\r"))

    def finish(self) -> Iterator[str]:
        """Yield what the last lines still owe: an entry of the journal, or a part, that nothing has ended."""
        yield from self._end_entry()
        for line in self._parts.values():
            yield from self._unwrap(line)
        self._parts.clear()

    def _read_line(self, line: str) -> Iterator[str]:
        if self._entry is not None:
            if self._entry.takes(line):
                if self._entry.is_whole:
                    yield from self._end_entry()
                return
            yield from self._end_entry()
        self._entry = next((entry for kind in _ENTRIES if (entry := kind.begin(line))), None)
        if self._entry is None and (line or not self._owes_blank) and (whole := self._join(line)) is not None:
            yield from self._unwrap(whole)
        self._owes_blank = line.startswith("data: {")  # each event of json-sse has an empty line behind it

    def _join(self, line: str) -> str | None:
        """Return a line with the parts before it, or None where its end is still to come."""
        part = _PART.match(line)
        if part is None:
            return line
        begun = self._parts.pop(part["stream"], None)
        whole = f"{part['frame']}F {line[part.end() :]}" if begun is None else begun + line[part.end() :]
        if part["kind"] == "F" or len(whole) > _LONGEST:
            return whole
        self._parts[part["stream"]] = whole
        return None

    def _end_entry(self) -> Iterator[str]:
        """Yield the line that the lines of an entry make, or those lines themselves where they make none."""
        entry, self._entry = self._entry, None
        if entry is None:
            return
        text = _write_journal(entry.fields())
        if text is not None:
            self.seen[entry.layout] += 1
            yield self._daemons.complete(text)
            return
        for line in entry.lines:
            yield from self._unwrap(line)

    def _unwrap(self, line: str) -> Iterator[str]:
        name, inner = take_off_frames(line)
        if inner.startswith("{") and (entry := _load(inner)) is not None:
            found = read_object(entry)
            if found is not None:
                layout, text = found
                self.seen[name if name.startswith("journalctl") else layout] += 1
                yield self._daemons.complete(text)
                return
        if metalog := _METALOG.fullmatch(inner):
            name, inner = "metalog", f"{metalog['head']}- {metalog['tag']}: {metalog['text']}"
        elif nethserver := _NETHSERVER.fullmatch(inner):
            name = "NethServer 8"
            inner = f"{nethserver['head']}{nethserver['host']} {nethserver['tag']}: {nethserver['text']}"
        self.seen[name or "syslog"] += 1
        yield self._daemons.complete(inner)


def _load(text: str) -> Mapping[str, Any] | None:
    try:
        entry = json.loads(text)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def read_object(entry: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the layout and the line of one JSON object, or None where it is no log entry."""
    for layout, belongs, write in _OBJECTS:
        if belongs(entry) and (text := write(entry)) is not None:
            return layout, text
    return None


def _write_journal(entry: Mapping[str, Any]) -> str | None:
    """Write an entry of the journal (systemd.journal-fields(7)); its time is microseconds since the epoch."""
    try:
        time = datetime.fromtimestamp(int(entry["__REALTIME_TIMESTAMP"]) / 1e6, UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    return _write(f"{time:%Y-%m-%dT%H:%M:%S.%f}Z", entry)


def _write_docker(entry: Mapping[str, Any]) -> str | None:
    """Write a line of docker's json-file log driver: the container's own line, and when it came."""
    line, stamp = entry.get("log"), entry.get("time")
    if not isinstance(line, str) or not isinstance(stamp, str):
        return None
    _, inner = take_off_frames(line.rstrip("\r\n"))
    return with_stamp(inner, re.sub(r"(\.\d{6})\d+", r"\1", stamp))


def _write_logger(entry: Mapping[str, Any]) -> str | None:
    """Write what a template of rsyslog or syslog-ng made of a message."""
    return _write(_field(entry, "stamp"), entry)


def _write(stamp: str, entry: Mapping[str, Any]) -> str | None:
    text, tag, pid = _field(entry, "text"), _field(entry, "tag").rstrip(":"), _field(entry, "pid")
    if not tag or not stamp:
        return None
    if pid.isdigit() and "[" not in tag:
        tag = f"{tag}[{pid}]"
    return f"{stamp} {_field(entry, 'host') or '-'} {tag}: {text.strip()}".replace("\n", " ")


def _field(entry: Mapping[str, Any], what: str) -> str:
    value = next((entry[name] for name in _JSON_NAMES[what] if name in entry), "")
    if isinstance(value, list) and all(isinstance(byte, int) and 0 <= byte < 256 for byte in value):
        return bytes(value).decode("utf-8", "surrogateescape")  # journald: a message that is not UTF-8
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""


_Entry = ExportEntry | PrettyEntry | VerboseEntry
_ENTRIES: tuple[type[_Entry], ...] = (ExportEntry, PrettyEntry, VerboseEntry)
_Writer = Callable[[Mapping[str, Any]], str | None]
_OBJECTS: tuple[tuple[str, Callable[[Mapping[str, Any]], bool], _Writer], ...] = (
    ("journalctl -o json", lambda entry: "__REALTIME_TIMESTAMP" in entry, _write_journal),
    ("docker json-file", lambda entry: "log" in entry and "time" in entry, _write_docker),
    ("syslog-ng JSON", lambda entry: "PROGRAM" in entry and "MESSAGE" in entry, _write_logger),
    ("rsyslog JSON", lambda entry: any(name in entry for name in _JSON_NAMES["text"]), _write_logger),
)
