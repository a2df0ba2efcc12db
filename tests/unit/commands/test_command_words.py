"""Words that are easily typed wrong at three in the morning: none may mean more than was meant."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pfremote import cli
from pfremote.inventory import load_inventory

#: Words, and what the error or its hint must say; nobody is contacted, and the exit code is 2.
TABLE = [
    (["revert", "", "-i", "mx1.invalid,mx2.invalid,"], "PATTERN is empty"),
    (["status", "mx1.invalid", " "], "PATTERN is empty"),
    (["revert", "-i", "mx1.invalid,", "-l", ""], "--limit is empty"),
    (["status", "mx1.invalid", "--instance", ""], "--instance is empty"),
    (["status", "mx1.invalid", "-u", ""], "--user is empty"),
    (["status", "ssh://root@mx1.invalid:22/"], "Type root@mx1.invalid:22"),
    (["status", "mx1;id"], "Type a host as ssh knows it"),
    (["status", "mx[1"], "Type a host as ssh knows it"),
    (["status", "--", "-oProxyCommand=id"], "Type a host as ssh knows it"),
    (["extend", "mx1.invalid", "--minutes", "121"], "--minutes 120"),
    (["extend", "mx1.invalid", "--minutes", "20", "-e", "pfremote_max_minutes=15"], "--minutes 15"),
    (["debug", "mx1.invalid", "--peer", "192.0.2.1", "--reason", "two\nlines"], "--reason"),
    (["debug", "mx1.invalid", "--peer", "192.0.2.1", "--reason", "\x1b[31mred"], "--reason"),
    (["debug", "mx1.invalid", "--peer", "192.0.2.1", "--max-log", ""], "'' is not a size"),
    (["debug", "mx1.invalid", "--peer", "192.0.2.1", "--min-free", ""], "'' is not a percentage"),
    (["debug", "mx1.invalid", "--peer", "192.0.2.1", "--drain", ""], "'' is not a duration"),
    *[
        ([name, "mx1.invalid", "--lease", ""], "'' is no lease id")
        for name in ("status", "extend", "revert", "collect")
    ],
    *[([name, "mx1.invalid", "--lease", "0x12"], "12 digits") for name in ("status", "extend", "revert", "collect")],
    (["revert", "mx1.invalid", "--lease", "0123456789abc"], "its beginning"),
    (["status", "mx1.invalid", "--history"], "hint: pfremote status --help"),
    (["runs", "show"], "To see the newest run, type: pfremote report last"),
    (["debug", "--peer", "192.0.2.1"], "no host is named"),
    (["check"], "no word follows"),
    (["debug", "mx1.invalid", "--peer", "192.0.2.1", "--stop-after", "0"], "0 is less than 1."),
    (["debug", "mx1.invalid", "--peer", "192.0.2.1", "--stop-after", "x"], "'x' is no whole number."),
    (["check", "MX1", "-i", "mx1,mx2,"], "Did you mean mx1?"),
    (["schema"], "Missing argument '{inventory|playbook|config}'. Choose from: inventory, playbook, config"),
]


@pytest.mark.parametrize(("words", "said"), TABLE, ids=[" ".join(words) for words, _ in TABLE])
def test_a_wrong_word_is_one_error_and_one_hint(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert [line.partition(":")[0] for line in shown.err.splitlines()] == ["error", "hint"]
    assert shown.out == ""


def test_a_reason_may_have_any_script_and_its_spaces(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["debug", "mx1.invalid", "--peer", "!", "--detach", "--reason", "認証\u3000失敗 #42"]) == 3
    assert "--reason" not in capsys.readouterr().err


def test_a_time_that_is_too_long_has_a_hint_that_helps(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["debug", "mx1.invalid", "--peer", "192.0.2.1", "--drain", "11"]) == 2
    assert capsys.readouterr().err.endswith("hint: Type at most 10m.\n")


@pytest.mark.parametrize("name", ["127.0.0.1:2222", "root@localhost", "[::1]:2222"])
def test_a_login_or_port_on_loopback_is_what_listens_there(name: str) -> None:
    (target,) = load_inventory([]).select(name)
    assert target.connection == "ssh"


@pytest.mark.parametrize("content", ["{", "[]", '{"schema": 1}', None])
def test_a_run_that_cannot_be_read_is_no_fault_of_ours(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    assert cli.main(["report", str(tmp_path)]) == 2
    assert "hint: List the runs" in capsys.readouterr().err


def test_tree_is_private_whatever_the_umask_and_leaves_other_folders_as_they_are(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    old = os.umask(0o777)
    try:
        for folder in (tmp_path / "new" / "tree", shared):
            assert cli.main(["debug", "mx1.invalid", "--peer", "!", "--check", "--tree", str(folder)]) == 3
    finally:
        os.umask(old)
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path / "new", tmp_path / "new" / "tree", shared)]
    assert modes == [0o700, 0o700, 0o755]
    assert json.loads((shared / "mx1.invalid").read_text())["state"] == "untouched"


def test_a_host_that_resembles_none_of_the_inventory_says_how_to_see_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "submission", "-i", "mx1,mx2,"]) == 2
    assert "hint: See what there is with: pfremote inventory -i mx1,mx2, --graph\n" in capsys.readouterr().err
