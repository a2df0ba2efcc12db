"""The verb that lets somebody follow a window: new lines of the window's processes, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pfremote.agent.protocol import Reply
from pfremote.loopback import traffic
from tests.support.agent import LEASE, HostAgent, Snapshot


def follow(agent: HostAgent, position: str = "") -> tuple[Reply, list[str]]:
    """Ask once; return the reply and its lines."""
    words = [f"position={position}"] if position else []
    reply = agent.ask("tail", f"lease={LEASE}", *words)
    assert reply.outcome == "ok", reply
    return reply, reply.payloads["lines"].decode().splitlines()


def test_each_line_of_a_session_comes_once_and_in_order(agent: HostAgent) -> None:
    agent.arm(seconds=600)
    got: list[str] = []
    reply, lines = follow(agent)
    assert lines == []
    with traffic.hold_session(agent.host) as session:
        for word in ("one", "two", "three"):
            session.docmd("NOOP", word)
            reply, lines = follow(agent, reply.one("position"))
            assert f"NOOP {word}" in "".join(lines)
            assert reply.one("more") == "no"
            got += lines
    agent.host.wait_for_log("disconnect from")
    reply, lines = follow(agent, reply.one("position"))
    got += lines
    assert follow(agent, reply.one("position"))[1] == []
    agent.ask("revert", f"lease={LEASE}")
    evidence = agent.ask("collect", f"lease={LEASE}").payloads["evidence"].decode().splitlines()
    assert got == [line for line in evidence if "smtpd[" in line]


def test_a_session_that_turns_verbose_later_comes_with_its_beginning(dash_agent: HostAgent) -> None:
    """The name check and `connect from` are logged before the process is verbose."""
    agent = dash_agent
    agent.arm(seconds=600)
    reply, _ = follow(agent)
    log = agent.host.maillog
    stamp = log.read_text().splitlines()[-1].split(" postfix/")[0]
    with log.open("a") as out:
        out.write(
            f"{stamp} postfix/smtpd[77]: connect from old[127.0.0.1]\n"
            f"{stamp} postfix/smtpd[77]: disconnect from old[127.0.0.1]\n"
        )
        out.write(
            f"{stamp} postfix/smtpd[77]: connect from new[127.0.0.1]\n"
            f"{stamp} postfix/smtpd[88]: connect from a[127.0.0.9]\n"
        )
    reply, lines = follow(agent, reply.one("position"))
    assert lines == []
    with log.open("a") as out:
        out.write(f"{stamp} postfix/smtpd[77]: > new[127.0.0.1]: 220 hello\n{stamp} postfix/smtpd[77]: < new[127")
    reply, lines = follow(agent, reply.one("position"))
    assert [line.partition("]: ")[2] for line in lines] == [
        "connect from new[127.0.0.1]",
        "> new[127.0.0.1]: 220 hello",
    ]
    with log.open("a") as out:
        out.write(f".0.0.1]: QUIT\n{stamp} postfix/smtpd[77]: disconnect from new[127.0.0.1]\n")
    _, lines = follow(agent, reply.one("position"))
    assert [line.partition("]: ")[2] for line in lines] == [
        "< new[127.0.0.1]: QUIT",
        "disconnect from new[127.0.0.1]",
    ]


def test_lines_of_other_peers_do_not_come(dash_agent: HostAgent) -> None:
    dash_agent.arm("peer=127.0.0.2", seconds=600)
    traffic.fail_auth_over_starttls(dash_agent.host, source_ip="127.0.0.3")
    assert follow(dash_agent)[1] == []


@pytest.mark.parametrize(
    "forge",
    [
        lambda position: "0,postfix/smtpd:1." + position.rpartition(".")[2],
        lambda position: position[:-1] + ("0" if position[-1] != "0" else "1"),
        lambda _position: "0",
        lambda _position: "." * 9000,
        lambda _position: "$(id).00",
        lambda _position: "s=x;i=1;b=1;m=1;t=1;x=1.abc",
        lambda position: "-1." + position.rpartition(".")[2],
    ],
)
def test_a_position_that_we_did_not_give_is_refused(dash_agent: HostAgent, forge: Callable[[str], str]) -> None:
    dash_agent.arm(seconds=600)
    position = follow(dash_agent)[0].one("position")
    run = dash_agent.call("tail", f"lease={LEASE}", f"position={forge(position)}")
    assert run.exit_status == 3
    assert run.reply is not None and [reason.code for reason in run.reply.refusals] == ["bad-position"]


def test_a_position_of_another_lease_is_refused(dash_agent: HostAgent) -> None:
    dash_agent.arm(seconds=600)
    dash_agent.arm("peer=127.0.0.2", seconds=600, lease="ba9876543210")
    position = follow(dash_agent)[0].one("position")
    run = dash_agent.call("tail", "lease=ba9876543210", f"position={position}")
    assert run.exit_status == 3


def test_following_touches_nothing(dash_agent: HostAgent) -> None:
    dash_agent.arm(seconds=600)
    lease = dash_agent.state / "leases" / LEASE
    before = Snapshot.of(dash_agent.host.main_cf), Snapshot.of(lease / "mark"), Snapshot.of(lease / "spec")
    follow(dash_agent)
    assert (
        Snapshot.of(dash_agent.host.main_cf),
        Snapshot.of(lease / "mark"),
        Snapshot.of(lease / "spec"),
    ) == before
    assert [path for path in dash_agent.state.glob("tmp.*") if (path / "lines").exists()] == []
