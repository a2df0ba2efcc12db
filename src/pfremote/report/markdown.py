"""The report as Markdown, for a ticket or a wiki. Whatever came from a log is inside code, never markup. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pfremote.report.credentials import describe_credential, describe_times, list_credentials, name_account
from pfremote.report.groups import ExposureGroup, FindingGroup, group_findings
from pfremote.report.markdown_text import quote_block, quote_inline, write_prose
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


def write_markdown(report: Report) -> Iterator[str]:
    """Yield the report in CommonMark, block by block; tables are the only extension used."""
    return (f"\n{block}\n" if place else f"{block}\n" for place, block in enumerate(_blocks(report)))


def _blocks(report: Report) -> Iterator[str]:
    yield "# pfremote explain" if report.of_logs else f"# pfremote run {quote_inline(report.run)}"
    yield f"**{headline(report)}**"
    yield _facts(report)
    if report.findings:
        yield "## Findings"
        yield from (_finding(group) for group in group_findings(report.findings))
    for title, what, credentials in list_credentials(report):
        yield f"## {title}"
        yield what
        yield _exposures(credentials)
    if report.gaps:
        yield "## What is missing"
        yield "\n".join(
            f"- {quote_inline(host.name)}: {write_prose(sentence)}"
            for host in report.gaps
            for sentence in missing_sentences(host)
        )
    for story in report.stories:
        yield from _story(story)
    yield "## Logs" if report.of_logs else "## Hosts"
    yield from (block for host in report.hosts for block in _host(host))
    if report.sessions:
        yield "## Sessions"
    yield from (block for session in report.sessions for block in _session(session))


def _facts(report: Report) -> str:
    facts = [f"- command: {quote_inline(join_command(report.command))}"]
    if not report.of_logs:
        facts.append(f"- started: {show_time(report.started)}")
        facts.append(f"- ended: {show_time(report.ended)}")
        facts.append(f"- exit: {describe_exit(report.exit_code)}")
    if report.peers:
        facts.append("- peers: " + ", ".join(quote_inline(peer) for peer in report.peers))
    if report.reason:
        facts.append(f"- reason: {quote_inline(report.reason)}")
    facts += [f"- note: {write_prose(note)}" for note in report.notes]
    return "\n".join(facts)


def _finding(group: FindingGroup) -> str:
    finding = group.first
    blocks = [
        f"### {write_prose(finding.title)}",
        f"*{finding.certainty}*, on {quote_inline(finding.host)}",
    ]
    if finding.proof is not None:
        blocks.append(f"Proof, {describe_proof(finding)}:")
        blocks.append(quote_block([finding.proof.text]))
    if group.more:
        blocks.append(f"Also: {write_prose(describe_places(group))}")
    blocks.append(f"**Meaning:** {write_prose(finding.meaning)}")
    blocks.append(f"**Next step:** {write_prose(finding.next_step)}")
    return "\n\n".join(blocks)


def _exposures(groups: Iterable[ExposureGroup]) -> str:
    rows = ["| account | host | time | what | clear text is still in |", "|---|---|---|---|---|"]
    for group in groups:
        item = group.first
        account, where = name_account(group), describe_log(item.where)
        cells = [quote_inline(cell) for cell in (account, item.host, describe_credential(group), where)]
        rows.append(f"| {cells[0]} | {cells[1]} | {describe_times(group)} | {cells[2]} | {cells[3]} |")
    return "\n".join(rows)


def _host(host: HostView) -> Iterator[str]:
    yield f"### {quote_inline(host.name)}"
    facts = [
        f"- {write_prose(describe_state(host))}",
        f"- evidence complete: {'yes' if host.complete else 'no'}",
        f"- seen: {describe_seen(host)}",
    ]
    facts += [f"- {label}: {quote_inline(text)}" for label, text in list_facts(host)]
    for label, reasons in (("refused", host.refusals), ("warning", host.warnings)):
        facts += [f"- {label}: {write_prose(join_reason(reason))}" for reason in reasons]
    facts += [f"- conflict: {quote_inline(conflict)}" for conflict in host.conflicts]
    yield "\n".join(facts)
    if host.diff:
        yield "What changed in main.cf, and back:"
        yield quote_block(host.diff)


def _story(story: StoryView) -> Iterator[str]:
    yield f"## Message {write_prose(story.title)}"
    lines = []
    for hop in story.hops:
        lines.append(f"{show_time(hop.started)}  {hop.host}  {hop.queue_id}")
        lines += [f"    {step}" for step in hop.steps]
    yield quote_block([*lines, f"=> {story.end}"])


def _session(session: SessionView) -> Iterator[str]:
    yield f"### {quote_inline(session.host)}: session {session.number}, {quote_inline(head_of(session))}"
    facts = [
        f"- process: {quote_inline(session.process)}",
        f"- time: {show_time(session.started)}, {show_took(session)}",
    ]
    if session.queue_ids:
        facts.append("- queue id: " + ", ".join(quote_inline(queue_id) for queue_id in session.queue_ids))
    facts += [f"- {label}: {quote_inline(text)}" for label, text in session.facts]
    if not session.whole:
        facts.append(f"- {write_prose(describe_cut(session))}")
    facts += [f"- finding, {finding.certainty}: {write_prose(finding.title)}" for finding in session.findings]
    yield "\n".join(facts)
    yield quote_block(_dialogue(session))


def _dialogue(session: SessionView) -> Iterator[str]:
    for turn in session.turns:
        if grade_gap(turn.gap):
            yield f"{' ' * 14}... {describe_gap(turn)}"
        yield f"{show_clock(turn.time)}  {MARKS[turn.side]}{say_turn(turn)}"
    if session.folded:
        yield f"{' ' * 17}({describe_folded(session)})"
