"""The findings of a capture as the values that are told, each with whom it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pfremote.maillog.capture import Capture
from pfremote.maillog.findings import Finding
from pfremote.maillog.kept import KeptRecords
from pfremote.maillog.narrow import name_accounts, users_of
from pfremote.maillog.parties import Parties, find_parties
from pfremote.maillog.tally import Places
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
    if isinstance(capture.records, KeptRecords):
        return capture.records.places
    return Places(record.number for record in capture.records)
