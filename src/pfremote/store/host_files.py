"""What is made of one host's log for its folder: the object of ``sessions.json``, and the transcripts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pfremote.private_files import write_new
from pfremote.store.run import JsonObject

if TYPE_CHECKING:  # what reads logs is loaded when there is a log: every command loads this module
    from pfremote.maillog.capture import Capture
    from pfremote.maillog.messages.message import Hop

#: So many numbers of a list are written at a time.
_NUMBERS = 1000


def understand(capture: Capture, hops: Sequence[Hop] | None = None) -> JsonObject:
    """Return what ``sessions.json`` says of a host's log; all that is long in it is encoded when it is asked for.

    ``hops`` are its messages, where the caller has them already.
    """
    # What reads logs is loaded when there is a log: not before arming.
    from pfremote.maillog.messages.collect import collect_hops
    from pfremote.store.capture import encode_lazily

    return encode_lazily(capture, collect_hops("", capture.records) if hops is None else hops)


def write_transcripts(folder: Path, capture: Capture) -> None:
    """Write each session's transcript; of very many, those of sessions with a finding."""
    # What reads logs is loaded when there is a log: not before arming.
    from pfremote.store.capture import render_transcripts

    for number, text in render_transcripts(capture):
        # Not synced one by one: a thousand syncs take seconds, and sessions.json holds the same.
        write_new(folder / f"{number:03d}.txt", text.encode("utf-8", "backslashreplace"), sync=False)


def compact(content: JsonObject) -> Iterator[bytes]:
    """Yield JSON on one line, in parts: that of a large log is not held as a whole.

    >>> b"".join(compact({"a": [1, 2], "b": {"c": None, "d": range(3)}, "e": [], "f": {}}))
    b'{"a":[1,2],"b":{"c":null,"d":[0,1,2]},"e":[],"f":{}}\\n'
    """
    yield from (part.encode() for part in _write(content))
    yield b"\n"


def _write(value: object) -> Iterator[str]:
    """Yield the parts of an object down to its lists, and these item by item."""
    if isinstance(value, dict):
        for place, (key, item) in enumerate(value.items()):
            yield f"{',' if place else '{'}{_dump(key)}:"
            yield from _write(item)
        yield "}" if value else "{}"
    elif isinstance(value, Sequence) and not isinstance(value, str):
        items = iter(value)
        before = "["
        for item in items:
            part = [item, *islice(items, _NUMBERS)] if isinstance(item, int) else [item]
            yield f"{before}{_dump(part)[1:-1]}"
            before = ","
        yield "]" if before == "," else "[]"
    else:
        yield _dump(value)


#: Without indent the C encoder does it, which counts where a session has a thousand lines.
_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
