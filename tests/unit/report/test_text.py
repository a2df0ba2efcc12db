"""The report in a terminal and in Markdown: exact samples, the width, and hostile text that stays text."""

from __future__ import annotations

import dataclasses
import html
import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfremote.report import Format, Report
from pfremote.report.credentials import summarise_exposures
from pfremote.report.markdown_text import quote_block, quote_inline, write_prose
from pfremote.report.words import headline
from pfremote.text.terminal import measure
from tests.support.rendering import render_report
from tests.support.runs import (
    HOSTILE,
    HostData,
    host_from_log,
    make_exposure,
    make_finding,
    make_hostile_host,
    make_report,
    make_session,
)

ANYTHING = st.text(st.characters(codec=None))


@pytest.mark.parametrize("fmt", ["txt", "md", "html"])
def test_the_command_can_be_pasted(fmt: Format) -> None:
    command = ("pfremote", "collect", "mx", "-l", "!mx3", "--reason", "ticket 7")
    report = dataclasses.replace(make_report(HostData("mx1")), command=command)
    assert "pfremote collect mx -l '!mx3' --reason 'ticket 7'" in html.unescape(render_report(report, fmt))


def test_a_small_report_reads_like_this() -> None:
    host = HostData("mx1.example.jp", sessions=[make_session(("EHLO a", "250 b"), folded=7)], evidence=("a", "b"))
    host.findings = [make_finding(line=2)]
    host.exposures = [make_exposure()]
    text = render_report(make_report(host), "txt")
    assert text.startswith(
        """\
pfremote run 20261124T050130Z-3fa9c1
1 of 1 host clean or untouched, 1 session, 1 finding, 1 credential to change

  command   pfremote debug mx --peer 192.0.2.10
  started   2026-11-24 05:01:30 UTC
  ended     2026-11-24 05:11:30 UTC
  exit      0: all done, every host as it should be
  peers     192.0.2.10
  reason    AUTH fails since Monday

Findings
========
1. [proven] Authentication failed: wrong password
  host      mx1.example.jp
  proof     line 2: b
  meaning   Dovecot compared the password and said no.
  next step Try the account on the host with doveadm.

Credentials to change
=====================
Change these passwords and revoke these tokens. Their clear text is still in the
host's own log, which pfremote does not edit.
- user@example.jp
  host      mx1.example.jp
  time      2026-11-24 05:01:30 UTC
  what      password by PLAIN (in: AUTH dialogue)
  still in  /var/log/mail.log
"""
    )
    assert text.endswith(
        """\
05:01:30      C: EHLO a
05:01:30.007  S: 250 b
                 (7 debug lines not shown)
"""
    )


@pytest.mark.parametrize("width", [60, 80])
def test_no_line_is_wider_than_the_page(width: int) -> None:
    report = make_report(host_from_log("mx1.example.jp", "postfix-3.7-debug.log"), make_hostile_host("東京" * 90))
    assert max(map(measure, render_report(report, "txt", width).split("\n"))) <= width


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("fmt", ["txt", "md", "json"])
def test_nothing_in_a_rendering_steers_a_terminal(text: str, fmt: str) -> None:
    shown = render_report(make_report(make_hostile_host(text)), fmt)  # type: ignore[arg-type]
    shown.encode("utf-8")
    odd = {char for char in shown if unicodedata.category(char)[0] == "C" or char in "\u2028\u2029"}
    assert odd <= {"\n"}


@pytest.mark.parametrize("text", HOSTILE)
def test_json_stays_json(text: str) -> None:
    shown = render_report(make_report(make_hostile_host(text)), "json")
    assert shown.isascii()
    json.loads(shown)


