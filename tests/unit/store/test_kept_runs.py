"""What ``pfremote runs`` says of a run, and which runs it deletes."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pfremote import cli
from pfremote.errors import Reason, UsageError
from pfremote.model.cause import Cause
from pfremote.model.result import HostResult
from pfremote.private_files import default_root
from pfremote.report import read_report
from pfremote.report.words import headline
from pfremote.store import Begun, RunStore, list_runs, load_run
from tests.support.rendering import render_report

NOW = datetime.now(UTC)
CAUSE = Cause("policy.relay-denied", "proven", "relaying was refused", "m", "n", session=1, line=3)
DONE = HostResult(
    "mx1", "clean", armed=True, reverted=True, sessions=2, outcomes=(("queued", 1), ("rejected", 1)), findings=(CAUSE,)
)
ASKED = {"peers": ["192.0.2.7"], "reason": "ticket 4711"}


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return default_root()


def keep(days: float = 0, *results: HostResult, ended: bool = True, code: int = 0) -> RunStore:
    """Store a run of so many days ago."""
    started = NOW - timedelta(days=days)
    names = [result.host for result in results] or ["mx1", "mx2"]
    store = RunStore.create(None, command=["pfremote", "debug"], started=started, request=ASKED, targets=names)
    if ended:
        store.write_run(results or (DONE,), ended=started, exit_code=code)
    return store


def runs(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert cli.main(["runs", *words]) == 0
    return capsys.readouterr().out.splitlines()


def test_a_run_says_hosts_peer_reason_outcomes_finding_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    store = keep(0, DONE, code=4)
    assert runs(capsys) == [
        f'{store.id}  exit 4  mx1  peer 192.0.2.7  "ticket 4711"  2 sessions (1 queued, 1 rejected)'
        "  [proven] policy.relay-denied: relaying was refused"
    ]
    (told,) = map(json.loads, runs(capsys, "--json"))
    assert (told["targets"], told["exit_code"], told["outcomes"]) == (["mx1"], 4, [["queued", 1], ["rejected", 1]])


GO_ON = ("pfremote collect mx1 mx2 -i hosts --lease 4e65a8e", "pfremote revert mx1 mx2 -i hosts --lease 4e65a8e")


def break_off(days: float = 0) -> RunStore:
    """Store a run over ten minutes on mx1 and mx2 that wrote no end."""
    store = keep(days, ended=False)
    leases = (("mx1", "4e65a8e00000"), ("mx2", "4e65a8e00001"))
    store.note_begun(Begun(leases, GO_ON, NOW - timedelta(days=days, minutes=-20)))
    return store


def fetch(**leases: str) -> str:
    """Store what ``collect`` makes of these hosts' leases; return the run's id."""
    places = [
        dataclasses.replace(DONE, host=host, lease=lease, out=f"/runs/x/{host}") for host, lease in leases.items()
    ]
    return keep(0, *places).id


def test_a_run_without_an_end_says_its_hosts_and_what_to_type(capsys: pytest.CaptureFixture[str]) -> None:
    store = break_off()
    first, known, *typed = runs(capsys)
    assert first == f'{store.id}  unfinished  mx1,mx2  peer 192.0.2.7  "ticket 4711"  0 sessions'
    over = f"{NOW + timedelta(minutes=20):%Y-%m-%d %H:%M:%S} UTC"
    assert (
        known == f"    still running, or broken off; its windows end by themselves by {over}, unless they are extended"
    )
    assert typed == [f"    type: {line}" for line in GO_ON]


def test_a_broken_off_run_whose_windows_are_over_is_fetched_and_not_reverted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    break_off(days=1)
    _, known, *typed = runs(capsys)
    assert known.startswith("    its windows ended by themselves by ")
    assert "unless they were extended" in known
    assert typed == [f"    type: {GO_ON[0]}"]


def test_a_broken_off_run_names_the_run_that_has_its_evidence(capsys: pytest.CaptureFixture[str]) -> None:
    store = break_off(days=1)
    holder = fetch(mx1="4e65a8e00000", mx2="4e65a8e00001")
    told = [json.loads(line) for line in runs(capsys, "--json")]
    assert [run["collected"] for run in told if run["id"] == store.id] == [[holder]]
    assert runs(capsys)[-1] == f"    collected in {holder}"


def test_what_is_still_missing_of_a_broken_off_run_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    break_off(days=1)
    holder = fetch(mx1="4e65a8e00000")
    fetch(mx2="ffffffffffff")  # of another window
    *_, collected, known, typed = runs(capsys)
    assert collected == f"    collected in {holder}"
    assert known.startswith("    mx2: its windows ended ")
    assert typed == f"    type: {GO_ON[0]}"


def test_after_a_week_no_host_is_asked_for_evidence(capsys: pytest.CaptureFixture[str]) -> None:
    break_off(days=9)
    assert runs(capsys)[1:] == ["    a host keeps evidence for 7 days only"]


def test_a_run_that_failed_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    bits = Reason("peer-host-bits", "m", "h")
    keep(0, HostResult("mx1", "untouched", refusals=(bits,)), code=3)
    keep(0.1, DONE, HostResult("mx2", "unknown", error=Reason("unknown", "m")), code=5)
    refused, unknown = runs(capsys)
    assert "  exit 3  refused: peer-host-bits  mx1  " in refused
    assert "  exit 5  unknown (mx2)  mx1,mx2  " in unknown


def test_a_report_of_a_run_that_goes_on_counts_the_hosts_that_are_asked() -> None:
    store = keep(ended=False)
    store.write_run((DONE,), ended=None, exit_code=None)
    report = read_report(load_run(store.path))
    assert headline(report).startswith("not over yet, or broken off: 1 of 2 hosts seen clean so far, ")
    assert "1 of 1" not in render_report(report, "txt")
    ended = dataclasses.replace(report, ended=NOW)
    assert headline(ended).startswith("1 of 1 host clean or untouched")


def test_pruning_deletes_what_is_old_and_nothing_that_a_host_may_still_need(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    armed = dataclasses.replace(DONE, state="unknown", reverted=False)
    young, old, older = keep(1), keep(31), keep(60)
    broken_off, live = keep(3, ended=False), keep(4, armed, code=5)
    (root / "notes").mkdir()
    assert runs(capsys, "prune", "--check") == [f"would delete: {old.id}", f"would delete: {older.id}"]
    assert older.path.exists()
    assert runs(capsys, "prune") == [f"deleted: {old.id}", f"deleted: {older.id}"]
    runs(capsys, "prune", "--older-than", "2d")
    left = {run.path for run in list_runs()}
    assert left == {young.path, broken_off.path, live.path, (root / "notes").resolve()}


def test_a_run_that_was_broken_off_long_ago_can_go(capsys: pytest.CaptureFixture[str]) -> None:
    keep(31, ended=False)
    assert len(runs(capsys, "prune")) == 1
    assert list_runs() == ()


def test_the_newest_are_kept_however_old(capsys: pytest.CaptureFixture[str]) -> None:
    newest = keep(40)
    keep(50)
    assert len(runs(capsys, "prune", "--keep", "1")) == 1
    assert [run.id for run in list_runs()] == [newest.id]


def test_a_damaged_run_goes_by_the_age_of_its_record(capsys: pytest.CaptureFixture[str]) -> None:
    new, old = keep(50), keep(60)
    for store in (new, old):
        (store.path / "run.json").write_text("{")
    past = (NOW - timedelta(days=40)).timestamp()
    os.utime(old.path / "run.json", (past, past))
    assert runs(capsys, "prune", "--older-than", "1d") == [f"deleted: {old.id}"]


def test_a_link_in_the_folder_is_not_followed(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere = tmp_path / "elsewhere"
    keep(60).path.rename(elsewhere)
    (root / "20200101T000000Z-abcdef").symlink_to(elsewhere)
    assert runs(capsys, "prune") == []
    assert elsewhere.exists()


@pytest.mark.parametrize("words", [["prune", "--older-than", "30"], ["--older-than", "30d"], ["--check"], ["burn"]])
def test_what_would_mean_nothing_or_too_much_is_refused(words: list[str]) -> None:
    keep(60)
    assert cli.main(["runs", *words]) == 2
    assert len(list_runs()) == 1


def test_a_run_that_could_not_be_written_is_not_among_them(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(UsageError, match="No space left"):
        keep(ended=False)
    assert list_runs() == ()


def test_runs_that_cannot_be_listed_say_what_to_look_at(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root.parent.mkdir()
    root.write_text("")
    assert cli.main(["runs"]) == 1
    assert f"hint: Type: ls -ld {root}\n" in capsys.readouterr().err
