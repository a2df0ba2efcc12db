"""Of a process that serves many clients only some sessions are read: the answer is that of reading everything."""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from pfremote.maillog import neighbours
from pfremote.maillog.clues import choose_words
from pfremote.maillog.looks import FirstLook, Words
from pfremote.maillog.narrow import Wanted, narrow
from pfremote.maillog.pieces.read import SUMMARY
from pfremote.maillog.search import search
from pfremote.maillog.trail import Found
from pfremote.run.log_files import Source
from pfremote.run.log_report import build_log_report, count_recap, list_events
from pfremote.run.read_logs import Explained, explain_log, find_messages
from pfremote.run.scan import LogScan
from tests.support.busy_log import CLIENTS, USERS, BusyLog
from tests.support.rendering import render_report

MOMENT = datetime(2026, 11, 29, tzinfo=UTC)
FIXTURES = Path(__file__).parents[2] / "fixtures"
#: What Postfix logs without debugging.
QUIET = re.compile(r"\]: (?:[0-9A-F]{8,12}: |(?:dis)?connect from |NOQUEUE: |(?:warning|fatal|error): |lost |timeout )")
PID = re.compile(r"\[(\d+)\]: ")


def write(path: Path, text: str) -> Source:
    path.write_text(text, errors="surrogateescape")
    return Source("log", str(path), named=True)


def compare(source: Source, asked: Iterable[Wanted], monkeypatch: pytest.MonkeyPatch) -> int:
    """Hold what is found by sessions against what whole processes lead to, and against all; return how often."""
    whole = explain_log(source, Wanted(), lambda _done: None)
    assert whole.capture is not None
    compared = 0
    for wanted in asked:
        found = look_for(source, wanted)
        if found.searched is None:
            continue
        with monkeypatch.context() as patch:
            patch.setattr(LogScan, "reach", lambda *_words: None)
            by_process = look_for(source, wanted)
        chosen = replace(whole, capture=narrow(whole.capture, wanted, whole.hops))
        assert tell(found, wanted) == tell(chosen, wanted), wanted
        assert tell(by_process, wanted) == tell(chosen, wanted), wanted
        compared += 1
    return compared


def look_for(source: Source, wanted: Wanted) -> Explained:
    return explain_log(source, wanted, lambda _done: None, SUMMARY)


def tell(log: Explained, wanted: Wanted) -> object:
    if wanted.of_messages():
        return [*list_events([log], find_messages([log], wanted)), ("recap", count_recap([log]))]
    return render_report(build_log_report([log], (), MOMENT, 0), "txt", 80)


