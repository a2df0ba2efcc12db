"""Log lines for redaction tests: records from texts, and a search for a secret in every spelling."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from pfremote.maillog.parse.lines import parse_evidence
from pfremote.maillog.parse.record import Record
from pfremote.maillog.redact import Redactor

FIXTURES = Path(__file__).parent.parent / "fixtures"
SAMPLE = FIXTURES / "postfix-3.7-debug.log"
#: The recorded logs made for redaction, and every invented password and token in them.
RECORDED = {
    SAMPLE: ("S3cretPW", "RelayPassw0rd"),
    FIXTURES / "redact" / "sasl-mechanisms-postfix-3.7.log": (
        "Dove?Pw;Sora9",
        "CyrusPw-Umi7",
        "pä55 wörd+/",
        "ya29.Tok-ali_secret0042ABCDEFGH",
        "ya29.Tok-car_secret0042ABCDEFGH",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.Sigali",
    ),
    FIXTURES / "redact" / "sasl-client-proxymap-postfix-3.7.log": (
        "ErinRelay#55",
        "Rel%y:Pass w0rd",
        "bqGpHsc5ZmMkBU47p5RZmuVM/Zo=",
    ),
}


def read_records(path: Path) -> list[Record]:
    """Return the records of a recorded log."""
    now = datetime(2026, 12, 1, tzinfo=UTC)
    return list(parse_evidence(path.read_bytes(), now=now, utc_offset=timedelta(0)))


def make_records(*texts: str, daemon: str = "smtpd", pid: int = 7, host: str = "mx") -> list[Record]:
    """Return records with these texts, all of one process."""
    tag = f"postfix/{daemon}"
    head = f"Nov 24 02:13:49 {host} {tag}[{pid}]: "
    return [Record(n, None, host, tag, daemon, pid, head, text) for n, text in enumerate(texts, 1)]


def redact_texts(*texts: str, daemon: str = "smtpd") -> list[str]:
    """Return the texts as a fresh redactor leaves them."""
    redactor = Redactor()
    return [redactor.redact(record).text for record in make_records(*texts, daemon=daemon)]


def b64(text: str) -> str:
    """Return ``text`` as it stands in an AUTH dialogue."""
    return b64encode(text.encode("utf-8", "surrogateescape")).decode()


def make_login(peer: str, response: str) -> list[str]:
    """Return the lines of AUTH LOGIN by alice, up to her response to the prompt for a password."""
    return [
        f"< {peer}: AUTH LOGIN",
        f"> {peer}: 334 VXNlcm5hbWU6",
        f"< {peer}: {b64('alice')}",
        f"> {peer}: 334 UGFzc3dvcmQ6",
        f"< {peer}: {response}",
    ]


def find_spellings(secret: str, text: str) -> list[str]:
    """Return the spellings of ``secret`` in ``text``: clear, base64 (three alignments), hex, URL."""
    raw = secret.encode("utf-8", "surrogateescape")
    spellings = [secret, raw.hex(), raw.hex().upper(), quote(raw, safe=""), quote(raw, safe="").lower()]
    for before in range(3):
        # Whole groups of six bits that the secret alone decides.
        bits = "0" * 8 * before + "".join(f"{byte:08b}" for byte in raw)
        coded = b64encode(bytes(before) + raw).decode()
        spellings.append(coded[-(-8 * before // 6) : len(bits) // 6])
    return [spelling for spelling in spellings if spelling in text]
