"""A log that is not held is read twice, piece by piece: what is shown of it is what is shown of one read as a whole."""

from __future__ import annotations

import io
import itertools
import json
import random
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pfremote import cli
from pfremote.maillog.causes import number_lines
from pfremote.maillog.findings import find_alone
from pfremote.maillog.kept import KeptRecords
from pfremote.maillog.narrow import Wanted
from pfremote.maillog.parse.lines import parse_evidence
from pfremote.maillog.pieces.counts import Counts
from pfremote.maillog.pieces.gather import Gatherer
from pfremote.maillog.pieces.pack import Packed
from pfremote.maillog.pieces.read import PIECE, SUMMARY, Purpose, read_twice
from pfremote.maillog.pieces.survey import Survey
from pfremote.maillog.pieces.well import went_well
from pfremote.maillog.sessions.build import close_session
from pfremote.maillog.transcripts.transcript import build_transcripts
from pfremote.report import write_report
from pfremote.run.log_files import LARGE, Source
from pfremote.run.log_report import build_log_report, count_recap, list_events, tell_stories
from pfremote.run.read_logs import LEARNING, Explained, explain_log, find_messages
from tests.support.rendering import render_report

MOMENT = datetime(2026, 11, 29, tzinfo=UTC)
FIXTURES = Path(__file__).parents[2] / "fixtures"
LOGS = sorted(FIXTURES.glob("*.log"))
#: Lines that are read at a time: so few that nothing of a session stands in one piece, and some.
PIECES = (1, 40)
EVERYTHING = Wanted()


def explain(
    path: Path, wanted: Wanted = EVERYTHING, *, piece: int = 0, messages: bool = False, lines: bool = False
) -> Explained:
    """Read a log as a whole, or so many lines at a time."""
    source = Source(path.name, str(path))
    twice = piece > 0
    return explain_log(source, wanted, lambda _done: None, Purpose(messages, lines), twice=twice, piece=piece or PIECE)


def show(log: Explained, wanted: Wanted) -> tuple[object, ...]:
    """Return all that is made of a log where lines are shown only as proofs."""
    troubled = wanted.everything
    report = build_log_report([log], ["pfremote", "explain"], MOMENT, 0, troubled=troubled)
    recap = {name: number for name, number in count_recap([log]).items() if name != "sessions" or not troubled}
    told = (log.host, log.layouts, log.strange, log.strange_lines, log.readable, str(log.error), recap)
    return (*told, *(render_report(report, fmt) for fmt in ("txt", "md")))


def list_told(log: Explained, wanted: Wanted) -> tuple[object, ...]:
    """Return what programs are told of a log, and people who ask for all of it."""
    events = list(list_events([log], find_messages([log], wanted)))
    told = (log.host, log.layouts, log.strange, log.strange_lines, log.readable, events, count_recap([log]))
    report = build_log_report([log], ["pfremote", "explain"], MOMENT, 0)
    report = replace(report, stories=tell_stories([log], wanted, io.BytesIO()))
    return (*told, *("\n".join(write_report(report, fmt)) for fmt in ("txt", "md")))


def assert_same(path: Path, pieces: tuple[int, ...] = PIECES, wanted: Wanted = EVERYTHING) -> None:
    whole = explain(path, wanted, messages=True)
    shown, told = show(whole, wanted), list_told(whole, wanted)
    for piece in pieces:
        for messages in (False, True):
            log = explain(path, wanted, piece=piece, messages=messages)
            if log.capture is not None and log.searched is None:
                assert isinstance(log.capture.records, KeptRecords)  # it did not fall back
            assert (list_told(log, wanted) == told) if messages else (show(log, wanted) == shown), piece


def list_shown(log: Explained) -> tuple[object, ...]:
    """Return all that is made of a log where its lines are shown too."""
    capture = log.capture
    assert capture is not None
    report = build_log_report([log], ["pfremote", "explain"], MOMENT, 0)
    lines = [list(records) for records in (capture.records, capture.followed, capture.unplaced)]
    sessions = [(item, list(item.session.records)) for item in capture.transcripts]
    numbers = dict(number_lines(capture))
    hops = sorted(log.hops, key=lambda hop: hop.lines)
    reports = [render_report(report, fmt) for fmt in ("html", "json", "md")]
    return (numbers, *lines, sessions, capture.findings, capture.exposures, capture.withheld, hops, reports)


