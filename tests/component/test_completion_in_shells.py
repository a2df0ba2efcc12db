"""Completion as typed: TAB in a real bash and zsh on a terminal of their own; fish is asked what it would offer."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.terminal import Following

INVENTORY = "[mail]\nmx1\nmx2\n\n[edge]\nrelay.example.jp\n"

#: How each shell is started without the files of whoever runs the tests, and what loads completion in it.
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source <(pfremote completion bash)"),
    "zsh": (["zsh", "-f", "-i"], "bindkey -e; autoload -U compinit; compinit -u -D; source <(pfremote completion zsh)"),
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with an inventory, with this checkout's pfremote on PATH."""
    (tmp_path / "hosts").write_text(INVENTORY)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "pfremote"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m pfremote "$@"\n')
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{sys.exec_prefix}/bin:/usr/bin:/bin")
    monkeypatch.setenv("PS1", "$ ")


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, here: None) -> Iterator[Following]:
    """Return a shell in which the completion of pfremote is loaded."""
    argv, load = SHELLS[request.param]
    if shutil.which(argv[0]) is None:
        pytest.skip(f"{argv[0]} is not installed")
    with closing(Following(argv, terminal=True)) as running:
        running.press(f"{load}; echo load''ed\r")
        running.wait_for("loaded")
        yield running


def type_and_tab(shell: Following, line: str) -> str:
    """Type a line and TAB, and return what stands there then: ``echo`` is put before it at its beginning."""
    begun = len(shell.plain)
    shell.press(f"{line}\t")
    shell.wait_for(re.escape(line), seconds=15)
    shell.press("\x01echo '<'\x05'>'\r")  # to the beginning of the line, to its end
    shell.wait_for(r"\n< ?.*>", seconds=15)
    found = re.search(r"\n<(.*?)>", shell.plain[begun:])
    assert found, shell.plain
    return found[1].strip()


TYPED = pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("pfremote explai", "pfremote explain"),
        ("pfremote status -i hosts re", "pfremote status -i hosts relay.example.jp"),
        ("pfremote run sasl-f", "pfremote run sasl-failures"),
        ("pfremote run sasl-failures -e pe", "pfremote run sasl-failures -e peer="),
        ("pfremote debug mx1 --min-f", "pfremote debug mx1 --min-free"),
        ("pfremote explain ho", "pfremote explain hosts"),
        ("pfremote status -i hosts mx1,re", "pfremote status -i hosts mx1,relay.example.jp"),
        ("pfremote explain --format=m", "pfremote explain --format=md"),
        ("pfremote status -i hosts --limit=mx1,re", "pfremote status -i hosts --limit=mx1,relay.example.jp"),
    ],
)


@TYPED
def test_tab_completes(shell: Following, line: str, completed: str) -> None:
    assert type_and_tab(shell, line) == completed


def test_the_value_follows_a_variable_at_once(shell: Following) -> None:
    line = "pfremote run sasl-failures -e pe"
    shell.press(f"{line}\t")
    shell.wait_for(rf"{re.escape(line)}\x07?er=")
    shell.press("192.0.2.7'>'\x01echo '<'\r")
    shell.wait_for(re.escape("<pfremote run sasl-failures -e peer=192.0.2.7>"))


@TYPED
def test_fish_completes(line: str, completed: str) -> None:
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    script = f"pfremote completion fish | source; complete -C '{line}'"
    done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert [row.partition("\t")[0] for row in done.stdout.splitlines()] == [completed.rpartition(" ")[2]]
