"""What ``ssh -G`` is asked, and how: a signal to the terminal's programs is not for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pfremote.transport.sshconfig import Query, ask_ssh


def test_a_closing_terminal_does_not_end_the_ssh_that_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGHUP and Ctrl-C go to all of the terminal's programs: the host could then not be reverted."""
    program = tmp_path / "ssh"
    program.write_text('#!/bin/sh\nread -r _ _ _ _ group _ < "/proc/$$/stat"\necho "user $group"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert ask_ssh(Query("mx1"), 10.0).user != str(os.getpgrp())
