"""What a run may leave on hosts if it is killed, as ``run.json`` holds it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pfremote.store.encode import decode_time, encode_time


@dataclass(frozen=True, slots=True)
class Begun:
    """What a run may have left on hosts if it is broken off now.

    ``leases`` are hosts and the ids that they were, or are to be, armed with. ``go_on`` are commands that work on them,
    as the operator reached them: ``collect`` and ``revert``. ``over`` is when the windows end by themselves at the
    latest, unless someone extends them; None where none has begun.
    """

    leases: tuple[tuple[str, str], ...] = ()
    go_on: tuple[str, ...] = ()
    over: datetime | None = None


NOTHING_BEGUN = Begun()


def encode_begun(begun: Begun) -> dict[str, object]:
    """Return the fields of ``run.json`` that say it."""
    return {
        "leases": [list(lease) for lease in begun.leases],
        "go_on": list(begun.go_on),
        "over": encode_time(begun.over),
    }


def decode_begun(data: Mapping[str, Any]) -> Begun:
    """Read it out of the object of ``run.json``.

    Raises:
        TypeError, ValueError: a field is of the wrong type.
    """
    return Begun(
        tuple((str(host), str(lease)) for host, lease in data.get("leases") or ()),
        tuple(str(line) for line in data.get("go_on") or ()),
        decode_time(data.get("over")),
    )
