"""The one seam to the outside: run one command on one host, bytes in, bytes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pfremote.model.secret import Secret

if TYPE_CHECKING:
    from pfremote.model.target import Target
    from pfremote.transport.options import ConnectOptions

#: Bytes of a command's stdout that are read where no other limit is named, and of its stderr. The command is given up
#: at the next byte: a host decides what it sends, we what we hold.
ANSWER_LIMIT = 256 * 1024 * 1024
STDERR_LIMIT = 4 * 1024 * 1024
#: Bytes of what login scripts print before sudo has run the command.
LOGIN_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Completed:
    """What a finished command left: its exit status and both streams, byte for byte.

    A negative ``exit_status`` means that a signal ended the command: minus its number where the way there
    tells it (this machine), else -1 (SSH: neither Paramiko nor ssh(1) passes the signal's name on).
    """

    exit_status: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True)
class Prompt:
    """How to answer a password prompt without the password ever reaching a shell.

    ``token`` is the private prompt text that sudo prints on stderr; only when it has been seen is
    ``secret`` written to stdin, once. ``ready`` is printed on stdout by the command once it runs with
    the wanted rights; only then is the payload sent. ``ready`` is cut from the returned stdout.
    """

    token: bytes
    secret: Secret
    ready: bytes


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What a command is told once it has answered, while it waits for that on stdin.

    ``answer`` gets all of stdout so far and returns what to write, or None where more has to come first; what it raises
    ends the command's stdin and goes to the caller. ``timeout`` counts from there, in place of the call's.
    """

    answer: Callable[[bytes], bytes | None]
    timeout: float


class Connection(Protocol):
    """An open way to one host. Implementations: ssh (Fabric), openssh (system ssh), local.

    ``converses`` says that a command can be told more once it has answered; an engine's connection cannot do that.
    """

    converses: bool

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
        """Run ``argv`` (never a shell string) and return when it ended.

        ``timeout`` is in seconds over the whole call, ``limit`` is how many bytes of stdout are read. ``then`` is for
        a connection that ``converses``.

        Raises:
            AnswerTooLong: stdout has more than ``limit`` bytes, or stderr more than ``STDERR_LIMIT``.
            BecomeFailed: the prompt came twice (wrong password).
            DeadlineExceeded: the time is up; the channel is closed.
            Unreachable: the connection broke.
        """

    def close(self) -> None:
        """Close the connection; harmless when closed already."""


class Transport(Protocol):
    """Opens connections: :func:`pfremote.transport.connect`, or what a test puts in its place."""

    def __call__(self, target: Target, options: ConnectOptions, /) -> Connection:
        """Return an open connection; the caller closes it. Raises what :func:`pfremote.transport.connect` raises."""
