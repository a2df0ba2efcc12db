"""Which lines of a process belong to one of them: its session, or the messages named before it and behind it. Pure.

A process serves a hundred clients, and of most of them a line says nothing. They are told from the bytes around the
line. Where they end cannot always be told: then nothing is returned, and all lines of the process are to be read.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from pfremote.maillog.ordinary import STAMP, names_message

#: Bytes on either side of a line in which the process's other lines are looked for, the next where the one before did
#: not show enough. A process that says nothing within the last is taken to say nothing more about the same thing.
_REACHES = (8 * 1024, 128 * 1024, 1024 * 1024)
#: The line with which a session of smtpd begins, and the one about its client that may stand before it
#: (sessions/inbound.py).
_CONNECT, _BEFORE = b"connect from ", b"warning: hostname "
_BEGINS = (_CONNECT, _BEFORE)
#: The line with which it ends, and those after which the process itself ends.
_ENDS = b"disconnect from "
_LAST = (_ENDS, b"fatal: ", b"panic: ", b"table ")

#: Lines further apart are not about the same thing: sessions/follow.py and findings/settle.py join over 10 s at most.
_NEAR = timedelta(seconds=15)


class Around(NamedTuple):
    """A part of a log with a line in it: where that begins, and from where to where there are whole lines."""

    text: bytes
    at: int
    first: int
    end: int


#: Returns what stands around the line at a place in the log, so many bytes on either side; nothing where it cannot.
Reach = Callable[[int, int], Around | None]


class Times:
    """The times of some lines."""

    def __init__(self, times: Iterable[datetime | None]) -> None:
        known = list(times)
        self._any = None in known
        self._known = sorted(set(filter(None, known)))

    def are_near(self, time: datetime | None) -> bool:
        """Say whether a line of this time may be about the same as one of them: it is within seconds, or has none."""
        if self._any or time is None:
            return True
        at = bisect_left(self._known, time - _NEAR)
        return at < len(self._known) and self._known[at] <= time + _NEAR


class Neighbour(NamedTuple):
    """A line: how many lines it stands behind the one that was asked about, where in the log, and what it is."""

    behind: int
    place: int
    line: bytes


class _Said(NamedTuple):
    """Where a line of the process begins in the text, and where what it says begins."""

    start: int
    text: int


def find_session(reach: Reach, place: int, line: bytes, sign: bytes) -> list[Neighbour] | None:
    """Return the lines of the session of smtpd that a line belongs to, and of others that cannot be told from it.

    ``sign`` is what the head of each line of the process has behind its stamp.
    """
    return _find(_cut_session, reach, place, line, sign)


def find_named(reach: Reach, place: int, line: bytes, sign: bytes) -> list[Neighbour] | None:
    """Return the lines of a process around one without a message, up to the nearest that name theirs (follow.py)."""
    return _find(_cut_named, reach, place, line, sign)


class _Text:
    """Lines of a log, of which some are of the process that is asked about."""

    def __init__(self, around: Around, sign: bytes, *, is_far: bool) -> None:
        self.text, _, self._first, self._end = around
        self._sign, self.is_far = sign, is_far

    def at(self, start: int) -> _Said:
        """Return the line that begins at a place."""
        return _Said(start, self.text.index(self._sign, start) + len(self._sign))

    def before(self, start: int) -> _Said | None:
        """Return the last line of the process that begins before a place."""
        at = start
        while (at := self.text.rfind(self._sign, self._first, at)) >= 0:
            if said := self._read(at):
                return said
        return None

    def behind(self, start: int) -> _Said | None:
        """Return the first that begins behind the line at a place."""
        at = self.text.find(b"\n", start)
        while (at := self.text.find(self._sign, at + 1, self._end)) >= 0:
            if said := self._read(at):
                return said
        return None

    def _read(self, at: int) -> _Said | None:
        start = self.text.rfind(b"\n", 0, at) + 1
        # The sign may also be quoted by a client.
        return _Said(start, at + len(self._sign)) if STAMP.fullmatch(self.text, start, at) else None

    def says(self, said: _Said, beginnings: bytes | tuple[bytes, ...]) -> bool:
        """Say whether a line begins so."""
        return self.text.startswith(beginnings, said.text)

    def names_message(self, said: _Said) -> bool:
        """Say whether a line begins with its message."""
        return names_message(self.text[said.text : self.text.find(b"\n", said.text)])


_Cut = Callable[[_Text, int], list[_Said] | None]


def _find(cut: _Cut, reach: Reach, place: int, line: bytes, sign: bytes) -> list[Neighbour] | None:
    for size in _REACHES:
        around = reach(place, size)
        if around is None or not around.text.startswith(line, around.at):  # the log is another now
            return None
        lines = cut(_Text(around, sign, is_far=size == _REACHES[-1]), around.at)
        if lines is not None:
            return _number(around, place, lines)
    return None


def _number(around: Around, place: int, lines: list[_Said]) -> list[Neighbour]:
    text, at = around.text, around.at
    starts = [said.start for said in lines]
    behind = -text.count(b"\n", starts[0], at)
    numbers = [behind]
    for one, next_one in pairwise(starts):
        numbers.append(behind := behind + text.count(b"\n", one, next_one))
    return [
        Neighbour(number, place + start - at, text[start : text.find(b"\n", start) + 1])
        for number, start in zip(numbers, starts, strict=True)
    ]


def _cut_session(text: _Text, at: int) -> list[_Said] | None:
    """Return the lines from one cut to the next: where one session is over, and what is said next begins another.

    Whose the lines are is told by the first of them; where that is missing it would be another client's.
    """
    first = last = text.at(at)
    lines = [first]
    while before := text.before(first.start):
        if text.says(before, _ENDS) and text.says(first, _BEGINS):
            break
        first = before
        lines.insert(0, first)
    begin = next((said for said in lines if not text.says(said, _BEFORE)), first)
    if not text.says(begin, _CONNECT) or (before is None and not (text.is_far and begin is first)):
        return None
    while behind := text.behind(last.start):
        if text.says(last, _ENDS) and text.says(behind, _BEGINS):
            break
        last = behind
        lines.append(last)
    return lines if behind is not None or (text.is_far and text.says(last, _LAST)) else None


def _cut_named(text: _Text, at: int) -> list[_Said] | None:
    """Return the lines from the one before that names a message to the next one that does."""
    before, behind = text.before(at), text.behind(at)
    lines = [text.at(at)]
    while before and not text.names_message(before):
        lines.insert(0, before)
        before = text.before(before.start)
    while behind and not text.names_message(behind):
        lines.append(behind)
        behind = text.behind(behind.start)
    return None if before is None or behind is None else [before, *lines, behind]
