"""Least privilege on a whole machine: an account that may run the installed agent as root, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Lab, Machine
from tests.support.operator import Operator

pytestmark = pytest.mark.machine

CLIENT = "10.0.1.20"
HELPER = "/usr/local/sbin/pfremote-agent"


@pytest.fixture
def operator(lab: Lab, tmp_path: Path) -> Operator:
    return Operator(lab, tmp_path)


@pytest.fixture
def oncall(lab: Lab, fresh_machine: Machine, operator: Operator) -> Iterator[tuple[str, ...]]:
    """Return the options of an account that has only the helper's sudoers line; bootstrap gave it that."""
    fresh_machine.run(["useradd", "-m", "-s", "/bin/sh", "oncall"])
    fresh_machine.run(["sh", "-c", "cp -a ~ops/.ssh ~oncall/.ssh && chown -R oncall: ~oncall/.ssh"])
    code, _, err = operator.run("bootstrap", "mx1", "--write", "--for", "oncall")
    assert code == 0, err
    assert fresh_machine.run(["stat", "-c", "%U:%G %a", HELPER]).stdout == "root:root 755\n"
    assert fresh_machine.run(["visudo", "-c"], check=False).returncode == 0
    yield ("-u", "oncall", "-e", f"pfremote_helper={HELPER}")
    fresh_machine.run(["rm", "-f", "/etc/pfremote.conf"])


def test_that_account_does_everything_and_nothing_else(
    lab: Lab, fresh_machine: Machine, operator: Operator, oncall: tuple[str, ...], tmp_path: Path
) -> None:
    before = fresh_machine.run(["sha256sum", "/etc/postfix/main.cf"]).stdout
    assert fresh_machine.run(["su", "oncall", "-c", "sudo -n /bin/sh -c id"], check=False).returncode != 0
    window = operator.start("mx1", "--peer", CLIENT, "--minutes", "8s", "--out", str(tmp_path / "run"), *oncall)
    window.wait_for("armed")
    lab.client.fail_auth(fresh_machine)
    code, hosts = window.finish()
    assert (code, hosts["mx1"]["state"], hosts["mx1"]["sessions"]) == (0, "clean", 1)
    assert fresh_machine.run(["sha256sum", "/etc/postfix/main.cf"]).stdout == before
    history = fresh_machine.read("/var/lib/pfremote/etc-postfix/history.log")
    assert "login=oncall" in history
    assert "pfremote" in fresh_machine.run(["journalctl", "-q", "-t", "pfremote", "-o", "cat"]).stdout or history
    for command in ("status", "check"):
        words = ["--peer", CLIENT] if command == "check" else []
        assert operator.run(command, "mx1", *words, *oncall)[0] == 0


def test_bootstrap_is_undone(fresh_machine: Machine, operator: Operator, oncall: tuple[str, ...]) -> None:
    rules = "/etc/sudoers.d/pfremote"
    assert operator.run("bootstrap", "mx1", "--write", "--for", "%postfix-debug")[0] == 0
    assert operator.run("debug", "mx1", "--peer", CLIENT, "--detach", *oncall)[0] == 0
    code, events, _ = operator.run("bootstrap", "mx1", "--remove", "--for", "oncall")
    assert (code, events[-1]["hosts"]["mx1"]["error"]["code"]) == (3, "lease-active")
    assert operator.run("revert", "mx1", *oncall)[0] == 0
    code, _, err = operator.run("bootstrap", "mx1", "--remove", "--for", "oncall")
    assert code == 0 and "still names it" in err, err
    assert fresh_machine.read(rules) == f"%postfix-debug ALL=(root) NOPASSWD: {HELPER}\n"
    assert fresh_machine.run(["su", "oncall", "-c", f"sudo -n {HELPER} status"], check=False).returncode != 0
    code, _, err = operator.run("bootstrap", "mx1", "--remove")
    assert code == 0 and f"removed the agent: {HELPER}" in err, err
    assert fresh_machine.run(["ls", rules, HELPER], check=False).stdout == ""
    assert fresh_machine.run(["visudo", "-c"], check=False).returncode == 0
    code, _, err = operator.run("bootstrap", "mx1", "--remove")
    assert code == 0 and "nothing to remove" in err
    fresh_machine.write(HELPER, "#!/bin/sh\necho of another program\n")
    code, _, err = operator.run("bootstrap", "mx1", "--remove")
    assert code == 0 and "it is not the agent" in err
    assert "another program" in fresh_machine.read(HELPER)
    fresh_machine.run(["rm", "-f", HELPER])


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("max_minutes = 5", ["--minutes", "6"]),
        ("content = no", ["--level", "3", "--allow-content"]),
        (f"forbid_peer = {CLIENT}", []),
        ("require_reason = yes", []),
        ("max_minutes = many", []),
        ("frobnicate = yes", []),
    ],
)
def test_the_hosts_policy_counts_whatever_the_client_says(
    fresh_machine: Machine, operator: Operator, oncall: tuple[str, ...], policy: str, words: list[str]
) -> None:
    fresh_machine.write("/etc/pfremote.conf", f"# ours\n{policy}\n")
    code, events, _ = operator.run("debug", "mx1", "--peer", CLIENT, "--detach", *words, *oncall)
    assert code == 3, events
    assert "debug_peer" not in fresh_machine.read("/etc/postfix/main.cf")


def test_a_forbidden_peer_is_kept_out_of_a_wider_pattern(
    lab: Lab, fresh_machine: Machine, operator: Operator, oncall: tuple[str, ...]
) -> None:
    fresh_machine.write("/etc/pfremote.conf", f"forbid_peer = {CLIENT}\n")
    window = operator.start("mx1", "--peer", "10.0.1.0/24", "--minutes", "6s", *oncall)
    window.wait_for("armed")
    lab.client.fail_auth(fresh_machine)
    lab.other.fail_auth(fresh_machine)
    code, hosts = window.finish()
    assert (code, hosts["mx1"]["sessions"]) == (0, 1)


def test_a_policy_that_others_can_write_refuses_arming_but_not_reverting(
    fresh_machine: Machine, operator: Operator, oncall: tuple[str, ...]
) -> None:
    assert operator.run("debug", "mx1", "--peer", CLIENT, "--detach", *oncall)[0] == 0
    fresh_machine.write("/etc/pfremote.conf", "max_minutes = 600\n")
    fresh_machine.run(["chmod", "666", "/etc/pfremote.conf"])
    assert operator.run("debug", "mx1", "--peer", "192.0.2.1", "--detach", *oncall)[0] == 3
    assert operator.run("revert", "mx1", *oncall)[0] == 0
    assert "debug_peer" not in fresh_machine.read("/etc/postfix/main.cf")


def test_a_helper_of_an_older_client_is_told_apart(operator: Operator, oncall: tuple[str, ...]) -> None:
    """Without the helper at that path the error says what to do."""
    words = ("-u", "oncall", "-e", "pfremote_helper=/usr/local/sbin/nothing-here")
    code, events, _ = operator.run("status", "mx1", *words)
    assert code in (4, 5)
    assert any("sudo" in str(event) for event in events)
