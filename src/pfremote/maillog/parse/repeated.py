"""What rsyslog says once of lines that came several times."""

from __future__ import annotations

import re

_REPEATED = re.compile(r"\s?message repeated (\d+) times: \[ ?(.*)\]\Z", re.DOTALL)


def unrepeat(text: str) -> tuple[int, str]:
    """Undo rsyslog's ``message repeated N times: [ TEXT]``: the count and the text, ``(1, text)`` for other
    lines.

    >>> unrepeat("message repeated 2 times: [ lost connection after AUTH from a[192.0.2.1]]")
    (2, 'lost connection after AUTH from a[192.0.2.1]')
    """
    if "message repeated " not in text[:18]:
        return 1, text
    found = _REPEATED.match(text)
    if found is None:
        return 1, text
    count, inner = unrepeat(found[2])  # a syslog daemon may get such a line from another one
    return int(found[1]) * count, inner
