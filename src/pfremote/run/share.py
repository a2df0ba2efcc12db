"""A copy of a log that is safe to paste: without secrets, with tokens for names, and only what is proven."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import IO

from pfremote.errors import UsageError
from pfremote.maillog.capture import Capture, read_capture
from pfremote.maillog.narrow import Wanted
from pfremote.maillog.pieces.read import Purpose, read_twice
from pfremote.maillog.pieces.spool import Chunks
from pfremote.maillog.pieces.survey import Survey
from pfremote.pseudonyms.disguise import Pseudonymous
from pfremote.run.unnamed import open_spool
from pfremote.store import HostRecord, Run, read_host_log
from pfremote.text.quantities import plural

#: Of a log that is shared nothing is needed but its lines.
_LINES = Purpose(lines=True, sessions=False)


def share_captures(captures: Sequence[tuple[str, Capture]], disguise: Pseudonymous, file: IO[bytes]) -> Iterator[str]:
    """Yield the lines to paste: three that say what was done, then the log of each host.

    ``captures`` are hosts and their redacted logs; ``disguise`` replaces the names. The lines wait in ``file`` until
    it is known how many there are.

    Raises:
        PfremoteError: the map of tokens is full, or cannot be written.
    """
    copies = [(disguise.host(host), *_copy(capture, disguise, file)) for host, capture in captures]
    kept, left_out = sum(len(lines) for _, lines, _ in copies), sum(out for _, _, out in copies)
    yield "# Postfix log, made safe to share by pfremote: credentials are masked, as [redacted: …] says."
    yield "# Users, hosts and addresses are tokens that stay the same; the map is with the sender."
    yield f"# {plural(kept, 'line')} shown, {plural(left_out, 'line')} left out that could not be proven harmless."
    for host, lines, _ in copies:
        if len(copies) > 1:
            yield f"# {host}"
        yield from lines


def _copy(capture: Capture, disguise: Pseudonymous, file: IO[bytes]) -> tuple[Chunks[str], int]:
    """Return the lines of a log as they may be pasted, and how many are left out."""
    lines: Chunks[str] = Chunks(file)
    left_out = 0
    for line in disguise.lines(capture.records, file):
        if line is None:
            left_out += 1
        else:
            lines.add(line)
    return lines, left_out


def share_run(run: Run, disguise: Pseudonymous) -> Iterator[str]:
    """Yield the lines to paste of a stored run's logs: they are redacted already, and are proven once more.

    Raises:
        UsageError: the run has no log.
        PfremoteError: a log cannot be read, or the map of tokens is full or cannot be written.
    """
    with open_spool() as spool:
        captures = [(record.result.host, _read_again(run, record, spool)) for record in run.hosts]
        captures = [(host, capture) for host, capture in captures if capture.records]
        if not captures:
            raise UsageError(f"run {run.id} has no log to share", hint="List the runs with: pfremote runs")
        yield from share_captures(captures, disguise, spool)


def _read_again(run: Run, record: HostRecord, spool: IO[bytes]) -> Capture:
    read = partial(read_host_log, run, record)
    offset = timedelta()
    kept = read_twice(read, Survey(0), Wanted(), _LINES, now=run.started, utc_offset=offset, spool=spool)
    return kept[0] if kept is not None else read_capture(read(), now=run.started, utc_offset=offset, match=None)
