"""The runbooks that come with pfremote: found by name, listed, copied."""

from __future__ import annotations

from pathlib import Path

import pytest

from pfremote import cli
from pfremote.errors import UsageError
from pfremote.run.runbooks import copy_runbook, find_playbook, list_runbooks


def test_every_runbook_says_what_is_wrong_and_when_to_use_it() -> None:
    books = list_runbooks()
    assert {"sasl-failures", "tls-handshake", "slow-peer"} <= {book.name for book in books}
    assert all(book.title and book.when for book in books)


def test_a_name_means_the_runbook_and_a_file_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_playbook("sasl-failures").name == "sasl-failures.yml"
    assert find_playbook("sasl-failures.yml").is_absolute()
    (tmp_path / "sasl-failures.yml").write_text("- {}\n")
    assert find_playbook("sasl-failures.yml") == Path("sasl-failures.yml")


def test_a_mistyped_name_is_answered_with_the_near_one() -> None:
    with pytest.raises(UsageError) as caught:
        find_playbook("sasl-failure")
    assert caught.value.hint == "Did you mean sasl-failures?"
    with pytest.raises(UsageError) as caught:
        find_playbook("xyzzy")
    assert caught.value.hint == "Type: pfremote run --list"


def test_a_copy_is_the_same_file_and_never_overwrites(tmp_path: Path) -> None:
    copy = copy_runbook("slow-peer", tmp_path)
    assert copy.read_bytes() == find_playbook("slow-peer").read_bytes()
    copy.write_text("changed\n")
    with pytest.raises(UsageError, match="is there already"):
        copy_runbook("slow-peer", tmp_path)
    assert copy.read_text() == "changed\n"


def test_run_list_shows_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "--list"]) == 0
    shown = capsys.readouterr().out
    assert all(f"{book.name}: {book.title}" in shown for book in list_runbooks())
    assert max(map(len, shown.splitlines())) <= 80
