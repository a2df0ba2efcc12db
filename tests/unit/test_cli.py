"""The command line itself: fast where nothing is contacted, and an exit code for every way out."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from pfremote import __version__, cli
from pfremote.commands import COMMANDS

HEAVY = {"fabric", "paramiko", "invoke", "rich", "pydantic", "jinja2", "yaml", "click"}


def _run(*words: str, code: str = "") -> subprocess.CompletedProcess[str]:
    script = code or "import sys; from pfremote.__main__ import main; sys.exit(main())"
    return subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("word", ["--version", "--help"])
def test_version_and_help_import_nothing_slow(word: str) -> None:
    probe = "import sys; from pfremote.__main__ import main; main(); print(*sys.modules, file=sys.stderr)"
    done = _run(word, code=probe)
    assert not HEAVY & {name.partition(".")[0] for name in done.stderr.split()}


def test_help_of_a_command_does_not_import_what_contacts_hosts() -> None:
    probe = (
        "import sys\nfrom pfremote.__main__ import main\n"
        "code = main()\nprint(*sys.modules, file=sys.stderr)\nsys.exit(code)"
    )
    done = _run("debug", "--help", code=probe)
    assert done.returncode == 0, done.stderr
    assert not (HEAVY - {"click"}) & {name.partition(".")[0] for name in done.stderr.split()}


def test_version_is_the_packages() -> None:
    assert _run("--version").stdout == f"pfremote {__version__}\n"


def test_help_names_every_command() -> None:
    shown = _run("--help").stdout
    assert all(f"  {name} " in shown for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_module_and_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([name, "--help"]) == 0
    assert COMMANDS[name].split(",")[0].split(".")[0] in " ".join(capsys.readouterr().out.split())
    command = cli.group.get_command(click.Context(cli.group), name)
    assert command is not None
    assert command.name == name


@pytest.mark.parametrize(
    "words", [["nonsense"], ["debug"], ["debug", "mx1", "--level", "two"], ["debug", "mx1", "--frobnicate"]]
)
def test_a_usage_error_is_exit_2_with_a_hint(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 2
    shown = capsys.readouterr()
    assert "hint: " in shown.err


@pytest.mark.parametrize(
    "words",
    [
        ["debug", "mx1", "--peer", "10.0.1.20", "--minutes", "soon", "--json"],
        ["debug", "mx1", "--frobnicate", "--json"],
        ["debug", "mx1", "--json"],
    ],
)
def test_with_json_a_usage_error_ends_in_failed_and_recap(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 2
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events] == ["failed", "recap"]
    assert events[1]["exit_code"] == 2


def test_pfremote_alone_answers_with_three_examples() -> None:
    done = _run()
    assert done.returncode == 0
    assert len(re.findall(r"^  pfremote ", done.stdout, re.M)) == 3
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_mistyped_command_is_answered_with_the_near_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["stauts", "mx1"]) == 2
    assert "hint: Did you mean: pfremote status?" in capsys.readouterr().err
    assert cli.main(["xyzzy"]) == 2
    assert "hint: Type: pfremote --help" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["debug"], ["check"]])
def test_nothing_typed_is_two_lines_and_not_the_whole_help(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2, said
    assert said[1].startswith(f"hint: Type: {' '.join(['pfremote', *words])} --help")


def test_where_nothing_can_be_kept_nothing_is_begun(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["debug", "mx1.invalid", "--peer", "192.0.2.1"]
    assert cli.main([*words, "--out", "/proc/no"]) == 2
    assert "RECAP" not in capsys.readouterr().err


def test_a_bug_is_one_sentence_and_a_private_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    @click.command("runs")
    def broken() -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *_: broken)
    assert cli.main(["runs"]) == 1
    shown = capsys.readouterr().err
    assert "ZeroDivisionError" in shown
    assert "secret detail" not in shown
    (kept,) = (tmp_path / "pfremote" / "tracebacks").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "secret detail" in kept.read_text()


def test_a_password_file_that_others_may_read_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "password"
    file.write_text("opensesame\n")
    file.chmod(0o644)
    assert cli.main(["status", "mx1", "--become-password-file", str(file)]) == 2
    shown = capsys.readouterr().err
    assert f"chmod 600 {file}" in shown
    assert "opensesame" not in shown


def test_a_password_is_never_asked_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", "mx1", "-K"]) == 2
    assert "--become-password-file" in capsys.readouterr().err


def test_sudoers_is_one_line_for_one_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["sudoers", "--for", "ops"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "ops ALL=(root) NOPASSWD: /usr/local/sbin/pfremote-agent\n"
    assert "warning" not in shown.err
    assert cli.main(["sudoers", "--user", "ops"]) == 0  # its old name
    again = capsys.readouterr()
    assert (again.out, "is now called --for" in again.err) == (shown.out, True)
    assert cli.main(["sudoers", "--for", "ops, root"]) == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_the_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["completion", shell]) == 0
    assert "_PFREMOTE_COMPLETE" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["explain", "{}"],
        ["explain", "mx1={}"],
        ["inventory", "-i", "{}"],
        ["run", "{}.yml"],
        ["report", "{}"],
        ["debug", "mx1", "--peer", "192.0.2.7", "--out", "{}"],
        ["inventory", "-i", "mx1,", "--vault-password-file", "{}"],
        ["doctor", "-i", "{}"],
    ],
)
def test_a_path_that_cannot_be_looked_at_is_no_fault_of_ours(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    # As a folder that is closed to us does, a name that is too long fails with more than "not there".
    assert cli.main([word.format("x" * 300) for word in words]) == 2
    shown = "".join(capsys.readouterr())
    assert "File name too long" in shown
    assert "fault of pfremote" not in shown
