"""Stored runs as values, built from recorded logs, for the tests of the store and of the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pfremote.maillog.messages.collect import collect_hops
from pfremote.maillog.messages.message import Hop, Try
from pfremote.maillog.parse.lines import LineReader
from pfremote.maillog.sessions.build import build_sessions
from pfremote.maillog.transcripts.transcript import build_transcript, to_json
from pfremote.model.clock import Clock
from pfremote.model.result import HostResult
from pfremote.report import Report, build_report
from pfremote.store import HostFolder, HostRecord, Run
from pfremote.store.encode import to_json as encode

FIXTURES = Path(__file__).parent.parent / "fixtures"
STARTED = datetime(2026, 11, 24, 5, 1, 30, tzinfo=UTC)
CLEAN = {"armed": True, "reverted": True, "drained": True, "complete": True}

#: What a mail client may write into a log to harm whoever reads it later.
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-->]]></style></title></textarea><svg/onload=alert(1)>",
    "\x1b[2J\x1b]0;owned\x07\x1b]8;;http://evil.example/\x07click\x1b]8;;\x07",
    "\x9b31mred \x00\x08\x7f",
    "\u202etxt.exe\u2066 \u200b\u200f",
    "\udcff\udcfe bytes \ud800",
    "```\n# heading\n[link](http://evil.example/) ![i](http://evil.example/p.png)\n````",
    "| a | b |\n|---|---|\n`` ` `` <http://evil.example/>",
    "{{ 7 * 7 }} {% raw %} ${x}",
    "line\rover\u2028two\u0085three\x0bfour",
    "http://evil.example/ www.evil.example admin@evil.example javascript:alert(1)",
)


@dataclass
class HostData:
    """What one host of a stored run holds; filled by hand or from a recorded log."""

    name: str
    result: dict[str, Any] = field(default_factory=lambda: dict(CLEAN))
    sessions: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    exposures: list[dict[str, Any]] = field(default_factory=list)
    unplaced: list[int] = field(default_factory=list)
    hops: list[dict[str, Any]] = field(default_factory=list)
    withheld: int = 0
    evidence: tuple[str, ...] = ()
    diff: str = ""
    source: str = "/var/log/mail.log"

    def folder(self) -> HostFolder:
        """Return the host as the store reads it."""
        content = {
            "schema": 1,
            "sessions": self.sessions,
            "followed": {"lines": []},
            "unplaced": {"lines": self.unplaced},
            "findings": self.findings,
            "exposures": self.exposures,
            "withheld": [{"line": 1, "reason": "a long word"}] * self.withheld,
            "counts": {"other_sessions": 0, "other_lines": 0, "undecided": 0},
            "hops": self.hops,
        }
        return HostFolder(content, self.evidence, self.diff)

    def record(self) -> HostRecord:
        """Return the host as ``run.json`` has it."""
        values = {
            "state": "clean",
            "sessions": len(self.sessions),
            "lines": len(self.evidence),
            **self.result,
        }
        return HostRecord(HostResult(self.name, **values), self.name, self.source)


def host_from_log(name: str, fixture: str) -> HostData:
    """Return a host whose sessions were rebuilt from a recorded log."""
    lines = tuple((FIXTURES / fixture).read_text(errors="surrogateescape").split("\n")[:-1])
    reader = LineReader(STARTED, UTC)
    built = build_sessions([reader.read(line, number) for number, line in enumerate(lines, 1)])
    sessions = []
    for session in built.sessions:
        transcript = to_json(build_transcript(session, built.followed))
        sessions.append({**transcript, "lines": [record.number for record in session.records]})
    return HostData(name, sessions=sessions, unplaced=[r.number for r in built.unplaced], evidence=lines)


def hosts_of_a_way() -> tuple[HostData, HostData, HostData]:
    """Return three hosts that one message went over; the filter's clock is 90 seconds ahead, and known to be."""
    hosts = tuple(_host_with_messages(name) for name in ("mx", "filter", "mbox"))
    hosts[1].result["clock"] = Clock(90.0, 0.1)
    return hosts[0], hosts[1], hosts[2]


def _host_with_messages(name: str) -> HostData:
    lines = (FIXTURES / "way" / f"{name}.log").read_text().splitlines()
    reader = LineReader(STARTED, UTC)
    hops = collect_hops("", [reader.read(line, number) for number, line in enumerate(lines, 1)])
    host = host_from_log(f"{name}.example.jp", f"way/{name}.log")
    host.hops = encode(hops)
    return host


