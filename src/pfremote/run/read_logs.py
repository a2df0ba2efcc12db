"""Read logs that pfremote did not collect itself: redacted, proven, and only what is wanted of a large one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import IO

from pfremote.errors import PfremoteError
from pfremote.maillog.capture import Capture, read_capture
from pfremote.maillog.clues import choose_words
from pfremote.maillog.messages.collect import collect_hops, find_host, name_host
from pfremote.maillog.messages.join import join_messages
from pfremote.maillog.messages.message import Hop, Message
from pfremote.maillog.narrow import Wanted, is_wanted, narrow
from pfremote.maillog.parse.layouts import LayoutReader
from pfremote.maillog.pieces.hops import PackedHops
from pfremote.maillog.pieces.read import PIECE, Purpose, read_twice
from pfremote.maillog.pieces.survey import Survey
from pfremote.maillog.search import search
from pfremote.maillog.trail import Found
from pfremote.run.log_files import STDIN, Source, read_log, time_of
from pfremote.run.scan import LogScan
from pfremote.text.quantities import plural

#: How many of the lines that fit no layout are shown: the operator sees then what they are.
FIRST_LINES = 5
#: How much of the progress the first of two readings counts for: the line shows both as one.
LEARNING = 0.35
#: The ways of messages too.
WITH_MESSAGES = Purpose(messages=True)


@dataclass(frozen=True, slots=True)
class Explained:
    """What one log came to.

    ``layouts`` are lines by the name of their layout, ``strange`` the first lines that fit none (masked), ``readable``
    whether there was anything of Postfix. ``begins`` and ``ends`` are its first and last time, None where only some of
    its lines were read; ``searched`` are the names of messages that were looked for, None where all of the log was
    read; ``starts`` is at which line each of its files begins; ``error`` says why it was not read.
    """

    source: Source
    host: str = ""
    capture: Capture | None = None
    hops: Sequence[Hop] = ()
    layouts: tuple[tuple[str, int], ...] = ()
    strange: tuple[str, ...] = ()
    strange_lines: int = 0
    readable: bool = False
    searched: frozenset[str] | None = None
    starts: tuple[int, ...] = ()
    begins: datetime | None = None
    ends: datetime | None = None
    error: PfremoteError | None = None


def explain_log(
    source: Source,
    wanted: Wanted,
    tell: Callable[[int], None],
    purpose: Purpose = WITH_MESSAGES,
    *,
    known: Iterable[str] = (),
    twice: bool = False,
    piece: int = PIECE,
    spool: IO[bytes] | None = None,
) -> Explained:
    """Read one log. What is wrong with it is its own result; the other logs are read all the same.

    ``tell`` is called with the bytes that were read so far; ``known`` are names of wanted messages that other logs
    have. With ``twice`` the log is read two times, ``piece`` lines at a time, and what is kept of it is put into the
    file ``spool``: the sessions that are wanted, or, where everything is and messages are not, those with a finding.
    A log that is read once has all its lines and sessions, whatever the ``purpose``.
    """
    if wanted.of_messages():
        purpose = replace(purpose, messages=True)
    reading = _Reading(source, wanted, purpose, tell)
    try:
        found = reading.search(known)
        kept = reading.read_twice(piece, spool) if twice and found is None else None
        if kept is None:
            return reading.explain_held(reading.read_held(found), found)
        return reading.explain_kept(*kept)
    except PfremoteError as exc:
        return Explained(source, source.host, error=exc)


class _Reading:
    """One log while it is read, and what is seen of it on the way."""

    def __init__(self, source: Source, wanted: Wanted, purpose: Purpose, tell: Callable[[int], None]) -> None:
        self._source, self._wanted, self._purpose, self._tell = source, wanted, purpose, tell
        self._starts: list[int] = []
        self._layouts = LayoutReader()
        self._survey = Survey(FIRST_LINES)
        #: When the log was written last, and the offset of its times from UTC.
        self._moment = time_of(source)
        self._offset = self._moment.utcoffset() or timedelta()

    def search(self, known: Iterable[str]) -> Found | None:
        """Find the lines that matter for what is wanted; None where all are to be read."""
        words = choose_words(self._wanted, messages=self._purpose.messages)
        if not words or self._source.path == STDIN:
            return None
        with LogScan(self._source, self._tell, self._starts) as scan:
            found = search(scan, words, self._wanted, self._moment, known, scan.reach)
        # Other layouts may make several lines into one, and their numbers would not fit.
        return found if found and LayoutReader().passes(b"".join(found.lines.values())) else None

    def read_twice(self, piece: int, spool: IO[bytes] | None) -> tuple[Capture, PackedHops | None] | None:
        """Read a log that is not held; None where it must be read as a whole."""
        lengths: list[int] = []
        readings = length = 0

        def tell(done: int) -> None:
            nonlocal length
            if readings == 1:
                length = done
                self._tell(int(done * LEARNING))
            else:
                self._tell(int(length * LEARNING + done * (1 - LEARNING)))

        def read() -> Iterator[bytes]:
            nonlocal readings
            readings += 1
            self._layouts = LayoutReader()
            yield from read_log(self._source, self._layouts, tell, self._starts, lengths)

        return read_twice(
            read,
            self._survey,
            self._wanted,
            self._purpose,
            now=self._moment,
            utc_offset=self._offset,
            piece=piece,
            spool=spool,
        )

    def read_held(self, found: Found | None) -> Capture:
        """Read the lines that were found, under their numbers in the whole log; all of it without a search."""
        self._layouts, self._survey = LayoutReader(), Survey(FIRST_LINES)
        if found is None:
            blocks = read_log(self._source, self._layouts, self._tell, self._starts)
            capture = read_capture(blocks, now=self._moment, utc_offset=self._offset, match=None)
        else:
            self._layouts.seen["syslog"] += found.total
            numbers = sorted(found.lines)
            lines = b"".join(found.lines[number] for number in numbers)
            capture = read_capture(lines, now=self._moment, utc_offset=self._offset, match=None, numbers=numbers)
            capture = replace(capture, counts=replace(capture.counts, lines=found.total, bytes=found.length))
        self._survey.take(capture.records)
        return capture

    def explain_kept(self, capture: Capture, hops: PackedHops | None) -> Explained:
        """Return what a log that was read twice came to."""
        hosts = self._survey.hosts
        host = self._choose_host(hosts)
        if hops is not None:
            hops.name_host(host, is_of_one=_is_of_one(hosts))
        return self._explain(host, capture, () if hops is None else hops, None)

    def explain_held(self, capture: Capture, found: Found | None) -> Explained:
        """Return what a log that is held came to; a line that names no host is of the one that the others name."""
        hosts = self._survey.hosts | (found.hosts if found else set())
        host = self._choose_host(hosts)
        hops: tuple[Hop, ...] = ()
        if self._purpose.messages:
            hops = collect_hops(find_host(hosts) or host, capture.records)
            hops = name_host(host, hops) if _is_of_one(hosts) else hops
        return self._explain(host, narrow(capture, self._wanted, hops), hops, found)

    def _choose_host(self, hosts: Collection[str]) -> str:
        """Return the host's name: as the operator gave it, else as the lines do, else that of the file."""
        return self._source.host if self._source.named else find_host(hosts) or self._source.host

    def _explain(self, host: str, capture: Capture, hops: Sequence[Hop], found: Found | None) -> Explained:
        survey = self._survey
        return Explained(
            self._source,
            host,
            capture,
            hops,
            _list_layouts(self._layouts, survey),
            tuple(survey.strange),
            survey.strange_lines,
            readable=bool(found and found.hosts) or survey.of_postfix,
            searched=None if found is None else frozenset(map(_decode, found.names)),
            starts=tuple(self._starts),
            begins=survey.begins if found is None else None,
            ends=survey.ends if found is None else None,
        )


