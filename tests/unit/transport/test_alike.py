"""What ``ssh -G`` would say is said without asking it for each name, and never where it would say something else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from pfremote.errors import UsageError
from pfremote.transport.alike import ask_once
from pfremote.transport.sshconfig import Query, ask_ssh

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="no ssh program")

NAMES = tuple(
    f"{kind}{number}{end}" for kind in ("mx", "db", "a") for end in ("", ".example.jp") for number in range(1, 6)
)
OTHERS = ("10.0.0.1", "10.0.0.2", "010.0.0.1", "MX1", "ops@mx2", "mx-3", "::1", "x", "mx", "localhost")


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list of the names that ssh was asked for."""
    listed, folder = tmp_path / "asked", tmp_path / "bin"
    folder.mkdir()
    program = folder / "ssh"
    program.write_text(f'#!/bin/sh\nfor name; do :; done\necho "$name" >>{listed}\nexec {shutil.which("ssh")} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return listed


def _write(folder: Path, text: str) -> str:
    (folder / "included").write_text("Host mx1 *.example.jp !mx2.example.jp\n  Port 2222\n")
    path = folder / "config"
    path.write_text(text.replace("FOLDER", str(folder)))
    return str(path)


CONFIGS = {
    "nothing": "",
    "all alike": "Host *\n  User ops\n  IdentityFile ~/.ssh/%h\n  ProxyCommand nc %h %p\n",
    "one address": "Host *\n  HostName 192.0.2.1\n",
    "made of the name": "Host mx*\n  HostName %h.example.jp\n",
    "the name in a file's name": "Host *\n  UserKnownHostsFile ~/.ssh/kh_%h\n",
    "a hash of the name in a file's name": "Host *\n  UserKnownHostsFile ~/.ssh/kh_%C\n",
    "patterns": "Host mx? db3\n  User a\nHost *.example.jp !mx4*\n  User b\nHost=A?\n  Port 24\nHost *\n  User c\n",
    "one block a host": "".join(f"Host {name}\n  HostName 192.0.2.{n}\n" for n, name in enumerate(NAMES)),
    "included": "Include FOLDER/included\nHost *\n  User ops\n",
    "included for some": "Host mx*\n  Include FOLDER/included\nHost *\n  User ops\n",
    "by a program": 'Match exec "test %h = mx2"\n  User two\n',
    "by the name": "Match host mx2,*.example.jp\n  User two\n",
    "made canonical": "CanonicalizeHostname yes\nCanonicalDomains example.invalid\nHost *\n  User ops\n",
    "quoted, in capitals": 'HOST "MX1" "mx?"\n  user one\nhost *\n  LogLevel QUIET\n',
    "ssh's own way": "Host *\n  ProxyJump ops@gw.example.jp:2222\n  HostKeyAlias %h\n",
}


@pytest.mark.parametrize("text", CONFIGS.values(), ids=CONFIGS)
def test_every_name_is_told_what_ssh_says(tmp_path: Path, text: str) -> None:
    config = _write(tmp_path, text)
    for name in (*NAMES, *OTHERS, *NAMES):
        query = Query(name, ssh_config=config)
        assert ask_once(query, 10.0) == ask_ssh(query, 10.0)


def test_a_fleet_is_two_questions(tmp_path: Path, asked: Path) -> None:
    config = _write(tmp_path, CONFIGS["all alike"])
    for number in range(50):
        assert ask_once(Query(f"mx{number}", ssh_config=config), 10.0).hostname == f"mx{number}"
    assert asked.read_text().split() == ["mx0", "mx1"]
    assert ask_once(Query("mx7", user="other", ssh_config=config), 10.0).user == "other"


def test_a_file_that_changes_is_read_anew(tmp_path: Path) -> None:
    config = _write(tmp_path, CONFIGS["included"])
    for name in ("mx11", "mx12", "mx13"):
        assert ask_once(Query(name, ssh_config=config), 10.0).port == 22
    (tmp_path / "included").write_text("Host *\n  Port 2525\n")
    for name in ("mx11", "mx12", "mx13", "mx14"):
        assert ask_once(Query(name, ssh_config=config), 10.0).port == 2525


def test_a_mistake_is_told_in_ssh_s_words(tmp_path: Path) -> None:
    config = _write(tmp_path, "Host *\n  NoSuchOption yes\n")
    with pytest.raises(UsageError, match=r"mx1: \S+ line 2: Bad configuration option: nosuchoption") as caught:
        ask_once(Query("mx1", ssh_config=config), 10.0)
    assert " -v " not in caught.value.hint
