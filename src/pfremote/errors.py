"""Every error pfremote raises on purpose. Pure.

The tree (exit code in brackets)::

    PfremoteError
    ├── UsageError        [2]  wrong option or value; nothing was contacted
    ├── ConfigError       [2]  inventory or playbook, with file, line and path
    ├── ConfigErrors      [2]  several of those
    ├── Refused           [3]  the host was looked at, and left untouched, for these reasons
    └── HostError         [4]  this host could not be served
        ├── Unreachable        no TCP, no SSH
        │   └── NameUnknown    the name does not resolve
        ├── HostKeyRejected    unknown or changed host key (target or jump host)
        ├── AuthFailed         no key or password was accepted
        ├── BecomeFailed       sudo refused
        ├── AnswerTooLong      the host sent more than is read
        ├── DeadlineExceeded   the host stopped answering within the phase's time
        ├── AgentFailed        the agent on the host failed, with its code
        └── StateUnknown  [5]  it cannot be said that the host is clean
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from pfremote.codes import Code


class ExitCode(IntEnum):
    """What the process returns (docs/reference/exit-codes-and-events.md)."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    REFUSED = 3
    HOST_FAILED = 4
    UNKNOWN_STATE = 5
    INTERRUPTED = 130


class PfremoteError(Exception):
    """Base of all expected errors: one sentence, and on its own line what to do about it."""

    exit_code: ExitCode = ExitCode.UNEXPECTED

    def __init__(self, message: str, *, hint: str = "", host: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.host = host

    def __str__(self) -> str:
        return f"{self.host}: {self.message}" if self.host else self.message


class UsageError(PfremoteError):
    """A wrong option, argument or value."""

    exit_code = ExitCode.USAGE


class ConfigError(PfremoteError):
    """A wrong inventory or playbook; knows the file, the line (1-based) and the path inside it."""

    exit_code = ExitCode.USAGE

    def __init__(self, message: str, *, file: str, line: int | None = None, path: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.file = file
        self.line = line
        self.path = path

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class ConfigErrors(PfremoteError):
    """Several wrong things in one file, so that all of them can be mended at once."""

    exit_code = ExitCode.USAGE

    def __init__(self, errors: tuple[ConfigError, ...]) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason to refuse: a stable code, what is wrong, and what to type instead."""

    code: Code
    message: str
    hint: str = ""


class Refused(PfremoteError):
    """Refused before anything was touched; carries one :class:`Reason` per item."""

    exit_code = ExitCode.REFUSED

    def __init__(self, reasons: tuple[Reason, ...], *, host: str = "") -> None:
        super().__init__(
            "; ".join(r.message for r in reasons), hint="\n".join(r.hint for r in reasons if r.hint), host=host
        )
        self.reasons = reasons


class HostError(PfremoteError):
    """One host could not be served. It never ends the run for the others."""

    exit_code = ExitCode.HOST_FAILED
    code: Code = "failed"


class Unreachable(HostError):
    """No connection: the name, the network, the port or the SSH handshake."""

    code: Code = "unreachable"


class NameUnknown(Unreachable):
    """The name does not resolve: mistyped, or known to an inventory that was not given."""


class HostKeyRejected(HostError):
    """The host key is unknown or is not the one on file; the message has its fingerprint."""

    code: Code = "host-key"


class AuthFailed(HostError):
    """The SSH server accepted none of our keys."""

    code: Code = "auth"


class BecomeFailed(HostError):
    """sudo refused, or asked for a password that we do not have."""

    code: Code = "become"


class DeadlineExceeded(HostError):
    """The host did not answer within the time that this phase may take."""

    code: Code = "deadline"


class AnswerTooLong(HostError):
    """The host sent more than is read of it; what it was asked to do may be done or not."""

    code: Code = "answer-too-long"


class AgentFailed(HostError):
    """The agent on the host ended with an error of its own."""

    def __init__(self, message: str, *, code: Code, hint: str = "", host: str = "") -> None:
        super().__init__(message, hint=hint, host=host)
        self.code = code


class StateUnknown(HostError):
    """The host was touched and has not been seen clean since."""

    exit_code = ExitCode.UNKNOWN_STATE
    code: Code = "unknown"
