"""What the evidence itself says of what is missing in it; the host's own reasons come beside these. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pfremote.errors import Reason
from pfremote.maillog.record import Record
from pfremote.maillog.sessions import Session

#: util/msg_output.c, msg_syslog.c (MSG_SYSLOG_RECLEN, MSG_LOGGER_RECLEN): longer text is cut, unmarked.
LONGEST_TEXT = 2000
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


def explain_gaps(sessions: Sequence[Session], cut_lines: int) -> tuple[Reason, ...]:
    """Return why these sessions are not all that was logged, one reason per kind."""
    reused = _find_reused(sessions)
    starts = [session for session in sessions if session.cut in ("start", "both")]
    ends = [session for session in sessions if session.cut in ("end", "both") and session.id not in reused]
    reasons = []
    if starts:
        reasons.append(Reason("cut-start", f"{_say(len(starts))} began before the log of the window does"))
    if ends:
        hint = "a longer --drain waits for sessions that outlive the window"
        reasons.append(Reason("cut-end", f"{_say(len(ends))} went on after the log of the window ends", hint))
    if reused:
        reasons.append(
            Reason(
                "pid-reuse",
                f"in {_say(len(reused))} the process began another one before the end: "
                "lines are lost, or the process number was used again",
            )
        )
    if cut_lines:
        lines = "1 line was" if cut_lines == 1 else f"{cut_lines} lines were"
        reasons.append(Reason("line-cut", f"{lines} cut by Postfix, which logs {LONGEST_TEXT} bytes at most"))
    return tuple(reasons)


def _find_reused(sessions: Sequence[Session]) -> set[int]:
    """Return the sessions that have no end although their process went on, which smtpd cannot do."""
    last = {(session.tag, session.pid): session.id for session in sessions}
    return {
        session.id
        for session in sessions
        if session.kind == "smtpd" and session.cut in ("end", "both") and last[session.tag, session.pid] != session.id
    }


def _say(number: int) -> str:
    return "1 session" if number == 1 else f"{number} sessions"
