"""What is said of what is missing: no match yet, a pattern that matched nobody, a session that is cut."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pfremote.maillog.capture import Capture, read_capture
from pfremote.maillog.completeness import count_cut, explain_gaps, lacks_commands
from pfremote.maillog.proof.prove import withhold
from pfremote.model.facts import Lease
from pfremote.model.typed import TYPED
from pfremote.postfix.unmatched import explain_unmatched, find_unmatched
from pfremote.window.no_match import explain_no_match, is_due
from tests.support.recorder.expect import FIXTURES, NOW

QUIET = Lease("0123456789ab", "armed", connects=0)


@pytest.mark.parametrize(
    ("armed_for", "seconds", "due"), [(19, 600, False), (20, 600, True), (3, 9, True), (2.9, 9, False)]
)
def test_when_silence_is_worth_a_word(armed_for: float, seconds: int, due: bool) -> None:
    assert is_due(armed_for, seconds) is due


@pytest.mark.parametrize(
    ("lease", "message", "hint"),
    [
        (
            QUIET,
            "no connection at all since the host is armed: is this the host that the peer talks to?",
            "MX",
        ),
        (
            replace(QUIET, connects=37, nameless=5),
            "no session matched yet: 37 connections from others, none from or to c.example.jp",
            "5 clients of these had no verified name",
        ),
        (
            replace(QUIET, deliveries=1),
            "no session matched yet: 0 connections from others, 1 recipient delivered to others, "
            "none from or to c.example.jp",
            "another address",
        ),
        (
            replace(QUIET, connects=2, heard=("192.0.2.5 gw.example.jp",)),
            "192.0.2.5 (known here as gw.example.jp) connected and is not debugged",
            "master.cf",
        ),
    ],
)
def test_why_nobody_matched(lease: Lease, message: str, hint: str) -> None:
    reason = explain_no_match(lease, ["c.example.jp"])
    assert reason is not None
    assert reason.message == message
    assert hint in reason.hint


@pytest.mark.parametrize("lease", [replace(QUIET, sessions=1), replace(QUIET, connects=None)])
def test_nothing_is_said_where_somebody_matched_or_nobody_looked(lease: Lease) -> None:
    assert explain_no_match(lease, ["c.example.jp"]) is None


SEEN = [("mx.example.jp", "192.0.2.5"), ("unknown", "2001:db8::7")]


@pytest.mark.parametrize(
    ("peers", "resolved", "unmatched"),
    [
        (["192.0.2.5", "192.0.2.6"], {}, ("192.0.2.6",)),
        (["example.jp", "[2001:db8::]/32"], {}, ()),
        (["c.example.jp", "192.0.2.5", "[2001:db8::9]"], {"c.example.jp": ("192.0.2.5", "2001:db8::9")}, ()),
        (["c.example.jp", "192.0.2.8"], {"c.example.jp": ("192.0.2.8",)}, ("c.example.jp",)),
        (["!192.0.2.9", "hash:/etc/postfix/peers", "/etc/postfix/list", "static:all"], {}, ()),
    ],
)
def test_patterns_that_matched_nobody(
    peers: list[str], resolved: dict[str, tuple[str, ...]], unmatched: tuple[str, ...]
) -> None:
    assert find_unmatched(peers, SEEN, resolved=resolved, parent_domain=True) == unmatched


def test_a_hint_that_names_check_names_the_host_too() -> None:
    TYPED.note(["mail"], [("-i", "hosts")])
    line = "pfremote check mx1 -i hosts"
    for reason in (
        explain_no_match(replace(QUIET, heard=("192.0.2.1 x",), connects=1), ["x"]),
        explain_unmatched("192.0.2.1"),
    ):
        assert reason is not None
        assert TYPED.name_host(reason.hint, "mx1").endswith(f": {line}")


def test_what_to_try_depends_on_the_pattern() -> None:
    assert "give the address" in explain_unmatched("client.example.jp").hint
    assert "XCLIENT" in explain_unmatched("[2001:db8::7]").hint


def read(data: bytes) -> Capture:
    return read_capture(data, now=NOW, utc_offset=timedelta(0), match=lambda _session: True)


def gaps(capture: Capture) -> list[str]:
    return [reason.code for reason in explain_gaps(capture.sessions, capture.counts.cut_lines)]


def test_sessions_cut_at_either_end() -> None:
    lines = (FIXTURES / "relay-denied-postfix-3.7.log").read_bytes().splitlines(keepends=True)
    mine = [line for line in lines if b"smtpd[" in line]
    assert gaps(read(b"".join(lines))) == []
    assert gaps(read(b"".join(mine[:-3]))) == ["cut-end"]
    assert gaps(read(b"".join(mine[8:]))) == ["cut-start"]
    assert count_cut(read(b"".join(mine[8:])).sessions) == 1


def test_a_process_that_began_anew_in_the_middle() -> None:
    head = b"Nov 24 05:00:00 mx1 postfix/smtpd[7]: "
    session = [
        b"connect from c[192.0.2.5]",
        b"> c[192.0.2.5]: 220 hi",
        b"< c[192.0.2.5]: QUIT",
        b"disconnect from c[192.0.2.5]",
    ]
    data = b"".join(head + text + b"\n" for text in [*session[:2], *session])
    assert gaps(read(data)) == ["pid-reuse"]


@pytest.mark.parametrize(
    ("counts", "codes"),
    [
        ("ehlo=1 quit=1 commands=2", []),
        ("ehlo=1 auth=0/1 quit=1 commands=2/3", ["lines-lost"]),
        ("ehlo=1 noop=3 quit=1 commands=5", ["lines-lost"]),
        ("commands=0/0", []),
        ("", []),
    ],
)
def test_a_dialogue_with_fewer_commands_than_postfix_counted(counts: str, codes: list[str]) -> None:
    head = "Nov 24 05:00:00 mx1 postfix/smtpd[7]: "
    lines = [
        "connect from c[192.0.2.5]",
        "> c[192.0.2.5]: 220 hi",
        "< c[192.0.2.5]: EHLO c",
        "< c[192.0.2.5]: QUIT",
        f"disconnect from c[192.0.2.5] {counts}",
    ]
    assert gaps(read("".join(f"{head}{line}\n" for line in lines).encode())) == codes


@pytest.mark.parametrize(
    "line",
    [
        "message repeated 3 times: [ < c[192.0.2.5]: NOOP]",
        "message repeated 2 times: [message repeated 2 times: [ < c[192.0.2.5]: NOOP]]",
    ],
)
def test_commands_that_syslog_wrote_once_are_not_lost(line: str) -> None:
    lines = ["connect from c[192.0.2.5]", "> c[192.0.2.5]: 220 hi", "< c[192.0.2.5]: NOOP", line]
    counted = 4 if "3 times" in line else 5
    data = [*lines, f"disconnect from c[192.0.2.5] noop={counted} commands={counted}"]
    assert gaps(read("".join(f"Nov 24 05:00:00 mx1 postfix/smtpd[7]: {text}\n" for text in data).encode())) == []


def test_a_command_that_is_withheld_is_not_lost() -> None:
    """Its line is there, and may not be shown: that is a reason of its own."""
    session, *_ = read(
        b"".join(
            b"Nov 24 05:00:00 mx1 postfix/smtpd[7]: " + text + b"\n"
            for text in (
                b"connect from c[192.0.2.5]",
                b"< c[192.0.2.5]: QUIT",
                b"disconnect from c[192.0.2.5] commands=1",
            )
        )
    ).sessions
    assert not lacks_commands(session)
    first, second, last = session.records
    assert not lacks_commands(replace(session, records=(first, second.with_text(withhold("data after AUTH")), last)))
    assert lacks_commands(replace(session, records=(first, last)))


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        (b"< c[192.0.2.5]: NOOP " + b"x" * (2000 - 21), True),
        (b"< c[192.0.2.5]: NOOP " + b"x" * (1999 - 21), False),
        (b"< c[192.0.2.5]: NOOP " + "é".encode() * 989 + b"x", True),
        (b"warning: " + b"y" * 2000, True),
        (b"warning: " + b"y" * 1990, False),
    ],
)
def test_lines_that_postfix_cut(text: bytes, cut: bool) -> None:
    head = b"Nov 24 05:00:00 mx1 postfix/smtpd[7]: "
    lines = [b"connect from c[192.0.2.5]", b"> c[192.0.2.5]: 220 hi", text, b"disconnect from c[192.0.2.5]"]
    assert gaps(read(b"".join(head + line + b"\n" for line in lines))) == (["line-cut"] if cut else [])
