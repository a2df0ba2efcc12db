"""Finds in redacted lines what may not be shown: places with something in them, data, secrets. Shares no code with
the redactor.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from string import ascii_letters, digits
from typing import AnyStr

from pfremote.maillog.proof.places import MARK, PLACES_BY_WORD, STAND_IN
from pfremote.maillog.proof.spelling import Spellings

#: From here on looking at each place of a line is faster than looking for each secret in all lines.
_MANY = 256
#: So many lines are looked at together.
CHUNK = 2048
GIVEN_AWAY = "a secret that another line gave away"
_DUMP = re.compile(r"[0-9a-f]{4,8} (?:[0-9a-f]{2}[ |-]|- <)")
#: At the beginning of a line, or behind a head.
_LATER_DUMP = re.compile(rf"(?:\n|\]: ){_DUMP.pattern}")
_DUMPED = "bytes of a TLS connection"
#: A run of base64, where every character of one is the same.
_LONG = b"a" * 28
_RUNS_ONLY = bytes(97 if chr(code) in ascii_letters + digits + "+/" else 32 for code in range(256))
_RUN = re.compile(r"[A-Za-z0-9+/]{28,}={0,2}")
_KNOWN_RUN = re.compile(
    r"message-id(?:=|: )<|session |TLS cache |send attr cache_id = |[<>] \S{1,300}: 2(?!35)\d\d[ -]|status=sent \(",
    re.IGNORECASE,
)
#: The beginning of a path of a host, which by chance no secret has: each name in it is looked at by itself.
_PATH = re.compile(r"/(?:data|etc|export|home|mail|mnt|opt|root|run|srv|tmp|usr|var|vmail)/")
_REST_OF_ADDRESS = re.compile(r"[\w.+=-]{0,64}@")


def look(chunk: list[str], secrets: Spellings) -> Iterator[tuple[int, str]]:
    """Yield (index, reason) for each line that may not be shown; an index may come more than once."""
    text = "\n".join(chunk)
    starts = [0, *accumulate(len(line) + 1 for line in chunk)]
    lowered = text.lower()
    if len(lowered) != len(text):
        # Lower case of some letters is longer; then positions would not fit. ASCII is all that matters here.
        lowered = text.translate(_ASCII_LOWER)
    yield from _look_at_places(chunk, lowered, starts)
    yield from _look_for_data(chunk, text, starts)
    for index in _find_secrets(chunk, text, starts, secrets):
        yield index, GIVEN_AWAY


def lines_with_secrets(lines: list[str], secrets: Spellings) -> Iterator[int]:
    """Yield which lines hold one of ``secrets``, by index; one may come more than once."""
    for first in range(0, len(lines), CHUNK):
        chunk = lines[first : first + CHUNK]
        starts = [0, *accumulate(len(line) + 1 for line in chunk)]
        for index in _find_secrets(chunk, "\n".join(chunk), starts, secrets):
            yield first + index


def _find_secrets(chunk: list[str], text: str, starts: list[int], secrets: Spellings) -> Iterator[int]:
    if len(secrets) > _MANY:
        yield from (index for index, line in enumerate(chunk) if secrets.hit(_drop_phrases(line)))
        return
    for spelled in secrets:
        for index in _lines_with(spelled, text, starts):
            if secrets.hit(_drop_phrases(chunk[index])):
                yield index


def _look_at_places(chunk: list[str], lowered: str, starts: list[int]) -> Iterator[tuple[int, str]]:
    for word, places in PLACES_BY_WORD.items():
        for index in _lines_with(word, lowered, starts):
            found = lowered[starts[index] : starts[index + 1]]
            meant = [place for place in places if any(map(found.__contains__, place.triggers))]
            line = _hide_marks(chunk[index]) if meant else ""
            for place in meant:
                if place.bad.search(line):
                    yield index, place.reason


def _look_for_data(chunk: list[str], text: str, starts: list[int]) -> Iterator[tuple[int, str]]:
    if _DUMP.match(text):
        yield 0, _DUMPED
    for found in _LATER_DUMP.finditer(text):
        yield bisect_right(starts, found.start() + 1) - 1, _DUMPED
    # One byte for each character, of which only those of a run count: that is looked through at once.
    runs = text.encode("latin-1", "replace").translate(_RUNS_ONLY)
    for index in _lines_with(_LONG, runs, starts):
        if _has_opaque_run(_hide_marks(chunk[index])):
            yield index, "a long value of unknown meaning"


_ASCII_LOWER = {code: code + 32 for code in range(65, 91)}


def _drop_phrases(line: str) -> str:
    """Leave nothing of a mark but the account, which is text of the log."""
    return MARK.sub(r" \1 ", line) if "[redacted: " in line else line


def _hide_marks(line: str) -> str:
    line = line.replace(STAND_IN, "?")
    return MARK.sub(STAND_IN, line) if "[redacted: " in line else line


def _lines_with(word: AnyStr, text: AnyStr, starts: list[int]) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        index = bisect_right(starts, at) - 1
        yield index
        at = text.find(word, starts[index + 1])


def _has_opaque_run(line: str) -> bool:
    if _KNOWN_RUN.search(line):
        return False
    for found in _RUN.finditer(line):
        run = found[0]
        if _REST_OF_ADDRESS.match(line, found.end()):
            continue
        if any(map(_is_opaque, run.split("/") if _PATH.match(run) else [run])):
            return True
    return False


def _is_opaque(run: str) -> bool:
    return len(run) >= len(_LONG) and all(re.search(kind, run) for kind in ("[0-9]", "[A-Z]", "[a-z]"))
