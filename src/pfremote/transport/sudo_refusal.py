"""Tell sudo's own refusals from a command's failure (sudo(8), EXIT VALUE: both may be 1), and name each."""

from __future__ import annotations

import re
from typing import NamedTuple

from pfremote.errors import BecomeFailed
from pfremote.transport.base import Completed

_SUDO_FAILED = 1
_NOT_FOUND = 127
_ALLOW_HINT = "Let this user become root without one; print the line for sudoers with: pfremote sudoers --for USER"


class _Refusal(NamedTuple):
    """What sudo 1.8/1.9 (plugins/sudoers) and sudo-rs print in the C locale, the message, and what to do."""

    pattern: str
    message: str
    hint: str


_REFUSALS = (
    _Refusal(
        r"must have a tty", "sudo wants a terminal (requiretty)", hint="Add to sudoers: Defaults:USER !requiretty"
    ),
    _Refusal(
        r"incorrect password attempt|Authentication failed|no password was provided",
        "sudo did not accept the password",
        hint="Run it again with -K and type the password of the SSH user.",
    ),
    _Refusal(
        r"password is required|terminal is required|no tty present|authentication is required",
        "sudo asks for a password",
        hint="Give it with -K.\n" + _ALLOW_HINT,
    ),
    _Refusal(
        r"is not in the sudoers file|may not run sudo|I'm sorry .* I'm afraid I can't do that",
        "the user may not use sudo on this host",
        hint="Log in as another user with -u, or add one line to sudoers; print it with: pfremote sudoers --for USER",
    ),
    _Refusal(
        r"is not allowed to (?:execute|run)",
        "sudoers does not allow this user to run the command",
        hint="Allow it in sudoers; print the line with: pfremote sudoers --for USER",
    ),
    _Refusal(r"unknown user", "the user to become does not exist", hint="Check --become-user."),
    _Refusal(
        r"account validation failure|[Aa]ccount .*expired|PAM ",
        "PAM refused sudo",
        hint="Look into the host's auth log.",
    ),
    _Refusal(
        r"effective uid is not 0|no new privileges|must be owned by uid 0",
        "sudo cannot become root on this host",
        hint="Look at the mount options (nosuid) and at the owner of sudo.",
    ),
    _Refusal(
        r"parse error|syntax error|no valid sudoers sources",
        "the host's sudoers file is broken",
        hint="On the host, type: visudo -c",
    ),
)
_SPOKEN_BY_SUDO = re.compile(
    r"^(?:sudo(?:-rs)?: |Sorry, user |\S+ is not in the sudoers file|.* may not run sudo)", re.M
)
_NO_SUDO = re.compile(r"sudo: (?:command )?not found")
_NOT_ALLOWED = re.compile(r"is not allowed to (?:execute|run)")


def is_command_refused(done: Completed) -> bool:
    """Tell whether sudo knows the user but does not allow the command: a helper alone may be allowed."""
    text = done.stderr.decode(errors="replace")
    return done.exit_status == _SUDO_FAILED and not done.stdout and bool(_NOT_ALLOWED.search(text))


def read_refusal(done: Completed, *, with_password: bool) -> BecomeFailed | None:
    """Return the error for a call that sudo refused, or nothing when it was the command that failed."""
    text = done.stderr.decode(errors="replace")
    if done.exit_status == _NOT_FOUND and _NO_SUDO.search(text):
        return BecomeFailed("sudo is not installed on this host", hint="Install sudo, or log in as root with -u root.")
    if done.exit_status != _SUDO_FAILED or not _SPOKEN_BY_SUDO.search(text):
        return None
    for refusal in _REFUSALS:
        if re.search(refusal.pattern, text):
            given = with_password and refusal.message == "sudo asks for a password"
            return BecomeFailed(refusal.message, hint=_ALLOW_HINT if given else refusal.hint)
    return None
