"""No claim without a look (promise P6), where looking is hard: a full disk, a state folder that somebody touched."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pfremote.loopback import traffic
from tests.agent.test_conflict import fill, mount
from tests.agent.test_verbs import wait_until_reverted
from tests.support.agent import LEASE, HostAgent, Snapshot


@pytest.fixture
def small_state(dash_agent: HostAgent) -> Iterator[Path]:
    """Give the state folder a small disk of its own."""
    dash_agent.arm(seconds=600)
    dash_agent.ask("revert", f"lease={LEASE}")
    state = dash_agent.state
    shutil.rmtree(state)
    state.mkdir(mode=0o700)
    mount("-t", "tmpfs", "-o", "size=512k,mode=700", "tmpfs", str(state))
    yield state
    (state / "fill").unlink(missing_ok=True)
    dash_agent.call("revert", "lease=all", "drain=0")
    time.sleep(1.5)
    subprocess.run(["umount", "-l", str(state)], check=True)


def turn_read_only(folder: Path) -> None:
    """Do what the kernel does to a broken disk, between two of the watcher's writes: mount(8) refuses while one is open."""
    busy = 32  # mount(8): mount failure
    for _ in range(200):
        done = subprocess.run(["mount", "-o", "remount,ro", str(folder)], capture_output=True, text=True, check=False)
        if done.returncode != busy or "busy" not in done.stderr:
            break
        time.sleep(0.01)
    assert done.returncode == 0, done.stderr


def test_a_session_that_goes_on_is_seen_with_a_full_disk_too(dash_agent: HostAgent, small_state: Path) -> None:
    dash_agent.arm(seconds=600)
    with traffic.hold_session(dash_agent.host):
        fill(small_state)
        reply = dash_agent.call("revert", f"lease={LEASE}", "drain=1").reply
        assert reply is not None
        assert b"debug_peer_list" not in dash_agent.host.main_cf.read_bytes()
        assert reply.one("clean") == "no", reply
        reply = dash_agent.call("status").reply
        assert reply is not None and reply.one("clean") == "no"
    time.sleep(1)
    (small_state / "fill").unlink()
    assert dash_agent.ask("revert", f"lease={LEASE}").one("clean") == "yes"


def test_a_read_only_state_folder_does_not_keep_debugging_on(dash_agent: HostAgent, small_state: Path) -> None:
    """/var turned read-only and /etc did not."""
    before = Snapshot.of(dash_agent.host.main_cf)
    reply = dash_agent.arm(seconds=8).reply
    assert reply is not None
    reloads = dash_agent.host.maillog.read_text().count(": reload -- ")
    turn_read_only(small_state)
    try:
        assert wait_until_reverted(dash_agent, 20) - reply.number("lease.deadline") < 5
        time.sleep(3)
        assert Snapshot.of(dash_agent.host.main_cf) == before
        assert dash_agent.host.maillog.read_text().count(": reload -- ") == reloads + 1
        seen = dash_agent.call("status").reply
        assert seen is not None and seen.one("clean") == "no"
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(small_state)], check=True)
    time.sleep(4)
    assert dash_agent.ask("status").one("clean") == "yes"
    assert dash_agent.leftovers() == []


def test_evidence_that_finds_no_room_is_not_called_complete(dash_agent: HostAgent, small_state: Path) -> None:
    dash_agent.arm(seconds=600)
    for _ in range(3):
        traffic.fail_auth_over_starttls(dash_agent.host)
    fill(small_state)
    dash_agent.call("revert", f"lease={LEASE}", "drain=0")
    reply = dash_agent.call("collect", f"lease={LEASE}").reply
    assert reply is not None
    assert reply.one("complete") == "no" or reply.payloads["evidence"].count(b"disconnect from") == 3
    (small_state / "fill").unlink()
    reply = dash_agent.ask("collect", f"lease={LEASE}")
    assert reply.payloads["evidence"].count(b"disconnect from") == 3
    assert reply.one("complete") == "yes"


def test_evidence_whose_sorting_finds_no_room_is_not_called_complete(dash_agent: HostAgent) -> None:
    old = '>"$TMP/part.0" || return 1'
    full = replace(dash_agent, patches=((old, ">/dev/full || return 1"),))
    full.arm(seconds=600)
    traffic.fail_auth_over_starttls(full.host)
    full.call("revert", f"lease={LEASE}")
    reply = full.call("collect", f"lease={LEASE}").reply
    assert reply is not None and reply.one("complete") == "no"
    assert [value.split()[0] for value in reply.every("missing")] == ["cut"]
    reply = dash_agent.ask("collect", f"lease={LEASE}")
    assert b"disconnect from" in reply.payloads["evidence"]
    assert reply.one("complete") == "yes"


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o500])
def test_a_state_folder_that_somebody_opened_is_still_ours(dash_agent: HostAgent, mode: int) -> None:
    """A hardening script, a package, a restore: root's folder with another mode must not keep debugging on."""
    before = Snapshot.of(dash_agent.host.main_cf)
    dash_agent.arm(seconds=10)
    dash_agent.state.chmod(mode)
    assert dash_agent.ask("status").one("clean") == "no"
    wait_until_reverted(dash_agent, 20)
    time.sleep(1)
    assert dash_agent.ask("status").one("clean") == "yes"
    assert Snapshot.of(dash_agent.host.main_cf) == before
    assert dash_agent.state.stat().st_mode & 0o077 == 0


