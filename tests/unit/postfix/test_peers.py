"""What may stand in debug_peer_list, and what is said of the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfremote.errors import Reason, UsageError
from pfremote.model.peer import Peer
from pfremote.postfix.matching import match_peer
from pfremote.postfix.peers import parse_peer, parse_peers, read_peer, split_peers


@pytest.mark.parametrize(
    ("typed", "kind", "text"),
    [
        ("192.0.2.5", "address", "192.0.2.5"),
        ("[192.0.2.5]", "address", "192.0.2.5"),
        ("192.0.2.0/24", "network", "192.0.2.0/24"),
        ("[192.0.2.0]/24", "network", "192.0.2.0/24"),
        ("[192.0.2.0/24]", "network", "192.0.2.0/24"),
        ("192.0.2.5/32", "network", "192.0.2.5/32"),
        ("2001:db8::1", "address", "[2001:db8::1]"),
        ("[2001:DB8:0:0:0:0:0:1]", "address", "[2001:db8::1]"),
        ("2001:db8::/32", "network", "[2001:db8::]/32"),
        ("[2001:db8::/32]", "network", "[2001:db8::]/32"),
        ("Client.Example.JP", "hostname", "client.example.jp"),
        ("mail_1.example.jp", "hostname", "mail_1.example.jp"),
        ("localhost", "hostname", "localhost"),
        (".example.jp", "domain", ".example.jp"),
        ("[relay.example.jp]:587", "nexthop", "[relay.example.jp]:587"),
        ("[Relay.example.jp]", "nexthop", "[relay.example.jp]"),
        ("/etc/postfix/debug_peers", "file", "/etc/postfix/debug_peers"),
        ("cidr:/etc/postfix/peers", "table", "cidr:/etc/postfix/peers"),
        ("inline:{a.example.jp=x, b.example.jp=x}", "table", "inline:{a.example.jp=x, b.example.jp=x}"),
        ("!192.0.2.5", "address", "!192.0.2.5"),
        ("!!192.0.2.5", "address", "192.0.2.5"),
        ("!!!2001:db8::1", "address", "!2001:db8::1".replace("2001:db8::1", "[2001:db8::1]")),
    ],
)
def test_good_pattern_is_spelt_as_postfix_needs_it(typed: str, kind: str, text: str) -> None:
    peer = parse_peer(typed)
    assert (peer.kind, peer.text) == (kind, text)
    assert peer.negated == text.startswith("!")
    assert read_peer(peer.text) == peer


@pytest.mark.parametrize(
    ("typed", "code", "hint"),
    [
        ("", "peer-empty", "address"),
        (" , ", "peer-empty", "address"),
        ("!", "peer-negation", "!192.0.2.5"),
        ("!!", "peer-negation", "!192.0.2.5"),
        ("192.0.2.5/24", "peer-host-bits", "192.0.2.0/24"),
        ("2001:db8::1/32", "peer-host-bits", "[2001:db8::]/32"),
        ("[2001:db8::1]/32", "peer-host-bits", "[2001:db8::]/32"),
        ("*", "peer-all", "static:all"),
        ("all", "peer-all", "static:all"),
        ("ALL", "peer-all", "static:all"),
        ("*.example.jp", "peer-wildcard", "Type example.jp."),
        ("mx*.example.jp", "peer-wildcard", "regexp:"),
        ("192.0.2.1-192.0.2.6", "peer-range", "--peer 192.0.2.1 --peer 192.0.2.2/31 --peer 192.0.2.4/31"),
        ("192.0.2.0-7", "peer-range", "--peer 192.0.2.0/29."),
        ("192.0.2.9-1", "peer-range", "List"),
        ("192.0.2.0/255.255.255.0", "peer-netmask", "192.0.2.0/24"),
        ("192.0.2.0/999.0.0.0", "peer-mask", "/32"),
        ("192.0.2", "peer-octets", "192.0.2.0/24"),
        ("192.0.2.", "peer-octets", "192.0.2.0/24"),
        ("10", "peer-octets", "10.0.0.0/8"),
        ("192.168.1.300", "peer-address", "192.0.2.5"),
        ("192.0.2.05", "peer-address", "192.0.2.5"),
        ("192.0.2.0/33", "peer-mask", "/32"),
        ("192.0.2.0/", "peer-mask", "/32"),
        ("192.0.2.0/" + "9" * 5000, "peer-mask", "/32"),
        ("::/\u00b2", "peer-mask", "/128"),
        ("\u00b9", "peer-name", "mx1.example.jp"),
        ("[2001:db8::]/129", "peer-mask", "/128"),
        ("[::1", "peer-bracket", "[::1]"),
        ("[::1]:25", "peer-nexthop", "::1"),
        ("[192.0.2.5]:25", "peer-nexthop", "192.0.2.5"),
        ("[cafe.be]:25", "peer-nexthop", "cafe.be"),
        ("2001:db8:::1", "peer-address", "address"),
        ("fe80::1%eth0", "peer-zone", "[fe80::1]"),
        ("::ffff:192.0.2.5", "peer-mapped", "192.0.2.5"),
        ("[::ffff:192.0.2.0]/120", "peer-mapped", "192.0.2.0/24"),
        ("example.jp.", "peer-dot", "Type example.jp."),
        ("a\nb", "peer-characters", "--peer"),
        ("a\x00b", "peer-characters", "--peer"),
        ("$mynetworks", "peer-characters", "networks"),
        ("a#b", "peer-characters", "table"),
        ('"example.jp"', "peer-characters", "table"),
        ("a'b", "peer-characters", "table"),
        ("a\\b", "peer-characters", "table"),
        ("192.0.2.5;192.0.2.6", "peer-characters", "comma"),
        ("192.0.2.5|192.0.2.6", "peer-characters", "comma"),
        ("/^mx/", "peer-characters", "regexp:"),
        ("/mx/", "peer-file", "regexp:"),
        ("alice@example.jp", "peer-mail-address", "example.jp"),
        ("mx1.example.jp[192.0.2.5]", "peer-logged", "192.0.2.5"),
        ("192.0.2.5:25", "peer-port", "192.0.2.5"),
        ("mx1.example.jp:25", "peer-port", "mx1.example.jp"),
        ("smtp://mx1.example.jp", "peer-table", "postconf -m"),
        ("hash:", "peer-table", "postconf -m"),
        ("pcre:{a b}", "peer-table", "postconf -m"),
        ("example.jp/24", "peer-slash", "example.jp"),
        ("{192.0.2.5}", "peer-braces", "without"),
        ("inline:{a=b", "peer-table", "brace"),
        ("-mx.example.jp", "peer-name", "mx1.example.jp"),
        ("mx..example.jp", "peer-name", "mx1.example.jp"),
        ("x" * 64 + ".example.jp", "peer-name", "mx1.example.jp"),
    ],
)
def test_bad_pattern_has_one_reason_that_says_what_to_type(typed: str, code: str, hint: str) -> None:
    peers, reasons = parse_peers([typed])
    assert peers == ()
    assert [reason.code for reason in reasons] == [code]
    assert hint in reasons[0].hint
    with pytest.raises(UsageError) as caught:
        parse_peer(typed)
    assert caught.value.hint == reasons[0].hint or "own --peer" in caught.value.hint


def test_several_patterns_in_one_option_are_several_peers() -> None:
    peers, reasons = parse_peers(["192.0.2.5,mx1.example.jp", "192.0.2.5 2001:db8::1"])
    assert [peer.text for peer in peers] == ["192.0.2.5", "mx1.example.jp", "[2001:db8::1]"]
    assert reasons == ()


def test_braces_keep_an_inline_table_together() -> None:
    assert split_peers("inline:{a=x, b=x}, 192.0.2.5") == ("inline:{a=x, b=x}", "192.0.2.5")


@pytest.mark.parametrize(
    ("typed", "broad"),
    [
        ("0.0.0.0/0", True),
        ("::/0", True),
        ("128.0.0.0/1", True),
        ("10.0.0.0/8", False),
        ("[2000::]/3", True),
        ("[2001::]/16", False),
        ("static:all", True),
        ("static:anything", True),
        ("unknown", True),
        ("!0.0.0.0/0", False),
        ("example.jp", False),
    ],
)
def test_too_broad_patterns_are_marked(typed: str, broad: bool) -> None:
    assert bool(parse_peer(typed).broad) is broad


def test_international_name_becomes_what_dns_gives() -> None:
    peer = parse_peer("例え.jp")
    assert peer.text == "xn--r8jz45g.jp"
    assert peer.note is not None
    assert peer.note.code == "peer-idn"


@given(st.text(max_size=40))
def test_any_text_gives_a_peer_or_a_reason_and_a_peer_reads_as_itself(text: str) -> None:
    read = read_peer(text)
    if isinstance(read, Reason):
        assert read.message
        assert read.hint
    else:
        again = read_peer(read.text)
        assert isinstance(again, Peer)
        assert again.text == read.text


_ADDRESSES = st.one_of(st.ip_addresses().map(str), st.sampled_from(["192.0.2.5", "2001:db8::1", "noaddr", "/path"]))


@given(st.text("0129afx:.-_/[]!%*", max_size=16), _ADDRESSES)
def test_an_accepted_pattern_never_ends_the_reading_of_the_list(text: str, address: str) -> None:
    read = read_peer(text)
    if isinstance(read, Peer) and read.kind not in ("file", "table"):
        reached = match_peer([f"!{read.body}", "static:all"], "mx1.example.jp", address)
        assert reached is not match_peer([read.body], "mx1.example.jp", address)


@given(st.ip_addresses())
def test_an_address_matches_itself_and_nothing_else_of_note(address: object) -> None:
    read = read_peer(str(address))
    if isinstance(read, Peer):
        assert match_peer([read.text], "unknown", str(address)) is True
        assert match_peer([read.text], "unknown", "192.0.2.77") is (str(address) == "192.0.2.77")


@pytest.mark.parametrize(
    ("peers", "parent", "expected"),
    [
        (["example.jp"], True, True),
        (["example.jp"], False, False),
        ([".example.jp"], True, False),
        ([".example.jp"], False, True),
        (["xample.jp"], True, False),
        (["MX1.example.jp"], True, True),
        (["192.0.2.0/24", "!192.0.2.5"], True, True),
        (["!192.0.2.5", "192.0.2.0/24"], True, False),
        (["!192.0.2.5"], True, False),
        (["!198.51.100.1", "static:all"], True, True),
        (["192.0.2.5/24", "192.0.2.5"], True, False),
        (["192.0.2.5", "192.0.2.5/24"], True, True),
        (["2001:db8::1", "192.0.2.5"], True, None),
        (["192.0.2.5", "hash:/x"], True, True),
        (["hash:/x", "192.0.2.5"], True, None),
        (["/file"], True, None),
        (["[192.0.2.5]"], True, True),
        (["192.0.2"], True, False),
        ([], True, False),
    ],
)
def test_matching_goes_by_postfix_rules(peers: list[str], parent: bool, expected: bool | None) -> None:
    assert match_peer(peers, "mx1.example.jp", "192.0.2.5", parent_domain=parent) is expected
