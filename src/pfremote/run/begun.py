"""What a run leaves on hosts if it is killed: the leases that it asked for, what to type for them, and until when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pfremote.agent.client import ALIKE
from pfremote.errors import PfremoteError, Reason
from pfremote.model.request import DebugRequest
from pfremote.model.result import HostResult, error_code
from pfremote.model.target import Target
from pfremote.model.typed import TYPED
from pfremote.store import Begun, RunStore

#: No visit that arms a host takes longer (each step of it has its own, shorter limit).
VISIT = timedelta(minutes=5)
#: What is typed for a run that was broken off.
VERBS = ("collect", "revert")


def find_end(now: datetime, requests: Sequence[DebugRequest]) -> datetime:
    """Return when windows that begin now are over at the latest, one after the other where it has to be."""
    return now + timedelta(seconds=max(request.seconds for request in requests)) + VISIT * len(requests)


def describe_begun(leases: Mapping[str, str], request: DebugRequest) -> Begun:
    """Return what ``debug`` may leave on hosts with these leases."""
    over = find_end(datetime.now(UTC), [request] * len(leases))
    return Begun(tuple(leases.items()), tuple(name_commands(leases, *VERBS)), over)


def name_commands(leases: Mapping[str, str], *verbs: str) -> list[str]:
    """Return command lines for all hosts that were chosen, which have these leases."""
    words = _name_leases(leases)
    if len(leases) == 1:
        (host,) = leases
        return [TYPED.command(verb, host, *words) for verb in verbs]
    return [TYPED.command_for_all(verb, *words) for verb in verbs]


def _name_leases(leases: Mapping[str, str]) -> tuple[str, str]:
    """Return the option for the leases of these hosts, which begin alike (:func:`new_leases`)."""
    first = next(iter(leases.values()))
    return "--lease", first if len(leases) == 1 else first[:ALIKE]


class BegunPlays:
    """The leases that the plays of a run asked for, without those whose evidence is stored."""

    def __init__(self) -> None:
        #: By play and host: the instance, or "", and the lease.
        self._leases: dict[tuple[str, str], tuple[str, str]] = {}

    def begin(self, play: str, batch: Iterable[Target], leases: Mapping[str, str]) -> None:
        """Add the hosts of a batch."""
        for target in batch:
            self._leases[play, target.name] = target.instance or "", leases[target.name]

    def end(self, play: str, results: Iterable[HostResult]) -> None:
        """Take away the hosts of a batch that have nothing of this run any more."""
        for result in results:
            if result.out or result.state == "untouched":
                del self._leases[play, result.host]

    def write(self, store: RunStore, requests: Sequence[DebugRequest]) -> Reason | None:
        """Write down what the run may leave on hosts, as the windows of these requests begin; say where that fails."""
        leases = tuple((host, lease) for (_, host), (_, lease) in self._leases.items())
        try:
            store.note_begun(Begun(leases, tuple(self._name_commands()), find_end(datetime.now(UTC), requests)))
        except PfremoteError as exc:
            return Reason(error_code(exc), f"if this run is killed, pfremote runs will not know this batch: {exc}")
        return None

    def _name_commands(self) -> Iterable[str]:
        """Yield commands: the leases of a play begin alike, and an instance has commands of its own."""
        groups: dict[tuple[str, str], dict[str, str]] = {}
        for (play, host), (instance, lease) in self._leases.items():
            groups.setdefault((play, instance), {})[host] = lease
        for (_, instance), leases in groups.items():
            words = (*(("--instance", instance) if instance else ()), *_name_leases(leases))
            yield from (TYPED.command(verb, ",".join(leases), *words) for verb in VERBS)
