"""Recorded logs with secrets planted in every shape, broken in every way: how many leak.

    python -m bench.mutate [COUNT] [SEED] [follow]

Each recording is a piece of a recorded log with one to three exchanges or lookups put into it, whose secret is known.
Then lines are lost, doubled, swapped, cut, wrapped, moved to other processes. What is shown of it (evidence, dialogues,
causes, accounts) is searched for the secret in every spelling. Exit code 1 if any is found. With ``follow`` it is read
as ``--follow`` reads it, in pieces of any size, and searched for what was shown on the way.
"""

from __future__ import annotations

import random
import re
import struct
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from pfremote.maillog.capture import Capture, read_capture
from pfremote.maillog.live import Live, LiveEnd, LiveReader
from pfremote.maillog.transcripts.render import render_text

_FIXTURES = Path(__file__).parent.parent / "tests" / "fixtures"
_NOW = datetime(2026, 12, 1, tzinfo=UTC)
_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_PEER = "c.example.jp[192.0.2.5]"
_RELAY = "r.example.net[192.0.2.9]:587"

_Line = tuple[str, str]
_Make = Callable[[str], list[_Line]]


def b64(text: str) -> str:
    """Return the text in base64."""
    return b64encode(text.encode("utf-8", "surrogateescape")).decode()


def _in(*texts: str) -> list[_Line]:
    return [("smtpd", text) for text in texts]


def _out(*texts: str) -> list[_Line]:
    return [("smtp", text) for text in texts]


def _auth(mechanism: str, response: str) -> list[_Line]:
    return _in(f"< {_PEER}: AUTH {mechanism} {b64(response)}", f"> {_PEER}: 535 5.7.8 Error: authentication failed: no")


def _login(user: str, password: str, *replies: str) -> list[_Line]:
    return _in(
        f"< {_PEER}: AUTH LOGIN",
        f"> {_PEER}: 334 VXNlcm5hbWU6",
        f"< {_PEER}: {b64(user)}",
        f"> {_PEER}: 334 UGFzc3dvcmQ6",
        f"< {_PEER}: {b64(password)}",
        *replies,
    )


def _log_in_to_relay(user: str, password: str) -> list[_Line]:
    return _out(
        f"> {_RELAY}: AUTH LOGIN",
        f"< {_RELAY}: 334 VXNlcm5hbWU6",
        f"> {_RELAY}: {b64(user)}",
        f"< {_RELAY}: 334 UGFzc3dvcmQ6",
        f"> {_RELAY}: {b64(password)}",
        f"< {_RELAY}: 535 5.7.8 no",
    )


def _ntlm(user: str) -> str:
    name = user.encode("utf-16-le", "surrogateescape")
    head = b"NTLMSSP\0" + struct.pack("<I", 3) + bytes(24) + struct.pack("<HHI", len(name), len(name), 64)
    return b64encode(head + bytes(20) + name).decode()


_OK = f"> {_PEER}: 235 2.7.0 Authentication successful"
_NO = f"> {_PEER}: 535 5.7.8 no"
_FAILED = f"warning: {_PEER}: SASL LOGIN authentication failed: no, sasl_username="
_LET_IN = f"8C36822E171: client={_PEER}, sasl_method=LOGIN, sasl_username=alice"
_HEARD = "xsasl_dovecot_handle_reply: auth reply: "


