"""What the tests of windows, fleets and runs share: hosts in memory and a clock that moves by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fake_fleet import FakeFleet


@pytest.fixture
def fleet(tmp_path: Path) -> FakeFleet:
    """Return a fleet without hosts; a test adds them, and what goes wrong with them."""
    return FakeFleet(tmp_path)
