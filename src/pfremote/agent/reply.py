"""A decoded reply of the agent, and what may be wrong with one. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from pfremote.agent.payloads import Payloads
from pfremote.codes import Code
from pfremote.errors import AgentFailed, Reason

Outcome = Literal["ok", "refused", "failed"]

#: The largest number that is believed: bytes and lines of a log stay far below it.
MOST = 2**53
#: The latest moment that is believed, in epoch seconds: datetime ends with the year 9999, and some is added to it.
LAST_MOMENT = 250_000_000_000


class ProtocolError(AgentFailed):
    """The reply is not what docs/agent-protocol.md promises."""

    def __init__(self, message: str, *, code: Code = "protocol", hint: str = "", host: str = "") -> None:
        super().__init__(message, code=code, hint=hint, host=host)


class ReplyCutError(ProtocolError):
    """The reply stops before its ``end=`` line: something died, and the work may be done or not."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="cut-off", hint="Ask the host what state it is in with: pfremote status HOST")


@dataclass(frozen=True, slots=True)
class Reply:
    """One decoded reply. ``pairs`` keeps every ``key=value`` in order, without reasons and payloads."""

    outcome: Outcome
    pairs: tuple[tuple[str, str], ...]
    payloads: Payloads = field(default_factory=Payloads)
    warnings: tuple[Reason, ...] = ()
    refusals: tuple[Reason, ...] = ()
    failures: tuple[Reason, ...] = ()

    def one(self, key: str, default: str = "") -> str:
        """Return the value of a key that is given at most once."""
        return next((value for name, value in self.pairs if name == key), default)

    def every(self, key: str) -> tuple[str, ...]:
        """Return all values of a key, in order."""
        return tuple(value for name, value in self.pairs if name == key)

    def named(self, key: str) -> tuple[tuple[str, str], ...]:
        """Return the values of a key that begin with a name and a blank, each as the name and what follows it."""
        split = (value.partition(" ") for value in self.every(key))
        return tuple((name, rest) for name, _, rest in split)

    def number(self, key: str, default: int = 0) -> int:
        """Return a whole number.

        Raises:
            ProtocolError: the value is not one.
        """
        return read_number(key, self.one(key, str(default)))

    def moment(self, key: str, default: int = 0) -> int:
        """Return a moment in epoch seconds.

        Raises:
            ProtocolError: the value is none that a clock shows.
        """
        return read_number(key, self.one(key, str(default)), most=LAST_MOMENT)

    def __str__(self) -> str:
        """Show the pairs one a line, as ``fab`` prints them; payloads by name and size."""
        lines = [f"{key}={value}" for key, value in self.pairs]
        lines += [f"warning={reason.code} {reason.message}" for reason in self.warnings]
        lines += [f"payload={name} {self.payloads.size(name)} bytes" for name in self.payloads]
        return "\n".join(lines)


def read_number(key: str, value: str, *, least: int = 0, most: int = MOST) -> int:
    """Return ``value`` as a whole number from ``least`` to ``most``.

    Raises:
        ProtocolError: it is not one.
    """
    if not re.fullmatch(r"-?[0-9]{1,19}", value, re.ASCII) or not least <= int(value) <= most:
        raise ProtocolError(f"the agent sent {key}={value!r} where a whole number belongs")
    return int(value)
