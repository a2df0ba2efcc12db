"""The evidence that one process took is not lost to another that wants to take it as well."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from pfremote.loopback import traffic
from tests.support.agent import LEASE, HostAgent


def end_a_window(agent: HostAgent) -> Path:
    """Debug one failed login and revert; return the lease's folder, in which all is settled.

    The watcher goes a moment later. Until then it would settle what a test makes look unsettled.
    """
    assert agent.arm(seconds=600).exit_status == 0
    traffic.fail_auth_over_starttls(agent.host)
    assert agent.ask("revert", f"lease={LEASE}").one("lease.drained") == "yes"
    deadline = time.monotonic() + 20
    while left := agent.leftovers():
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
    folder = agent.state / "leases" / LEASE
    assert (folder / "evidence").stat().st_size > 100
    return folder


def forget_that_it_is_settled(folder: Path) -> None:
    """Make a lease look as it does to one who began to settle it just before somebody else had."""
    (folder / "drained").unlink()
    (folder / "settled").unlink()


def claim_it(folder: Path) -> Path:
    """Say that we, who are alive, are taking the evidence; return the file that says it."""
    started = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    claim = folder / "settler"
    claim.write_text(f"{os.getpid()} {started}\n")
    return claim


def count_snapshots(folder: Path) -> int:
    """Say how often evidence was taken, by the lease's journal."""
    return (folder / "journal").read_text().count(" snapshot")


def test_whoever_dies_taking_it_again_leaves_what_is_there(agent: HostAgent) -> None:
    folder = end_a_window(agent)
    kept = (folder / "evidence").read_bytes(), (folder / "missing").read_bytes()
    forget_that_it_is_settled(folder)
    assert agent.call("revert", f"lease={LEASE}", die_after="snapshot").reply is None
    assert ((folder / "evidence").read_bytes(), (folder / "missing").read_bytes()) == kept


def test_nobody_settles_what_a_living_process_settles(dash_agent: HostAgent) -> None:
    folder = end_a_window(dash_agent)
    forget_that_it_is_settled(folder)
    claim_it(folder)
    dash_agent.ask("status")
    assert count_snapshots(folder) == 1
    assert not (folder / "settled").exists()


def test_the_claim_of_a_dead_process_counts_for_nothing(dash_agent: HostAgent) -> None:
    folder = end_a_window(dash_agent)
    forget_that_it_is_settled(folder)
    with subprocess.Popen(["true"]) as dead:
        pass
    (folder / "settler").write_text(f"{dead.pid} 1\n")
    dash_agent.ask("status")
    assert count_snapshots(folder) == 2
    assert (folder / "settled").exists()


def test_evidence_that_could_not_be_stored_is_read_from_the_log(dash_agent: HostAgent) -> None:
    folder = end_a_window(dash_agent)
    kept = dash_agent.ask("collect", f"lease={LEASE}").payloads["evidence"]
    (folder / "evidence").unlink()
    assert dash_agent.ask("collect", f"lease={LEASE}").payloads["evidence"] == kept


def test_who_has_been_at_it_for_minutes_has_no_claim(dash_agent: HostAgent) -> None:
    folder = end_a_window(dash_agent)
    forget_that_it_is_settled(folder)
    claim = claim_it(folder)
    os.utime(claim, (time.time() - 300,) * 2)
    dash_agent.ask("status")
    assert (folder / "settled").exists()
