"""The one script that is sent to a host."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from pfremote.agent import load_agent, strip_comments

SHELLS = [["dash"], ["bash", "--posix"], ["busybox", "sh"]]


def test_it_is_the_same_every_time_and_holds_no_comment_lines() -> None:
    script = load_agent()
    assert script is load_agent()
    assert not [line for line in script.splitlines() if line.lstrip().startswith(b"#")]


def test_code_is_never_stripped() -> None:
    assert strip_comments(b"#!/bin/sh\n\n# why\na=1 # kept\n\t# why\nb=${a#x}\n") == b"a=1 # kept\nb=${a#x}\n"


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_every_shell_reads_all_of_it_before_it_starts(shell: list[str]) -> None:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]} is not installed")
    done = subprocess.run([*shell, "-s", "--", "nonsense"], input=load_agent(), capture_output=True, check=False)
    assert done.stdout.startswith(b"pfremote=1\nrefused=bad-verb ")
    assert done.stdout.endswith(b"end=refused\n")
    assert (done.returncode, done.stderr) == (3, b"")
