"""What this machine must have before a private mail host can run on it."""

from __future__ import annotations

import os
import pwd
import shutil

from pfremote.errors import UsageError

#: Program -> the Debian package that has it (the RPM names are the same but for ssh-keygen's).
_PROGRAMS = {
    "postfix": "postfix",
    "postconf": "postfix",
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "openssl": "openssl",
}
#: Daemons are in sbin, which is not on every user's PATH.
SEARCH_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"


def find_program(name: str) -> str | None:
    """Return the absolute path of a program (sshd insists on being started by one), or None."""
    return shutil.which(name, path=f"{SEARCH_PATH}:{os.environ.get('PATH', '')}")


def missing_requirements() -> str:
    """Return in one line why no private mail host can run here; empty when it can."""
    packages = sorted({package for program, package in _PROGRAMS.items() if find_program(program) is None})
    if packages:
        return f"missing packages: {' '.join(packages)}"
    if os.geteuid() != 0:
        return "not root: Postfix and sshd change users"
    try:
        pwd.getpwnam("postfix")
    except KeyError:
        return "there is no user 'postfix'"
    return ""


def demand_requirements() -> None:
    """Raise what :func:`missing_requirements` found.

    Raises:
        UsageError: something is missing; the hint has the command that installs it.
    """
    missing = missing_requirements()
    if not missing:
        return
    hint = "Type: sudo apt-get install --no-install-recommends postfix openssh-server openssl"
    if missing.startswith("not root"):
        hint = "Run the same command with sudo."
    raise UsageError(f"cannot start a private mail host: {missing}", hint=hint)
