"""A refused login says when the same client logged in under the same name in another session, and nothing else."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta

import pytest

from pfremote.maillog.capture import read_capture
from pfremote.pseudonyms.capture import disguise_capture
from pfremote.pseudonyms.names import Pseudonyms
from tests.support.recorder.expect import NOW

C = "c.example.jp[192.0.2.1]"
TOLD = "Another session of this client logged in as alice at 2026-11-24 05:12:00 UTC."


def refused(pid: int, client: str = C, user: str = "alice") -> list[str]:
    """A session at the normal level: Postfix names the user since 3.6 or so."""
    return [
        f"05:01:00 {pid} connect from {client}",
        f"05:01:01 {pid} warning: {client}: SASL LOGIN authentication failed: (reason unavailable), sasl_username={user}",
        f"05:01:02 {pid} disconnect from {client} ehlo=1 auth=0/1 quit=1 commands=2/3",
    ]


def accepted(pid: int, client: str = C, user: str = "alice", at: str = "05:12:00") -> list[str]:
    return [
        f"{at} {pid} connect from {client}",
        f"{at} {pid} 5AB0C11D22E: client={client}, sasl_method=LOGIN, sasl_username={user}",
        f"{at} {pid} disconnect from {client} ehlo=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=6",
    ]


def dialogue(pid: int, reply: str, at: str, password: str = "Gr4nite-77", verdict: str = "FAIL") -> list[str]:  # noqa: S107
    """A debugged session of a Postfix whose warnings name nobody."""
    response = b64encode(f"\0alice\0{password}".encode()).decode()
    warning = [f"{at} {pid} warning: {C}: SASL PLAIN authentication failed: (reason unavailable)"]
    return [
        f"{at} {pid} connect from {C}",
        f"{at} {pid} < {C}: AUTH PLAIN {response}",
        f"{at} {pid} xsasl_dovecot_handle_reply: auth reply: {verdict}?1?user=alice",
        *(warning if verdict == "FAIL" else []),
        f"{at} {pid} > {C}: {reply}",
        f"{at} {pid} disconnect from {C} auth=0/1 commands=0/1",
    ]


def write(lines: list[str]) -> bytes:
    parts = (line.split(" ", 2) for line in lines)
    return "".join(f"Nov 24 {at} mx postfix/smtpd[{pid}]: {text}\n" for at, pid, text in parts).encode()


def meanings(lines: list[str]) -> list[str]:
    capture = read_capture(write(lines), now=NOW, utc_offset=timedelta(), match=None)
    return [finding.meaning for finding in capture.findings if finding.code == "auth.bad-credentials"]


@pytest.mark.parametrize("first", [refused(7), dialogue(7, "535 5.7.8 Error: authentication failed", "05:01:00")])
@pytest.mark.parametrize(
    "then",
    [accepted(7), accepted(9), dialogue(9, "235 2.7.0 Authentication successful", "05:12:00", "B4salt-99", "OK")],
)
def test_it_is_told(first: list[str], then: list[str]) -> None:
    (meaning,) = meanings([*first, *then])
    assert meaning.endswith(TOLD)


@pytest.mark.parametrize(
    "then",
    [
        accepted(9, client="d.example.jp[192.0.2.2]"),
        accepted(9, user="bob"),
        refused(9),
    ],
    ids=["another client", "another user", "refused again"],
)
def test_of_another_client_or_user_it_is_not(then: list[str]) -> None:
    assert not any("Another session" in meaning for meaning in meanings([*refused(7), *then]))


def test_a_login_before_is_none_after() -> None:
    (meaning,) = meanings([*accepted(9, at="05:00:00"), *refused(7)])
    assert "Another session" not in meaning


def test_one_in_the_same_session_is_not_another() -> None:
    start, failed, end = refused(7)
    (meaning,) = meanings([start, failed, accepted(7, at="05:01:01")[1], end])
    assert "Another session" not in meaning
    (meaning,) = meanings([start, failed, accepted(7, at="05:01:01")[1], end, *accepted(8)])
    assert meaning.endswith(TOLD)


def test_who_is_not_named_did_not_come_back() -> None:
    start, failed, end = refused(7)
    nameless = failed.partition(", sasl_username")[0]
    (meaning,) = meanings([start, nameless, end, *accepted(9)])
    assert "Another session" not in meaning


def test_the_first_one_after_each_failure_is_told() -> None:
    lines = [*refused(7), *accepted(8), *accepted(8, at="05:13:00"), *refused(9), *accepted(8, at="05:14:00")]
    lines[-6:-3] = [line.replace("05:01", "05:13") for line in refused(9)]
    first, second = meanings(lines)
    assert first.endswith(TOLD)
    assert second.endswith("logged in as alice at 2026-11-24 05:14:00 UTC.")


def test_a_copy_under_tokens_says_it_too() -> None:
    capture = read_capture(write([*refused(7), *accepted(9)]), now=NOW, utc_offset=timedelta(), match=None)
    (finding,) = disguise_capture(capture, Pseudonyms(b"k" * 32)).findings
    assert "Another session of this client logged in as " in finding.meaning
    assert "alice" not in finding.meaning
