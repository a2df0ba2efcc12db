"""The wording that all renderings share: times, durations, and what the states and codes mean. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime

from pfremote.errors import Reason
from pfremote.report.groups import FindingGroup, count_credentials, group_findings
from pfremote.report.model import FindingView, HostView, Report, SessionView, TurnView
from pfremote.text import times
from pfremote.text.quantities import plural

#: From how many seconds on a pause in a dialogue is worth a word, and worse.
SLOW = (1.0, 5.0, 30.0)

#: What stands before the words of each side, where a dialogue is plain text.
MARKS = {"client": "C: ", "server": "S: ", "note": "   "}

CERTAINTY = {
    "proven": "the log line says so",
    "likely": "the log fits this, and does not prove it",
    "unknown": "the log does not tell",
}

_STATES = {
    "clean": "Clean: debugging is off, main.cf is as it was, nothing of ours is left.",
    "armed": "Armed: debugging is on and ends by itself.",
    "conflict": "Conflict: debugging of this run is off; another's value of one of its parameters stays in main.cf.",
    "unknown": "Unknown: it could not be seen that this host is clean.",
    "untouched": "Untouched: nothing was changed on this host.",
    "read": "Read: a log file; no host was contacted.",
}

_EXITS = {
    0: "all done, every host as it should be",
    1: "unexpected error",
    2: "usage or configuration error, nothing touched",
    3: "refused before touching anything",
    4: "some host failed; every host that was touched is seen clean",
    5: "the state of some host is not known to be clean",
    130: "interrupted, after reverting",
}

#: Places of a finding that are named one by one.
MOST_PLACES = 12

_CUTS = {
    "start": "it began before the evidence does",
    "end": "it goes on after the evidence ends",
    "both": "it began before the evidence does and goes on after it ends",
}


def describe_state(host: HostView) -> str:
    """Return what the host's state means, as one sentence."""
    return _STATES.get(host.state, host.state)


def describe_exit(code: int | None) -> str:
    """Return the exit code with its meaning, or that the run wrote no end."""
    if code is None:
        return "unfinished: still running, or broken off"
    return f"{code}: {_EXITS.get(code, 'no meaning on file')}"


def list_facts(host: HostView) -> Iterator[tuple[str, str]]:
    """Yield a label and what is known of a host's log and of how its window ended."""
    facts = {"log": host.source and describe_log(host.source), "layout": host.layout}
    facts |= {"guard": host.guard, "ended by": host.why}
    return ((label, text) for label, text in facts.items() if text)


def describe_cut(session: SessionView) -> str:
    """Return why a session is not whole, or an empty text."""
    return "" if session.whole else f"not whole: {_CUTS.get(session.cut, session.cut or 'lines are missing')}."


def show_time(time: datetime | None) -> str:
    """Return date and time in UTC to the second, or a dash."""
    return "—" if time is None else times.show_moment(time)


def show_clock(time: datetime | None) -> str:
    """Return the time of day, 12 characters wide, with milliseconds where the log has them, or blanks."""
    return f"{times.show_clock(time) if time else '':<12}"


def show_took(session: SessionView) -> str:
    """Return how long a session took, or a dash where an end is not known."""
    if session.started is None or session.ended is None:
        return "—"
    return times.show_span(session.started, session.ended)


def grade_gap(gap: float) -> int:
    """Return 0 for a short pause, up to 3 (:data:`SLOW`)."""
    return sum(gap >= limit for limit in SLOW)


def describe_gap(turn: TurnView) -> str:
    """Return how long a turn was waited for, and for whom."""
    if turn.awaited == "note":
        return f"{times.show_seconds(turn.gap)} until the next line"
    return f"{times.show_seconds(turn.gap)} waiting for the {turn.awaited}"


def head_of(session: SessionView) -> str:
    """Return the line that names a session: daemon, peer."""
    return f"{session.kind} {session.peer}".strip()


