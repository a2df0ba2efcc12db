"""Facts and leases out of replies that a real host gave."""

from __future__ import annotations

import pytest

from pfremote.agent.protocol import ProtocolError, Reply, decode_reply
from pfremote.agent.read_facts import read_facts, read_leases
from pfremote.model.facts import Override, Parameter, VerboseService

PROBE = b"""\
pfremote=1
host=mx1
time=1767323045.25
version=3.7.11
config_directory=/etc/postfix
main_cf=/etc/postfix/main.cf
running=yes
log=journal
guards=systemd cron process
parent_domain=no
tables=btree cidr hash
param=debug_peer_list present $mynetworks, 10.0.0.1
effective=debug_peer_list 127.0.0.0/8, 10.0.0.1
param=debug_peer_level absent
effective=debug_peer_level 2
override=submission/inet/smtpd_tls_loglevel 1
verbose_service=smtp/inet 2
resolve=client.example.jp 10.0.1.20 2001:db8::20
resolve=nobody.example.jp
reverse=10.0.1.20 client.example.jp
unexplained=debug_peer_list 10.0.0.1
lease=0123456789ab
lease.state=armed
lease.peer=10.0.1.20
lease.peer=10.0.1.21
lease.from=laptop
lease.left=42
end=ok
"""


def _reply(*lines: str) -> Reply:
    return decode_reply("\n".join(["pfremote=1", *lines, "end=ok", ""]).encode())


def test_facts_are_read() -> None:
    facts = read_facts(decode_reply(PROBE))
    assert facts.guards == ("systemd", "cron", "process")
    assert facts.parameters["debug_peer_list"] == Parameter(
        "debug_peer_list", True, "$mynetworks, 10.0.0.1", "127.0.0.0/8, 10.0.0.1"
    )
    assert facts.parameters["debug_peer_level"] == Parameter("debug_peer_level", False, "", "2")
    assert facts.overrides == (Override("submission/inet", "smtpd_tls_loglevel", "1"),)
    assert facts.verbose_services == (VerboseService("smtp/inet", 2),)
    assert facts.resolved == {"client.example.jp": ("10.0.1.20", "2001:db8::20"), "nobody.example.jp": ()}
    assert (facts.parent_domain, facts.time) == (False, 1767323045.25)
    assert facts.unexplained == (("debug_peer_list", "10.0.0.1"),)


def test_a_fact_that_is_missing_is_named() -> None:
    with pytest.raises(ProtocolError, match="lack guards"):
        read_facts(decode_reply(PROBE.replace(b"guards=systemd cron process\n", b"")))


def test_each_lease_has_its_own_block() -> None:
    first, second = read_leases(
        _reply(
            "lease=aaaaaaaaaaaa",
            "lease.state=reverted",
            "lease.conflict=debug_peer_list ours=10.0.1.20 theirs=10.0.9.9%2C%20x",
            "lease.verbose=4711 smtpd",
            "lease.evidence=none",
            "lease=bbbbbbbbbbbb",
            "lease.state=armed",
            "lease.evidence=20",
        )
    )
    assert (first.id, first.state, first.evidence, first.verbose) == (
        "aaaaaaaaaaaa",
        "reverted",
        None,
        ("4711 smtpd",),
    )
    assert first.conflicts == ("debug_peer_list ours=10.0.1.20 theirs=10.0.9.9, x",)
    assert (second.id, second.conflicts, second.evidence) == ("bbbbbbbbbbbb", (), 20)


def test_free_text_is_unquoted_and_made_harmless() -> None:
    (lease,) = read_leases(
        _reply(
            "lease=aaaaaaaaaaaa",
            "lease.state=armed",
            "lease.owner=J%C3%B6rg%20M%25",
            "lease.from=a%C2%9b2J%1b%e2%80%aeb",
            "lease.reason=%ff%0Alogin=root",
        )
    )
    assert lease.owner == "Jörg M%"
    assert lease.origin == r"a\x9b2J\x1b\u202eb"
    assert lease.reason == r"\xff\x0alogin=root"


@pytest.mark.parametrize(
    "lines",
    [
        ("lease.state=armed",),
        ("lease=aaaaaaaaaaaa", "lease.left=5"),
        ("lease=aaaaaaaaaaaa", "lease.state=armed", "lease.state=reverted"),
        ("lease=aaaaaaaaaaaa", "lease.state=armed", "lease.left=soon"),
    ],
)
def test_a_lease_that_makes_no_sense_is_refused(lines: tuple[str, ...]) -> None:
    with pytest.raises(ProtocolError):
        read_leases(_reply(*lines))


@pytest.mark.parametrize(
    "line",
    [
        "lease.deadline=999999999999",
        "lease.since=-1",
        "lease.ended=9999999999999999999",
        "lease.left=86401",
        "lease.left=-86401",
        "lease.sessions=-1",
        "lease.evidence=-5",
    ],
)
def test_a_number_that_no_lease_has_is_not_believed(line: str) -> None:
    """With a deadline of 10^12 one host that was taken over ended the run of all; with so much time left it never ended."""
    with pytest.raises(ProtocolError):
        read_leases(_reply("lease=0123456789ab", "lease.state=armed", line))


@pytest.mark.parametrize("time", ["nan", "inf", "-1", "1e300", "9" * 19, "999999999999"])
def test_a_time_that_no_clock_shows_is_not_believed(time: str) -> None:
    with pytest.raises(ProtocolError):
        read_facts(decode_reply(PROBE.replace(b"time=1767323045.25", f"time={time}".encode())))
