"""Host names with ports and ranges, as Ansible's inventories write them: ``mx[01:20:2].example.jp:2222``. Pure."""

from __future__ import annotations

import re
import string
from ipaddress import IPv6Address, ip_address
from itertools import product

_BRACKETED = re.compile(r"\[(?P<host>.+)\]:(?P<port>[0-9]+)\Z")
_PLAIN = re.compile(r"(?P<host>(?:[^:\[\]]|\[[^\]]*\])+):(?P<port>[0-9]+)\Z")
_RANGE = re.compile(r"\[([^\]]*)\]")
#: What Ansible takes for a name or an IPv4 address, with ranges; only such a one has its port split off.
_CHAR = r"(?:[\w]|\[(?:[a-z]:[a-z]|[0-9]+:[0-9]+)(?::[0-9]+)?\])"
_NAME = re.compile(rf"{_CHAR}(?:{_CHAR}|-)*(?<![_-])(?:\.{_CHAR}(?:{_CHAR}|-)*(?<![_-]))*\Z", re.IGNORECASE)
_HEX_RANGE = re.compile(r"\[[0-9a-f]+:[0-9a-f]+(?::[0-9]+)?\]", re.IGNORECASE)
_USER = re.compile(r"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9_.+-]*\$?)@)?(?P<host>.+)\Z")
#: A name may end with the dot of the DNS root, as ssh takes it.
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?\Z")

#: More hosts than this from one line are a slip of the keyboard.
MAX_EXPANSION = 100_000


def is_ipv6(text: str) -> bool:
    """Tell whether the text is an IPv6 address without brackets."""
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def is_address(text: str) -> bool:
    """Tell whether the text is an IP address without brackets."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def split_port(text: str) -> tuple[str, int | None]:
    """Return host and port of ``host``, ``host:22`` or ``[2001:db8::1]:22``; bare IPv6 has no port.

    What is before the colon may have ranges. Where it is no host name the whole text is returned, as in Ansible.
    """
    host, port = text, None
    for shape in (_BRACKETED, _PLAIN):
        if match := shape.match(host):
            host, port = match["host"], int(match["port"])
    return (host, port) if _NAME.match(host) or is_ipv6(_HEX_RANGE.sub("1", host)) else (text, None)


def split_login(text: str) -> tuple[str | None, str, int | None] | None:
    """Return user, host and port of ``[user@]host[:port]``; None where the text is no plain host."""
    match = _USER.match(text)
    if match is None:
        return None
    host, port = split_port(match["host"])
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if (port is not None and not 0 < port < 65536) or not (_HOST.match(host) or is_ipv6(host)):
        return None
    return match["user"], host, port


def has_range(text: str) -> bool:
    """Tell whether the name has a ``[`` ``]`` part."""
    return "[" in text


def expand_ranges(text: str) -> list[str]:
    """Return the names that a pattern stands for, the last range running fastest.

    Raises:
        ValueError: a range is wrong; the text says how.

    >>> expand_ranges("mx[08:10].example.jp")
    ['mx08.example.jp', 'mx09.example.jp', 'mx10.example.jp']
    """
    parts = _RANGE.split(text)
    if any(char in part for part in parts[::2] for char in "[]"):
        raise ValueError("a bracket is not closed")
    choices = [_expand_one(part) if number % 2 else [part] for number, part in enumerate(parts)]
    count = 1
    for choice in choices:
        count *= len(choice)
    if count > MAX_EXPANSION:
        raise ValueError(f"that would be {count} hosts")
    return ["".join(names) for names in product(*choices)]


def _expand_one(body: str) -> list[str]:
    bounds = body.split(":")
    if len(bounds) not in (2, 3):
        raise ValueError("a range is written [begin:end] or [begin:end:step]")
    first, last = bounds[0] or "0", bounds[1]
    if not last:
        raise ValueError("a range needs its end")
    step = int(bounds[2]) if len(bounds) == 3 and bounds[2].isdecimal() else 1
    if step < 1 or (len(bounds) == 3 and not bounds[2].isdecimal()):
        raise ValueError("the step of a range is a number from 1 on")
    if len(first) == len(last) == 1 and first in string.ascii_letters and last in string.ascii_letters:
        return _expand_letters(first, last, step)
    if not (first.isdecimal() and last.isdecimal()):
        raise ValueError("a range goes from number to number or from letter to letter")
    width = len(first) if first.startswith("0") and len(first) > 1 else 0
    if width and width != len(last):
        raise ValueError("begin and end of a range with leading zeros have the same length")
    if int(last) - int(first) > MAX_EXPANSION * step:
        raise ValueError("that would be too many hosts")
    return [str(number).zfill(width) for number in range(int(first), int(last) + 1, step)]


def _expand_letters(first: str, last: str, step: int) -> list[str]:
    begin, end = string.ascii_letters.index(first), string.ascii_letters.index(last)
    if begin > end:
        raise ValueError("a range begins before it ends")
    return list(string.ascii_letters[begin : end + 1 : step])
