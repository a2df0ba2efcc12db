"""Log line → :class:`~pfremote.maillog.parse.record.Record`. Nothing is dropped: what is not a log line has no
time.

Understood are the traditional syslog format (also written by postlogd, with a zero-padded day), RFC 3339 as
written by rsyslog, and journalctl's ``short-iso``, ``short-iso-precise`` and ``short-unix``; of other layouts
whatever :mod:`pfremote.maillog.parse.custom_layout` makes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from pfremote.maillog.contain import attempt
from pfremote.maillog.parse.custom_layout import SEVERITY, LooseHead, read_carried, read_loose
from pfremote.maillog.parse.record import Record
from pfremote.text.stamps import date_stamp

_HEAD = re.compile(
    r"""(?:
        (?P<traditional>[A-Z][a-z]{2}\ [\ 0-3]?\d\ \d\d:\d\d:\d\d(?:\.\d+)?)
      | (?P<iso>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d))
      | (?P<epoch>\d{9,11}\.\d+)
    )
    (?:\ (?P<host>[^\s\[\]<>()|]*[^\s\[\]<>()|:]))?
    \ (?P<tag>[^\s\[\]:]+)(?:\[(?P<pid>\d+)\])?:(?:\ +|\Z)(?:\[ID\ \d+\ [\w.]+\]\ )?""",
    re.VERBOSE,
)

#: Distinct heads to remember. Heads with microseconds never repeat; the bound keeps memory flat.
_MEMO_LIMIT = 4096

#: A traditional stamp without a fraction of a second, and how long it is.
_SHORT, _STAMP = re.compile(r"[A-Z][a-z]{2} [ 0-3]\d \d\d:\d\d:\d\d"), 15

#: What Record() calls in the end; its own way there takes twice as long.
_new = tuple.__new__

_Head = tuple[datetime | None, str, str, str, int | None, str]


class LineReader:
    """Reads lines of one host; ``now`` (aware) gives year-less stamps their year, ``zone`` their offset.

    ``texts`` has each text that was read so far, for a log of which all lines are held: of a debug log four lines in
    five say what another has said, and such lines share one text.
    """

    __slots__ = ("_dated", "_memo", "_names", "_now", "_places", "_tails", "_texts", "_zone")

    def __init__(self, now: datetime, zone: tzinfo, texts: dict[str, str] | None = None) -> None:
        self._texts = texts
        self._now = now.astimezone(zone)
        self._zone = zone
        self._memo: dict[str, _Head] = {}
        self._names: dict[str, str] = {}
        self._dated: tuple[str, datetime | None] = ("", None)
        #: What stands between a stamp of :data:`_STAMP` characters and the pid: host, tag, daemon.
        self._places: dict[str, tuple[str, str, str]] = {}
        #: What stands between the stamp and the text, for stamps with microseconds: host, tag, daemon, pid.
        self._tails: dict[str, tuple[str, str, str, int | None]] = {}

    def read(self, line: str, number: int) -> Record:
        """Split one line (without its line feed); ``number`` is its place in the evidence."""
        # Lines of one process within one second share their whole head, so most lines cost one look-up.
        # The key is only ever a complete head as the expression found it, up to its "]: ", so a hit means what a
        # match would mean.
        start, close, text = line.partition("]: ")
        known = self._memo.get(start) if close else None
        if known is None or text[:1] == " ":
            known = (
                self._split_at_place(start, text)
                or self._split_at_stamp(line, len(start) + len(close))
                or attempt(lambda: self._split(line), lambda _kind: (None, "", "", "", None, ""))
            )
            text = line[len(known[5]) :]
        if self._texts is not None:
            text = self._texts.setdefault(text, text)
        return _new(Record, (number, *known, text))

    def read_all(self, lines: Iterable[str], number: int) -> Iterator[Record]:
        """Split the lines of a block, of which the first is line ``number``; much quicker than one call for each."""
        heads = self._memo.get
        share = ({} if self._texts is None else self._texts).setdefault
        for at, line in enumerate(lines, number):
            start, _, text = line.partition("]: ")
            head = heads(start)
            if head is None or not text or text[0] == " ":
                yield self.read(line, at)
            else:
                time, host, tag, daemon, pid, before = head
                yield _new(Record, (at, time, host, tag, daemon, pid, before, share(text, text)))

    def _split_at_place(self, start: str, text: str) -> _Head | None:
        """Split a line of a program that was met before; its time and its process may be others."""
        stamp, (place, _, pid) = start[:_STAMP], start[_STAMP:].rpartition("[")
        known = self._places.get(place)
        if known is None or text[:1] in ("", " ", "[") or not (pid.isascii() and pid.isdigit()):
            return None
        if _SHORT.fullmatch(stamp) is None:
            return None
        head = (self._traditional(stamp), *known, int(pid), f"{start}]: ")
        self._remember(head, 0)
        return head

    def _split_at_stamp(self, line: str, cut: int) -> _Head | None:
        """Split a line whose stamp is its own and whose other parts were met before."""
        space = line.find(" ")
        tail = self._tails.get(line[space:cut])
        if tail is None or line[10:11] != "T" or line[cut : cut + 1] == " ":
            return None
        try:
            time = datetime.fromisoformat(line[:space])
        except ValueError:
            return None
        return None if time.tzinfo is None else (time.astimezone(UTC), *tail, line[:cut])

    def _split(self, line: str) -> _Head:
        found = _HEAD.match(line)
        if found is None or _is_misread(found):
            return self._split_loosely(line)
        if "/" not in found["tag"] and (carried := read_carried(line[found.end() :])):
            return self._head_of(carried, line[: found.end()])
        traditional, iso, epoch, host, tag, pid = found.groups(default="")
        if traditional:
            time = self._traditional(traditional)
        elif iso:
            time = _iso(iso, self._zone)
        else:
            time = datetime.fromtimestamp(float(epoch), UTC)
        # A log has few hosts and programs, and very many processes: each that is remembered would hold its own text.
        if len(self._names) >= _MEMO_LIMIT:
            self._names.clear()
        name = self._names.setdefault
        daemon = tag[tag.rfind("/") + 1 :]
        host, tag, daemon = name(host, host), name(tag, tag), name(daemon, daemon)
        head = (time, host, tag, daemon, int(pid) if pid else None, found[0])
        if pid and "/" in tag and found[0].endswith("]: ") and not epoch:
            self._remember(head, len(iso))
        return head

    def _remember(self, head: _Head, iso: int) -> None:
        """Remember a head; ``iso`` is how long its stamp is, where that is no traditional one."""
        before = head[5]
        if len(self._memo) + len(self._tails) + len(self._places) >= _MEMO_LIMIT:
            for known in (self._memo, self._tails, self._places):
                known.clear()
        if iso:
            self._tails[before[iso:]] = head[1:5]
        else:
            self._memo[before[:-3]] = head
            self._places[before[_STAMP : before.rindex("[")]] = head[1:4]

    def _split_loosely(self, line: str) -> _Head:
        loose = read_loose(line)
        return (None, "", "", "", None, "") if loose is None else self._head_of(loose, "")

    def _head_of(self, loose: LooseHead, before: str) -> _Head:
        time = None
        if loose.stamp:
            time = _iso(loose.stamp, self._zone) if loose.iso else self._traditional(loose.stamp)
        daemon = loose.tag[loose.tag.rfind("/") + 1 :]
        return time, loose.host, loose.tag, daemon, loose.pid, before + loose.head

    def _traditional(self, stamp: str) -> datetime | None:
        # Lines of one second follow each other, and share one value.
        if stamp != self._dated[0]:
            time = date_stamp(stamp, self._now)
            self._dated = (stamp, None if time is None else time.astimezone(UTC))
        return self._dated[1]


def _is_misread(found: re.Match[str]) -> bool:
    """Say whether a word of the template stands where the host or the program is looked for."""
    return bool(SEVERITY.match(found["tag"]) or (found["host"] and SEVERITY.match(found["host"])))


def _iso(stamp: str, zone: tzinfo) -> datetime | None:
    try:
        time = datetime.fromisoformat(stamp)
        return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_line(line: str, number: int, *, now: datetime, zone: tzinfo = UTC) -> Record:
    """Split one log line.

    >>> record = parse_line("Nov  4 02:13:49 mx postfix/smtpd[7]: connect from a[192.0.2.1]", 1,
    ...                     now=datetime(2026, 1, 2, tzinfo=UTC))
    >>> record.time.isoformat(), record.daemon, record.pid, record.text
    ('2025-11-04T02:13:49+00:00', 'smtpd', 7, 'connect from a[192.0.2.1]')
    """
    return LineReader(now, zone).read(line, number)


def parse_evidence(
    data: bytes | Iterable[bytes], *, now: datetime, utc_offset: timedelta, held: bool = True
) -> Iterator[Record]:
    """Read a log, given whole or in blocks of any size; bytes that are not UTF-8 become surrogate escapes.

    ``held`` says that all records are held, so that those of the same text share it.
    """
    reader = LineReader(now, timezone(utc_offset), {} if held else None)
    number = 1
    for block in _whole_lines((data,) if isinstance(data, bytes) else data):
        # Not splitlines(): a form feed or U+2028 inside a line does not end it.
        lines = block.decode("utf-8", "surrogateescape").split("\n")
        if not lines[-1]:
            lines.pop()
        yield from reader.read_all(lines, number)
        number += len(lines)


def _whole_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        end = block.rfind(b"\n") + 1
        if end:
            yield rest + block[:end]
            rest = block[end:]
        else:
            rest += block
    if rest:
        yield rest
