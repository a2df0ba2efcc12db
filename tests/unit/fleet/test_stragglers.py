"""Who lags: some seconds beyond what half of the others took, or half of what a step may take."""

from __future__ import annotations

from pfremote.fleet.stragglers import EVERY, LateNotice, Straggler, Stragglers, describe_stragglers
from tests.support.fake_time import FakeTime


def test_with_nobody_to_compare_half_the_limit_counts() -> None:
    stragglers = Stragglers()
    stragglers.begin("mx1", "arming", 60, now=0)
    assert stragglers.list_late(29.9) == []
    assert stragglers.list_late(30.1) == [("mx1", 30.1)]


def test_who_takes_longer_than_its_like_is_late_soon_the_slowest_first() -> None:
    stragglers = Stragglers()
    for host in ("a", "b", "c", "slow", "other"):
        stragglers.begin(host, "looking" if host == "other" else "arming", 180, now=0)
    for host, moment in (("a", 1), ("b", 2), ("c", 3)):
        stragglers.end(host, moment)
    stragglers.begin("later", "arming", 180, now=1)
    assert stragglers.list_late(6.9) == []
    assert stragglers.list_late(7.5) == [("slow", 7.5)]
    assert [host for host, _ in stragglers.list_late(8.5)] == ["slow", "later"]
    stragglers.forget("slow")
    assert [host for host, _ in stragglers.list_late(8.5)] == ["later"]


def test_a_crowd_is_counted() -> None:
    crowd = [Straggler(f"mx{n}", "connecting", 9) for n in range(10)]
    assert describe_stragglers(crowd).endswith("mx7 (connecting, 9s) and 2 more")


def test_the_notice_is_one_warning_for_all_of_them_and_not_a_flood() -> None:
    events: list[tuple[str, dict[str, object]]] = []

    def emit(kind: str, host: str = "", lease: str = "", /, **details: object) -> None:
        assert not host
        assert not lease
        events.append((kind, details))

    time = FakeTime()
    time.sleep(1)
    notice = LateNotice(emit, time)
    late = [Straggler("mx9", "connecting", 30), Straggler("mx7", "arming", 12)]
    notice([])
    notice(late)
    time.sleep(EVERY - 1)
    notice(late)
    ((kind, details),) = events
    time.sleep(1)
    notice(late)
    assert len(events) == 2
    assert kind == "warning"
    assert details["code"] == "straggler"
    assert details["message"] == "still waiting for mx9 (connecting, 30s), mx7 (arming, 12s)"
    assert details["hosts"] == {
        "mx9": {"doing": "connecting", "seconds": 30},
        "mx7": {"doing": "arming", "seconds": 12},
    }
