"""One session of ``sessions.json`` as the report shows it, with its pauses. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pfremote.model.lazy import Lazy
from pfremote.report.model import FindingView, HostView, Lines, SessionView, Side, TurnView
from pfremote.store.capture import EncodedLines
from pfremote.store.encode import decode_time

_SIDES: dict[str, Side] = {"C": "client", "S": "server"}
_OTHERS: dict[Side, Side] = {"client": "server", "server": "client", "note": "note"}
_COARSE = 2.0


class SessionViews(Lazy[SessionView]):
    """The sessions of a host, each made when it is asked for; ``findings`` are those of the host."""

    def __init__(
        self,
        items: Sequence[Mapping[str, Any]],
        numbers: Sequence[int],
        host: HostView,
        evidence: Sequence[str],
        findings: Iterable[FindingView],
    ) -> None:
        self._items, self._numbers, self._host, self._evidence = items, numbers, host, evidence
        self._findings: dict[str, list[FindingView]] = {}
        for finding in findings:
            self._findings.setdefault(finding.session, []).append(finding)

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def anchors(self) -> Iterator[str]:
        """The anchors of all, for which no session is made."""
        return (self._host.anchor_session(number) for number in self._numbers)

    def make(self, place: int) -> SessionView:
        """Return one."""
        number = self._numbers[place]
        findings = self._findings.get(self._host.anchor_session(number), ())
        return build_session(self._items[place], number, self._host, self._evidence, findings)


def list_anchors(sessions: Sequence[SessionView]) -> Iterator[str]:
    """Return the anchors of sessions, of which none is made for that."""
    return sessions.anchors if isinstance(sessions, SessionViews) else (item.anchor for item in sessions)


def build_session(
    data: Mapping[str, Any],
    number: int,
    host: HostView,
    evidence: Sequence[str],
    findings: Iterable[FindingView],
) -> SessionView:
    """Return one session of ``sessions.json``; ``findings`` are its own.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is not as the store writes it.
    """
    peer = data["peer"]
    port = f":{peer['port']}" if peer["port"] else ""
    return SessionView(
        anchor=host.anchor_session(number),
        number=number,
        host=host.name,
        kind=str(data["kind"]),
        process=str(data["process"]),
        peer=f"{peer['name']}[{peer['address']}]{port}",
        started=decode_time(data["started"]),
        ended=decode_time(data["ended"]),
        whole=data["whole"] is True,
        cut=str(data["cut"]),
        verbose=data["verbose"] is True,
        queue_ids=tuple(map(str, data["queue_ids"])),
        facts=tuple(_facts(data)),
        turns=_turns(data["turns"]),
        folded=int(data["folded"]),
        lines=pick_lines(data["lines"], evidence),
        findings=tuple(findings),
    )


def _facts(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for tls in data["tls"]:
        yield "TLS", f"{tls['protocol']} {tls['cipher']} ({tls['trust']})"
    for sasl in data["sasl"]:
        reason = f": {sasl['reason']}" if sasl["reason"] else ""
        yield "SASL", f"{sasl['mechanism']} {sasl['user'] or '(user not logged)'} {sasl['outcome']}{reason}"
    for item in data["deliveries"]:
        relay = f"dsn={item['dsn']} relay={item['relay']}"
        yield "Delivery", f"{item['recipient']} {item['status']} {relay} ({item['reason']})"
    if data["died"] is True:
        yield "Process", "ended by a fatal error or a signal"


def _turns(items: Iterable[Mapping[str, Any]]) -> tuple[TurnView, ...]:
    turns: list[TurnView] = []
    speaker: Side = "note"
    for item in items:
        side = _SIDES.get(item["who"], "note")
        time = decode_time(item["time"])
        turn = TurnView(
            side=side,
            topic=str(item["topic"]),
            text=str(item["text"]),
            time=time,
            line=int(item["line"]),
            count=int(item["count"]),
            # After 354 the client sends its message, which the log does not have, before the server answers. What
            # Postfix says of itself comes while the side that did not speak last is still to speak.
            awaited="client" if _invites(turns) else side if side != "note" else _OTHERS[speaker],
            gap=_gap(turns[-1].time, time, float(item["gap"])) if turns else 0.0,
        )
        turns.append(turn)
        speaker = side if side != "note" else speaker
        if item["topic"] == "delivery":  # another process, another conversation
            speaker = "note"
    return tuple(turns)


def _invites(turns: Sequence[TurnView]) -> bool:
    return bool(turns) and turns[-1].side == "server" and turns[-1].text.startswith("354")


def _gap(before: datetime | None, time: datetime | None, gap: float) -> float:
    # A syslog stamp in whole seconds says "1 s later" of two lines a millisecond apart.
    coarse = before and time and before.microsecond == time.microsecond == 0
    return 0.0 if coarse and gap < _COARSE else gap


def pick_lines(numbers: Iterable[Any], evidence: Sequence[str]) -> Lines:
    """Return the lines of ``evidence`` at these 1-based places; a place outside it has none."""
    if isinstance(numbers, EncodedLines):  # not from a file: they are there
        return Lines(numbers, evidence)
    return Lines((number for number in map(int, numbers) if 0 < number <= len(evidence)), evidence)
