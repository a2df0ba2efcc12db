"""What following is made of: merging hosts, the keys, the lines, the summary of a session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest

from pfremote.agent.payloads import Payloads
from pfremote.agent.reply import Reply
from pfremote.follow import Follower
from pfremote.follow.controls import KEYS, Controls
from pfremote.follow.merge import LONGEST_WAIT, Merge
from pfremote.maillog.capture import read_capture
from pfremote.maillog.live import LiveReader
from pfremote.maillog.transcripts.summary import summarise
from pfremote.model.clock import Clock, measure_clock, warn_clock
from pfremote.model.facts import Facts, Lease
from pfremote.output.console import Console
from tests.support.recorder.expect import FIXTURES, NOW

FACTS = Facts("3.7.11", "/etc/postfix", "/etc/postfix/main.cf", True, "journal", ("systemd",), {})
LEASE = Lease("0123456789ab", "armed")


def test_one_host_waits_for_nobody() -> None:
    merge: Merge[str] = Merge()
    merge.reach("a", 10)
    merge.add("a", 12, "later", now=0)
    merge.add("a", 11, "earlier", now=0)
    assert merge.take(now=0) == ["earlier", "later"]


def test_a_line_waits_until_the_other_host_was_asked_for_its_time() -> None:
    merge: Merge[str] = Merge()
    merge.reach("a", 10)
    merge.reach("b", 5)
    merge.add("a", 9, "a9", now=0)
    assert merge.take(now=0) == []
    merge.add("b", 8, "b8", now=1)
    merge.reach("b", 10)
    assert merge.take(now=1) == ["b8", "a9"]


def test_a_line_does_not_wait_for_a_lost_host_or_for_ever() -> None:
    merge: Merge[str] = Merge()
    merge.reach("a", 10)
    merge.reach("b", 5)
    merge.add("a", 9, "a9", now=0)
    assert merge.take(now=LONGEST_WAIT + 1) == ["a9"]
    merge.add("a", 9, "again", now=0)
    merge.drop("b")
    assert merge.take(now=0) == ["again"]


def test_a_line_without_a_time_stays_behind_the_one_before_it() -> None:
    merge: Merge[str] = Merge()
    for time, text in ((3.0, "one"), (None, "two"), (4.0, "three")):
        merge.add("a", time, text, now=0)
    assert merge.take(now=0) == ["one", "two", "three"]


def press(keys: str) -> tuple[Controls, list[str]]:
    ended: list[str] = []
    controls = Controls(lambda: ended.append("end"))
    for key in keys:
        controls.press(key)
    return controls, ended


@pytest.mark.parametrize(
    ("keys", "shown", "ends"),
    [
        ("", KEYS, 0),
        (" ", f"PAUSED, 3 more; {KEYS}", 0),
        ("  ", KEYS, 0),
        ("r", f"raw lines; {KEYS}", 0),
        ("fabc", "filter: abc_ (Enter sets it, Escape leaves it)", 0),
        ("fabcx\x7f\n", f"filter: abc; {KEYS}", 0),
        ("fabc\nf\x1b", f"filter: abc; {KEYS}", 0),
        ("fqr \n", f"filter: qr ; {KEYS}", 0),
        ("q", "end the window now on every host? q again does, any other key goes on", 0),
        ("qn", KEYS, 0),
        ("qq", KEYS, 1),
        ("qy", KEYS, 1),
        ("f\x03\x1b", KEYS, 0),
    ],
)
def test_keys(keys: str, shown: str, ends: int) -> None:
    controls, ended = press(keys)
    assert controls.describe(3) == shown
    assert len(ended) == ends


class Screen:
    """A follower with what it printed and what it told programs."""

    def __init__(self) -> None:
        self.out = StringIO()
        self.events: list[dict[str, Any]] = []
        console = Console(out=self.out, err=StringIO())

        def emit(kind: str, host: str = "", lease: str = "", /, **details: object) -> None:
            self.events.append({"event": kind, "host": host, "lease": lease, **details})

        def make(_reply: Reply, _facts: Facts, _lease: Lease) -> LiveReader:
            return LiveReader(now=NOW, utc_offset=timedelta(0), match=lambda _session: True)

        self.follower = Follower(console, emit, make)

    def give(self, host: str, data: bytes, *, time: int = 0, clock: Clock | None = None) -> str:
        """Let a reply to ``tail`` come; return what is printed because of it."""
        before = self.out.tell()
        reply = Reply("ok", (("time", str(time)),), Payloads({"lines": data}))
        self.follower.take(host, reply, FACTS, LEASE, clock or Clock())
        return self.out.getvalue()[before:]


def fixture(name: str) -> bytes:
    return (FIXTURES / f"{name}-postfix-3.7.log").read_bytes()


def test_plain_lines_have_host_time_and_who() -> None:
    screen = Screen()
    shown = screen.give("mx1", fixture("sasl-bad-password"))
    lines = shown.splitlines()
    assert lines[0].startswith("mx1  05:")
    assert "  *  session 1 begins: smtpd, client " in lines[0]
    assert any("  C: AUTH PLAIN [redacted: password of user@example.jp]" in line for line in lines)
    assert any("  S: 535 5.7.8 " in line for line in lines)
    assert "session 1 over: auth-failed; PLAIN user@example.jp refused" in lines[-1]
    (event,) = screen.events
    assert (event["event"], event["host"], event["outcome"], event["queue_ids"]) == (
        "session",
        "mx1",
        "auth-failed",
        [],
    )
    assert event["transcript"][0].startswith("session 1: smtpd, client ")


def test_two_hosts_stand_in_the_order_of_corrected_time() -> None:
    screen = Screen()
    stamp = "2026-11-24T05:00:{:02}.000000+00:00 {} postfix/smtpd[7]: {}\n"
    lines = ["connect from c[192.0.2.5]", "> c[192.0.2.5]: 220 hello", "< c[192.0.2.5]: NOOP"]
    start = datetime(2026, 11, 24, 5, 0, 0, tzinfo=UTC).timestamp()
    slow = "".join(stamp.format(10 + 2 * n, "b", text) for n, text in enumerate(lines)).encode()
    fast = "".join(stamp.format(41 + 2 * n, "a", text) for n, text in enumerate(lines)).encode()
    screen.give("b", b"", time=int(start) + 5)
    screen.give("a", fast, time=int(start) + 59, clock=Clock(30.0, 0.1))
    assert screen.out.getvalue() == ""
    shown = screen.give("b", slow, time=int(start) + 30)
    times = [(line.split("  ")[0], line.split("  ")[1]) for line in shown.splitlines() if "begins" not in line]
    assert times == [
        ("b", "05:00:10"),
        ("a", "05:00:11"),
        ("b", "05:00:12"),
        ("a", "05:00:13"),
        ("b", "05:00:14"),
        ("a", "05:00:15"),
    ]


def test_sessions_at_the_same_time_are_told_apart() -> None:
    screen = Screen()
    head = "Nov 24 05:00:00 mx1 postfix/smtpd[{0}]: "
    for pid in (7, 8):
        screen.give(
            "mx1",
            (head + "connect from c[192.0.2.{0}]\n" + head + "> c[192.0.2.{0}]: 220 hi\n").format(pid).encode(),
        )
    shown = screen.give("mx1", (head + "< c[192.0.2.{0}]: NOOP\n").format(7).encode())
    assert shown == "mx1 #1  05:00:00  C: NOOP\n"
    screen.give("mx1", (head + "disconnect from c[192.0.2.{0}]\n").format(8).encode())
    assert screen.give("mx1", (head + "< c[192.0.2.{0}]: RSET\n").format(7).encode()) == "mx1  05:00:00  C: RSET\n"


def test_what_comes_while_paused_is_shown_afterwards() -> None:
    screen = Screen()
    screen.follower.press(" ")
    assert screen.give("mx1", fixture("relay-denied")) == ""
    assert "PAUSED" in screen.follower.describe()
    screen.follower.press(" ")
    assert "554 5.7.1" in screen.out.getvalue()


def test_raw_lines_and_the_filter() -> None:
    screen = Screen()
    for key in "rfsend attr\n":
        screen.follower.press(key)
    shown = screen.give("mx1", fixture("relay-denied")).splitlines()
    assert shown
    assert all("send attr" in line and "postfix/smtpd[" in line for line in shown)


def test_hostile_lines_are_inert() -> None:
    screen = Screen()
    head = b"Nov 24 05:00:00 mx1 postfix/smtpd[7]: "
    data = (
        head
        + b"connect from c[192.0.2.5]\n"
        + head
        + b"> c[192.0.2.5]: 220 hi\n"
        + head
        + b"< c[192.0.2.5]: EHLO \x1b[2J\xff\n"
    )
    shown = screen.give("mx1", data)
    assert "C: EHLO \\x1b[2J\\xff" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("name", "outcome", "words"),
    [
        ("delivered-inbound", "queued", "queued as "),
        ("relay-denied", "rejected", "554 5.7.1"),
        ("sasl-bad-password", "auth-failed", "PLAIN user@example.jp refused"),
        ("tls-no-shared-cipher", "tls-failed", "took"),
        ("lost-connection-rcpt", "lost", "took"),
        ("outbound-sent", "sent", " sent"),
        ("outbound-bounced", "bounced", " bounced"),
        ("outbound-greylisted", "deferred", " deferred"),
        ("lmtp-sent", "sent", " sent"),
    ],
)
def test_a_session_in_one_word(name: str, outcome: str, words: str) -> None:
    capture = read_capture(fixture(name), now=NOW, utc_offset=timedelta(0), match=lambda _session: True)
    found, summary = summarise(capture.transcripts[0])
    assert (found, words in summary) == (outcome, True), summary


def test_a_clock_is_believed_beyond_its_error_only() -> None:
    assert measure_clock(1000.3, 1000.0, 1001.0).correction == 0
    clock = measure_clock(1010.5, 1000.0, 1001.0)
    assert (clock.ahead, clock.error, clock.correction) == (10.0, 0.5, 10.0)
    (reason,) = warn_clock(clock)
    assert reason.message == "this host's clock is 10.0 s ahead of the clock of the machine that asks"
    assert "behind" in warn_clock(Clock(-3.0, 0.5))[0].message
    assert warn_clock(Clock(2.3, 0.5)) == ()