SHAPES: dict[str, _Make] = {
    "PLAIN": lambda s: _auth("PLAIN", f"\0alice\0{s}"),
    "PLAIN, NUL at the end": lambda s: _auth("PLAIN", f"\0alice\0{s}\0"),
    "PLAIN, NUL missing": lambda s: _auth("PLAIN", f"alice\0{s}"),
    "PLAIN, empty password": lambda s: _auth("PLAIN", f"\0{s}\0"),
    "LOGIN": lambda s: _login("alice", s, _OK),
    "LOGIN, refused": lambda s: _login("alice", s, _NO),
    "LOGIN, user:password": lambda s: _login(f"alice:{s}", s, _NO),
    "LOGIN, Dovecot": lambda s: _login("alice", s, f"{_HEARD}FAIL?2?user=alice", _NO),
    "LOGIN, let in": lambda s: _login("alice", s, f"{_HEARD}OK?2?user=alice", _OK, _LET_IN),
    "LOGIN, named": lambda s: _login("alice", s, f"{_FAILED}alice", _NO),
    "LOGIN, fields swapped": lambda s: _login(s, "alice", f"{_FAILED}(unavailable)", _NO),
    "LOGIN, swapped, named": lambda s: _login(s, "alice", f"{_FAILED}{s}", _NO),
    "LOGIN, initial": lambda s: _in(
        f"< {_PEER}: AUTH LOGIN {b64('alice')}", f"> {_PEER}: 334 UGFzc3dvcmQ6", f"< {_PEER}: {b64(s)}", _NO
    ),
    "PLAIN, fields swapped": lambda s: _auth("PLAIN", f"\0{s}\0alice"),
    "PLAIN, swapped and right": lambda s: [*_auth("PLAIN", f"\0{s}\0alice"), *_auth("PLAIN", f"\0alice\0{s}")],
    "CRAM-MD5, user": lambda s: _auth("CRAM-MD5", f"{s} {'0123456789abcdef' * 2}"),
    "SCRAM, user": lambda s: _auth("SCRAM-SHA-256", f"n,,n={s},r=abcdef"),
    "XOAUTH2, user": lambda s: _auth("XOAUTH2", f"user={s}\1auth=Bearer t0ken-4242\1\1"),
    "NTLM, user": lambda s: _in(f"< {_PEER}: AUTH NTLM {_ntlm(s)}", _NO),
    "Cyrus LOGIN": lambda s: _login(
        "alice",
        s,
        "xsasl_cyrus_server_next: decoded response: alice",
        f"xsasl_cyrus_server_next: decoded response: {s}",
    ),
    "LOGIN to a relay": lambda s: [
        *_out(f"smtp_sasl_passwd_lookup: host `r' user `relay' pass `{s}'"),
        *_log_in_to_relay("relay", s),
    ],
    "no delimiter in the table": lambda s: [
        *_out(f"smtp_sasl_passwd_lookup: host `r' user `{s}' pass `'", f"xsasl_cyrus_client_get_user: {s}"),
        *_log_in_to_relay(s, ""),
    ],
    "XOAUTH2": lambda s: _auth("XOAUTH2", f"user=alice\1auth=Bearer {s}\1\1"),
    "EXTERNAL": lambda s: _auth("EXTERNAL", s),
    "CRAM-MD5": lambda s: _auth("CRAM-MD5", f"alice {s}"),
    "unknown mechanism": lambda s: _in(f"< {_PEER}: AUTH {s} {b64(s)}"),
    "typed": lambda s: _in(f"< {_PEER}: {s}", f"> {_PEER}: 502 5.5.2 Error: command not recognized"),
    "typed, looked up": lambda s: _in(f"< {_PEER}: {s}", f"match_string: smtpd_forbidden_commands: {s} ~? CONNECT"),
    "pipelined": lambda s: _in(f"improper command pipelining after AUTH from {_PEER}: {b64(s)}\\r\\n"),
    "no SMTP": lambda s: _in(f"warning: non-SMTP command from {_PEER}: {s}"),
    "Dovecot": lambda s: _in(
        f"xsasl_dovecot_server_first: sasl_method PLAIN, init_response {b64(f'{chr(0)}alice{chr(0)}{s}')}",
        "xsasl_dovecot_handle_reply: auth reply: FAIL?1?user=alice",
    ),
    "Dovecot, user": lambda s: [
        *_auth("PLAIN", f"alice\0{s}\0"),
        *_in(f"xsasl_dovecot_handle_reply: auth reply: FAIL?1?user={s}"),
    ],
    "Cyrus": lambda s: _in(f"xsasl_cyrus_server_next: decoded response: {s}"),
    "Cyrus client": lambda s: _out(f"xsasl_cyrus_client_get_passwd: {s}"),
    "password map": lambda s: _out(
        f"maps_find: smtp_sasl_password_maps: hash:/etc/p(0,lock|fold_fix): [r]:587 = relay:{s}",
        f"smtp_sasl_passwd_lookup: host `r' user `relay' pass `{s}'",
    ),
    "password map, delimiter": lambda s: _out(
        f"maps_find: smtp_sasl_password_maps: hash:/etc/p(0,lock|fold_fix): [r]:587 = relay|{s}",
        f"smtp_sasl_passwd_lookup: host `r' user `relay|{s[:4]}' pass `{s[4:]}'",
        f"smtp_sasl_passwd_lookup: host `r' user `relay|{s}' pass `'",
    ),
    "regexp in braces": lambda s: _out(f"dict_regexp_lookup: {{{{/x/ u:{s}}}}}: r.example.net"),
    "static in braces": lambda s: _out(f"dict_open: static:{{ relay:{s} }}"),
    "proxied table": lambda s: _out(f"dict_proxy_lookup: table=mysql:/x flags=lock key=k -> status=0 result=relay:{s}"),
    "SQL": lambda s: [("proxymap", f"dict_mysql: successful query 'SELECT p FROM t WHERE k='{s}'' from host db")],  # noqa: S608
    "bind password": lambda s: [("proxymap", f"cfg_get_str: /etc/postfix/ldap.cf: bind_pw = {s}")],
    "wire, out": lambda s: _out(f"> {_RELAY}: AUTH PLAIN {b64(f'{chr(0)}relay{chr(0)}{s}')}"),
    "content": lambda s: _in(f"rec_put: type N len 20 data {s}"),
    "decrypted": lambda s: _in(f"Read 33 chars: AUTH PLAIN {b64(s)}??"),
    "URL": lambda s: _in(f"warning: proxy http://alice:{s}@proxy.example.jp/ is not there"),
    "header": lambda s: [
        ("cleanup", f"warning: header Authorization: Basic {b64('alice:' + s)} from {_PEER}; from=<a@b.jp>")
    ],
}


