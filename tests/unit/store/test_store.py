"""The run folder: private, whole or not there, and readable again whatever happened to it."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfremote.errors import PfremoteError, Reason, UsageError
from pfremote.maillog.capture import Capture, read_capture
from pfremote.maillog.messages.collect import collect_hops
from pfremote.model.facts import Lease
from pfremote.model.result import HostResult
from pfremote.model.secret import Secret
from pfremote.private_files import storage_error, write_private
from pfremote.report import read_report, write_report
from pfremote.store import DamagedRunError, RunStore, list_runs, load_host, load_run
from pfremote.store.encode import to_json
from pfremote.store.main_cf import diff_main_cf
from pfremote.store.names import choose_folder
from tests.support.rendering import render_report
from tests.support.runs import FIXTURES, STARTED

COMMAND = ("pfremote", "debug", "mx", "--peer", "192.0.2.10")
BEFORE = b"myhostname = mx.example.jp\n"
DURING = BEFORE + b"debug_peer_list = 192.0.2.10\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture(params=[0o022, 0o000, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    old = os.umask(request.param)
    yield request.param
    os.umask(old)


def make_capture(fixture: str = "sasl-bad-password-postfix-3.7.log") -> Capture:
    evidence = (FIXTURES / fixture).read_bytes()
    return read_capture(evidence, now=STARTED, utc_offset=timedelta(0), match=lambda _session: True)


def make_store(root: Path, started: datetime = STARTED) -> RunStore:
    return RunStore.create(None, command=COMMAND, started=started, root=root)


def store_one(store: RunStore, name: str = "mx1.example.jp", **details: object) -> HostResult:
    capture = make_capture()
    result = HostResult(name, "clean", armed=True, reverted=True, sessions=len(capture.sessions))
    copies = {"before": BEFORE, "during": DURING, "after": BEFORE}
    return store.write_host(result, capture=capture, main_cf=copies, source="/var/log/mail.log", **details)  # type: ignore[arg-type]


def finish(store: RunStore, *results: HostResult) -> None:
    store.write_run(results, ended=STARTED + timedelta(minutes=10), exit_code=0)


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_folder_holds_exactly_these_files(root: Path) -> None:
    store = make_store(root)
    finish(store, store_one(store))
    store.write_report("report.html", ["<!doctype html>"])
    store.write_report("report.md", ["# run"])
    assert files_of(store.path) == {
        "run.json",
        "report.html",
        "report.md",
        "mx1.example.jp/evidence.log",
        "mx1.example.jp/sessions.json",
        "mx1.example.jp/transcripts/001.txt",
        "mx1.example.jp/main.cf.before",
        "mx1.example.jp/main.cf.during",
        "mx1.example.jp/main.cf.after",
        "mx1.example.jp/main.cf.diff",
    }


def test_everything_is_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    store = RunStore.create(tmp_path / "new" / "out", command=COMMAND, started=STARTED)
    finish(store, store_one(store))
    store.write_report("report.md", ["# run"])
    for path in [tmp_path / "new", *(tmp_path / "new").rglob("*")]:
        mode = stat.S_IMODE(path.lstat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_what_was_written_is_read_again(root: Path) -> None:
    store = RunStore.create(None, command=COMMAND, started=STARTED, root=root, request={"peers": ("192.0.2.10",)})
    lease = Lease("0123456789ab", "reverted", peers=("192.0.2.10",))
    missing = (Reason("rate-limit", "journald suppressed 44 messages", "raise its limit"),)
    result = store_one(store, lease=lease, missing=missing)
    failed = HostResult(
        "mx2", "unknown", error=Reason("unreachable", "no answer"), warnings=(Reason("tls-global", "global"),)
    )
    written = store.write_run([result, failed], ended=STARTED + timedelta(minutes=10), exit_code=5)
    run = load_run(store.id, root)
    assert run == written
    assert run.state == "done"
    assert run.request == {"peers": ["192.0.2.10"]}
    assert run.hosts[0].result == result
    assert run.hosts[0].missing == missing
    assert run.hosts[0].lease["id"] == "0123456789ab"
    assert run.hosts[1].result == failed
    folder = load_host(run, run.hosts[0])
    assert folder.problem == ""
    assert folder.evidence == tuple(make_capture().evidence_bytes().decode().split("\n")[:-1])
    assert folder.diff.endswith("# main.cf.after is main.cf.before, byte for byte\n")
    assert load_host(run, run.hosts[1]).sessions == {}


def test_a_run_that_asked_for_nothing_has_the_peers_and_reasons_of_its_leases(root: Path) -> None:
    store = RunStore.create(None, command=COMMAND, started=STARTED, root=root)
    first = Lease("0123456789ab", "reverted", peers=("192.0.2.10", "192.0.2.11"), reason="ticket 7")
    second = Lease("123456789abc", "reverted", peers=("192.0.2.11",), reason="ticket 7")
    finish(store, store_one(store, "mx1", lease=first), store_one(store, "mx2", lease=second))
    run = load_run(store.id, root)
    assert (run.peers, run.reason) == (("192.0.2.10", "192.0.2.11"), "ticket 7")


def test_the_report_is_made_from_the_folder_alone(root: Path) -> None:
    store = make_store(root)
    finish(store, store_one(store))
    report = read_report(load_run("last", root))
    (session,) = report.sessions
    assert session.lines[0].text.endswith("connect from client.example.jp[192.0.2.10]")
    assert session.lines[-1].text.endswith("commands=3/4") or "disconnect from" in session.lines[-1].text
    assert report.findings
    assert report.findings[0].proof is not None
    assert "client.example.jp" in render_report(report, "txt")


def test_lines_are_named_by_their_place_in_the_stored_evidence(root: Path) -> None:
    evidence = (FIXTURES / "sasl-bad-password-postfix-3.7.log").read_bytes()
    foreign = b"Nov 24 05:01:31 mx postfix/qmgr[1]: 4711: somebody else's\n"
    capture = read_capture(foreign * 3 + evidence, now=STARTED, utc_offset=timedelta(0), match=lambda _session: True)
    store = make_store(root)
    result = store.write_host(HostResult("mx1", "clean"), capture=capture)
    stored = (Path(result.out) / "evidence.log").read_text().split("\n")
    data = json.loads((Path(result.out) / "sessions.json").read_text())
    for turn in data["sessions"][0]["turns"]:
        # What the SASL server answered is put into words; the line is the one that says it.
        shown = "auth reply: FAIL" if turn["text"].startswith("SASL server refused") else turn["text"]
        assert shown in stored[turn["line"] - 1]
    for finding in data["findings"]:
        assert stored[finding["line"] - 1] == next(
            f"{f.proof.head}{f.proof.text}" for f in capture.findings if f.code == finding["code"]
        )


def test_no_secret_of_the_log_or_of_main_cf_is_in_any_file(root: Path) -> None:
    store = make_store(root)
    secrets = [b"S3cretPW", b"UzNjcmV0UFc", b"AGFsaWNlAFMzY3JldFBX", b"tiger"]
    evidence = (FIXTURES / "postfix-3.7-debug.log").read_bytes()
    assert any(secret in evidence for secret in secrets)
    copies = {"before": b"a_password = tiger\n", "during": b"a_password = tiger\nb = c\n"}
    result = store.write_host(HostResult("mx1"), capture=make_capture("postfix-3.7-debug.log"), main_cf=copies)
    finish(store, result)
    report = read_report(load_run("last", root))
    store.write_report("report.html", write_report(report, "html"))
    store.write_report("report.md", write_report(report, "md"))
    for name in files_of(store.path):
        content = (store.path / name).read_bytes()
        assert not [secret for secret in secrets if secret in content], name
    assert {item.account for item in report.exposures} >= {"alice"}


def test_a_second_write_takes_the_place_of_the_first(root: Path) -> None:
    store = make_store(root)
    store_one(store)
    store.write_host(HostResult("mx1.example.jp"), capture=make_capture("relay-denied-postfix-3.7.log"))
    assert not (store.path / "mx1.example.jp" / "main.cf.before").exists()
    assert names_in(store.path) == ["mx1.example.jp", "run.json"]


def test_hosts_are_written_from_many_threads(root: Path) -> None:
    store = make_store(root)
    names = [f"mx{number}" for number in range(12)] + ["MX1", "../mx1", "a/b", "a_b"]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda name: store_one(store, name), names))
    finish(store, *results)
    run = load_run("last", root)
    assert [host.result.host for host in run.hosts] == names
    assert len({host.folder.casefold() for host in run.hosts}) == len(names)
    for host in run.hosts:
        assert load_host(run, host).sessions["result"]["host"] == host.result.host


# The folder that was asked for.


def test_an_empty_folder_of_ours_is_taken_and_made_private(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir(mode=0o755)
    assert RunStore.create(out, command=COMMAND, started=STARTED).path == out
    assert stat.S_IMODE(out.stat().st_mode) == 0o700


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(UsageError, match="is not empty"):
        RunStore.create(tmp_path, command=COMMAND, started=STARTED)
    assert names_in(tmp_path) == ["mine"]


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is not a folder"):
        RunStore.create(tmp_path / "file", command=COMMAND, started=STARTED)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a folder away")
def test_a_folder_of_someone_else_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "theirs"
    out.mkdir()
    os.chown(out, 65534, 65534)
    with pytest.raises(UsageError, match="belongs to another user"):
        RunStore.create(out, command=COMMAND, started=STARTED)


def test_a_path_below_a_file_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PfremoteError) as caught:
        RunStore.create(tmp_path / "file" / "out", command=COMMAND, started=STARTED)
    assert "Not a directory" in caught.value.message
    assert "--out" in caught.value.hint


# A disk that says no.


def test_a_full_disk_leaves_the_old_file_and_no_piece_of_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.json"
    write_private(path, b"old")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)  # delayed allocation: the disk may say it is full only here
    with pytest.raises(PfremoteError) as caught:
        write_private(path, b"new")
    assert "No space left" in caught.value.message
    assert "--out" in caught.value.hint
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["run.json"]


class _BrokenError(Exception):
    pass


def _break_off() -> Iterator[str]:
    yield "a part, \udcff\n"
    raise _BrokenError


def test_a_report_that_breaks_off_while_it_is_made_leaves_nothing_and_keeps_the_old_one(root: Path) -> None:
    store = make_store(root)
    store.write_report("report.md", ["one, \udcff\n", "two\n"])
    with pytest.raises(_BrokenError):
        store.write_report("report.md", _break_off())
    assert (store.path / "report.md").read_bytes() == b"one, \\udcff\ntwo\n"
    assert stat.S_IMODE((store.path / "report.md").stat().st_mode) == 0o600
    with pytest.raises(_BrokenError):
        store.write_report("report.html", _break_off())
    assert names_in(store.path) == ["report.md", "run.json"]


def test_messages_that_the_caller_has_are_not_collected_again(root: Path) -> None:
    store, capture = make_store(root), make_capture("delivered-inbound-postfix-3.7.log")
    hops = collect_hops("", capture.records)
    assert hops
    for name, known in (("mx1", None), ("mx2", hops), ("mx3", ())):
        store.write_host(HostResult(name), capture=capture, hops=known)
    stored = [json.loads((store.path / name / "sessions.json").read_bytes())["hops"] for name in ("mx1", "mx2", "mx3")]
    assert stored[0] == stored[1] == to_json(hops)
    assert stored[2] == []


def test_a_host_that_cannot_be_written_leaves_nothing_and_keeps_the_old_one(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store(root)
    store_one(store)
    before = {name: (store.path / name).read_bytes() for name in files_of(store.path)}
    real, calls = os.fsync, iter(range(100))

    def fails_later(descriptor: int) -> None:
        if next(calls) == 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fails_later)
    with pytest.raises(PfremoteError):
        store_one(store)
    assert {name: (store.path / name).read_bytes() for name in files_of(store.path)} == before


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO, errno.ENAMETOOLONG])
def test_every_error_of_the_disk_has_a_hint(number: int) -> None:
    error = storage_error(Path("out"), OSError(number, os.strerror(number)))
    assert "out" in error.message
    assert "--out DIR" in error.hint


# What is wrong with a run is said.


def test_runs_are_listed_newest_first_with_the_broken_ones(root: Path) -> None:
    first, second = make_store(root), make_store(root, STARTED + timedelta(hours=1))
    finish(first, store_one(first))
    store_one(second, "mx2")
    for number, content in enumerate(
        [None, b"", b"{", b"[]", b'{"kind": "pfremote-run", "schema": 99}', b"\xff\xfe", b"[" * 100_000]
    ):
        broken = root / f"20251124T0501{number}0Z-broken"
        broken.mkdir()
        if content is not None:
            (broken / "run.json").write_bytes(content)
    runs = list_runs(root)
    assert [(run.id, run.state) for run in runs[:2]] == [(second.id, "unfinished"), (first.id, "done")]
    assert runs[0].hosts == 1
    assert runs[1].sessions == 1
    assert {run.state for run in runs[2:]} == {"damaged"}
    assert all(run.why for run in runs[2:])


@pytest.mark.parametrize("key", ["id", "command", "started", "ended", "exit_code", "pfremote", "request", "hosts"])
@pytest.mark.parametrize("value", [None, 3, "x", [], {}, [{}], ["\ud800"], "2026-01-01T00:00:00"])
def test_any_odd_value_is_damage_or_is_read(root: Path, key: str, value: object) -> None:
    store = make_store(root)
    finish(store, store_one(store))
    path = store.path / "run.json"
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, key: value}))
    with suppress(DamagedRunError):
        render_report(read_report(load_run(store.path)), "html")
    (summary,) = list_runs(root)
    assert summary.state in ("done", "unfinished", "damaged")


def test_a_run_that_was_broken_off_still_has_a_report(root: Path) -> None:
    store = make_store(root)
    store_one(store)
    (store.path / ".mx2.01234567.part").mkdir()
    (store.path / ".mx2.01234567.part" / "sessions.json").write_text("{}")
    (store.path / "mx3").mkdir()
    (store.path / "mx3" / "sessions.json").write_text("{")
    run = load_run("last", root)
    assert run.state == "unfinished"
    assert [host.result.host for host in run.hosts] == ["mx1.example.jp", "mx3"]
    text = render_report(read_report(run), "txt")
    assert "unfinished" in text
    assert "cannot be read" in text


@pytest.mark.parametrize("name", ["sessions.json", "evidence.log", "main.cf.diff"])
def test_a_lost_file_of_a_host_is_said(root: Path, name: str) -> None:
    store = make_store(root)
    finish(store, store_one(store))
    (store.path / "mx1.example.jp" / name).unlink()
    report = read_report(load_run("last", root))
    assert (name == "main.cf.diff") or name in report.hosts[0].problem


def test_a_run_json_made_by_someone_else_does_not_lead_out_of_its_folder(root: Path, tmp_path: Path) -> None:
    store = make_store(root)
    finish(store, store_one(store))
    (tmp_path / "evidence.log").write_text("not yours\n")
    (tmp_path / "sessions.json").write_text('{"schema": 1}')
    run = load_run("last", root)
    for folder in ("../..", "..", ".", str(tmp_path), "mx1.example.jp/.."):
        read = load_host(run, dataclasses.replace(run.hosts[0], folder=folder))
        assert read.evidence == ()
        assert read.problem


def test_which_run_is_meant(root: Path) -> None:
    stores = [make_store(root, STARTED + timedelta(days=day)) for day in range(3)]
    assert load_run("last", root).id == stores[2].id
    assert load_run(stores[0].id, root).id == stores[0].id
    assert load_run(stores[1].id[:10], root).id == stores[1].id
    assert load_run(stores[1].path).id == stores[1].id
    assert load_run(stores[1].path / "run.json").id == stores[1].id
    with pytest.raises(UsageError, match="beginning of 3 runs"):
        load_run("2026", root)
    for name in ("1999", "", str(root / "none"), "no/such"):
        with pytest.raises(UsageError, match="no run"):
            load_run(name, root)


def test_there_are_no_runs_yet(root: Path) -> None:
    assert list_runs(root) == ()
    with pytest.raises(UsageError, match="no run 'last'"):
        load_run("last", root)


def test_runs_are_kept_in_the_state_folder(isolated_environment: Path) -> None:
    store = RunStore.create(None, command=COMMAND, started=STARTED)
    assert store.path.parent == isolated_environment / ".local/state/pfremote/runs"
    assert list_runs()[0].id == store.id


# Names, values, diffs.


@given(st.text(st.characters(codec=None)), st.lists(st.text(st.characters(codec=None)), max_size=5))
def test_a_folder_is_one_plain_component_and_free(name: str, others: list[str]) -> None:
    taken: list[str] = []
    for other in [*others, name]:
        taken.append(choose_folder(other, taken))
    folder = taken[-1]
    assert folder == Path(folder).name
    assert folder.isascii()
    assert folder.isprintable()
    assert not folder.startswith((".", "-"))
    assert 0 < len(folder) < 120
    assert len({item.casefold() for item in taken}) == len(taken)
    assert choose_folder(folder) == folder


@pytest.mark.parametrize("name", ["run.json", "report.html", "RUN.JSON", "..", ".", "", "/", "-rf", "a\0b", "x" * 400])
def test_names_that_mean_something_else_get_a_folder_of_their_own(name: str) -> None:
    folder = choose_folder(name)
    assert folder.casefold() not in {"run.json", "report.html", "report.md"}
    assert folder != name


def test_a_secret_is_never_stored() -> None:
    with pytest.raises(TypeError, match="Secret is not stored"):
        to_json({"password": Secret("tiger")})


def test_values_become_json() -> None:
    value = {
        "when": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "took": timedelta(seconds=1.5),
        "set": {"b", "a"},
    }
    assert to_json(value) == {"when": "2026-01-02T03:04:05.000000Z", "took": 1.5, "set": ["a", "b"]}
    assert to_json("\udcff\ud800") == "\\xff\\ud800"
    assert to_json(Path("a/b")) == "a/b"
    assert to_json(b"\xff") == "\\xff"


def test_the_diff_of_main_cf() -> None:
    copies = {"before": b"a = 1\r\nb = 2", "during": b"a = 1\r\nb = 3", "after": b"a = 1\r\nb = 2"}
    assert diff_main_cf(copies, copies).decode() == (
        "--- main.cf.before\n+++ main.cf.during\n@@ -1,2 +1,2 @@\n a = 1\r\n"
        "-b = 2\n\\ No newline at end of file\n+b = 3\n\\ No newline at end of file\n"
        "# main.cf.after is main.cf.before, byte for byte\n"
    )


def test_a_difference_that_was_redacted_is_still_said() -> None:
    redacted = {"before": b"password = ****\n", "after": b"password = ****\n"}
    originals = {"before": b"password = cat\n", "after": b"password = dog\n"}
    assert b"only in values that were taken out" in diff_main_cf(originals, redacted)


def test_nothing_to_compare_no_diff() -> None:
    assert diff_main_cf({"during": b"a"}, {"during": b"a"}) == b""
