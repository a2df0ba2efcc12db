"""Records → sessions: the traps of one process that serves many clients."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pfremote.maillog.parse.lines import parse_evidence
from pfremote.maillog.sessions.build import Session, Sessions, build_sessions
from pfremote.maillog.sessions.select import select
from pfremote.maillog.transcripts.transcript import build_transcript, render_text

NOW = datetime(2026, 12, 1, tzinfo=UTC)
FIXTURES = Path(__file__).parents[2] / "fixtures"


def read(*lines: str) -> Sessions:
    """Sessions of lines given as ``daemon[pid]: text``."""
    data = "".join(f"Nov 24 02:13:49 mx postfix/{line}\n" for line in lines).encode()
    return build_sessions(parse_evidence(data, now=NOW, utc_offset=timedelta(0)))


def recorded(name: str) -> Sessions:
    data = (FIXTURES / f"{name}.log").read_bytes()
    return build_sessions(parse_evidence(data, now=NOW, utc_offset=timedelta(0)))


def numbers(found: Sessions) -> list[int]:
    placed = [r for s in found.sessions for r in s.records]
    return sorted(r.number for r in (*placed, *found.followed, *found.unplaced))


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.log")), ids=lambda path: path.stem)
def test_every_record_is_in_exactly_one_place(path: Path) -> None:
    found = recorded(path.stem)
    assert numbers(found) == list(range(1, len(path.read_bytes().splitlines()) + 1))


def test_one_process_serves_several_clients() -> None:
    found = read(
        "smtpd[1]: connect from a[192.0.2.1]",
        "smtpd[1]: disconnect from a[192.0.2.1] commands=0/0",
        "smtpd[1]: free all milters",
        "smtpd[1]: warning: hostname b does not resolve to address 192.0.2.2",
        "smtpd[1]: connect from unknown[192.0.2.2]",
        "smtpd[1]: disconnect from unknown[192.0.2.2] commands=0/0",
    )
    assert [s.peer for s in found.sessions] == ["a[192.0.2.1]", "unknown[192.0.2.2]"]
    assert [len(s.records) for s in found.sessions] == [3, 3]
    assert found.sessions[1].records[0].text.startswith("warning: hostname b")
    assert all(s.whole for s in found.sessions)


def test_xclient_renames_the_client_and_the_session_stays_one() -> None:
    (session,) = recorded("xclient-postfix-3.7").sessions
    assert session.peer == "client.example.jp[192.0.2.10]"
    assert session.records[-1].text.startswith("disconnect from outside.example.net[198.51.100.7]")
    assert session.whole


def test_lines_of_two_processes_are_told_apart() -> None:
    found = read(
        "smtpd[1]: connect from a[192.0.2.1]",
        "smtpd[2]: connect from b[192.0.2.2]",
        "smtpd[1]: > a[192.0.2.1]: 220 hi",
        "smtpd[2]: disconnect from b[192.0.2.2] commands=0/0",
        "smtpd[1]: disconnect from a[192.0.2.1] commands=0/0",
    )
    assert [len(s.records) for s in found.sessions] == [3, 2]
    assert [s.verbose for s in found.sessions] == [True, False]


def test_a_session_without_its_connect_line_is_cut_at_the_start() -> None:
    (session,) = read(
        "smtpd[1]: watchdog_pat: 0x1",
        "smtpd[1]: < a[192.0.2.1]: QUIT",
        "smtpd[1]: disconnect from a[192.0.2.1] quit=1 commands=1",
    ).sessions
    assert (session.cut, session.whole, session.peer) == ("start", False, "a[192.0.2.1]")
    assert len(session.records) == 3


def test_a_session_that_still_runs_is_cut_at_the_end() -> None:
    (session,) = read("smtpd[1]: connect from a[192.0.2.1]", "smtpd[1]: > a[192.0.2.1]: 220 hi").sessions
    assert session.cut == "end"


def test_a_lost_connect_line_does_not_glue_two_clients_together() -> None:
    found = read(
        "smtpd[1]: connect from a[192.0.2.1]",
        "smtpd[1]: disconnect from a[192.0.2.1] commands=0/0",
        "smtpd[1]: < b[192.0.2.2]: EHLO b",
        "smtpd[1]: disconnect from b[192.0.2.2] ehlo=1 commands=1",
    )
    assert [(s.peer, s.cut) for s in found.sessions] == [("a[192.0.2.1]", ""), ("b[192.0.2.2]", "start")]


def test_a_process_that_dies_ends_its_session_and_its_pid_may_come_back() -> None:
    found = read(
        "smtpd[1]: connect from a[192.0.2.1]",
        "master[9]: warning: process /usr/lib/postfix/sbin/smtpd pid 1 killed by signal 11",
        "smtpd[1]: initializing the server-side TLS engine",
        "smtpd[1]: connect from b[192.0.2.2]",
        "smtpd[1]: disconnect from b[192.0.2.2] commands=0/0",
    )
    assert [(s.peer, s.died, s.whole) for s in found.sessions] == [
        ("a[192.0.2.1]", True, True),
        ("b[192.0.2.2]", False, True),
    ]
    assert found.sessions[0].records[-1].daemon == "master"


def test_a_fatal_error_ends_the_session() -> None:
    found = recorded("sasl-no-auth-service-postfix-3.7")
    (session,) = found.sessions
    assert session.died
    assert "throttling" in found.unplaced[0].text


def test_a_process_that_never_had_a_client_is_no_session() -> None:
    found = read("smtpd[1]: fatal: debug_peer_list: no pattern after '!'")
    assert found.sessions == ()
    assert len(found.unplaced) == 1


def test_client_ports_and_ipv6_are_read() -> None:
    (session,) = read("smtpd[1]: connect from a[2001:db8::1]:40000").sessions
    assert (session.peer_address, session.peer_port) == ("2001:db8::1", 40000)


def test_services_with_their_own_syslog_name_are_sessions_too() -> None:
    found = read("submission/smtpd[1]: connect from a[192.0.2.1]", "relay/smtp[2]: AAAAAA1: to=<b@c.jp>, relay=x")
    assert found.sessions[0].tag == "postfix/submission/smtpd"


def test_deliveries_over_one_cached_connection_are_two_sessions() -> None:
    found = recorded("outbound-cached-connection-postfix-3.7")
    assert [len(s.queue_ids) for s in found.sessions] == [1, 1]
    assert [s.whole for s in found.sessions] == [True, True]
    assert "conn_use=2" in next(r.text for r in found.sessions[1].records if "status=" in r.text)


def test_a_cached_connection_is_split_where_only_the_host_is_debugged() -> None:
    # Without a next-hop match nothing announces the request; RSET and MAIL are the first lines of the reuse.
    found = read(
        "smtp[1]: < a[192.0.2.1]:25: 220 hi",
        "smtp[1]: > a[192.0.2.1]:25: MAIL FROM:<x@y.jp>",
        "smtp[1]: AAAAAA1: to=<b@c.jp>, relay=a[192.0.2.1]:25, delay=1, dsn=2.0.0, status=sent (250 ok)",
        "smtp[1]: > a[192.0.2.1]:25: RSET",
        "smtp[1]: < a[192.0.2.1]:25: 250 ok",
        "smtp[1]: > a[192.0.2.1]:25: MAIL FROM:<x@y.jp>",
        "smtp[1]: BBBBBB1: to=<b@c.jp>, relay=a[192.0.2.1]:25, delay=1, dsn=2.0.0, status=sent (250 ok)",
        "smtp[1]: > a[192.0.2.1]:25: RSET",
        "smtp[1]: < a[192.0.2.1]:25: 250 ok",
        "smtp[1]: > a[192.0.2.1]:25: QUIT",
    )
    assert [(s.queue_ids, len(s.records), s.cut) for s in found.sessions] == [
        (("AAAAAA1",), 3, ""),
        (("BBBBBB1",), 7, ""),
    ]


def test_each_server_tried_is_a_conversation_with_the_same_queue_id() -> None:
    found = recorded("outbound-second-host-postfix-3.7")
    first, second = found.sessions
    assert (first.peer_port, second.peer_port) == (12612, 12611)
    assert first.queue_ids == second.queue_ids


def test_the_220_that_answers_starttls_is_no_greeting() -> None:
    found = recorded("outbound-tls-sent-postfix-3.7")
    assert len(found.sessions) == 1


def test_a_delivery_that_reached_no_server_has_its_destination_as_peer() -> None:
    (session,) = recorded("outbound-host-not-found-postfix-3.7").sessions
    assert (session.peer, session.nexthop) == ("absent.example.net", "[absent.example.net]")


def test_lmtp_over_a_socket_has_the_path_as_address() -> None:
    (session,) = recorded("lmtp-sent-postfix-3.7").sessions
    assert (session.kind, session.peer_name, session.peer_port) == ("lmtp", "mx.example.jp", None)
    assert session.peer_address.endswith("/lmtp")


def test_quiet_deliveries_of_one_process_are_told_apart() -> None:
    found = read(
        "smtp[1]: AAAAAA1: to=<b@c.jp>, relay=a[192.0.2.1]:25, delay=1, dsn=2.0.0, status=sent (250 ok)",
        "smtp[1]: AAAAAA1: to=<d@c.jp>, relay=a[192.0.2.1]:25, delay=1, dsn=2.0.0, status=sent (250 ok)",
        "smtp[1]: BBBBBB1: to=<b@c.jp>, relay=b[192.0.2.2]:25, delay=1, dsn=2.0.0, status=sent (250 ok)",
    )
    assert [(s.peer, s.queue_ids) for s in found.sessions] == [
        ("a[192.0.2.1]:25", ("AAAAAA1",)),
        ("b[192.0.2.2]:25", ("BBBBBB1",)),
    ]
    assert not any(s.verbose for s in found.sessions)


def test_a_bounce_is_followed_to_its_own_message() -> None:
    found = recorded("outbound-bounced-postfix-3.7")
    texts = [r.text for r in found.followed]
    bounce = next(t for t in texts if "non-delivery notification" in t).rsplit(" ", 1)[1]
    assert any(t.startswith(f"{bounce}: ") for t in texts)


LINES = st.sampled_from(
    (
        "connect from a[192.0.2.1]",
        "disconnect from a[192.0.2.1] commands=0/0",
        "warning: hostname b does not resolve to address 192.0.2.2",
        "< a[192.0.2.1]:25: 220 hi",
        "> a[192.0.2.1]:25: STARTTLS",
        "> a[192.0.2.1]:25: RSET",
        "> a[192.0.2.1]:25: MAIL FROM:<x@y.jp>",
        "> a[192.0.2.1]:25: QUIT",
        "smtp_stream_setup: maxtime=300",
        "smtp_parse_destination: [a.jp]:25 smtp",
        "connect to a[192.0.2.1]:25: Connection refused",
        "AAAAAA1: to=<b@c.jp>, relay=none, delay=1, dsn=4.0.0, status=deferred (no)",
        "AAAAAA1: removed",
        "fatal: out of luck",
        "warning: process /usr/lib/postfix/sbin/smtpd pid 1 killed by signal 9",
        "",
    )
)
PROCESSES = st.sampled_from(("smtpd[1]", "smtpd[2]", "smtp[1]", "lmtp[3]", "qmgr[4]", "master[5]"))


@settings(deadline=None)
@given(st.lists(st.tuples(PROCESSES, LINES), max_size=60))
def test_any_order_of_lines_leaves_each_in_one_place(lines: list[tuple[str, str]]) -> None:
    found = read(*(f"{process}: {text}" for process, text in lines))
    assert numbers(found) == list(range(1, len(lines) + 1))
    assert all(session.records for session in found.sessions)
    for session in found.sessions:
        render_text(build_transcript(session, found.followed))


TWO_CLIENTS = (
    "smtpd[1]: connect from a[192.0.2.1]",
    "smtpd[1]: > a[192.0.2.1]: 220 hi",
    "smtpd[2]: connect from b[192.0.2.2]",
    "smtpd[2]: > b[192.0.2.2]: 220 hi",
    "smtpd[1]: AAAAAA1: client=a[192.0.2.1]",
    "cleanup[3]: AAAAAA1: message-id=<1@a>",
    "smtpd[2]: BBBBBB1: client=b[192.0.2.2]",
    "cleanup[3]: BBBBBB1: message-id=<1@b>",
    "smtp[4]: AAAAAA1: to=<x@c.jp>, relay=c[192.0.2.3]:25, delay=1, dsn=2.0.0, status=sent (250 ok)",
    "smtp[4]: BBBBBB1: to=<x@c.jp>, relay=c[192.0.2.3]:25, delay=1, dsn=2.0.0, status=sent (250 ok)",
    "anvil[5]: statistics: max connection rate 1/60s for (smtp:192.0.2.2) at Nov 24 02:13:49",
    "master[9]: reload -- version 3.7.11, configuration /etc/postfix",
    "smtpd[1]: disconnect from a[192.0.2.1] commands=0/0",
    "smtpd[2]: disconnect from b[192.0.2.2] commands=0/0",
)


def test_other_clients_and_what_hangs_on_them_stay_out() -> None:
    chosen = select(read(*TWO_CLIENTS), lambda session: session.peer_address == "192.0.2.1")
    text = "\n".join(record.text for record in chosen.records())
    assert "192.0.2.2" not in text
    assert "BBBBBB1" not in text
    assert [record.daemon for record in chosen.followed] == ["cleanup", "smtp"]
    assert [record.daemon for record in chosen.unplaced] == ["master"]
    assert [session.id for session in chosen.sessions] == [1]
    assert chosen.other_sessions == 3
    assert len(chosen.records()) + chosen.other_lines == len(TWO_CLIENTS)


def test_postscreens_lines_about_a_kept_client_stay_with_it() -> None:
    screen = (
        "postscreen[7]: CONNECT from [192.0.2.1]:4000 to [192.0.2.9]:25",
        "postscreen[7]: CONNECT from [192.0.2.2]:4000 to [192.0.2.9]:25",
        "postscreen[7]: PASS NEW [192.0.2.1]:4000",
    )
    chosen = select(read(*screen, *TWO_CLIENTS), lambda session: session.peer_address == "192.0.2.1")
    assert [record.number for record in chosen.followed if record.daemon == "postscreen"] == [1, 3]
    assert len(chosen.records()) + chosen.other_lines == len(TWO_CLIENTS) + len(screen)


def test_a_peer_that_cannot_be_decided_here_is_kept_and_counted() -> None:
    chosen = select(read(*TWO_CLIENTS), lambda _session: None)
    assert [session.peer_name for session in chosen.sessions] == ["a", "b"]
    assert chosen.undecided == 2


def test_sessions_that_were_not_debugged_are_not_shown() -> None:
    def everyone(_session: Session) -> bool:
        return True

    found = read("smtpd[1]: connect from a[192.0.2.1]", "smtpd[1]: disconnect from a[192.0.2.1] commands=0/0")
    assert select(found, everyone).sessions == ()
