"""docs/guarantees.md names every fault test there is, and none that is not."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: The files whose every test is a cell of the matrix.
MATRIX = (
    *("clocks", "cron_and_at", "disks", "instances", "postfix_faults"),
    *("power_cuts", "race", "random_faults", "signals", "versions"),
)


def named_tests() -> set[tuple[str, str]]:
    """Return (file, test) as the document names them."""
    return set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs/guarantees.md").read_text()))


def test_every_test_that_the_document_names_exists() -> None:
    missing = [
        f"{file}::{test}" for file, test in sorted(named_tests()) if f"def {test}(" not in (ROOT / file).read_text()
    ]
    assert missing == []


def test_every_fault_test_is_in_the_document() -> None:
    files = [f"tests/machine/test_{name}.py" for name in MATRIX] + ["tests/agent/test_main_cf.py"]
    written = {
        (file, test) for file in files for test in re.findall(r"^def (test_\w+)\(", (ROOT / file).read_text(), re.M)
    }
    assert sorted(written - named_tests()) == []
