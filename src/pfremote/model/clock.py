"""How far a host's clock is from the operator's: measured around one call, used to merge hosts. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pfremote.errors import Reason

#: Seconds from which on two clocks that differ are worth a word.
WORTH_A_WORD = 2.0


@dataclass(frozen=True, slots=True)
class Clock:
    """A host's clock: ``ahead`` seconds before the operator's (negative: behind), give or take ``error``."""

    ahead: float = 0.0
    error: float = 0.0

    @property
    def correction(self) -> float:
        """Seconds to take off the host's times; 0 where the difference is no larger than the measuring error.

        >>> Clock(5.0, 0.2).correction, Clock(0.1, 0.2).correction
        (5.0, 0.0)
        """
        return self.ahead if abs(self.ahead) > self.error else 0.0


#: For hosts that were not asked.
UNMEASURED = Clock()


def measure_clock(host_time: float, asked: float, answered: float) -> Clock:
    """Return the clock of a host that said ``host_time`` between ``asked`` and ``answered`` (epoch seconds).

    The host looked at its clock at some moment of the round trip, so half of that is the error.

    >>> measure_clock(1005.0, 1000.0, 1001.0)
    Clock(ahead=4.5, error=0.5)
    """
    return Clock(round(host_time - (asked + answered) / 2, 3), round((answered - asked) / 2, 3))


def warn_clock(clock: Clock) -> tuple[Reason, ...]:
    """Return what there is to say of a clock that is wrong (or of two, one of which is)."""
    off = abs(clock.ahead)
    if off - clock.error <= WORTH_A_WORD:
        return ()
    side = "ahead of" if clock.ahead > 0 else "behind"
    return (
        Reason(
            "clock",
            f"this host's clock is {off:.1f} s {side} the clock of the machine that asks",
            "Times are corrected where hosts are merged. Look on both with: timedatectl; chronyc tracking",
        ),
    )
