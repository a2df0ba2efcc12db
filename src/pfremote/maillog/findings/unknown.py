"""What no rule knows: a warning, an error or a refused command of the session is shown, and called unknown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from pfremote.maillog.findings.rule import Finding
from pfremote.maillog.findings.settle import Hit
from pfremote.maillog.owners import is_postfix
from pfremote.maillog.parse.record import Record
from pfremote.maillog.transcripts.turns import Transcript, Turn

_SEVERE = re.compile(r"(?:[\w-]+: )?(?P<severity>warning|error|fatal|panic): (?P<what>.*)", re.DOTALL)
_REPLY = re.compile(r"(?P<code>[45]\d\d)[ -](?P<what>.*)", re.DOTALL)
_REFUSED = re.compile(r"(?:[\w-]+: )?\w+: (?:milter-)?reject: (?P<what>.*)", re.DOTALL)
#: Goes on from the warning before it, which has the finding (bounce_template.c, maildir.c, master_avail.c,
#: master_watch.c, qmgr.c, qmgr_entry.c, tlsproxy.c; Debian's dict_db.c).
_GOES_ON = re.compile(
    r"-- ignoring this template for now|for instructions see the bounce|please (?:increase|reduce) time unit "
    r"|please specify a charset|perhaps you need to create the maildirs|[Ss]ee \S+README\S* for "
    r"|to avoid this (?:condition|warning), |old value: \"|please avoid flushing the whole queue"
    r"|so that Postfix (?:quickly skips|wastes less)|this may slow down other|to turn off these warnings"
    r"|do not specify lookup tables inside|define a restriction class and"
    r"|you may need (?:a separate master\.cf|to (?:increase|reduce) )|please update the \S+ file; the new queue"
)
#: So many of the host are shown.
_MOST = 20
_SHORT = 90


def find_unknown(
    strange: Iterable[Turn], explained: list[str], transcript: Transcript, records: Mapping[int, Record]
) -> list[Finding]:
    """Return a finding for each warning and each refusal that no rule knows and no known line repeats."""
    found: dict[str, Finding] = {}
    for turn in strange:
        made = _of_turn(turn, explained, transcript, records[turn.line])
        if made is None:
            continue
        known = found.get(made.title)
        found[made.title] = made if known is None else replace(known, count=known.count + 1)
        explained.append(records[turn.line].text)
    return list(found.values())


def _of_turn(turn: Turn, explained: list[str], transcript: Transcript, record: Record) -> Finding | None:
    session = transcript.session
    if severe := _match_severe(turn.text):
        return _warned(severe, session.id, record)
    refused = _REPLY.match(turn.text) if turn.who == "S" else _REFUSED.match(turn.text)
    if refused is None:
        return None
    said = refused["what"].strip()[:60]
    if any(said and said in text for text in explained):
        return None
    who = "smtpd" if session.kind == "smtpd" else "the remote server"
    return Finding(
        "unknown.refused",
        f"{who} refused something: {_shorten(turn.text)}",
        "unknown",
        session.id,
        record,
        "No rule of pfremote knows this reply.",
        "Read the client's line before it in the transcript, and the lines of the same second in evidence.log.",
    )


def find_unknown_of_host(unplaced: Iterable[Record], known: list[Hit]) -> list[Finding]:
    """Return a finding for what Postfix says of the host that no rule knows; a bounded number of them."""
    lines = {finding.proof.number for _, finding in known}
    found: dict[str, Finding] = {}
    for record in unplaced:
        severe = _match_severe(record.text) if record.number not in lines and is_postfix(record.tag) else None
        if severe is None:
            continue
        made = _warned(severe, None, record)
        if made.title in found:
            found[made.title] = replace(found[made.title], count=found[made.title].count + 1)
        elif len(found) < _MOST:
            found[made.title] = made
    return list(found.values())


def _match_severe(text: str) -> re.Match[str] | None:
    severe = _SEVERE.match(text)
    return None if severe is None or _GOES_ON.match(severe["what"]) else severe


def is_severe(record: Record) -> bool:
    """Say whether Postfix says with this line that something is wrong."""
    return is_postfix(record.tag) and _match_severe(record.text) is not None


def _warned(severe: re.Match[str], session: int | None, record: Record) -> Finding:
    severity = severe["severity"]
    return Finding(
        f"unknown.{severity}",
        f"{record.daemon}: {severity} that pfremote has no rule for: {_shorten(severe['what'])}",
        "unknown",
        session,
        record,
        "The line is shown as it is; whether it has to do with the session is for you to say."
        if session is None
        else "The line is the session's own, and no rule of pfremote knows it.",
        f"Look the words up in the manual of {record.daemon}(8), and read the lines around it.",
    )


def _shorten(text: str) -> str:
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"
