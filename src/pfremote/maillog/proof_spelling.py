"""How a secret may be spelled in a log line, for the proof pass. Shares no code with the redactor."""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Iterator
from urllib.parse import quote_from_bytes

_NONE: dict[int, set[str]] = {}


def spell(secrets: Iterable[str]) -> dict[str, bool]:
    """Return each text that gives a secret away, and whether it counts as a whole word only.

    >>> sorted(spell(["S3cretPW"]))
    ['5333637265745057', 'MzY3JldFBX', 'S3cretPW', 'TM2NyZXRQV', 'UzNjcmV0UF', 's3cretpw']
    """
    needles: dict[str, bool] = {}
    for secret in secrets:
        data = secret.encode("utf-8", "surrogateescape")
        needles[secret] = _is_word(secret)
        # Lookup keys are folded to lower case (util/match_list.c).
        for text in (secret.lower(), data.hex(), data.hex().upper(), quote_from_bytes(data, safe="")):
            needles.setdefault(text, _is_word(text))
        for core in _base64(data):
            needles.setdefault(core, False)
            needles.setdefault(core.replace("+", "-").replace("/", "_"), False)
    return {needle: word for needle, word in needles.items() if len(needle) > 3}


class Needles:
    """The spellings of all secrets, found by their first four characters."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._spelled = spell(secrets)
        self._by_start: dict[str, dict[int, set[str]]] = {}
        for needle in self._spelled:
            self._by_start.setdefault(needle[:4], {}).setdefault(len(needle), set()).add(needle)

    def __len__(self) -> int:
        return len(self._spelled)

    def __iter__(self) -> Iterator[str]:
        return iter(self._spelled)

    def hit(self, line: str) -> bool:
        """Say whether a secret is in ``line``, as a word of its own where it is but a word."""
        starts = self._by_start
        # Most lines hold none: one pass in C says so.
        if starts.keys().isdisjoint([line[at : at + 4] for at in range(len(line) - 3)]):
            return False
        for at in range(len(line) - 3):
            for length, needles in starts.get(line[at : at + 4], _NONE).items():
                needle = line[at : at + length]
                if needle in needles and not (self._spelled[needle] and _is_inside(line, at, needle)):
                    return True
        return False


def _is_inside(line: str, at: int, needle: str) -> bool:
    return _is_letter(line[at - 1 : at]) or _is_letter(line[at + len(needle) :][:1])


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
