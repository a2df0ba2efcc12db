"""What a request becomes on one host."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfremote.model.facts import PARAMETERS, Facts, Lease, Override, Parameter, VerboseService
from pfremote.model.request import DebugRequest
from pfremote.postfix.matching import match_peer
from pfremote.postfix.peer_list import merge_lists
from pfremote.postfix.peers import parse_peer, parse_peers
from pfremote.postfix.plan import Plan, make_plan

DEFAULTS = dict.fromkeys(PARAMETERS, "0") | {"debug_peer_list": "", "debug_peer_level": "2"}
FACTS = Facts(
    version="3.7.11",
    config_directory="/etc/postfix",
    main_cf="/etc/postfix/main.cf",
    running=True,
    log="journal",
    guards=("systemd", "process"),
    parameters={name: Parameter(name, False, "", value) for name, value in DEFAULTS.items()},
    myhostname="mx1.example.jp",
    tables=frozenset({"cidr", "hash", "inline", "static"}),
)
REQUEST = DebugRequest(peers=(parse_peer("192.0.2.5"),), seconds=600)
OTHER = Lease(
    id="0123456789ab",
    state="armed",
    peers=("198.51.100.7",),
    owner="ops",
    left=300,
    level=2,
    smtpd_tls=2,
    deadline=1,
)


def facts_with(**values: str) -> Facts:
    """Facts of a host whose main.cf sets these parameters."""
    parameters = dict(FACTS.parameters)
    parameters.update({name: Parameter(name, True, value, value) for name, value in values.items()})
    return replace(FACTS, parameters=parameters)


def asking(*typed: str, **more: object) -> DebugRequest:
    """The request for what was typed as peers."""
    peers, mistakes = parse_peers(typed)
    return replace(REQUEST, peers=peers, mistakes=mistakes, **more)  # type: ignore[arg-type]


def warnings(plan: Plan) -> set[str]:
    return {reason.code for reason in plan.warnings}


def refusals(plan: Plan) -> set[str]:
    return {reason.code for reason in plan.refusals}


def test_plain_request_changes_list_and_level_only() -> None:
    plan = make_plan(REQUEST, FACTS)
    assert plan == Plan(("192.0.2.5",), {"debug_peer_list": "192.0.2.5", "debug_peer_level": "2"}, (), ())


def test_tls_levels_are_touched_only_where_asked_and_never_lowered() -> None:
    plan = make_plan(replace(REQUEST, smtpd_tls=1, smtp_tls=2, lmtp_tls=0), facts_with(smtpd_tls_loglevel="2"))
    assert plan.changes["smtpd_tls_loglevel"] == "2"
    assert plan.changes["smtp_tls_loglevel"] == "2"
    assert plan.changes["lmtp_tls_loglevel"] == "0"
    assert warnings(plan) == {"tls-global"}
    assert "all peers" in plan.warnings[0].message


def test_named_tls_level_that_is_louder_stays_as_written() -> None:
    plan = make_plan(replace(REQUEST, smtpd_tls=1), facts_with(smtpd_tls_loglevel="summary,cache"))
    assert plan.changes["smtpd_tls_loglevel"] == "summary,cache"


def test_newer_postfix_is_told_of_its_per_peer_maps() -> None:
    plan = make_plan(replace(REQUEST, smtpd_tls=1), replace(FACTS, version="3.12-20260821"))
    assert "smtpd_tls_loglevel_maps" in plan.warnings[0].hint


def test_existing_list_is_kept_behind_ours_and_its_level_counts() -> None:
    plan = make_plan(
        replace(REQUEST, level=1),
        facts_with(debug_peer_list="$mynetworks, mail.example.jp", debug_peer_level="2"),
    )
    assert plan.changes == {
        "debug_peer_list": "192.0.2.5, $mynetworks, mail.example.jp",
        "debug_peer_level": "2",
    }
    assert warnings(plan) == {"peers-kept"}


def test_level_of_an_empty_baseline_list_does_not_count() -> None:
    assert make_plan(replace(REQUEST, level=1), facts_with(debug_peer_level="4")).changes["debug_peer_level"] == "1"


def test_bad_pattern_in_the_host_s_own_list_is_named() -> None:
    plan = make_plan(REQUEST, facts_with(debug_peer_list="10.0.0.1/8"))
    assert "peers-kept-bad" in warnings(plan)
    assert plan.refusals == ()


def test_baseline_level_that_shows_content_needs_the_word() -> None:
    facts = facts_with(debug_peer_list="mail.example.jp", debug_peer_level="3")
    assert refusals(make_plan(REQUEST, facts)) == {"level-content"}
    plan = make_plan(replace(REQUEST, allow_content=True), facts)
    assert (plan.refusals, plan.changes["debug_peer_level"]) == ((), "3")


def test_other_lease_is_named_and_added_to() -> None:
    facts = replace(
        facts_with(debug_peer_list="198.51.100.7, mail.example.jp", smtpd_tls_loglevel="2"), leases=(OTHER,)
    )
    plan = make_plan(REQUEST, facts)
    assert plan.changes["debug_peer_list"] == "192.0.2.5, 198.51.100.7, mail.example.jp"
    assert "smtpd_tls_loglevel" not in plan.changes
    note = next(reason for reason in plan.warnings if reason.code == "lease-present")
    assert all(text in note.message for text in ("ops", "198.51.100.7", "5m"))


def test_ended_lease_is_no_concern() -> None:
    assert make_plan(REQUEST, replace(FACTS, leases=(replace(OTHER, state="reverted"),))).warnings == ()


def test_exceptions_of_one_lease_do_not_hide_peers_of_another() -> None:
    other = replace(OTHER, peers=("198.51.100.7",))
    facts = replace(facts_with(debug_peer_list="198.51.100.7"), leases=(other,))
    plan = make_plan(asking("!198.51.100.7", "198.51.100.0/24"), facts)
    assert plan.changes["debug_peer_list"] == "198.51.100.7, !198.51.100.7, 198.51.100.0/24"
    assert plan.warnings[-1].code == "lease-present"
    both = replace(facts, leases=(replace(other, peers=("!192.0.2.9", "192.0.2.0/24")),))
    assert "peers-clash" in warnings(make_plan(asking("!198.51.100.7", "198.51.100.0/24"), both))


_BLOCK = st.lists(st.sampled_from(["192.0.2.5", "!192.0.2.5", "192.0.2.0/24", "mx.example.jp", "!mx.example.jp"]))


@given(st.lists(_BLOCK, max_size=3), _BLOCK)
def test_union_misses_nobody_while_at_most_one_block_has_exceptions(plain: list[list[str]], special: list[str]) -> None:
    blocks = [special, *([p for p in block if not p.startswith("!")] for block in plain)]
    merged = merge_lists(blocks, "").replace(",", " ").split()
    for peer in (
        ("mx.example.jp", "192.0.2.5"),
        ("mx.example.jp", "192.0.2.6"),
        ("unknown", "192.0.2.5"),
        ("unknown", "203.0.113.1"),
    ):
        assert match_peer(merged, *peer) is any(match_peer(block, *peer) for block in blocks)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"running": False}, "not-running"),
        ({"log": "none"}, "no-log"),
        ({"guards": ("process",)}, "volatile-guard"),
        ({"guards": ()}, "volatile-guard"),
        ({"raw": {"log_free_percent": ("9",)}}, "low-disk"),
    ],
)
def test_host_state_that_forbids_a_lease(change: dict[str, object], code: str) -> None:
    assert refusals(make_plan(REQUEST, replace(FACTS, **change))) == {code}  # type: ignore[arg-type]


def test_guard_that_was_asked_for_must_exist() -> None:
    assert refusals(make_plan(replace(REQUEST, guard="cron"), FACTS)) == {"guard-missing"}
    assert refusals(make_plan(replace(REQUEST, guard="process"), FACTS)) == {"volatile-guard"}
    assert refusals(make_plan(replace(REQUEST, guard="process", volatile_guard=True), FACTS)) == set()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"main_cf_link": "/srv/main.cf"}, "main-cf-link"),
        ({"raw": {"main_cf_links": ("2",)}}, "main-cf-hard-links"),
        ({"unexplained": (("smtpd_tls_loglevel", "3"), ("debug_peer_list", "a"))}, "unexplained"),
        ({"overrides": (Override("smtp/inet", "debug_peer_list", "192.0.2.200"),)}, "override-peers"),
        ({"overrides": (Override("smtp/inet", "debug_peer_level", "1"),)}, "override-level"),
        ({"verbose_services": (VerboseService("cleanup/unix", 2),)}, "verbose-service"),
    ],
)
def test_host_state_that_is_worth_a_word(change: dict[str, object], code: str) -> None:
    plan = make_plan(REQUEST, replace(FACTS, **change))  # type: ignore[arg-type]
    assert warnings(plan) == {code}
    assert plan.refusals == ()


def test_tls_override_counts_only_for_a_level_that_was_asked_for() -> None:
    facts = replace(FACTS, overrides=(Override("submission/inet", "smtpd_tls_loglevel", "1"),))
    assert make_plan(REQUEST, facts).warnings == ()
    assert "override-tls" in warnings(make_plan(replace(REQUEST, smtpd_tls=2), facts))
    assert "override-tls" not in warnings(make_plan(replace(REQUEST, smtpd_tls=1), facts))


@pytest.mark.parametrize(
    ("level", "flags", "override", "codes"),
    [
        (1, 1, None, set()),
        (2, 1, None, {"service-content"}),
        (1, 2, None, {"service-content"}),
        (1, 0, "3", {"service-content"}),
        (2, 1, "1", set()),
    ],
)
def test_verbose_flags_and_level_add_up(level: int, flags: int, override: str | None, codes: set[str]) -> None:
    facts = replace(
        FACTS,
        verbose_services=(VerboseService("smtp/inet", flags),) if flags else (),
        overrides=(Override("smtp/inet", "debug_peer_level", override),) if override else (),
    )
    plan = make_plan(replace(REQUEST, level=level), facts)
    assert refusals(plan) == codes
    assert all("smtp/inet" in reason.message for reason in plan.refusals)
    assert make_plan(replace(REQUEST, level=level, allow_content=True), facts).refusals == ()


def test_leading_dot_is_rewritten_where_it_matches_nothing() -> None:
    plan = make_plan(asking(".test.example.jp"), FACTS)
    assert plan.peers == ("test.example.jp",)
    assert warnings(plan) == {"peer-leading-dot"}
    plan = make_plan(asking(".test.example.jp"), replace(FACTS, parent_domain=False))
    assert (plan.peers, warnings(plan)) == ((".test.example.jp",), set())


def test_plain_domain_is_exact_where_parents_do_not_match() -> None:
    plan = make_plan(asking("test.example.jp"), replace(FACTS, parent_domain=False))
    assert warnings(plan) == {"peer-exact-name"}
    assert ".test.example.jp" in plan.warnings[0].hint


def test_host_name_is_expanded_to_its_addresses() -> None:
    facts = replace(
        FACTS,
        resolved={"client.example.jp": ("192.0.2.9", "2001:db8::9", "::ffff:192.0.2.9", "0.0.0.0")},  # noqa: S104
        reverse={"192.0.2.9": "client.example.jp.", "2001:db8::9": "other.example.jp"},
    )
    plan = make_plan(asking("client.example.jp"), facts)
    assert plan.peers == ("client.example.jp", "192.0.2.9", "[2001:db8::9]")
    assert warnings(plan) == {"peer-reverse"}
    assert "2001:db8::9" in plan.warnings[0].message
    negated = make_plan(asking("!client.example.jp", "static:all", all_peers=True), facts)
    assert negated.peers == ("!client.example.jp", "!192.0.2.9", "![2001:db8::9]", "static:all")


def test_name_without_address_is_said() -> None:
    plan = make_plan(asking("nowhere.example.jp"), replace(FACTS, resolved={"nowhere.example.jp": ()}))
    assert plan.peers == ("nowhere.example.jp",)
    assert warnings(plan) == {"peer-unresolved"}


def test_own_name_warns_of_lmtp() -> None:
    assert "peer-own-name" in warnings(make_plan(asking("example.jp"), FACTS))


@pytest.mark.parametrize(
    ("peers", "codes"),
    [
        (("lmdb:/x",), {"table-type"}),
        (("hash:/etc/postfix/none",), set()),
        (("cidr:/etc/postfix/none",), {"missing-file"}),
        (tuple(f"192.0.2.{number}" for number in range(65)), {"too-many-peers"}),
        (("inline:{" + ", ".join(f"mx{number}.example.jp=x" for number in range(20)) + "}",), {"peer-long"}),
        (("/etc/postfix/none",), {"missing-file"}),
        (("/etc/postfix/there",), set()),
        (("static:all",), {"all-peers"}),
        (("!192.0.2.5",), {"peer-only-negations"}),
        ((), {"peer-empty"}),
        (("192.0.2.5/24", "all"), {"peer-host-bits", "peer-all"}),
    ],
)
def test_peers_that_are_refused_on_this_host(peers: tuple[str, ...], codes: set[str]) -> None:
    facts = replace(FACTS, missing_files=("/etc/postfix/none",))
    assert refusals(make_plan(asking(*peers), facts)) == codes


def test_next_hop_needs_postfix_3_6() -> None:
    request = asking("[relay.example.jp]:587")
    assert refusals(make_plan(request, replace(FACTS, version="3.5.25"))) == {"peer-nexthop"}
    assert make_plan(request, FACTS).refusals == ()


def test_levels_out_of_bounds_are_refused_with_everything_else() -> None:
    plan = make_plan(asking("*", level=0), replace(FACTS, running=False))
    assert refusals(plan) == {"level-zero", "peer-all", "not-running"}
