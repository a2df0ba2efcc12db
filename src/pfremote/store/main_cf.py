"""The three copies of main.cf and what differs between them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

MOMENTS = ("before", "during", "after")


def diff_main_cf(originals: Mapping[str, bytes], copies: Mapping[str, bytes]) -> bytes:
    """Return unified diffs before → during and before → after, of those moments that are there.

    ``copies`` are the redacted ``originals``: equality is said of the originals, differences are shown of
    the copies. Lines end at a newline only: a form feed or a carriage return is part of the line, as it is
    for Postfix.
    """
    parts: list[str] = []
    for moment in ("during", "after"):
        if "before" not in originals or moment not in originals:
            continue
        if originals["before"] == originals[moment]:
            parts.append(f"# main.cf.{moment} is main.cf.before, byte for byte\n")
        elif copies["before"] == copies[moment]:
            parts.append(f"# main.cf.{moment} differs from main.cf.before only in values that were taken out\n")
        else:
            parts += _diff(copies["before"], copies[moment], moment)
    return "".join(parts).encode("utf-8", "surrogateescape")


def _diff(old: bytes, new: bytes, moment: str) -> list[str]:
    lines = difflib.unified_diff(_lines(old), _lines(new), "main.cf.before", f"main.cf.{moment}")
    return [line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines]


def _lines(data: bytes) -> list[str]:
    pieces = data.decode("utf-8", "surrogateescape").split("\n")
    last = pieces.pop()
    return [f"{piece}\n" for piece in pieces] + ([last] if last else [])
