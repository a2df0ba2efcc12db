"""``--follow``: show each session as soon as it is over, while the window is still open."""

from __future__ import annotations

import threading

from pfremote.agent.protocol import Reply
from pfremote.commands.keeping import read_evidence
from pfremote.facts import Facts, Lease
from pfremote.maillog.sessions import Session
from pfremote.maillog.transcript import render_text
from pfremote.output import Output


class Follower:
    """Shows the transcript of every session once, as soon as it is whole; threads may call."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._lock = threading.Lock()
        self._shown: set[tuple[str, str, int, str]] = set()

    def __call__(self, host: str, reply: Reply, facts: Facts, lease: Lease) -> None:
        """Show what is new in a reply to ``collect``; it is redacted like everything that is shown."""
        capture = read_evidence(reply, facts, lease)
        for transcript in capture.transcripts:
            session = transcript.session
            if session.whole and self._is_new(host, session):
                text = render_text(transcript)
                with self._lock:
                    self._output.console.show(f"{host}: {text.rstrip()}\n")
                self._output.stream_only(
                    "session",
                    host,
                    lease.id,
                    kind=session.kind,
                    peer=session.peer,
                    transcript=text.splitlines(),
                )

    def _is_new(self, host: str, session: Session) -> bool:
        key = (host, session.tag, session.pid, session.records[0].head)
        with self._lock:
            new = key not in self._shown
            self._shown.add(key)
        return new