@pytest.mark.parametrize("seed", range(24))
def test_busy_processes(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_REACHES", (300, 1000, 10**7))
    log = BusyLog.make(seed)
    rng = random.Random(seed)  # noqa: S311  a log, not a key
    asked = [
        *(Wanted(queue_ids=(queue_id,)) for queue_id in rng.sample(log.queue_ids, min(3, len(log.queue_ids)))),
        *(Wanted(peers=(word,)) for word in rng.choice(CLIENTS)),
        Wanted(users=(rng.choice(USERS),)),
        Wanted(senders=(f"x{rng.randrange(3)}@example.net",)),
        Wanted(recipients=(f"{rng.choice(USERS)}@example.jp",)),
    ]
    assert compare(write(tmp_path / "mail.log", log.text), asked, monkeypatch)


def test_recorded_failures_of_processes_that_serve_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(1)  # noqa: S311
    text = serve_many(rng)
    ids, messages, peers = (
        sorted(set(re.findall(pattern, text)))
        for pattern in (r"\]: ([0-9A-F]{8,12}): ", r"message-id=<([^<>\s]+)>", r"connect from \S+\[(\S+)\]")
    )
    asked = [
        *(Wanted(queue_ids=(word,)) for word in rng.sample(ids, 12)),
        *(Wanted(message_ids=(word,)) for word in rng.sample(messages, 4)),
        *(Wanted(peers=(word,)) for word in rng.sample(peers, 6)),
    ]
    assert compare(write(tmp_path / "mail.log", text), asked, monkeypatch) == len(asked)


def serve_many(rng: random.Random) -> str:
    """Return recordings of one Postfix, each of a client of its own, that two dozen processes serve in turn."""
    lines: list[list[str]] = [[] for _ in range(4)]
    paths = sorted(FIXTURES.glob("*-postfix-3.7.log"))
    rng.shuffle(paths)
    for number, path in enumerate(paths):
        text = re.sub(r"(?m)^(\w{3} [ \d]\d [\d:]{8} )\S+ ", r"\1mx ", path.read_text(errors="surrogateescape"))
        if number % 60:
            text = "".join(line for line in text.splitlines(keepends=True) if QUIET.search(line))
        ids = {word: f"{rng.randrange(16**8, 16**10):010X}" for word in set(re.findall(r"\b[0-9A-F]{8,12}\b", text))}
        text = re.sub(r"\b[0-9A-F]{8,12}\b", partial(rename, ids), text)
        text = re.sub(r"\[(?:127|10|192)\.[\d.]+\]", f"[198.51.{number // 250}.{number % 250}]", text)
        pids = {pid: 1000 + 20 * (number % 4) + at for at, pid in enumerate(dict.fromkeys(PID.findall(text)))}
        text = PID.sub(partial(renumber, pids), text)
        lines[number % 4] += text.splitlines(keepends=True)
    return "".join(mix(lines, rng))


def rename(ids: dict[str, str], found: re.Match[str]) -> str:
    return ids[found[0]]


def renumber(pids: dict[str, int], found: re.Match[str]) -> str:
    return f"[{pids[found[1]]}]: "


def mix(lives: list[list[str]], rng: random.Random) -> Iterator[str]:
    while lives := [life for life in lives if life]:
        life = rng.choice(lives)
        several = rng.choice((1, 1, 2, 5))
        yield from life[:several]
        del life[:several]


#: Sessions of one process: what is quoted of one client teaches a secret, and the others have their own lines.
SESSIONS = """\
connect from a[192.0.2.1]
1A2B3C4D01: client=a[192.0.2.1]
disconnect from a[192.0.2.1]
connect from b[192.0.2.2]
warning: non-SMTP command from b[192.0.2.2]: S3cretPW
disconnect from b[192.0.2.2]
connect from c[192.0.2.3]
1A2B3C4D03: client=c[192.0.2.3]
disconnect from c[192.0.2.3]
connect from b[192.0.2.2]
NOQUEUE: reject: RCPT from b[192.0.2.2]: 554 5.7.1 <x@example.jp>: Relay access denied; from=<y@example.net> \
to=<x@example.jp> proto=ESMTP helo=<S3cretPW>
disconnect from b[192.0.2.2]
connect from d[192.0.2.4]
disconnect from d[192.0.2.4]
"""


def find(source: Source, wanted: Wanted) -> Found:
    words = choose_words(wanted, messages=wanted.of_messages())
    with LogScan(source, lambda _done: None, []) as scan:
        found = search(scan, words, wanted, MOMENT, reach=scan.reach)
    assert found is not None
    return found


def of_process(pid: int, text: str) -> str:
    return "".join(f"Nov 24 10:00:00 mx postfix/smtpd[{pid}]: {line}\n" for line in text.splitlines())


def test_only_sessions_are_read(tmp_path: Path) -> None:
    source = write(tmp_path / "mail.log", of_process(7, SESSIONS))
    assert sorted(find(source, Wanted(recipients=("x@example.jp",))).lines) == [4, 5, 6, 10, 11, 12]
    found = look_for(source, Wanted(recipients=("x@example.jp",)))
    assert found.capture is not None and "S3cretPW" not in found.capture.evidence_text()


ALL = tuple(range(1, 16))


@pytest.mark.parametrize(
    ("place", "line", "read"),
    [
        pytest.param(1, "< a[192.0.2.1]: EHLO a", ALL, id="debugging"),
        pytest.param(3, "warning: a table has changed", (1, 2, 3, 4, 5, 6, 7, 11, 12, 13), id="between-sessions"),
        pytest.param(
            12, "warning: TLS library problem: x", (4, 5, 6, 10, 11, 12, 13, 14, 15), id="ordinary-behind-the-end"
        ),
        pytest.param(9, "warning: non-SMTP command from e[192.0.2.5]: x", tuple(range(4, 14)), id="lost-connect"),
    ],
)
def test_more_is_read_where_a_session_cannot_be_told(
    place: int, line: str, read: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = SESSIONS.splitlines()
    lines.insert(place, line)
    source = write(tmp_path / "mail.log", of_process(7, "\n".join(lines)) + of_process(8, SESSIONS))
    wanted = Wanted(recipients=("x@example.jp",))
    assert tuple(sorted(number for number in find(source, wanted).lines if number <= len(lines))) == read
    assert compare(source, [wanted], monkeypatch)


def test_all_is_read_where_the_log_begins_in_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(tmp_path / "mail.log", of_process(7, SESSIONS.partition("connect from b[192.0.2.2]\n")[2]))
    wanted = Wanted(recipients=("x@example.jp",))
    assert tuple(sorted(find(source, wanted).lines)) == ALL[:10]
    assert compare(source, [wanted], monkeypatch)


def test_an_address_that_quotes_a_line_of_log_ends_no_session(tmp_path: Path) -> None:
    quote = "1A2B3C4D09: from=<a mx postfix/smtpd[7]: disconnect from b>, size=1, nrcpt=1 (queue active)"
    lines = of_process(7, SESSIONS).splitlines(keepends=True)
    lines[5] = f"Nov 24 10:00:00 mx postfix/qmgr[9]: {quote}\n"  # the end is lost: c's session is read as well
    source = write(tmp_path / "mail.log", "".join(lines))
    assert sorted(find(source, Wanted(recipients=("x@example.jp",))).lines) == [4, 5, *range(7, 13)]


def test_what_stands_around_a_place_is_read_from_the_file_that_has_it(tmp_path: Path) -> None:
    parts = tuple(write(tmp_path / f"mail.log.{number}", of_process(number, SESSIONS)) for number in (2, 1))
    with LogScan(replace(parts[1], parts=parts), lambda _done: None, []) as scan:
        length = sum(seen.length for seen in scan(FirstLook(Words((b"nothing",)))))
        around = scan.reach(length // 2, 100)
    assert around is not None
    assert around.text[around.at :].startswith(b"Nov 24 10:00:00 mx postfix/smtpd[1]: connect from a[192.0.2.1]\n")
    assert around.first == around.at and around.text[: around.end].endswith(b"\n")


def test_a_packed_file_is_read_from_its_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mail.log.gz"
    path.write_bytes(gzip.compress(of_process(7, SESSIONS).encode()))
    source, wanted = Source("log", str(path), named=True), Wanted(recipients=("x@example.jp",))
    assert tuple(sorted(find(source, wanted).lines)) == ALL[:-1]
    assert compare(source, [wanted], monkeypatch)
