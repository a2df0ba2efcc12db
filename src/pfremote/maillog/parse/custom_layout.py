"""The head of a log line in a layout of one's own (rsyslog and syslog-ng templates, ``syslogd -v``, containers).

All that is asked for is ``NAME/DAEMON[PID]:`` behind what the template puts there, or the fields of RFC 5424; a time
stamp in it is read if its order cannot be mistaken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: No template's head is longer; what a client says comes after the tag and never counts.
_LONGEST = 160
_TAG = re.compile(r"(?:^|(?<=[\s\"|>\]]))(?P<tag>[\w.-]+(?:/[\w.-]+)+)\[(?P<pid>\d{1,10})\](?:\"?: ?)")
_TIME = re.compile(
    r"""(?P<date>\d{4}-\d\d-\d\d)[T\ ](?P<clock>\d\d:\d\d:\d\d(?:[.,]\d+)?)
        \ ?(?P<zone>Z\b|UTC\b|GMT\b|[+-]\d\d:?\d\d\b)?
      | (?:(?P<early>\d{4})\ )?(?P<month>[A-Z][a-z]{2})\ +(?P<day>\d{1,2})(?:\ (?P<year>\d{4}))?
        \ (?P<time>\d\d:\d\d:\d\d(?:\.\d+)?)(?:\ (?P<late>\d{4})\b)?""",
    re.VERBOSE,
)
#: The severities of syslog(3) and what loggers call them, alone or behind a facility.
SEVERITY = re.compile(
    r"\W*(?:(?:mail|user|daemon|local[0-7])[.:|]?)?"
    r"(?:debug|info|informational|notice|warn|warning|err|error|crit|critical|alert|emerg|panic)\W*\Z",
    re.IGNORECASE,
)
#: What journalctl writes for a time zone that has a name (-o short-full).
_ZONE_NAME = re.compile(r"[A-Z]{3,5}\Z")
#: RFC 5424: ``<PRI>1 STAMP HOST APP PID MSGID STRUCTURED-DATA TEXT``.
_RFC5424 = re.compile(
    r"(?:\d+\ )?<\d{1,3}>1\ (?P<stamp>\S+)\ (?P<host>\S+)\ (?P<tag>[^\s\[\]:]+)\ (?P<pid>\d{1,10})\ \S+"
    r"\ (?:-|(?:\[[^\]]*\])+)\ ?(?:\ufeff)?\ ?",
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
    if found := _RFC5424.match(line):
        host = "" if found["host"] == "-" else found["host"]
        return LooseHead(found[0], found["stamp"].replace("Z", "+00:00"), True, host, found["tag"], int(found["pid"]))
    found = _TAG.search(line, 0, _LONGEST)
    if found is None:
        return None
    before = line[: found.start()]
    # A container's engine, a pager or a relay puts its own stamp before the one that the logger wrote.
    times = list(_TIME.finditer(before))
    time = times[-1] if times else None
    return LooseHead(
        head=line[: found.end()],
        stamp=_say(time) if time else "",
        iso=time is not None and bool(time["date"] or time["year"] or time["late"] or time["early"]),
        host=_find_host(before[time.end() :]) if time else "",
        tag=found["tag"],
        pid=int(found["pid"]),
    )


def read_carried(text: str) -> LooseHead | None:
    """Find the head of a whole log line that another program carries: a container's name, a relay.

    >>> read_carried("Nov 26 10:00:00 mx postfix/smtpd[7]: connect from a[192.0.2.1]").host
    'mx'
    """
    found = read_loose(text)
    if found is None or not (text.startswith(f"{found.tag}[") or _TIME.match(text)):
        return None
    return found


def _find_host(words: str) -> str:
    """Return the word between stamp and tag that is a host name: no severity, zone, number or mark."""
    for word in words.split():
        name = word.strip("\"'|,;")
        if re.fullmatch(r"[^\s<>\"\[\](){}=|]*[^\W_][^\s<>\"\[\](){}=|]*", name) is None or name.endswith(":"):
            continue
        if not SEVERITY.match(name) and not _ZONE_NAME.match(name):
            return name
    return ""


_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905


def _say(time: re.Match[str]) -> str:
    if time["date"]:
        zone = time["zone"] or ""
        return f"{time['date']}T{time['clock']}{'+00:00' if zone in ('Z', 'UTC', 'GMT') else zone}"
    year = time["year"] or time["late"] or time["early"]
    if year and time["month"] in _MONTHS:
        return f"{year}-{_MONTHS.index(time['month']) + 1:02d}-{int(time['day']):02d}T{time['time']}"
    return f"{time['month']} {int(time['day']):2d} {time['time']}"