def live_markdown(text: str) -> str:
    """Return what is left of Markdown without its fenced blocks and code spans (CommonMark 4.5, 6.1)."""
    prose: list[str] = []
    fence = ""
    for line in text.split("\n"):
        if fence:
            if re.fullmatch(rf" {{0,3}}`{{{len(fence)},}}\s*", line):
                fence = ""
        elif opened := re.match(r"(`{3,})text$", line):
            fence = opened[1]
        else:
            prose.append(line)
    assert not fence, "a block is still open at the end"
    return re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", "\n".join(prose))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_markup_comes_of_hostile_text_in_markdown(text: str) -> None:
    left = live_markdown(render_report(make_report(make_hostile_host(text)), "md"))
    plain = live_markdown(render_report(make_report(make_hostile_host("x")), "md"))
    assert not re.search(r"[<>\[\]\\`!]|://|www\.|\w@\w", left)
    assert len(re.findall(r"^#+ ", left, re.MULTILINE)) == len(re.findall(r"^#+ ", plain, re.MULTILINE))
    assert left.count("|") == plain.count("|")


@given(ANYTHING)
def test_a_code_span_is_one_span(text: str) -> None:
    span = quote_inline(text)
    assert "\n" not in span
    assert "|" not in span
    assert span == "—" or live_markdown(span) == ""


@given(st.lists(ANYTHING))
def test_a_block_is_one_block(lines: list[str]) -> None:
    assert live_markdown(quote_block(lines)) == ""


@given(ANYTHING)
def test_prose_holds_only_words_and_code(text: str) -> None:
    left = live_markdown(write_prose(text))
    assert not re.search(r"[<>\[\]\\`!_*#&|@~=+-]{2,}|[<>\[\]\\`|@*_#~&]", left)


def test_ordinary_prose_stays_as_it_is() -> None:
    text = 'The client hung up after 300 s; it waited too long (or gave up), see "smtpd".'
    assert write_prose(text) == text


def with_exposures(*exposures: dict[str, object]) -> Report:
    host = HostData("mx1", sessions=[make_session(("EHLO a", "250 b"))])
    host.exposures = list(exposures)
    return make_report(host)


TLS_KEY = make_exposure(account="(unknown)", kind="TLS ticket key")


@pytest.mark.parametrize("fmt", ["txt", "md", "html"])
def test_keys_of_tls_connections_are_no_credential_to_change(fmt: Format) -> None:
    text = render_report(with_exposures(make_exposure(), TLS_KEY), fmt)
    assert "1 credential to change" in text
    before, after = text.split("Nothing to change")
    assert "password by PLAIN" in before
    assert "TLS ticket key" not in before
    assert "keys of TLS connections" in after


@pytest.mark.parametrize("fmt", ["txt", "md", "html"])
def test_nobody_is_told_to_change_what_needs_no_change(fmt: Format) -> None:
    empty = make_exposure(kind="empty password")
    header = make_exposure(account="(unknown)", kind="message header")
    text = render_report(with_exposures(TLS_KEY, empty, header), fmt)
    assert "0 credentials to change" in text
    assert "to judge" not in text
    assert "Change these passwords" not in text
    assert "empty password by PLAIN" in text.partition("Nothing to change")[2]


@pytest.mark.parametrize("fmt", ["txt", "md", "html"])
def test_a_refused_password_is_one_to_judge(fmt: Format) -> None:
    """It may be mistyped, or belong elsewhere; so may what smtpd took for a command."""
    refused = make_exposure(refused=True)
    command = make_exposure(account="(unknown)", kind="unrecognised command", mechanism="")
    text = " ".join(render_report(with_exposures(refused, command), fmt).split())
    assert "0 credentials to change, 2 to judge" in text
    assert "Change these passwords" not in text
    after = text.partition("Change the password of an account if this is it")[2]
    assert "password by PLAIN, refused by the server" in after
    assert "perhaps a password" in after


def test_a_password_that_was_accepted_at_last_is_one_to_change() -> None:
    report = with_exposures(
        make_exposure(refused=True), make_exposure(), make_exposure(account="b@example.jp", refused=True)
    )
    assert "1 credential to change, 1 to judge" in headline(report)
    (changed, judged) = summarise_exposures(report)
    assert changed[1].startswith("change the credential of user@example.jp: password by PLAIN (in")
    assert judged[1].startswith(
        "change the credential of b@example.jp if it is a real one: password by PLAIN, refused by the server (in"
    )


def test_what_nobody_is_named_for_is_not_judged_by_another_of_the_kind() -> None:
    unnamed = make_exposure(account="(unknown)")
    assert "1 credential to change, 1 to judge" in headline(with_exposures(unnamed, {**unnamed, "refused": True}))
