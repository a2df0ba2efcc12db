"""The report for a terminal: 80 columns, no colour, nothing in it that a terminal obeys."""

from __future__ import annotations

from collections.abc import Iterator

from pfremote.inert import fold, measure, show_line
from pfremote.report.groups import ExposureGroup, FindingGroup, group_exposures, group_findings
from pfremote.report.model import HostView, Report, SessionView
from pfremote.report.words import (
    CHANGE_THEM,
    TO_CHANGE,
    count,
    describe_credential,
    describe_cut,
    describe_exit,
    describe_gap,
    describe_log,
    describe_places,
    describe_proof,
    describe_seen,
    describe_state,
    describe_times,
    grade_gap,
    head_of,
    headline,
    join_reason,
    missing_sentences,
    name_account,
    say_turn,
    show_clock,
    show_seconds,
    show_time,
)

WIDTH = 80
_MARKS = {"client": "C: ", "server": "S: ", "note": "   "}


def render_text(report: Report) -> str:
    """Return the whole report as text, each line at most 80 columns wide."""
    return "\n".join(_sections(report)) + "\n"


def _sections(report: Report) -> Iterator[str]:
    yield from _head(report)
    if report.findings:
        yield from _title("Findings")
        for number, group in enumerate(group_findings(report.findings), 1):
            yield from _finding(number, group)
    if report.exposures:
        yield from _title(TO_CHANGE)
        yield fold(CHANGE_THEM, WIDTH)
        for exposed in group_exposures(report.exposures):
            yield from _exposure(exposed)
    if report.gaps:
        yield from _title("What is missing")
        for host in report.gaps:
            yield from _missing(host)
    yield from _title("Hosts")
    for host in report.hosts:
        yield from _host(host)
    for session in report.sessions:
        yield from _session(session)


def _title(text: str) -> Iterator[str]:
    yield ""
    line = fold(text, WIDTH)
    yield line
    yield "=" * min(WIDTH, max(measure(part) for part in line.split("\n")))


def _item(label: str, text: str) -> str:
    first = f"  {label:<9} "
    return fold(show_line(text), WIDTH, first=first, rest=" " * len(first))


def _head(report: Report) -> Iterator[str]:
    yield fold(f"pfremote run {report.run}", WIDTH)
    yield fold(headline(report), WIDTH)
    yield ""
    yield _item("command", " ".join(report.command))
    yield _item("started", show_time(report.started))
    yield _item("ended", show_time(report.ended))
    yield _item("exit", describe_exit(report.exit_code))
    if report.peers:
        yield _item("peers", ", ".join(report.peers))
    if report.reason:
        yield _item("reason", report.reason)
    for note in report.notes:
        yield _item("note", note)


def _finding(number: int, group: FindingGroup) -> Iterator[str]:
    finding = group.first
    yield fold(show_line(finding.title), WIDTH, first=f"{number}. [{finding.certainty}] ", rest="   ")
    yield _item("host", finding.host)
    if finding.proof is not None:
        yield _item("proof", f"{describe_proof(finding)}: {finding.proof.text}")
    if group.more:
        yield _item("also", describe_places(group))
    yield _item("meaning", finding.meaning)
    yield _item("next step", finding.next_step)


def _exposure(group: ExposureGroup) -> Iterator[str]:
    exposure = group.first
    yield fold(show_line(name_account(group)), WIDTH, first="- ", rest="  ")
    yield _item("host", exposure.host)
    yield _item("time", describe_times(group))
    yield _item("what", describe_credential(group))
    yield _item("still in", describe_log(exposure.where))


def _missing(host: HostView) -> Iterator[str]:
    for sentence in missing_sentences(host):
        yield fold(f"{show_line(host.name)}: {show_line(sentence)}", WIDTH, first="- ", rest="  ")


def _host(host: HostView) -> Iterator[str]:
    yield fold(f"{show_line(host.name)}", WIDTH)
    yield _item("state", describe_state(host))
    yield _item("complete", "yes" if host.complete else "no")
    yield _item("seen", describe_seen(host))
    for label, text in (
        ("log", describe_log(host.source) if host.source else ""),
        ("guard", host.guard),
        ("ended by", host.why),
    ):
        if text:
            yield _item(label, text)
    for reason in (*host.refusals, *host.warnings):
        yield _item("refused" if reason in host.refusals else "warning", join_reason(reason))
    for conflict in host.conflicts:
        yield _item("conflict", conflict)


def _session(session: SessionView) -> Iterator[str]:
    yield from _title(f"{show_line(session.host)}: session {session.number}, {show_line(head_of(session))}")
    yield _item("process", session.process)
    yield _item("time", f"{show_time(session.started)}, {show_seconds(session.seconds)}")
    if session.queue_ids:
        yield _item("queue id", ", ".join(session.queue_ids))
    for label, text in session.facts:
        yield _item(label, text)
    if not session.whole:
        yield _item("cut", describe_cut(session))
    for finding in session.findings:
        yield _item("finding", f"[{finding.certainty}] {finding.title}")
    yield ""
    for turn in session.turns:
        if grade_gap(turn.gap):
            yield fold(describe_gap(turn), WIDTH, first=" " * 14 + "... ", rest=" " * 18)
        first = f"{show_clock(turn.time)}  {_MARKS[turn.side]}"
        yield fold(show_line(say_turn(turn)), WIDTH, first=first, rest=" " * len(first))
    if session.folded:
        yield f"{' ' * 17}({count(session.folded, 'debug line')} not shown)"
