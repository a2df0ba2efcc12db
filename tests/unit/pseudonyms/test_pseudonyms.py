"""Tokens for users, hosts and addresses: the same over hosts and runs, and nothing of the originals left."""

from __future__ import annotations

import ipaddress
import json
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfremote.errors import PfremoteError
from pfremote.maillog.capture import Capture, read_capture
from pfremote.model.facts import Lease
from pfremote.model.result import HostResult
from pfremote.pseudonyms.capture import disguise_capture
from pfremote.pseudonyms.disguise import Pseudonymous
from pfremote.pseudonyms.map import PseudonymStore
from pfremote.pseudonyms.names import Pseudonyms
from pfremote.report import read_report, write_report
from pfremote.store import RunStore
from tests.support.maillines import FIXTURES, make_records

KEY = b"k" * 32
NOW = datetime(2026, 12, 1, tzinfo=UTC)
RECORDED = sorted((*FIXTURES.glob("*.log"), *(FIXTURES / "redact").glob("*.log")))
MAIN_CF = b"""\
myhostname = mx.example.jp
mydestination = $myhostname, localhost, local.example.jp
mynetworks = 127.0.0.0/8 192.0.2.0/24 [2001:db8:7::]/64
relayhost = [relay.example.jp]:587
smtpd_tls_cert_file = /etc/ssl/mx.example.jp.pem
always_bcc = archive@example.jp
debug_peer_list = client.example.jp, 192.0.2.10
"""
#: What a reader must still be able to tell, line by line.
STRUCTURE = re.compile(
    r"(?:(?<=: )[2-5]\d\d[ -]|\b(?:EHLO|HELO|LHLO|MAIL FROM|RCPT TO|DATA|RSET|QUIT|AUTH|STARTTLS|XCLIENT)\b"
    r"|(?<![.\d])[2-5]\.\d{1,3}\.\d{1,3}\b(?!\.)|(?<!\.)\b(?=\d*[A-F])[0-9A-F]{9,14}\b|TLSv1\.\d|status=\w+|\[redacted: [a-z ]+?(?= of |\]))"
)
NAMES = re.compile(r"(?<![\w.@/-])(?:[a-z0-9-]+\.)+(?:example\.(?:jp|net|com)|test)(?![\w.-])")
ADDRESSES = re.compile(r"(?<![\w.])(?:192\.0\.2|198\.51\.100|203\.0\.113)\.\d{1,3}(?![\w.])")
MAILBOXES = re.compile(r"(?<![\w.])([a-z][a-z0-9._+-]*)@(?=[a-z0-9.-]+)")
#: Local parts of the fixtures that are words of Postfix, or the same on every host.
ORDINARY = {
    "user",
    "owner",
    "other",
    "someone",
    "absent",
    "root",
    "double-bounce",
    "postmaster",
    "postfix",
    "mailer-daemon",
}


def read(path: Path) -> Capture:
    return read_capture(path.read_bytes(), now=NOW, utc_offset=timedelta(0), match=lambda _: True)


def shown(capture: Capture) -> Iterator[str]:
    yield from (record.head + record.text for record in capture.records)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_nothing_of_the_originals_is_left(path: Path) -> None:
    plain = read(path)
    text = "\n".join(shown(plain))
    hidden = disguise_capture(plain, Pseudonyms(KEY))
    after = "\n".join(shown(hidden)) + repr(hidden.transcripts) + repr(hidden.findings) + repr(hidden.exposures)
    for name in {*NAMES.findall(text), *ADDRESSES.findall(text)}:
        assert not re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", after), name
    for user in set(MAILBOXES.findall(text)) - ORDINARY:
        assert not re.search(rf"(?<![\w.]){re.escape(user)}(?![\w.])", after), user
    assert hidden.withheld == plain.withheld


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_structure_is_kept(path: Path) -> None:
    plain = read(path)
    hidden = disguise_capture(plain, Pseudonyms(KEY))
    assert [r.number for r in hidden.records] == [r.number for r in plain.records]
    for before, after in zip(plain.records, hidden.records, strict=True):
        assert (before.time, before.daemon, before.pid) == (after.time, after.daemon, after.pid)
        assert STRUCTURE.findall(before.text) == STRUCTURE.findall(after.text), (before.text, after.text)
    for one, other in zip(plain.transcripts, hidden.transcripts, strict=True):
        assert [(t.who, t.topic, t.line, t.count) for t in one.turns] == [
            (t.who, t.topic, t.line, t.count) for t in other.turns
        ]
        assert (one.folded, one.session.queue_ids) == (other.folded, other.session.queue_ids)
    assert [(f.code, f.certainty, f.session) for f in plain.findings] == [
        (f.code, f.certainty, f.session) for f in hidden.findings
    ]
    assert [(e.kind, e.mechanism, e.line) for e in plain.exposures] == [
        (e.kind, e.mechanism, e.line) for e in hidden.exposures
    ]


