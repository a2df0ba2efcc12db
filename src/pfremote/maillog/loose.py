"""The head of a log line in a layout of one's own (rsyslog and syslog-ng templates, ``syslogd -v``, Solaris).

All that is asked for is ``NAME/DAEMON[PID]:`` behind whatever the template puts there; a time stamp in it is read if
its order cannot be mistaken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Nobody's template is longer; what a client says comes after the tag and never counts.
_LONGEST = 120
_TAG = re.compile(r"(?:^|(?<=[\s\"]))(?P<tag>[\w.-]+(?:/[\w.-]+)+)\[(?P<pid>\d{1,10})\](?:\"?: ?)")
_TIME = re.compile(
    r"""(?P<date>\d{4}-\d\d-\d\d)[T\ ](?P<clock>\d\d:\d\d:\d\d(?:[.,]\d+)?)
        \ ?(?P<zone>Z\b|UTC\b|GMT\b|[+-]\d\d:?\d\d\b)?
      | (?P<month>[A-Z][a-z]{2})\ +(?P<day>\d{1,2})(?:\ (?P<year>\d{4}))?\ (?P<time>\d\d:\d\d:\d\d(?:\.\d+)?)
        (?:\ (?P<late>\d{4})\b)?""",
    re.VERBOSE,
)
_HOST = re.compile(
    r"(?:<[^>]*>|\w+\.(?:debug|info|notice|warn\w*|err\w*|crit|alert|emerg)|-|\s)*(?P<host>[^\s<>\"\[\]]+)?"
)


@dataclass(frozen=True, slots=True)
class LooseHead:
    """What was found. ``stamp`` is ISO 8601 (``iso``, maybe without zone) or ``Mon dd hh:mm:ss``, or empty."""

    head: str
    stamp: str
    iso: bool
    host: str
    tag: str
    pid: int


def read_loose(line: str) -> LooseHead | None:
    """Find the head of ``line``, or None where no Postfix process is named.

    >>> read_loose("<22>2026-11-24 02:13:49 mx mail.info postfix/smtpd[7]: connect from a[192.0.2.1]").stamp
    '2026-11-24T02:13:49'
    """
    found = _TAG.search(line, 0, _LONGEST)
    if found is None:
        return None
    before = line[: found.start()]
    time = _TIME.search(before)
    host = _HOST.match(before, time.end() if time else 0)
    return LooseHead(
        head=line[: found.end()],
        stamp=_say(time) if time else "",
        iso=time is not None and bool(time["date"] or time["year"] or time["late"]),
        host=(host["host"] or "") if host and time else "",
        tag=found["tag"],
        pid=int(found["pid"]),
    )


_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905


def _say(time: re.Match[str]) -> str:
    if time["date"]:
        zone = time["zone"] or ""
        return f"{time['date']}T{time['clock']}{'+00:00' if zone in ('Z', 'UTC', 'GMT') else zone}"
    year = time["year"] or time["late"]
    if year and time["month"] in _MONTHS:
        return f"{year}-{_MONTHS.index(time['month']) + 1:02d}-{int(time['day']):02d}T{time['time']}"
    return f"{time['month']} {int(time['day']):2d} {time['time']}"