def assert_same_lines(path: Path, piece: int, wanted: Wanted = EVERYTHING) -> int:
    """Return how many sessions were shown."""
    whole = list_shown(explain(path, wanted, messages=True))
    log = explain(path, wanted, piece=piece, messages=True, lines=True)
    assert log.capture is not None
    if log.searched is None:
        assert isinstance(log.capture.transcripts, Packed)  # it did not fall back
    shown = list_shown(log)
    for one, other in zip(shown, whole, strict=True):
        assert one == other
    return len(log.capture.sessions)


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_the_lines_of_each_recording_read_the_same_in_pieces(path: Path) -> None:
    assert_same_lines(path, 40)


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_each_recording_reads_the_same_in_pieces(path: Path) -> None:
    assert_same(path)


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_what_failed_in_each_recording_reads_the_same_in_pieces(path: Path) -> None:
    assert_same(path, PIECES[1:], Wanted(failed=True))


def times_of(path: Path) -> list[datetime]:
    records = parse_evidence(path.read_bytes(), now=MOMENT, utc_offset=timedelta())
    return sorted(record.time for record in records if record.time is not None)


@pytest.mark.parametrize("seed", range(3))
def test_what_was_asked_for_of_many_recordings_reads_the_same_in_pieces(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    login = (FIXTURES / "outbound-sasl-cram-md5-postfix-3.11.log").read_bytes()
    path.write_bytes(b"".join([*(line for lines in read_recordings(seed, 25) for line in lines), login]))
    times = times_of(path)
    early, late = times[len(times) // 3], times[2 * len(times) // 3]
    found = []
    for wanted in (
        Wanted(failed=True),
        Wanted(users=("user@example.jp",)),
        Wanted(since=early, until=late),
        Wanted(peers=("client.example.jp", "192.0.2.0/24")),
        Wanted(since=early, failed=True),
        Wanted(users=("nobody",)),
    ):
        assert_same(path, (50,), wanted)
        assert_same_lines(path, 50, wanted)
        log = explain(path, wanted, piece=500)
        assert log.capture is not None
        found.append(len(log.capture.sessions) > 0)
    assert found == [True, True, True, True, True, False]


@pytest.mark.parametrize("seed", range(3))
def test_messages_of_a_log_that_cannot_be_searched_read_the_same_in_pieces(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    lines = [line for lines in read_recordings(seed, 12) for line in lines]
    path.write_bytes(b"".join(line.replace(b"\n", b"\r\n") for line in lines))  # which is a layout of its own
    hops = explain(path, messages=True).hops
    rng = random.Random(seed)  # noqa: S311 - a choice, not a key
    ids = rng.sample([hop.queue_id for hop in hops], 4)
    names = [hop.message_id for hop in hops if hop.message_id]
    senders = sorted({hop.sender for hop in hops if hop.sender})
    found = []
    for wanted in (
        Wanted(queue_ids=(ids[0],)),
        Wanted(queue_ids=tuple(ids[1:]), failed=True),
        Wanted(message_ids=(rng.choice(names),)),
        Wanted(senders=(rng.choice(senders),)),
        Wanted(senders=("@example.jp",), peers=("client.example.jp",)),
        Wanted(recipients=("@example.jp",)),
        Wanted(recipients=("nobody@example.net",)),
    ):
        assert_same(path, (50,), wanted)
        found.append(assert_same_lines(path, 50, wanted))
    assert found[-1] == 0
    assert len(list(filter(None, found))) > 2


def test_what_came_after_and_what_a_filter_threw_away_reads_the_same_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    head, mail = "Nov 24 22:0{}:00 mx postfix/", "from=<a@c.jp> to=<b@example.jp> proto=ESMTP helo=<c>"
    path.write_text(
        f"{head.format(0)}smtpd[7]: connect from c.example.jp[192.0.2.1]\n"
        f"{head.format(0)}smtpd[7]: NOQUEUE: reject: RCPT from c.example.jp[192.0.2.1]: 450 4.2.0 <b@example.jp>: Recipient "
        f"address rejected: Greylisted; {mail}\n"
        f"{head.format(0)}smtpd[7]: disconnect from c.example.jp[192.0.2.1]\n"
        f"{head.format(6)}smtpd[8]: connect from c.example.jp[192.0.2.1]\n"
        f"{head.format(6)}smtpd[8]: 5AB0C11D22E: client=c.example.jp[192.0.2.1]\n"
        f"{head.format(6)}qmgr[3]: 5AB0C11D22E: from=<a@c.jp>, size=9, nrcpt=1 (queue active)\n"
        f"{head.format(6)}smtpd[8]: disconnect from c.example.jp[192.0.2.1]\n"
        f"{head.format(6)}smtp[4]: 5AB0C11D22E: to=<b@example.jp>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, "
        "delays=0/0/0/1, dsn=2.7.0, status=sent (250 2.7.0 Ok, discarded, id=1-2 - spam)\n"
        f"{head.format(6)}qmgr[3]: 5AB0C11D22E: removed\n"
    )
    assert_same(path)
    capture = explain(path, piece=2).capture
    assert capture is not None
    assert [item.code for item in capture.findings] == ["policy.greylisted", "filter.discarded"]
    assert "6m later" not in capture.findings[0].meaning  # it was not delivered


def test_a_later_login_of_the_same_client_reads_the_same_in_pieces(tmp_path: Path) -> None:
    """The session that logged in went well: of it only the number is kept."""
    path = tmp_path / "mail.log"
    client = "c.example.jp[192.0.2.1]"
    path.write_text(
        "".join(
            f"Nov 24 22:0{minute}:00 mx postfix/smtpd[{pid}]: {text}\n"
            for minute, pid, text in (
                (0, 7, f"connect from {client}"),
                (0, 7, f"warning: {client}: SASL LOGIN authentication failed: no, sasl_username=alice"),
                (0, 7, f"disconnect from {client}"),
                (3, 8, f"connect from {client}"),
                (3, 8, f"5AB0C11D22E: client={client}, sasl_method=LOGIN, sasl_username=alice"),
                (3, 8, f"disconnect from {client}"),
            )
        )
    )
    assert_same(path, (1, 2, 40))
    (finding,) = explain(path, piece=1).capture.findings  # type: ignore[union-attr]
    assert finding.meaning.endswith("Another session of this client logged in as alice at 2026-11-24 22:03:00 UTC.")


def test_a_dialogue_that_lacks_commands_is_told_also_where_its_session_is_only_counted(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    lines = [
        "connect from c[192.0.2.5]",
        "< c[192.0.2.5]: QUIT",
        "disconnect from c[192.0.2.5] noop=1 quit=1 commands=2",
    ]
    path.write_text("".join(f"Nov 24 22:00:00 mx postfix/smtpd[7]: {text}\n" for text in lines * 2))
    assert_same(path, (1, 2, 40))
    assert explain(path, piece=1).capture.counts.short == (1, 4)  # type: ignore[union-attr]


def read_recordings(seed: int, number: int) -> list[list[bytes]]:
    chosen = random.Random(seed).sample(LOGS, number)  # noqa: S311 - a choice, not a key
    return [path.read_bytes().splitlines(keepends=True) for path in chosen]


@pytest.mark.parametrize("seed", range(6))
def test_recordings_one_after_the_other_with_the_same_processes(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_bytes(b"".join(line for lines in read_recordings(seed, 30) for line in lines))
    assert_same(path, (50, 1000))
    assert_same_lines(path, 50)


@pytest.mark.parametrize("seed", range(6))
def test_recordings_at_the_same_time_on_one_host(seed: int, tmp_path: Path) -> None:
    """Each has processes of its own; sessions are open over many pieces, and messages are in several."""
    path = tmp_path / "mail.log"
    apart = [
        [
            re.sub(rb"^(\w{3} [ \d]\d [\d:]{8}) \S+ (\S+)\[(\d+)\]: ", rb"\1 mx \2[%d\3]: " % number, line)
            for line in lines
        ]
        for number, lines in enumerate(read_recordings(seed, 12), 1)
    ]
    mixed = [line for lines in itertools.zip_longest(*apart, fillvalue=b"") for line in lines]
    path.write_bytes(b"".join(mixed))
    assert_same(path, (30, 700))
    assert_same_lines(path, 30)


@pytest.mark.parametrize("seed", range(6))
def test_a_log_of_which_lines_are_lost_and_out_of_order(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)  # noqa: S311 - a choice, not a key
    lines = [line for lines in read_recordings(seed, 10) for line in lines]
    kept = [line for line in lines if rng.random() > 0.1]
    for at in range(0, len(kept) - 8, 7):
        if rng.random() < 0.2:
            kept[at : at + 6] = rng.sample(kept[at : at + 6], 6)
    path = tmp_path / "mail.log"
    path.write_bytes(b"".join(kept))
    assert_same(path, (25, 600))
    assert_same_lines(path, 25)


@pytest.mark.parametrize("host", ["mx", ""])
def test_a_line_without_a_host_is_of_the_host_that_the_others_name(host: str, tmp_path: Path) -> None:
    """As where a line lost its beginning: its message is one, not two."""
    path = tmp_path / "mail.log"
    said = (
        "cleanup[2]: 4A1B2C3D4E: message-id=<a@example.jp>",
        "qmgr[3]: 4A1B2C3D4E: from=<a@example.jp>, size=9, nrcpt=1 (queue active)",
        "qmgr[3]: 4A1B2C3D4E: removed",
    )
    lines = [f"Nov 24 00:00:01 {host or at} postfix/{text}\n" for at, text in enumerate(said)]
    path.write_text(f"{lines[0]}postfix/pickup[1]: 4A1B2C3D4E: uid=0 from=<a@example.jp>\n{lines[1]}{lines[2]}")
    assert_same(path, (1, 3))
    assert len(explain(path, messages=True).hops) == (1 if host else 4)


def test_a_bounce_is_followed_only_after_it_was_announced(tmp_path: Path) -> None:
    said = (
        "smtpd[1]: connect from a[192.0.2.1]",
        "smtpd[1]: 4A1B2C3D4E: client=a[192.0.2.1]",
        "cleanup[2]: 5A1B2C3D4E: warning: this line stands before the notice",
        "bounce[3]: 4A1B2C3D4E: sender non-delivery notification: 5A1B2C3D4E",
        "cleanup[2]: 5A1B2C3D4E: warning: this line stands after it",
        "bounce[3]: 5A1B2C3D4E: sender non-delivery notification: 6A1B2C3D4E",
        "local[4]: warning: 6A1B2C3D4E: of the bounce of the bounce",
        "local[4]: warning: 7A1B2C3D4E: of a message of no session",
        "smtpd[1]: disconnect from a[192.0.2.1]",
    )
    path = tmp_path / "mail.log"
    path.write_text("".join(f"Nov 24 00:00:{at:02d} mx postfix/{text}\n" for at, text in enumerate(said)))
    assert_same(path, (1, 3))
    assert_same_lines(path, 1)
    path.write_text(path.read_text().replace("\n", "\r\n"), newline="")  # which cannot be searched
    for name in ("4A1B2C3D4E", "5A1B2C3D4E", "6A1B2C3D4E", "7A1B2C3D4E"):
        assert_same_lines(path, 1, Wanted(queue_ids=(name,)))


def test_a_log_that_changes_between_the_readings_is_not_shown_from_two_states() -> None:
    line = b"Nov 24 00:00:01 mx postfix/smtpd[1]: < a[192.0.2.1]: AUTH PLAIN AGFsaWNlAFMzY3JldFBX\n"
    states = iter([b"Nov 24 00:00:01 mx postfix/smtpd[1]: connect from a[192.0.2.1]\n", line])
    found = read_twice(lambda: iter([next(states)]), Survey(5), Wanted(), now=MOMENT, utc_offset=timedelta())
    assert found is None


def test_a_log_to_which_more_is_written_meanwhile_is_shown_as_it_was(tmp_path: Path) -> None:
    """As /var/log/mail.log is, while it is read for minutes; it does not have to be held for that."""
    path = tmp_path / "mail.log"
    data = b"".join(path.read_bytes() for path in LOGS[:20]) + b"Nov 24 23:59:59 mx postfix/smtpd[1]: connect from a"
    path.write_bytes(data)
    whole = list_told(explain(path, messages=True), EVERYTHING)
    grown = False

    def grow(done: int) -> None:
        nonlocal grown
        if not grown and done > len(data) * LEARNING + 1:  # it is read again
            grown = True
            with path.open("ab") as stream:
                stream.write(b".example.jp[192.0.2.1]\n" + data)

    log = explain_log(Source(path.name, str(path)), EVERYTHING, grow, twice=True, piece=40)
    assert log.capture is not None
    assert isinstance(log.capture.records, KeptRecords)
    assert list_told(log, EVERYTHING) == whole
    assert grown


def test_of_sessions_that_went_well_only_the_number_is_held() -> None:
    log = explain(FIXTURES / "outbound-sent-postfix-3.7.log", piece=10)
    assert log.capture is not None
    assert (len(log.capture.sessions), log.capture.counts.quiet) == (0, 1)
    with pytest.raises(KeyError):
        log.capture.records[0]


def write_large(path: Path) -> bytes:
    lines = b"".join(path.read_bytes() for path in LOGS)
    data = lines * (LARGE // len(lines) + 1)
    path.write_bytes(data)
    return data


def drop_names(out: str) -> list[str]:
    """Return the lines that do not say which file it was."""
    return [line for line in out.splitlines() if not re.match(r"  (?:command|log|still in) ", line)]


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.main(["explain", *words])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_a_large_log_on_standard_input_is_copied_and_nothing_is_left_of_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    data = write_large(path)
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, "log")
    for words in (["-v", "-"], ["-"]):
        with path.open("rb") as file:
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(file))
            piped = run(capsys, *words)
        assert piped[0] == code == 0
        assert ("was copied to a private file" in piped[2]) is ("-v" in words)
        assert drop_names(piped[1]) == drop_names(out)
    assert list(folder.iterdir()) == []
    assert len(data) > LARGE


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--all"],
        ["--all", "--format", "md"],
        ["--json"],
        ["--json", "--failed"],
        ["--share"],
        ["--share", "--failed"],
        ["--share", "--json"],
        ["--format", "html"],
        ["--format", "html", "--all"],
        ["--format", "json"],
        ["--format", "json", "--to", "@example.jp"],
    ],
    ids=" ".join,
)
def test_the_command_shows_of_a_large_log_what_it_shows_of_one_that_is_held(
    words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = b"".join(line for lines in read_recordings(1, 20) for line in lines)
    Path("log").write_bytes(lines.replace(b"\n", b"\r\n") if "--to" in words else lines)  # which cannot be searched
    code, out, _ = run(capsys, "log", *words)
    monkeypatch.setattr("pfremote.run.log_files.LARGE", 1)
    again, in_pieces, _ = run(capsys, "log", *words)
    assert (again, drop_times(in_pieces)) == (code, drop_times(out))


@pytest.mark.parametrize("words", [[], ["--failed"]], ids=" ".join)
def test_the_run_folder_of_a_large_log_is_that_of_one_that_is_held(
    words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("log").write_bytes(b"".join(line for lines in read_recordings(2, 12) for line in lines))
    kept = []
    for least in (LARGE, 1):
        monkeypatch.setattr("pfremote.run.log_files.LARGE", least)
        assert run(capsys, "log", "--out", "kept", *words)[0] == 0
        files = sorted(path for path in Path("kept").rglob("*") if path.is_file() and path.name != "run.json")
        kept.append({str(path): path.read_text() for path in files})
        shutil.rmtree("kept")
    whole, in_pieces = kept
    sessions = next(name for name in whole if name.endswith("/sessions.json"))
    understood = [json.loads(files.pop(sessions)) for files in (whole, in_pieces)]
    for content in understood:
        content["hops"].sort(key=lambda hop: hop["lines"])
        content["counts"].pop("short")  # counted while the log was read, or afterwards
    assert understood[0] == understood[1]
    assert in_pieces == whole
    assert len(whole) > 10


def drop_times(out: str) -> str:
    """Return what is told without when it is told."""
    out = re.sub(r'(?m)^ "(?:started|ended)": .*$', "", out)
    return re.sub(r'(?m)^(\{"event":"\w+"),"time":"[^"]*"', r"\1", out)


def test_progress_counts_both_readings_as_one(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_bytes(b"".join(path.read_bytes() for path in LOGS[:40]))
    told: list[int] = []
    explain_log(Source("log", str(path)), Wanted(), told.append, SUMMARY, twice=True)
    assert told == sorted(told)
    assert told[-1] == path.stat().st_size
    assert Source("log", str(path)).is_large is (path.stat().st_size >= LARGE)
    assert not Source("log", "/dev/null").is_large


def test_what_is_told_at_a_glance_is_what_reading_tells() -> None:
    glances = 0
    for path in LOGS:
        records = list(parse_evidence(path.read_bytes(), now=MOMENT, utc_offset=timedelta()))
        counts = Counts()
        for record in records:
            counts.take(record)
        counts.finish()
        gatherer = Gatherer(counts)
        for record in records:
            gatherer.feed(record, record)
        for group in gatherer.finish():
            if went_well(group):
                glances += 1
                sessions = tuple(close_session(number, one) for number, one in enumerate(group.sessions, 1))
                assert find_alone(build_transcripts(sessions, group.followed), group.followed) == (), path
    assert glances
