"""Each verb of the agent, on real Postfix, under dash, bash and busybox."""

from __future__ import annotations

import time

import pytest

from pfremote.loopback import traffic
from tests.support.agent import LEASE, HostAgent, Snapshot


def wait_until_reverted(agent: HostAgent, seconds: float) -> float:
    """Wait for main.cf to lose our parameter; return the time of that (epoch)."""
    end = time.time() + seconds
    while time.time() < end:
        if b"debug_peer_list" not in agent.host.main_cf.read_bytes():
            return time.time()
        time.sleep(0.02)
    raise AssertionError("main.cf still has debug_peer_list")


def test_probe_tells_the_facts_and_touches_nothing(agent: HostAgent) -> None:
    before = Snapshot.of(agent.host.main_cf)
    reply = agent.ask("probe", "peer=127.0.0.1", "peer=localhost.localdomain", "peer=/no/such/file")
    assert reply.outcome == "ok"
    assert reply.one("running") == "yes"
    assert reply.one("log") == f"file:{agent.host.maillog}"
    assert reply.one("config_directory") == str(agent.host.config_directory)
    assert "debug_peer_list absent " in [
        value + " " if value.endswith("absent") else value for value in reply.every("param")
    ]
    assert reply.every("missing_file") == ("/no/such/file",)
    assert reply.one("guards").split()[-1] == "process"
    assert Snapshot.of(agent.host.main_cf) == before
    assert not agent.state.exists()


def test_a_window_from_armed_to_forgotten(agent: HostAgent) -> None:
    before = Snapshot.of(agent.host.main_cf)
    armed = agent.arm(seconds=8)
    assert armed.reply is not None and armed.reply.outcome == "ok", armed
    assert armed.stderr == ""
    deadline = armed.reply.number("lease.deadline")
    assert "debug_peer_list 127.0.0.1" in armed.reply.every("value")
    assert armed.reply.one("reload") == "seen"
    assert armed.reply.payloads["main.cf.before"] == before.data
    assert b"debug_peer_list = 127.0.0.1" in armed.reply.payloads["main.cf.during"]

    assert traffic.fail_auth_over_starttls(agent.host) == 535
    assert wait_until_reverted(agent, 15) < deadline + 5
    assert Snapshot.of(agent.host.main_cf) == before

    reverted = agent.ask("revert", f"lease={LEASE}", "why=deadline")
    assert reverted.one("lease.why") == "deadline"
    assert reverted.one("lease.restored") == "bytes"
    assert reverted.one("lease.drained") == "yes"
    assert reverted.one("clean") == "yes"
    assert agent.leftovers() == []

    collected = agent.ask("collect", f"lease={LEASE}")
    evidence = collected.payloads["evidence"].decode()
    assert "connect from localhost[127.0.0.1]" in evidence
    assert "STARTTLS" in evidence and "disconnect from" in evidence
    assert collected.payloads["main.cf.after"] == before.data

    assert agent.ask("forget", f"lease={LEASE}").outcome == "ok"
    assert agent.ask("status").one("clean") == "yes"
    assert list((agent.state / "leases").iterdir()) == []


def test_revert_now_is_the_same_end_and_twice_is_harmless(agent: HostAgent) -> None:
    before = Snapshot.of(agent.host.main_cf)
    agent.arm(seconds=600)
    first = agent.ask("revert", f"lease={LEASE}", "why=interrupt")
    second = agent.ask("revert", f"lease={LEASE}", "why=request")
    assert (first.one("lease.why"), second.one("lease.why")) == ("interrupt", "interrupt")
    assert (first.one("clean"), second.one("clean")) == ("yes", "yes")
    assert Snapshot.of(agent.host.main_cf) == before
    assert agent.leftovers() == []


def test_extend_moves_the_deadline(agent: HostAgent) -> None:
    old = agent.arm(seconds=8).reply
    assert old is not None
    reply = agent.ask("extend", f"lease={LEASE}", "seconds=12")
    assert 10 <= reply.number("lease.left") <= 12
    time.sleep(max(0.0, old.number("lease.deadline") + 1.5 - time.time()))
    assert b"debug_peer_list" in agent.host.main_cf.read_bytes()
    assert abs(wait_until_reverted(agent, 15) - reply.number("lease.deadline")) < 3


def test_status_names_the_lease_and_its_guard(agent: HostAgent) -> None:
    agent.arm("reason=ticket 4711", seconds=600)
    reply = agent.ask("status")
    assert reply.one("lease.owner") == "tester"
    assert reply.one("lease.reason") == "ticket%204711"
    assert reply.one("lease.guard_alive") == "yes"
    assert reply.one("clean") == "no"


