"""What a host's answer proves about it, and what it does not."""

from __future__ import annotations

import pytest

from pfremote.agent.protocol import decode_reply
from pfremote.agent.read_facts import read_leases
from pfremote.agent.verdict import diff_copies, explain_loss, judge_revert, judge_state
from pfremote.errors import AgentFailed, StateUnknown, Unreachable
from pfremote.model.result import HostResult

MINE = "lease=aaaaaaaaaaaa\nlease.state=reverted\nlease.restored={}\nlease.drained={}\nlease.why=deadline\n"
OTHER = "lease=bbbbbbbbbbbb\nlease.state=armed\n"


def _judge(text: str) -> HostResult:
    reply = decode_reply(f"pfremote=1\n{text}end=ok\n".encode())
    return judge_revert(HostResult("mx1", "armed", armed=True), reply, read_leases(reply)[0])


def test_clean_is_what_the_host_was_seen_to_be() -> None:
    result = _judge(MINE.format("bytes", "yes") + "clean=yes\n")
    assert (result.state, result.reverted, result.drained, result.error) == ("clean", True, True, None)


@pytest.mark.parametrize("text", [MINE.format("recomputed", "unknown"), MINE.format("bytes", "yes") + OTHER])
def test_another_lease_keeps_the_host_armed_which_is_no_error(text: str) -> None:
    result = _judge(text + "clean=no\n")
    assert (result.state, result.reverted, result.error) == ("armed", True, None)


CONFLICT = "lease.conflict=debug_peer_list ours=192.0.2.5 theirs=192.0.2.9\n"


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (MINE.format("params", "yes") + CONFLICT + "clean=yes\n", "conflict"),
        (MINE.format("params", "yes") + CONFLICT + OTHER + "clean=no\n", "conflict"),
        (MINE.format("params", "no") + CONFLICT + "clean=no\n", "unknown"),
    ],
)
def test_a_value_of_another_that_stays_is_a_conflict_and_not_clean(text: str, state: str) -> None:
    result = _judge(text)
    assert (result.state, result.conflicts) == (state, ("debug_peer_list ours=192.0.2.5 theirs=192.0.2.9",))


def test_the_conflicts_of_several_leases_add_up() -> None:
    second = MINE.replace("a" * 12, "b" * 12).format("params", "yes") + CONFLICT.replace("list", "level")
    reply = decode_reply(f"pfremote=1\n{MINE.format('params', 'yes')}{CONFLICT}{second}clean=yes\nend=ok\n".encode())
    result = HostResult("mx1")
    for lease in read_leases(reply):
        result = judge_revert(result, reply, lease)
    assert (result.state, len(result.conflicts)) == ("conflict", 2)


def test_verbose_processes_are_named() -> None:
    result = _judge(MINE.format("bytes", "no") + "lease.verbose=4711 smtpd\nclean=no\n")
    assert (result.state, result.drained) == ("unknown", False)
    assert result.error is not None
    assert result.error.code == "not-drained"
    assert "4711 smtpd" in result.error.message


def test_dirt_is_passed_on() -> None:
    result = _judge(MINE.format("bytes", "yes") + "dirty=a timer is left\nclean=no\n")
    assert result.error is not None
    assert "a timer is left" in result.error.message


def test_silence_is_not_clean() -> None:
    assert judge_state(decode_reply(b"pfremote=1\nend=ok\n")) == "unknown"


def test_a_lost_host_says_who_acts_and_when() -> None:
    gone = Unreachable("no route", hint="h")
    armed = HostResult("mx1", "armed", lease="aaaaaaaaaaaa", armed=True)
    lost = explain_loss(armed, gone, "by 2026-01-02T03:04:05Z")
    assert isinstance(lost, StateUnknown)
    assert "by 2026-01-02T03:04:05Z" in lost.hint
    reverted = explain_loss(HostResult("mx1", "clean", lease="aaaaaaaaaaaa", reverted=True), gone, "")
    assert isinstance(reverted, AgentFailed)
    assert "pfremote collect mx1 --lease aaaaaaaaaaaa" in reverted.hint
    assert explain_loss(HostResult("mx1"), gone, "") is gone


def test_the_diff_shows_only_what_changes() -> None:
    before, during = b"a = 1\nb = 2\nc = 3\n", b"a = 1\nb = 2\nc = 3\ndebug_peer_list = x\n"
    payloads = b"payload=main.cf.before %d raw\n%s\npayload=main.cf.during %d raw\n%s\n" % (
        len(before), before, len(during), during
    )  # fmt: skip
    lines = diff_copies(decode_reply(b"pfremote=1\n" + payloads + b"end=ok\n"))
    assert lines[2:] == ["@@ -3 +3,2 @@", " c = 3", "+debug_peer_list = x"]


def test_what_is_brought_home_is_not_called_lost() -> None:
    home = HostResult("mx1", "clean", lease="aaaaaaaaaaaa", armed=True, reverted=True, out="/runs/x/mx1")
    error = explain_loss(home, "you left before it was done", "by 05:11:35Z")
    assert isinstance(error, AgentFailed)
    assert error.code == "not-forgotten"
    assert "brought home" in error.message
