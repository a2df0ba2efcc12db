"""Foreign exceptions, translated once: what Paramiko, Fabric, Invoke and the socket layer raise becomes ours.

Every class is named; a test enumerates Paramiko's classes and fails when one is missing here.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import fabric.exceptions
import invoke.exceptions
import paramiko
from paramiko.auth_strategy import AuthFailure
from paramiko.ber import BERException
from paramiko.buffered_pipe import PipeTimeout
from paramiko.hostkeys import InvalidHostKey
from paramiko.packet import NeedRekeyException
from paramiko.pkey import UnknownKeyType
from paramiko.sftp import SFTPError
from paramiko.ssh_exception import (
    CouldNotCanonicalize,
    IncompatiblePeer,
    MessageOrderError,
    NoValidConnectionsError,
    PartialAuthentication,
    UnableToAuthenticate,
)

from pfremote.errors import AuthFailed, ConfigError, HostKeyRejected, NameUnknown, PfremoteError, Unreachable

# Without a handler Python prints Paramiko's tracebacks on stderr, beside the one sentence that we print.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

Maker = Callable[[BaseException, str], PfremoteError]

_SSH_HINT = "See whether plain ssh gets through, with: ssh -v HOST true"


def _unreachable(reason: str, hint: str = _SSH_HINT) -> Maker:
    return lambda _exc, place: Unreachable(f"cannot connect to {place}: {reason}", hint=hint)


def _told(exc: BaseException, place: str) -> PfremoteError:
    return Unreachable(f"cannot connect to {place}: {_describe(exc)}", hint=_SSH_HINT)


def _auth(reason: str, hint: str) -> Maker:
    return lambda _exc, place: AuthFailed(f"{place} did not let us in: {reason}", hint=hint)


def _ssh_error(exc: BaseException, place: str) -> PfremoteError:
    if "banner" in str(exc) or "protocol version" in str(exc):
        return Unreachable(
            f"cannot connect to {place}: the port is open, but no SSH greeting came",
            hint="Is this the SSH port? A busy server (MaxStartups) does the same: lower --forks.",
        )
    return _told(exc, place)


def _os_error(exc: BaseException, place: str) -> PfremoteError:
    return Unreachable(
        f"cannot connect to {place}: {_describe(exc)}",
        hint="Check the host, the port and the firewall on the way.",
    )


def _name_unknown(_exc: BaseException, place: str) -> PfremoteError:
    return NameUnknown(
        f"cannot connect to {place}: the name does not resolve",
        hint="Check the spelling, or give the address as ansible_host in the inventory.",
    )


def _no_valid_connection(exc: BaseException, place: str) -> PfremoteError:
    assert isinstance(exc, NoValidConnectionsError)  # noqa: S101 - the table below maps only this class here
    return _os_error(next(iter(exc.errors.values())), place)


def _describe(exc: BaseException) -> str:
    text = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
    return (text or type(exc).__name__).strip().splitlines()[0].rstrip(".").lower()


_KEY_HINT = "Use --private-key FILE, or add the key to ssh-agent with: ssh-add FILE"
_TIMEOUT = _unreachable("no answer in time", "Check the address and the firewall, or raise --timeout.")
_LOST = _unreachable("the connection was closed by the other side")

# Found by walking the class's bases (its method resolution order), so the most specific row wins.
FAULTS: dict[type[BaseException], Maker] = {
    paramiko.BadHostKeyException: lambda _exc, place: HostKeyRejected(
        f"the host key of {place} is not the one on file", hint=_SSH_HINT
    ),
    InvalidHostKey: _told,
    IncompatiblePeer: _told,
    MessageOrderError: _told,
    CouldNotCanonicalize: _name_unknown,
    NeedRekeyException: _told,
    BERException: _told,
    SFTPError: _told,
    paramiko.ProxyCommandFailure: _unreachable("the ProxyCommand failed"),
    paramiko.ChannelException: _unreachable("the server refused to open a session or a forwarding"),
    paramiko.ConfigParseError: lambda exc, _place: ConfigError(
        f"cannot be read: {_describe(exc)}", file="ssh_config", hint="See man 5 ssh_config."
    ),
    paramiko.PasswordRequiredException: _auth("the private key is encrypted", "Add it to ssh-agent with: ssh-add FILE"),
    paramiko.BadAuthenticationType: _auth("the server wants another kind of login", _KEY_HINT),
    PartialAuthentication: _auth("the server wants a second factor", "Use -k, or a key that needs none."),
    UnableToAuthenticate: _auth("no key was accepted", _KEY_HINT),
    AuthFailure: _auth("no key was accepted", _KEY_HINT),
    UnknownKeyType: _auth("the key's type is not supported", _KEY_HINT),
    paramiko.AuthenticationException: _auth("no key was accepted", _KEY_HINT),
    PipeTimeout: _TIMEOUT,
    NoValidConnectionsError: _no_valid_connection,
    paramiko.SSHException: _ssh_error,
    socket.gaierror: _name_unknown,
    UnicodeError: _name_unknown,  # a label that is longer than the 63 characters of the DNS
    TimeoutError: _TIMEOUT,
    EOFError: _LOST,
    ConnectionError: _os_error,
    OSError: _os_error,
    invoke.exceptions.Failure: _told,
    invoke.exceptions.Exit: _told,
    invoke.exceptions.ThreadException: _told,
    fabric.exceptions.GroupException: _told,
}

FOREIGN: tuple[type[BaseException], ...] = tuple(FAULTS)


def translate(exc: BaseException, place: str) -> PfremoteError:
    """Return our error for a foreign exception; ``place`` names the host, its address and port.

    Raises:
        KeyError: the class and its bases are not in the table.
    """
    for cls in type(exc).__mro__:
        if cls in FAULTS:
            return FAULTS[cls](exc, place)
    raise KeyError(type(exc).__name__)


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Turn every foreign exception of the block into one of ours, with the cause kept."""
    try:
        yield
    except PfremoteError:
        raise
    except FOREIGN as exc:
        raise translate(exc, place) from exc
