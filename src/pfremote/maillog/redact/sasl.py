"""What one SASL response gives away: whose it is and which secrets are in it."""

from __future__ import annotations

import re
import struct
from base64 import b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass, replace

from pfremote.maillog.redact import masks

#: The IANA registry of mechanism names, and those in use without being in it.
MECHANISMS = re.compile(
    r"(?:PLAIN|LOGIN|CRAM-MD5|DIGEST-MD5|NTLM|GSSAPI|GSS-SPNEGO|EXTERNAL|ANONYMOUS|OTP|SKEY|SECURID|APOP"
    r"|XOAUTH2?|OAUTHBEARER|OAUTH10A|OPENID20|SAML20|KERBEROS_V[45]|SRP|RPA|PASSDSS-[0-9A-Z-]+|MSN"
    r"|SCRAM-SHA(?:3)?-[0-9]{1,3}(?:-PLUS)?|SCRAM-MD5|GS2-[A-Z0-9-]{1,20}|ECDSA-NIST256P-CHALLENGE"
    r"|EAP-AES128(?:-PLUS)?|NMAS[-_A-Z0-9]+|DOVECOT-TOKEN|XTOKEN|PLAIN-CLIENTTOKEN|XYMCOOKIE(?:B64)?|XYMECOOKIE|XYMPKI|SPNEGO|NMAS-LOGIN|X-[A-Z][A-Z-]{1,16}|UNIX)\Z",
    re.IGNORECASE,
)

