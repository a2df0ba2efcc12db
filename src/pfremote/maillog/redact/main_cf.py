"""Take the secrets out of a main.cf; everything else stays byte for byte.

The file is read as Postfix reads it (util/readlline.c): comments and empty lines are dropped, a line that begins with
white space continues the one before, also behind a comment. What is masked is decided on the value that Postfix sees.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pfremote.maillog.redact.main_cf_values import MARK, Mask, mask_comment, mask_value

_NAME = re.compile(rb"[ \t]*([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*", re.ASCII)
_COMMENTED = re.compile(rb"[ \t]*#[# \t]*")


@dataclass(slots=True)
class _Entry:
    """One logical line: which lines of the file it is made of, without their line ends."""

    lines: list[int] = field(default_factory=list)


def redact_main_cf(text: bytes) -> bytes:
    """Return ``text`` with secret values replaced by ``[redacted]``; line ends and layout are kept. Idempotent.

    >>> redact_main_cf(b"relayhost = [mx]:587\\nsmtp_sasl_password_maps = static:u:pw\\n")
    b'relayhost = [mx]:587\\nsmtp_sasl_password_maps = static:[redacted]\\n'
    """
    lines = [line for line in re.split(rb"(?<=\n)", text) if line]
    shown = list(lines)
    for entry in _read_entries(lines):
        _redact_entry(entry, lines, shown)
    for entry in _read_comments(lines):
        _redact_comment(entry, lines, shown)
    return b"".join(shown)


def _is_comment(line: bytes) -> bool:
    return line.lstrip().startswith(b"#")


def _read_entries(lines: list[bytes]) -> list[_Entry]:
    """Return the logical lines; comments and empty lines belong to none and end none."""
    entries: list[_Entry] = []
    for number, line in enumerate(lines):
        if not line.strip() or _is_comment(line):
            continue
        if not entries or line[:1] not in (b" ", b"\t"):
            entries.append(_Entry())
        entries[-1].lines.append(number)
    return entries


def _read_comments(lines: list[bytes]) -> list[_Entry]:
    """Return the comments; one that goes on with a parameter that was put out of use is a part of it."""
    entries: list[_Entry] = []
    for number, line in enumerate(lines):
        if not _is_comment(line):
            continue
        bare = line.lstrip()[1:]
        continues = bare[:1] in (b" ", b"\t") and not _NAME.match(_COMMENTED.sub(b"", line, count=1))
        if not (continues and entries and entries[-1].lines[-1] == number - 1):
            entries.append(_Entry())
        entries[-1].lines.append(number)
    return entries


def _redact_entry(entry: _Entry, lines: list[bytes], shown: list[bytes]) -> None:
    first = lines[entry.lines[0]]
    found = _NAME.match(first)
    name, start = (found[1], found.end()) if found else (b"", 0)
    parts = [(number, start if at == 0 else 0) for at, number in enumerate(entry.lines)]
    value = b"".join(lines[number][offset:].rstrip(b"\r\n") for number, offset in parts)
    _apply(mask_value(name, value), parts, lines, shown)


def _redact_comment(entry: _Entry, lines: list[bytes], shown: list[bytes]) -> None:
    parts = []
    for number in entry.lines:
        found = _COMMENTED.match(lines[number])
        parts.append((number, found.end() if found else 0))
    opened = _NAME.match(lines[parts[0][0]], parts[0][1])
    if opened is not None:
        parts[0] = (parts[0][0], opened.end())
    value = b"".join(lines[number][offset:].rstrip(b"\r\n") for number, offset in parts)
    masks = mask_value(opened[1], value) if opened is not None else []
    _apply(masks or mask_comment(value), parts, lines, shown)


def _apply(masks: list[Mask], parts: list[tuple[int, int]], lines: list[bytes], shown: list[bytes]) -> None:
    """Put the masks, whose places are those of the joined value, into the lines that it is made of."""
    at = 0
    for number, offset in parts:
        body = lines[number][offset:].rstrip(b"\r\n")
        new, done = [lines[number][:offset]], 0
        for start, end, put in masks:
            first, last = max(start - at, 0), min(end - at, len(body))
            if first >= last:
                continue
            piece = body[first:last]
            indent = piece[: len(piece) - len(piece.lstrip())] if start < at else b""
            kept = piece[len(piece.rstrip()) :] if end - at > len(body) else b""
            new += (
                body[done:first],
                indent,
                (put if start >= at and end - at <= len(body) else MARK) if piece.strip() else b"",
                kept,
            )
            done = last
        shown[number] = b"".join((*new, body[done:], lines[number][offset + len(body) :]))
        at += len(body)
