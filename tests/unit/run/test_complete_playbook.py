"""What ``pfremote run`` completes to: runbooks, playbooks of this folder, and the variables that one of them uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.completing import complete


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "play.yml").write_text("- hosts: '{{ where }}'\n  debug: {peers: '{{ peer }}', level: '{{level}}'}\n")


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("pfremote run sa", ["sasl-failures"]),
        ("pfremote run p", ["play.yml"]),
        ("pfremote run books/", ["<file>"]),
        ("pfremote run sasl-failures -e p", ["peer="]),
        ("pfremote run play.yml -e ", ["where=", "peer=", "level="]),
        ("pfremote run play.yml -e peer=192.0.2.7 -e l", ["level="]),
        ("pfremote run play.yml -e peer=", []),
        ("pfremote run play.yml -e @v", ["<file>"]),
        ("pfremote run nothing -e ", []),
    ],
)
def test_a_playbook_and_its_variables_are_completed(line: str, offered: list[str]) -> None:
    assert complete(line) == offered
