"""The report for a terminal: 80 columns, no colour, nothing in it that a terminal obeys. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pfremote.report.credentials import describe_credential, describe_times, list_credentials, name_account
from pfremote.report.groups import ExposureGroup, FindingGroup, group_findings
from pfremote.report.model import HostView, Report, SessionView, StoryView
from pfremote.report.words import (
    MARKS,
    describe_cut,
    describe_exit,
    describe_folded,
    describe_gap,
    describe_log,
    describe_places,
    describe_proof,
    describe_seen,
    describe_state,
    grade_gap,
    head_of,
    headline,
    join_command,
    join_reason,
    list_facts,
    missing_sentences,
    say_turn,
    show_clock,
    show_time,
    show_took,
)
from pfremote.text.terminal import fold, measure, show_line

WIDTH = 80


def write_text(report: Report, width: int = WIDTH) -> Iterator[str]:
    """Yield the report as text, a line or a few at a time, each at most ``width`` columns wide."""
    return (f"{lines}\n" for lines in _Page(width).write(report))


class _Page:
    """A report of lines that are so many columns wide."""

    def __init__(self, width: int) -> None:
        self._width = width

    def write(self, report: Report) -> Iterator[str]:
        """Yield the lines, section by section."""
        yield from self._head(report)
        if report.findings:
            yield from self._title("Findings")
            for number, group in enumerate(group_findings(report.findings), 1):
                yield from self._finding(number, group)
        for title, what, credentials in list_credentials(report):
            yield from self._title(title)
            yield fold(what, self._width)
            for exposed in credentials:
                yield from self._exposure(exposed)
        if report.gaps:
            yield from self._title("What is missing")
            for host in report.gaps:
                yield from self._missing(host)
        for story in report.stories:
            yield from self._story(story)
        yield from self._title("Logs" if report.of_logs else "Hosts")
        for host in report.hosts:
            yield from self._host(host)
        for session in report.sessions:
            yield from self._session(session)

    def _title(self, text: str) -> Iterator[str]:
        yield ""
        line = fold(text, self._width)
        yield line
        yield "=" * min(self._width, max(measure(part) for part in line.split("\n")))

    def _item(self, label: str, text: str) -> str:
        first = f"  {label:<9} "
        return fold(show_line(text), self._width, first=first, rest=" " * len(first))

    def _head(self, report: Report) -> Iterator[str]:
        yield fold("pfremote explain" if report.of_logs else f"pfremote run {report.run}", self._width)
        yield fold(headline(report), self._width)
        yield ""
        yield self._item("command", join_command(report.command))
        if not report.of_logs:
            yield self._item("started", show_time(report.started))
            yield self._item("ended", show_time(report.ended))
            yield self._item("exit", describe_exit(report.exit_code))
        if report.peers:
            yield self._item("peers", ", ".join(report.peers))
        if report.reason:
            yield self._item("reason", report.reason)
        for note in report.notes:
            yield self._item("note", note)

    def _finding(self, number: int, group: FindingGroup) -> Iterator[str]:
        finding = group.first
        yield fold(show_line(finding.title), self._width, first=f"{number}. [{finding.certainty}] ", rest="   ")
        yield self._item("host", finding.host)
        if finding.proof is not None:
            yield self._item("proof", f"{describe_proof(finding)}: {finding.proof.text}")
        if group.more:
            yield self._item("also", describe_places(group))
        yield self._item("meaning", finding.meaning)
        yield self._item("next step", finding.next_step)

    def _exposure(self, group: ExposureGroup) -> Iterator[str]:
        exposure = group.first
        yield fold(show_line(name_account(group)), self._width, first="- ", rest="  ")
        yield self._item("host", exposure.host)
        yield self._item("time", describe_times(group))
        yield self._item("what", describe_credential(group))
        yield self._item("still in", describe_log(exposure.where))

    def _missing(self, host: HostView) -> Iterator[str]:
        for sentence in missing_sentences(host):
            yield fold(f"{show_line(host.name)}: {show_line(sentence)}", self._width, first="- ", rest="  ")

    def _host(self, host: HostView) -> Iterator[str]:
        yield fold(f"{show_line(host.name)}", self._width)
        yield self._item("state", describe_state(host))
        yield self._item("complete", "yes" if host.complete else "no")
        yield self._item("seen", describe_seen(host))
        for label, text in list_facts(host):
            yield self._item(label, text)
        for reason in (*host.refusals, *host.warnings):
            yield self._item("refused" if reason in host.refusals else "warning", join_reason(reason))
        for conflict in host.conflicts:
            yield self._item("conflict", conflict)

    def _story(self, story: StoryView) -> Iterator[str]:
        yield from self._title(f"Message {show_line(story.title)}")
        for hop in story.hops:
            yield fold(f"{show_time(hop.started)}  {show_line(hop.host)}  {show_line(hop.queue_id)}", self._width)
            for step in hop.steps:
                yield fold(show_line(step), self._width, first="    ", rest="      ")
        yield fold(show_line(story.end), self._width, first="=> ", rest="   ")

    def _session(self, session: SessionView) -> Iterator[str]:
        yield from self._title(f"{show_line(session.host)}: session {session.number}, {show_line(head_of(session))}")
        yield self._item("process", session.process)
        yield self._item("time", f"{show_time(session.started)}, {show_took(session)}")
        if session.queue_ids:
            yield self._item("queue id", ", ".join(session.queue_ids))
        for label, text in session.facts:
            yield self._item(label, text)
        if not session.whole:
            yield self._item("cut", describe_cut(session))
        for finding in session.findings:
            yield self._item("finding", f"[{finding.certainty}] {finding.title}")
        yield ""
        for turn in session.turns:
            if grade_gap(turn.gap):
                yield fold(describe_gap(turn), self._width, first=" " * 14 + "... ", rest=" " * 18)
            first = f"{show_clock(turn.time)}  {MARKS[turn.side]}"
            yield fold(show_line(say_turn(turn)), self._width, first=first, rest=" " * len(first))
        if session.folded:
            yield f"{' ' * 17}({describe_folded(session)})"