_USER_PROMPT = re.compile(r"user ?name|login", re.IGNORECASE)
_PASS_PROMPT = re.compile(r"pass ?(?:word|code)", re.IGNORECASE)
_PROMPTS = re.compile(r"(?:user ?name|login|password|passcode):?[\0 ]?\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Response:
    """A response read: the mask's kind, the account (or "(unknown)"), and the secrets to learn.

    ``undecided``: nothing tells which of the secrets is a user name, so none is shown anywhere. ``is_empty``: it was
    sent without a password.
    """

    kind: str
    account: str = masks.UNKNOWN
    secrets: tuple[str, ...] = ()
    undecided: bool = False
    is_empty: bool = False


#: Postfix shows a control character as a question mark (util/printable.c).
_BEHIND = "?" + "".join(map(chr, (*range(0x21), 0x7F)))


def decode(blob: str) -> str | None:
    """Return the text that the base64 ``blob`` codes, or None where it is not base64.

    What follows the base64 does not count: a control byte behind a response must not keep its secret from being known.

    >>> decode("YWxpY2U=?"), decode("no base64")
    ('alice', None)
    """
    try:
        return b64decode(blob.strip().rstrip(_BEHIND), validate=True).decode("utf-8", "surrogateescape")
    except (NotBase64, UnicodeEncodeError, ValueError):
        return None


_PIECE = re.compile(r"[A-Za-z0-9+/]{4,}")


def _decode_pieces(blob: str) -> list[str]:
    """Return the parts of what is base64 in a response that is not base64 as a whole.

    >>> _decode_pieces("AGFsaWNlAEdyNG5pdGU3NwA= and more")
    ['alice', 'Gr4nite77']
    """
    found: list[str] = []
    for piece in _PIECE.findall(blob):
        coded = piece + "=" * (-len(piece) % 4) if len(piece) % 4 != 1 else piece[:-1]
        found += (part for part in re.split(r"[\0\1]", decode(coded) or "") if part and part.isprintable())
    return found


def is_prompt(challenge: str) -> bool:
    """Say whether a challenge, in base64 or clear, is one of the fixed LOGIN prompts, or empty."""
    if not challenge.strip():
        return True
    if _PROMPTS.match(challenge):
        return True
    decoded = decode(challenge)
    return decoded is not None and _PROMPTS.match(decoded) is not None


def asked_for(challenge: str) -> str:
    """Return ``user``, ``password`` or nothing for a challenge, in base64 or clear."""
    text = decode(challenge) or challenge
    if _USER_PROMPT.search(text):
        return "user"
    return "password" if _PASS_PROMPT.search(text) else ""


def read_response(mechanism: str, blob: str) -> Response:
    """Read a response of any mechanism but LOGIN, whose meaning depends on what was asked.

    >>> read_response("PLAIN", "AGFsaWNlAFMzY3JldFBX")
    Response(kind='password', account='alice', secrets=('S3cretPW',), undecided=False, is_empty=False)
    """
    text = decode(blob)
    if text is None:
        # Typed by hand, or cut short: in any case it was meant as a credential.
        typed = blob.strip()
        return _undecided(masks.RESPONSE, typed, *re.split(r"[\s:]+", typed), *_decode_pieces(typed))
    return read_clear_response(mechanism, text)


def read_clear_response(mechanism: str, text: str) -> Response:
    """Read a decoded response, as Cyrus logs it (with ``?`` for control characters) or as it was."""
    name = mechanism.upper()
    if name == "PLAIN":
        return _plain(text)
    if name in ("XOAUTH2", "OAUTHBEARER", "XOAUTH"):
        return _bearer(text)
    if name == "CRAM-MD5":
        account, _, digest = text.rpartition(" ")
        if not account or not _MD5.match(digest):
            return _undecided(masks.RESPONSE, text, *text.split(" "))
        return Response(masks.RESPONSE, account, (digest,))
    if name == "DIGEST-MD5":
        found = re.search(r'username="([^"]*)"', text)
        proof = re.search(r"response=([0-9a-f]{32})", text)
        return Response(masks.RESPONSE, _first(found), (proof[1],) if proof else ())
    if name.startswith("SCRAM"):
        proof = re.search(r"(?:^|,)p=([^,]+)", text)
        found = re.search(r"(?:^|,)n=([^,]*)", text)
        return Response(masks.RESPONSE, _first(found), (proof[1],) if proof else ())
    if name == "NTLM":
        return Response(masks.RESPONSE, _ntlm_account(text))
    if name == "EXTERNAL":
        return _undecided(masks.RESPONSE, text)
    return Response(masks.RESPONSE, secrets=(text,))


_MD5 = re.compile(r"[0-9a-f]{32}\Z")


def _undecided(kind: str, *parts: str) -> Response:
    """Return a response of which any part may be the secret."""
    return Response(kind, secrets=tuple(dict.fromkeys(filter(None, parts))), undecided=True)


def _first(found: re.Match[str] | None) -> str:
    return found[1] if found and found[1] else masks.UNKNOWN


def _plain(text: str) -> Response:
    # RFC 4616: authzid NUL authcid NUL password. With a NUL too few or too many, or with a part missing, none of
    # the parts is the user name for sure.
    parts = text.split("\0")
    if len(parts) != 3 or not (parts[1] and parts[2]):
        return replace(_undecided(masks.PASSWORD, *parts), is_empty=_lacks_password(parts))
    return Response(masks.PASSWORD, parts[1], (parts[2],))


def _lacks_password(parts: list[str]) -> bool:
    # A client that forgets the first NUL and ends with one sends user and password in the first two places.
    return not any(parts) or (len(parts) == 3 and not parts[2] and parts[0] in ("", parts[1]))


def _bearer(text: str) -> Response:
    user = re.search(r"(?:^|[\x01?,])(?:user|a)=([^\x01?,]*)", text)
    token = re.search(r"auth=\s*(?:Bearer\s+)?([^\x01?]+)", text, re.IGNORECASE)
    if token is None:
        return _undecided(masks.TOKEN, text, *re.split(r"[\x01?,=]", text))
    return Response(masks.TOKEN, _first(user), (token[1],))


def _ntlm_account(text: str) -> str:
    # MS-NLMP 2.2.1.3, AUTHENTICATE_MESSAGE: length and offset of the user name at byte 36.
    raw = text.encode("utf-8", "surrogateescape")
    if len(raw) < 44 or not raw.startswith(b"NTLMSSP\0\3"):
        return masks.UNKNOWN
    length, offset = struct.unpack_from("<H2xI", raw, 36)
    name = raw[offset : offset + length]
    return name.decode("utf-16-le", "replace") if b"\0" in name else name.decode("latin-1")
