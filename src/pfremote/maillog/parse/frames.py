"""The frames of container runtimes, s6, supervisord and quoted mail: what stands before a log's own line."""

from __future__ import annotations

import re
from datetime import UTC, datetime

#: What stands before a line of a container's log, by the name of the layout. The line itself is what follows.
_FRAMES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("cri", re.compile(r"(?P<stamp>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|[+-]\d\d:\d\d)) (?:stdout|stderr) [FP] ")),
    ("kubectl --prefix", re.compile(r"\[pod/[^\]\s/]+/[^\]\s]+\] (?P<stamp>\d{4}-\d\d-\d\dT\S+ )?")),
    ("compose", re.compile(r"[A-Za-z0-9][\w.-]* +\| (?P<stamp>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S* )?")),
    ("s6", re.compile(r"@(?P<tai>[0-9a-f]{24}) {1,2}")),
    (
        "supervisord",
        re.compile(r"(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) DEBG '[^']+' std(?:out|err) output: ?"),
    ),
    ("docker -t", re.compile(r"(?P<stamp>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6,9}Z) (?=\S)")),
    ("quoted mail", re.compile(r"(?:> ?+)++(?!\S+\[[^\]\s]*\](?::\d+)?: )")),
    ("journalctl -o json-sse", re.compile(r"data: (?=\{)")),
    ("journalctl -o json-seq", re.compile(r"\x1e(?=\{)")),
)
#: What ``podman logs -t`` prints in the middle of such a line: the stamp of its next part.
_INNER_STAMP = re.compile(r"(?<=.)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ")
#: What a line begins with that needs no frame taken off: a stamp and a tag behind it, or a tag alone.
_TAGGED = re.compile(r"\S*/(?P<daemon>[a-z][\w-]*)(?:\[\d+\])?: ")
#: TAI64N: 2^62 seconds before 1970, and the ten leap seconds that TAI had then (https://cr.yp.to/libtai/tai64.html).
_TAI_EPOCH = 2**62 + 10


def take_off_frames(line: str) -> tuple[str, str]:
    """Return the name of the outermost frame, or nothing, and the line without its frames.

    The stamp of a frame stands in for one that the line itself lacks.

    >>> take_off_frames("mail-1  | Nov 24 02:13:49 mx postfix/smtpd[7]: connect from a[192.0.2.1]")
    ('compose', 'Nov 24 02:13:49 mx postfix/smtpd[7]: connect from a[192.0.2.1]')
    >>> take_off_frames("2026-11-24T02:13:49.123456789Z postfix/smtpd[7]: connect from a[192.0.2.1]")
    ('docker -t', '2026-11-24T02:13:49.123456Z - postfix/smtpd[7]: connect from a[192.0.2.1]')
    """
    outermost, stamp = "", ""
    for _ in _FRAMES:
        found = next(((name, match) for name, frame in _FRAMES if (match := frame.match(line))), None)
        if found is None:
            break
        name, match = found
        rest = line[match.end() :]
        if name == "docker -t" and not _is_whole(rest) and not rest.startswith("{"):
            break  # the stamp is the line's own
        if name == "docker -t":
            rest = _INNER_STAMP.sub("", rest)
        outermost = outermost or name
        stamp = _stamp_of(match) or stamp
        line = rest
    return outermost, with_stamp(line, stamp)


def _is_whole(line: str) -> bool:
    """Tell whether a line has a tag at its beginning or a stamp before it, so that nothing before it is missed."""
    return bool(_TAGGED.match(line) or re.match(r"[A-Z][a-z]{2} [ \d]\d \d\d:|\d{4}-\d\d-\d\d[T ]|<\d+>", line))


def _stamp_of(match: re.Match[str]) -> str:
    groups = match.groupdict()
    if groups.get("tai"):
        return _read_tai(groups["tai"])
    stamp = (groups.get("stamp") or "").strip().replace(" ", "T", 1).replace(",", ".")
    return re.sub(r"(\.\d{6})\d+", r"\1", stamp)


def with_stamp(line: str, stamp: str) -> str:
    """Put the frame's stamp before a line that begins with its tag."""
    return f"{stamp} - {line}" if stamp and _TAGGED.match(line) else line


def _read_tai(digits: str) -> str:
    seconds = int(digits[:16], 16) - _TAI_EPOCH
    nanoseconds = int(digits[16:], 16)
    try:
        time = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return f"{time:%Y-%m-%dT%H:%M:%S}.{nanoseconds // 1000:06d}Z"
