"""A copy of a log that is safe to paste: without secrets, with tokens for names, and only what is proven."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from pfremote.errors import UsageError
from pfremote.maillog.capture import Capture, read_capture
from pfremote.pseudonyms.plain import Disguise
from pfremote.store import Run, load_host
from pfremote.text.quantities import plural


def share_captures(captures: Sequence[tuple[str, Capture]], disguise: Disguise) -> Iterator[str]:
    """Yield the lines to paste: three that say what was done, then the log of each host.

    ``captures`` are hosts and their redacted logs; ``disguise`` replaces the names.

    Raises:
        PfremoteError: the map of tokens is full, or cannot be written.
    """
    shown = [(disguise.host(host), disguise.capture(capture)) for host, capture in captures]
    left_out = sum(len({item.number for item in capture.withheld}) for _, capture in shown)
    kept = sum(len(capture.records) for _, capture in shown) - left_out
    yield "# Postfix log, made safe to share by pfremote: credentials are masked, as [redacted: …] says."
    yield "# Users, hosts and addresses are tokens that stay the same; the map is with the sender."
    yield f"# {plural(kept, 'line')} shown, {plural(left_out, 'line')} left out that could not be proven harmless."
    for host, capture in shown:
        if len(shown) > 1:
            yield f"# {host}"
        yield from _list_lines(capture)


def read_captures(run: Run) -> list[tuple[str, Capture]]:
    """Return the stored logs of a run, read again: they are redacted already, and are proven once more.

    Raises:
        UsageError: the run has no log.
    """
    captures = []
    for record in run.hosts:
        lines = load_host(run, record).evidence
        data = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
        if data:
            capture = read_capture(data, now=run.started, utc_offset=timedelta(), match=None)
            captures.append((record.result.host, capture))
    if not captures:
        raise UsageError(f"run {run.id} has no log to share", hint="List the runs with: pfremote runs")
    return captures


def _list_lines(capture: Capture) -> Iterator[str]:
    left_out = {item.number for item in capture.withheld}
    for record in capture.records:
        if record.number not in left_out:
            yield f"{record.head}{record.text}"