def test_a_state_folder_that_others_can_write_is_not_believed(dash_agent: HostAgent) -> None:
    dash_agent.arm(seconds=600)
    dash_agent.state.chmod(0o777)
    try:
        for verb in (["status"], ["revert", "lease=all"]):
            reply = dash_agent.ask(*verb)
            assert reply.one("clean") == "no"
            assert any("is not root's alone" in value for value in reply.every("dirty"))
    finally:
        dash_agent.state.chmod(0o700)
    assert dash_agent.ask("revert", "lease=all").one("clean") == "yes"


def test_every_temporary_place_is_full(dash_agent: HostAgent) -> None:
    """The watcher is gone, and neither the state folder nor /tmp takes a folder: the way back is a rename all the same."""
    before = Snapshot.of(dash_agent.host.main_cf)
    nowhere = replace(
        dash_agent,
        patches=(
            ('mkdir -- "$TMP" 2>/dev/null', "false"),
            ("mktemp -d", "false"),
        ),
    )
    dash_agent.arm(seconds=600)
    nowhere.call("revert", f"lease={LEASE}", "drain=0")
    assert Snapshot.of(dash_agent.host.main_cf) == before


def test_what_the_peer_says_cannot_end_the_window(dash_agent: HostAgent) -> None:
    dash_agent.arm(seconds=600)
    with traffic.hold_session(dash_agent.host) as session:
        session.docmd("NOOP", "x]: fatal: debug_peer_list: bad")
        session.docmd("fatal:", "debug_peer_level")
    time.sleep(3)
    assert dash_agent.ask("status").one("lease.state") == "armed"


def test_a_daemon_that_dies_of_the_change_ends_the_window(dash_agent: HostAgent) -> None:
    dash_agent.arm(seconds=600)
    log = dash_agent.host.maillog
    stamp = log.read_text().splitlines()[-1].split(" postfix/")[0]
    with log.open("a") as out:
        out.write(f"{stamp} postfix/smtpd[77]: fatal: debug_peer_list: no pattern after '!'\n")
    wait_until_reverted(dash_agent, 8)
    time.sleep(1)
    assert dash_agent.ask("status").one("lease.why") == "unwell"


def test_sessions_from_before_are_counted_where_the_uptime_is_the_containers(dash_agent: HostAgent) -> None:
    """lxcfs gives a container an uptime of its own; start times of processes are still the machine's."""
    uptime = dash_agent.host.root / "uptime"
    uptime.write_text("100.00 50.00\n")
    script = f'mount --bind {uptime} /proc/uptime && exec "$@"'
    contained = HostAgent(dash_agent.host, f"unshare -m --propagation private sh -c '{script}' sh dash")
    with traffic.hold_session(dash_agent.host):
        reply = contained.arm(seconds=600).reply
        assert reply is not None and reply.number("predating") == 1
        reply = contained.ask("revert", f"lease={LEASE}", "drain=1")
        assert (reply.one("lease.drained"), reply.one("clean")) == ("yes", "yes")


def test_probe_answers_where_the_parameters_cannot_be_read(dash_agent: HostAgent) -> None:
    deaf = replace(dash_agent, patches=(('postconf -c "$1" -n $PARAMETERS', "false"),))
    assert deaf.ask("probe").outcome == "ok"


@pytest.mark.parametrize("missing", ["flock", "gzip", "setsid", "lsattr", "logger", "getent", "sha256sum"])
def test_a_host_without_this_program(agent: HostAgent, missing: str) -> None:
    bare = replace(
        agent,
        patches=(
            (
                'have() { command -v "$1" >/dev/null 2>&1; }',
                f'have() {{ [ "$1" != {missing} ] && command -v "$1" >/dev/null 2>&1; }}',
            ),
        ),
    )
    before = Snapshot.of(agent.host.main_cf)
    assert bare.arm(seconds=600).exit_status == 0
    traffic.fail_auth_over_starttls(agent.host)
    assert bare.arm("peer=192.0.2.1", seconds=2, lease="abcdefabcdef").exit_status == 0
    time.sleep(4)
    reply = bare.ask("revert", f"lease={LEASE}")
    assert (reply.one("clean"), reply.one("lease.restored")) == ("yes", "bytes")
    assert b"STARTTLS" in bare.ask("collect", f"lease={LEASE}").payloads["evidence"]
    assert Snapshot.of(agent.host.main_cf) == before
    assert agent.leftovers() == []


def test_without_flock_a_holder_that_died_is_seen_with_a_full_disk_too(
    dash_agent: HostAgent, small_state: Path
) -> None:
    bare = replace(
        dash_agent,
        patches=(
            (
                'have() { command -v "$1" >/dev/null 2>&1; }',
                'have() { [ "$1" != flock ] && command -v "$1" >/dev/null 2>&1; }',
            ),
        ),
    )
    before = Snapshot.of(dash_agent.host.main_cf)
    bare.arm(seconds=8)
    fill(small_state)
    assert bare.call("extend", f"lease={LEASE}", "seconds=8", die_after="extend").reply is None
    wait_until_reverted(dash_agent, 24)
    (small_state / "fill").unlink()
    time.sleep(1)
    assert bare.ask("status").one("clean") == "yes"
    assert Snapshot.of(dash_agent.host.main_cf) == before
