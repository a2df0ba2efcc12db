"""Choose one of a host's leases, where the operator named one or where there is only one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pfremote.errors import Reason, Refused
from pfremote.facts import Lease


def choose_lease(host: str, leases: Sequence[Lease], wanted: str, fits: Callable[[Lease], bool], noun: str) -> Lease:
    """Return the lease that is meant; ``wanted`` may be the beginning of an id, or empty.

    Raises:
        Refused: none fits, or more than one.
    """
    fitting = [lease for lease in leases if fits(lease) and lease.id.startswith(wanted)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        ids = ", ".join(lease.id for lease in fitting)
        raise Refused((Reason("which-lease", f"there is more than one {noun}: {ids}", "name one with --lease ID"),))
    called = f" {wanted}" if wanted else ""
    raise Refused((Reason("no-lease", f"there is no {noun}{called}", f"pfremote status {host}"),))
