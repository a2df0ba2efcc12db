"""``pfremote explain``: logs that were not collected, as text, events, a run folder, and a copy to share."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pfremote import cli
from pfremote.maillog.narrow import Wanted
from pfremote.maillog.pieces.read import SUMMARY
from pfremote.run.log_files import Source
from pfremote.run.read_logs import explain_log

FIXTURES = Path(__file__).parents[2] / "fixtures"
DENIED = str(FIXTURES / "relay-denied-postfix-3.7.log")
ACCEPTED = str(FIXTURES / "sasl-accepted-postfix-3.7.log")
LOGIN = str(FIXTURES / "sasl-bad-password-postfix-3.7.log")
#: Two debug lines hold what only a later line shows to be a password.
EARLY = (
    "connect from a[192.0.2.1]",
    "some_function: Zx9-kLmq77",
    "other_function: Zx9-kLmq77",
    "< a[192.0.2.1]: AUTH PLAIN AHVzZXIAWng5LWtMbXE3Nw==",
)
SENT = str(FIXTURES / "outbound-sent-postfix-3.7.log")


def explain(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run the command and return its exit code, stdout and stderr."""
    code = cli.main(["explain", *words])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def events(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    _, out, _ = explain(capsys, "--json", *words)
    return [json.loads(line) for line in out.splitlines()]


def test_the_findings_come_first_then_the_sessions_that_have_one(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = explain(capsys, DENIED)
    assert code == 0
    assert out.index("relaying was refused") < out.index("session 1, smtpd client.example.jp")
    assert max(map(len, out.splitlines())) <= 80


def test_a_session_without_a_finding_is_counted_and_shown_with_all(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = explain(capsys, SENT)
    assert "1 session without a finding, shown with --all" in out
    assert "S: 250" not in out
    _, out, _ = explain(capsys, SENT, "--all")
    assert "S: 250" in out


@pytest.mark.parametrize("words", [["--peer", "192.0.2.99"], ["--failed"], ["--until", "2026-11-24 01:00"]])
def test_a_credential_is_listed_whichever_sessions_are_shown(
    capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    """Its clear text is in the log all the same."""
    _, out, _ = explain(capsys, str(FIXTURES / "sasl-accepted-postfix-3.7.log"), *words)
    assert "0 sessions, 0 findings, 1 credential to change" in out
    assert "- user@example.jp" in out


def test_where_only_a_message_was_looked_for_the_report_says_what_it_does_not_list(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, out, _ = explain(capsys, str(FIXTURES / "sasl-accepted-postfix-3.7.log"), "--queue-id", "5AB0C11D22E")
    assert "only the lines about these messages were read: credentials in other lines are not listed" in " ".join(
        out.split()
    )


def test_keys_of_tls_connections_are_no_credential_to_change(capsys: pytest.CaptureFixture[str]) -> None:
    """The log has both: a password that was accepted, and the ticket keys of its TLS connections."""
    kinds = [event["kind"] for event in events(capsys, ACCEPTED) if event["event"] == "exposure"]
    assert sorted(set(kinds)) == ["TLS ticket key", "password"]
    _, out, _ = explain(capsys, ACCEPTED)
    assert ", 1 credential to change\n" in out
    assert out.index("Credentials to change") < out.index("password by PLAIN") < out.index("Nothing to change")
    assert out.index("Nothing to change") < out.index("keys of TLS connections")


def test_a_refused_password_is_told_as_one_to_judge(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = explain(capsys, LOGIN)
    assert ", 0 credentials to change, 1 to judge\n" in out
    assert "Credentials to change" not in out
    (refused,) = [event for event in events(capsys, LOGIN) if event["event"] == "exposure"]
    assert (refused["kind"], refused["account"], refused["refused"]) == ("password", "user@example.jp", True)


def test_an_empty_response_is_nothing_to_change(capsys: pytest.CaptureFixture[str]) -> None:
    """The second AUTH of the session, after its login, was ``AUTH PLAIN AA==``."""
    told = events(capsys, str(FIXTURES / "auth-twice-postfix-3.7.log"))
    kinds = [(event["kind"], event["refused"]) for event in told if event["event"] == "exposure"]
    assert kinds == [("password", False), ("empty password", False)]
    assert told[-1]["exposures"] == 2
    _, out, _ = explain(capsys, str(FIXTURES / "auth-twice-postfix-3.7.log"))
    assert ", 1 credential to change\n" in out


def test_no_password_of_the_log_is_shown_in_any_form(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    secret = "Wr0ng-Passw0rd"
    for words in ([LOGIN], [LOGIN, "--all"], [LOGIN, "--json"], [LOGIN, "--share"], [LOGIN, "--format", "html"]):
        _, out, err = explain(capsys, *words)
        assert secret not in out + err
        assert "AHVzZXJAZXhhbXBsZS5qcABX" not in out + err  # the same in base64


def test_the_events_are_those_of_the_reference(capsys: pytest.CaptureFixture[str]) -> None:
    told = events(capsys, LOGIN)
    assert [event["event"] for event in told if event["event"] in ("session", "recap")] == ["session", "recap"]
    session = next(event for event in told if event["event"] == "session")
    keys = "id host kind peer started ended outcome user queue_ids cut verbose transcript".split()  # noqa: SIM905
    assert set(keys) <= set(session)
    assert {"time", "who", "text"} == set(session["transcript"][0])
    finding = next(event for event in told if event["event"] == "finding")
    assert set("code certainty title meaning next_step host session line".split()) <= set(finding)  # noqa: SIM905
    assert set("exit_code lines undated sessions findings exposures withheld".split()) <= set(told[-1])  # noqa: SIM905
    assert told[-1]["exit_code"] == 0


def test_standard_input_and_a_named_host(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(Path(DENIED).read_bytes()))
    monkeypatch.setattr("sys.stdin", stdin)
    told = events(capsys, "-")
    assert {event["host"] for event in told if event["event"] == "session"} == {"mx"}
    told = events(capsys, f"relay7={DENIED}")
    assert {event["host"] for event in told if event["event"] == "session"} == {"relay7"}


def test_what_was_asked_for_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    def sessions(*words: str) -> int:
        return sum(event["event"] == "session" for event in events(capsys, DENIED, LOGIN, *words))

    assert sessions() == 2
    assert sessions("--user", "user@example.jp") == 1
    assert sessions("--to", "someone@elsewhere.example.net") == 1
    assert sessions("--to", "@elsewhere.example.net", "--from", "user@example.jp") == 1
    assert sessions("--to", "other@elsewhere.example.net") == 0
    assert sessions("--peer", "192.0.2.10", "--failed") == 2
    assert sessions("--peer", "198.51.100.9") == 0
    assert sessions("--since", "2099-01-01 00:00") == 0
    assert sessions("--until", "2001-01-01 00:00") == 0


def test_a_file_that_is_no_log_is_said_with_what_was_seen(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_text("dear colleague,\nhere is the log\n")
    code, _, err = explain(capsys, str(file))
    assert code == 2
    assert "there is no line of Postfix in it; seen: 2 lines of no layout that is known" in err


def test_one_of_two_files_cannot_be_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = explain(capsys, DENIED, str(tmp_path / "gone"))
    assert code == 4
    assert "relaying was refused" in out
    assert "gone cannot be read: No such file or directory" in err


def test_a_damaged_archive_is_an_error_of_that_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "mail.log.2.gz"
    file.write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03nonsense")
    code, _, err = explain(capsys, str(file))
    assert code == 2
    assert "mail.log.2.gz is damaged" in err


def test_lines_of_no_layout_are_shown_masked_the_first_five(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "mixed.log"
    file.write_text(Path(DENIED).read_text() + "".join(f"stray line {number}\n" for number in range(9)))
    _, _, err = explain(capsys, str(file))
    assert "9 lines fit no layout; the first:" in err
    assert "stray line 4" in err
    assert "stray line 5" not in err


def test_out_keeps_it_as_a_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = explain(capsys, DENIED, "--out", str(tmp_path / "run"))
    assert code == 0
    assert f"report: {tmp_path}/run/report.html" in err
    assert cli.main(["report", str(tmp_path / "run")]) == 0
    assert "relaying was refused" in capsys.readouterr().out


def test_the_way_of_a_message_over_three_logs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    logs = [f"{name}1={FIXTURES}/way/{name}.log" for name in ("mx", "filter", "mbox")]
    (message,) = [event for event in events(capsys, *logs) if event["event"] == "message"]
    assert {hop["host"] for hop in message["hops"]} == {"mx1", "filter1", "mbox1"}
    _, out, _ = explain(capsys, *logs, "--to", "bob@example.jp", "--format", "html")
    assert 'class="way-svg"' in out
    _, out, _ = explain(capsys, *logs)
    assert "Message from" not in out  # only where messages are asked for, or all
    explain(capsys, *logs, "--out", str(tmp_path / "run"))
    assert 'class="way-svg"' in (tmp_path / "run" / "report.html").read_text()


BOUNCED = {
    "edge": (
        "qmgr[3]: 4A1B2C3D4E: from=<ann@example.net>, size=1200, nrcpt=1 (queue active)",
        "smtp[4]: 4A1B2C3D4E: to=<gone@example.jp>, relay=mbox[192.0.2.3]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, "
        "status=bounced (host mbox[192.0.2.3] said: 550 5.1.1 no such user)",
        "bounce[7]: 4A1B2C3D4E: sender non-delivery notification: 7D4E5F6A7B",
        "qmgr[3]: 4A1B2C3D4E: removed",
        "smtp[5]: 7D4E5F6A7B: to=<ann@example.net>, relay=mx[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, "
        "status=sent (250 2.0.0 Ok: queued as 8E5F6A7B8C)",
    ),
    "mailbox": (
        "smtpd[1]: 8E5F6A7B8C: client=edge[192.0.2.2]",
        "local[2]: 8E5F6A7B8C: to=<ann@example.net>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (ok)",
    ),
}


def test_what_only_another_log_names_is_looked_for_as_well(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name, lines in BOUNCED.items():
        text = "".join(f"Nov 24 10:00:0{len(name)} {name} postfix/{line}\n" for line in lines)
        (tmp_path / name).write_text(text)
        (tmp_path / f"{name}-whole").write_text(text.replace("\n", "\r\n"))  # no log that is searched
    searched, whole = (
        [
            {name: value for name, value in event.items() if name not in ("time", "log")}
            for event in events(
                capsys, *(f"{name}={tmp_path / name}{end}" for name in order), "--to", "gone@example.jp"
            )
        ]
        for order, end in ((("mailbox", "edge"), ""), (("mailbox", "edge"), "-whole"))
    )
    assert searched == whole
    (message,) = [event for event in searched if event["event"] == "message"]
    assert [(hop["host"], len(hop["tries"])) for hop in message["hops"]] == [("edge", 1), ("edge", 1), ("mailbox", 1)]


def test_messages_are_followed_only_where_they_are_shown() -> None:
    source = Source("mx", f"{FIXTURES}/way/mx.log", named=True)
    assert explain_log(source, Wanted(), lambda _done: None, SUMMARY).hops == ()
    assert explain_log(source, Wanted(queue_ids=("4A1B2C3D4E",)), lambda _done: None, SUMMARY).hops
    assert explain_log(source, Wanted(), lambda _done: None).hops[0].host == "mx"


def test_a_withheld_line_is_said_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    lines = [f"Nov 24 10:00:0{at} mx postfix/smtpd[7]: {text}" for at, text in enumerate(EARLY)]
    log.write_text("".join(f"{line}\n" for line in lines))
    code, out, _ = explain(capsys, str(log), "--out", str(tmp_path / "run"))
    assert cli.main(["report", str(tmp_path / "run")]) == 0
    for text in (out, capsys.readouterr().out):
        assert (code, " ".join(text.split()).count("2 lines withheld")) == (0, 1), text


def test_a_copy_to_share_has_tokens_and_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = explain(capsys, LOGIN, "--share")
    assert code == 0
    head, lines = out.splitlines()[:3], out.splitlines()[3:]
    assert all(line.startswith("# ") for line in head)
    assert not any(name in out for name in ("user@example.jp", "client.example.jp", "192.0.2.10"))
    assert len(lines) == len(Path(LOGIN).read_text().splitlines())
    explain(capsys, LOGIN, "--out", str(tmp_path / "run"))
    assert cli.main(["report", "--share", str(tmp_path / "run")]) == 0
    assert capsys.readouterr().out.splitlines()[3:] == lines


def test_no_word_and_a_terminal_is_a_question(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    code, _, err = explain(capsys)
    assert code == 2
    assert "hint: Type: pfremote explain /var/log/mail.log" in err


def write_log(tmp_path: Path, *lines: str) -> str:
    path = tmp_path / "mail.log"
    path.write_text("".join(f"Nov 24 16:00:00 mx {line}\n" for line in lines))
    return str(path)


def test_a_log_that_says_it_has_holes_is_not_complete(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = write_log(
        tmp_path,
        "postfix/smtpd[40]: connect from c.example.jp[192.0.2.40]",
        "rsyslogd: imuxsock[pid: 40]: 118 messages lost due to rate-limiting (500 allowed within 5 seconds)",
    )
    _, out, _ = explain(capsys, log)
    assert "complete  no" in out
    assert "lines of it were dropped" in " ".join(out.split())


VERBOSE = (
    "postfix/smtpd[7]: connect from c[192.0.2.5]",
    "postfix/smtpd[7]: > c[192.0.2.5]: 220 hi",
    "postfix/smtpd[7]: < c[192.0.2.5]: EHLO c",
    "postfix/smtpd[7]: < c[192.0.2.5]: QUIT",
    "postfix/smtpd[7]: disconnect from c[192.0.2.5] ehlo=1 auth=0/1 quit=1 commands=2/3",
)


@pytest.mark.parametrize("words", [[], ["--all"], ["--peer", "192.0.2.5"]])
def test_a_dialogue_that_lacks_commands_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str]
) -> None:
    """Lines of the middle are lost: what the session shows is not all that was said."""
    code, out, _ = explain(capsys, write_log(tmp_path, *VERBOSE), *words)
    assert code == 0
    assert "complete  no" in out
    said = "in 1 session the dialogue has fewer commands than Postfix counted at the end: lines are lost (it begins at line 1)"
    assert said in " ".join(out.split())


@pytest.mark.parametrize(
    "lines",
    [
        [line for line in VERBOSE if ": < " not in line and ": > " not in line],
        VERBOSE[1:],
        VERBOSE[:-1],
        (*VERBOSE[:-1], VERBOSE[-1].replace("auth=0/1 ", "").replace("2/3", "2")),
    ],
    ids=["not verbose", "cut at the head", "cut at the tail", "all there"],
)
def test_of_other_sessions_it_is_not(capsys: pytest.CaptureFixture[str], tmp_path: Path, lines: Sequence[str]) -> None:
    _, out, _ = explain(capsys, write_log(tmp_path, *lines))
    assert "fewer commands" not in out


def test_it_is_told_of_those_sessions_only_that_were_asked_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    other = [line.replace("[7]", "[8]").replace("192.0.2.5", "192.0.2.6").replace("2/3", "2") for line in VERBOSE]
    log = write_log(tmp_path, *VERBOSE, *other)
    assert "fewer commands" in explain(capsys, log)[1]
    assert "fewer commands" not in explain(capsys, log, "--peer", "192.0.2.6")[1]


def test_a_cause_of_the_host_is_told_once_not_again_for_its_session(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log = write_log(
        tmp_path,
        "postfix/smtpd[9]: connect from c.example.jp[192.0.2.40]",
        "postfix/proxymap[8]: warning: connect to mysql server 127.0.0.1: Can't connect to MySQL server (111)",
        "postfix/smtpd[9]: NOQUEUE: reject: RCPT from c.example.jp[192.0.2.40]: 451 4.3.0 <b@example.jp>: Temporary "
        "lookup failure; from=<a@c.jp> to=<b@example.jp> proto=ESMTP helo=<c>",
        "postfix/smtpd[9]: disconnect from c.example.jp[192.0.2.40] ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4",
    )
    _, out, _ = explain(capsys, log)
    assert out.count("a database table cannot be asked\n  host") == 1
    assert "1 finding," in out
