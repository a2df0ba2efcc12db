"""The sentences that people read while it goes on."""

from __future__ import annotations

import io
from typing import Any

from pfremote.output.console import Console
from pfremote.output.messages import Messages


def _tell(kind: str, *, verbosity: int = 0, plans: bool = False, **details: object) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    messages = Messages(Console(out=out, err=err, verbosity=verbosity), plans=plans)
    messages(kind, "mx1", "aaaaaaaaaaaa", **details)  # type: ignore[arg-type]
    return out.getvalue(), err.getvalue()


def test_armed_says_until_when_and_what_ends_it() -> None:
    details: dict[str, Any] = {
        "seconds": 600,
        "guard": "systemd",
        "in_force": {"debug_peer_level": "2"},
        "predating": 3,
    }
    _, told = _tell("armed", deadline="2026-01-02T03:04:05Z", **details)
    assert (
        told
        == "mx1: armed until 03:04:05 UTC (10m), guard systemd, lease aaaaaaaaaaaa; 3 sessions began before and will not be seen\n"
    )
    _, told = _tell("armed", verbosity=1, deadline="2026-01-02T03:04:05Z", **details)
    assert "in force: debug_peer_level = 2" in told


def test_reverted_says_how_and_names_conflicts() -> None:
    details: dict[str, Any] = {"why": "deadline", "restored": "params", "drained": True, "clean": False}
    _, told = _tell("reverted", conflicts=["debug_peer_level ours=2 theirs=1"], **details)
    first = told.splitlines()[0]
    assert first.startswith("mx1: reverted (deadline): main.cf was edited meanwhile, only our parameters ")
    assert first.endswith(", drained, not clean")
    assert "debug_peer_level ours=2 theirs=1" in told


def test_a_plan_is_data_for_check_and_a_detail_for_debug() -> None:
    changes = {"debug_peer_list": "10.0.1.20"}
    assert _tell("plan", plans=True, changes=changes)[0] == "mx1: debug_peer_list = 10.0.1.20\n"
    assert _tell("plan", changes=changes) == ("", "")
    assert "sets debug_peer_list" in _tell("plan", verbosity=1, changes=changes)[1]


def test_failed_and_warning_carry_their_hints() -> None:
    _, told = _tell("failed", message="no log", hint="set one", refused=True, state="untouched", code="no-log")
    assert told == "mx1: refused: no log\nmx1: hint: set one\n"
    _, told = _tell("warning", message="odd", hint="look", code="odd")
    assert told == "mx1: warning: odd\nmx1: hint: look\n"
