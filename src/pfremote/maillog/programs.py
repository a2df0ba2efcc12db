"""Whose line it is: Postfix's, or another program's in the same log."""

from __future__ import annotations

from pfremote.maillog.owners import is_postfix
from pfremote.maillog.parse.record import Record

#: The programs of master(5), and those that postfix(1) starts. They log as ``SYSLOG_NAME/PROGRAM``.
_PROGRAMS = frozenset(
    (
        *("anvil", "bounce", "cleanup", "defer", "discard", "dnsblog", "error", "flush", "lmtp", "local", "master"),
        *("nqmgr", "oqmgr", "pickup", "pipe", "postscreen", "proxymap", "proxywrite", "qmgr", "qmqpd", "retry"),
        *("scache", "showq", "smtp", "smtpd", "spawn", "submission", "submissions", "smtps", "tlsmgr", "tlsproxy"),
        *("trace", "trivial-rewrite", "verify", "virtual", "postfix", "postfix-script", "postfix-tls-script"),
        *("postlogd", "postqueue", "postsuper", "postdrop", "sendmail", "postmap", "postalias"),
    )
)


def is_of_postfix(record: Record) -> bool:
    """Tell whether a line is Postfix's own, by its tag; a service of master.cf may have any name behind the slash.

    >>> [is_of_postfix(Record(1, None, "mx", tag, tag.rpartition("/")[2], 7, "", ""))
    ...  for tag in ("postfix/smtpd", "postfix-in/submission/smtpd", "smtpd", "sshd")]
    [True, True, True, False]
    """
    return is_postfix(record.tag) or record.daemon in _PROGRAMS or record.tag.startswith("postfix")
