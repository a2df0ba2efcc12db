"""How a secret may be spelled in a log line, for the proof pass. Shares no code with the redactor."""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote_from_bytes

_NONE: dict[int, set[str]] = {}


def spell(secrets: Iterable[str]) -> dict[str, bool]:
    """Return each text that gives a secret away, and whether it counts as a whole word only.

    >>> sorted(spell(["S3cretPW"]))
    ['5333637265745057', 'MzY3JldFBX', 'S3cretPW', 'TM2NyZXRQV', 'UzNjcmV0UF', 's3cretpw']
    """
    spelled: dict[str, bool] = {}
    for secret in secrets:
        data = secret.encode("utf-8", "surrogateescape")
        spelled[secret] = _is_word(secret)
        # Lookup keys are folded to lower case (util/match_list.c).
        for text in (secret.lower(), data.hex(), data.hex().upper(), quote_from_bytes(data, safe="")):
            spelled.setdefault(text, _is_word(text))
        for core in _base64(data):
            spelled.setdefault(core, False)
            spelled.setdefault(core.replace("+", "-").replace("/", "_"), False)
    return {text: is_word for text, is_word in spelled.items() if len(text) > 3}


class Spellings:
    """The spellings of all secrets, found by their first four characters; each with the owners of its secrets."""

    def __init__(self, secrets: Mapping[str, frozenset[str]]) -> None:
        self._is_word: dict[str, bool] = {}
        self._owners: dict[str, set[str]] = {}
        self._by_start: dict[str, dict[int, set[str]]] = {}
        for secret, owners in secrets.items():
            for spelled, is_word in spell([secret]).items():
                self._is_word.setdefault(spelled, is_word)
                self._owners.setdefault(spelled, set()).update(owners)
        for spelled in self._is_word:
            self._by_start.setdefault(spelled[:4], {}).setdefault(len(spelled), set()).add(spelled)

    def __len__(self) -> int:
        return len(self._is_word)

    def __iter__(self) -> Iterator[str]:
        return iter(self._is_word)

    def hit(self, line: str) -> bool:
        """Say whether a secret is in ``line``, as a word of its own where it is but a word."""
        return any(True for _ in self.find(line))

    def find(self, line: str) -> Iterator[tuple[int, int, set[str]]]:
        """Yield where secrets stand in ``line``, and whose they are."""
        starts = self._by_start
        # Most lines hold none: one pass in C says so.
        if starts.keys().isdisjoint([line[at : at + 4] for at in range(len(line) - 3)]):
            return
        for at in range(len(line) - 3):
            for length, spellings in starts.get(line[at : at + 4], _NONE).items():
                spelled = line[at : at + length]
                if spelled in spellings and not (self._is_word[spelled] and _is_inside(line, at, spelled)):
                    yield at, at + length, self._owners[spelled]


def _is_inside(line: str, at: int, spelled: str) -> bool:
    return _is_letter(line[at - 1 : at]) or _is_letter(line[at + len(spelled) :][:1])


def _is_letter(text: str) -> bool:
    return text.isascii() and text.isalnum()


def _is_word(text: str) -> bool:
    return text.isalpha() or not text.strip("0123456789.:")


def _base64(data: bytes) -> list[str]:
    """Code ``data`` at each of the three alignments and drop the characters that neighbours change."""
    cores = []
    for before in range(3):
        coded = binascii.b2a_base64(b"\0" * before + data, newline=False).decode("ascii").rstrip("=")
        # The first characters hold bits of what stood before, the last may hold bits of what follows.
        whole = coded[(0, 2, 3)[before] :]
        spare = (before + len(data)) % 3
        cores.append(whole[:-1] if spare else whole)
    return [core for core in cores if len(core) > 3]
