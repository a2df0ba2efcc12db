"""main.cf edited by somebody else in the window (promise P4), and files and disks that say no."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.support.agent import LEASE, HostAgent, Snapshot


def edit(agent: HostAgent, *words: str) -> None:
    """Change main.cf as an administrator would."""
    subprocess.run(["postconf", "-c", str(agent.host.config_directory), *words], check=True)


def value(agent: HostAgent, name: str) -> str:
    """Return what main.cf sets explicitly, as postconf -n prints it."""
    words = ["postconf", "-c", str(agent.host.config_directory), "-n", name]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def test_anothers_edit_stays_and_only_ours_goes(agent: HostAgent) -> None:
    agent.arm("smtpd_tls=2", seconds=600)
    edit(agent, "-e", "mydestination=$myhostname, localhost, example.jp")
    reply = agent.ask("revert", f"lease={LEASE}")
    assert reply.one("lease.restored") == "params"
    assert reply.every("lease.conflict") == ()
    assert reply.one("clean") == "yes"
    assert value(agent, "mydestination") == "mydestination = $myhostname, localhost, example.jp"
    for name in ("debug_peer_list", "debug_peer_level", "smtpd_tls_loglevel"):
        assert value(agent, name) == ""
    assert agent.leftovers() == []


def test_a_parameter_that_somebody_else_changed_is_left_and_reported(agent: HostAgent) -> None:
    agent.arm("smtpd_tls=2", seconds=600)
    edit(agent, "-e", "smtpd_tls_loglevel=1", "debug_peer_list=192.0.2.77")
    reply = agent.ask("revert", f"lease={LEASE}")
    assert sorted(reply.every("lease.conflict")) == [
        "debug_peer_list ours=127.0.0.1 theirs=192.0.2.77",
        "smtpd_tls_loglevel ours=2 theirs=1",
    ]
    assert value(agent, "smtpd_tls_loglevel") == "smtpd_tls_loglevel = 1"
    assert value(agent, "debug_peer_list") == "debug_peer_list = 192.0.2.77"
    assert value(agent, "debug_peer_level") == ""


def test_an_edit_between_two_leases_becomes_part_of_the_baseline(dash_agent: HostAgent) -> None:
    dash_agent.arm("peer=192.0.2.1", seconds=600)
    edit(dash_agent, "-e", "mydestination=example.jp")
    dash_agent.arm("peer=192.0.2.2", seconds=600, lease="aaaaaaaaaaaa")
    assert (
        value(dash_agent, "debug_peer_list") == "debug_peer_list = 192.0.2.2, 192.0.2.1"
        or value(dash_agent, "debug_peer_list") == "debug_peer_list = 192.0.2.1, 192.0.2.2"
    )
    dash_agent.ask("revert", f"lease={LEASE}")
    assert value(dash_agent, "debug_peer_list") == "debug_peer_list = 192.0.2.2"
    reply = dash_agent.ask("revert", "lease=aaaaaaaaaaaa")
    assert reply.one("clean") == "yes"
    assert value(dash_agent, "debug_peer_list") == ""
    assert value(dash_agent, "mydestination") == "mydestination = example.jp"


def test_a_deleted_main_cf_comes_back(dash_agent: HostAgent) -> None:
    before = Snapshot.of(dash_agent.host.main_cf)
    dash_agent.arm(seconds=600)
    dash_agent.host.main_cf.unlink()
    dash_agent.call("revert", f"lease={LEASE}")
    assert dash_agent.host.main_cf.read_bytes() == before.data


def test_a_link_replaced_by_a_file_keeps_the_file_and_mends_the_target(dash_agent: HostAgent) -> None:
    real = dash_agent.host.root / "managed-main.cf"
    dash_agent.host.main_cf.rename(real)
    dash_agent.host.main_cf.symlink_to(real)
    before = Snapshot.of(real)
    dash_agent.arm(seconds=600)
    edit(dash_agent, "-e", "mydestination=example.jp")  # postconf replaces the link by a file
    assert not dash_agent.host.main_cf.is_symlink()
    reply = dash_agent.ask("revert", f"lease={LEASE}")
    assert reply.one("clean") == "yes"
    assert value(dash_agent, "debug_peer_list") == ""
    assert value(dash_agent, "mydestination") == "mydestination = example.jp"
    assert Snapshot.of(real) == before


def test_two_arms_at_once_both_stand_and_both_end(dash_agent: HostAgent) -> None:
    before = Snapshot.of(dash_agent.host.main_cf)
    leases = [f"{number:012x}" for number in range(1, 6)]
    threads = [
        threading.Thread(
            target=dash_agent.arm, args=(f"peer=192.0.2.{number}",), kwargs={"lease": lease, "seconds": 600}
        )
        for number, lease in enumerate(leases, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    listed = value(dash_agent, "debug_peer_list")
    assert all(f"192.0.2.{number}" in listed for number in range(1, 6))
    enders = [threading.Thread(target=dash_agent.call, args=("revert", f"lease={lease}")) for lease in leases]
    for ender in enders:
        ender.start()
    for ender in enders:
        ender.join()
    assert Snapshot.of(dash_agent.host.main_cf) == before
    assert dash_agent.ask("status").one("clean") == "yes"
    assert dash_agent.leftovers() == []


def test_a_postconf_at_the_same_time_is_waited_for(dash_agent: HostAgent) -> None:
    """postconf holds an exclusive lock on main.cf.tmp while it edits (util/edit_file.c); so do we."""
    lock = dash_agent.host.config_directory / "main.cf.tmp"
    holder = subprocess.Popen(["flock", "-x", str(lock), "sleep", "2"])
    time.sleep(0.3)
    started = time.time()
    assert dash_agent.arm(seconds=600).exit_status == 0
    assert time.time() - started > 1
    holder.wait()
    assert not lock.exists()


@pytest.mark.skipif(shutil.which("chattr") is None, reason="no chattr here")
def test_an_immutable_main_cf_is_refused(dash_agent: HostAgent) -> None:
    main_cf = dash_agent.host.main_cf
    if subprocess.run(["chattr", "+i", str(main_cf)], check=False, capture_output=True).returncode != 0:
        pytest.skip("this file system has no immutable attribute")
    try:
        run = dash_agent.arm()
    finally:
        subprocess.run(["chattr", "-i", str(main_cf)], check=True)
    assert run.reply is not None and [reason.code for reason in run.reply.refusals] == ["main-cf-immutable"]


def mount(*words: str) -> None:
    """Mount, or skip where this sandbox may not."""
    if subprocess.run(["mount", *words], check=False, capture_output=True).returncode != 0:
        pytest.skip("mount is not allowed here")


def test_a_read_only_configuration_directory_is_refused(dash_agent: HostAgent) -> None:
    folder = str(dash_agent.host.config_directory)
    before = Snapshot.of(dash_agent.host.main_cf)
    mount("--bind", folder, folder)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        run = dash_agent.arm()
        assert run.exit_status == 3
        assert run.reply is not None and [reason.code for reason in run.reply.refusals] == ["main-cf-readonly"]
    finally:
        subprocess.run(["umount", folder], check=True)
    assert Snapshot.of(dash_agent.host.main_cf) == before
    assert dash_agent.leftovers() == []


def test_a_main_cf_that_is_a_mount_is_refused(dash_agent: HostAgent) -> None:
    main_cf = str(dash_agent.host.main_cf)
    mount("--bind", main_cf, main_cf)
    try:
        run = dash_agent.arm()
    finally:
        subprocess.run(["umount", main_cf], check=True)
    assert run.reply is not None and [reason.code for reason in run.reply.refusals] == ["main-cf-mounted"]


def fill(folder: Path) -> None:
    """Leave no byte free."""
    with (folder / "fill").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return


def test_a_full_disk_in_the_window_cannot_keep_debugging_on(dash_agent: HostAgent) -> None:
    """The way back is a rename of a file that is there already: it needs no space."""
    folder = dash_agent.host.config_directory
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    mount("-t", "tmpfs", "-o", "size=256k,mode=755", "tmpfs", str(folder))
    try:
        for name, data in kept.items():
            (folder / name).write_bytes(data)
            os.utime(folder / name, (1, 1))
        before = Snapshot.of(dash_agent.host.main_cf)
        assert dash_agent.arm(seconds=600).exit_status == 0
        fill(folder)
        reply = dash_agent.ask("revert", f"lease={LEASE}")
        assert reply.one("lease.restored") == "bytes"
        assert Snapshot.of(dash_agent.host.main_cf) == before
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_state_disk_refuses_to_arm_and_does_not_stop_a_revert(dash_agent: HostAgent) -> None:
    before = Snapshot.of(dash_agent.host.main_cf)
    assert dash_agent.arm(seconds=600).exit_status == 0
    dash_agent.ask("revert", f"lease={LEASE}")
    state = dash_agent.state
    shutil.rmtree(state)
    state.mkdir(mode=0o700)
    mount("-t", "tmpfs", "-o", "size=512k,mode=700", "tmpfs", str(state))
    try:
        fill(state)
        full = dash_agent.arm(seconds=600)
        assert full.reply is not None and full.reply.outcome in ("refused", "failed")
        assert Snapshot.of(dash_agent.host.main_cf) == before
        (state / "fill").unlink()
        assert dash_agent.arm(seconds=600).exit_status == 0
        fill(state)
        dash_agent.call("revert", f"lease={LEASE}")
        assert Snapshot.of(dash_agent.host.main_cf) == before
        (state / "fill").unlink()
        assert dash_agent.ask("status").one("clean") == "yes"
    finally:
        dash_agent.call("revert", "lease=all")
        time.sleep(0.5)
        subprocess.run(["umount", "-l", str(state)], check=True)


def test_a_stopped_postfix_is_refused_and_a_stop_in_the_window_does_not_matter(dash_agent: HostAgent) -> None:
    before = Snapshot.of(dash_agent.host.main_cf)
    postfix = ["postfix", "-c", str(dash_agent.host.config_directory)]
    dash_agent.arm(seconds=600)
    subprocess.run([*postfix, "stop"], check=False, capture_output=True)
    reply = dash_agent.ask("revert", f"lease={LEASE}")
    assert reply.one("lease.reload") == "stopped"
    assert reply.one("clean") == "yes"
    assert Snapshot.of(dash_agent.host.main_cf) == before
    run = dash_agent.arm(seconds=600)
    assert run.reply is not None and [reason.code for reason in run.reply.refusals] == ["postfix-stopped"]


def test_a_state_folder_that_is_not_roots_is_refused(dash_agent: HostAgent) -> None:
    dash_agent.arm(seconds=600)
    dash_agent.ask("revert", f"lease={LEASE}")
    state = dash_agent.state
    target = dash_agent.host.root / "elsewhere"
    shutil.move(state, target)
    state.symlink_to(target)
    try:
        run = dash_agent.arm(seconds=600)
        assert run.reply is not None and [reason.code for reason in run.reply.refusals] == ["state-unwritable"]
    finally:
        state.unlink()
        shutil.rmtree(target)


def test_the_watcher_killed_hard_is_seen_and_the_next_look_reverts_after_the_deadline(
    dash_agent: HostAgent,
) -> None:
    before = Snapshot.of(dash_agent.host.main_cf)
    reply = dash_agent.arm(seconds=10).reply
    assert reply is not None
    pid = int((dash_agent.state / "watch.pid").read_text().split()[0])
    os.kill(pid, 9)
    time.sleep(0.2)
    assert dash_agent.ask("status").one("lease.guard_alive") == "no"
    time.sleep(max(0.0, reply.number("lease.deadline") + 1 - time.time()))
    assert dash_agent.ask("status").one("clean") == "yes"
    assert Snapshot.of(dash_agent.host.main_cf) == before


def test_the_watcher_asked_to_go_reverts(dash_agent: HostAgent) -> None:
    before = Snapshot.of(dash_agent.host.main_cf)
    dash_agent.arm(seconds=600)
    os.kill(int((dash_agent.state / "watch.pid").read_text().split()[0]), 15)
    time.sleep(1.5)
    assert Snapshot.of(dash_agent.host.main_cf) == before
    assert dash_agent.ask("status").one("lease.why") == "guard-lost"


def test_an_edit_before_ours_is_part_of_the_window_and_stays(dash_agent: HostAgent) -> None:
    """Somebody edits main.cf between our copy of it and our change; the agent dies before it changed anything."""
    dash_agent.arm(seconds=600, die_after="guarded")
    edit(dash_agent, "-e", "mydestination=example.jp")
    edited = dash_agent.host.main_cf.read_bytes()
    assert dash_agent.ask("status").one("clean") == "yes"
    assert dash_agent.host.main_cf.read_bytes() == edited
    assert dash_agent.leftovers() == []
    assert dash_agent.arm(lease="abcdefabcdef").exit_status == 0
    dash_agent.ask("revert", "lease=abcdefabcdef")
    assert dash_agent.host.main_cf.read_bytes() == edited
