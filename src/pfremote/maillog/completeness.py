"""What the evidence itself says of what is missing in it; the host's own reasons come beside these. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from pfremote.errors import Reason
from pfremote.maillog.contain import Unreadable
from pfremote.maillog.parse.record import Record
from pfremote.maillog.proof.prove import WITHHELD
from pfremote.maillog.sessions.build import Session
from pfremote.text.quantities import plural

#: util/msg_output.c, msg_syslog.c (MSG_SYSLOG_RECLEN, MSG_LOGGER_RECLEN): longer text is cut, unmarked.
LONGEST_TEXT = 2000
_COUNTS = re.compile(r"\Adisconnect from .* commands=(?:\d+/)?(\d+)", re.ASCII)
#: Reasons for which the host keeps its copy.
FEWER_SESSIONS: Final = "fewer-sessions"
UNREADABLE: Final = "unreadable"
_SEVERITIES = ("warning: ", "error: ", "fatal: ", "panic: ")


def is_cut(record: Record) -> bool:
    """Say whether Postfix cut this line: its text, without the severity, is exactly as long as one may be."""
    text = record.text
    if len(text) < LONGEST_TEXT // 4:  # no character has more than four bytes
        return False
    for severity in _SEVERITIES:
        text = text.removeprefix(severity)
    return LONGEST_TEXT in (
        len(text.encode("utf-8", "surrogateescape")),
        len(record.text.encode("utf-8", "surrogateescape")),
    )


def count_cut(sessions: Iterable[Session]) -> int:
    """Return how many sessions are not whole."""
    return sum(not session.whole for session in sessions)


def explain_unreadable(unreadable: Sequence[Unreadable]) -> Reason:
    """Return the reason for what could not be read, which is an error of pfremote's own."""
    first = unreadable[0]
    more = f" and {len(unreadable) - 1} more" if len(unreadable) > 1 else ""
    message = (
        f"a {first.what} could not be read from line {first.line} on ({first.why}){more}: its lines are kept masked"
    )
    return Reason(UNREADABLE, message, "The host keeps its copy. Report this as a bug, with the kind of the error.")


def count_begun(sessions: Iterable[Session]) -> int:
    """Return how many of these sessions the host counted as begun: those that Postfix debugged."""
    return sum(one.verbose for one in sessions)


def explain_difference(begun: int, kept: Sequence[Session], left_out: int) -> tuple[Reason, ...]:
    """Return the reason when the host saw more debugged sessions begin than were kept or knowingly left out here.

    ``begun`` is what the host counted, ``left_out`` how many debugged sessions were those of other peers.
    """
    missing = begun - count_begun(kept) - left_out
    if missing <= 0:
        return ()
    message = f"the host saw {begun} debugged sessions begin, {len(kept)} are kept here"
    hint = "The host keeps its copy for some days; see it with: pfremote status HOST"
    return (Reason(FEWER_SESSIONS, message, hint),)


def may_forget(reasons: Iterable[Reason]) -> bool:
    """Say whether the host may forget its copy of the evidence: all that was matched there is kept here."""
    return not any(reason.code in (FEWER_SESSIONS, UNREADABLE) for reason in reasons)


def explain_gaps(
    sessions: Sequence[Session], cut_lines: int, unreadable: Sequence[Unreadable] = ()
) -> tuple[Reason, ...]:
    """Return why these sessions are not all that was logged, one reason per kind."""
    reused = _find_reused(sessions)
    short = find_short(sessions)
    starts = [session for session in sessions if session.cut in ("start", "both")]
    ends = [session for session in sessions if session.cut in ("end", "both") and session.id not in reused]
    reasons = []
    if starts:
        reasons.append(Reason("cut-start", f"{plural(len(starts), 'session')} began before the log of the window does"))
    if ends:
        hint = "A longer --drain waits for sessions that outlive the window."
        reasons.append(
            Reason("cut-end", f"{plural(len(ends), 'session')} went on after the log of the window ends", hint)
        )
    if reused:
        reasons.append(
            Reason(
                "pid-reuse",
                f"in {plural(len(reused), 'session')} the process began another one before the end: "
                "lines are lost, or the process number was used again",
            )
        )
    if short:
        reasons.append(explain_short(len(short)))
    if unreadable:
        reasons.append(explain_unreadable(unreadable))
    if cut_lines:
        lines = "1 line was" if cut_lines == 1 else f"{cut_lines} lines were"
        reasons.append(Reason("line-cut", f"{lines} cut by Postfix, which logs {LONGEST_TEXT} bytes at most"))
    return tuple(reasons)


def find_short(sessions: Iterable[Session]) -> list[int]:
    """Return where those sessions begin whose dialogue lacks commands: the numbers of their first lines."""
    return [session.records[0].number for session in sessions if lacks_commands(session)]


def explain_short(number: int, where: str = "") -> Reason:
    """Return the reason for so many sessions whose dialogue lacks commands."""
    sessions = plural(number, "session")
    message = f"in {sessions} the dialogue has fewer commands than Postfix counted at the end: lines are lost"
    hint = "Look for a limit of rate in journald (RateLimitIntervalSec) and in rsyslog (imjournal, imuxsock)."
    return Reason("lines-lost", f"{message}{where}", hint)


def lacks_commands(session: Session) -> bool:
    """Say whether smtpd counted more commands at ``disconnect`` than the dialogue of this session has.

    ``disconnect from … ehlo=1 auth=0/1 mail=1 rcpt=1/2 quit=1 commands=4/6``: done, or done and received
    (smtpd.c, smtpd_proto; 3.0 and later). Only of sessions that are whole and verbose from their beginning on.
    """
    if session.kind != "smtpd" or not session.whole or not session.verbose:
        return False
    counted = next((found for record in reversed(session.records) if (found := _COUNTS.search(record.text))), None)
    if counted is None:
        return False
    if any(record.text.startswith(WITHHELD) for record in session.records):
        return False  # it may be one of them, or several that syslog wrote as one
    heard = sum(record.text.startswith("< ") for record in session.records)
    return heard < int(counted[1])


def _find_reused(sessions: Sequence[Session]) -> set[int]:
    """Return the sessions that have no end although their process went on, which smtpd cannot do."""
    last = {(session.tag, session.pid): session.id for session in sessions}
    return {
        session.id
        for session in sessions
        if session.kind == "smtpd" and session.cut in ("end", "both") and last[session.tag, session.pid] != session.id
    }
