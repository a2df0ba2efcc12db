"""One line and one number for a monitoring system, as Nagios' plugin guidelines want them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from pfremote.model.facts import Lease
from pfremote.model.result import GUARD_SLACK, HostResult
from pfremote.text.quantities import plural, render_duration
from pfremote.text.terminal import show_line

#: The service's name at the beginning of the line.
SERVICE = "PFREMOTE"
#: A status line should be short; what is left out is counted (guidelines, "Plugin Output for Nagios").
MOST_WORDS = 6

_ACTIVE = re.compile(r"(?P<elsewhere>instance \S+: )?lease [0-9a-f]{12} is active")


class Level(IntEnum):
    """The exit codes of a plugin. They are not those of pfremote's other commands."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


#: The worst first: what is known to be bad, then what is not known at all, then what an operator wanted.
_ORDER = (Level.CRITICAL, Level.UNKNOWN, Level.WARNING, Level.OK)


@dataclass(frozen=True, slots=True)
class Look:
    """What one contact found: the state or why there is none, the leases, debugging that no lease asked for.

    ``time`` is the host's, in epoch seconds, as the leases' deadlines are.
    """

    result: HostResult
    leases: tuple[Lease, ...] = ()
    unexplained: tuple[str, ...] = ()
    dirty: tuple[str, ...] = ()
    guard_lost: bool = False
    time: int = 0

    @property
    def unclean(self) -> bool:
        """Tell whether something is left that no active lease accounts for."""
        return self.result.state == "unknown" or bool(self.dirt)

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """The active leases of the host's other instances, as it said them: ``instance DIR: lease ID is active``."""
        found = (_ACTIVE.fullmatch(text) for text in self.dirty)
        return tuple(match[0] for match in found if match is not None and match["elsewhere"])

    @property
    def dirt(self) -> tuple[str, ...]:
        """What the host found left over, but for leases that are active: those are told by themselves."""
        return tuple(text for text in self.dirty if not _ACTIVE.fullmatch(text))


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing to say of one host, and how bad it is."""

    level: Level
    text: str


def render_monitoring(looks: Sequence[Look]) -> tuple[Level, str]:
    """Return the level and the one line with its performance data."""
    troubles = [trouble for look in looks for trouble in _find_trouble(look)]
    level = next(level for level in _ORDER if level is Level.OK or any(t.level is level for t in troubles))
    ordered = sorted(troubles, key=lambda trouble: _ORDER.index(trouble.level))
    words = [trouble.text for trouble in ordered[:MOST_WORDS]]
    if len(ordered) > MOST_WORDS:
        words.append(f"and {len(ordered) - MOST_WORDS} more")
    said = "; ".join(words) or f"no debugging on {plural(len(looks), 'host')}"
    return level, render_line(level, said, _measure(looks))


def render_line(level: Level, text: str, measured: str = "") -> str:
    """Return the plugin's line; what would end its text early (a pipe, a line end) is taken out.

    >>> render_line(Level.UNKNOWN, "no host | matches")
    'PFREMOTE UNKNOWN - no host / matches'
    """
    said = show_line(" ".join(text.split())).replace("|", "/")
    return f"{SERVICE} {level.name} - {said}" + (f" | {measured}" if measured else "")


def _find_trouble(look: Look) -> Iterator[Trouble]:
    host, error = look.result.host, look.result.error
    if look.result.state == "untouched" and error is not None:  # never got as far as an answer
        yield Trouble(Level.UNKNOWN, f"{host}: {error.code}")
        return
    for text in look.unexplained:
        yield Trouble(Level.CRITICAL, f"{host}: {text} and no lease explains it")
    if look.unclean:
        why = "; ".join(look.dirt) or (error.message if error else "the host does not say why")
        yield Trouble(Level.CRITICAL, f"{host}: not clean: {why}")
    for text in look.elsewhere:
        yield Trouble(Level.WARNING, f"{host}: {text}")
    for lease in look.leases:
        if lease.state != "armed":
            continue
        whose = f"{host}: lease {lease.id} of {lease.owner or 'unknown'}"
        if lease.left <= 0 and look.time > lease.deadline + GUARD_SLACK:
            yield Trouble(Level.CRITICAL, f"{whose} has expired and is still in force")
        else:
            lost = ", a guard is gone" if look.guard_lost else ""
            yield Trouble(Level.WARNING, f"{whose}, {render_duration(lease.left)} left{lost}")


def _measure(looks: Sequence[Look]) -> str:
    values = {
        "leases": sum(sum(lease.state == "armed" for lease in look.leases) + len(look.elsewhere) for look in looks),
        "hosts": len(looks),
        "unexplained": sum(bool(look.unexplained) for look in looks),
        "unclean": sum(look.unclean for look in looks),
        "unreachable": sum(look.result.state == "untouched" for look in looks),
    }
    return " ".join(f"{name}={number}" for name, number in values.items())
