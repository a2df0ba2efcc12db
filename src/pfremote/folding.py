"""Say once what many hosts say: equal messages become one, with the list of those it is about. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pfremote.errors import Reason

#: What stands for the host's own name and address in a message that is about several.
ANY = "HOST"

_PLACE = re.compile(r"(?<!\S)[^\s@]+@[^\s@]+:\d+(?: via \S+)?")
_LEASE = re.compile(r"--lease [0-9a-f]{12}\b")


@dataclass(slots=True)
class Fold:
    """One message and whom it is about. ``word`` is its kind: warning, error, refused."""

    word: str
    reason: Reason
    general: Reason
    hosts: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield the message and its hints: each line, and the word that it begins with."""
        shown = self.reason if len(self.hosts) == 1 else self.general
        yield self.word, shown.message
        for line in shown.hint.splitlines():
            yield "hint", line


class Folds:
    """Messages in the order in which they first came."""

    def __init__(self) -> None:
        self._folds: dict[tuple[str, str, str, str], Fold] = {}

    def add(self, word: str, host: str, reason: Reason) -> bool:
        """Take one, and return whether it only says of one more host what is known of another."""
        general = generalise(reason, host)
        key = (word, general.code, general.message, general.hint)
        fold = self._folds.setdefault(key, Fold(word, reason, general))
        repeats = bool(fold.hosts) and host not in fold.hosts
        if host not in fold.hosts:
            fold.hosts.append(host)
        return repeats

    def __iter__(self) -> Iterator[Fold]:
        return iter(tuple(self._folds.values()))


def generalise(reason: Reason, host: str) -> Reason:
    """Return the reason with the host's own name, address and lease taken out.

    >>> generalise(Reason("x", "cannot connect to mx1 (10.0.0.1:22): no answer"), "mx1").message
    'cannot connect to HOST: no answer'
    """
    own = re.compile(rf"(?<![\w.-]){re.escape(host)}(?![\w-]|\.\w)(?: \([^()\s]+:\d+\))?")

    def take_out(text: str) -> str:
        text = _LEASE.sub("--lease ID", _PLACE.sub(ANY, text))
        return own.sub(ANY, text) if host else text

    return Reason(reason.code, take_out(reason.message), take_out(reason.hint))


def join_hosts(hosts: Iterable[str], most: int = 20) -> str:
    """Return the names as a pattern that can be typed again; of very many only the first, and their number.

    >>> join_hosts(["mx1", "mx2"])
    'mx1,mx2'
    """
    names = list(hosts)
    return ",".join(names) if len(names) <= most else f"{','.join(names[:most])} and {len(names) - most} more"
