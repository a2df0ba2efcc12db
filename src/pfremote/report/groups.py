"""Findings and exposures that say the same, gathered: a hundred equal failures read as one. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from pfremote.report.exposure import TLS_KINDS, ExposureView, Verdict
from pfremote.report.model import FindingView


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """The first finding of its kind, and the others that differ only in where they were seen."""

    first: FindingView
    more: tuple[FindingView, ...]


@dataclass(frozen=True, slots=True)
class ExposureGroup:
    """One account's exposures in one log of one host, or that log's TLS keys, in time order.

    ``verdict`` is about all of them: where an account's credential has to be changed, what was refused adds nothing.
    """

    first: ExposureView
    more: tuple[ExposureView, ...]
    verdict: Verdict = "change"

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
    """Return the exposures gathered by account, host, log and verdict, in the order of the first of each.

    TLS keys stand apart.
    """
    lost = {_place(item) for item in exposures if item.verdict == "change" and item.is_named}
    groups: dict[tuple[Hashable, Verdict], list[ExposureView]] = {}
    for item in exposures:
        verdict: Verdict = "change" if item.verdict == "judge" and _place(item) in lost else item.verdict
        groups.setdefault(((_place(item), item.kind in TLS_KINDS), verdict), []).append(item)
    return tuple(ExposureGroup(first, tuple(more), verdict) for (_, verdict), (first, *more) in groups.items())


def count_credentials(exposures: Sequence[ExposureView], verdict: Verdict) -> int:
    """Return about how many credentials this is to be done."""
    return sum(group.verdict == verdict for group in group_exposures(exposures))


def _place(item: ExposureView) -> tuple[str, str, str]:
    return item.account, item.host, item.where
