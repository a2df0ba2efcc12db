"""What logs that admins post must read as: each of these was once read wrong (docs/explanation/findings.md, "Read cold")."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from pfremote.maillog.capture import read_capture
from pfremote.maillog.findings import Finding
from tests.support.recorder.expect import NOW, recorded
from tests.unit.maillog.test_causes import EXAMPLES, find
from tests.unit.maillog.test_findings import found_in

CLIENT = "smtpd: connect from c.example.jp[192.0.2.1]"
MAIL = "from=<a@c.example.jp> to=<b@example.jp> proto=ESMTP helo=<c.example.jp>"


def told(lines: list[str]) -> dict[str, Finding]:
    """Return the findings of ``daemon: text`` lines by code; a line may begin with its own tag in brackets."""
    return {finding.code: finding for finding in find(lines)}


def test_a_filters_words_are_not_those_of_a_tls_library() -> None:
    """opendkim's "bad signature data" is about a header, OpenSSL's about a handshake."""
    data = (
        "Nov 24 02:13:49 mx postfix/smtpd[7]: connect from c.example.jp[192.0.2.1]\n"
        "Nov 24 02:13:49 mx postfix/smtpd[7]: 5AB0C11D22E: client=c.example.jp[192.0.2.1]\n"
        "Nov 24 02:13:50 mx opendkim[9]: 5AB0C11D22E: bad signature data\n"
        "Nov 24 02:13:51 mx postfix/smtpd[7]: disconnect from c.example.jp[192.0.2.1] ehlo=1 mail=1 commands=2\n"
    )
    assert found_in(data.encode()) == ()


def test_the_address_of_a_name_is_without_the_colon_that_follows() -> None:
    (finding,) = find(
        [
            "smtpd: warning: hostname c.example.jp does not resolve to address 192.0.2.1: Name or service not known",
            "smtpd: connect from unknown[192.0.2.1]",
        ]
    )
    assert finding.meaning.startswith("The PTR of 192.0.2.1 is c.example.jp,")
    assert "192.0.2.1:" not in finding.next_step


def test_a_cause_of_another_hour_does_not_silence_what_the_host_says_now() -> None:
    """What is far apart in time is not about one thing."""
    lines = [
        "01:00:00 mx postfix/proxymap[4]: warning: connect to mysql server 127.0.0.1: Can't connect to server",
        "01:00:04 mx postfix/qmgr[5]: warning: problem talking to service rewrite: Connection reset by peer",
        "02:00:00 mx postfix/qmgr[5]: warning: problem talking to service rewrite: Connection timed out",
        "03:00:00 mx postfix/proxymap[4]: warning: connect to mysql server 127.0.0.1: Can't connect to server",
    ]
    found = found_in("".join(f"Nov 24 {line}\n" for line in lines).encode())
    assert [(one.code, one.proof.number, one.count) for one in found] == [("table.sql", 1, 2), ("table.rewrite", 3, 1)]


def test_the_envelope_is_no_word_of_the_block_list() -> None:
    (finding,) = find(
        [
            "postscreen: NOQUEUE: reject: RCPT from [192.0.2.1]:40122: 550 5.7.1 Service unavailable; "
            f"client [192.0.2.1] blocked using zen.example; {MAIL}"
        ]
    )
    assert finding.meaning == "zen.example lists it."


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            "smtp: 5AB0C11D22E: SASL authentication failed; server m[192.0.2.2] said: 535 5.7.8 Error: "
            "authentication failed: (reason unavailable)",
            "authentication failed: (reason unavailable)",
        ),
        (
            "pipe: 5AB0C11D22E: to=<b@example.jp>, relay=dovecot, delay=1, delays=0/0/0/1, dsn=4.3.0, status=deferred "
            "(temporary failure. Command output: lda(b@example.jp): Error: stats-writer failed: Permission denied )",
            "stats-writer failed: Permission denied",
        ),
        (
            "smtp: 5AB0C11D22E: to=<b@example.jp>, relay=m[192.0.2.2]:25, delay=1, delays=0/0/0/1, dsn=5.7.1, "
            "status=bounced (host m[192.0.2.2] said: 550 5.7.1 Message (id 7) is spam (score 9) (in reply to end of DATA command))",
            "Message (id 7) is spam (score 9)",
        ),
    ],
)
def test_an_answer_with_brackets_is_shown_to_its_end(line: str, shown: str) -> None:
    (finding,) = find([line])
    assert shown in finding.meaning
    assert "in reply to" not in finding.meaning


def test_what_two_rules_warned_of_is_told_of_both() -> None:
    warned = "smtpd: NOQUEUE: reject_warning: RCPT from unknown[192.0.2.1]: "
    found = find(
        [
            "smtpd: connect from unknown[192.0.2.1]",
            f"{warned}450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]; {MAIL}",
            f"{warned}450 4.7.1 <c.example.jp>: Helo command rejected: Host not found; {MAIL}",
            f"{warned}450 4.7.1 <d.example.jp>: Helo command rejected: Host not found; {MAIL}",
        ]
    )
    assert [(finding.code, finding.count) for finding in found] == [
        ("policy.warned-only", 1),
        ("policy.warned-only", 2),
    ]


def test_the_time_in_the_queue_is_nobodys_slowness() -> None:
    data = (
        "Nov 24 12:00:01 mx postfix/cleanup[1]: 5AB0C11D22E: message-id=<1@example.jp>\n"
        "Nov 24 12:00:01 mx postfix/qmgr[2]: 5AB0C11D22E: from=<a@example.jp>, size=9, nrcpt=1 (queue active)\n"
        "Nov 24 12:05:05 mx postfix/smtp[3]: 5AB0C11D22E: to=<b@c.jp>, relay=m[192.0.2.2]:25, delay=304, "
        "delays=301/0/0/3, dsn=2.0.0, status=sent (250 ok)\n"
    )
    assert found_in(data.encode()) == ()


#: A word that something must follow, and nothing does.
_HOLE = re.compile(r"\b(?:for|of|than|the)(?:;|\.(?:\s|\Z))|\(\)|: [.;,]|\A[.;:,]")


@pytest.mark.parametrize("lines", [lines for lines, _ in EXAMPLES], ids=lambda value: str(value)[-60:])
def test_no_meaning_of_an_example_has_a_hole(lines: list[str]) -> None:
    for finding in find(lines):
        for said in (finding.title, finding.meaning, finding.next_step):
            assert not _HOLE.search(said), said


@pytest.mark.parametrize("path", recorded(), ids=lambda path: path.stem)
def test_no_meaning_of_a_recording_has_a_hole(path: object) -> None:
    for finding in found_in(path.read_bytes()):  # type: ignore[attr-defined]
        assert not _HOLE.search(f"{finding.title} | {finding.meaning}"), finding.meaning


def test_the_name_of_a_tlsa_lookup_is_told() -> None:
    (finding,) = find(
        [
            "smtp: warning: DANE TLSA lookup problem: Host or domain name not found. Name service error for "
            "name=_25._tcp.mx.dane.example type=TLSA: Host not found, try again"
        ]
    )
    assert "(mx.dane.example)" in finding.meaning


GREYLISTED = (
    "smtpd[1]: connect from c.example.jp[192.0.2.1]",
    f"smtpd[1]: NOQUEUE: reject: RCPT from c.example.jp[192.0.2.1]: 450 4.2.0 <b@example.jp>: Recipient address rejected: Greylisted; {MAIL}",
    "smtpd[1]: disconnect from c.example.jp[192.0.2.1] ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4",
)
RETURNED = (
    "smtpd[2]: connect from c2.example.jp[192.0.2.2]",
    "smtpd[2]: 5AB0C11D22E: client=c2.example.jp[192.0.2.2]",
    "qmgr[3]: 5AB0C11D22E: from=<a@c.example.jp>, size=9, nrcpt=1 (queue active)",
    "smtpd[2]: disconnect from c2.example.jp[192.0.2.2] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5",
    "virtual[4]: 5AB0C11D22E: to=<{}>, relay=virtual, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to maildir)",
)
SAYS = "Postfix took and sent mail of the same sender to the same recipient 6 min 0 s later."


@pytest.mark.parametrize(("recipient", "said"), [("b@example.jp", True), ("other@example.jp", False)])
def test_what_was_refused_and_came_through_later_is_told(recipient: str, said: bool) -> None:
    lines = [f"Nov 24 02:10:00 mx postfix/{line}\n" for line in GREYLISTED]
    lines += [f"Nov 24 02:16:00 mx postfix/{line.format(recipient)}\n" for line in RETURNED]
    (finding,) = read_capture("".join(lines).encode(), now=NOW, utc_offset=timedelta(0), match=None).findings
    assert (SAYS in finding.meaning) is said


def test_a_delivery_before_the_refusal_is_none_after_it() -> None:
    lines = [f"Nov 24 02:10:00 mx postfix/{line.format('b@example.jp')}\n" for line in RETURNED]
    lines += [f"Nov 24 02:16:00 mx postfix/{line}\n" for line in GREYLISTED]
    (finding,) = read_capture("".join(lines).encode(), now=NOW, utc_offset=timedelta(0), match=None).findings
    assert "later" not in finding.meaning


def test_mail_that_another_server_of_the_same_attempt_took_is_told() -> None:
    found = find(
        [
            "smtp: 5AB0C11D22E: SASL authentication failed; server m1[192.0.2.2] said: 535 5.7.8 no",
            "smtp: 5AB0C11D22E: to=<b@c.jp>, relay=m2[192.0.2.3]:587, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)",
        ]
    )
    assert [(finding.code, "It was delivered later." in finding.meaning) for finding in found] == [
        ("auth.relay-refused", True)
    ]


def test_each_milter_that_is_away_is_named() -> None:
    """The first was named, the others counted: an admin started one and wondered."""
    away = "smtpd: warning: connect to Milter service inet:localhost:{}: Connection refused"
    found = find(
        [CLIENT, *(away.format(port) for port in (8891, 11332, 8891)), "smtpd: disconnect from c.example.jp[192.0.2.1]"]
    )
    assert [(finding.code, finding.count, finding.meaning.partition(":")[2][:15]) for finding in found] == [
        ("policy.milter-down", 2, "localhost:8891:"),
        ("policy.milter-down", 1, "localhost:11332"),
    ]


def test_each_program_that_master_cannot_start_is_named() -> None:
    found = find(
        [f"master: fatal: master_spawn: exec {name}: No such file or directory" for name in ("/x/smtpdd", "/x/lmtpp")]
    )
    assert [finding.meaning.split(":")[0] for finding in found] == ["/x/smtpdd", "/x/lmtpp"]


def test_without_the_dialogue_nobody_knows_who_was_slow() -> None:
    begin = "Nov 24 02:10:00 mx postfix/smtpd[7]: connect from c.example.jp[192.0.2.1]\n"
    client = "Nov 24 02:11:36 mx postfix/smtpd[7]: 5AB0C11D22E: client=c.example.jp[192.0.2.1]\n"
    (plain,) = found_in((begin + client).encode())
    assert plain.title == "the client, or this host, took 96 s"
    helo = "Nov 24 02:10:00 mx postfix/smtpd[7]: < c.example.jp[192.0.2.1]: RCPT TO:<b@example.jp>\n"
    (debugged,) = found_in((begin + helo + client).encode())
    assert debugged.title == "this host took 96 s"
