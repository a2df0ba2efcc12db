"""Make text from a mail log harmless to look at: what steers a terminal is shown, not obeyed.

Every sender of mail writes into the log: names, commands, addresses. All of it passes here before it is
printed.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache

#: A piece of a line and its style.
Piece = tuple[str, str]

_WORDS = re.compile(r" +|[^ ]+")
#: The indentation of a line of help, and the name that it is about.
_NAMED = re.compile(r" +(?:\S+ {2,})?")
#: What can be pasted into a shell, at the end of a sentence.
_PASTABLE = re.compile(r"(?<=: )pfremote .*\Z")


def show_line(text: str) -> str:
    r"""Return ``text`` as one line, control and format characters as escapes (``\x1b``, ``\u202e``).

    Bytes that were not UTF-8 (surrogate escapes) are shown as ``\xff``. Letters of all scripts stay as they
    are.

    >>> show_line("EHLO \x1b[2J\u202egnp.exe")
    'EHLO \\x1b[2J\\u202egnp.exe'
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def show_block(text: str) -> str:
    """Return ``text`` with its newlines and tabs, everything else as in :func:`show_line`."""
    if text.isprintable():
        return text
    return "\n".join("\t".join(map(show_line, line.split("\t"))) for line in text.split("\n"))


def _escape(char: str) -> str:
    if unicodedata.category(char) == "Zs":  # no-break and wide spaces: a plain one reads the same
        return " "
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def measure(text: str) -> int:
    """Return how many terminal columns ``text`` takes: wide characters two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def fold(text: str, width: int, *, first: str = "", rest: str = "") -> str:
    """Return ``text``, made harmless, in lines of at most ``width`` columns begun by ``first`` and ``rest``.

    A word that is wider than a line is cut, so that nothing is ever lost beyond the edge.
    """
    room = max(width - max(measure(first), measure(rest)), 8)
    lines = [piece for line in show_block(text).expandtabs(8).split("\n") for piece in _wrap(line, room)]
    return "\n".join(f"{first if number == 0 else rest}{line}".rstrip() for number, line in enumerate(lines))


def fold_words(line: str, width: int, rest: str = "    ") -> list[str]:
    """Return one line as lines of at most ``width`` columns, those after the first begun by ``rest``.

    No word is cut: a path that is wider than the terminal can still be copied. A command stays one command, with a
    backslash where it goes on.

    >>> fold_words("fetch it: pfremote collect mx1 --lease 0a1b", 28)
    ['fetch it:', '    pfremote collect mx1 \\\\', '    --lease 0a1b']
    """
    if width <= 0 or measure(line) <= width:
        return [line]
    command = _PASTABLE.search(line)
    if command is None:
        return _join(fold_pieces([(line, "")], width, rest))
    shown = _join(fold_pieces([(line[: command.start()].rstrip(), "")], width, rest))
    *parts, last = _join(fold_pieces([(f"{rest}{command[0]}", "")], width - 2, rest))
    return [*shown, *(f"{part} \\" for part in parts), last]


def fold_help(text: str, width: int) -> list[str]:
    """Return a help text as lines of at most ``width`` columns; 0 breaks nothing.

    What goes on stands below the text of its line, behind a name and two blanks; an example, which begins with
    ``pfremote``, goes on behind a backslash, so that it can be pasted.

    >>> fold_help("  runs   List the runs.", 16)
    ['  runs   List', '         the', '         runs.']
    """
    return [folded for line in text.split("\n") for folded in _fold_help_line(line, width)]


def _fold_help_line(line: str, width: int) -> list[str]:
    if width <= 0 or measure(line) <= width:
        return [line]
    if line.startswith("  pfremote "):
        *parts, last = _join(fold_pieces([(line, "")], width - 2))
        return [*(f"{part} \\" for part in parts), last]
    named = _NAMED.match(line)
    return _join(fold_pieces([(line, "")], width, " " * (named.end() if named else 0)))


def _join(rows: Iterable[Iterable[Piece]]) -> list[str]:
    return ["".join(text for text, _ in row) for row in rows]


def fold_pieces(row: Iterable[Piece], width: int, rest: str = "    ") -> list[list[Piece]]:
    """Return a row of pieces as rows of at most ``width`` columns, broken between words; 0 breaks nothing."""
    rows: list[list[Piece]] = [[]]
    used, blank = 0, ""
    for text, style in row:
        for word in _WORDS.findall(text):
            if word[0] == " ":
                blank += word
                continue
            size = measure(word)
            if 0 < width < used + len(blank) + size and any(part.strip() for part, _ in rows[-1]):
                rows.append([(rest, "")])
                used, blank = len(rest), ""
            rows[-1].append((blank + word, style))
            used, blank = used + len(blank) + size, ""
    return rows


@cache
def _make_wrapper(room: int) -> textwrap.TextWrapper:
    return textwrap.TextWrapper(room, break_on_hyphens=False, expand_tabs=False, replace_whitespace=False)


def _wrap(line: str, room: int) -> Iterator[str]:
    if line.isascii():
        # Blanks are the only white space here, and what fits is not to be taken apart.
        yield from [line] if len(line) <= room else _make_wrapper(room).wrap(line) or [""]
        return
    current = ""
    for word in line.split(" "):
        for piece in _cut(word, room):
            joined = f"{current} {piece}" if current else piece
            if measure(joined) <= room:
                current = joined
            else:
                yield current
                current = piece
    yield current


def _cut(word: str, room: int) -> Iterator[str]:
    piece, used = "", 0
    for char in word:
        if used + _columns(char) > room:
            yield piece
            piece, used = "", 0
        piece += char
        used += _columns(char)
    yield piece
