"""Secrets met in the capture, to be masked wherever else they turn up, in any of their spellings.

They live in memory only.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

from pfremote.maillog.redact.needles import SHORTEST, Needles
from pfremote.maillog.redact.vocabulary import COMMON_WORDS, PHRASES

_URL_SAFE = str.maketrans("+/", "-_")
_NAME = re.compile(r"(?:[a-z0-9._+-]+@)?[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}")
_ADDRESS = re.compile(r"[0-9.:]+\Z")


def is_name(text: str) -> bool:
    """Say whether ``text`` is written like a host name, a domain or a mail address, which guessers try."""
    return _NAME.fullmatch(text) is not None


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
        if len(secret) < SHORTEST or low in self._words or low == account.lower():
            return False
        if low in COMMON_WORDS or low in PHRASES:
            return False
        if len(secret.replace("?", "")) < SHORTEST:
            return False  # What util/printable.c leaves of binary data; it would hit any such line.
        return not (_ADDRESS.match(secret) and len(secret) < 6) and not secret.isspace()
