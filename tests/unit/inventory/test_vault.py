"""Ansible Vault: values and files are opened when they are needed, and shown nowhere."""

from __future__ import annotations

import json
import subprocess
from functools import partial
from pathlib import Path

import pytest

from pfremote import cli
from pfremote.errors import ConfigError, UsageError
from pfremote.inventory import HostConfigError, load_inventory
from pfremote.inventory.vault import open_envelope, parse_envelope
from pfremote.inventory.vault_keys import VaultKey, VaultKeys
from pfremote.model.secret import KNOWN_SECRETS, Secret
from pfremote.options.vault import VaultOptions, make_vault_keys
from tests.support.ansible import find_ansible, make_environment

ANSIBLE = find_ansible()
needs_ansible = pytest.mark.skipif(ANSIBLE is None, reason="no ansible-vault")

#: "sudo-secret-1", encrypted by ansible-core 2.19 with the password "right horse"; and with the id prod, "prod word".
SIMPLE = (
    "$ANSIBLE_VAULT;1.1;AES256\n"
    "39663435363162643339323563663966646538653166653061383266633066353235643863666162\n"
    "3239626134623565656134366637316537616166343038340a616435633432633033616337623339\n"
    "64383034636364653338396232363736336265303962616661383466663537313461336661306665\n"
    "3466303164653162340a323132643162323865303963306530313838643430393465353632336565\n"
    "6432\n"
)
LABELLED = (
    "$ANSIBLE_VAULT;1.2;AES256;prod\n"
    "66323234346330363639636136363161666234666362633837333033623636653732653136626637\n"
    "3831656637393531626632326261663333656665656162380a356539376262313532366330336531\n"
    "31333364623632383966396230343831353933653237663062343266373463656561616663636635\n"
    "3666636239373635310a316438396436616237386235616634626233393065396136653162626636\n"
    "6162\n"
)
HOSTS = "mx:\n  hosts:\n    mx1: {ansible_host: 127.0.0.1, ansible_port: 1}\n    mx2: {ansible_host: 127.0.0.1, ansible_port: 1}\n"


def value(text: str) -> str:
    """Return a vaulted value as it stands in YAML."""
    return "!vault |\n" + "".join(f"  {line}\n" for line in text.splitlines())


def keys(*words: str, match: bool = False) -> VaultKeys:
    return VaultKeys([VaultKey("default", "a test", partial(Secret, word)) for word in words], match=match)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "hosts.yml").write_text(HOSTS)
    (tmp_path / "group_vars" / "mx.yml").write_text(f"ansible_become_password: {value(SIMPLE)}ansible_user: ops\n")
    (tmp_path / "pw").write_text("right horse\n")
    (tmp_path / "prod").write_text("prod word\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_value_is_opened_with_its_password_alone() -> None:
    assert open_envelope(parse_envelope(SIMPLE), b"right horse") == b"sudo-secret-1"
    assert open_envelope(parse_envelope(SIMPLE), b"wrong horse") is None
    assert parse_envelope(LABELLED).label == "prod"


@pytest.mark.parametrize(
    "text",
    [
        "$ANSIBLE_VAULT;1.1;AES256\n31323334",
        "$ANSIBLE_VAULT;1.1;AES256",
        "$ANSIBLE_VAULT;1.1;DES\n3132",
        "$ANSIBLE_VAULT",
        "$ANSIBLE_VAULT;1.1;AES256\nzz",
    ],
)
def test_what_is_not_whole_is_said_without_quoting_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"whole|header|cipher"):
        parse_envelope(text)


def test_the_become_password_is_the_decrypted_one(repository: Path) -> None:
    inventory = load_inventory(["hosts.yml"], keys=keys("wrong horse", "right horse"))
    for target in inventory.select("mx"):
        assert target.become_password is not None
        assert target.become_password.reveal() == "sudo-secret-1"
        assert target.user == "ops"


def test_a_wrong_password_names_file_and_line(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "pw").write_text("another\n")
    assert cli.main(["status", "-i", "hosts.yml", "mx", "--vault-password-file", "pw"]) == 2
    err = capsys.readouterr().err
    assert f"{repository}/group_vars/mx.yml:1: ansible_become_password: " in err
    assert "the vault password is wrong (default@pw)" in err
    assert "another" not in err