def test_check_changes_nothing_and_shows_what_would(agent: HostAgent) -> None:
    before = Snapshot.of(agent.host.main_cf)
    reply = agent.arm("check=yes", "smtpd_tls=2").reply
    assert reply is not None and reply.outcome == "ok"
    assert b"smtpd_tls_loglevel = 2" in reply.payloads["main.cf.during"]
    assert Snapshot.of(agent.host.main_cf) == before
    assert not agent.state.exists() or not list((agent.state / "leases").iterdir())


def test_two_leases_add_up_and_the_last_restores_the_baseline(agent: HostAgent) -> None:
    before = Snapshot.of(agent.host.main_cf)
    second = "ba9876543210"
    agent.arm("peer=192.0.2.1", "level=1", seconds=600)
    reply = agent.arm("peer=192.0.2.2", "smtpd_tls=1", seconds=4, lease=second).reply
    assert reply is not None and reply.outcome == "ok"
    assert reply.every("other")[0].startswith(f"{LEASE} owner=tester")
    assert "debug_peer_list 192.0.2.1, 192.0.2.2" in reply.every("value")
    assert "debug_peer_level 2" in reply.every("value")
    end = reply.number("lease.deadline") + 5
    while "smtpd_tls_loglevel" in (text := agent.host.main_cf.read_text()) and time.time() < end:
        time.sleep(0.1)
    assert "debug_peer_list = 192.0.2.1\n" in text
    assert "debug_peer_level = 1" in text
    assert "smtpd_tls_loglevel" not in text
    assert agent.ask("revert", "lease=all").one("clean") == "yes"
    assert Snapshot.of(agent.host.main_cf) == before


def test_what_main_cf_debugs_already_is_kept(dash_agent: HostAgent) -> None:
    dash_agent.host.main_cf.write_text(
        dash_agent.host.main_cf.read_text() + "debug_peer_list = 192.0.2.9,\n  !192.0.2.8\n"
    )
    before = Snapshot.of(dash_agent.host.main_cf)
    reply = dash_agent.arm().reply
    assert reply is not None and "debug_peer_list 127.0.0.1, 192.0.2.9, !192.0.2.8" in reply.every("value")
    dash_agent.ask("revert", f"lease={LEASE}")
    assert Snapshot.of(dash_agent.host.main_cf) == before


def test_a_main_cf_without_a_last_newline_comes_back_without_it(dash_agent: HostAgent) -> None:
    dash_agent.host.main_cf.write_bytes(dash_agent.host.main_cf.read_bytes() + b"lmtp_tls_loglevel = 0")
    before = Snapshot.of(dash_agent.host.main_cf)
    reply = dash_agent.arm("lmtp_tls=1").reply
    assert reply is not None and reply.outcome == "ok"
    assert "lmtp_tls_loglevel 1" in reply.every("value")
    assert "debug_peer_list 127.0.0.1" in reply.every("value")
    dash_agent.ask("revert", f"lease={LEASE}")
    assert Snapshot.of(dash_agent.host.main_cf) == before


def test_owner_mode_and_link_come_back(dash_agent: HostAgent) -> None:
    real = dash_agent.host.root / "managed-main.cf"
    dash_agent.host.main_cf.rename(real)
    dash_agent.host.main_cf.symlink_to(real)
    real.chmod(0o640)
    import os

    os.chown(real, 0, 8)
    before = Snapshot.of(real)
    reply = dash_agent.arm().reply
    assert reply is not None and reply.outcome == "ok"
    assert [warning.code for warning in reply.warnings] == ["main-cf-link"]
    assert dash_agent.host.main_cf.is_symlink()
    assert (real.stat().st_mode & 0o777, real.stat().st_gid) == (0o640, 8)
    dash_agent.ask("revert", f"lease={LEASE}")
    assert dash_agent.host.main_cf.is_symlink()
    assert Snapshot.of(real) == before


def test_stop_after_ends_the_window_early(dash_agent: HostAgent) -> None:
    dash_agent.arm("stop_after=2", seconds=600)
    for _ in range(2):
        traffic.fail_auth_over_starttls(dash_agent.host)
    wait_until_reverted(dash_agent, 8)
    time.sleep(0.5)
    reply = dash_agent.ask("status", f"lease={LEASE}")
    assert reply.one("lease.why") == "stop-after"
    assert reply.number("lease.sessions") == 2


def test_a_log_that_grows_too_much_ends_the_window(dash_agent: HostAgent) -> None:
    dash_agent.arm("max_log=5000", seconds=600)
    traffic.fail_auth_over_starttls(dash_agent.host)
    wait_until_reverted(dash_agent, 8)
    time.sleep(0.5)
    assert dash_agent.ask("status", f"lease={LEASE}").one("lease.why") == "max-log"


