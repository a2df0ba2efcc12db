"""How much of a line is read. Pure.

Postfix writes 2,000 bytes of text at most (util/msg_syslog.c MSG_SYSLOG_RECLEN, util/msg_logger.c
MSG_LOGGER_RECLEN), and the severity before it. What is longer was written by something else, and would only cost
time: each expression of this package is tried on lines of this length (bench/expressions.py).
"""

from __future__ import annotations

from pfremote.maillog.parse.record import Record

#: In characters, of which each is a byte or more. rsyslog's "message repeated 2 times: [ …]" stands around a text.
LONGEST_READ = 2_100


def shorten(record: Record) -> Record:
    """Return the record with what Postfix cannot have written cut off, and a note that says so.

    >>> from pfremote.maillog.parse.record import Record
    >>> shorten(Record(1, None, "", "", "", None, "", "x" * 5000)).text[2095:]
    'xxxxx [cut here: 2900 more characters, and Postfix writes 2000 at most]'
    """
    text = record.text
    if len(text) <= LONGEST_READ:
        return record
    note = f" [cut here: {len(text) - LONGEST_READ} more characters, and Postfix writes 2000 at most]"
    return record.with_text(text[:LONGEST_READ] + note)