def test_the_same_value_has_the_same_token_over_hosts_and_runs(tmp_path: Path) -> None:
    line = "< client.example.jp[192.0.2.10]: MAIL FROM:<Alice@Example.JP>"
    tokens = []
    for run in range(3):
        store = PseudonymStore(tmp_path / "map.json")
        for host in ("mx1", "mx2"):
            with store.open() as names:
                names.begin()
                names.disguise(f"from=<somebody{run}{host}@run{run}.example>")
                tokens.append(names.disguise(line))
    assert len(set(tokens)) == 1
    assert tokens[0].startswith("< h1.d2.invalid[240.")


def test_growth_does_not_depend_on_what_else_is_there(tmp_path: Path) -> None:
    names = Pseudonyms(KEY)
    first = names.disguise("to=<bob@b.example.jp> relay=mx.b.example.jp[198.51.100.4]:25")
    known = {kind: dict(numbers) for kind, numbers in names.numbers.items()}
    names.disguise("to=<carol@c.example.jp> relay=mx.c.example.jp[203.0.113.9]:25")
    assert names.disguise("to=<bob@b.example.jp> relay=mx.b.example.jp[198.51.100.4]:25") == first
    for kind, numbers in known.items():
        assert numbers.items() <= names.numbers[kind].items()
    assert Pseudonyms(KEY, names.numbers).disguise("to=<bob@b.example.jp>") == first.split()[0]


def test_a_token_is_its_own_token() -> None:
    names = Pseudonyms(KEY)
    text = "< mx1[10.0.1.5]: EHLO mx1; bob@a.example.jp 192.0.2.7 2001:db8::9 message-id=<1.x@a.example.jp> fe80::1"
    once = names.disguise(text)
    assert names.disguise(once) == once
    assert Pseudonyms(KEY, names.numbers).disguise(once) == once


