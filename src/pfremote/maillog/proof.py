"""A second look at redacted lines that trusts nobody: what cannot be shown to be clean is withheld.

Shares no code with the redactor. It looks at the final text only, knows the places where Postfix writes a
credential, and demands that each holds a mark of the redactor, or one of the few texts known to be harmless;
and it looks for every secret that the redactor learnt, in every spelling.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, islice

from pfremote.maillog.proof_places import MARK, PLACES, STAND_IN
from pfremote.maillog.proof_spelling import Needles
from pfremote.maillog.record import Record
from pfremote.maillog.redact import Exposure, Redactor

_CHUNK = 2048
#: From here on looking at each place of a line is faster than looking for each secret in all lines.
_MANY = 256


@dataclass(frozen=True, slots=True)
class Withheld:
    """A line that is not shown: its 1-based number and why, in a few words that quote nothing of it."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Proof:
    """How many lines were looked at, and which of them may not be shown."""

    lines_checked: int
    withheld: tuple[Withheld, ...]


@dataclass(frozen=True, slots=True)
class RedactedCapture:
    """Records that may be stored and shown; ``withheld`` numbers are record numbers."""

    records: tuple[Record, ...]
    exposures: tuple[Exposure, ...]
    withheld: tuple[Withheld, ...]


_DUMP = re.compile(r"[0-9a-f]{4,8} (?:[0-9a-f]{2}[ |-]|- <)")
_NESTED_DUMP = re.compile(rf"\]: {_DUMP.pattern}")
_LONG = re.compile(r"[A-Za-z0-9+/]{28}")
_RUN = re.compile(r"[A-Za-z0-9+/]{28,}={0,2}")
_KNOWN_RUN = re.compile(
    r"message-id(?:=|: )<|session |TLS cache |send attr cache_id = ",
    re.IGNORECASE,
)
_REST_OF_ADDRESS = re.compile(r"[\w.+=-]{0,64}@")


def prove(lines: Iterable[str], secrets: Iterable[str] = ()) -> Proof:
    """Look at redacted ``lines``, in which no spelling of ``secrets`` may occur.

    >>> prove(["mx postfix/smtpd[7]: < c[192.0.2.5]: AUTH PLAIN AGFsaWNlAFMzY3JldFBX"]).withheld
    (Withheld(number=1, reason='data after AUTH'),)
    """
    needles = Needles(secrets)
    source = iter(lines)
    done = 0
    withheld: list[Withheld] = []
    while chunk := list(islice(source, _CHUNK)):
        found = dict(_look(chunk, needles))
        withheld += [Withheld(done + index + 1, found[index]) for index in sorted(found)]
        done += len(chunk)
    return Proof(done, tuple(withheld))


def withhold(reason: str) -> str:
    """Return the text that stands for a line that may not be shown.

    >>> withhold("data after AUTH")
    '[line withheld: data after AUTH]'
    """
    return f"[line withheld: {reason}]"


def redact_and_prove(records: Iterable[Record]) -> RedactedCapture:
    """Redact a capture and prove the result; a record that cannot be proven keeps its head only."""
    redactor = Redactor()
    redacted: list[Record] = []
    # Debug logs say the same thing over and over: each text is held once, and looked at once.
    held: dict[str, str] = {}
    for record in records:
        text = redactor.redact_text(record)
        text = held.setdefault(text, text)
        redacted.append(record if text is record.text else record.with_text(text))
    texts = list(held)
    del held
    reasons = {texts[item.number - 1]: item.reason for item in prove(texts, redactor.secrets).withheld}
    withheld = []
    for index, record in enumerate(redacted if reasons else ()):
        if record.text in reasons:
            reason = reasons[record.text]
            redacted[index] = record.with_text(withhold(reason))
            withheld.append(Withheld(record.number, reason))
    return RedactedCapture(tuple(redacted), redactor.exposures, tuple(withheld))


def _look(chunk: list[str], needles: Needles) -> Iterator[tuple[int, str]]:
    """Yield (index, reason) for each line that may not be shown; an index may come more than once."""
    text = "\n".join(chunk)
    starts = [0, *accumulate(len(line) + 1 for line in chunk)]
    lowered = text.lower()
    if len(lowered) != len(text):
        # Lower case of some letters is longer; then positions would not fit. ASCII is all that matters here.
        lowered = text.translate(_ASCII_LOWER)
    yield from _look_at_places(chunk, lowered, starts)
    yield from _look_for_data(chunk, text, starts)
    for index in _find_secrets(chunk, text, starts, needles):
        yield index, "a secret that another line gave away"


def _find_secrets(chunk: list[str], text: str, starts: list[int], needles: Needles) -> Iterator[int]:
    if len(needles) > _MANY:
        yield from (index for index, line in enumerate(chunk) if needles.hit(_drop_phrases(line)))
        return
    for needle in needles:
        for index in _lines_with(needle, text, starts):
            if needles.hit(_drop_phrases(chunk[index])):
                yield index


def _look_at_places(chunk: list[str], lowered: str, starts: list[int]) -> Iterator[tuple[int, str]]:
    for place in PLACES:
        for index in _lines_with(place.trigger, lowered, starts):
            if place.bad.search(_hide_marks(chunk[index])):
                yield index, place.reason


def _look_for_data(chunk: list[str], text: str, starts: list[int]) -> Iterator[tuple[int, str]]:
    for index, line in enumerate(chunk):
        if _DUMP.match(line) or ("]: " in line and _NESTED_DUMP.search(line)):
            yield index, "bytes of a TLS connection"
    seen = -1
    for found in _LONG.finditer(text):
        index = bisect_right(starts, found.start()) - 1
        if index == seen:
            continue
        seen = index
        if _has_opaque_run(_hide_marks(chunk[index])):
            yield index, "a long value of unknown meaning"


_ASCII_LOWER = {code: code + 32 for code in range(65, 91)}


def _drop_phrases(line: str) -> str:
    """Leave nothing of a mark but the account, which is text of the log."""
    return MARK.sub(r"\1", line) if "[redacted: " in line else line


def _hide_marks(line: str) -> str:
    line = line.replace(STAND_IN, "?")
    return MARK.sub(STAND_IN, line) if "[redacted: " in line else line


def _lines_with(needle: str, text: str, starts: list[int]) -> Iterator[int]:
    at = text.find(needle)
    while at >= 0:
        index = bisect_right(starts, at) - 1
        yield index
        at = text.find(needle, starts[index + 1])


def _has_opaque_run(line: str) -> bool:
    if _KNOWN_RUN.search(line):
        return False
    for found in _RUN.finditer(line):
        run = found[0]
        if _REST_OF_ADDRESS.match(line, found.end()):
            continue
        if re.search("[0-9]", run) and re.search("[A-Z]", run) and re.search("[a-z]", run):
            return True
    return False
