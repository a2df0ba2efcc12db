"""Read logs that pfremote did not collect itself: redacted, proven, and only what is wanted of a large one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
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

#: Lines that fit no layout, so many are shown: the operator sees then what they are.
FIRST_LINES = 5
#: Which part of the work the first of two readings is: the progress line counts both as one.
LEARNING = 0.35


@dataclass(frozen=True, slots=True)
class Explained:
    """What one log came to.

    ``layouts`` are lines by the name of their layout, ``strange`` the first lines that fit none (masked); ``begins``
    and ``ends`` are its first and last time, None where only some of its lines were read;
    ``searched`` are the names of messages that were looked for, None where all of the log was read; ``starts`` is at
    which line each of its files begins; ``error`` says why it was not read.
    """

    source: Source
    host: str = ""
    capture: Capture | None = None
    hops: Sequence[Hop] = ()
    layouts: tuple[tuple[str, int], ...] = ()
    strange: tuple[str, ...] = ()
    strange_lines: int = 0
    found: bool = False
    searched: frozenset[str] | None = None
    starts: tuple[int, ...] = ()
    begins: datetime | None = None
    ends: datetime | None = None
    error: PfremoteError | None = None

    @property
    def readable(self) -> bool:
        """Tell whether there was anything of Postfix in it."""
        return self.found


def explain_log(
    source: Source,
    wanted: Wanted,
    tell: Callable[[int], None],
    *,
    messages: bool = True,
    known: Iterable[str] = (),
    lines: bool = False,
    sessions: bool = True,
    twice: bool = False,
    piece: int = PIECE,
    spool: IO[bytes] | None = None,
) -> Explained:
    """Read one log. What is wrong with it is its own result; the other logs are read all the same.

    ``messages`` says whether the ways of messages are wanted; they are also needed to choose sessions by message.
    ``known`` are names of wanted messages that other logs have. With ``twice`` the log is read two times, so many
    lines at a time as ``piece`` says, and what is kept of it is put into the file ``spool``: the sessions that are
    wanted, or, where everything is and ``messages`` are not, those with a finding. Then its lines can be asked for
    with ``lines`` only, and without ``sessions`` there is nothing but these.
    """
    layouts = LayoutReader()
    survey = Survey(FIRST_LINES)
    starts: list[int] = []
    found = kept = None
    try:
        found = _search(source, wanted, tell, known, starts, messages=messages)
        if twice and found is None:
            purpose = Purpose(messages=messages or wanted.of_messages(), lines=lines, sessions=sessions)
            layouts, kept = _read_twice(source, wanted, purpose, survey, tell, piece, spool, starts)
        if kept is None:
            layouts, survey = LayoutReader(), Survey(FIRST_LINES)
            capture = (
                _read_whole(source, layouts, tell, starts) if found is None else _read_found(source, found, layouts)
            )
            survey.take(capture.records)
    except PfremoteError as exc:
        return Explained(source, source.host, error=exc)
    hosts = survey.hosts | (found.hosts if found else set())
    logged = find_host(hosts)
    host = source.host if source.named else logged or source.host
    is_of_one = len(hosts - {"", "-"}) <= 1
    if kept is not None:
        capture, hops = kept[0], _name_host_of(kept[1], host, is_of_one=is_of_one)
    else:
        hops = _collect(host, logged, capture, is_of_one=is_of_one) if messages or wanted.of_messages() else ()
        capture = narrow(capture, wanted, hops)
    return Explained(
        source,
        host,
        capture,
        hops,
        _list_layouts(layouts, survey),
        tuple(survey.strange),
        survey.strange_lines,
        found=bool(found and found.hosts) or survey.of_postfix,
        searched=None if found is None else frozenset(name.decode("utf-8", "surrogateescape") for name in found.names),
        starts=tuple(starts),
        begins=survey.begins if found is None else None,
        ends=survey.ends if found is None else None,
    )


def _name_host_of(hops: PackedHops | None, host: str, *, is_of_one: bool) -> Sequence[Hop]:
    if hops is None:
        return ()
    hops.name_host(host, is_of_one=is_of_one)
    return hops


def _collect(host: str, logged: str, capture: Capture, *, is_of_one: bool) -> tuple[Hop, ...]:
    """Return the hops of a log; a line that names no host is of the one that is ``logged``, where it is one."""
    hops = collect_hops(logged or host, capture.records)
    return name_host(host, hops) if is_of_one else hops


def _list_layouts(layouts: LayoutReader, survey: Survey) -> tuple[tuple[str, int], ...]:
    """Return how many lines each layout has; what no frame was taken off of is syslog's if its head could be read."""
    seen = layouts.seen.copy()
    seen["syslog"] -= survey.bare
    return tuple((name, number) for name, number in seen.most_common() if number > 0)


def _read_whole(source: Source, layouts: LayoutReader, tell: Callable[[int], None], starts: list[int]) -> Capture:
    moment = time_of(source)
    blocks = read_log(source, layouts, tell, starts)
    return read_capture(blocks, now=moment, utc_offset=moment.utcoffset() or timedelta(), match=None)


def _read_twice(
    source: Source,
    wanted: Wanted,
    purpose: Purpose,
    survey: Survey,
    tell: Callable[[int], None],
    piece: int,
    spool: IO[bytes] | None,
    starts: list[int],
) -> tuple[LayoutReader, tuple[Capture, PackedHops | None] | None]:
    """Read a log that is not held; None where it must be read as a whole."""
    moment = time_of(source)
    readers: list[LayoutReader] = []
    lengths: list[int] = []
    length = 0

    def learn(done: int) -> None:
        nonlocal length
        length = done
        tell(int(done * LEARNING))

    def show(done: int) -> None:
        tell(int(length * LEARNING + done * (1 - LEARNING)))

    def read() -> Iterator[bytes]:
        readers.append(LayoutReader())
        yield from read_log(source, readers[-1], learn if len(readers) == 1 else show, starts, lengths)

    offset = moment.utcoffset() or timedelta()
    kept = read_twice(read, survey, wanted, purpose, now=moment, utc_offset=offset, piece=piece, spool=spool)
    return readers[-1], kept


def _search(
    source: Source,
    wanted: Wanted,
    tell: Callable[[int], None],
    known: Iterable[str],
    starts: list[int],
    *,
    messages: bool,
) -> Found | None:
    """Find the lines that matter for what is wanted; None where all are to be read."""
    words = choose_words(wanted, messages=messages)
    if not words or source.path == STDIN:
        return None
    with LogScan(source, tell, starts) as scan:
        found = search(scan, words, wanted, time_of(source), known, scan.reach)
    # Other layouts may make several lines into one, and their numbers would not fit.
    return found if found and LayoutReader().passes(b"".join(found.lines.values())) else None


def _read_found(source: Source, found: Found, layouts: LayoutReader) -> Capture:
    """Read the lines that were found, under their numbers in the whole log."""
    moment = time_of(source)
    layouts.seen["syslog"] += found.total
    numbers = sorted(found.lines)
    lines = b"".join(found.lines[number] for number in numbers)
    offset = moment.utcoffset() or timedelta()
    capture = read_capture(lines, now=moment, utc_offset=offset, match=None, numbers=numbers)
    return replace(capture, counts=replace(capture.counts, lines=found.total, bytes=found.length))


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
