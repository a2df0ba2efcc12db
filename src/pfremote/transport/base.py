"""The one seam to the outside: run one command on one host, bytes in, bytes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pfremote.secret import Secret


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


class Connection(Protocol):
    """An open way to one host. Implementations: ssh (Fabric), openssh (system ssh), local."""

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float,
        prompt: Prompt | None = None,
        on_stdout: Callable[[bytes], None] | None = None,
    ) -> Completed:
        """Run ``argv`` (never a shell string) and return when it ended.

        ``timeout`` is in seconds over the whole call. With ``on_stdout`` the output is handed over in
        pieces as it arrives and ``Completed.stdout`` is empty.

        Raises:
            BecomeFailed: the prompt came twice (wrong password).
            DeadlineExceeded: the time is up; the channel is closed.
            Unreachable: the connection broke.
        """

    def close(self) -> None:
        """Close the connection; harmless when closed already."""