def headline(report: Report) -> str:
    """Return the report in one sentence of counts."""
    clean = sum(host.state in ("clean", "untouched") for host in report.hosts)
    hosts = f"{clean} of {plural(len(report.hosts), 'host')} clean or untouched"
    if report.ended is None and report.targets:
        hosts = f"not over yet, or broken off: {clean} of {plural(report.targets, 'host')} seen clean so far"
    parts = [
        f"{plural(len(report.hosts), 'log')} read" if report.of_logs else hosts,
        plural(len(report.sessions) + report.quiet, "session"),
        plural(len(group_findings(report.findings)), "finding"),
        f"{plural(count_credentials(report.exposures, 'change'), 'credential')} to change",
    ]
    to_judge = count_credentials(report.exposures, "judge")
    return ", ".join([*parts, f"{to_judge} to judge"] if to_judge else parts)


def join_command(command: Sequence[str]) -> str:
    """Return a command line as it may be pasted into a shell."""
    return shlex.join(command)


def join_reason(reason: Reason) -> str:
    """Return a reason and its hint as one text."""
    if not reason.hint:
        return reason.message
    return f"{reason.message}{' ' if reason.message.endswith('.') else '; '}{reason.hint}"


def missing_sentences(host: HostView) -> tuple[str, ...]:
    """Return why something of this host is not in the report, one sentence each."""
    sentences = [join_reason(host.error)] if host.error else []
    if host.problem:
        sentences.append(host.problem)
    sentences += [join_reason(reason) for reason in host.missing]
    sentences += [
        f"{plural(number, 'line')} withheld, not proven free of secrets: {reason}."
        for reason, number in host.withheld.items()
    ]
    return tuple(sentences)


def describe_left_out(number: int, what: str) -> str:
    """Return that so many of something are not on a page."""
    return f"{plural(number, f'more {what}')} {'is' if number == 1 else 'are'} left out of the page"


def name_session(anchor: str) -> str:
    """Return a session's name by its anchor, where there is nothing to lead to.

    >>> name_session("h1-s12")
    'session 12'
    """
    return f"session {anchor.rpartition('-s')[2]}"


def describe_places(group: FindingGroup) -> str:
    """Return where else a finding was seen: host and line, the first dozen by name."""
    named = [f"{item.host} line {item.proof.number}" if item.proof else item.host for item in group.more[:MOST_PLACES]]
    left = len(group.more) - len(named)
    return ", ".join(named) + (f" and {left} more" if left else "")


def describe_folded(session: SessionView) -> str:
    """Return how many lines of a session are not among its turns."""
    return f"{plural(session.folded, 'debug line' if session.verbose else 'other line')} not shown"


def say_turn(turn: TurnView) -> str:
    """Return a turn's text with how often rsyslog says that it was repeated."""
    return turn.text if turn.count == 1 else f"{turn.text} (repeated {turn.count} times)"


def describe_seen(host: HostView) -> str:
    """Return how much of a host's log is in the report, and how much of other peers is not."""
    seen = plural(len(host.sessions) + host.quiet, "session")
    if host.quiet:
        seen += f" ({f'{host.quiet} ' if host.sessions else ''}without a finding, not shown)"
    seen += f", {plural(host.lines, 'line')} of log"
    if any(host.others):
        sessions, lines = host.others
        seen += f"; of other peers, not shown: {plural(sessions, 'session')}, {plural(lines, 'line')}"
    if host.undecided:
        seen += f"; {plural(host.undecided, 'session')} kept although it is not sure that the peer was meant"
    return seen


def describe_proof(finding: FindingView) -> str:
    """Return where the proof stands, and how often the session shows it."""
    place = f"line {finding.proof.number}" if finding.proof else "no line"
    where = "in this session" if finding.session else "in this log"
    return place if finding.count == 1 else f"{place}, {finding.count} times {where}"


def describe_log(source: str) -> str:
    """Return the agent's word for a host's log (docs/agent-protocol.md, "Facts") as people say it."""
    if source == "journal":
        return "the systemd journal (and the syslog file, where the host writes one as well)"
    return source.removeprefix("file:") or "the log of this host"