def make_session(texts: tuple[str, ...], **changes: Any) -> dict[str, Any]:
    """Return a session as ``sessions.json`` has it; client and server take turns in saying ``texts``."""
    turns = [
        {
            "time": (STARTED + timedelta(milliseconds=7 * number)).isoformat(),
            "gap": 0.007,
            "who": "CS"[number % 2],
            "topic": "smtp",
            "text": text,
            "line": number + 1,
            "count": 1,
        }
        for number, text in enumerate(texts)
    ]
    session = {
        "id": 1,
        "kind": "smtpd",
        "process": "postfix/smtpd[4711]",
        "peer": {"name": "client.example.jp", "address": "192.0.2.10", "port": None},
        "started": STARTED.isoformat(),
        "ended": (STARTED + timedelta(seconds=1)).isoformat(),
        "cut": "",
        "whole": True,
        "verbose": True,
        "died": False,
        "queue_ids": [],
        "tls": [],
        "sasl": [],
        "checks": [],
        "rejects": [],
        "deliveries": [],
        "folded": 0,
        "turns": turns,
        "lines": list(range(1, len(texts) + 1)),
    }
    return {**session, **changes}


def make_finding(**changes: Any) -> dict[str, Any]:
    """Return a finding as ``sessions.json`` has it."""
    finding = {
        "code": "sasl-bad-password",
        "title": "Authentication failed: wrong password",
        "certainty": "proven",
        "session": 1,
        "line": 1,
        "count": 1,
        "meaning": "Dovecot compared the password and said no.",
        "next_step": "Try the account on the host with doveadm.",
    }
    return {**finding, **changes}


def make_exposure(**changes: Any) -> dict[str, Any]:
    """Return an exposure as ``sessions.json`` has it."""
    exposure = {
        "account": "user@example.jp",
        "host": "mx1.example.jp",
        "time": STARTED.isoformat(),
        "mechanism": "PLAIN",
        "where": "AUTH dialogue",
        "kind": "password",
        "line": 1,
    }
    return {**exposure, **changes}


def make_report(*hosts: HostData, **changes: Any) -> Report:
    """Return the report of a finished run over ``hosts``; ``changes`` are fields of the run."""
    run: dict[str, Any] = {
        "id": "20261124T050130Z-3fa9c1",
        "path": Path("/nowhere"),
        "command": ("pfremote", "debug", "mx", "--peer", "192.0.2.10"),
        "started": STARTED,
        "ended": STARTED + timedelta(minutes=10),
        "exit_code": 0,
        "version": "0.1.0",
        "request": {"peers": ["192.0.2.10"], "reason": "AUTH fails since Monday"},
        "hosts": tuple(host.record() for host in hosts),
        **changes,
    }
    return build_report(Run(**run), [host.folder() for host in hosts])


def make_hostile_host(text: str) -> HostData:
    """Return a host that has ``text`` in every place where a log, a peer or an inventory can put it."""
    host = HostData(text)
    session = make_session((text, text, text), queue_ids=[text], process=text, folded=3)
    session["peer"] = {"name": text, "address": text, "port": None}
    session["sasl"] = [{"mechanism": text, "user": text, "outcome": "refused", "reason": text, "line": 1}]
    session["tls"] = [{"protocol": text, "cipher": text, "trust": text, "line": 1}]
    host.sessions = [session]
    host.findings = [make_finding(title=text, meaning=text, next_step=text)]
    host.exposures = [make_exposure(account=text, mechanism=text, where=text)]
    host.unplaced = [1]
    attempt = {"recipient": text, "relay": text, "status": text, "dsn": text, "reason": text, "next_id": text}
    hop = Hop(text, text, STARTED, STARTED, text, text, text, text, dropped=text, refused=text, origin=text)
    tries = [{**encode(Try(STARTED, 1, text, "", "", "", "", "", None, text)), **attempt}]
    host.hops = [{**encode(hop), "queue_id": text, "origin_kind": "filter", "tries": tries}]
    host.evidence = (text.replace("\n", " "),) * 3
    host.diff = f"--- {host.evidence[0]}\n+{host.evidence[0]}\n"
    host.source = text
    return host
