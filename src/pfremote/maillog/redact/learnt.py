"""Secrets met in the capture, to be masked wherever else they turn up, in any of their spellings.

They live in memory only.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

from pfremote.maillog.redact.needles import SHORTEST, Needles

_URL_SAFE = str.maketrans("+/", "-_")
# Words that Postfix, SMTP and syslog lines are made of. A guesser's "password" or "postmaster" must not
# blank the log: such a secret is masked in credential positions only.
_TEXT_WORDS = """
abort accept access account active addr address admin alias aliases allow anonymous anvil attr
    attribute auth authenticate authentication authorized base64 before bounce body bytes cache canonical
    challenge channel chars check checks cipher class cleanup client close command commands common connect
    connected connection content count data daemon debug default defer deferred deny disconnect discard
    domain done double dunno duration ehlo empty encoded encryption ends engine entry envelope error ever
    exists expired extract failed failure false fatal file filter find finished flags flush format found
    from global greylist group hash header hello helo host hostname info initial input install instance
    invalid keep key keys level limit line lines list listen lmdb load local localhost lock login logged
    lookup lost lmtp mail mailbox main maps mask match master match_list mech mechanism member message
    method milter milters mode name names network none noop nrcpt null object open oper order other
    owner pass passwd password path peer permit pipe policy port postfix postmaster private process
    protocol proto proxy public pwd query queue queued quit rate rcpt read recipient regexp reject rejected
    relay removed reply request required reset resolve response restriction restrictions result root rule
    rset rsyslog sasl save secret send sender sent server service session setting size smtp smtpd socket
    spool stage start state starting static status stream string submission subject success support system
    table test text time timeout token tls trace transaction transport true trust trying type unix unknown
    update user username users valid value verify version virtual wait wanted warning webmaster with
    write xclient xforward
"""
#: Words that ordinary lines need, in lower case.
COMMON_WORDS = frozenset(_TEXT_WORDS.split())
_ADDRESS = re.compile(r"[0-9.:]+\Z")


def spellings(secret: str) -> Iterator[str]:
    """Yield the texts that ``secret`` may appear as: clear, escaped, hex, URL."""
    raw = secret.encode("utf-8", "surrogateescape")
    yield secret
    yield secret.lower()
    # util/printable.c shows bytes that it will not print as "?"; octal is how Cyrus shows them.
    for shown in (raw.decode("latin-1"), secret):
        printed = "".join(c if " " <= c <= "~" else "?" for c in shown)
        if len(printed.replace("?", "")) >= SHORTEST:
            yield printed
    yield "".join(chr(b) if 32 <= b < 127 and b != 92 else f"\\{b:03o}" for b in raw)
    yield raw.hex()
    yield raw.hex().upper()
    for safe in ("", "/"):
        yield quote(raw, safe=safe)
    yield quote_plus(raw)
    yield re.sub("%..", lambda found: found[0].lower(), quote(raw, safe=""))


def base64_cores(raw: bytes) -> Iterator[str]:
    """Yield, per alignment, the base64 characters that depend on ``raw`` alone, if there are four or more."""
    for shift in range(3):
        coded = b64encode(bytes(shift) + raw).decode("ascii")
        first = -(-8 * shift // 6)
        core = coded[first : 8 * (shift + len(raw)) // 6]
        if len(core) >= SHORTEST:
            yield core


class Learnt:
    """The secrets so far. ``generation`` grows with each one, for caches that depend on them."""

    def __init__(self) -> None:
        self.generation = 0
        self._secrets: dict[str, None] = {}
        self._folded: set[str] = set()
        self._words: set[str] = set()
        self._needles = Needles()

    @property
    def secrets(self) -> tuple[str, ...]:
        """All secrets that are masked everywhere, in the order learnt."""
        return tuple(self._secrets)

    def __contains__(self, text: str) -> bool:
        """Say whether this text is a secret that is masked everywhere; servers fold the case of user names."""
        return text in self._secrets or text.casefold() in self._folded

    def protect(self, *words: str) -> None:
        """Note user and host names that the dialogue needs; a secret learnt before stays one."""
        for word in words:
            low = word.lower()
            if low not in self._words:
                self._words.add(low)
                self._words.update(re.split(r"[.@\[\]:]", low))

    def add(self, secret: str, account: str = "") -> None:
        """Learn one secret, unless it is too short or a word that ordinary lines need."""
        if secret in self._secrets or not self._may_mask(secret, account):
            return
        self._secrets[secret] = None
        self._folded.add(secret.casefold())
        clear = {s for s in spellings(secret) if len(s) >= SHORTEST and s.lower() not in self._words}
        raw = secret.encode("utf-8", "surrogateescape")
        cores = {c for core in base64_cores(raw) for c in (core, core.translate(_URL_SAFE))}
        self.generation += 1
        self._needles.add(clear, cores)

    def distrust(self, word: str) -> None:
        """Learn a word as a secret that had been taken for a user name."""
        self._words.discard(word.lower())
        self.add(word)

    def scrub(self, text: str) -> str:
        """Mask every learnt secret in ``text``; a base64 run that holds one is masked as a whole."""
        return self._needles.mask(text)

    def _may_mask(self, secret: str, account: str) -> bool:
        low = secret.lower()
        if len(secret) < SHORTEST or low in self._words or low in COMMON_WORDS or low == account.lower():
            return False
        if len(secret.replace("?", "")) < SHORTEST:
            return False  # What util/printable.c leaves of binary data; it would hit any such line.
        return not (_ADDRESS.match(secret) and len(secret) < 6) and not secret.isspace()
