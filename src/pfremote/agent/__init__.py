"""The agent: one POSIX sh program that runs on the mail host, and the words to talk to it."""

from __future__ import annotations

import threading
from functools import cache
from importlib import resources

_lock = threading.Lock()


def load_agent() -> bytes:
    """Return the whole agent as the one script that is sent to a host, without pure comment and blank lines.

    The parts are numbered files, sent in the order of their names.
    """
    with _lock:  # a run's first hosts are asked at once, and each would make its own
        return _make_agent()


@cache
def _make_agent() -> bytes:
    folder = resources.files("pfremote.agent") / "script"
    parts = sorted((part for part in folder.iterdir() if part.name.endswith(".sh")), key=lambda part: part.name)
    return wrap_agent(b"".join(strip_comments(part.read_bytes()) for part in parts))


def strip_comments(script: bytes) -> bytes:
    """Drop lines that are empty or only a comment.

    The agent's sources keep here-documents and multi-line quotes free of such lines, so a line can be
    judged by itself.

    >>> strip_comments(b"# why\\n\\na=1  # kept\\n")
    b'a=1  # kept\\n'
    """
    kept = [line for line in script.splitlines(keepends=True) if line.strip() and not line.lstrip().startswith(b"#")]
    return b"".join(kept)


def wrap_agent(script: bytes) -> bytes:
    """Return the script in the form in which ``sh -s`` gets it.

    The script quotes itself, so that the agent can leave its own text on the host for the guard to run;
    and the shell has read all of it before the first command runs, so that no child can eat the rest
    from stdin. Not in a here-document: bash keeps those in /tmp, which may be full.
    """
    quoted = script.rstrip(b"\n").replace(b"'", rb"'\''")
    # What came with the environment is passed on to every program, and one variable may have 131,072 bytes (execve(2)).
    return b"unset PFREMOTE_SELF\nPFREMOTE_SELF='" + quoted + b"'\n" + b'eval "$PFREMOTE_SELF"\nmain "$@"; exit\n'