def test_a_session_that_outlives_the_window_is_waited_for(dash_agent: HostAgent) -> None:
    dash_agent.arm(seconds=600)
    with traffic.hold_session(dash_agent.host):
        undrained = dash_agent.ask("revert", f"lease={LEASE}", "drain=1")
        assert undrained.one("lease.drained") == "no"
        assert undrained.one("clean") == "no"
        assert undrained.one("lease.verbose").endswith(" smtpd")
        assert b"debug_peer_list" not in dash_agent.host.main_cf.read_bytes()
    time.sleep(1)
    drained = dash_agent.ask("revert", f"lease={LEASE}")
    assert drained.one("lease.drained") == "yes"
    assert drained.one("clean") == "yes"
    evidence = dash_agent.ask("collect", f"lease={LEASE}").payloads["evidence"]
    assert b"disconnect from" in evidence


def test_status_says_who_connected_since_armed(dash_agent: HostAgent) -> None:
    """What explains that nobody matched: other connections, and our own peer that is heard and not debugged."""
    agent = dash_agent
    with agent.host.main_cf.open("a") as main_cf:
        main_cf.write("smtpd_client_port_logging = yes\n")
    with traffic.hold_session(agent.host):
        reply = agent.arm("peer=!127.0.0.0/8", "peer=127.0.0.2", seconds=600).reply
    assert reply is not None
    assert (reply.number("predating"), reply.number("lease.predating")) == (1, 1)
    for address in ("127.0.0.2", "127.0.0.3"):
        traffic.fail_auth_over_starttls(agent.host, source_ip=address)
    end = time.time() + 10
    while (reply := agent.ask("status", f"lease={LEASE}")).one("lease.connects") != "2" and time.time() < end:
        time.sleep(0.3)
    assert reply.number("lease.connects") == 2
    assert reply.number("lease.nameless") == 2
    assert reply.number("lease.deliveries") == 0
    assert reply.every("lease.heard") == ("127.0.0.2 unknown",)
    assert reply.number("lease.sessions") == 0


def test_evidence_is_empty_where_no_session_matched(dash_agent: HostAgent) -> None:
    dash_agent.arm("peer=127.0.0.2", seconds=600)
    traffic.fail_auth_over_starttls(dash_agent.host, source_ip="127.0.0.3")
    dash_agent.ask("revert", f"lease={LEASE}")
    assert dash_agent.ask("collect", f"lease={LEASE}").payloads["evidence"] == b""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["level=0"], "bad-level"),
        (["level=4"], "bad-level"),
        (["level=3"], "content"),
        (["smtpd_tls=3"], "content"),
        (["smtpd_tls=5"], "bad-level"),
        (["peer=!"], "bad-peer"),
        (["peer=!!"], "bad-peer"),
        (["peer=a b"], "bad-peer"),
        (["peer=$mynetworks"], "bad-peer"),
        (["peer=x#y"], "bad-peer"),
        (["peer=a\nsmtpd_tls_loglevel=4"], "bad-argument"),
        (["peer=`reboot`"], "bad-peer"),
        (["peer=0.0.0.0/0"], "all-peers"),
        (["peer=static:all"], "all-peers"),
        (["peer=/no/such/file"], "missing-file"),
        (["peer=hash:/no/such/table"], "bad-table"),
        (["peer=2001:db8::1"], "bad-table"),
        (["level=two"], "bad-argument"),
        (["frobnicate=1"], "bad-argument"),
        (["min_free=101"], "disk-low"),
    ],
)
def test_what_would_break_is_refused_before_anything_is_touched(
    dash_agent: HostAgent, words: list[str], code: str
) -> None:
    before = Snapshot.of(dash_agent.host.main_cf)
    run = dash_agent.arm(*words)
    assert run.exit_status == 3
    assert run.reply is not None
    assert code in [reason.code for reason in run.reply.refusals]
    assert Snapshot.of(dash_agent.host.main_cf) == before
    assert not agent_leases(dash_agent)
    assert dash_agent.leftovers() == []


def agent_leases(agent: HostAgent) -> list[str]:
    """Return the lease folders on the host."""
    return [path.name for path in agent.state.glob("leases/*")]


def test_a_volatile_guard_must_be_asked_for(dash_agent: HostAgent) -> None:
    run = dash_agent.call("arm", f"lease={LEASE}", "seconds=60", "peer=127.0.0.1", "guard=process")
    assert run.reply is not None and [reason.code for reason in run.reply.refusals] == ["volatile-guard"]
