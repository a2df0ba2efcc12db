"""Following: a log read in pieces shows what it shows when read at once, and no secret on the way."""

from __future__ import annotations

import random
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pfremote.maillog.capture import read_capture
from pfremote.maillog.live import Live, LiveEnd, LiveLine, LiveReader
from pfremote.maillog.sessions.build import Session
from pfremote.maillog.transcripts.transcript import build_transcript
from pfremote.maillog.transcripts.turns import Turn
from tests.support.recorder.expect import FIXTURES, NOW, recorded

PASSWORDS = ("R1ght-Passw0rd", "Wr0ng-Passw0rd", "Wr0ng-Relay-Pw", "S3cretPW", "RelayPassw0rd")
LOGS = [*recorded(), FIXTURES / "postfix-3.7-debug.log"]


def everyone(_session: Session) -> bool:
    return True


def pieces(data: bytes, seed: int, largest: int) -> Iterator[bytes]:
    """Cut ``data`` at places that have nothing to do with lines."""
    source = random.Random(seed)  # noqa: S311 - no secret depends on it
    at = 0
    while at < len(data):
        size = source.randint(1, largest)
        yield data[at : at + size]
        at += size


def follow(data: bytes, *, seed: int = 1, largest: int = 4000) -> list[Live]:
    reader = LiveReader(now=NOW, utc_offset=timedelta(0), match=everyone)
    shown = [item for piece in pieces(data, seed, largest) for item in reader.feed(piece)]
    return [*shown, *reader.finish()]


def turns_of(shown: list[Live]) -> list[list[Turn]]:
    """The turns of each session, sessions by their first turn."""
    sessions: dict[int, list[Turn]] = {}
    for item in shown:
        if isinstance(item, LiveLine) and item.turns:
            sessions.setdefault(item.session.id, []).extend(item.turns)
    return sorted(sessions.values(), key=lambda found: found[0].line)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_the_same_turns_as_when_read_whole(path: Path, seed: int) -> None:
    data = path.read_bytes()
    whole = read_capture(data, now=NOW, utc_offset=timedelta(0), match=everyone)
    expected = [list(build_transcript(session).turns) for session in whole.sessions]
    shown = follow(data, seed=seed, largest=10 ** (seed + 1))
    assert turns_of(shown) == sorted((found for found in expected if found), key=lambda found: found[0].line)
    assert sum(isinstance(item, LiveEnd) for item in shown) == len(whole.sessions)


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_no_password_is_shown_on_the_way(path: Path) -> None:
    shown = "\n".join(
        f"{item.record.head}{item.record.text}" if isinstance(item, LiveLine) else repr(item.transcript)
        for item in follow(path.read_bytes(), seed=7, largest=300)
    )
    for password in PASSWORDS:
        middles = [b64encode(b"\0" * shift + password.encode())[4:-4].decode() for shift in range(3)]
        assert [text for text in (password, *middles) if text in shown] == []


HEAD = "Nov 24 05:00:00 mx1 postfix/smtpd[7]: "
PEER = "client.example.jp[192.0.2.5]"


def say(reader: LiveReader, *texts: str) -> str:
    """Feed whole lines and return the text of what is shown for them."""
    data = "".join(f"{HEAD}{text}\n" for text in texts).encode()
    return "\n".join(item.record.text for item in reader.feed(data) if isinstance(item, LiveLine))


def test_lines_wait_for_the_end_of_an_authentication_exchange() -> None:
    reader = LiveReader(now=NOW, utc_offset=timedelta(0), match=everyone)
    assert "EHLO" in say(reader, f"connect from {PEER}", f"> {PEER}: 220 mx1", f"< {PEER}: EHLO c")
    assert say(reader, f"< {PEER}: AUTH LOGIN", f"> {PEER}: 334 VXNlcm5hbWU6") == ""
    # lines came in a wrong order: what stands where the user name belongs is the password
    assert say(reader, f"< {PEER}: {b64encode(b'Pl4nted-Word').decode()}") == ""
    assert say(reader, f"> {PEER}: 334 UGFzc3dvcmQ6", f"< {PEER}: {b64encode(b'alice').decode()}") == ""
    shown = say(
        reader,
        "xsasl_dovecot_handle_reply: auth reply: OK?1?user=alice",
        f"> {PEER}: 235 2.7.0 Authentication successful",
    )
    assert "235" in shown
    assert "Pl4nted-Word" not in shown


def test_a_password_cut_by_every_boundary_is_never_shown() -> None:
    secret = b64encode(b"\0alice\0Pl4nted-Word").decode()
    lines = [
        f"connect from {PEER}",
        f"> {PEER}: 220 mx1",
        f"< {PEER}: AUTH PLAIN {secret}",
        "xsasl_dovecot_handle_reply: auth reply: OK?1?user=alice",
        f"> {PEER}: 235 ok",
        f"< {PEER}: QUIT",
    ]
    data = "".join(f"{HEAD}{line}\n" for line in lines).encode()
    for cut in range(len(data)):
        reader = LiveReader(now=NOW, utc_offset=timedelta(0), match=everyone)
        shown = repr((reader.feed(data[:cut]), reader.feed(data[cut:]), reader.finish()))
        assert "Pl4nted" not in shown
        assert secret[4:20] not in shown
        assert "[redacted: password of alice]" in shown