@pytest.mark.parametrize("version", [4, 6])
def test_subnets_are_kept(version: int) -> None:
    names = Pseudonyms(KEY)
    steps: tuple[int, ...]
    if version == 4:
        base, steps, width, group = int(ipaddress.ip_address("198.51.100.0")), (0, 1, 2, 7, 130, 255, 256, 4095), 32, 16
    else:
        base, steps, width, group = int(ipaddress.ip_address("2001:db8:7::")), (0, 1, 2, 300, 1 << 64, 3 << 70), 128, 48
    made = type(ipaddress.ip_address(base))
    before = [made(base + step) for step in steps]
    after = [ipaddress.ip_address(names.address(str(address))) for address in before]
    assert len(set(after)) == len(after)
    for one, hidden_one in zip(before, after, strict=True):
        for other, hidden_other in zip(before, after, strict=True):
            assert (
                int(one) ^ int(other) == 0
                or (int(one) ^ int(other)).bit_length() == (int(hidden_one) ^ int(hidden_other)).bit_length()
            )
    assert {int(address) >> (width - group) for address in after} == {int(after[0]) >> (width - group)}
    net = ipaddress.ip_network(names.disguise("198.51.100.0/24" if version == 4 else "2001:db8:7::/64"))
    assert [address in net for address in after] == [
        address in ipaddress.ip_network("198.51.100.0/24" if version == 4 else "2001:db8:7::/64") for address in before
    ]


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1", "::1", "localhost", "unknown", "10.0.0.0/8", "main.cf", "/etc/postfix/master.cf", "3.7.11",
        "status=deferred (dsn=4.4.1)", "delays=0.01/0/0.02/0", "02:13:49", "SSL routines::tlsv1 alert unknown ca",
        "xsasl_dovecot_handle_reply: auth reply: DONE", "to=<>", "hash:/etc/postfix/sasl_passwd", "smtpd_check.c",
        "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)", "see http://www.postfix.org/postconf.5.html",
        "relay=local, delay=0", "relay=virtual, delay=0", "relay=none, delay=0", "250 2.1.5 Ok", "issuer_CN=, fingerprint=",
    ],
)  # fmt: skip
def test_what_names_nobody_stays(text: str) -> None:
    assert Pseudonyms(KEY).disguise(text) == text


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("xsasl_dovecot_handle_reply: auth reply: FAIL?3?user=alice?reason=nope", "alice"),
        ("warning: c[192.0.2.5]: SASL PLAIN authentication failed: no, sasl_username=alice", "alice"),
        ("warning: c[192.0.2.5]: SASL PLAIN authentication failed: no, sasl_username=bob alice", "alice"),
        ("4A1B2C3D4E: client=c[192.0.2.5], sasl_method=LOGIN, sasl_username=bob alice, sasl_sender=x@y.jp", "alice"),
        ("4A1B2C3D4E: client=c[192.0.2.5], sasl_method=LOGIN, sasl_username=alice", "alice"),
        ("from=<o'alice@example.jp> to=<b@example.jp>", "o'"),
        ("event: SMFIC_MAIL; macros: i=1 {auth_authen}=alice {auth_type}=PLAIN", "alice"),
        ("< c.example.jp[192.0.2.5]: RCPT TO:<alice> ORCPT=rfc822;alice", "alice"),
        ("< c.example.jp[192.0.2.5]: VRFY alice", "alice"),
        ("< c.example.jp[192.0.2.5]: EHLO alicebox", "alicebox"),
        ("smtp_sasl_passwd_lookup: host `relay' user `alice' pass `[redacted: password of alice]'", "alice"),
        ("< p.example.jp[192.0.2.5]: XCLIENT NAME=alicebox LOGIN=alice ADDR=IPV6:2001:db8::77", "alice"),
        ("< p.example.jp[192.0.2.5]: XCLIENT ADDR=IPV6:2001:db8::77", "2001:db8::77"),
        ("host mx[2001:db8::77] said: 550 from 2001:db8::77: no", "2001:db8::77"),
        ("dns_query: 5.2.0.192.in-addr.arpa (PTR): OK", "5.2.0.192"),
        ("dns_query: 5.2.0.192.rbl.example.jp (A): OK", "5.2.0.192"),
        ("from=<SRS0=xy=zz=origin.example=alice@fwd.example.jp>", "alice"),
        ('MAIL FROM:<"alice b"@example.jp>', "alice b"),
        ("dict_proxy_lookup: flags=lock key=@alice.example -> status=1", "alice"),
        ("helo=<mx.alice.invalid> from=<bob@alicepostfix.org>", "alice"),
        ("from=<alice@[192.0.2.77]>", "192.0.2.77"),
        ("file /etc/letsencrypt/live/mail.alice.example/fullchain.pem", "alice"),
        ("c: subject=/C=JP/O=Alice Trading/CN=mx.alice.example", "Alice"),
        ("fingerprint=AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD", "AA:BB:CC:DD:EE"),
        ("from=<ålice@bücher.example>", "bücher"),
        ("maps_find: access: texthash:/x(0): 192.0.2: not found; 192.0.2.5", "192.0.2"),
        ('8C36822E171: to=<x@y.jp>, relay=local, status=bounced (unknown user: "alice")', "alice"),
        ("status=bounced (cannot access mailbox /srv/alice/Maildir for user alice)", "alice"),
        ("warning: cannot open /home/alice/.forward", "alice"),
        ("create maildir file /var/mail/vhosts/example.jp/alice/tmp/1: Permission denied", "alice"),
        ("< p.example.jp[192.0.2.5]: XFORWARD NAME=x IDENT=alice SOURCE=REMOTE", "alice"),
        ("< c.example.jp[192.0.2.5]: ETRN #alicebox", "alicebox"),
        ("r.example.jp[192.0.2.9]:25: SNI hostname: alicebox", "alicebox"),
        ("xsasl_cyrus_server_create: SASL service=smtp, realm=ALICENET", "ALICENET"),
        ("8C36822E171: to=<x@y.jp>, relay=alicebox[private/dovecot-lmtp], status=sent (250 2.0.0 Ok)", "alicebox"),
        ("status=sent (250 2.0.0 <alice> 8kfj Saved)", "alice"),
        ("550 see http://www.example.net/Why?s=mfrom;id=alice%40example.jp;ip=192.0.2.5", "alice"),
        ("c[192.0.2.5]: subject_CN=Alice Example, issuer_CN=Some CA, fingerprint=AA:BB", "Alice"),
        ("c[192.0.2.5]: subject_CN=mx.example.jp, issuer_CN=Alice CA, fingerprint=AA:BB", "Alice"),
        ("c: subject=/C=JP/CN=Alice Example", "Alice"),
        ("8C36822E171: warning: header Subject: of Alice from c.example.jp[192.0.2.5]; from=<a@b.jp>", "Alice"),
        ("8C36822E171: reject: header From: Alice <x@example.jp> from c.example.jp[192.0.2.5]; from=<a@b.jp>", "Alice"),
        ("8C36822E171: warning: header From: =?utf-8?B?QWxpY2U=?= <x@example.jp>", "QWxpY2U="),
    ],
)
def test_each_shape(text: str, gone: str) -> None:
    names = Pseudonyms(KEY)
    names.meet([text])
    assert gone not in names.disguise(text)
    assert not names.leaks(names.disguise(text))


