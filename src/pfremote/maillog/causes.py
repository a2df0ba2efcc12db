"""The findings of a capture as the values that are told, each with whom it is about."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pfremote.maillog.capture import Capture
from pfremote.maillog.findings import Finding
from pfremote.maillog.narrow import name_accounts, users_of
from pfremote.maillog.parties import Parties, find_parties
from pfremote.maillog.transcripts.turns import Transcript
from pfremote.model.cause import Cause


def list_causes(capture: Capture, places: Mapping[int, int] | None = None) -> tuple[Cause, ...]:
    """Return the causes in log order; ``places`` says where in ``evidence.log`` a line stands, by its number."""
    transcripts = {item.session.id: item for item in capture.transcripts}
    accounts = name_accounts(capture.exposures)
    return tuple(_make_cause(item, transcripts.get(item.session or 0), accounts, places) for item in capture.findings)


def _make_cause(
    finding: Finding,
    transcript: Transcript | None,
    accounts: Mapping[int, Iterable[tuple[int, str]]],
    places: Mapping[int, int] | None,
) -> Cause:
    number = finding.proof.number
    parties = Parties()
    if transcript is not None:
        parties = find_parties(finding, transcript, users_of(transcript, accounts))
    return Cause(
        code=finding.code,
        certainty=finding.certainty,
        title=finding.title,
        meaning=finding.meaning,
        next_step=finding.next_step,
        session=finding.session or 0,
        line=number if places is None else places.get(number, 0),
        count=finding.count,
        account=parties.account,
        sender=parties.sender,
        recipient=parties.recipient,
        answer=parties.answer,
    )


def number_lines(capture: Capture) -> Mapping[int, int]:
    """Return the place of each kept line in ``evidence.log``, which leaves out other peers' lines."""
    records = capture.records
    if records and records[-1].number == len(records):  # none is left out
        return _Places(range(1, len(records) + 1))
    return _Places(array("Q", (record.number for record in records)))


class _Places(Mapping[int, int]):
    """The places of lines among others, from 1 on; ``numbers`` ascend."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = numbers

    def __getitem__(self, number: int) -> int:
        at = bisect_left(self._numbers, number)
        if at == len(self._numbers) or self._numbers[at] != number:
            raise KeyError(number)
        return at + 1

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)
