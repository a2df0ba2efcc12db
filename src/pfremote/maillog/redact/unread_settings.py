"""Lines of settings files and tables that Postfix quotes because it cannot read them: ``bind_pw`` without its ``=``."""

from __future__ import annotations

import re

from pfremote.maillog.redact import masks
from pfremote.maillog.redact.masks import mark, mask_as

#: One of these is in each of such lines.
WORDS = ('attribute name: "', 'whitespace: "', 'duplicate entry: "')
#: The quoted line (util/dict.c, util/split_nameval.c, util/readlline.c).
_LINE = re.compile(r"((?:attribute name|must not start with whitespace): \")(?!\[redacted: )(.+?)(\"?)\Z", re.DOTALL)
#: What of it may be shown: an entry of master.cf, and the first word, where that is a name, a next hop or an address.
_SERVICE = re.compile(r"\S+\s+(?:inet|unix|unix-dgram|fifo|pass)\s+[yn-]\s")
_FIRST_WORD = re.compile(r"\s*(?:[A-Za-z_][\w.-]*|\[[\w.:-]+\](?::\w+)?|[\w.+-]+@[\w.-]+)(?=\s+\S)")
#: A key of a table of passwords that stands there twice (dict_db.c, dict_thash.c of util), where it is no next hop and
#: no address.
_KEY = re.compile(
    r"((?:pass|sasl|secret|cred)[^\s:,]*[:,] (?:line \d+: )?duplicate entry: \")(?!\[redacted: )"
    r"(?!(?:\[?[\w.-]+\]?|[\w.+-]+@[\w.-]+)(?::(?:\d+|smtps?|submissions?))?\")([^\"]+)"
)


def _mask_line(found: re.Match[str]) -> str:
    if _SERVICE.match(found[2]):
        return found[0]
    first = _FIRST_WORD.match(found[2])
    shown = f"{first[0]} " if first else ""
    return found[1] + shown + mark(masks.TABLE_VALUE) + found[3]


#: What each shape has in it, in lower case; the shape; what to put in its place.
SHAPES = (
    (WORDS[:2], _LINE, _mask_line),
    (WORDS[2:], _KEY, mask_as(masks.TABLE_VALUE)),
)
