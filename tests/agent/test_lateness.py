"""What could make the guard late: many leases at once, a slow snapshot, somebody else's lock (promise P3: five seconds)."""

from __future__ import annotations

import subprocess
import threading
import time
from dataclasses import replace

from pfremote.loopback import traffic
from tests.agent.test_verbs import wait_until_reverted
from tests.support.agent import HostAgent, Snapshot

LATE = 5


def arm_until(agent: HostAgent, deadline: float, lease: str, *words: str) -> int:
    """Arm a lease that ends as near to ``deadline`` as whole seconds allow; return its deadline."""
    reply = agent.arm(*words, seconds=round(deadline - time.time()), lease=lease).reply
    assert reply is not None and reply.outcome == "ok", reply
    return reply.number("lease.deadline")


def test_many_leases_with_one_deadline_all_end_in_time(dash_agent: HostAgent) -> None:
    before = Snapshot.of(dash_agent.host.main_cf)
    end = time.time() + 35
    deadlines = [arm_until(dash_agent, end, f"{n:012x}", f"peer=192.0.2.{n}") for n in range(1, 13)]
    time.sleep(max(0, min(deadlines) - time.time()))
    assert wait_until_reverted(dash_agent, 30) - max(deadlines) < LATE
    time.sleep(1)
    assert dash_agent.ask("status").one("clean") == "yes"
    assert Snapshot.of(dash_agent.host.main_cf) == before


def test_leases_with_one_deadline_do_not_wait_for_each_others_reload(dash_agent: HostAgent) -> None:
    """Where the log is not the one that we read, master's line is waited for in vain, three seconds for each."""
    deaf = replace(dash_agent, patches=(("]: reload -- ", "]: never -- "),))
    begun = time.time()
    deaf.arm("peer=192.0.2.9", seconds=600, lease="0" * 12)
    end = time.time() + 6 * (time.time() - begun)  # room for four arms, on a computer as busy as this one is now
    deaf.ask("revert", f"lease={'0' * 12}")
    deadlines = [arm_until(deaf, end, f"{n:012x}", f"peer=192.0.2.{n}") for n in range(1, 5)]
    time.sleep(max(0, min(deadlines) - time.time()))
    assert wait_until_reverted(deaf, 30) - max(deadlines) < LATE


def test_a_snapshot_that_takes_long_makes_no_other_lease_late(dash_agent: HostAgent) -> None:
    slow = replace(dash_agent, patches=(('journal "$1" snapshot', 'journal "$1" snapshot; sleep 12'),))
    slow.arm(seconds=2, lease="aaaaaaaaaaaa")
    deadline = arm_until(slow, time.time() + 5, "bbbbbbbbbbbb")
    traffic.fail_auth_over_starttls(slow.host)
    assert wait_until_reverted(slow, 20) - deadline < LATE


def test_a_child_of_a_client_that_hangs_holds_no_lock_beyond_the_deadline(dash_agent: HostAgent) -> None:
    """It was born with the lock's descriptor: to kill its parent alone leaves the lock where it is."""
    deadline = arm_until(dash_agent, time.time() + 5, "aaaaaaaaaaaa")
    hanging = replace(dash_agent, patches=(('cool "$NEW"', 'cool "$NEW"; (sleep 25; :)'),))
    client = threading.Thread(target=hanging.arm, args=("peer=192.0.2.1",), kwargs={"lease": "bbbbbbbbbbbb"})
    client.start()
    try:
        assert wait_until_reverted(dash_agent, 20) - deadline < LATE
    finally:
        client.join()
    assert (dash_agent.state / "leases/aaaaaaaaaaaa/armed").exists()


def test_a_postconf_that_hangs_makes_the_end_no_later(dash_agent: HostAgent) -> None:
    before = Snapshot.of(dash_agent.host.main_cf)
    deadline = arm_until(dash_agent, time.time() + 4, "aaaaaaaaaaaa")
    lock = dash_agent.host.config_directory / "main.cf.tmp"
    with subprocess.Popen(["flock", "-x", lock, "sleep", "20"]) as holder:
        try:
            assert wait_until_reverted(dash_agent, 20) - deadline < LATE
        finally:
            holder.kill()
            subprocess.run(["pkill", "-P", str(holder.pid)], check=False)
    assert Snapshot.of(dash_agent.host.main_cf).data == before.data


def test_of_two_leases_one_ends_in_time_while_postconf_hangs(dash_agent: HostAgent) -> None:
    dash_agent.arm("peer=192.0.2.1", seconds=600, lease="bbbbbbbbbbbb")
    deadline = arm_until(dash_agent, time.time() + 4, "aaaaaaaaaaaa", "peer=192.0.2.2")
    lock = dash_agent.host.config_directory / "main.cf.tmp"
    with subprocess.Popen(["flock", "-x", lock, "sleep", "20"]) as holder:
        try:
            while "192.0.2.2" in dash_agent.host.main_cf.read_text() and time.time() < deadline + 15:
                time.sleep(0.05)
            assert time.time() - deadline < LATE
        finally:
            holder.kill()
            subprocess.run(["pkill", "-P", str(holder.pid)], check=False)
    assert "192.0.2.1" in dash_agent.host.main_cf.read_text()


def test_more_than_one_watcher_counts_each_session_once(dash_agent: HostAgent) -> None:
    """cron starts another one every minute, as a second line."""
    dash_agent.arm(seconds=600)
    words = [
        "/bin/sh",
        str(dash_agent.state / "agent"),
        "watch",
        f"instance={dash_agent.host.config_directory}",
        "for=20",
    ]
    more = [subprocess.Popen(words) for _ in range(4)]
    for _ in range(40):
        with traffic.hold_session(dash_agent.host):
            pass
        time.sleep(0.2)
    time.sleep(3)
    assert dash_agent.ask("status").number("lease.sessions") == 40
    for watcher in more:
        watcher.kill()
        watcher.wait()


def test_another_watcher_goes_on_where_the_first_is_killed(dash_agent: HostAgent) -> None:
    dash_agent.arm("stop_after=1", seconds=600)
    words = [
        "/bin/sh",
        str(dash_agent.state / "agent"),
        "watch",
        f"instance={dash_agent.host.config_directory}",
        "for=30",
    ]
    with subprocess.Popen(words) as second:
        time.sleep(1.5)
        first = int((dash_agent.state / "watch.pid").read_text().split()[0])
        assert first != second.pid
        subprocess.run(["kill", "-9", str(first)], check=True)
        traffic.fail_auth_over_starttls(dash_agent.host)
        wait_until_reverted(dash_agent, 8)
        second.wait(20)


def test_every_watcher_goes_with_the_last_lease(dash_agent: HostAgent) -> None:
    """Cron starts one a minute. One that was left claimed the guard, and the revert told of it: "clean no"."""
    dash_agent.arm(seconds=600)
    words = ["/bin/sh", str(dash_agent.state / "agent"), "watch", f"instance={dash_agent.host.config_directory}"]
    more = []
    for _ in range(12):  # each looks once a second: one of them looks while the guard is removed
        more.append(subprocess.Popen([*words, "for=65"]))
        time.sleep(0.08)
    assert dash_agent.ask("revert", "lease=all").one("clean") == "yes"
    assert [watcher.poll() for watcher in more] == [0] * len(more)
    assert not list(dash_agent.state.glob("watch*"))
