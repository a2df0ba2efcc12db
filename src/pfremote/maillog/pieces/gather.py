"""The sessions of a log and what follows their messages, each as soon as no later line says more of it.

How many lines each process and each message has is counted beforehand (:class:`Counts`), so nothing is guessed: what is
over has had its last line. The result is that of :func:`pfremote.maillog.sessions.build.build_sessions`.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from pfremote.maillog.findings import may_concern_host
from pfremote.maillog.parse.patterns import notified_as
from pfremote.maillog.parse.record import Record
from pfremote.maillog.pieces.counts import Counts
from pfremote.maillog.sessions.build import Key, Processes, Tracker
from pfremote.maillog.sessions.follow import Messages, message_of
from pfremote.maillog.sessions.open_session import OpenSession


@dataclass(frozen=True, slots=True)
class Group:
    """Sessions that have messages in common, oldest first, and the other daemons' lines about these messages."""

    sessions: tuple[OpenSession, ...]
    followed: tuple[Record, ...]


@dataclass(slots=True)
class _Message:
    """A message of which lines are still to come: how many, and the lines of other daemons so far."""

    left: int
    records: list[Record] = field(default_factory=list)


class Gatherer:
    """Takes the lines in the order of the log; ``ripe`` gives what is over.

    ``follows`` says of which lines of no session it is to be known at the end whether they follow one all the same
    (:meth:`bounced`).
    """

    def __init__(self, counts: Counts, follows: Callable[[Record], bool] | None = None) -> None:
        self._counts = counts
        self._processes = Processes()
        #: The process of the line before, and how many lines of it were not taken off yet.
        self._latest: Key = ("", "", None)
        self._tracker: Tracker | None = None
        self._run = 0
        self._lines_left: dict[Key, int] = {}
        #: Processes that had a line since the last look.
        self._touched: set[Key] = set()
        self._messages = Messages()
        self._known: dict[str, _Message] = {}
        self._full: set[str] = set()
        #: Sessions that are over, and wait for what follows their messages.
        self._closed: list[OpenSession] = []
        self._bounces = _Bounces(follows)
        #: The lines that are not shown as they were logged.
        self._shown: dict[int, Record] = {}
        self._of_host: list[Record] = []

    def feed(self, record: Record, shown: Record) -> None:
        """Take the next line, as it was logged and as it may be shown."""
        if shown is not record:
            self._shown[record.number] = shown
        key = (record.host, record.tag, record.pid)
        if self._tracker is not None and key == self._latest:
            self._tracker.feed(record)
        else:
            self._end_run()
            if not self._processes.take(record):
                for other, qid in self._messages.feed(record):
                    self._place(other, self._meet(qid) if qid else None)
                return
            self._latest, self._tracker = key, self._processes.trackers.get(key)
            if self._tracker is None:  # master told of a process that died
                return
        self._run += 1
        if qid := message_of(record):
            self._meet(qid)

    def _end_run(self) -> None:
        """Take the lines of a process that followed each other off those that it has."""
        if self._run:
            key = self._latest
            self._lines_left[key] = (self._lines_left.get(key) or self._counts.of_process(key)) - self._run
            self._touched.add(key)
            self._run = 0
        self._tracker = None

    def _place(self, record: Record, message: _Message | None) -> None:
        """Keep a line of another daemon with its message, or let go what is about none."""
        if message is not None:
            message.records.append(record)
            return
        shown = self._show(record)
        if may_concern_host(shown):
            self._of_host.append(shown)

    def _show(self, record: Record) -> Record:
        return self._shown.pop(record.number, record)

    def _meet(self, qid: str) -> _Message:
        message = self._known.get(qid)
        if message is None:
            message = self._known[qid] = _Message(self._counts.of_message(qid))
        message.left -= 1
        if message.left <= 0:
            self._full.add(qid)
        return message

    def ripe(self) -> Iterator[Group]:
        """Yield the sessions that are over since the last call, and of whose messages there is no more."""
        self._end_run()
        for key in self._touched:
            if self._lines_left[key] <= 0 and not self._counts.is_told_dead(key):
                self._close(self._processes.drop(key), over=True)
                del self._lines_left[key]
            else:
                self._close(self._processes.trackers[key], over=False)
        self._touched.clear()
        yield from self._groups(self._list_open())

    def finish(self) -> Iterator[Group]:
        """End of the log: yield the others."""
        for tracker in self._processes.trackers.values():
            self._close(tracker, over=True)
        for record, qid in self._messages.finish():
            self._place(record, self._meet(qid) if qid else None)
        self._full.update(self._known)
        yield from self._groups(set())

    def of_host(self) -> list[Record]:
        """Return, after the end, the lines of no session and no message of one that may be a finding."""
        return sorted((*self._of_host, *self._bounces.left_over()), key=lambda record: record.number)

    def bounced(self) -> Iterator[int]:
        """Yield, after the end, the numbers of the lines about messages that a bounce of a session's message made."""
        return self._bounces.list_followed()

    def _close(self, tracker: Tracker, *, over: bool) -> None:
        self._closed += tracker.finish() if over else tracker.take_done()
        for record in tracker.homeless:
            qid = message_of(record)
            self._place(record, self._known.setdefault(qid, _Message(0)) if qid else None)
        tracker.homeless.clear()

    def _list_open(self) -> set[str]:
        """Return the messages of sessions that go on."""
        held = (item for tracker in self._processes.trackers.values() for item in tracker.held())
        return {
            qid for item in held for qid in (item.queue_ids if isinstance(item, OpenSession) else (message_of(item),))
        }

    def _groups(self, opened: set[str]) -> Iterator[Group]:
        waiting: list[OpenSession] = []
        for group in _join(self._closed):
            ids = {qid for session in group for qid in session.queue_ids}
            if all(qid not in opened and (qid in self._full or qid not in self._known) for qid in ids):
                yield self._take(group, ids)
            else:
                waiting += group
        self._closed = waiting
        held = {qid for session in waiting for qid in session.queue_ids}
        for qid in self._full - held - opened:
            records = self._known.pop(qid).records
            self._bounces.note(qid, records, of_session=False)
            self._bounces.leave(qid, map(self._show, records))
            self._full.discard(qid)

    def _take(self, group: list[OpenSession], ids: Iterable[str]) -> Group:
        followed: list[Record] = []
        for qid in ids:
            self._full.discard(qid)
            if message := self._known.pop(qid, None):
                self._bounces.note(qid, message.records, of_session=True)
                followed += map(self._show, message.records)
        followed.sort(key=lambda record: record.number)
        for session in group:
            session.records = [*map(self._show, session.records)]
        return Group(tuple(sorted(group, key=lambda one: one.records[0].number)), tuple(followed))


