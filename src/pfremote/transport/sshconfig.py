"""What ssh_config says about one host: asked from OpenSSH (``ssh -G``), so that Include, Match and all count.

Paramiko's own parser knows neither Include nor every Match (paramiko issue 1609); it is used only where
there is no ssh program, with a warning.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import shlex
import shutil
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pfremote.errors import UsageError

_TILDE = re.compile(r"^~(?=/|$)")
#: What ``-v`` adds: its version, and lines of which one names each file that is read.
_TALK = ("OpenSSH_", "debug1: ")
_READING = "debug1: Reading configuration data "
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Query:
    """Which host to look up, as it was typed, and what overrides ssh_config."""

    name: str
    user: str | None = None
    port: int | None = None
    private_key: str | None = None
    ssh_config: str | None = None
    extra: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostConfig:
    """The effective ssh_config of one host. Paths are expanded; ``values`` keeps every key as read.

    ``files`` are those that ssh read for it.
    """

    name: str
    hostname: str
    port: int
    user: str
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def first(self, key: str, default: str = "") -> str:
        """Return the first value of an option (lower-case name), unexpanded."""
        found = self.values.get(key)
        return found[0] if found else default

    def is_yes(self, key: str, *, default: bool = False) -> bool:
        """Tell whether a yes/no option is on; ``ssh -G`` prints some of them as true/false."""
        value = self.first(key)
        return value in ("yes", "true") if value else default

    def paths(self, key: str) -> tuple[Path, ...]:
        """Return the files of a path option, expanded; ``none`` means no file."""
        raw = self.values.get(key, ())
        return tuple(Path(self.expand(value)) for value in raw if value != "none")

    def known_hosts_paths(self) -> tuple[Path, ...]:
        """Return the user's known_hosts files, then the system's: the order in which OpenSSH reads them."""
        words = self.first("userknownhostsfile").split() + self.first("globalknownhostsfile").split()
        return tuple(Path(self.expand(word)) for word in words if word != "none")

    def expand(self, text: str) -> str:
        """Expand ``~``, ``${VAR}`` and the percent tokens (ssh_config(5), TOKENS)."""
        text = _TILDE.sub(lambda _: str(Path("~").expanduser()), text)
        text = _VARIABLE.sub(lambda m: os.environ.get(m[1], ""), text)
        return re.sub(r"%(.)", lambda m: self._token(m[1]), text)

    def _token(self, letter: str) -> str:
        here = socket.gethostname()
        if letter == "C":
            jump = self.first("proxyjump") if self.first("proxyjump") != "none" else ""
            whole = f"{here}{self.hostname}{self.port}{self.user}{jump}"
            return hashlib.sha1(whole.encode(), usedforsecurity=False).hexdigest()
        known = {
            "%": "%",
            "h": self.hostname,
            "n": self.name,
            "p": str(self.port),
            "r": self.user,
            "d": str(Path("~").expanduser()),
            "u": getpass.getuser(),
            "i": str(os.getuid()),
            "k": self.first("hostkeyalias") or self.name,
            "l": here,
            "L": here.split(".")[0],
        }
        return known.get(letter, f"%{letter}")


def has_ssh() -> bool:
    """Tell whether the OpenSSH client is installed."""
    return shutil.which("ssh") is not None


def make_ssh_arguments(query: Query) -> list[str]:
    """Return the ssh options that say the same as ``query``, without the host name."""
    argv = ["-F", query.ssh_config] if query.ssh_config else []
    argv += ["-p", str(query.port)] if query.port is not None else []
    argv += ["-l", query.user] if query.user else []
    argv += ["-i", query.private_key] if query.private_key else []
    return [*argv, *query.extra]


def ask_ssh(query: Query, timeout: float) -> HostConfig:
    """Return what ``ssh -G`` says.

    Raises:
        UsageError: ssh does not accept the name, an option, or a line of ssh_config.
    """
    if query.name.startswith("-"):
        raise UsageError(f"{query.name!r} is not a host name", hint="A host name does not begin with a dash.")
    argv = ["ssh", "-G", *make_ssh_arguments(query), "--", query.name]
    verbose = ["ssh", "-v", *argv[1:]]  # names the files that are read
    try:
        # A session of its own: a closing terminal and Ctrl-C end all of the terminal's programs, and without
        # this answer no host can be reverted.
        done = subprocess.run(
            verbose, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False, start_new_session=True
        )
    except subprocess.TimeoutExpired as exc:
        raise UsageError(
            f"ssh -G {query.name} did not end within {timeout:g} s", hint="Look at Match exec in ssh_config."
        ) from exc
    if done.returncode != 0:
        lines = [line for line in _split(done.stderr) if not line.startswith(_TALK)]
        said = lines[0] if lines else f"exit status {done.returncode}"
        raise UsageError(f"ssh does not accept the settings for {query.name}: {said}", hint=f"Type: {shlex.join(argv)}")
    found = parse_effective(done.stdout.decode(errors="surrogateescape"), query.name)
    return replace(found, files=tuple(line.removeprefix(_READING) for line in _split(done.stderr) if _READING in line))


def _split(said: bytes) -> list[str]:
    return said.decode(errors="surrogateescape").strip().splitlines()


def parse_effective(text: str, name: str, warnings: Sequence[str] = ()) -> HostConfig:
    """Return the :class:`HostConfig` in the output of ``ssh -G``.

    >>> parse_effective("user ops\\nhostname 192.0.2.1\\nport 2222\\n", "mx1").port
    2222
    """
    values: dict[str, list[str]] = {}
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        values.setdefault(key.lower(), []).append(value)
    return HostConfig(
        name=name.rpartition("@")[2],
        hostname=values.get("hostname", [name])[0],
        port=int(values.get("port", ["22"])[0]),
        user=values.get("user", [getpass.getuser()])[0],
        values={key: tuple(found) for key, found in values.items()},
        warnings=tuple(warnings),
    )
