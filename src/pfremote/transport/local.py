"""This machine itself (``ansible_connection: local``): the same contract, no network."""

from __future__ import annotations

from collections.abc import Sequence

from pfremote.transport.base import ANSWER_LIMIT, Completed, FollowUp, Prompt
from pfremote.transport.exchange import Exchange
from pfremote.transport.process import run_program


class LocalConnection:
    """A :class:`pfremote.transport.base.Connection` that runs programs here."""

    converses = True

    def __init__(self, place: str = "this machine") -> None:
        self.place = place
        self.why = "ansible_connection is local"
        self.warnings: tuple[str, ...] = ()

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float,
        prompt: Prompt | None = None,
        limit: int = ANSWER_LIMIT,
        then: FollowUp | None = None,
    ) -> Completed:
        """Run ``argv`` here; see :meth:`pfremote.transport.base.Connection.run`."""
        return run_program(argv, Exchange(stdin, prompt, limit, then), timeout, self.place)

    def close(self) -> None:
        """Do nothing: there is no connection to close."""
