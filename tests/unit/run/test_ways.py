"""Messages that are joined on disk are those that are joined in memory."""

from __future__ import annotations

import random
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pfremote.maillog.messages.join import join_messages
from pfremote.maillog.messages.message import Hop, Try
from pfremote.maillog.narrow import Wanted
from pfremote.maillog.pieces.hops import PackedHops
from pfremote.model.lazy import Lazy
from pfremote.run.log_files import Source
from pfremote.run.read_logs import explain_log, find_messages
from pfremote.run.ways import join_on_disk

BEGUN = datetime(2026, 11, 24, tzinfo=UTC)
WAY = sorted((Path(__file__).parents[2] / "fixtures" / "way").glob("*.log"))


def make_hop(rng: random.Random, line: int) -> Hop:
    """Return a hop with one of few names, so that many are near, many far, and many at the same time."""
    names = ["", "A1B2C3D4E5", "A1B2C3D4E6", "A1B2C3D4E7", "A1B2C3D4\udce8"]
    started = BEGUN + timedelta(days=rng.randrange(30)) if rng.random() < 0.9 else None
    ended = started and started + timedelta(days=rng.randrange(5))
    tries = [
        Try(started, line, "smtp", "b@example.jp", "r", "sent", "2.0.0", "", next_id=rng.choice(names))
        for _ in range(rng.randrange(3))
    ]
    return Hop(
        rng.choice(["mx1", "mx2"]),
        rng.choice(names[1:]),
        started,
        ended,
        client=rng.choice(["", "c[192.0.2.1]"]),
        removed=rng.random() < 0.3,
        message_id=rng.choice(["", "", "<1@example.jp>", "<\udcff@example.jp>"]),
        tries=tuple(tries),
        origin=rng.choice(names),
        lines=(line,),
    )


@pytest.mark.parametrize("seed", range(40))
def test_hops_of_several_logs_in_any_order(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - a choice, not a key
    logs = [[make_hop(rng, line) for line in range(1, 1 + rng.randrange(12))] for _ in range(3)]
    as_over = [rng.sample(hops, len(hops)) for hops in logs]
    assert list(join_on_disk(as_over)) == list(join_messages(hop for hops in logs for hop in hops))


@pytest.mark.parametrize("number", range(3))
def test_logs_of_three_hosts_of_which_some_are_held(number: int) -> None:
    def read(*, twice: int) -> list[object]:
        logs = [
            explain_log(Source(path.stem, str(path)), Wanted(), lambda _done: None, twice=place < twice, piece=20)
            for place, path in enumerate(WAY)
        ]
        assert sum(isinstance(log.hops, PackedHops) for log in logs) == twice
        return list(find_messages(logs, Wanted()))

    assert len(WAY) >= 3
    assert read(twice=number + 1) == read(twice=0)


class Hops(Lazy[Hop]):
    """So many hops of as many messages."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __len__(self) -> int:
        return self._size

    def make(self, place: int) -> Hop:
        return Hop("mx", f"A{place:09X}", BEGUN, message_id=f"<{place}@example.jp>", lines=(place + 1,))


def measure_peak(size: int) -> int:
    """Return the most bytes that Python held while it joined so many hops."""
    tracemalloc.start()
    try:
        assert sum(1 for _ in join_on_disk([Hops(size)])) == size
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_no_more_than_some_bytes_a_hop_are_held() -> None:
    few, many = 1_000, 10_000
    assert measure_peak(many) - measure_peak(few) < 16 * (many - few)
