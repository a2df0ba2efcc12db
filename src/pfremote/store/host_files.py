"""What is made of one host's log for its folder: the object of ``sessions.json``, and the transcripts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pfremote.private_files import write_new
from pfremote.store.run import JsonObject

if TYPE_CHECKING:  # what reads logs is loaded when there is a log: every command loads this module
    from pfremote.maillog.capture import Capture


def understand(capture: Capture) -> JsonObject:
    """Return what ``sessions.json`` says of a host's log; its sessions are encoded when they are asked for."""
    # What reads logs is loaded when there is a log: not before arming.
    from pfremote.maillog.messages.collect import collect_hops
    from pfremote.store.capture import encode_lazily

    return encode_lazily(capture, collect_hops("", capture.records))


def write_transcripts(folder: Path, capture: Capture) -> None:
    """Write each session's transcript."""
    # What reads logs is loaded when there is a log: not before arming.
    from pfremote.store.capture import render_transcripts

    for number, text in enumerate(render_transcripts(capture), 1):
        # Not synced one by one: a thousand syncs take seconds, and sessions.json holds the same.
        write_new(folder / f"{number:03d}.txt", text.encode("utf-8", "backslashreplace"), sync=False)


def compact(content: JsonObject) -> Iterator[bytes]:
    """Yield JSON on one line, in parts: that of a large log is not held as a whole.

    >>> b"".join(compact({"a": [1, 2], "b": {"c": None}, "d": []}))
    b'{"a":[1,2],"b":{"c":null},"d":[]}\\n'
    """
    for place, (key, value) in enumerate(content.items()):
        yield f"{',' if place else '{'}{_dump(key)}:".encode()
        if isinstance(value, Sequence) and not isinstance(value, str):
            yield b"["
            yield from (f"{',' if at else ''}{_dump(item)}".encode() for at, item in enumerate(value))
            yield b"]"
        else:
            yield _dump(value).encode()
    yield b"}\n" if content else b"{}\n"


def _dump(value: object) -> str:
    # Without indent the C encoder does it, which counts where a session has a thousand lines.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
