"""Which sessions are on the page: one with tens of thousands of them is of no use in a browser. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from pfremote.model.lazy import Lazy
from pfremote.report.dialogue import list_anchors
from pfremote.report.groups import FindingGroup
from pfremote.report.model import HostView, Report, SessionView

#: So many sessions are on the page; the other formats have all of them.
MOST_SESSIONS = 1_000


class _Some(Lazy[SessionView]):
    """The sessions at some places, each made when it is asked for."""

    def __init__(self, sessions: Sequence[SessionView], places: array[int]) -> None:
        self._sessions, self._places = sessions, places

    def __len__(self) -> int:
        return len(self._places)

    def make(self, place: int) -> SessionView:
        return self._sessions[self._places[place]]


def choose_sessions(report: Report, groups: Sequence[FindingGroup]) -> tuple[Sequence[SessionView], ...]:
    """Return for each host the sessions that the page shows, in the order of the log; of few sessions all.

    Of many those come first that a card of a finding names, then the others with a finding, then what there is room
    for.
    """
    if len(report.sessions) <= MOST_SESSIONS:
        return tuple(host.sessions for host in report.hosts)
    named = (finding.session for finding in (*(group.first for group in groups), *report.findings) if finding.session)
    wanted = frozenset(islice(dict.fromkeys(named), MOST_SESSIONS))
    others = iter(range(MOST_SESSIONS - len(wanted)))
    return tuple(_Some(host.sessions, array("I", _find(host, wanted, others))) for host in report.hosts)


def _find(host: HostView, wanted: frozenset[str], others: Iterator[int]) -> Iterator[int]:
    """Yield the places of the wanted sessions, and of as many others as there are ``others`` left."""
    for place, anchor in enumerate(list_anchors(host.sessions)):
        if anchor in wanted or next(others, None) is not None:
            yield place


def outline(session: SessionView) -> SessionView:
    """Return what the time line and links need of a session: of a thousand the dialogues are not held at once."""
    return replace(session, turns=(), lines=(), facts=())
