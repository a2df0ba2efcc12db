"""Which hosts take longer than the others, so that they can be named while one waits for them."""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from pfremote.fleet.time_source import SYSTEM_TIME, TimeSource
from pfremote.model.event import EventSink

#: Seconds beyond the median of its like after which a step lags.
BEYOND_MEDIAN = 5.0


@dataclass(frozen=True, slots=True)
class Straggler:
    """A host that lags, and for how many seconds its step has taken by now."""

    host: str
    doing: str
    seconds: int

    def __str__(self) -> str:
        return f"{self.host} ({self.doing}, {self.seconds}s)"


@dataclass(slots=True)
class Stragglers:
    """Keeps the time of every step: of those that go on, and by kind of step of those that are over."""

    _begun: dict[str, tuple[float, str, float]] = field(default_factory=dict)
    _took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def begin(self, host: str, kind: str, limit: float, now: float) -> None:
        """Note that a step began; ``kind`` tells like from unlike, ``limit`` is what it may take."""
        self._begun[host] = (now, kind, limit)

    def end(self, host: str, now: float) -> None:
        """Note that the host's step is over. Steps that failed count too: a refusal is quick everywhere."""
        begun, kind, _ = self._begun.pop(host)
        insort(self._took[kind], now - begun)

    def forget(self, host: str) -> None:
        """Note that the run does not wait for the host any more."""
        self._begun.pop(host, None)

    def list_late(self, now: float) -> list[tuple[str, float]]:
        """Return the hosts that lag with the seconds that each has taken, the slowest first.

        One lags when it takes some seconds more than half of its like did, or half of what it may take.
        """
        late = []
        for host, (begun, kind, limit) in self._begun.items():
            took = self._took.get(kind)
            allowed = min(limit / 2, took[len(took) // 2] + BEYOND_MEDIAN) if took else limit / 2
            if now - begun > allowed:
                late.append((host, now - begun))
        return sorted(late, key=lambda item: -item[1])


def describe_stragglers(stragglers: Sequence[Straggler], most: int = 8) -> str:
    """Return one sentence about who is waited for.

    >>> describe_stragglers([Straggler("mx9", "connecting", 30), Straggler("mx7", "arming", 12)])
    'still waiting for mx9 (connecting, 30s), mx7 (arming, 12s)'
    """
    named = ", ".join(map(str, stragglers[:most]))
    more = f" and {len(stragglers) - most} more" if len(stragglers) > most else ""
    return f"still waiting for {named}{more}"


#: Seconds between two such lines.
EVERY = 10.0


class LateNotice:
    """Emits a ``warning`` about stragglers, not more often than it can be read."""

    def __init__(self, emit: EventSink, time: TimeSource = SYSTEM_TIME) -> None:
        self._emit = emit
        self._time = time
        self._next = 0.0

    def __call__(self, late: Sequence[Straggler]) -> None:
        """Tell of them, unless that was done a moment ago."""
        now = self._time.monotonic()
        if not late or now < self._next:
            return
        self._next = now + EVERY
        hosts = {item.host: {"doing": item.doing, "seconds": item.seconds} for item in late}
        self._emit("warning", code="straggler", message=describe_stragglers(late), hosts=hosts)
