"""Say once what many hosts say: equal messages become one, with the list of those it is about. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pfremote.errors import Reason

#: What stands for the host's own name and address in a message that is about several.
ANY = "HOST"

_PLACE = re.compile(r"(?<!\S)[^\s@]+@[^\s@]+:\d+(?: via \S+)?")
_LEASE = re.compile(r"--lease ([0-9a-f]{12})\b")
#: A command that one host's hint names for it.
_ONE_HOST = re.compile(rf"\b(pfremote [a-z]+) {ANY}\b")
#: How one host is looked at with ssh; its options are the host's own.
_SSH = re.compile(r"(?<=: )ssh (-v |-o \S+ )?.* true$", re.MULTILINE)
#: More hosts than this are not named in a command.
_TYPED = 20
#: Leases that begin alike with fewer digits than this do so by chance.
_ALIKE = 7


@dataclass(slots=True)
class Fold:
    """One message and whom it is about. ``word`` is its kind: warning, error, refused.

    ``told`` is the host of which it was said when it came.
    """

    word: str
    reason: Reason
    general: Reason
    hosts: list[str] = field(default_factory=list)
    told: str = ""
    leases: dict[str, str] = field(default_factory=dict)
    commands: dict[str, str] = field(default_factory=dict)

    @property
    def others(self) -> list[str]:
        """The hosts of which it was not said yet."""
        return [host for host in self.hosts if host != self.told]

    def leave_out_told(self) -> Fold:
        """Return the same for the hosts of which it was not said yet."""
        named = self.others[0] if len(self.others) == 1 else ANY
        rest = Fold(self.word, self.general, self.general, self.others, leases=self.leases, commands=self.commands)
        hint = "\n".join(map(rest._name_all, self.general.hint.splitlines())).replace(ANY, named)
        rest.reason = Reason(self.general.code, self.general.message.replace(ANY, named), hint)
        return rest

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield the message and its hints: each line, and the word that it begins with."""
        shown = self.reason if len(self.hosts) == 1 else self.general
        yield self.word, shown.message
        for line in shown.hint.splitlines():
            yield "hint", line if shown is self.reason else self._name_all(line)

    def _name_all(self, line: str) -> str:
        """Let a command that stands for each host name all of them, so that it can be pasted."""
        if typed := next((self.commands[host] for host in self.hosts if host in self.commands), ""):
            line = _SSH.sub(lambda _: typed, line)  # to one of them: ssh goes to one host
        if len(self.hosts) > _TYPED:
            return line
        named = _ONE_HOST.sub(lambda found: f"{found[1]} {','.join(self.hosts)}", line)
        beginning = find_beginning([self.leases[host] for host in self.hosts if host in self.leases])
        return named.replace(" --lease ID", f" --lease {beginning}" if beginning else "")


class Folds:
    """Messages in the order in which they first came."""

    def __init__(self) -> None:
        self._folds: dict[tuple[str, str, str, str], Fold] = {}

    def add(self, word: str, host: str, reason: Reason) -> bool:
        """Take one, and return whether it only says of one more host what is known of another."""
        general = generalise(reason, host)
        key = (word, general.code, general.message, general.hint)
        fold = self._folds.setdefault(key, Fold(word, reason, general))
        if not fold.hosts:
            fold.told = host
        if lease := _LEASE.search(reason.hint):
            fold.leases[host] = lease[1]
        if command := _SSH.search(reason.hint):
            fold.commands[host] = command[0]
        if host not in fold.hosts:
            fold.hosts.append(host)
        return host != fold.told

    def drop(self, word: str, host: str, code: str) -> bool:
        """Take back what a host said with this code, and return whether it did."""
        said = [fold for fold in self._folds.values() if (fold.word, fold.reason.code) == (word, code)]
        theirs = [fold for fold in said if host in fold.hosts]
        for fold in theirs:
            fold.hosts.remove(host)
        return bool(theirs)

    def __iter__(self) -> Iterator[Fold]:
        return iter(tuple(self._folds.values()))


def generalise(reason: Reason, host: str) -> Reason:
    """Return the reason with the host's own name, address and lease taken out.

    >>> generalise(Reason("x", "cannot connect to mx1 (10.0.0.1:22): no answer"), "mx1").message
    'cannot connect to HOST: no answer'
    """
    own = re.compile(rf"(?<![\w.-]){re.escape(host)}(?![\w-]|\.\w)(?: \([^()\s]+:\d+\))?")

    def take_out(text: str) -> str:
        text = _SSH.sub(rf"ssh \1{ANY} true", _LEASE.sub("--lease ID", _PLACE.sub(ANY, text)))
        return own.sub(ANY, text) if host else text

    return Reason(reason.code, take_out(reason.message), take_out(reason.hint))


def find_beginning(leases: Sequence[str]) -> str:
    """Return how all of the ids begin, where that is no chance; else nothing.

    >>> find_beginning(["1a2b3c400000", "1a2b3c400001"])
    '1a2b3c40000'
    """
    same = next((at for at, digits in enumerate(zip(*leases, strict=False)) if len(set(digits)) > 1), None)
    beginning = leases[0][:same] if leases else ""
    return beginning if len(beginning) >= _ALIKE else ""


def join_hosts(hosts: Iterable[str], most: int = 20) -> str:
    """Return the names as a pattern that can be typed again; of very many only the first, and their number.

    >>> join_hosts(["mx1", "mx2"])
    'mx1,mx2'
    """
    names = list(hosts)
    return ",".join(names) if len(names) <= most else f"{','.join(names[:most])} and {len(names) - most} more"
