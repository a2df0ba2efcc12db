"""What is looked for in a block of a log: each look tells the lines that may matter, from their bytes. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from pfremote.maillog.ordinary import DAEMON, ID, find_others, find_quoted

#: Up to so many messages, and so many processes, are looked for one by one.
_FEW, _FEW_PROCESSES = 8, 8
PROCESS = re.compile(rb" (\S+/" + DAEMON + rb"\[\d+\]): ")
OF_MESSAGE = re.compile(rb"\]: (?:warning: )?(" + ID + rb"): ")
MESSAGE_ID = re.compile(rb"message-id=(<[^>\s]+>)")
_PID = re.compile(rb"\[(\d+)\]: ")
#: Where the name of a message stands; each begins with fixed text, which is found fast.
_WITH_NAMES = (
    OF_MESSAGE,
    re.compile(rb"queued as ([0-9A-Za-z]{6,24})"),
    re.compile(rb"queued mail for delivery ([0-9A-Za-z]{6,24})"),
    re.compile(rb"notification: ([0-9A-Za-z]{6,24})"),
    re.compile(rb"orig_queue_id=([0-9A-Za-z]{6,24})"),
    MESSAGE_ID,
)
_RECIPIENT = re.compile(rb"to=<([^>\n]*)>")
_SENT = b" status=sent "
_OF_LOGIN = b", sasl_username="
#: A message let in (smtpd.c), and a login refused (smtpd_sasl_glue.c).
_LOGIN = re.compile(rb"\[([^\]\s]+)\](?::\d+)?(?:, sasl_method=|: SASL )")


@dataclass(frozen=True, slots=True)
class Seen:
    """What one block of whole lines has: the lines that may matter, and the hosts it names.

    Of each line: its number in the block, from 1, where it begins, and what it is.
    """

    lines: tuple[tuple[int, int, bytes], ...]
    total: int
    length: int
    hosts: frozenset[str] = frozenset()


#: Looks at one block, and remembers none.
Look = Callable[[bytes], Seen]


@dataclass(frozen=True, slots=True)
class Words:
    """Words to be looked for; ``folded`` are in small letters, and their case does not count."""

    texts: tuple[bytes, ...] = ()
    folded: bool = False

    def __bool__(self) -> bool:
        return bool(self.texts)

    def find(self, block: bytes) -> set[tuple[int, int]]:
        """Return where the lines stand that have one."""
        return _find_words(block.lower() if self.folded else block, self.texts)

    def are_in(self, line: bytes) -> bool:
        """Tell whether a line has one."""
        text = line.lower() if self.folded else line
        return any(word in text for word in self.texts)


@dataclass(frozen=True, slots=True)
class FirstLook:
    """Looks for lines with one of these words, and for those that are not ordinary."""

    words: Words
    hosts: set[str] = field(default_factory=set)

    def __call__(self, block: bytes) -> Seen:
        """Look at a block."""
        places = self.words.find(block)
        places.update(_line_at(block, at) for at in find_quoted(block))
        places.update(find_others(block, self.hosts))
        return _cut(block, places, frozenset(self.hosts))


@dataclass(frozen=True, slots=True)
class NameLook:
    """Looks for the lines of messages, and of processes, which are known by their PID as well."""

    messages: frozenset[bytes]
    processes: frozenset[bytes]
    pids: frozenset[bytes]

    @classmethod
    def of(cls, names: Iterable[bytes]) -> NameLook:
        """Return what looks for these; processes end with a bracket."""
        messages = frozenset(name for name in names if not name.endswith(b"]"))
        processes = frozenset(names) - messages
        return cls(messages, processes, frozenset(name[name.rindex(b"[") + 1 : -1] for name in processes))

    def __call__(self, block: bytes) -> Seen:
        """Look at a block."""
        if len(self.messages) <= _FEW:
            places = _find_words(block, self.messages)
        else:
            places = set(self._find_messages(block))
        if len(self.processes) <= _FEW_PROCESSES:
            places |= _find_words(block, [name + b": " for name in self.processes])
        else:
            places.update(self._find_processes(block))
        return _cut(block, places)

    def _find_messages(self, block: bytes) -> Iterator[tuple[int, int]]:
        for pattern in _WITH_NAMES:
            if not self.messages.isdisjoint(pattern.findall(block)):
                yield from (_line_at(block, at.start()) for at in pattern.finditer(block) if at[1] in self.messages)

    def _find_processes(self, block: bytes) -> Iterator[tuple[int, int]]:
        here = self.pids.intersection(_PID.findall(block))
        for start, end in _find_words(block, [b"[%b]: " % pid for pid in here]):
            if (own := PROCESS.search(block, start, end)) and own[1] in self.processes:
                yield start, end


@dataclass(frozen=True, slots=True)
class LoginLook:
    """Looks for the lines that say as whom a client logged in, or tried to."""

    clients: frozenset[bytes]

    def __call__(self, block: bytes) -> Seen:
        """Look at a block."""
        places = _find_words(block, [_OF_LOGIN])
        return _cut(block, [place for place in places if self.finds(block[slice(*place)])])

    def finds(self, line: bytes) -> bool:
        """Tell whether a line is one of them."""
        return _OF_LOGIN in line and not self.clients.isdisjoint(_LOGIN.findall(line))


@dataclass(frozen=True, slots=True)
class DeliveryLook:
    """Looks for the lines that say that mail to one of these recipients, in small letters, was sent."""

    recipients: frozenset[bytes]

    def __call__(self, block: bytes) -> Seen:
        """Look at a block."""
        lowered = block.lower()
        if len(self.recipients) <= _FEW:
            places = _find_words(lowered, [b"to=<%b>" % recipient for recipient in self.recipients])
        elif self.recipients.isdisjoint(_RECIPIENT.findall(lowered)):
            places = set()
        else:
            found = (at.start() for at in _RECIPIENT.finditer(lowered) if at[1] in self.recipients)
            places = {_line_at(lowered, at) for at in found}
        return _cut(block, [place for place in places if _SENT in block[slice(*place)]])

    def finds(self, line: bytes) -> bool:
        """Tell whether a line is one of them."""
        return _SENT in line and not self.recipients.isdisjoint(_RECIPIENT.findall(line.lower()))


def _find_words(text: bytes, words: Iterable[bytes]) -> set[tuple[int, int]]:
    """Return where the lines stand that hold one of the words."""
    found: set[tuple[int, int]] = set()
    for word in words:
        at = text.find(word)
        while at >= 0:
            found.add(_line_at(text, at))
            at = text.find(word, max(at, text.find(b"\n", at)))
    return found


def _line_at(block: bytes, at: int) -> tuple[int, int]:
    return block.rfind(b"\n", 0, at) + 1, block.find(b"\n", at) + 1


def _cut(block: bytes, places: Iterable[tuple[int, int]], hosts: frozenset[str] = frozenset()) -> Seen:
    """Return the lines of a block by where they stand in it."""
    lines: list[tuple[int, int, bytes]] = []
    before = done = 0
    for start, end in sorted(places):
        before += block.count(b"\n", done, start)
        done = start
        lines.append((before + 1, start, block[start:end]))
    return Seen(tuple(lines), before + block.count(b"\n", done), len(block), hosts)
