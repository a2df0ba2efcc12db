"""Which exit code a set of results means: the table of the reference, row by row."""

from __future__ import annotations

import pytest

from pfremote.errors import ExitCode, Reason
from pfremote.model.result import HostResult, choose_exit_code

OK = HostResult("ok", "clean", armed=True, reverted=True, drained=True)
REFUSED = HostResult("refused", refusals=(Reason("no-log", "no log"),))
FAILED = HostResult("failed", error=Reason("unreachable", "no"))
UNKNOWN = HostResult("unknown", "unknown", armed=True, error=Reason("unknown", "not seen"))
ARMED = HostResult("armed", "armed", armed=True)
OTHERS = HostResult("others", "armed", armed=True, reverted=True)
CONFLICT = HostResult("conflict", "conflict", armed=True, reverted=True, conflicts=("debug_peer_list ours=a theirs=b",))


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ((OK, OK), ExitCode.OK),
        ((OTHERS,), ExitCode.OK),
        ((REFUSED, REFUSED), ExitCode.REFUSED),
        ((OK, REFUSED), ExitCode.HOST_FAILED),
        ((FAILED, REFUSED), ExitCode.HOST_FAILED),
        ((OK, FAILED), ExitCode.HOST_FAILED),
        ((OK, FAILED, UNKNOWN), ExitCode.UNKNOWN_STATE),
        ((ARMED,), ExitCode.UNKNOWN_STATE),
        ((CONFLICT,), ExitCode.UNKNOWN_STATE),
        ((), ExitCode.OK),
    ],
)
def test_the_worst_news_wins(results: tuple[HostResult, ...], code: ExitCode) -> None:
    assert choose_exit_code(results) is code


def test_an_interrupt_counts_unless_a_host_is_not_known_to_be_clean() -> None:
    assert choose_exit_code((OK, FAILED), interrupted=True) is ExitCode.INTERRUPTED
    assert choose_exit_code((OK, UNKNOWN), interrupted=True) is ExitCode.UNKNOWN_STATE


def test_armed_is_what_detach_wants() -> None:
    assert choose_exit_code((ARMED,), may_stay_armed=True) is ExitCode.OK
    assert choose_exit_code((ARMED, FAILED), may_stay_armed=True) is ExitCode.HOST_FAILED
