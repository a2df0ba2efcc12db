"""How many lines a log has of each process and of each message, counted before it is read once more."""

from __future__ import annotations

from pfremote.maillog.parse.patterns import CHILD_DIED
from pfremote.maillog.parse.record import Record
from pfremote.maillog.sessions.build import Key, converses
from pfremote.maillog.sessions.follow import Messages, message_of
from pfremote.maillog.tally import Tally


class Counts:
    """How many lines of a log are about each process and each message."""

    def __init__(self) -> None:
        self._tally = Tally()
        self._messages = Messages()
        #: The process of the line before, and how many lines of it follow each other.
        self._latest: Key = ("", "", None)
        self._run = 0

    def take(self, record: Record) -> None:
        """Count the next line."""
        if converses(record):
            key = (record.host, record.tag, record.pid)
            if key != self._latest:
                self._end_run()
                self._latest = key
            self._run += 1
            self._add(message_of(record))
            return
        if record.daemon == "master" and (died := CHILD_DIED.match(record.text)):
            self._tally.add((record.host, int(died["pid"])))
        for _, qid in self._messages.feed(record):
            self._add(qid)

    def finish(self) -> None:
        """End of the log."""
        self._end_run()
        for _, qid in self._messages.finish():
            self._add(qid)
        self._messages = Messages()

    def clear(self) -> None:
        """Let go of what was counted."""
        self._tally = Tally()

    def of_message(self, qid: str) -> int:
        """Return how many lines are about a message; more by chance, never less."""
        return self._tally.count(qid)

    def of_process(self, key: Key) -> int:
        """Return how many lines a process has."""
        return self._tally.count(key)

    def is_told_dead(self, key: Key) -> bool:
        """Say whether master tells that such a process died."""
        return self._tally.count((key[0], key[2])) > 0

    def _end_run(self) -> None:
        if self._run:
            self._tally.add(self._latest, self._run)
            self._run = 0

    def _add(self, qid: str) -> None:
        if qid:
            self._tally.add(qid)
