"""Lines that say ``postfix`` where Postfix itself says ``postfix/smtpd``: the daemon is told from what it says.

rsyslog ends a program's name at the slash (``$programname``, ``$app-name``, and so RSYSLOG_SyslogProtocol23Format),
unless ``parser.permitSlashInProgramName`` is on; ``journalctl -o with-unit`` prints the unit instead.
"""

from __future__ import annotations

import re

_STAMP = r"""(?:[A-Z][a-z]{2}\ [\ \d]\d\ \d\d:\d\d:\d\d(?:\.\d+)?
    | \d{4}-\d\d-\d\dT[\d:.,]+(?:Z|[+-][\d:]+)?
    | \d{9,11}\.\d+
    | [A-Z][a-z]{2}\ \d{4}-\d\d-\d\d\ \d\d:\d\d:\d\d(?:\.\d+)?\ [A-Z+\d:-]{1,6})"""
_NAME = r"postfix(?:@[^\s\[\]/]*)?(?:\.service)?"
#: A head whose program is the mail system as a whole.
_PLAIN = re.compile(
    rf"(?P<head>{_STAMP}\ (?P<host>[^\s\[\]:]+)\ ){_NAME}\[(?P<pid>\d+)\]:\ ?(?P<text>.*)", re.DOTALL | re.VERBOSE
)
#: RFC 5424; rsyslog leaves the space that stood behind the tag.
_PROTOCOL = re.compile(
    rf"""(?P<head>(?:\d+\ )?<\d{{1,3}}>1\ \S+\ (?P<host>\S+)\ ){_NAME}(?P<pid>\ \d+)
    \ (?P<rest>\S+\ (?:-|(?:\[[^\]]*\])+)\ )\ufeff?\ ?(?P<text>.*)""",
    re.DOTALL | re.VERBOSE,
)
_QUEUE_ID = r"(?:[0-9A-F]{6,}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{12,}):\ "
_PEER = r"\S+\[[^\]\s]*\]"
_TLS = r"(?:Untrusted|Trusted|Verified|Anonymous)\ TLS\ connection\ established"


def _rule(text: str) -> re.Pattern[str]:
    return re.compile(text, re.VERBOSE)


#: What only one daemon says, whatever the process was before.
_SURE = (
    (
        "smtpd",
        _rule(
            rf"""(?:dis)?connect\ from\ {_PEER} | (?:NOQUEUE:\ |{_QUEUE_ID})client=
            | (?:lost\ connection|timeout)\ after\ \S+(?:\ \([^)]*\))?\ from\ {_PEER}"""
        ),
    ),
    (
        "postscreen",
        _rule(r"(?:CONNECT\ from|PASS\ (?:NEW|OLD)|ALLOWLISTED|WHITELISTED|DISCONNECT|HANGUP|PREGREET|DNSBL\ rank)\ "),
    ),
    ("cleanup", _rule(rf"{_QUEUE_ID}(?:resent-)?message-id=")),
    ("pickup", _rule(rf"{_QUEUE_ID}uid=\d+\ from=")),
    ("qmgr", _rule(rf"{_QUEUE_ID}(?:from=<[^>]*>,\ (?:size=|status=expired)|removed\Z)")),
    ("bounce", _rule(rf"{_QUEUE_ID}(?:sender|postmaster)\ (?:non-)?deliver\w*\ (?:status\ )?notification:\ ")),
    ("postfix-script", _rule(r"(?:starting|stopping|refreshing|aborting)\ the\ Postfix\ mail\ system")),
    ("anvil", _rule(r"statistics:\ max\ ")),
    ("master", _rule(r"daemon\ started\ --\ version|reload\ --\ version|terminating\ on\ signal\ ")),
)
_DELIVERY = _rule(
    rf"""{_QUEUE_ID}to=<[^>]*>(?:,\ orig_to=<[^>]*>)?,\ relay=
    (?P<relay>[^\s,\[]+)(?P<place>\[[^\]]*\])?(?P<port>:\d+)?,\ """
)
#: What several say, of which one is the likelier; it counts for a process of which nothing is known yet.
_LIKELY = (
    (
        "smtp",
        _rule(
            rf"""[<>]\ {_PEER}:\d+:[ ] | connect\ to[ ] | {_TLS}\ to[ ] | setting\ up\ TLS\ connection\ to[ ]
            | certificate\ verification\ failed\ for[ ]
            | {_QUEUE_ID}(?:host\ {_PEER}|lost\ connection\ with\ |conversation\ with\ )"""
        ),
    ),
    (
        "smtpd",
        _rule(
            rf"""[<>]\ {_PEER}:[ ] | NOQUEUE:[ ] | warning:\ {_PEER}:\ SASL[ ] | SSL_accept[ ] | {_TLS}\ from[ ]
            | setting\ up\ TLS\ connection\ from[ ] | too\ many\ errors\ after[ ] | improper\ command\ pipelining[ ]
            | {_QUEUE_ID}(?:reject|hold|discard|filter|warn):[ ]
            (?:CONNECT|EHLO|HELO|MAIL|RCPT|DATA|BDAT|END-OF-|ETRN|VRFY)"""
        ),
    ),
)
_RELAYS = frozenset("local virtual error retry discard".split())  # noqa: SIM905 - a list of words


class DaemonNames:
    """Names the daemon of each process of a log, from its lines so far."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}

    @staticmethod
    def may_be_wanted(block: bytes) -> bool:
        """Tell whether lines of a block may lack the name of their daemon."""
        return b" postfix[" in block or b" postfix@" in block or b" postfix.service[" in block

    def complete(self, line: str) -> str:
        """Return a line with the name of its daemon, where that can be told; else as it is.

        >>> DaemonNames().complete("Nov 24 02:13:49 mx postfix[7]: connect from a[192.0.2.1]")
        'Nov 24 02:13:49 mx postfix/smtpd[7]: connect from a[192.0.2.1]'
        """
        if " postfix" not in line[:120]:
            return line
        found = _PLAIN.fullmatch(line) or _PROTOCOL.fullmatch(line)
        if found is None:
            return line
        daemon = self._name(found["host"], found["pid"], found["text"])
        if not daemon:
            return line
        if found.re is _PLAIN:
            return f"{found['head']}postfix/{daemon}[{found['pid']}]: {found['text']}"
        return f"{found['head']}postfix/{daemon}{found['pid']} {found['rest']}{found['text']}"

    def _name(self, host: str, pid: str, text: str) -> str:
        key = host, pid
        daemon = _tell(text) or self._known.get(key) or _find(_LIKELY, text)
        if daemon:
            self._known[key] = daemon
        return daemon


def _find(rules: tuple[tuple[str, re.Pattern[str]], ...], text: str) -> str:
    return next((name for name, rule in rules if rule.match(text)), "")


def _tell(text: str) -> str:
    """Return the daemon that alone says this, or nothing."""
    if (found := _DELIVERY.match(text)) is None:
        return _find(_SURE, text)
    if found["place"]:
        return "smtp" if found["port"] else "lmtp"
    return found["relay"] if found["relay"] in _RELAYS else ""