_SIGNS = st.text("ab1_.-!@é ßİ", min_size=1, max_size=12)


@given(st.lists(_SIGNS, max_size=6), _SIGNS, st.data())
def test_a_name_that_is_left_is_found_as_by_trying_each(users: list[str], text: str, data: st.DataObject) -> None:
    names = Pseudonyms(KEY)
    for user in users:
        names.user(user)
    text += data.draw(st.sampled_from(["", *users])) + data.draw(_SIGNS)
    low = text.casefold()
    met = [user.casefold() for user in users if names.disguise(user) != user]
    left = any(re.search(rf"(?<![^\W_]){re.escape(user)}(?![^\W_])", low) for user in met)
    assert left <= names.leaks(text)
    assert names.leaks(text) <= any(user.casefold() in low for user in users)


def test_a_header_keeps_its_name_and_its_addresses() -> None:
    line = "8C36822E171: warning: header From: Alice <alice@example.jp> from c.example.jp[192.0.2.5]; from=<a@b.jp>"
    names = Pseudonyms(KEY)
    shown = names.disguise(line)
    assert ": header From: [text] <user1@d1.invalid> from " in shown
    assert names.disguise(shown) == shown


def test_a_name_met_once_goes_everywhere() -> None:
    names = Pseudonyms(KEY)
    names.meet(["sasl_username=alice, x=mx1[192.0.2.4]"])
    assert names.disguise("odd: alice-mobile, ALICE and bob on mx1") == "odd: user1-mobile, user1 and bob on h1"


def test_a_line_with_a_name_that_cannot_be_replaced_is_withheld() -> None:
    records = make_records(
        "connect from a[192.0.2.1]", "send attr sasl_username = alice", "odd: x\u00a0alice\u00a0y_alice"
    )
    capture = read_capture(
        b"".join(f"{r.head}{r.text}\n".encode() for r in records),
        now=NOW,
        utc_offset=timedelta(0),
        match=lambda _: True,
    )
    hidden = disguise_capture(capture, Pseudonyms(KEY))
    assert "alice" not in "".join(shown(hidden))


