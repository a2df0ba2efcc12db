"""Who was waited for, where a session had a long pause."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from pfremote.maillog.findings.rule import Finding
from pfremote.maillog.parse.record import Record
from pfremote.maillog.transcripts.turns import Transcript

#: A pause that a person would notice and ask about, in seconds.
SLOW = 10.0
#: Findings that name a pause already.
_TELL_IT = frozenset(
    (
        "session.client-timeout",
        "delivery.server-timeout",
        "delivery.connect-timeout",
        "tls.timeout",
        "tls.wrappermode-needed",
    )
)
_EVIDENCE = "Read the debug lines just before it in evidence.log: the last one names what was waited for."
_CONTENT = (
    "A milter's or filter's own log of this second tells whether it was asked; else the client or the network was slow."
)
_PEER = "Ask for the other side's own log of this time; the log cannot tell it from the network between."


@dataclass(frozen=True, slots=True)
class Wait:
    """What the last line before a pause says of whom was waited for: a name, and where to look."""

    who: str
    next_step: str


#: By the last line before the pause (smtpd, smtp, milter8.c, dict_*.c, attr_scan*.c, tls_misc.c).
_LAST_SAID: tuple[tuple[re.Pattern[str], Wait], ...] = tuple(
    (re.compile(pattern), Wait(who, next_step))
    for pattern, who, next_step in (
        (
            r"(?:public|private)/cleanup\b|^\S+ socket: wanted attribute: status",
            "cleanup on this host",
            "Look at cleanup's lines of this message: milters at END-OF-MESSAGE, header_checks, virtual_alias_maps; see milter_content_timeout.",
        ),
        (
            r"milter8_|^event: SMFIC|^(?:trying|try)\w* milter|milter \S+: ",
            "a milter",
            "Look at the milter's own log at this second; see smtpd_milters, milter_command_timeout and milter_content_timeout.",
        ),
        (
            r"(?:private|public)/(?:rewrite|proxymap|verify|anvil|tlsmgr|flush)\b|dict_proxy_lookup",
            "a service of this host that reads tables",
            "postmap -q KEY on the tables of main.cf shows which is slow; look at the lines of trivial-rewrite and proxymap.",
        ),
        (
            r"^(?:dict_(?:ldap|mysql|pgsql|sqlite|tcp|socketmap|memcache)\w*|maps_find|mail_addr_find|check_table_result|dict_\w+_(?:lookup|get_\w+)):",
            "a lookup table",
            "postmap -q KEY on the table that the line names, with time.",
        ),
        (
            r"request = smtpd_access_policy|check_policy_service|^(?:inet:)?[\w.\[\]-]+:\d+: wanted attribute|private/policy|send attr (?:policy_context|instance|client_port|server_port)",
            "a policy service",
            "Look at the policy service's own log at this second; see check_policy_service and smtpd_policy_service_timeout.",
        ),
        (
            r"xsasl_|private/auth|sasl_method",
            "the SASL server",
            "Look at Dovecot's or saslauthd's log at this second; a refused login waits two seconds there on purpose.",
        ),
        (
            r"^(?:dns_query|dns_get_answer|lookup \S+ type|smtp_addr|reject_unknown|reject_rbl|reject_rhsbl|connecting to|smtp_parse_destination)",
            "DNS",
            "dig the name of that line on the mail host, with time; look at its resolver.",
        ),
        (
            r"^smtp_connect_addr: trying|^smtp_connect_unix",
            "the connection to the server",
            "nc -vz HOST PORT from the mail host; see smtp_connect_timeout.",
        ),
        (r"^SSL_(?:accept|connect)|setting up TLS", "the other side, in the TLS handshake", _PEER),
    )
)
_HOST = Wait(
    "this host", "DNS, a table, a policy service, a milter, or smtpd_error_sleep_time after an error. " + _EVIDENCE
)
#: Without the dialogue nothing tells whose turn it was.
_UNTOLD = "A log without debugging does not tell whose turn it was: debug the next session of this peer."
_CLIENT_OR_HOST = Wait("the client, or this host,", _UNTOLD)
_SERVER_OR_HOST = Wait("the remote server, or this host,", _UNTOLD)
_IDLE = re.compile(
    r"[<>] \S+: (?:QUIT|RSET|NOOP|221 )|disconnect from |(?:\w+: )?(?:lost connection|timeout) after "
    # What a process says between two clients, or when none came for max_idle.
    r"|idle timeout -- exiting|(?:proxymap|rewrite) stream disconnect|auto_clnt_close: |master_notify: |connection (?:closed|established)",
    re.IGNORECASE,
)
#: What smtpd and smtp say when they begin to read from the other side (smtp_stream.c, smtpd.c), also a message.
_READS = re.compile(r"smtp_stream_setup: |watchdog_pat: |vstream_tweak_tcp: ")
_NEXT_MAIL = re.compile(r"< \S+: MAIL FROM", re.IGNORECASE)


def find_slow(transcript: Transcript, cleanup: Mapping[str, list[Record]], told: set[str]) -> list[Finding]:
    """Return the longest pause of a session, if it was :data:`SLOW` or more, with whom was waited for."""
    if told & _TELL_IT:
        return []
    inbound = transcript.session.kind == "smtpd"
    lines = _with_cleanup(transcript, cleanup) if inbound else transcript.session.records
    late = max(_pauses(lines, inbound=inbound), key=lambda pause: pause[0], default=None)
    if late is None:
        return []
    gap, before, after = late
    told_who = any(record.text.startswith(("< ", "> ")) for record in transcript.session.records)
    wait = _charge(before, after, inbound=inbound)
    if wait is _HOST and not told_who:
        wait = _CLIENT_OR_HOST if inbound else _SERVER_OR_HOST
    finding = Finding(
        "session.slow",
        f"{wait.who} took {gap:.0f} s",
        "likely",
        transcript.session.id,
        after,
        f'The longest pause of the session: it came before "{after.text[:60]}", and the line before it is "{before.text[:60]}".',
        wait.next_step,
    )
    return [finding]


def _with_cleanup(transcript: Transcript, cleanup: Mapping[str, list[Record]]) -> list[Record]:
    """Return the session's lines and what cleanup said of its messages: that parts the client's time from ours."""
    theirs = [record for qid in transcript.session.queue_ids for record in cleanup.get(qid, ())]
    return sorted((*transcript.session.records, *theirs), key=lambda record: record.number)


def _pauses(records: Iterable[Record], *, inbound: bool) -> Iterator[tuple[float, Record, Record]]:
    for before, after in pairwise(records):
        if before.time is None or after.time is None:
            continue
        gap = (after.time - before.time).total_seconds()
        if gap >= SLOW and not _is_idle(before, after, inbound=inbound):
            yield gap, before, after


def _is_idle(before: Record, after: Record, *, inbound: bool) -> bool:
    """Say whether nothing was waited for: a client that keeps its connection between two messages, or ends it."""
    if _IDLE.match(after.text) or re.match(r"> \S+: QUIT", before.text):
        return True
    done = re.search(r": 2\d\d ", before.text) is not None or before.text.startswith(("watchdog", "smtp_stream"))
    return inbound and done and _NEXT_MAIL.match(after.text) is not None


def _charge(before: Record, after: Record, *, inbound: bool) -> Wait:
    """Say whom a pause is charged to: the one who had to speak or answer next."""
    received = after.text.startswith("< ")
    if before.daemon == "cleanup":
        return Wait("the client's message, or the checks of its content,", _CONTENT)
    if inbound and re.match(r"> \S+: 354", before.text):
        if after.text.startswith("> "):  # nothing tells the two apart
            return Wait(
                "the client's message, or the checks of its content,",
                _CONTENT,
            )
        return Wait("the client, while it sent the message,", _PEER)
    if inbound and (received or _READS.match(before.text)):
        return Wait("the client", _PEER)
    for pattern, wait in _LAST_SAID:
        if pattern.search(before.text):
            return wait
    if not inbound and (received or before.text.startswith("> ") or _READS.match(before.text)):
        return Wait("the remote server", _PEER)
    return _HOST
