"""Who writes what and when to a command's stdin: the password dialogue as a pure state machine.

Both pumps (SSH channel and subprocess) feed it what they read and write what it hands out, so that
sudo's prompt is answered by the same code everywhere.
"""

from __future__ import annotations

from pfremote.errors import AnswerTooLong, BecomeFailed, DeadlineExceeded
from pfremote.transport.base import ANSWER_LIMIT, LOGIN_LIMIT, STDERR_LIMIT, Completed, FollowUp, Prompt


class Exchange:
    """One command's conversation: bytes read go in, bytes to write come out.

    Of what is read it keeps ``limit`` bytes of stdout and ``STDERR_LIMIT`` of stderr; the next byte is an error, so
    that a host that never stops talking costs no more memory than that.

    >>> talk = Exchange(b"payload")
    >>> talk.to_write(), talk.is_complete()
    (b'payload', True)
    """

    def __init__(
        self, stdin: bytes, prompt: Prompt | None = None, limit: int = ANSWER_LIMIT, then: FollowUp | None = None
    ) -> None:
        self._payload: bytes | None = stdin
        self._then = then
        self._extension = 0.0
        self._prompt = prompt
        self._limit = limit
        self._out = bytearray()
        self._err = bytearray()
        self._asked = False
        self._outbox = b""
        if prompt is None:
            self._release_payload()

    def _release_payload(self) -> None:
        if self._payload is not None:
            self._outbox, self._payload = self._outbox + self._payload, None

    def to_write(self) -> bytes:
        """Return what is to be written now, once."""
        data, self._outbox = self._outbox, b""
        return data

    def is_complete(self) -> bool:
        """Tell whether everything was handed out, so that stdin may be closed after it."""
        return self._payload is None and not self._outbox and self._then is None

    def take_extension(self) -> float:
        """Return how many seconds there are from now on, once, after the command was told what follows; else 0."""
        seconds, self._extension = self._extension, 0.0
        return seconds

    def feed_stderr(self, data: bytes) -> None:
        """Take bytes from stderr; answer the prompt when its token shows up.

        Raises:
            AnswerTooLong: there is more of it than ``STDERR_LIMIT``.
            BecomeFailed: the token came a second time, so the password was wrong.
        """
        if len(self._err) + len(data) > STDERR_LIMIT:
            raise self._too_long("stderr", STDERR_LIMIT)
        self._err += data
        if self._prompt is None or self._payload is None:
            return
        while (at := self._err.find(self._prompt.token)) >= 0:
            del self._err[at : at + len(self._prompt.token)]
            if self._asked:
                raise BecomeFailed(
                    "sudo did not accept the password",
                    hint="Run it again with -K and type the password of the SSH user.",
                )
            self._asked = True
            self._outbox += self._prompt.secret.reveal().encode() + b"\n"

    def feed_stdout(self, data: bytes) -> None:
        """Take bytes from stdout; what comes up to and with the ready mark is not the command's.

        Raises:
            AnswerTooLong: there is more of it than the limit.
        """
        if self._prompt is not None and self._payload is not None:
            # what a login script says before sudo runs, and all of it is searched at each step
            if len(self._out) + len(data) > LOGIN_LIMIT:
                raise self._too_long("stdout", LOGIN_LIMIT)
            self._out += data
            at = self._out.find(self._prompt.ready)
            if at < 0:
                return
            data = bytes(self._out[at + len(self._prompt.ready) :])
            self._out.clear()
            self._release_payload()
        if len(self._out) + len(data) > self._limit:
            raise self._too_long("stdout", self._limit)
        self._out += data
        if self._then is not None and (more := self._then.answer(bytes(self._out))) is not None:
            self._outbox += more
            self._extension, self._then = self._then.timeout, None

    def finish(self, exit_status: int) -> Completed:
        """Return the result once the command ended."""
        return Completed(exit_status, bytes(self._out), bytes(self._err))

    def _too_long(self, stream: str, limit: int) -> AnswerTooLong:
        self._out, self._err = bytearray(), bytearray()
        return AnswerTooLong(
            f"the host's answer on {stream} is longer than the {limit} bytes accepted, and was not read on",
            hint="Look at what the host says without being asked, with: ssh HOST true",
        )

    def too_late(self, timeout: float, place: str) -> DeadlineExceeded:
        """Return the error for a command that did not end in time."""
        doing = "running a command" if self._payload is None else "waiting for sudo"
        return DeadlineExceeded(
            f"{place} did not finish within {timeout:g} s while {doing}", hint="Try again, or raise --timeout."
        )
