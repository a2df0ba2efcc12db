"""Put any text into Markdown so that it stays text: no HTML, link, image or heading comes of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pfremote.text.terminal import show_block, show_line

_BACKTICKS = re.compile("`+")
#: Words that no Markdown dialect turns into anything: letters and digits, with plain punctuation round
#: them. A dot or a colon inside would let "linkify" rules make a link of it.
_PLAIN_WORD = re.compile(r"""["'(]*[^\W_]+(?:[-'/][^\W_]+)*(?:%|\))?["')]*[.,;:?]?["')]*""")


def quote_inline(text: str) -> str:
    """Return ``text`` as a code span, whatever backticks it holds.

    CommonMark 6.1: a span ends at the first run of exactly as many backticks as began it, so ours is longer
    than any run inside. ``|`` is escaped the way control characters are: table parsers differ on a bar
    within a span.
    """
    shown = show_line(text).replace("|", "\\x7c").strip()
    if not shown:
        return "—"
    fence = "`" * (_longest_run(shown) + 1)
    pad = " " if shown[0] == "`" or shown[-1] == "`" else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def quote_block(lines: Iterable[str]) -> str:
    """Return ``lines`` as a block; its fence is longer than any run of backticks inside (CommonMark 4.5)."""
    shown = "\n".join(show_block(line) for line in lines)
    fence = "`" * max(3, _longest_run(shown) + 1)
    return f"{fence}text\n{shown}\n{fence}"


def write_prose(text: str) -> str:
    """Return a sentence in which everything that is not a plain word is a code span.

    >>> write_prose("Ask admin@example.jp about <b>smtpd</b>, please.")
    'Ask `admin@example.jp` about `<b>smtpd</b>,` please.'
    """
    return " ".join(word if _PLAIN_WORD.fullmatch(word) else quote_inline(word) for word in show_line(text).split())


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)
