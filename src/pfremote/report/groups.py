"""Findings and exposures that say the same, gathered: a hundred equal failures read as one. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from pfremote.report.model import ExposureView, FindingView

#: What is no user's password: tlsmgr(8) makes new ones when Postfix is reloaded, as at the end of a window.
TLS_KINDS = frozenset({"TLS ticket key", "TLS session"})


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """The first finding of its kind, and the others that differ only in where they were seen."""

    first: FindingView
    more: tuple[FindingView, ...]


@dataclass(frozen=True, slots=True)
class ExposureGroup:
    """One account's exposures in one log of one host, or that log's TLS keys, in time order."""

    first: ExposureView
    more: tuple[ExposureView, ...]

    @property
    def is_tls(self) -> bool:
        """Tell whether these are keys of TLS connections, which belong to no account."""
        return self.first.kind in TLS_KINDS


def group_findings(findings: Sequence[FindingView]) -> tuple[FindingGroup, ...]:
    """Return the findings gathered by what they say, in the order of the first of each.

    A line of the host that may be the cause in several sessions is told once, with the best certainty it has.
    """
    groups: dict[Hashable, list[FindingView]] = {}
    told: dict[Hashable, str] = {}
    for finding in findings:
        line = (finding.host, finding.code, finding.proof.number) if finding.proof else None
        if line is not None and told.setdefault(line, finding.certainty) != finding.certainty:
            continue
        said = (finding.certainty, finding.code, finding.title, finding.meaning, finding.next_step)
        groups.setdefault(said, []).append(finding)
    return tuple(FindingGroup(first, tuple(more)) for first, *more in groups.values())


def group_exposures(exposures: Sequence[ExposureView]) -> tuple[ExposureGroup, ...]:
    """Return the exposures gathered by account, host and log, TLS keys apart, in the order of the first of each."""
    groups: dict[Hashable, list[ExposureView]] = {}
    for item in exposures:
        groups.setdefault((item.account, item.host, item.where, item.kind in TLS_KINDS), []).append(item)
    return tuple(ExposureGroup(first, tuple(more)) for first, *more in groups.values())