def _join(sessions: Iterable[OpenSession]) -> Iterable[list[OpenSession]]:
    """Return the sessions in groups that have a message in common."""
    groups: dict[int, list[OpenSession]] = {}
    group_of: dict[str, int] = {}
    for number, session in enumerate(sessions):
        others = {group_of[qid] for qid in session.queue_ids if qid in group_of}
        joined = [one for other in others for one in groups.pop(other)]
        groups[number] = [*joined, session]
        for one in groups[number] if others else (session,):
            group_of.update(dict.fromkeys(one.queue_ids, number))
    return groups.values()


class _Bounces:
    """Messages of no session: they are followed all the same where a bounce of a session's message made them."""

    def __init__(self, follows: Callable[[Record], bool] | None) -> None:
        #: Line, message and the bounce that it announces, and whether a session has the message.
        self._announced: list[tuple[int, str, str, bool]] = []
        self._others: list[tuple[Record, str]] = []
        self._follows = follows
        #: The numbers of those lines of the others, and the hashes of their messages.
        self._numbers, self._keys = array("I"), array("q")

    def note(self, qid: str, records: Iterable[Record], *, of_session: bool) -> None:
        """Note the bounces that the lines of a message announce."""
        for record in records:
            if record.daemon == "bounce" and (bounce := notified_as(record.text)):
                self._announced.append((record.number, qid, bounce, of_session))

    def leave(self, qid: str, records: Iterable[Record]) -> None:
        """Take the lines of a message of no session."""
        for record in records:
            if may_concern_host(record):
                self._others.append((record, qid))
            if self._follows is not None and self._follows(record):
                self._numbers.append(record.number)
                self._keys.append(hash(qid))

    def _find_wanted(self) -> dict[str, int]:
        """Return the bounces of sessions' messages, each with the line that announces it."""
        wanted: dict[str, int] = {}
        for number, qid, bounce, of_session in sorted(self._announced):
            if of_session or wanted.get(qid, number) < number:
                wanted.setdefault(bounce, number)
        return wanted

    def left_over(self) -> Iterator[Record]:
        """Yield the lines of the others that no bounce made."""
        wanted = self._find_wanted()
        return (record for record, qid in self._others if not wanted.get(qid, record.number) < record.number)

    def list_followed(self) -> Iterator[int]:
        """Yield the numbers of the lines of the others that a bounce made."""
        wanted = {hash(qid): number for qid, number in self._find_wanted().items()}
        pairs = zip(self._numbers, self._keys, strict=True) if wanted else ()
        return (number for number, key in pairs if wanted.get(key, number) < number)