def make_secret(rng: random.Random) -> str:
    """Return a secret with letters and digits, sometimes with what must be coded."""
    body = "".join(rng.choice(_ALPHABET) for _ in range(rng.randint(7, 18)))
    return body[:3] + rng.choice(("", "", "+", "ä", "#", "%")) + rng.choice("23456789") + rng.choice("QXZ") + body[3:]


def spell(secret: str) -> list[str]:
    """Return the secret in clear, hex, URL form and base64."""
    raw = secret.encode()
    found = [secret, raw.hex(), raw.hex().upper(), quote(raw, safe="")]
    for before in range(3):
        coded = b64encode(bytes(before) + raw).decode()
        found.append(coded[-(-8 * before // 6) : 8 * (before + len(raw)) // 6])
    return found


def _rows(lines: list[_Line], pids: dict[str, int]) -> list[str]:
    return [f"Nov 24 02:13:49 mx postfix/{daemon}[{pids.get(daemon, 40)}]: {text}" for daemon, text in lines]


def make_recording(pieces: list[list[str]], secret: str, rng: random.Random) -> list[str]:
    """Return a piece of a recorded log with exchanges put into it that hold ``secret``."""
    recorded = rng.choice(pieces)
    at = rng.randrange(max(1, len(recorded) - 6))
    rows = recorded[at : at + rng.randint(2, 6)]
    pids = {"smtpd": rng.randint(5, 9), "smtp": rng.randint(15, 19)}
    begin = rng.random() < 0.7
    opened = _in(f"connect from {_PEER}", f"> {_PEER}: 220 mx ESMTP", f"< {_PEER}: EHLO c") if begin else []
    for _ in range(rng.randint(1, 2)):
        planted = _rows([*opened, *rng.choice(list(SHAPES.values()))(secret)], pids)
        place = rng.randint(0, len(rows))
        rows[place:place] = planted
    return rows


def mutate(rows: list[str], rng: random.Random) -> list[str]:
    """Break the recording in one to four ways."""
    for _ in range(rng.randint(1, 4)):
        if rows:
            rng.choice(_WAYS)(rows, rng)
    return rows


def _lose(rows: list[str], rng: random.Random) -> None:
    rows.pop(rng.randrange(len(rows)))


def _double(rows: list[str], rng: random.Random) -> None:
    rows.insert(rng.randint(0, len(rows)), rng.choice(rows))


def _swap(rows: list[str], rng: random.Random) -> None:
    one, other = rng.randrange(len(rows)), rng.randrange(len(rows))
    rows[one], rows[other] = rows[other], rows[one]


def _cut(rows: list[str], rng: random.Random) -> None:
    at = rng.randrange(len(rows))
    rows[at] = rows[at][: rng.randint(0, len(rows[at]))]


def _move(rows: list[str], rng: random.Random) -> None:
    at = rng.randrange(len(rows))
    rows[at] = rows[at].replace("smtpd[", f"submission/smtpd[{rng.randint(1, 9)}")


def _wrap(rows: list[str], rng: random.Random) -> None:
    at = rng.randrange(len(rows))
    head, found, text = rows[at].partition("]: ")
    rows[at] = f"{head}{found}message repeated 2 times: [ {text}]" if found else rows[at]


def _dress(rows: list[str], rng: random.Random) -> None:
    at = rng.randrange(len(rows))
    rows[at] = rng.choice(("<22>", "mail.info ", "2026-11-24T02:13:49+00:00 mx ", "\ufeff", "  ")) + rows[at]


def _pad(rows: list[str], rng: random.Random) -> None:
    at = rng.randrange(len(rows))
    rows[at] += rng.choice((" ", "\r", "\0", " [redacted: password of alice]", "x" * 3000))


def _lower(rows: list[str], rng: random.Random) -> None:
    at = rng.randrange(len(rows))
    if "]: < " in rows[at]:
        rows[at] = rows[at].replace("AUTH ", rng.choice(("auth ", "AuTh  ", "AUTH=", " AUTH ")))


_WAYS = (_lose, _lose, _double, _swap, _swap, _cut, _move, _wrap, _dress, _pad, _lower)


def show(capture: Capture) -> str:
    """Return all that is stored and told of a capture."""
    told = "".join(render_text(transcript) for transcript in capture.transcripts)
    return (
        capture.evidence_text() + told + repr((capture.findings, capture.exposures, capture.withheld, capture.sessions))
    )


def read_whole(data: bytes) -> tuple[str, int, int]:
    """Return what is shown of a log, and how many lines are withheld and unreadable."""
    capture = read_capture(data, now=_NOW, utc_offset=timedelta(0), match=lambda _session: True)
    return show(capture), len(capture.withheld), len(capture.unreadable)


def read_followed(data: bytes) -> tuple[str, int, int]:
    """Return the same of a log that comes in pieces."""
    rng = random.Random(len(data))  # noqa: S311 - the same pieces each time
    reader = LiveReader(now=_NOW, utc_offset=timedelta(0), match=lambda _session: True)
    items: list[Live] = []
    while data:
        size = rng.randint(1, rng.choice((20, 200, 4000)))
        items += reader.feed(data[:size])
        data = data[size:]
    shown = "".join(map(_show_live, (*items, *reader.finish())))
    return shown, shown.count("[line withheld: "), shown.count("[line withheld: it could not be read]")


def _show_live(item: Live) -> str:
    return render_text(item.transcript) + repr(item.transcript) if isinstance(item, LiveEnd) else repr(item)


#: Lines in which the server names a user in its own words.
_NAMES = (
    r"]: (?:message repeated 2 times: \[ )?(?:xsasl_dovecot_handle_reply: auth reply: FAIL\?1\?user=%s(?:[ \r\0]|\Z|\])"
    r"|warning: \S+: SASL LOGIN authentication failed: no, sasl_username=%s)"
)


def is_named(rows: list[str], secret: str) -> bool:
    """Say whether a line of the server names the secret as a user, as the log's only or another line's confirmation.

    It does not count where a line of the same recording that can be read says that it may be the password.
    """
    name = re.escape(secret)
    named = re.compile(_NAMES.replace("%s", name))
    if not any(named.search(row) for row in rows):
        return False
    return not any(b64(f"alice\0{secret}\0") in row or b64(f"alice\0{secret}") in row for row in rows)


def main() -> int:
    """Plant, break, look, count."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)  # noqa: S311 - the same recordings each time
    read = read_followed if "follow" in sys.argv[3:] else read_whole
    pieces = [path.read_text("utf-8", "surrogateescape").splitlines()[:400] for path in sorted(_FIXTURES.glob("*.log"))]
    leaks = withheld = unreadable = exempt = 0
    slowest = 0.0
    for number in range(count):
        secret = make_secret(rng)
        rows = mutate(make_recording(pieces, secret, rng), rng)
        data = "\n".join(rows).encode("utf-8", "surrogateescape") + b"\n"
        began = time.process_time()
        shown, held_back, lost = read(data)
        slowest = max(slowest, (time.process_time() - began) / max(1, len(rows)))
        withheld += held_back
        unreadable += lost
        if not any(text in shown for text in spell(secret)):
            continue
        if is_named(rows, secret):
            exempt += 1
        else:
            leaks += 1
            if leaks <= 5:
                print(f"leak in recording {number}, secret {secret!r}:", *rows, shown, sep="\n  ")
    print(
        f"{count} recordings, {leaks} leaks, {exempt} named as a user by the server, {withheld} lines withheld, {unreadable} unreadable, slowest {slowest * 1e3:.1f} ms a line"
    )
    return 1 if leaks or unreadable else 0


if __name__ == "__main__":
    sys.exit(main())
