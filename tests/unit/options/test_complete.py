"""What each word completes to. No host is contacted and no inventory program is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pfremote.commands import COMMANDS, COMPLETING
from pfremote.store.recent_leases import KEPT, list_recent_leases, remember_leases
from tests.support.completing import complete

INVENTORY = "all: {children: {mail: {hosts: {mx1: , mx2: }}, edge: {hosts: {relay: }}}}\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hosts.yml").write_text(INVENTORY)
    (tmp_path / "play.yml").write_text("- hosts: all\n  debug: {peers: 192.0.2.7}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("pfremote re", ["revert", "report"]),
        ("pfremote status -i hosts.yml m", ["mail", "mx1", "mx2"]),
        ("pfremote debug mx1 -i hosts.yml --peer 192.0.2.7 ed", ["edge"]),
        ("pfremote debug -i hosts.yml mx1,re", ["mx1,relay"]),
        ("pfremote debug -i hosts.yml -l !ma", ["!mail"]),
        ("pfremote status -i mx7,mx8, mx", ["mx7", "mx8"]),
        ("pfremote status -i missing.yml m", []),
        ("pfremote status -i ", ["<file>"]),
        ("pfremote inventory -i hosts.yml e", ["edge"]),
        ("pfremote inventory -i hosts.yml --host r", ["relay"]),
        ("pfremote run play.yml -i hosts.yml --limit r", ["relay"]),
        ("pfremote report --format h", ["html"]),
        ("pfremote explain ", ["<file>"]),
        ("pfremote debug mx1 --gu", ["--guard"]),
        ("pfremote debug mx1 --guard c", ["cron"]),
    ],
)
def test_a_word_is_completed(line: str, offered: list[str]) -> None:
    assert complete(line) == offered


def test_every_command_is_offered() -> None:
    assert complete("pfremote ") == list(COMMANDS)


def test_the_settings_inventory_counts(here: Path) -> None:
    (here / "ansible.cfg").write_text("[defaults]\ninventory = hosts.yml\n")
    assert complete("pfremote status r") == ["relay"]


def test_without_an_inventory_hosts_are_those_that_ssh_knows(isolated_environment: Path) -> None:
    folder = isolated_environment / ".ssh"
    folder.mkdir()
    (folder / "config").write_text("Host mx1 mx-* !mx3\nHost=gate\n")
    (folder / "known_hosts").write_text("mx4.example.jp,192.0.2.4 ssh-ed25519 AAAA\n@revoked mx5 ssh-ed25519 AAAA\n")
    assert complete("pfremote status ") == ["mx1", "gate", "mx4.example.jp"]


@pytest.mark.parametrize("text", ["#!/bin/sh\ntouch ran\n", "plugin: some.cloud\n", "all: [", "[x\n"])
def test_what_cannot_be_read_offers_nothing_and_no_program_is_run(text: str, here: Path) -> None:
    (here / "inv").write_text(text)
    (here / "inv").chmod(0o755 if text.startswith("#!") else 0o644)
    assert complete("pfremote status -i inv ") == []
    assert not (here / "ran").exists()


def test_runs_are_offered_the_newest_first(here: Path, isolated_environment: Path) -> None:
    runs = isolated_environment / ".local/state/pfremote/runs"
    for name in ("20261124T050130Z-3fa9c1", "20261125T050130Z-4fa9c1"):
        (runs / name).mkdir(parents=True)
        (runs / name / "run.json").write_text(json.dumps({}))
    (runs / "no-run").mkdir()
    assert complete("pfremote report ") == ["last", "20261125T050130Z-4fa9c1", "20261124T050130Z-3fa9c1"]
    assert complete("pfremote report 20261124") == ["20261124T050130Z-3fa9c1"]
    assert complete("pfremote report ./") == ["<dir>"]


def test_leases_that_were_left_armed_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    remember_leases({"mx1": "1a2b3c400000", "mx2": "1a2b3c400001"})
    remember_leases({"mx3": "9a2b3c400000"})
    assert complete("pfremote collect mx1 --lease ") == ["9a2b3c400000", "1a2b3c400001", "1a2b3c400000"]
    assert complete("pfremote revert --lease 9") == ["9a2b3c400000"]
    assert list_recent_leases()["9a2b3c400000"] == "mx3"
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + KEPT + 1)
    assert complete("pfremote collect mx1 --lease ") == []


def test_completing_touches_nothing(here: Path) -> None:
    assert complete("pfremote status -t results -vvv --lease zz -i hosts.yml r") == ["relay"]
    assert not (here / "results").exists()


def test_a_shell_is_not_kept_waiting() -> None:
    """What takes long to load is not loaded; an inventory in YAML needs PyYAML, and nothing else does."""
    slow = {"fabric", "paramiko", "rich", "jinja2", "pydantic", "pfremote.maillog", "yaml"}
    lines = {
        "pfremote ru": set(),
        "pfremote run sa": set(),
        "pfremote report ": set(),
        "pfremote status -i hosts.yml m": {"yaml"},
    }
    for line, needed in lines.items():
        words = line.split()
        code = f"import sys, pfremote.__main__ as m\nsys.argv = ['pfremote']\nm.main()\nprint(*{slow!r} & {{*sys.modules}})"
        environment = {
            **os.environ,
            COMPLETING: "bash_complete",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - (not line.endswith(" "))),
        }
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60
        )
        offered = done.stdout.split("\n")
        assert any(item.startswith("plain,") for item in offered), done
        assert set(offered[-2].split()) == needed, line
