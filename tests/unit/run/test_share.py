"""A copy to paste: of several hosts, with what could not be proven left out, and of a run that has no log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pfremote.errors import UsageError
from pfremote.maillog.capture import Capture, read_capture
from pfremote.options.pseudonymise import make_disguise
from pfremote.run.share import read_captures, share_captures
from pfremote.store import RunStore, load_run

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
    lines = list(share_captures([("mx1", capture(*TEXTS)), ("mx2", capture(TEXTS[0]))], make_disguise(())))
    assert lines[2] == "# 3 lines shown, 1 line left out that could not be proven harmless."
    hosts = [line for line in lines[3:] if line.startswith("# ")]
    assert len(set(hosts)) == 2 and not {"# mx1", "# mx2"} & set(hosts)
    assert not [line for line in lines if "Zx9" in line or "some_function" in line]


def test_a_run_without_a_log_cannot_be_shared(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path / "run", command=["pfremote", "debug"], started=START)
    store.save(exit_code=0)
    with pytest.raises(UsageError, match="has no log to share"):
        read_captures(load_run(tmp_path / "run"))