def _is_of_one(hosts: Collection[str]) -> bool:
    return len(frozenset(hosts) - {"", "-"}) <= 1


def _decode(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _list_layouts(layouts: LayoutReader, survey: Survey) -> tuple[tuple[str, int], ...]:
    """Return how many lines each layout has; what no frame was taken off of is syslog's if its head could be read."""
    seen = layouts.seen.copy()
    seen["syslog"] -= survey.bare
    return tuple((name, number) for name, number in seen.most_common() if number > 0)


def find_messages(logs: Sequence[Explained], wanted: Wanted, spool: IO[bytes] | None = None) -> Iterator[Message]:
    """Yield the messages of all logs, joined over the hosts; where something was asked for, only those.

    ``spool`` is that of :func:`explain_log`.
    """
    messages: Iterable[Message]
    if any(isinstance(log.hops, PackedHops) for log in logs):
        # Loaded for large logs alone: SQLite.
        from pfremote.run.ways import join_on_disk

        messages = join_on_disk([log.hops for log in logs], spool)
    else:
        messages = join_messages(hop for log in logs for hop in log.hops)
    if wanted.of_messages():
        messages = (item for item in messages if any(is_wanted(hop, wanted) for hop in item.hops))
    return (replace(message, id=number) for number, message in enumerate(messages, 1))


def find_names(logs: Sequence[Explained], wanted: Wanted) -> frozenset[str]:
    """Return the queue ids and Message-IDs of the wanted messages, those of the next hops included."""
    messages = find_messages(logs, wanted) if wanted.of_messages() else iter(())
    hops = [hop for message in messages for hop in message.hops]
    names = {name for hop in hops for name in (hop.queue_id, hop.message_id, hop.origin)}
    return frozenset(names | {item.next_id for hop in hops for item in hop.tries}) - {""}


def describe_layouts(log: Explained) -> str:
    """Return which layouts a log has, and how many lines fit none."""
    met = [f"{name} ({plural(number, 'line')})" for name, number in log.layouts]
    if log.strange_lines:
        met.append(f"{plural(log.strange_lines, 'line')} of no layout that is known")
    return ", ".join(met)


def explain_nothing(log: Explained) -> PfremoteError:
    """Say of a log without a line of Postfix which layout was seen, and what to do."""
    return PfremoteError(
        f"{log.source.name}: there is no line of Postfix in it; seen: {describe_layouts(log) or 'no line at all'}",
        hint="Give the file in which Postfix logs, such as /var/log/mail.log, or what journalctl -u postfix prints.",
    )
