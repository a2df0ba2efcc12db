"""Who is to blame for mail that was not taken, and what helps: each line with its cause and a word of the next step."""

from __future__ import annotations

import pytest

from tests.support.outbound_lines import HOST, OUTBOUND, refused, said, status
from tests.unit.maillog.test_causes import find


@pytest.mark.parametrize(("lines", "code", "certainty", "word"), OUTBOUND, ids=lambda value: str(value)[-60:])
def test_a_failed_delivery_is_laid_at_the_right_door(lines: list[str], code: str, certainty: str, word: str) -> None:
    found = find(lines)
    assert [(finding.code, finding.certainty) for finding in found] == [(code, certainty)]
    assert word in f"{found[0].title} {found[0].meaning} {found[0].next_step}"


def test_a_reply_is_not_told_again_beside_the_status_that_repeats_it() -> None:
    reply = f"smtp: 5AB0C11D22E: host {HOST} said: 450 4.9.9 something of its own (in reply to RCPT TO command)"
    codes = [finding.code for finding in find([reply, said("450 4.9.9 something of its own")])]
    assert codes == ["delivery.deferred"]


@pytest.mark.parametrize("reply", ["421 Refused (really)", "421 4.7.1 : (DYN:T1) http://x.example/e.html"])
def test_the_bracket_that_ends_the_status_is_not_part_of_the_reply(reply: str) -> None:
    (finding,) = find([refused(reply + " listed at x.example")])
    assert finding.meaning.count("(") == finding.meaning.count(")")


def test_dots_that_a_server_wrote_stay() -> None:
    (finding,) = find([said("550 5.7.1 <b@example.com>... Relaying denied")])
    assert "... Relaying denied" in finding.meaning


def test_a_lookup_is_repeated_with_the_type_that_failed() -> None:
    reason = "Host or domain name not found. Name service error for name=mail type=AAAA: Host not found, try again"
    (finding,) = find([status(reason, 24, "lmtp")])
    assert "dig AAAA mail" in finding.next_step


@pytest.mark.parametrize(
    "reply",
    [
        "450 too many connections from your IP (rate controlled)",
        "550 5.7.1 This is SPAM, send it (preferably attached) to x@example.com",
        "552 5.3.4 message (of 12 MB) too large (limit 10 MB) for us",
    ],
)
def test_a_reply_with_brackets_in_it_is_shown_whole(reply: str) -> None:
    (finding,) = find([said(reply)])
    assert f"{reply}." in f"{finding.meaning}."