def test_no_password_is_fetched_before_it_is_needed(repository: Path) -> None:
    def never() -> Secret:
        raise AssertionError("asked for too early")

    inventory = load_inventory(["hosts.yml"], keys=VaultKeys([VaultKey("default", "never", never)]))
    assert inventory.choose("mx") == ("mx1", "mx2")
    inventory.as_listing()
    with pytest.raises(AssertionError):
        inventory.target("mx1")


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (["--vault-password-file", "pw"], {}),
        (["--vault-pass-file", "pw"], {}),
        (["--vault-id", "pw"], {}),
        (["--vault-id", "prod@prod", "--vault-id", "dev@pw"], {}),
        ([], {"ANSIBLE_VAULT_PASSWORD_FILE": "pw"}),
        ([], {"ANSIBLE_VAULT_IDENTITY_LIST": "prod@prod, dev@pw"}),
        (["--vault-id", "a@say-client"], {}),
        (["--vault-password-file", "say"], {}),
    ],
)
def test_the_password_may_come_from_where_ansible_takes_it(
    words: list[str],
    environment: dict[str, str],
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, text in {
        "say": "echo right horse",
        "say-client": '[ "$*" = "--vault-id a" ] && echo right horse',
    }.items():
        (repository / name).write_text(f"#!/bin/sh\n{text}\n")
        (repository / name).chmod(0o755)
    for name, text in environment.items():
        monkeypatch.setenv(name, text)
    assert cli.main(["status", "-i", "hosts.yml", "mx", "-T", "2", *words]) == 4
    assert "connection refused" in capsys.readouterr().out


@pytest.mark.parametrize(
    "section",
    [
        "[defaults]\nvault_password_file = secret/pw\n",
        "[defaults]\nvault_identity_list = dev@secret/pw\n",
    ],
)
def test_ansible_cfg_says_where_the_password_is(
    section: str, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "secret").mkdir()
    (repository / "pw").rename(repository / "secret" / "pw")
    (repository / "ansible.cfg").write_text(section)
    assert cli.main(["status", "-i", "hosts.yml", "mx", "-T", "2"]) == 4


def test_with_match_only_the_password_of_the_same_id_is_tried(repository: Path) -> None:
    (repository / "group_vars" / "mx.yml").write_text(f"ansible_become_password: {value(LABELLED)}")
    for match, label, opens in ((True, "prod", True), (True, "dev", False), (False, "dev", True)):
        key = VaultKey(label, label, lambda: Secret("prod word"))
        inventory = load_inventory(["hosts.yml"], keys=VaultKeys([key], match=match))
        if opens:
            assert inventory.target("mx1").become_password is not None
        else:
            with pytest.raises(ConfigError, match="vault id prod"):
                inventory.target("mx1")


def test_without_a_terminal_a_question_is_an_error(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", "-i", "hosts.yml", "mx", "-J"]) == 2
    assert "no terminal" in capsys.readouterr().err


def test_a_program_that_fails_is_named(repository: Path) -> None:
    (repository / "say").write_text("#!/bin/sh\nexit 3\n")
    (repository / "say").chmod(0o755)
    inventory = load_inventory(["hosts.yml"], keys=make_vault_keys(VaultOptions(vault_password_files=("say",))))
    with pytest.raises(UsageError, match="ended with status 3"):
        inventory.target("mx1")


def encrypt(path: Path, password: Path, *words: str) -> None:
    assert ANSIBLE is not None
    argv = [str(ANSIBLE / "ansible-vault"), "encrypt", "--vault-password-file", str(password), *words, str(path)]
    subprocess.run(argv, check=True, capture_output=True, env=make_environment(path.parent))


@needs_ansible
def test_whole_files_are_opened_and_nothing_of_them_is_shown(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "group_vars" / "mx.yml").unlink()
    (repository / "group_vars" / "mx").mkdir()
    (repository / "group_vars" / "mx" / "vars.yml").write_text('ansible_become_password: "{{ vault_sudo }}"\n')
    vault = repository / "group_vars" / "mx" / "vault.yml"
    vault.write_text("vault_sudo: sudo-secret-2\nvault_more: [deep-secret-3]\npfremote_max_minutes: 7\n")
    encrypt(vault, repository / "pw")
    words = ["-i", "hosts.yml", "--vault-password-file", "pw"]
    assert cli.main(["debug", "mx", "--peer", "192.0.2.1", "--minutes", "8", "-vvvv", *words]) == 2
    shown = capsys.readouterr()
    assert "debugged for 7m at most" in shown.err
    assert cli.main(["inventory", "--list", *words]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["_meta"]["hostvars"]["mx1"]["vault_sudo"] == "****"
    assert "secret-" not in shown.out + shown.err
    target = load_inventory(["hosts.yml"], keys=keys("right horse")).target("mx1")
    assert target.become_password is not None
    assert target.become_password.reveal() == "sudo-secret-2"


@needs_ansible
@pytest.mark.parametrize("name", ["hosts.yml", "more.yml", "vars/play.yml"])
def test_any_file_may_be_encrypted(name: str, repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "vars").mkdir()
    (repository / "more.yml").write_text("peer: 192.0.2.77\n")
    (repository / "vars" / "play.yml").write_text("peer: 192.0.2.77\n")
    (repository / "play.yml").write_text(
        "- hosts: mx\n  vars_files: [play.yml]\n  debug: {peers: '{{ peer }}', minutes: 500}\n"
    )
    encrypt(repository / name, repository / "pw")
    words = ["run", "play.yml", "-i", "hosts.yml", "-e", "@more.yml", "--check", "-T", "2"]
    assert cli.main([*words, "--vault-password-file", "pw"]) == 2
    assert "500" not in capsys.readouterr().err.replace("8h20m", "")
    assert cli.main(words) == 2
    assert f"{name}:1: " in capsys.readouterr().err


def test_a_wrong_value_that_was_encrypted_is_not_quoted(repository: Path) -> None:
    (repository / "group_vars" / "mx.yml").write_text(f"ansible_port: {value(SIMPLE)}x: 1\n")
    inventory = load_inventory(["hosts.yml"], keys=keys("right horse"))
    (repository / "hosts.yml").write_text("mx: {hosts: {mx1: }}\n")
    inventory = load_inventory(["hosts.yml"], keys=keys("right horse"))
    with pytest.raises(ConfigError, match="its value is not a port") as caught:
        inventory.target("mx1")
    assert "sudo-secret" not in str(caught.value)
    (repository / "group_vars" / "mx.yml").write_text(
        f"x: {value(SIMPLE)}ansible_port: '{{{{ x }}}}'\nansible_user: '{{{{ nothing[x] }}}}'\n"
    )
    inventory = load_inventory(["hosts.yml"], keys=keys("right horse"))
    for _ in range(2):
        with pytest.raises(ConfigError) as caught:
            inventory.target("mx1")
        assert "sudo-secret" not in str(caught.value) + caught.value.hint


def test_one_host_whose_value_is_encrypted_does_not_stop_the_others(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "group_vars" / "mx.yml").write_text("ansible_user: ops\n")
    (repository / "host_vars").mkdir()
    (repository / "host_vars" / "mx2.yml").write_text(f"ansible_host: {value(SIMPLE)}")
    assert cli.main(["status", "-i", "hosts.yml", "mx", "-T", "2"]) == 4
    shown = capsys.readouterr().out
    assert "mx1  unreachable: cannot connect" in shown
    assert "mx2  refused: " in shown and "host_vars/mx2.yml:1: ansible_host" in shown
    with pytest.raises(HostConfigError):
        load_inventory(["hosts.yml"]).target("mx2")


def test_what_was_decrypted_is_masked_wherever_it_turns_up(capsys: pytest.CaptureFixture[str]) -> None:
    from pfremote.output.output import Output

    KNOWN_SECRETS.add("sudo-secret-9")
    output = Output(json=True)
    output.emit("warning", "mx1", code="odd", message="it said sudo-secret-9")
    output.console.say("again: sudo-secret-9")
    shown = capsys.readouterr()
    assert "secret-9" not in shown.out + shown.err
    assert shown.err.endswith("again: ****\n")
