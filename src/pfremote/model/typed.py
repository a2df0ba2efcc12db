"""How the operator reached the hosts, so that a command that a hint names works when it is pasted.

A hint is made where something went wrong, far from the command line; what was typed there is the same for the whole
process, as what is secret is.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

#: What stands for the host in a hint that is made where its name is not known: see :meth:`Typed.name_host`.
_UNNAMED = re.compile(r"\bpfremote (?P<verb>[a-z]+) HOST\b")
#: The options that ``pfremote inventory`` has too.
_OF_INVENTORY = ("-i", "-J", "--vault-id", "--vault-password-file")

#: One option as typed, with its value behind it.
Option = tuple[str, ...]


class Typed:
    """The patterns of a command, the options that leave some of its hosts out, and those that lead to them."""

    def __init__(self) -> None:
        self._patterns: tuple[str, ...] = ()
        self._choice: tuple[Option, ...] = ()
        self._way: tuple[Option, ...] = ()

    def note(self, patterns: Iterable[str], way: Iterable[Option], choice: Iterable[Option] = ()) -> None:
        """Remember what was typed: ``way`` are inventory, login, sudo, instance; ``choice`` is ``--limit``."""
        self._patterns, self._way, self._choice = tuple(patterns), tuple(way), tuple(choice)

    def forget(self) -> None:
        """Forget all, as a new run in the same process does."""
        self.note((), ())

    @property
    def names_hosts(self) -> bool:
        """Tell whether the command that runs was about hosts."""
        return bool(self._patterns or self._way)

    def command(self, verb: str, host: str, *words: str) -> str:
        """Return the command line that does ``verb`` on one host."""
        return _join("pfremote", verb, host, *_flatten(self._way), *words)

    def command_for_all(self, verb: str, *words: str) -> str:
        """Return the command line that does ``verb`` on all the hosts that were chosen."""
        patterns = self._patterns or (() if self._way else ("HOST",))
        return _join("pfremote", verb, *patterns, *_flatten((*self._choice, *self._way)), *words)

    def show_inventory(self) -> str:
        """Return the command line that shows what hosts and groups there are."""
        sources = _flatten(option for option in self._way if option[0] in _OF_INVENTORY)
        return _join("pfremote", "inventory", *sources, "--graph")

    def name_host(self, hint: str, host: str) -> str:
        """Return a hint with the command for this host where it says ``pfremote VERB HOST``."""
        return _UNNAMED.sub(lambda found: self.command(found["verb"], host), hint)


def _flatten(options: Iterable[Option]) -> Iterator[str]:
    return (word for option in options for word in option)


def _join(*words: str) -> str:
    return shlex.join(_without_repeats(words))


def _without_repeats(words: Sequence[str]) -> Sequence[str]:
    """Leave out an option that was typed and that the hint names too, as ``--instance``: the hint's comes last."""
    last = {word: at for at, word in enumerate(words) if word == "--instance"}
    skip = {at for at, word in enumerate(words) if word in last and at != last[word]}
    return [word for at, word in enumerate(words) if at not in skip and at - 1 not in skip]


#: One for the process.
TYPED = Typed()
