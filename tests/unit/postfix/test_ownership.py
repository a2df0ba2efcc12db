"""Whose a session is that Postfix found worth debugging."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pfremote.model.facts import Lease, Override, VerboseService
from pfremote.postfix.ownership import Claims, is_explained, judge_session, list_claims
from tests.unit.postfix.test_plan import FACTS, facts_with

LEASE = Lease(id="0123456789ab", state="reverted", peers=("elsewhere.test",))
OTHER = Lease(id="ba9876543210", state="armed", peers=("198.51.100.7",))


@pytest.mark.parametrize(
    ("peer", "name", "address", "nexthop"),
    [
        (
            "elsewhere.test",
            "mx2.example.jp",
            "192.0.2.9",
            "[mx2.example.jp]",
        ),  # what matched was the recipient's domain
        ("[mx2.example.jp]:587", "mx2.example.jp", "192.0.2.9", "[mx2.example.jp]:587"),
        ("[mx2.example.jp]:587", "mx2.example.jp", "192.0.2.9", ""),
        ("elsewhere.test", "unknown", "192.0.2.9", ""),
        ("relay.example.jp", "edge7.example.net", "192.0.2.9", "relay.example.jp"),
    ],
)
def test_nothing_is_dropped_where_only_this_lease_debugs(peer: str, name: str, address: str, nexthop: str) -> None:
    claims = list_claims(FACTS, replace(LEASE, peers=(peer,)), lists=[peer])
    assert judge_session(claims, name, address, nexthop) is True


@pytest.mark.parametrize(
    ("nexthop", "explained"), [("[mx2.example.jp]:587", True), ("elsewhere.test", False), ("", False)]
)
def test_a_next_hop_explains_a_session(nexthop: str, explained: bool) -> None:
    claims = Claims(own=("[mx2.example.jp]:587",))
    assert is_explained(claims, "mx2.example.jp", "192.0.2.9", nexthop) is explained


def test_what_another_lease_asked_for_is_its_own() -> None:
    claims = list_claims(FACTS, LEASE, lists=["elsewhere.test", "elsewhere.test, 198.51.100.7"])
    assert claims.others == ("198.51.100.7",)
    assert judge_session(claims, "client.example.jp", "198.51.100.7") is False
    assert judge_session(claims, "mx.elsewhere.test", "203.0.113.1") is True


def test_what_cannot_be_told_apart_is_kept_and_said() -> None:
    claims = list_claims(replace(FACTS, leases=(OTHER,)), LEASE)
    assert judge_session(claims, "mx2.example.jp", "192.0.2.9", "[mx2.example.jp]") is None


def test_the_own_peer_wins_over_another_request_for_the_same() -> None:
    claims = Claims(own=("192.0.2.0/24",), others=("192.0.2.9",))
    assert judge_session(claims, "unknown", "192.0.2.9") is True


def test_main_cf_and_master_cf_ask_for_debugging_too() -> None:
    facts = replace(
        facts_with(debug_peer_list="198.51.100.7"),
        overrides=(Override("submission/inet", "debug_peer_list", "203.0.113.0/24, 198.51.100.9"),),
    )
    claims = list_claims(facts, LEASE)
    assert claims.others == ("198.51.100.7", "203.0.113.0/24", "198.51.100.9")
    assert judge_session(claims, "unknown", "203.0.113.77") is False


def test_a_service_that_is_always_verbose_proves_nothing() -> None:
    claims = list_claims(replace(FACTS, verbose_services=(VerboseService("smtp/inet", 1),)), LEASE)
    assert judge_session(claims, "stranger.example.net", "203.0.113.77") is False
    assert judge_session(claims, "mx.elsewhere.test", "203.0.113.77") is True


def test_a_table_of_the_host_decides_there() -> None:
    claims = Claims(own=("hash:/etc/postfix/peers",), others=("198.51.100.7",))
    assert judge_session(claims, "client.example.jp", "192.0.2.9") is None
