"""What the reports of ``explain`` say beside the findings: each of these misled a reader once (docs/explanation/findings.md)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pfremote import cli
from tests.unit.run.test_explain import ACCEPTED, DENIED, FIXTURES, LOGIN, SENT, VERBOSE, events, explain, write_log

WAY = [f"{name}={FIXTURES / 'way' / name}.log" for name in ("mx", "filter", "mbox")]


def two_logs(tmp_path: Path) -> list[str]:
    """Two logs of one host over the same time: a refused login in the one, an accepted one before it and its end in the other."""
    refused, accepted = (Path(path).read_bytes() for path in (LOGIN, ACCEPTED))
    last = accepted.splitlines(keepends=True)[-1].replace(b" 05:01:", b" 05:09:")
    for name, lines in (("mail.warn", refused), ("mail.log", accepted + last)):
        (tmp_path / name).write_bytes(lines)
    return [str(tmp_path / "mail.warn"), str(tmp_path / "mail.log")]


def test_two_logs_of_one_host_are_both_kept(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    explain(capsys, *two_logs(tmp_path), "--out", str(tmp_path / "run"))
    assert cli.main(["report", str(tmp_path / "run")]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "2 logs read, 2 sessions, 1 finding, 1 credential to change, 1 to judge" in told
    assert "the SASL server refused the PLAIN credentials host mx (mail.warn) proof" in told


@pytest.mark.parametrize("held", [True, False], ids=["held", "read in pieces"])
def test_of_very_many_sessions_only_those_with_a_finding_have_a_file(
    held: bool, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pfremote.run.log_files.LARGE", 10**9 if held else 1)
    log = tmp_path / "mail.log"
    log.write_text("".join(Path(path).read_text() for path in (SENT, LOGIN, ACCEPTED, DENIED)))
    all_kept, _ = keep(capsys, log, tmp_path / "all")
    monkeypatch.setattr("pfremote.store.capture.MOST_TRANSCRIPTS", len(all_kept) - 1)
    some_kept, told = keep(capsys, log, tmp_path / "some")
    assert "transcripts: of so many sessions only those with a finding" in told
    (kept,) = (json.loads(path.read_text()) for path in tmp_path.glob("some/*/sessions.json"))
    assert len(kept["sessions"]) == len(all_kept)
    names = {f"{finding['session']:03d}.txt" for finding in kept["findings"]}
    assert some_kept == {name: all_kept[name] for name in names}
    assert 0 < len(some_kept) < len(all_kept)


def keep(capsys: pytest.CaptureFixture[str], log: Path, folder: Path) -> tuple[dict[str, str], str]:
    """Keep the log as a run; return its transcripts by their names, and what was said."""
    _, _, said = explain(capsys, str(log), "--out", str(folder))
    return {path.name: path.read_text() for path in folder.glob("*/transcripts/*")}, said


def test_of_two_logs_of_one_host_each_line_says_which(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    _, out, _ = explain(capsys, *two_logs(tmp_path), "--all")
    assert "mx (mail.warn): session 1, smtpd" in out
    assert "mx (mail.log): session 1, smtpd" in out
    _, out, _ = explain(capsys, *WAY, "--all")
    assert "mx: session 1, smtpd" in out
    told = events(capsys, *two_logs(tmp_path))
    assert {event["host"] for event in told if "host" in event} == {"mx"}
    assert {Path(event["log"]).name for event in told if event["event"] == "session"} == {"mail.warn", "mail.log"}


@pytest.mark.parametrize("fmt", ["txt", "md", "html"])
def test_a_log_has_no_exit_and_no_host_that_is_as_it_should_be(capsys: pytest.CaptureFixture[str], fmt: str) -> None:
    _, out, _ = explain(capsys, LOGIN, "--format", fmt)
    assert "every host as it should be" not in out
    assert "evidence of every host" not in out
    assert ">Hosts" not in out


@pytest.mark.parametrize("fmt", ["txt", "md"])
def test_sessions_that_are_only_counted_were_seen(capsys: pytest.CaptureFixture[str], fmt: str) -> None:
    _, out, _ = explain(capsys, SENT, "--format", fmt)
    assert "1 session (without a finding, not shown), 39 lines of log" in " ".join(out.split())
    _, out, _ = explain(capsys, WAY[1], "--format", fmt)
    assert "4 sessions (3 without a finding, not shown), 12 lines of log" in " ".join(out.split())
    _, out, _ = explain(capsys, WAY[1], "--format", fmt, "--all")
    assert "4 sessions, 12 lines of log" in " ".join(out.split())


def test_only_a_verbose_log_has_debug_lines(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = explain(capsys, WAY[1])
    assert "(4 other lines not shown)" in out
    _, out, _ = explain(capsys, LOGIN)
    assert "debug lines not shown)" in out


def test_where_mail_came_through_there_is_nothing_to_wait_for(capsys: pytest.CaptureFixture[str]) -> None:
    finding = next(event for event in events(capsys, WAY[1]) if event.get("code") == "delivery.greylisted")
    assert finding["meaning"].endswith("It was delivered 5 min 9 s later.")
    assert finding["next_step"] == "Nothing is left to wait for."


@pytest.mark.parametrize("words", [["--all"], ["--to", "bob@example.jp"]])
def test_a_message_of_two_fates_tells_both(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    _, out, _ = explain(capsys, *WAY, *words)
    told = " ".join(out.split())
    assert "=> returned to its sender: gone@example.jp; sent: bob@example.jp (last seen on mbox, 6C3D4E5F6A)" in told
    assert "Message from ann@example.net to bob@example.jp, gone@example.jp <m1@example.net>" in told


def test_why_a_log_is_not_complete_is_kept(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    explain(capsys, write_log(tmp_path, *VERBOSE), "--out", str(tmp_path / "run"))
    assert cli.main(["report", str(tmp_path / "run")]) == 0
    assert "fewer commands than Postfix counted" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("fmt", ["txt", "md", "html"])
def test_the_layout_of_a_log_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path, fmt: str) -> None:
    path = write_log(tmp_path, "postfix/smtpd[7]: connect from a[192.0.2.1]")
    Path(path).write_text(Path(path).read_text() + "a line of nothing\n\n")
    _, out, err = explain(capsys, path, "--format", fmt)
    told = re.sub(r"\s+|`", " ", out).replace("  ", " ")
    assert "syslog (1 line), 1 line of no layout that is known" in told
    assert "1 line fit no layout; the first:\n    a line of nothing\n" in err


@pytest.mark.parametrize("words", [["--peer", "192.0.2.99"], ["--since", "2027-01-01"], ["--queue-id", "4ABCDE1234"]])
def test_where_nothing_fits_the_report_says_so(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    _, out, _ = explain(capsys, LOGIN, *words)
    told = " ".join(out.split())
    assert "nothing in this log fits what was asked for; 71 lines were looked at" in told
    assert ("of 2026-11-24 05:01:32 UTC to 2026-11-24 05:01:34 UTC" in told) == (words[0] == "--since")
    _, out, _ = explain(capsys, LOGIN)
    assert "fits what was asked for" not in " ".join(out.split())


def test_a_log_of_other_programs_is_not_one_of_postfix(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "auth.log"
    path.write_text("Nov 24 05:01:34 mx sshd[7]: Accepted publickey for bob\n\n")
    code, out, err = explain(capsys, str(path))
    assert (code, out) == (2, "")
    assert "there is no line of Postfix in it; seen: syslog (1 line)" in err


def test_what_fits_no_layout_is_shown_masked_of_a_log_that_is_none_too(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "notes"
    path.write_text("hello\nworld password=Zx9-kLmq77\n")
    code, _, err = explain(capsys, str(path))
    assert code == 2
    assert "seen: 2 lines of no layout that is known" in err
    assert "    hello\n    world password=[redacted: password]\n" in err


@pytest.mark.parametrize("words", [["--share"], ["--json"], ["--all"], ["--format", "json"]], ids=" ".join)
def test_a_temporary_folder_that_is_not_there_is_named_or_not_needed(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "gone"))
    monkeypatch.setattr("pfremote.run.unnamed._SMALL", 1)
    monkeypatch.setattr("pfremote.run.log_files.LARGE", 1)
    path = tmp_path / "mail.log"
    path.write_bytes(Path(LOGIN).read_bytes() * 300)
    code, out, err = explain(capsys, str(path), *words)
    if words == ["--share"]:  # which has to wait there
        assert (code, out) == (1, "")
        assert f"cannot be kept in {tmp_path / 'gone'}: No such file or directory" in " ".join(err.split())
        assert "Set TMPDIR to a folder that has room." in err
    else:  # the log is held
        assert code == 0 and out


def test_where_there_is_nothing_to_share_there_is_no_head_of_a_copy(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = explain(capsys, LOGIN, "--share", "--queue-id", "0000000000")
    assert (code, out) == (0, "")
    assert "nothing in this log fits what was asked for" in " ".join(err.split())
