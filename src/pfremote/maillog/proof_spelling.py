"""How a secret may be spelled in a log line, for the proof pass. Shares no code with the redactor."""

from __future__ import annotations

import binascii
from collections.abc import Iterable
from urllib.parse import quote_from_bytes


def spell(secrets: Iterable[str]) -> dict[str, bool]:
    """Return each text that gives a secret away, and whether it counts as a whole word only.

    >>> sorted(spell(["S3cretPW"]))
    ['5333637265745057', 'MzY3JldFBX', 'S3cretPW', 'TM2NyZXRQV', 'UzNjcmV0UF']
    """
    needles: dict[str, bool] = {}
    for secret in secrets:
        data = secret.encode("utf-8", "surrogateescape")
        needles[secret] = _is_word(secret)
        for text in (data.hex(), data.hex().upper(), quote_from_bytes(data, safe="")):
            needles.setdefault(text, _is_word(text))
        for core in _base64(data):
            needles.setdefault(core, False)
            needles.setdefault(core.replace("+", "-").replace("/", "_"), False)
    return {needle: word for needle, word in needles.items() if len(needle) > 3}


def find_secret(needle: str, line: str, *, whole_word: bool) -> bool:
    """Say whether ``needle`` is in ``line``, as a word of its own where that is asked."""
    at = line.find(needle)
    while at >= 0:
        end = at + len(needle)
        if not whole_word or not (_is_letter(line[at - 1 : at]) or _is_letter(line[end : end + 1])):
            return True
        at = line.find(needle, at + 1)
    return False


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
