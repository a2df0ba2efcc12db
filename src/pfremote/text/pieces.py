"""Text that is written some lines at a time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

#: So many characters are written at a time.
_PIECE = 1 << 16


def gather(parts: Iterable[str]) -> Iterator[str]:
    """Yield the same text in larger pieces, each of which but the last ends with a line."""
    held: list[str] = []
    length = 0
    for part in parts:
        held.append(part)
        length += len(part)
        if length >= _PIECE and "\n" in part:
            text = "".join(held)
            end = text.rindex("\n") + 1
            yield text[:end]
            held, length = [text[end:]], len(text) - end
    if rest := "".join(held):
        yield rest
