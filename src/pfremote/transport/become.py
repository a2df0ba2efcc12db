"""Become root with sudo: one exec per call, and a password that goes nowhere but into sudo's stdin."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_hex
from weakref import WeakSet

from pfremote.errors import BecomeFailed
from pfremote.model.secret import Secret
from pfremote.transport.base import ANSWER_LIMIT, Completed, Connection, FollowUp, Prompt
from pfremote.transport.sudo_refusal import is_command_refused, read_refusal

# Both find out on the host whether sudo is needed at all: asking beforehand would cost a round trip.
# LC_ALL=C: sudo's refusals are read, and it translates them. $1 is the user (by name), the rest the command.
# One line, without "!" and backslash: the login shell that parses it first may be csh or fish.
_PLAIN = 'u=$1; shift; [ "$(id -un)" = "$u" ] && exec "$@"; LC_ALL=C; export LC_ALL; exec sudo -n -u "$u" -- "$@"'
# The same with a password: $2 is the prompt, $3 what says that the command has begun.
_ANSWERING = (
    'u=$1 p=$2 r=$3; shift 3; [ "$(id -un)" = "$u" ] && { printf %s "$r"; exec "$@"; }; '
    'LC_ALL=C; export LC_ALL; exec sudo -S -p "$p" -u "$u" -- '
    '/bin/sh -c \'printf %s "$1"; shift; exec "$@"\' sh "$r" "$@"'
)


@dataclass(frozen=True, slots=True)
class Become:
    """How to get the rights. ``needed`` None means: unless we have them already (looked up on the host)."""

    needed: bool | None = None
    user: str = "root"
    method: str = "sudo"
    password: Secret | None = None


# Connections on which sudo may run the command itself but not our shell (a sudoers line for the helper only).
_helper_only: WeakSet[Connection] = WeakSet()
_lock = threading.Lock()


def run_as_root(
    connection: Connection,
    argv: Sequence[str],
    *,
    stdin: bytes = b"",
    timeout: float,
    become: Become,
    limit: int = ANSWER_LIMIT,
    then: FollowUp | None = None,
) -> Completed:
    """Run ``argv`` with the rights that ``become`` names, in one exec, and return what it left.

    Raises:
        BecomeFailed: sudo refused; says why and what to do about it.
        AnswerTooLong, DeadlineExceeded, Unreachable: as :meth:`pfremote.transport.base.Connection.run`.
    """
    if become.needed is False:
        return connection.run(argv, stdin=stdin, timeout=timeout, limit=limit, then=then)
    if become.method != "sudo":
        raise BecomeFailed(f"become method {become.method!r} is not supported", hint="Use ansible_become_method: sudo.")
    begun = time.monotonic()
    if become.password is not None and not _is_helper_only(connection):
        done = _run_with_password(connection, argv, stdin, timeout, become, become.password, limit, then)
        if not is_command_refused(done):
            return _checked(done, become)
        with _lock:
            _helper_only.add(connection)
        timeout -= time.monotonic() - begun
    return _run_plain(connection, argv, stdin, timeout, become, limit, then)


def _is_helper_only(connection: Connection) -> bool:
    with _lock:
        return connection in _helper_only


def _run_plain(
    connection: Connection,
    argv: Sequence[str],
    stdin: bytes,
    timeout: float,
    become: Become,
    limit: int,
    then: FollowUp | None,
) -> Completed:
    script = ["/bin/sh", "-c", _PLAIN, "sh", become.user, *argv]
    done = connection.run(script, stdin=stdin, timeout=timeout, limit=limit, then=then)
    return _checked(done, become)


def _run_with_password(
    connection: Connection,
    argv: Sequence[str],
    stdin: bytes,
    timeout: float,
    become: Become,
    password: Secret,
    limit: int,
    then: FollowUp | None,
) -> Completed:
    token, ready = f"[pfremote-{token_hex(16)}]", f"[ready-{token_hex(16)}]"
    script = ["/bin/sh", "-c", _ANSWERING, "sh", become.user, token, ready, *argv]
    prompt = Prompt(token.encode(), password, ready.encode())
    return connection.run(script, stdin=stdin, timeout=timeout, prompt=prompt, limit=limit, then=then)


def _checked(done: Completed, become: Become) -> Completed:
    """Return the result, unless it is sudo that spoke: it never writes to stdout, and exits with 1."""
    refusal = None if done.stdout else read_refusal(done, with_password=become.password is not None)
    if refusal is not None:
        raise refusal
    return done
