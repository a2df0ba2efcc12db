"""Secrets met in the capture, to be masked wherever else they turn up, in any of their spellings.

They live in memory only.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from pfremote.maillog.client_text import client_spans, is_debug, shares_span, spans_without
from pfremote.maillog.owners import HOST, Owners
from pfremote.maillog.redact.literals import SHORTEST, Literals, MayMask
from pfremote.maillog.redact.vocabulary import COMMON_WORDS, PHRASES

_URL_SAFE = str.maketrans("+/", "-_")
_NAME = re.compile(r"(?:[a-z0-9._+-]+@)?[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}")
_ADDRESS = re.compile(r"[0-9.:]+\Z")


def is_name(text: str) -> bool:
    """Say whether ``text`` is written like a host name, a domain or a mail address, which clients that guess try."""
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


def _enter(words: Iterable[str], known: set[str]) -> None:
    for word in words:
        low = word.lower()
        if low not in known:
            known.add(low)
            known.update(re.split(r"[.@\[\]:]", low))


class LearnedSecrets:
    """The secrets so far, and whose they are: a client's, or the host's own (:data:`HOST`).

    ``generation`` grows with each one, for caches that depend on them.
    """

    def __init__(self, owners: Owners) -> None:
        self.generation = 0
        self._owners = owners
        self._of: dict[str, set[str]] = {}
        self._literal_of: dict[str, set[str]] = {}
        self._words: dict[str, set[str]] = {HOST: set()}
        #: What clients say to be called; no line of the server has confirmed it.
        self._expected: dict[str, set[str]] = {}
        #: Secrets that are written like such a name, and whose they are.
        self._waiting: dict[tuple[str, str], None] = {}
        self.literals = Literals()
        #: How many secrets were learned, one of several clients as several.
        self._learned = 0
        #: What :meth:`is_in` found, and what was known then.
        self._is_in: dict[tuple[str, str], tuple[tuple[int, int], bool]] = {}

    @property
    def secrets(self) -> dict[str, frozenset[str]]:
        """All secrets that are masked in other lines too, in the order learned, with their owners."""
        return {secret: frozenset(owners) for secret, owners in self._of.items()}

    def protect(self, owner: str, *words: str) -> None:
        """Note user and host names that ``owner``'s lines need; a secret learned before stays one."""
        _enter(words, self._words.setdefault(owner, set()))

    def expect(self, owner: str, *words: str) -> None:
        """Note what a client says to be called: a secret that is the same waits for :meth:`settle`."""
        _enter(words, self._expected.setdefault(owner, set()))

    def add(self, secret: str, owner: str, account: str = "") -> None:
        """Learn one secret, unless it is too short or a word that ordinary lines need."""
        if owner in self._of.get(secret, ()) or not self._may_mask(secret, owner):
            return
        low = secret.lower()
        if low == account.lower() or low in self._expected.get(owner, ()):
            self._waiting[secret, owner] = None
        else:
            self._learn(secret, owner)

    def settle(self) -> None:
        """Learn the secrets that are written like a name which no line of the server has confirmed."""
        for secret, owner in self._waiting:
            if self._may_mask(secret, owner) and owner not in self._of.get(secret, ()):
                self._learn(secret, owner)
        self._waiting.clear()

    def _learn(self, secret: str, owner: str) -> None:
        self._learned += 1
        self._of.setdefault(secret, set()).add(owner)
        clear = {s for s in spellings(secret) if len(s) >= SHORTEST and not self._is_word(s.lower(), owner)}
        raw = secret.encode("utf-8", "surrogateescape")
        cores = {c for core in base64_cores(raw) for c in (core, core.translate(_URL_SAFE))}
        # The same secret of one more client changes nothing of the texts that hold none.
        self.generation += not self._literal_of.keys() >= clear | cores
        for literal in clear | cores:
            self._literal_of.setdefault(literal, set()).add(owner)
        self.literals.add(clear, cores)

    def distrust(self, word: str, owner: str) -> None:
        """Learn a word as a secret that had been taken for a user name."""
        for words in (self._words, self._expected):
            words.get(owner, set()).discard(word.lower())
        self.add(word, owner)

    def is_in(self, name: str, owner: str) -> bool:
        """Say whether a user name is a secret of ``owner`` or of the host, or holds one; servers fold its case."""
        state = self._learned, self._owners.named
        known = self._is_in.get((name, owner))
        if known is None or known[0] != state:
            is_theirs = self._judge(owner)
            found = any(self.literals.mask(text, is_theirs) != text for text in {name, name.lower(), name.casefold()})
            self._is_in[name, owner] = known = state, found
        return known[1]

    def scrub(self, text: str, owner: str | None, host: str = "") -> str:
        """Mask the learned secrets in a line about ``owner``; a base64 run that holds one goes as a whole.

        Secrets of the host go wherever they stand. Those of a client go in its own lines, and in lines of which
        nothing tells whose they are, where a client's words may stand.
        """
        is_theirs = self._judge(owner)
        spans: list[tuple[int, int]] | None = None
        # Of no client that is known, and no debug line: the host speaks.
        if owner is None and not is_debug(text):
            spans = []

        def may_mask(literal: str, start: int, end: int) -> bool:
            nonlocal spans
            if HOST in self._literal_of[literal]:
                return True
            if not is_theirs(literal, start, end):
                return False
            if spans is None:
                names = (*self._owners.names(owner), *((host,) if host else ()))
                spans = list(spans_without(text, client_spans(text), names))
            return shares_span(start, end, spans)

        return self.literals.mask(text, may_mask)

    def _judge(self, owner: str | None) -> MayMask:
        def is_theirs(literal: str, _start: int, _end: int) -> bool:
            owners = self._literal_of[literal]
            if HOST in owners or owner is None:
                return True
            return any(self._owners.is_same(one, owner) for one in owners)

        return is_theirs

    def _is_word(self, low: str, owner: str) -> bool:
        return low in self._words[HOST] or low in self._words.get(owner, ())

    def _may_mask(self, secret: str, owner: str) -> bool:
        low = secret.lower()
        if len(secret) < SHORTEST or self._is_word(low, owner):
            return False
        if low in COMMON_WORDS or low in PHRASES:
            return False
        if len(secret.replace("?", "")) < SHORTEST:
            return False  # What util/printable.c leaves of binary data; it would hit any such line.
        return not (_ADDRESS.match(secret) and len(secret) < 6) and not secret.isspace()
