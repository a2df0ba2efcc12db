"""A line of the host, of the same seconds, that names the cause of what a session only has a sign of."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pfremote.maillog.findings.rule import CAUSE
from pfremote.maillog.findings.settle import NEAR, Hit

#: Families whose causes other processes log: tables (proxymap, trivial-rewrite) and milters (cleanup).
_TOLD_ELSEWHERE = frozenset(("table", "milter"))


class Witnesses:
    """The host's causes by family and time: each session of a large log asks for those of its seconds."""

    def __init__(self, host: Sequence[Hit]) -> None:
        self._host = host
        #: A sign was met of which the host could tell the cause.
        self.asked = False
        timed: dict[str, list[tuple[datetime, int]]] = {family: [] for family in _TOLD_ELSEWHERE}
        for place, (rule, cause) in enumerate(host):
            if rule.family in timed and cause.proof.time:
                timed[rule.family].append((cause.proof.time, place))
        self._places = {family: [place for _, place in sorted(found)] for family, found in timed.items()}
        self._times = {family: [time for time, _ in sorted(found)] for family, found in timed.items()}

    def call(self, hits: list[Hit]) -> list[Hit]:
        """Put the host's cause beside each sign of its family; it is likely, since nothing ties it to the session."""
        called = list(hits)
        for rule, finding in hits:
            time = finding.proof.time
            if rule.weight == CAUSE or rule.family not in _TOLD_ELSEWHERE or time is None:
                continue
            self.asked = True
            times = self._times[rule.family]
            first, last = bisect_left(times, time - NEAR), bisect_right(times, time + NEAR)
            for place in sorted(self._places[rule.family][first:last]):
                other, cause = self._host[place]
                if other.weight < rule.weight:
                    called.append((other, replace(cause, session=finding.session, certainty="likely")))
        return called
