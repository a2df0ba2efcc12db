"""Hosts that were only looked at: what each is, or why it could not be served, in the order of the inventory. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pfremote.model.result import HostResult
from pfremote.text.terminal import Piece

#: What a host is where nothing is in the way of debugging there.
READY = "ready"
NOT_READY = "not ready"

_STYLES = {"clean": "green", "armed": "yellow", READY: "green", NOT_READY: "red", "debugging by hand": "red"}


def render_verdicts(results: Sequence[HostResult], blocks: Mapping[str, Sequence[str]]) -> Iterator[list[Piece]]:
    """Yield each host's lines. ``blocks`` are the word for a host and what it says of itself, by its name.

    A host without a block did not answer; why it failed stands in its place.
    """
    for result in results:
        troubles = [*_list_troubles(result)]
        word, *lines = (*blocks.get(result.host, ()), *troubles) or (_describe_ready(result),)
        style = _STYLES.get(word, "red" if word in troubles else "")
        yield [(f"{result.host}  ", "bold"), (word, style)]
        yield from ([(f"  {line}", "")] for line in lines)


def _describe_ready(result: HostResult) -> str:
    return f"skipped: {result.skipped}" if result.skipped else READY


def _list_troubles(result: HostResult) -> Iterator[str]:
    """Yield why a host was not served, each reason once, its hint below it."""
    words = {reason: "refused" for reason in result.refusals}
    if result.error is not None:
        words[result.error] = result.error.code
    for reason, word in words.items():
        yield f"{word}: {reason.message}"
        yield from (f"hint: {line}" for line in reason.hint.splitlines())