def make_run(tmp_path: Path) -> Path:
    path = FIXTURES / "sender-login-mismatch-postfix-3.7.log"
    disguise = Pseudonymous(
        PseudonymStore(tmp_path / "data" / "map.json"), hosts=("mxhost", "probe9"), users=("opslogin",)
    )
    store = RunStore.create(
        tmp_path / "run",
        command=[
            "pfremote",
            "debug",
            "mxhost",
            "--peer",
            "192.0.2.10",
            "--peer",
            "client.example.jp",
            "--peer",
            "probe9",
        ],
        started=NOW,
        request={
            "peers": ["192.0.2.10", "client.example.jp", "!probe9"],
            "reason": "asked by carol@example.jp",
            "owner": "opslogin",
        },
        disguise=disguise,
    )
    lease = Lease(
        id="0123456789ab", state="reverted", peers=("192.0.2.10", "probe9"), owner="opslogin", origin="mxhost"
    )
    capture = disguise.capture(read(path))
    result = HostResult("mxhost", state="clean", sessions=1, lines=9, armed=True, warnings=())
    result = store.write_host(
        result, capture=capture, main_cf={"before": MAIN_CF, "during": MAIN_CF + b"debug_peer_level = 2\n"}, lease=lease,
        source="/var/log/mail.log",
    )  # fmt: skip
    run = store.write_run([result], ended=NOW, exit_code=0)
    for fmt in ("html", "md", "txt", "json"):
        store.write_report(f"report.{fmt}", write_report(read_report(run), fmt))  # type: ignore[arg-type]
    return store.path


def test_no_original_in_any_file_of_a_run(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 8
    for path in files:
        text = f"{path.relative_to(folder)}\n{path.read_text()}"
        for name in (
            "example.jp",
            "192.0.2",
            "2001:db8",
            "mxhost",
            "probe9",
            "opslogin",
            "carol",
            "archive",
            str(tmp_path),
        ):
            assert name not in text, (path, name)
    run = json.loads((folder / "run.json").read_text())
    assert run["pseudonymised"] is True
    assert run["hosts"][0]["state"] == "clean"
    assert run["hosts"][0]["lease_block"]["id"] == "0123456789ab"


def test_the_map_is_private_and_apart(tmp_path: Path) -> None:
    make_run(tmp_path)
    place = tmp_path / "data" / "map.json"
    assert place.stat().st_mode & 0o777 == 0o600
    assert place.parent.stat().st_mode & 0o777 == 0o700
    assert json.loads(place.read_text())["numbers"]["user"]["opslogin"] >= 1


def test_runs_that_grow_the_map_at_once_lose_nothing(tmp_path: Path) -> None:
    place = tmp_path / "map.json"

    def grow(run: int) -> None:
        store = PseudonymStore(place)
        for number in range(20):
            with store.open() as names:
                names.disguise(f"to=<u{number}r{run}@example.jp>, to=<shared{number}@example.jp>")

    threads = [threading.Thread(target=grow, args=(run,)) for run in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = json.loads(place.read_text())["numbers"]["user"]
    assert len(numbers) == 4 * 20 + 20
    assert sorted(numbers.values()) == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("damage", ["", "{}", '{"kind": "pfremote-pseudonyms", "schema": 2}', "not json"])
def test_a_damaged_map_stops_everything(tmp_path: Path, damage: str) -> None:
    place = tmp_path / "map.json"
    place.write_text(damage)
    with pytest.raises(PfremoteError, match="no map of pseudonyms"), PseudonymStore(place).open():
        raise AssertionError("nothing may be given out")
    assert place.read_text() == damage


@pytest.mark.parametrize("way", ["text", "host", "value", "a host that the operator named"])
def test_a_map_without_a_token_left_says_so_wherever_it_is_met(way: str, tmp_path: Path) -> None:
    store = PseudonymStore(tmp_path / "pseudonyms.json")
    with store.open() as names:
        names.numbers["net4"] = {f"network {number}": number for number in range(1, 0xA01)}
    disguise = Pseudonymous(store, hosts=("198.51.100.9",) if way.startswith("a host") else ())
    call: Callable[[], object] = partial(disguise.text, "from 198.51.100.9")
    if way == "host":
        call = partial(disguise.host, "198.51.100.9")
    elif way == "value":
        call = partial(disguise.value, {"host": "198.51.100.9"})
    with pytest.raises(PfremoteError, match="no token left") as caught:
        call()
    assert "pseudonyms.json" in caught.value.hint
