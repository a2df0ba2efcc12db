"""``pfremote doctor``: what it sees of a home folder that is in order, and of one that is not."""

from __future__ import annotations

import json
import locale
from pathlib import Path

import pytest

from pfremote import cli
from pfremote.run import doctor
from pfremote.run.doctor import Check, examine


def look(*inventory: str) -> dict[str, Check]:
    """Return the checks by name; of several keys the last."""
    return {check.name: check for check in examine(inventory)}


def test_a_bare_home_is_no_error_but_says_what_to_type(isolated_environment: Path) -> None:
    checks = look()
    assert {name for name, check in checks.items() if check.verdict == "wrong"} == set()
    assert checks["ssh-agent"].verdict == "note"
    assert "ssh-add" in checks["ssh-agent"].hint
    assert checks["known hosts"].verdict == "note"


@pytest.mark.parametrize(
    ("file", "mode", "name", "hint"),
    [
        ("id_ed25519", 0o644, "keys", "chmod 600"),
        ("known_hosts", 0o666, "known hosts", "chmod go-w"),
    ],
)
def test_what_ssh_would_refuse_or_others_could_change_is_wrong(
    file: str, mode: int, name: str, hint: str, isolated_environment: Path
) -> None:
    path = isolated_environment / ".ssh" / file
    path.parent.mkdir()
    path.write_text("192.0.2.1 ssh-ed25519 AAAA\n")
    path.chmod(mode)
    check = look()[name]
    assert check.verdict == "wrong"
    assert hint in check.hint
    path.chmod(0o600)
    assert look()[name].verdict == "ok"


def test_an_ssh_config_that_ssh_cannot_read_is_quoted(isolated_environment: Path) -> None:
    path = isolated_environment / ".ssh" / "config"
    path.parent.mkdir()
    path.write_text("Host mx1\n  NoSuchWord yes\n")
    check = look()["ssh_config"]
    assert check.verdict == "wrong"
    assert "nosuchword" in check.seen.lower()


def test_an_agent_that_does_not_answer_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "gone"))
    assert look()["ssh-agent"].verdict == "wrong"


def test_the_inventory_is_read_and_its_error_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "hosts.yml"
    file.write_text("mx:\n  hosts:\n    mx1:\n    mx2:\n")
    assert look(str(file))["inventory"].seen.startswith("2 hosts in ")
    file.write_text("mx: [\n")
    assert cli.main(["doctor", "-i", str(file)]) == 2
    assert "WRONG  inventory: " in capsys.readouterr().out


def test_as_json_each_check_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--json"]) == 0
    checks = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"name", "verdict", "seen", "hint"} == set(checks[0])
    assert {"packages", "state"} <= {check["name"] for check in checks}


def test_an_order_of_keys_that_nothing_holds(isolated_environment: Path) -> None:
    folder = isolated_environment / ".ssh"
    (folder / "known_hosts").mkdir(parents=True)
    (folder / "config").write_text("Host mx1\n  Port 2222\n")
    checks = look(str(isolated_environment / "gone.yml"))
    assert checks["known hosts"].verdict == "wrong" and "cannot be read: Is a directory" in checks["known hosts"].seen
    assert (checks["ssh_config"].verdict, checks["ssh_config"].seen) == ("ok", str(folder / "config"))
    assert checks["inventory"].verdict == "wrong"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that is the whole PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.mark.parametrize(
    ("answer", "verdict", "seen"),
    [
        ("echo '256 SHA256:abc a (ED25519)'; echo '256 SHA256:def b (ED25519)'", "ok", "2 keys"),
        ("exit 1", "note", "it holds no key"),
        ("exit 2", "wrong", "SSH_AUTH_SOCK is set, and no agent answers there"),
    ],
)
def test_what_the_ssh_agent_says(
    answer: str, verdict: str, seen: str, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(programs / "agent"))
    (programs / "ssh-add").write_text(f"#!/bin/sh\n{answer}\n")
    (programs / "ssh-add").chmod(0o755)
    check = look()["ssh-agent"]
    assert (check.verdict, check.seen) == (verdict, seen)


def test_a_machine_without_ssh(programs: Path, isolated_environment: Path) -> None:
    (isolated_environment / ".ssh").mkdir()
    (isolated_environment / ".ssh" / "config").touch()
    checks = look()
    assert (checks["ssh"].verdict, checks["ssh_config"].verdict) == ("note", "ok")
    assert "Install your system's OpenSSH client." in checks["ssh"].hint


def test_a_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PACKAGES", ("click", "no-such-package"))
    check = look()["packages"]
    assert (check.verdict, check.seen) == ("wrong", "not installed: no-such-package")


def test_a_locale_that_has_no_unicode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locale, "getpreferredencoding", lambda _set: "ANSI_X3.4-1968")
    assert look()["locale"].verdict == "note"


def test_where_the_runs_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "default_root", lambda: tmp_path / "runs")
    assert look()["state"].seen == f"0 runs in {tmp_path / 'runs'}"
    (tmp_path / "runs").mkdir(mode=0o755)
    assert look()["state"].hint == f"Type: chmod 700 {tmp_path / 'runs'}"
    (tmp_path / "runs").chmod(0o700)
    monkeypatch.setattr(doctor, "ROOM", 2**60)
    assert "MB are free below" in look()["state"].seen
    monkeypatch.setattr("os.access", lambda *_: False)
    assert look()["state"].seen == f"{tmp_path / 'runs'} cannot be written to"


def test_settings_that_cannot_be_read_are_wrong(isolated_environment: Path) -> None:
    assert look()["settings"].seen.startswith("no file")
    own = isolated_environment / ".config" / "pfremote" / "config.toml"
    own.parent.mkdir(parents=True)
    own.write_text("minuts = 3\n")
    check = look()["settings"]
    assert (check.verdict, check.hint) == ("wrong", "Did you mean minutes?")


def test_the_inventory_of_the_settings_is_looked_at(
    isolated_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hosts").write_text("mx1\nmx2\n")
    (tmp_path / "ansible.cfg").write_text("[defaults]\ninventory = hosts\n")
    monkeypatch.chdir(tmp_path)
    assert look()["inventory"].seen.startswith("2 hosts in ")
