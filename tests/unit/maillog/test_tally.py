"""Names with numbers, of which only hashes are held, in runs."""

from __future__ import annotations

from datetime import UTC, datetime

from pfremote.maillog.parse.record import Record
from pfremote.maillog.sessions.follow import Messages
from pfremote.maillog.tally import Latest, Places, Tally

#: So many that runs are packed and joined.
MANY = 100_000


def test_counts_are_right_over_all_runs() -> None:
    tally = Tally()
    for turn in range(3):
        for number in range(turn, MANY, turn + 1):
            tally.add(("mx", "postfix/smtpd", number))
    for number in (0, 1, 2, 6, MANY - 1, 77_777):
        wanted = sum(number >= turn and (number - turn) % (turn + 1) == 0 for turn in range(3))
        assert tally.count(("mx", "postfix/smtpd", number)) == wanted, number
    assert tally.count(("mx", "postfix/smtpd", MANY)) == 0


def test_what_was_put_last_counts_over_all_runs() -> None:
    latest = Latest()
    for number in range(MANY):
        latest.put(str(number), number)
    for number in range(0, MANY, 3):
        latest.put(str(number), MANY + number)
    assert [latest.get(str(number)) for number in (0, 1, 3, 99_998, 99_999)] == [
        MANY,
        1,
        MANY + 3,
        99_998,
        MANY + 99_999,
    ]
    assert latest.get("another") is None


def test_each_number_has_its_place_among_those_that_were_met() -> None:
    numbers = [1, 7, 8, 9, 4096, 4097, 70_001, 300_000]
    places = Places()
    for number in reversed(numbers):
        places.add(number)
    assert dict(places) == {number: place for place, number in enumerate(numbers, 1)}
    assert 2 not in places
    assert places.get(10**9) is None
    places.add(2)
    assert (len(places), places[7]) == (9, 3)
    assert dict(Places.up_to(5000)) == {number: number for number in range(1, 5001)}
    assert len(Places.up_to(0)) == 0


def line(number: int, pid: int, text: str) -> Record:
    return Record(number, datetime(2026, 11, 29, 1, 2, 3, 45, UTC), "mx", "postfix/cleanup", "cleanup", pid, "", text)


def test_a_line_without_an_id_is_of_the_message_before_however_many_processes_came_between_and_however_long_the_id() -> (
    None
):
    for qid in ("4A1B2C3D4E", "4Z8xYw1qRtzKpLm", "A" * 40):
        messages = Messages()
        messages.feed(line(1, 7, f"{qid}: message-id=<a@b>"))
        for pid in range(40_000):
            messages.feed(line(2, 100 + pid, "4A1B2C3D4F: message-id=<c@d>"))
        said = line(3, 7, "warning: a table is away")
        assert messages.feed(said) == []
        assert messages.feed(line(4, 7, "4A1B2C3D50: message-id=<e@f>"))[0] == (said, qid)
        again = line(5, 7, "warning: a table is away")
        messages.feed(again)
        assert list(messages.finish()) == [(again, "4A1B2C3D50")]
