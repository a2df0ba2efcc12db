"""A copy to paste: of several hosts, with what could not be proven left out, and of a run that has no log."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pfremote.errors import UsageError
from pfremote.maillog.capture import Capture, read_capture
from pfremote.model.result import HostResult
from pfremote.options.pseudonymise import make_disguise
from pfremote.run.share import share_captures, share_run
from pfremote.store import DamagedRunError, RunStore, load_run

START = datetime(2026, 11, 24, 10, tzinfo=UTC)
#: The second and third lines hold what only a later line shows to be a password.
TEXTS = (
    "connect from a[192.0.2.1]",
    "some_function: Zx9-kLmq77",
    "< a[192.0.2.1]: AUTH PLAIN AHVzZXIAWng5LWtMbXE3Nw==",
)


def capture(*texts: str) -> Capture:
    lines = "".join(f"Nov 24 10:00:0{at} mx postfix/smtpd[7]: {text}\n" for at, text in enumerate(texts))
    return read_capture(lines.encode(), now=START, utc_offset=timedelta(), match=None)


def test_each_of_several_hosts_has_a_line_of_its_own_and_what_is_not_proven_is_left_out() -> None:
    captures = [("mx1", capture(*TEXTS)), ("mx2", capture(TEXTS[0]))]
    lines = list(share_captures(captures, make_disguise(()), io.BytesIO()))
    assert lines[2] == "# 3 lines shown, 1 line left out that could not be proven harmless."
    hosts = [line for line in lines[3:] if line.startswith("# ")]
    assert len(set(hosts)) == 2 and not {"# mx1", "# mx2"} & set(hosts)
    assert not [line for line in lines if "Zx9" in line or "some_function" in line]


def test_a_run_without_a_log_cannot_be_shared(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path / "run", command=["pfremote", "debug"], started=START)
    store.save(exit_code=0)
    with pytest.raises(UsageError, match="has no log to share"):
        list(share_run(load_run(tmp_path / "run"), make_disguise(())))


def test_a_run_whose_log_is_lost_is_not_shared_without_a_word(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path / "run", command=["pfremote", "debug"], started=START)
    kept = store.write_host(HostResult("mx1", "clean"), capture=capture(*TEXTS))
    store.write_run([kept], ended=START, exit_code=0)
    run = load_run(tmp_path / "run")
    lines = list(share_run(run, make_disguise(())))
    # The second line was withheld when the run was stored already.
    assert lines[2] == "# 2 lines shown, 1 line left out that could not be proven harmless."
    assert len(lines) == 5
    (tmp_path / "run" / "mx1" / "evidence.log").unlink()
    with pytest.raises(DamagedRunError, match=r"evidence\.log' is missing"):
        list(share_run(run, make_disguise(())))
