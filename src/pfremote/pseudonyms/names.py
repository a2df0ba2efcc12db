"""Users, hosts and addresses → tokens that stay the same over hosts and runs. Pure; the store keeps the map.

>>> names = Pseudonyms(b"k" * 32)
>>> names.disguise("from=<alice@example.jp>, client=mx.example.jp[192.0.2.5]")
'from=<user1@d1.invalid>, client=h1.d1.invalid[240.1.154.215]'
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from pfremote.pseudonyms.addresses import disguise_address, disguise_network
from pfremote.pseudonyms.shapes import (
    COMMON,
    KEPT_HOSTS,
    KEPT_USERS,
    PLACES,
    SHAPES,
    WORDS,
    split_host_name,
    split_local_part,
)

Numbers = dict[str, dict[str, int]]
_ROOT = ".invalid"
_SHORTEST = 3
#: So many texts and names are remembered, with what they become.
_MOST_TEXTS = 16384
_USER_TOKEN = re.compile(r"user\d+")
_HOST_TOKEN = re.compile(r"h\d+|(?:(?:h\d+|_\w+|\*)\.)*d\d+\.invalid")
#: Postfix names its own documentation in messages.
_OWN_SITE = re.compile(r"(?:www\.)?postfix\.org")
#: A line of a multi-line reply: ``250-mx.example.jp``.
_REPLY = re.compile(r"[2-5]\d\d-")
_MESSAGE_ID = re.compile(r"id-[0-9a-f]{12}")
_PARTS = re.compile(r"[^-_.+=]+")
_RUNS = re.compile(r"[^\W_]+")
#: Functions that log the keys of a table look-up.
_LOOKUPS = ("maps_find:", "check_", "dict_", "match_", "ctable_")


class Pseudonyms:
    """The tokens given so far: ``numbers[kind][value]``, by kind: ``user``, ``domain``, ``host``,
    and for the networks of addresses ``net4``, ``net6``, ``private4``, ``private6``.

    ``key`` (secret, 16 bytes or more) decides the bits of addresses and the tokens of message ids. ``grown``
    says whether a value was added. What has been met once is replaced as a whole word in every later text.
    """

    def __init__(self, key: bytes, numbers: Mapping[str, Mapping[str, int]] | None = None) -> None:
        self.key = key
        self.numbers: Numbers = {kind: dict(known) for kind, known in (numbers or {}).items()}
        self.grown = False
        self._words: dict[str, str] = {}
        #: Those among the words that are not one word: ``bad_name!``.
        self._odd: dict[str, re.Pattern[str]] = {}
        #: The words by their longest run of letters and digits; "" for a word that has none.
        self._by_run: dict[str, list[str]] = {}
        self._prefixes: dict[str, str] = {}
        remember = lru_cache(_MOST_TEXTS)
        self._host_of, self._address_of = remember(self._find_host), remember(self._find_address)
        self._shape_of, self._whole_of = remember(self._shape), remember(self._finish)

    def begin(self) -> None:
        """Forget which words are met: another host's log, or another text, has its own."""
        self._words.clear()
        self._odd.clear()
        self._by_run.clear()
        self._prefixes.clear()
        for memo in (self._host_of, self._address_of, self._shape_of, self._whole_of):
            memo.cache_clear()

    def user(self, name: str) -> str:
        """Return the token of a user name or of an address's local part."""
        folded = name.casefold()
        if folded in KEPT_USERS or folded.startswith("[redacted") or _USER_TOKEN.fullmatch(folded):
            return name
        token = f"user{self._number('user', folded)}"
        self._meet(folded, token)
        return token

    def host(self, name: str) -> str:
        """Return the token of a host or domain name, label by label, so that subdomains stay subdomains."""
        return self._host_of(name)

    def _find_host(self, name: str) -> str:
        folded = name.casefold()
        dot = "." if folded.endswith(".") else ""
        bare = folded.strip(".")
        lead = "." if folded.startswith(".") else ""
        if not bare or bare in KEPT_HOSTS or _HOST_TOKEN.fullmatch(bare) or _OWN_SITE.fullmatch(bare):
            return name
        labels = bare.split(".")
        if all(label.isdigit() for label in labels):
            return name
        if len(labels) == 1:
            token = f"h{self._number('host', bare)}"
        else:
            token = self._full_name(labels)
        self._meet(bare, token)
        return f"{lead}{token}{dot}"

    def _full_name(self, labels: list[str]) -> str:
        token = f"d{self._number('domain', '.'.join(labels[-2:]))}{_ROOT}"
        for count in range(3, len(labels) + 1):
            label = labels[-count]
            # DNS itself puts _tcp, _dmarc and * in front; they name no host.
            fixed = label.startswith("_") or label == "*"
            shown = label if fixed else f"h{self._number('host', '.'.join(labels[-count:]))}"
            token = f"{shown}.{token}"
        return token

    def address(self, text: str, length: str = "") -> str:
        """Return the token of an address (of a network where ``length`` is given); other text as it is."""
        return self._address_of(text, length)

    def _find_address(self, text: str, length: str) -> str:
        try:
            address = ip_address(text)
        except ValueError:
            return text
        if length:
            token = disguise_network(address, int(length), self.key, self._number)
        else:
            token = disguise_address(address, self.key, self._number)
        if isinstance(address, IPv4Address) and token != address:
            before, after = text.split("."), str(token).split(".")
            for count in (2, 3):
                self._prefixes[".".join(before[:count])] = ".".join(after[:count])
        return str(token)

    def any_host(self, text: str) -> str:
        """Return the token of what is an address or a host name."""
        bare = text.strip("[]")
        shown = self.address(bare)
        return text.replace(bare, shown) if shown != bare or _is_address(bare) else self.host(text)

    def meet(self, texts: Iterable[str]) -> None:
        """Note every user, host and address of these texts, so that :meth:`disguise` finds them as bare words."""
        for text in dict.fromkeys(texts):
            self.shape(text)

    def disguise(self, text: str) -> str:
        """Return ``text`` with its users, hosts and addresses replaced; its own structure stays."""
        return self.finish(self.shape(text))

    def finish(self, shown: str) -> str:
        """Return what :meth:`shape` left of a text with those names replaced too that stand there as bare words."""
        return self._whole_of(shown)

    def _finish(self, shown: str) -> str:
        lookup = shown.startswith(_LOOKUPS)
        shown = WORDS.sub(lambda found: self._replace_word(found[0], lookup=lookup), shown)
        for odd, pattern in self._odd.items():
            shown = pattern.sub(self._words[odd], shown)
        return shown

    def leaks(self, text: str) -> bool:
        """Say whether a user or host that was met is still in ``text`` as a word of its own."""
        low = text.casefold()
        # A word of its own has its runs as whole runs in the text: only words of which one is there are looked for.
        return any(
            value in low and re.search(rf"(?<![^\W_]){re.escape(value)}(?![^\W_])", low) is not None
            for run in {"", *_RUNS.findall(low)}
            for value in self._by_run.get(run, ())
        )

    def shape(self, text: str) -> str:
        """Return ``text`` with what looks like a user, a host or an address replaced, and note all of these."""
        return self._shape_of(text)

    def _shape(self, text: str) -> str:
        low = text.lower()
        for triggers, place in PLACES:
            if any(trigger in low for trigger in triggers):
                text = place.sub(self._replace_place, text)
        return SHAPES.sub(self._replace, text)

    def _meet(self, value: str, token: str) -> None:
        # A number or a word of Postfix's own is replaced where it names a user, never in running text.
        if len(value) < _SHORTEST or value.isdigit() or value in COMMON or value in self._words:
            return
        self._words[value] = token
        self._by_run.setdefault(max(_RUNS.findall(value), key=len, default=""), []).append(value)
        if WORDS.fullmatch(value) is None:
            self._odd[value] = re.compile(rf"(?<![^\W_]){re.escape(value)}(?![^\W_])", re.IGNORECASE)
        self._whole_of.cache_clear()

    def _number(self, kind: str, value: str) -> int:
        known = self.numbers.setdefault(kind, {})
        if value not in known:
            known[value] = len(known) + 1
            self.grown = True
        return known[value]

    def _replace_place(self, found: re.Match[str]) -> str:
        kind = found.lastgroup or ""
        start, end = found.span(kind)
        value = found[kind]
        token = self.user(value) if kind == "user" else self.host(value)
        return found[0][: start - found.start()] + token + found[0][end - found.start() :]

    def _replace(self, found: re.Match[str]) -> str:
        kind = found.lastgroup
        text = found[0]
        if kind == "print":
            digest = hmac.digest(self.key, text.encode(), "sha512").hex().upper()
            return ":".join(digest[2 * at : 2 * at + 2] for at in range(text.count(":") + 1))
        if kind == "naming":
            return f"{text.partition('=')[0]}=[organisation]"
        if kind == "header":  # what people write of themselves and of others: names, subjects
            name, _, value = text.removeprefix(": header ").partition(": ")
            addresses = " ".join(SHAPES.sub(self._replace, word) for word in value.split() if "@" in word)
            return f": header {name}: [text]{' ' if addresses else ''}{addresses}"
        if kind == "id":
            return text[: found.start("left") - found.start()] + self._message_id(found["left"], found["right"])
        if kind == "mail":
            keys, local = split_local_part(found["local"])
            return f"{keys}{self.user(local)}@{self.any_host(found['domain'])}"
        if kind == "reversed":
            address = self.address(".".join(reversed(found["octets"].split("."))))
            return f"{'.'.join(reversed(address.split('.')))}.{self.host(found['zone'])}"
        if kind == "ip":
            return found["label"] + self._replace_address(found["address"], found["length"])
        code = _REPLY.match(text) if found.string[: found.start()].endswith(": ") else None
        lead = code[0] if code else ""
        name, rest = split_host_name(text[len(lead) :], in_path=found.string[: found.start()].endswith("/"))
        return f"{lead}{self.host(name)}{rest}" if name else text

    def _replace_address(self, text: str, length: str) -> str:
        # The colon after an address is not part of it: "host 2001:db8::5: refused".
        bare = text[:-1] if text.endswith(":") and not text.endswith("::") else text
        return self.address(bare, length.lstrip("]/")) + text[len(bare) :] + length

    def _message_id(self, left: str, right: str) -> str:
        if _MESSAGE_ID.fullmatch(left):
            return f"{left}@{self.any_host(right)}>"
        digest = hmac.digest(self.key, left.encode("utf-8", "surrogateescape"), "sha256").hex()
        return f"id-{digest[:12]}@{self.any_host(right)}>"

    def _replace_word(self, text: str, *, lookup: bool) -> str:
        token = self._words.get(text.casefold())
        if token is not None:
            return token
        if lookup and text in self._prefixes:
            return self._prefixes[text]  # an access(5) table is asked for 192.0.2 and 192.0 as well
        if text.isalnum():
            return text
        return _PARTS.sub(lambda part: self._words.get(part[0].casefold(), part[0]), text)


def _is_address(text: str) -> bool:
    try:
        return isinstance(ip_address(text), IPv4Address | IPv6Address)
    except ValueError:
        return False