def test_sessions_of_others_are_not_shown() -> None:
    reader = LiveReader(now=NOW, utc_offset=timedelta(0), match=lambda session: session.peer_address == "192.0.2.9")
    assert say(reader, f"connect from {PEER}", f"> {PEER}: 220 mx1", f"disconnect from {PEER}") == ""
    assert reader.finish() == ()


def test_a_session_that_was_not_debugged_is_not_shown() -> None:
    reader = LiveReader(now=NOW, utc_offset=timedelta(0), match=everyone)
    assert (
        say(
            reader,
            f"connect from {PEER}",
            f"lost connection after CONNECT from {PEER}",
            f"disconnect from {PEER}",
        )
        == ""
    )


def test_the_end_is_told_at_the_disconnect() -> None:
    reader = LiveReader(now=NOW, utc_offset=timedelta(0), match=everyone)
    say(reader, f"connect from {PEER}", f"> {PEER}: 220 mx1")
    (end,) = [
        item
        for item in reader.feed(f"{HEAD}disconnect from {PEER} commands=0/0\n".encode())
        if isinstance(item, LiveEnd)
    ]
    assert (end.transcript.session.peer, end.transcript.session.whole) == (PEER, True)


#: What smtp of Postfix 3.7 logs when a server refuses the recipient of a pipelined delivery, and says so of DATA later.
REFUSED = (
    "< {peer}: 220 relay.example.jp ESMTP",
    "> {peer}: EHLO mx1.example.jp",
    "< {peer}: 250-relay.example.jp",
    "< {peer}: 250 PIPELINING",
    "> {peer}: MAIL FROM:<carol@client.example.jp>",
    "> {peer}: RCPT TO:<bob@x.example.jp>",
    "> {peer}: DATA",
    "< {peer}: 250 2.0.0 ok",
    "< {peer}: 550 5.1.1 no such user",
    "0D89C20C31E: to=<bob@x.example.jp>, relay={peer}, delay=0.17, delays=0.03/0.04/0/0.09, dsn=5.1.1, status=bounced (no)",
    "smtp_stream_setup: maxtime=120 enable_deadline=0 min_data_rate=0",
)
LATER = ("< {peer}: 554 5.5.1 Error: no valid recipients", "> {peer}: RSET", "> {peer}: QUIT", "< {peer}: 250 2.0.0 ok")


def feed_smtp(reader: LiveReader, *texts: str) -> list[Live]:
    peer = "relay.example.jp[192.0.2.20]:25"
    lines = (f"Nov 29 19:47:00 mx1 postfix/smtp[8229]: {text.format(peer=peer)}\n" for text in texts)
    return list(reader.feed("".join(lines).encode()))


def wait(reader: LiveReader, looks: int) -> list[Live]:
    """Look so often and find nothing new."""
    return [item for _ in range(looks) for item in reader.feed(b"")]


def test_a_delivery_is_not_over_while_an_answer_is_awaited() -> None:
    reader = LiveReader(now=NOW, utc_offset=timedelta(0), match=everyone)
    shown = feed_smtp(reader, *REFUSED) + wait(reader, 10)
    assert not [item for item in shown if isinstance(item, LiveEnd)]
    shown += feed_smtp(reader, *LATER) + wait(reader, 3)
    assert isinstance(shown[-1], LiveEnd)
    assert [turn.text for turn in shown[-1].transcript.turns][-3:] == ["RSET", "QUIT", "250 2.0.0 ok"]
    assert not wait(reader, 3) and not reader.finish()


def test_an_answer_that_never_comes_is_not_awaited_for_ever() -> None:
    reader = LiveReader(now=NOW, utc_offset=timedelta(0), match=everyone)
    feed_smtp(reader, *REFUSED)
    (end,) = wait(reader, 100)
    assert isinstance(end, LiveEnd)


def test_a_delivery_over_a_connection_that_is_kept_is_over_with_its_status() -> None:
    reader = LiveReader(now=NOW, utc_offset=timedelta(0), match=everyone)
    greeting, ehlo, *_ = REFUSED
    shown = feed_smtp(reader, greeting, ehlo, "< {peer}: 250 relay.example.jp", *REFUSED[4:6], "> {peer}: DATA")
    shown += feed_smtp(reader, "< {peer}: 250 ok", "< {peer}: 250 ok", "< {peer}: 354 go on", "> {peer}: .")
    shown += feed_smtp(reader, "< {peer}: 250 stored", REFUSED[9].replace("bounced", "sent")) + wait(reader, 3)
    assert isinstance(shown[-1], LiveEnd)
