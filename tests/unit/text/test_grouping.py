"""A hint that is about several hosts names a command that works for all of them."""

from __future__ import annotations

import pytest

from pfremote.errors import Reason
from pfremote.text.grouping import Folds


@pytest.mark.parametrize(
    ("leases", "shown"),
    [
        (
            ("1a2b3c400000", "1a2b3c400001"),
            "Fetch it later with: pfremote collect mx1,mx2 -i hosts --lease 1a2b3c40000",
        ),
        (("1a2b3c400000", "9a2b3c400001"), "Fetch it later with: pfremote collect mx1,mx2 -i hosts"),
    ],
)
def test_one_command_for_all(leases: tuple[str, str], shown: str) -> None:
    folds = Folds()
    for host, lease in zip(("mx1", "mx2"), leases, strict=True):
        hint = f"Fetch it later with: pfremote collect {host} -i hosts --lease {lease}"
        folds.add("error", host, Reason("not-collected", "not brought home", hint))
    (fold,) = folds
    assert list(fold.lines()) == [("error", "not brought home"), ("hint", shown)]


def test_of_very_many_the_command_stays_general() -> None:
    folds = Folds()
    for number in range(30):
        host = f"mx{number:02}"
        folds.add("error", host, Reason("unknown", "not seen", f"Look with: pfremote status {host}"))
    (fold,) = folds
    assert list(fold.lines())[1] == ("hint", "Look with: pfremote status HOST")
