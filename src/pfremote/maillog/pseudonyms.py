"""Users, hosts and addresses → tokens that stay the same over hosts and runs. Pure; the store keeps the map.

>>> names = Pseudonyms(b"k" * 32)
>>> names.disguise("from=<alice@example.jp>, client=mx.example.jp[192.0.2.5]")
'from=<user1@d1.invalid>, client=h1.d1.invalid[240.1.112.137]'
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address

from pfremote.maillog.pseudonym_addresses import disguise_address, disguise_network
from pfremote.maillog.pseudonym_shapes import (
    KEPT_HOSTS,
    KEPT_USERS,
    PARTS,
    SHAPES,
    WORDS,
    is_host_name,
    split_local_part,
)

Numbers = dict[str, dict[str, int]]
_ROOT = ".invalid"
_SHORTEST = 3


class Pseudonyms:
    """The tokens given so far: ``numbers[kind][value]``, kinds ``user``, ``domain``, ``host``, ``net4``, ``net6``.

    ``key`` (secret, 16 bytes or more) decides the bits of addresses and the tokens of message ids. ``grown``
    says whether a value was added. What has been met once is replaced as a whole word in every later text.
    """

    def __init__(self, key: bytes, numbers: Mapping[str, Mapping[str, int]] | None = None) -> None:
        self.key = key
        self.numbers: Numbers = {kind: dict(known) for kind, known in (numbers or {}).items()}
        self.grown = False
        self._words: dict[str, str] = {}
        self._prefixes: dict[str, str] = {}
        self._memo: dict[str, str] = {}

    def begin(self) -> None:
        """Forget which words are met: another host's log, or another text, has its own."""
        self._words.clear()
        self._prefixes.clear()
        self._memo.clear()

    def user(self, name: str) -> str:
        """Return the token of a user name or of an address's local part."""
        folded = name.casefold()
        if not folded or folded in KEPT_USERS or "[redacted" in folded:
            return name
        if re.fullmatch(r"user\d+", folded):
            return name
        token = f"user{self._number('user', folded)}"
        self._meet(folded, token)
        return token

    def host(self, name: str) -> str:
        """Return the token of a host or domain name, label by label, so that subdomains stay subdomains."""
        folded = name.casefold()
        dot = "." if folded.endswith(".") else ""
        bare = folded.strip(".")
        lead = "." if folded.startswith(".") else ""
        if not bare or bare in KEPT_HOSTS or bare.endswith(_ROOT) or bare.endswith("postfix.org"):
            return name
        labels = bare.split(".")
        if all(label.isdigit() for label in labels):
            return name
        if len(labels) == 1:
            if re.fullmatch(r"[hd]\d+", bare):
                return name
            token = f"h{self._number('host', bare)}"
        else:
            token = self._full_name(labels)
        self._meet(bare, token)
        return f"{lead}{token}{dot}"

    def _full_name(self, labels: list[str]) -> str:
        token = f"d{self._number('domain', '.'.join(labels[-2:]))}{_ROOT}"
        for count in range(3, len(labels) + 1):
            label = labels[-count]
            # DNS itself puts _tcp, _dmarc and * in front; they are nobody's.
            fixed = label.startswith("_") or label == "*"
            shown = label if fixed else f"h{self._number('host', '.'.join(labels[-count:]))}"
            token = f"{shown}.{token}"
        return token

    def address(self, text: str, length: str = "") -> str:
        """Return the token of an address (of a network where ``length`` is given); other text as it is."""
        try:
            address = ip_address(text)
        except ValueError:
            return text
        if length:
            token = disguise_network(address, int(length), self.key, self._number)
        else:
            token = disguise_address(address, self.key, self._number)
        if token != address:
            self._meet(text.casefold(), str(token))
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
            for kind, value in PARTS(text):
                self.user(value) if kind == "user" else self.any_host(value)
            SHAPES.sub(self._replace, text)

    def disguise(self, text: str) -> str:
        """Return ``text`` with its users, hosts and addresses replaced; its own structure stays."""
        known = self._memo.get(text)
        if known is None:
            self.meet((text,))
            shown = SHAPES.sub(self._replace, text)
            known = WORDS.sub(self._replace_word, shown)
            if len(self._memo) > 65536:
                self._memo.clear()
            self._memo[text] = known
        return known

    def leaks(self, text: str) -> bool:
        """Say whether something met is still in ``text`` as a word of its own."""
        low = text.casefold()
        return any(
            value in low and re.search(rf"(?<![^\W_]){re.escape(value)}(?![^\W_])", low)
            for value, token in self._words.items()
        )

    def _meet(self, value: str, token: str) -> None:
        if len(value) >= _SHORTEST and value not in KEPT_USERS and value not in self._words:
            self._words[value] = token
            self._memo.clear()

    def _number(self, kind: str, value: str) -> int:
        known = self.numbers.setdefault(kind, {})
        if value not in known:
            known[value] = len(known) + 1
            self.grown = True
        return known[value]

    def _replace(self, found: re.Match[str]) -> str:
        kind = found.lastgroup or ""
        text = found[0]
        if kind == "print":
            digest = hmac.digest(self.key, text.encode(), "sha512").hex().upper()
            return ":".join(digest[2 * at : 2 * at + 2] for at in range(text.count(":") + 1))
        if kind == "naming":
            return f"{text.partition('=')[0]}=[organisation]"
        if kind == "id":
            return self._message_id(found["left"], found["right"])
        if kind == "mail":
            keys, local = split_local_part(found["local"])
            return f"{keys}{self.user(local)}@{self.any_host(found['domain'])}"
        if kind == "reversed":
            address = self.address(".".join(reversed(found["octets"].split("."))))
            return f"{'.'.join(reversed(address.split('.')))}.{self._replace_name(found['zone'])}"
        if kind == "ip":
            mark, rest = found["address"], found["length"] or ""
            return found["label"] + self.address(mark, rest.lstrip("]/")) + rest
        return self._replace_name(text)

    def _message_id(self, left: str, right: str) -> str:
        digest = hmac.digest(self.key, left.encode("utf-8", "surrogateescape"), "sha256").hex()
        return f"<id-{digest[:12]}@{self.any_host(right)}>"

    def _replace_name(self, text: str) -> str:
        name, rest = is_host_name(text)
        return f"{self.host(name)}{rest}" if name else text

    def _replace_word(self, found: re.Match[str]) -> str:
        text = found[0]
        token = self._words.get(text.casefold())
        if token is not None:
            return token
        if text in self._prefixes:
            return self._prefixes[text]
        if not re.search(r"[-._+=]", text):
            return text
        return re.sub(r"[^-._+=]+", lambda part: self._words.get(part[0].casefold(), part[0]), text)


def _is_address(text: str) -> bool:
    try:
        return isinstance(ip_address(text), IPv4Address | IPv6Address)
    except ValueError:
        return False
