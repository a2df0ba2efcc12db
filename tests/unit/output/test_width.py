"""Lines on a terminal end between words, whatever its width; in a pipe each is one line."""

from __future__ import annotations

import io
import re

import pytest

from pfremote.errors import ExitCode, Reason
from pfremote.model.result import HostResult
from pfremote.output.columns import USUAL_COLUMNS, columns_of, page_width
from pfremote.output.console import Console
from pfremote.output.messages import Messages
from pfremote.output.output import Output
from pfremote.output.recap import render_recap
from pfremote.text.terminal import measure

HOST = "submit01.example.jp"
FINDING = (
    "[proven] auth.bad-credentials: the SASL server refused the PLAIN credentials; account 佐藤@example.jp; "
    "answered: 535 5.7.8 Error: authentication failed: (reason unavailable); session 1"
)
HINT = "Fetch the evidence with: pfremote collect submit01.example.jp --lease 0123456789ab -i inventory.yml -u operator"


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(params=["xterm-256color", "dumb"])
def terminal(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("TERM", request.param)
    return str(request.param)


def speak(console: Console) -> None:
    """Say what has several shapes: talk, a hint with a command, data, a recap."""
    console.say(FINDING, host=HOST, style="green")
    console.hint(HINT, host=HOST)
    console.tell(FINDING, host=HOST, style="red")
    lost = HostResult(HOST, "unknown", armed=True, error=Reason("unknown", FINDING, HINT))
    console.show_rows(render_recap([lost]))


def plain(text: str) -> list[str]:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).splitlines()


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
@pytest.mark.usefixtures("terminal")
def test_a_terminal_gets_lines_that_fit_and_no_word_is_cut(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    out, err = Terminal(), Terminal()
    speak(Console(out=out, err=err))
    wide, narrow = io.StringIO(), [*plain(err.getvalue()), *plain(out.getvalue())]
    speak(Console(out=wide, err=wide))
    assert max(map(measure, narrow)) <= columns
    words = sorted(word for line in narrow for word in line.split() if word != "\\")
    assert words == sorted(wide.getvalue().split())


def test_a_pipe_gets_each_on_one_line() -> None:
    out = io.StringIO()
    console = Console(out=out, err=out)
    console.say(FINDING, host=HOST)
    console.hint(HINT, host=HOST)
    console.tell(FINDING, host=HOST)
    assert out.getvalue().splitlines() == [f"{HOST}: {FINDING}", f"{HOST}: hint: {HINT}", f"{HOST}: {FINDING}"]


def test_a_command_in_a_hint_stays_one_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "dumb")
    err = Terminal()
    Console(out=io.StringIO(), err=err).hint(HINT)
    first, *command = err.getvalue().splitlines()
    assert first == "hint: Fetch the evidence with:"
    assert " ".join("\n".join(command).replace("\\\n", "").split()) == HINT.partition(": ")[2]


def test_a_path_that_is_wider_than_the_terminal_is_left_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    out, path = Terminal(), f"/home/operator/{'x' * 40}/mx1"
    Console(out=out, err=io.StringIO()).tell(f"1 session: {path}", host="mx1")
    assert [line.strip() for line in plain(out.getvalue())] == ["mx1: 1 session:", path]


def test_who_sees_both_streams_reads_once_why_a_host_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    lost = HostResult(HOST, error=Reason("unreachable", "no answer", "Ping it."))
    for stream, times in ((Terminal, 1), (io.StringIO, 2)):
        out = stream()
        output = Output()
        output.console = Console(out=out, err=out)
        output.messages = Messages(output.console)
        output.emit("failed", HOST, code="unreachable", message="no answer", hint="Ping it.", state="untouched")
        output.recap([lost], ExitCode.HOST_FAILED)
        assert out.getvalue().count("no answer") == times


def test_how_wide_a_terminal_is_comes_from_columns_or_from_itself() -> None:
    assert columns_of(Terminal(), {"COLUMNS": "72"}) == 72
    assert columns_of(Terminal(), {"COLUMNS": "wide"}) == USUAL_COLUMNS
    assert columns_of(io.StringIO(), {"COLUMNS": "72"}) == 0


@pytest.mark.parametrize(("columns", "page"), [("60", 60), ("80", 80), ("200", 80)])
def test_a_page_is_no_wider_than_a_page_and_no_wider_than_the_terminal(
    columns: str, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert (page_width(Terminal()), page_width(io.StringIO())) == (page, 80)
