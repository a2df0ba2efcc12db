"""ansible.cfg as Ansible finds it, our own settings, and which of several counts."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from pfremote import cli
from pfremote.config import load_settings
from pfremote.config.json_schema import config_schema
from pfremote.config.keys import KEYS, OWN
from pfremote.errors import ConfigError, UsageError
from tests.support.ansible import find_ansible, make_environment

ANSIBLE = find_ansible()

CFG = """
[defaults]
inventory = hosts.yml,more   ; both
remote_user = ops
private_key_file = ~/.ssh/mail
forks = 20
timeout = 7
host_key_checking = False
vault_password_file = .vault
vault_identity_list = prod@.prod, dev@.dev
[privilege_escalation]
become = yes
become_user = "postfix"
[ssh_connection]
ssh_args = -C -o ControlMaster=no
"""

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def put(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return put


def own(home: Path, text: str) -> None:
    path = home / ".config" / "pfremote" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_every_value_has_its_line(write: Write, tmp_path: Path, isolated_environment: Path) -> None:
    write("ansible.cfg", CFG)
    settings = load_settings()
    assert settings.get("inventory") == (str(tmp_path / "hosts.yml"), str(tmp_path / "more"))
    assert settings.get("user") == "ops"
    assert settings.source("user") == f"{tmp_path}/ansible.cfg:4 [defaults] remote_user"
    assert settings.get("private_key") == str(isolated_environment / ".ssh" / "mail")
    assert (settings.get("forks"), settings.get("timeout"), settings.get("become")) == (20, 7, True)
    assert settings.get("become_user") == "postfix"
    assert settings.get("vault_identity_list") == ("prod@.prod", "dev@.dev")
    assert settings.get("minutes") is None and settings.source("minutes") == ""


@pytest.mark.skipif(ANSIBLE is None, reason="no ansible-config")
@pytest.mark.parametrize("place", ["ansible.cfg", "home", "ANSIBLE_CONFIG", "folder", "environment"])
def test_what_is_found_is_what_ansible_finds(
    place: str, write: Write, tmp_path: Path, isolated_environment: Path
) -> None:
    name = {"ansible.cfg": "work/ansible.cfg", "home": "home/.ansible.cfg"}.get(place, "else/ansible.cfg")
    write(name, CFG)
    (tmp_path / "work").mkdir(exist_ok=True)
    words = {"ANSIBLE_CONFIG": str(tmp_path / name)} if place == "ANSIBLE_CONFIG" else {}
    words |= {"ANSIBLE_CONFIG": str(tmp_path / "else")} if place == "folder" else {}
    words |= {"ANSIBLE_FORKS": "9", "ANSIBLE_REMOTE_USER": "env"} if place == "environment" else {}
    assert ANSIBLE is not None
    theirs = {
        item["name"]: item["value"]
        for item in json.loads(
            subprocess.run(
                [str(ANSIBLE / "ansible-config"), "dump", "--format", "json"],
                cwd=tmp_path / "work",
                env={**make_environment(tmp_path / "home"), **words},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        if "name" in item
    }
    import os

    old = os.environ["HOME"]
    os.environ["HOME"] = str(tmp_path / "home")
    try:
        ours = load_settings(tmp_path / "work", words)
    finally:
        os.environ["HOME"] = old
    for name, theirs_name, usual in (
        ("user", "DEFAULT_REMOTE_USER", None),
        ("forks", "DEFAULT_FORKS", 5),
        ("timeout", "DEFAULT_TIMEOUT", 10),
        ("private_key", "DEFAULT_PRIVATE_KEY_FILE", None),
        ("become", "DEFAULT_BECOME", False),
        ("become_user", "DEFAULT_BECOME_USER", "root"),
        ("vault_password_file", "DEFAULT_VAULT_PASSWORD_FILE", None),
        ("host_key_checking", "HOST_KEY_CHECKING", True),
    ):
        assert ours.get(name, usual) == theirs[theirs_name], name
    if place != "environment":
        assert list(ours.get("inventory")) == theirs["DEFAULT_HOST_LIST"]


def test_a_folder_that_every_user_may_write_to_is_passed_over(write: Write, tmp_path: Path) -> None:
    path = write("ansible.cfg", CFG)
    tmp_path.chmod(0o777)
    settings = load_settings()
    assert settings.get("user") is None
    assert settings.warnings and str(path) in settings.warnings[0]
    assert load_settings(environment={"ANSIBLE_CONFIG": str(path)}).get("user") == "ops"
    gone = load_settings(environment={"ANSIBLE_CONFIG": str(tmp_path / "gone.cfg")})
    assert gone.get("user") is None and gone.warnings == settings.warnings


@pytest.mark.parametrize(
    "words",
    [("inventory", "--graph"), ("config",), ("runs",), ("report",), ("status", "mx1", "--list-hosts")],
)
def test_every_command_says_that_it_was_passed_over(
    words: tuple[str, ...],
    write: Write,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write("ansible.cfg", CFG)
    tmp_path.chmod(0o777)
    monkeypatch.chdir(tmp_path)
    cli.main(list(words))
    said = capsys.readouterr().err
    assert said.count(f"{path} is passed over: every user may write to this folder") == 1, said


def test_our_own_go_before_ansibles(write: Write, isolated_environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_FORKS", "30")
    write("ansible.cfg", "[defaults]\nforks = 20\nremote_user = a\n")
    assert load_settings().get("forks") == 30
    own(isolated_environment, 'forks = 40\nuser = "b"\nminutes = "90s"\nrequire_reason = true\n')
    assert (load_settings().get("forks"), load_settings().get("user")) == (40, "b")
    assert (load_settings().get("minutes"), load_settings().get("require_reason")) == (90, True)
    write("ansible.cfg", "[pfremote]\nforks = 50\n")
    assert load_settings().get("forks") == 50
    assert load_settings().source("user") == f"{isolated_environment}/.config/pfremote/config.toml:2 user"


@pytest.mark.parametrize(
    ("name", "text", "line", "said"),
    [
        ("ansible.cfg", "[pfremote]\nminuets = 5\n", 2, "Did you mean minutes?"),
        ("ansible.cfg", "[defaults]\nforks = many\n", 2, "whole number"),
        ("ansible.cfg", '[ssh_connection]\nssh_args = -o "A=b\n', 2, "with both quotes"),
        ("ansible.cfg", "[defaults]\nforks = 1\nforks = 2\n", 3, "each key once"),
        ("ansible.cfg", "forks = 1\n", 1, "[section]"),
        ("config.toml", "minutes = 5\nout =\n", 2, "KEY = VALUE"),
        ("config.toml", "\nforcs = 5\n", 2, "Did you mean forks?"),
        ("config.toml", "minutes = 'soon'\n", 1, "90s"),
        ("config.toml", "require_reason = 'perhaps'\n", 1, "yes or no"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    name: str, text: str, line: int, said: str, write: Write, isolated_environment: Path
) -> None:
    if name == "config.toml":
        own(isolated_environment, text)
    else:
        write(name, text)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert caught.value.line == line
    assert said in caught.value.hint


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_FORKS", "no")
    with pytest.raises(UsageError, match="ANSIBLE_FORKS: 'no' is no number"):
        load_settings()


def test_the_settings_count_where_nothing_was_typed(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("hosts.yml", "mx: {hosts: {mx1: {ansible_host: 127.0.0.1, ansible_port: 1}}}\n")
    write(
        "ansible.cfg",
        "[defaults]\ninventory = hosts.yml\nremote_user = ops\nhost_key_checking = False\n[pfremote]\nforks = 2\n",
    )
    assert cli.main(["status", "mx", "-T", "2", "-v"]) == 4
    err = capsys.readouterr().err
    assert f"user = ops from {tmp_path}/ansible.cfg:3 [defaults] remote_user" in err
    assert "host_key_checking = False" in err and "does not count here" in err
    assert cli.main(["status", "nowhere", "-T", "2"]) == 2
    assert cli.main(["config", "--only-changed"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        *("inventory", "user", "forks", "host_key_checking"),
    ]


def test_a_reason_may_be_required(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write("ansible.cfg", "[pfremote]\nrequire_reason = yes\nminutes = 121\n")
    words = ["debug", "127.0.0.1:1", "--peer", "192.0.2.1"]
    assert cli.main(words) == 2
    assert "a reason is wanted here" in capsys.readouterr().err
    assert cli.main([*words, "--reason", "ticket 7"]) == 2
    assert "2h1m is asked for" in capsys.readouterr().err
    write("play.yml", "- hosts: mx1\n  debug: {peers: 192.0.2.1, minutes: 5}\n")
    assert cli.main(["run", "play.yml", "-i", "mx1,", "--check"]) == 2
    assert "play.yml:1: [0]: a reason is wanted here" in capsys.readouterr().err


def test_runs_are_kept_where_the_settings_say(write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("ansible.cfg", "[pfremote]\nout = kept\n")
    assert cli.main(["debug", "127.0.0.1:1", "--peer", "192.0.2.1", "-T", "2"]) == 4
    assert len(list((tmp_path / "kept").iterdir())) == 1
    capsys.readouterr()
    assert cli.main(["runs"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_the_schema_knows_every_setting_of_ours() -> None:
    schema = config_schema()
    Draft202012Validator.check_schema(schema)
    assert set(schema["properties"]) == set(OWN)
    validator = Draft202012Validator(schema)
    assert validator.is_valid({"minutes": "90s", "forks": 3, "require_reason": True, "out": "x", "user": "ops"})
    assert not validator.is_valid({"minuets": 3})


def test_every_setting_is_documented_and_no_other() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "settings.md").read_text()
    for key in KEYS:
        assert not key.own or f"| `{key.name}` |" in page, key.name
        for _section, name in key.ansible:
            assert name in page, name
        for name in key.variables:
            assert name in page, name


def test_a_folder_in_the_place_of_our_own_file_is_said(isolated_environment: Path) -> None:
    (isolated_environment / ".config" / "pfremote" / "config.toml").mkdir(parents=True)
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_settings()


def test_a_folder_that_is_closed_to_us_is_said(isolated_environment: Path) -> None:
    folder = isolated_environment / ".config"
    folder.mkdir()
    folder.chmod(0)
    if privileged := os.geteuid() == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(ConfigError, match=r"cannot be read: Permission denied") as caught:
            load_settings()
    finally:
        if privileged:
            os.seteuid(0)
        folder.chmod(0o700)
    assert caught.value.file == str(folder / "pfremote" / "config.toml")


def test_where_runs_are_kept_is_shown_as_it_is(
    isolated_environment: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/srv/state")
    assert cli.main(["config"]) == 0
    assert "  /srv/state/pfremote/runs  (nothing said)" in capsys.readouterr().out
