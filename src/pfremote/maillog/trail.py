"""The lines that were found of a log, and what belongs to them: their messages, sessions and processes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from pfremote.maillog.clues import Clue, Process, read_clue
from pfremote.maillog.looks import FirstLook, Look, NameLook, Seen, Words
from pfremote.maillog.neighbours import Reach, find_named, find_session

#: Where the lines that were found are more than this part of the log, and than so many bytes, to read everything is as
#: fast.
_PART, _LEAST = 0.3, 500_000

#: Yields what a look finds in all the log, block by block in its order; each call begins anew.
Scan = Callable[[Look], Iterator[Seen]]


@dataclass(slots=True)
class Found:
    """Lines by their number, and where each begins; and of the whole log the number of lines, its length, its hosts.

    ``names`` are the queue ids, Message-IDs and processes that were looked for.
    """

    lines: dict[int, bytes] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)
    hosts: set[str] = field(default_factory=set)
    names: set[bytes] = field(default_factory=set)
    total: int = 0
    length: int = 0
    size: int = 0

    def keep(self, number: int, place: int, line: bytes) -> None:
        """Keep a line."""
        if number not in self.lines:
            self.lines[number] = line
            self.places[number] = place
            self.size += len(line)

    @property
    def is_much(self) -> bool:
        """Tell whether so much was found that nothing is won."""
        return self.size > max(self.length * _PART, _LEAST)


class Trail:
    """Follows what lines lead to.

    Of a process of which one session is read, each line that was found is read with its session: it would count as of
    another. Where that cannot be told from the lines around, and without ``reach``, all of the process is read.
    """

    def __init__(self, scan: Scan, words: Words, reach: Reach | None) -> None:
        self._scan, self._words, self._reach = scan, words, reach
        self.found = Found()
        #: The messages, and the processes, of which all lines are looked for.
        self.names: set[bytes] = set()
        self.clues: dict[int, Clue] = {}
        #: The lines that were found of each process.
        self.lines_of: dict[Process, list[int]] = {}
        #: The processes that are to be read, and single lines whose neighbours are.
        self.needed: set[Process] = set()
        self.near: set[int] = set()
        #: Processes that are read whole if they are needed, and the lines of the others whose neighbours were added.
        self._whole: set[Process] = set()
        self._done: set[int] = set()

    def look_at_all(self) -> None:
        """Look at every line once, and keep those with a wanted word and those that are not ordinary."""
        found = self.found
        for seen in self._scan(FirstLook(self._words)):
            self._keep(seen, found.total, found.length)
            found.hosts |= seen.hosts
            found.total += seen.total
            found.length += seen.length
            if found.is_much:
                return

    def _keep(self, seen: Seen, lines: int, length: int) -> None:
        """Keep the lines of a block before which so many lines and bytes stand."""
        for number, place, line in seen.lines:
            self.found.keep(lines + number, length + place, line)

    def add(self, look: Look) -> None:
        """Look through the log once more."""
        found = self.found
        lines = length = 0
        for seen in self._scan(look):
            if lines >= found.total or found.is_much:  # a log may grow meanwhile
                return
            self._keep(seen, lines, length)
            lines += seen.total
            length += seen.length

    def add_names(self, names: Iterable[bytes]) -> None:
        """Look through the log for the lines of messages and processes."""
        fresh = set(names) - self.names
        self.names |= fresh
        # Whatever has a wanted word has been found.
        if missing := {name for name in fresh if not self._words.are_in(name)}:
            self.add(NameLook.of(missing))

    def read_clues(self) -> None:
        """Read what the lines lead to that were found since."""
        for number, line in self.found.lines.items():
            if number in self.clues:
                continue
            clue = self.clues[number] = read_clue(line, self._words)
            if (process := clue.process) is None:
                continue
            self.lines_of.setdefault(process, []).append(number)
            if not (clue.is_plain and process.sign):
                self._whole.add(process)
            if clue.is_needed:
                self.needed.add(process)

    def follow_messages(self) -> set[bytes]:
        """Return the messages that wanted lines name; the sessions of such lines are needed."""
        messages: set[bytes] = set()
        for clue in self.clues.values():
            if clue.is_wanted or not self.names.isdisjoint(clue.messages):
                messages.update(clue.messages)
                if clue.process is not None and clue.process.converses:
                    self.needed.add(clue.process)
        return messages

    def follow_processes(self) -> set[bytes]:
        """Add what belongs to the lines of needed processes; return the processes of which all lines are needed."""
        before = 0
        while len(self.clues) > before:
            before = len(self.clues)
            for process in self.needed - self._whole:
                if not all(map(self._add_neighbours, self.lines_of[process])):
                    self._whole.add(process)
            for number in self.near:
                process_of_line = self.clues[number].process
                if process_of_line is not None and not self._add_neighbours(number):
                    self._whole.add(process_of_line)
                    self.needed.add(process_of_line)
            self.read_clues()
        return {process.name for process in self.needed & self._whole}

    def _add_neighbours(self, number: int) -> bool:
        """Add the lines of a line's process that belong to it; False where they cannot be told from others."""
        clue, found = self.clues[number], self.found
        if number in self._done or clue.is_settled:
            return True
        process = clue.process
        if self._reach is None or process is None or process.daemon in (b"smtp", b"lmtp"):
            return False
        find = find_session if process.converses else find_named
        neighbours = find(self._reach, found.places[number], found.lines[number], process.sign)
        for behind, place, line in neighbours or ():
            found.keep(number + behind, place, line)
            self._done.add(number + behind)
        return neighbours is not None

    def settle(self) -> None:
        """Add what belongs to the lines that were added to needed processes."""
        before = -1
        while len(self.found.lines) > before and not self.found.is_much:
            before = len(self.found.lines)
            self.read_clues()
            self.add_names(self.follow_processes())
