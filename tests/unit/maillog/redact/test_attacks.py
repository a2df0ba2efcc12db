"""Attacks on the redaction, each with the kind that it stands for: what was sent is shown nowhere, in no part."""

from __future__ import annotations

import time
from datetime import timedelta
from itertools import product

import pytest

from pfremote.maillog.capture import Capture, read_capture
from pfremote.maillog.proof.prove import prove
from tests.support.maillines import b64, find_spellings, make_records
from tests.support.recorder.expect import FIXTURES, NOW
from tests.support.redacting import redact_and_prove

CASES = FIXTURES / "cases"
SECRETS = ("Gr4nite77", "Bas4lt88", "ite-77")


def read(name: str) -> Capture:
    data = (CASES / name).read_bytes()
    return read_capture(data, now=NOW, utc_offset=timedelta(0), match=lambda _session: True)


@pytest.mark.parametrize("path", sorted((CASES / "security").glob("A*.log")), ids=lambda path: path.stem)
def test_no_part_of_a_secret_of_a_case_is_shown(path: object) -> None:
    capture = read(f"security/{getattr(path, 'name', '')}")
    shown = capture.evidence_text() + repr(capture)
    assert [found for secret in SECRETS for found in find_spellings(secret, shown)] == []
    assert len(capture.records) == capture.counts.lines or "real" in str(path)


def test_case_a1_a_nul_too_many() -> None:
    """A1-plain-trailing-nul: no account of either response, in marks, exposures or dialogue."""
    capture = read("security/A1-plain-trailing-nul-plain.log")
    assert capture.evidence_text().count("AUTH PLAIN [redacted: password]") == 2
    assert {exposure.account for exposure in capture.exposures} == {"(unknown)"}


@pytest.mark.parametrize("name", ["real-3.7.11", "tables"])
def test_case_a2_a_password_in_the_name_of_a_table(name: str) -> None:
    """A2-inline-regexp-table-name: the content of the table goes, the key that was looked up stays."""
    shown = read(f"security/A2-inline-regexp-table-name-{name}.log").evidence_text()
    assert "[redacted: table value]" in shown
    assert ("]: 127.0.0.9\n" in shown) == (name == "real-3.7.11")


def test_case_a5_an_account_that_holds_a_secret() -> None:
    """A5-account-holds-secret: an account is told where another line confirms it, here the relay's only."""
    capture = read("security/A5-account-holds-secret-accounts.log")
    assert {exposure.account for exposure in capture.exposures} == {"(unknown)", "relay"}
    assert "user `relay' pass `[redacted: password of relay]'" in capture.evidence_text()


def test_case_c1_lines_made_to_stall_the_proof() -> None:
    """C1-proof-regex-stall: thirty lines cost 38 s then; the time is that of this process, whatever else runs."""
    data = (CASES / "security" / "C1-proof-regex-stall-noop.log").read_bytes()
    began = time.process_time()
    capture = read_capture(data, now=NOW, utc_offset=timedelta(0), match=lambda _session: True)
    assert time.process_time() - began < 2
    assert len(capture.records) == data.count(b"\n") == 34


UNDECIDABLE = [
    "\0alice\0Gr4nite77\0",
    "alice\0Gr4nite77\0",
    "alice\0Gr4nite77",
    "\0\0alice\0Gr4nite77",
    "\0Gr4nite77\0",
    "Gr4nite77\0\0",
    "\0alice\0Gr4nite77\0\0",
    "Gr4nite77\0\0x",
    "\0\0Gr4nite77",
    "Gr4nite77",
]


