"""What is pasted among the lines of a log: a dialogue that was typed by hand, a line of a password table. Pure."""

from __future__ import annotations

import re

from pfremote.maillog.redact.masks import RESPONSE, TABLE_VALUE, mark

_ASKED = re.compile(r"\s*(?:[<>SC]:?\s+)?334[ -]")
#: ``[relay.example.com]:587 user:password``, as in the file of smtp_sasl_password_maps.
_TABLE_LINE = re.compile(
    r"(\s*(?:>\s*)?\[?[\w.-]{1,255}\.[\w-]{1,63}\]?(?::\w{1,20})?\s+)([^\s:]{1,255}:[^\s/]\S*)\s*\Z"
)


class Pasted:
    """Reads the lines of no layout in their order: what stands behind a server's prompt is a response."""

    def __init__(self) -> None:
        self._asked = False

    def mask(self, text: str) -> str:
        """Return a line that no program logged, without what it gives away by its place.

        >>> pasted = Pasted()
        >>> [pasted.mask(line) for line in ("334 UGFzc3dvcmQ6", "aHVudGVy", "quit")]
        ['334 UGFzc3dvcmQ6', '[redacted: authentication response]', 'quit']
        """
        asked, self._asked = self._asked, _ASKED.match(text) is not None
        if asked and not self._asked and text.strip():
            return mark(RESPONSE)
        table = _TABLE_LINE.match(text)
        return text if table is None else table[1] + mark(TABLE_VALUE)
