"""The findings of a capture as the values that are told, each with whom it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from pfremote.maillog.capture import Capture
from pfremote.maillog.findings import Finding
from pfremote.maillog.kept import KeptRecords
from pfremote.maillog.narrow import name_accounts, users_of
from pfremote.maillog.parties import Parties, find_parties
from pfremote.maillog.pieces.lines import ShownLines
from pfremote.maillog.pieces.pack import Packed
from pfremote.maillog.record_table import list_numbers
from pfremote.maillog.tally import Places
from pfremote.maillog.transcripts.turns import Transcript
from pfremote.model.cause import Cause

#: A session, and whom it logged in.
_About = tuple[Transcript, tuple[str, ...]]


def list_causes(capture: Capture, places: Mapping[int, int] | None = None) -> tuple[Cause, ...]:
    """Return the causes in log order; ``places`` says where in ``evidence.log`` a line stands, by its number."""
    return tuple(tell_causes(capture, places))


def tell_causes(capture: Capture, places: Mapping[int, int] | None = None) -> Iterator[Cause]:
    """Yield the same, each made when it is asked for."""
    if isinstance(capture.transcripts, Packed):
        find: Callable[[int], _About | None] = capture.transcripts.find
    else:
        find = {about[0].session.id: about for about in with_users(capture)}.get
    return (_make_cause(item, find(item.session or 0), places) for item in capture.findings)


def with_users(capture: Capture) -> Iterator[_About]:
    """Yield the transcripts, each with whom its session logged in."""
    if isinstance(capture.transcripts, Packed):
        return capture.transcripts.with_users()
    accounts = name_accounts(capture.exposures)
    return ((transcript, users_of(transcript, accounts)) for transcript in capture.transcripts)


def _make_cause(finding: Finding, about: _About | None, places: Mapping[int, int] | None) -> Cause:
    number = finding.proof.number
    parties = Parties() if about is None else find_parties(finding, *about)
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
    if isinstance(capture.records, KeptRecords | ShownLines):
        return capture.records.places
    return Places(list_numbers(capture.records))