@pytest.mark.parametrize("reply", ["235 2.7.0 Authentication successful", "535 5.7.8 no", ""])
@pytest.mark.parametrize("response", UNDECIDABLE)
def test_an_undecidable_response_shows_nothing_of_any_part(response: str, reply: str) -> None:
    lines = [
        f"< c[192.0.2.5]: AUTH PLAIN {b64(response)}",
        "xsasl_dovecot_handle_reply: auth reply: FAIL?1?user=Gr4nite77",
        "warning: c[192.0.2.5]: SASL PLAIN authentication failed: no, sasl_username=Gr4nite77",
        "8C36822E171: client=c[192.0.2.5], sasl_method=PLAIN, sasl_username=Gr4nite77",
    ]
    if reply:
        lines.append(f"> c[192.0.2.5]: {reply}")
    capture = redact_and_prove(make_records(*lines))
    shown = "\n".join(record.text for record in capture.records) + repr(capture.exposures)
    assert find_spellings("Gr4nite77", shown) == []
    assert "of alice" not in shown


@pytest.mark.parametrize("mechanism", ["EXTERNAL", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER", "ANONYMOUS", "GSSAPI", "OTP"])
@pytest.mark.parametrize("shape", ["{}", "alice {}", "{} alice", "alice:{}", "user={}", "\0{}"])
def test_no_mechanism_takes_a_password_for_an_account(mechanism: str, shape: str) -> None:
    capture = redact_and_prove(
        make_records(
            f"< c[192.0.2.5]: AUTH {mechanism} {b64(shape.format('Gr4nite77'))}",
            "> c[192.0.2.5]: 535 5.7.8 Error: authentication failed: no",
        )
    )
    shown = "\n".join(record.text for record in capture.records) + repr(capture.exposures)
    assert find_spellings("Gr4nite77", shown) == []


@pytest.mark.parametrize("delimiter", [":", "=", "|", ";", ",", "/", "#", " ", "~", "%"])
def test_any_delimiter_of_a_password_table(delimiter: str) -> None:
    value = f"relay{delimiter}Gr4n:ite-77"
    lines = [
        f"maps_find: smtp_sasl_password_maps: hash:/etc/p(0,lock|fold_fix): [r]:587 = {value}",
        f"mail_addr_find: [r]:587 -> {value}",
        "smtp_sasl_passwd_lookup: host `r' user `relay' pass `Gr4n:ite-77'",
        "odd: Gr4n:ite-77",
        "odd: ite-77",
    ]
    capture = redact_and_prove(make_records(*lines, daemon="smtp"))
    shown = "\n".join(record.text for record in capture.records) + repr(capture.exposures)
    assert "Gr4n" not in shown
    assert "ite-77" not in shown
    assert "relay" in [exposure.account for exposure in capture.exposures]


TABLES = ("regexp", "pcre", "cidr", "inline", "static", "texthash", "pipemap", "unionmap", "randmap")
LINES = (
    "dict_open: {}",
    "maps_free: {}",
    "maps_append: {}",
    "send attr table = {}",
    "match_string: smtp_sasl_password_maps: r ~? {}",
    "warning: {} is unavailable. unsupported dictionary type",
    "maps_find: smtp_sasl_password_maps: {}(0,lock): r = x",
    "dict_proxy_open: table={} flags=lock",
    "fatal: {}: table lookup problem",
    "check_table_result: {} REJECT key",
)


@pytest.mark.parametrize(("kind", "line"), list(product(TABLES, LINES)))
def test_a_table_that_is_written_out_shows_nothing(kind: str, line: str) -> None:
    for content in (
        "{{{{/x/ u:Gr4nite77}}}}",
        "{{ u:Gr4nite77 }}",
        "{{ {{a = u:p}}, {{b = u2:Gr4nite77}} }}",
        "{{{{/x/ u:Gr4nite77",
    ):
        for daemon in ("smtp", "smtpd", "proxymap"):
            text = line.format(kind + ":" + content.replace("{{", "{").replace("}}", "}"))
            capture = redact_and_prove(make_records(text, daemon=daemon))
            assert find_spellings("Gr4nite77", capture.records[0].text) == [], text


@pytest.mark.parametrize(
    "text",
    [
        "dict_regexp_lookup: {{/x/ u:Gr4nite77}}: relay.example.jp",
        "dict_pcre_lookup: {{/x/ u:Gr4nite77}}: relay.example.jp",
        "dict_cidr_lookup: { {0.0.0.0/0 u:Gr4nite77} }: 192.0.2.1",
    ],
)
def test_the_key_of_a_lookup_stays(text: str) -> None:
    (record,) = redact_and_prove(make_records(text, daemon="smtp")).records
    assert record.text.endswith(text.rpartition("}: ")[2])
    assert "Gr4nite77" not in record.text
    assert prove([text]).withheld, "the proof knows the place without the redactor"


@pytest.mark.parametrize(
    "text",
    [
        "dict_mysql: successful query 'SELECT p FROM t WHERE u='bob' AND k='Gr4nite77'' from host db",
        "dict_mysql: query 'select aes_decrypt(p, \"Gr4nite77\") from t where u='bob'' from host db",
        "dict_sqlite_lookup: SELECT p FROM t WHERE salt='Gr4nite77",
        "cfg_get_str: /etc/postfix/my.cf: query = select p from t where salt='Gr4nite77' and u='%s'",
        "dict_ldap_lookup: Searching with filter (&(mail=bob@example.jp)(accessKey=Gr4nite77))",
        "cfg_get_str: /etc/postfix/ldap.cf: query_filter = (&(mail=%s)(accessKey=Gr4nite77))",
    ],
)
def test_queries_lose_their_literals(text: str) -> None:
    (record,) = redact_and_prove(make_records(text, daemon="proxymap")).records
    assert "Gr4nite77" not in record.text
    assert "withheld" not in record.text


HARMLESS = [
    ("smtp", "< r.example.net[192.0.2.9]:25: 250-AUTH LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH"),
    ("smtp", "< r.example.net[192.0.2.9]:25: 250 AUTH PLAIN LOGIN XYMCOOKIE X-NEW-THING"),
    ("smtp", "< r.example.net[192.0.2.9]:25: 250 2.0.0 Ok: queued as 4aBcD9eFgH1jKlM2nOpQ3rStUvW4"),
    (
        "smtp",
        "8C36822E17E: to=<a@b.jp>, relay=r[192.0.2.9]:25, delay=1, dsn=2.0.0, status=sent (250 Ok 0100018c1B2d3e4fA1b2C3d4E5)",
    ),
    (
        "smtp",
        "looking for session 6A0F1F0C5B6D7E8F90A1B2C3D4E5F60718293A4B5C6D7E8F90A1&s=smtp&l=805306480 in smtp cache",
    ),
    ("smtpd", "warning: c[192.0.2.5]: SASL XYMCOOKIE authentication failed: no"),
    ("smtpd", "warning: non-SMTP command from c[192.0.2.5]: ??????"),
    ("smtpd", "< c[192.0.2.5]: ????%??'"),
    ("smtpd", "connect from p200300f86f0f2a00c4b1e5c2a1f7d8e9.dip0.access.example.jp[192.0.2.5]"),
    ("smtpd", "connect from x-a1b2c3d4e5f60718293a4b5c6d7e8f90.elb.example.com[192.0.2.5]"),
    ("smtpd", "NOQUEUE: reject: RCPT from A1B2C3D4E5F60718293A4B5C6D7E8F90.EXAMPLE.COM[192.0.2.5]: 554 no"),
    ("smtpd", "warning: pcre:{/^unix:/ x} is unavailable. unsupported dictionary type: pcre"),
    ("smtpd", "dict_cidr_lookup: /etc/postfix/clients.cidr: 192.0.2.5"),
    ("smtpd", "match_string: smtpd_sasl_mechanism_filter: plain ~? static:rest(0,lock|utf8_request)"),
]


@pytest.mark.parametrize(("daemon", "text"), HARMLESS)
def test_masks_are_only_where_secrets_are(daemon: str, text: str) -> None:
    capture = redact_and_prove(make_records(text, daemon=daemon))
    assert [record.text for record in capture.records] == [text]


@pytest.mark.parametrize("name", ["log/ehlo-auth-list-masked.log", "log/peer-name-hex-label.log"])
def test_a_harmless_case_stays_as_it_was_logged(name: str) -> None:
    assert read(name).evidence_bytes() == (CASES / name).read_bytes()


def test_case_a7_lines_of_the_message() -> None:
    """A7-lines-of-the-message: what became of each line stays, its words go."""
    shown = read("security/A7-lines-of-the-message-real-3.7.11.log").evidence_text()
    assert "]: hbc_body_checks: [redacted: message content]\n" in shown
    assert "]: dict_regexp_lookup: [redacted: message content]\n" in shown
    assert "]: maps_find: smtp_header_checks: [redacted: message content]: not found\n" in shown


WORD = "Gr4nite-77Xq"
PEER, RELAY = "c.example.jp[192.0.2.5]", "r.example.net[192.0.2.9]:587"
SAID_BY_SMTP = (
    f"127.0.0.1:11211 got: relay:{WORD}",
    f"127.0.0.1:11211 got {WORD}",
    f"127.0.0.1:11211 write: relay:{WORD}",
    f'dict_alloc("static", "relay:{WORD}", 8192)',
    f'dict_free type="static" name="relay:{WORD}" reg_name="static:relay:{WORD}(0,lock)")',
    f'dict_free type="inline" name="{{a=relay:{WORD}}}" reg_name="x")',
    f"hbc_header_checks: 'Subject: {WORD}'",
    f"hbc_body_checks: '{WORD}'",
    f"maps_find: smtp_body_checks: the word is {WORD} = x: not found",
    f"maps_find: smtp_mime_header_checks: {WORD}: not found",
    f"maps_find: smtp_body_checks: pcre:/etc/postfix/b(0,lock|fold_fix): the word is {WORD} = WARN",
    f"maps_find: smtp_body_checks: pcre:/etc/postfix/b(0,lock|fold_fix): skipping utf8 lookup for the word {WORD}",
    f"dict_pcre_lookup: /etc/postfix/body_checks: the word is {WORD}",
    f"dict_regexp_lookup: /etc/postfix/body_checks: X-Word: {WORD}",
    f'cfg_get_str: /etc/postfix/m.cf: uri = mongodb://u:pa{WORD}/"ss@h/db',
    f"8C36822E171: to=<a@b.jp>, relay=local, status=sent (delivered to command: /usr/bin/curl -u relay:{WORD} https://x/)",
    f"8C36822E171: to=<a@b.jp>, relay=local, status=sent (delivered to command: /usr/bin/x --password {WORD})",
    f'8C36822E171: to=<a@b.jp>, relay=local, status=bounced (Command died with status 1: "/usr/bin/mysql -p{WORD} db")',
    f"8C36822E171: to=<a@b.jp>, orig_to=<|PGPASSWORD={WORD} psql>, relay=local, status=bounced (x)",
    f'8C36822E171: to=<a@b.jp>, orig_to=<"|/usr/bin/x {WORD[:4]}:{WORD}">, relay=local, status=bounced (x)',
)
SAID_BY_CLEANUP = (
    f"cleanup_header_callback: 'Subject: {WORD}'",
    f"cleanup_find_header_start: read: 30: Subject: {WORD}",
    f'cleanup_upd_header: 1 "X-Word" "{WORD}"',
    f"cleanup_patch_header: 30: write X-Word: {WORD}",
)


@pytest.mark.parametrize("line", [*SAID_BY_SMTP, *SAID_BY_CLEANUP])
def test_what_one_line_alone_gives_away(line: str) -> None:
    """No other line teaches the word: it was lost, or there is none."""
    daemon = "cleanup" if line in SAID_BY_CLEANUP else "smtp"
    texts = [("smtp", f"> {RELAY}: EHLO mx"), (daemon, line)]
    data = "".join(f"Nov 24 02:13:49 mx postfix/{name}[7]: {text}\n" for name, text in texts).encode()
    capture = read_capture(data, now=NOW, utc_offset=timedelta(0), match=None)
    assert find_spellings(WORD, capture.evidence_text() + repr(capture)) == []
    assert capture.withheld == ()
    assert prove([line]).withheld or "dict_" in line or "ommand" in line or "=<" in line or " write: " in line


@pytest.mark.parametrize(
    "line",
    [
        "8C36822E171: to=<a@b.jp>, relay=local, status=sent (delivered to command: /usr/bin/procmail -a EXTENSION)",
        "smtp_loop: got 1 of 1 end-of-data replies",
        "dict_regexp_lookup: /etc/postfix/access: client.example.jp",
        "dict_pcre_lookup: /etc/postfix/commands: RCPT TO:<bob@example.net>",
        "dict_pcre_lookup: /etc/postfix/replies: 550 5.1.1 no such user",
        "maps_find: smtp_generic_maps: a@b.jp: not found",
        'dict_alloc("hash", "/etc/postfix/transport", 8192)',
    ],
)
def test_what_is_of_use_and_gives_nothing_away_stays(line: str) -> None:
    data = f"Nov 24 02:13:49 mx postfix/smtp[7]: {line}\n".encode()
    capture = read_capture(data, now=NOW, utc_offset=timedelta(0), match=None)
    assert capture.evidence_text().endswith(f"]: {line}\n")


def test_a_lone_word_of_a_message_is_content_too() -> None:
    """The table's own line has no blank: only the line before tells what it is asked about."""
    texts = (
        "hbc_body_checks: 'x'",
        f"dict_pcre_lookup: /etc/postfix/b: {WORD}",
        f"maps_find: smtp_body_checks: {WORD}: not found",
    )
    after = "dict_pcre_lookup: /etc/postfix/access: client.example.jp"
    data = "".join(f"Nov 24 02:13:49 mx postfix/smtp[7]: {text}\n" for text in (*texts, after)).encode()
    capture = read_capture(data, now=NOW, utc_offset=timedelta(0), match=None)
    assert find_spellings(WORD, capture.evidence_text()) == []
    assert capture.evidence_text().endswith(f"]: {after}\n")


@pytest.mark.parametrize("gap", ["?", " ?", "??", "? "])
@pytest.mark.parametrize("before", ["", "?", " "])
def test_auth_with_any_white_space_is_auth(before: str, gap: str) -> None:
    """smtpd_token.c: TAB, VT, FF and CR part words as blanks do; printable.c shows them as question marks."""
    response = b64(f"alice\0{WORD}\0")
    texts = (
        f"connect from {PEER}",
        f"< {PEER}: {before}AUTH{gap}PLAIN{gap}{response}",
        f"warning: {PEER}: SASL PLAIN authentication failed: no, sasl_username={WORD}",
        f"> {PEER}: 535 5.7.8 Error: authentication failed: no",
        f"< {PEER}: {before}RCPT{gap}TO:<bob@example.net>",
    )
    data = "".join(f"Nov 24 02:13:49 mx postfix/smtpd[7]: {text}\n" for text in texts).encode()
    capture = read_capture(data, now=NOW, utc_offset=timedelta(0), match=lambda _session: True)
    assert find_spellings(WORD, capture.evidence_text() + repr(capture)) == []
    assert [(sasl.mechanism, sasl.outcome) for sasl in capture.transcripts[0].sasl] == [("PLAIN", "refused")]
    assert capture.evidence_text().endswith(f"RCPT{gap}TO:<bob@example.net>\n")


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_line_that_several_syslog_daemons_call_repeated(times: int) -> None:
    """Found by bench.mutate, seed 92222: the response was masked and not read, and the server named its password as a user."""
    said = f"< {PEER}: AUTH PLAIN {b64(f'alice{chr(0)}{WORD}{chr(0)}')}"
    for _ in range(times):
        said = f"message repeated 2 times: [ {said}]"
    texts = (
        said,
        f"> {PEER}: 535 5.7.8 Error: authentication failed: no",
        f"xsasl_dovecot_handle_reply: auth reply: FAIL?1?user={WORD}",
    )
    data = "".join(f"Nov 24 02:13:49 mx postfix/smtpd[7]: {text}\n" for text in texts).encode()
    capture = read_capture(data, now=NOW, utc_offset=timedelta(0), match=lambda _session: True)
    assert find_spellings(WORD, capture.evidence_text() + repr(capture)) == []
