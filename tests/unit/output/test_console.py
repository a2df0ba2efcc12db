"""What people see: data and talk apart, nothing that a terminal obeys, no colour but on a terminal."""

from __future__ import annotations

import io

import pytest

from pfremote.errors import HostKeyRejected, Reason, Refused
from pfremote.model.result import HostResult
from pfremote.output.columns import wants_colour
from pfremote.output.console import Console


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


def test_whatever_a_host_says_stays_on_its_line() -> None:
    out, err = io.StringIO(), io.StringIO()
    console = Console(out=out, err=err)
    console.say("a\x1b]0;x\x07b\u202ec\udce9\nd\u2028e", host="mx\x1b[1m1")
    console.show("a\x1b[2J\tb")
    assert err.getvalue() == "mx\\x1b[1m1: a\\x1b]0;x\\x07b\\u202ec\\xe9\\x0ad\\u2028e\n"
    assert out.getvalue() == "a\\x1b[2J\\x09b\n"


def test_talk_goes_to_stderr_and_data_to_stdout() -> None:
    out, err = io.StringIO(), io.StringIO()
    console = Console(out=out, err=err)
    console.say("armed", host="mx1")
    console.detail("only with -v", host="mx1")
    console.show("data\nmore")
    console.progress("3 m left")
    assert (out.getvalue(), err.getvalue()) == ("data\nmore\n", "mx1: armed\n")


def test_an_error_has_its_hint_on_a_line_of_its_own() -> None:
    err = io.StringIO()
    console = Console(out=io.StringIO(), err=err)
    console.error(HostKeyRejected("the host key is unknown", hint="ssh-keyscan mx1", host="mx1"))
    console.error(Refused((Reason("no-log", "first", "do this"), Reason("low-disk", "second"))), host="mx2")
    assert err.getvalue().splitlines() == [
        "mx1: error: the host key is unknown",
        "mx1: hint: ssh-keyscan mx1",
        "mx2: refused: first",
        "mx2: hint: do this",
        "mx2: refused: second",
    ]


def test_with_json_stdout_is_left_to_the_events() -> None:
    out = io.StringIO()
    console = Console(out=out, err=io.StringIO(), data=False)
    console.show("data")
    console.recap([HostResult("mx1")])
    assert out.getvalue() == ""


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(environ: dict[str, str], wanted: bool) -> None:
    assert wants_colour(Terminal(), environ) is wanted
    assert not wants_colour(io.StringIO(), environ)


def test_a_terminal_gets_colour_but_never_the_hosts_own_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    err = Terminal()
    console = Console(out=io.StringIO(), err=err)
    console.say("220 \x1b[2J[bold]mx1[/bold]", host="mx1", style="green")
    console.progress("working")
    console.progress("")
    assert "\\x1b[2J[bold]mx1[/bold]" in err.getvalue()
    assert "\x1b[" in err.getvalue()


def test_nothing_moves_where_events_come_to_the_same_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """They do not pass the console, which could not take its moving line away before each."""
    monkeypatch.setenv("TERM", "xterm")
    out, err = Terminal(), Terminal()
    console = Console(out=out, err=err, data=False)
    assert not console.moving
    console.progress("arming 1 host")
    assert err.getvalue() == ""
    elsewhere = Console(out=io.StringIO(), err=err, data=False)
    assert elsewhere.moving
