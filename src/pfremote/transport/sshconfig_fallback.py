"""ssh_config without the ssh program: Paramiko's parser, and a word about what it cannot read."""

from __future__ import annotations

import getpass
import re
from pathlib import Path

from paramiko.config import SSHConfig

from pfremote.errors import ConfigError
from pfremote.paths import is_file
from pfremote.transport.sshconfig import HostConfig, Query

# What Paramiko's Match understands; it takes any other criterion for true and applies the block.
_MATCHES = {"all", "canonical", "final", "exec", "host", "originalhost", "user", "localuser"}
_DEFAULT_KEYS = tuple(f"~/.ssh/id_{kind}" for kind in ("rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk"))
_DEFAULTS: dict[str, tuple[str, ...]] = {
    "userknownhostsfile": ("~/.ssh/known_hosts ~/.ssh/known_hosts2",),
    "globalknownhostsfile": ("/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2",),
    "identityfile": _DEFAULT_KEYS,
}


def read_with_paramiko(query: Query) -> HostConfig:
    """Return the settings for one host as Paramiko reads them, with warnings for what it leaves out.

    Raises:
        ConfigError: a Match block uses a criterion that Paramiko would take for true.
    """
    names = [query.ssh_config] if query.ssh_config else ["~/.ssh/config", "/etc/ssh/ssh_config"]
    warnings = ["there is no ssh program here, so ssh_config is read by Paramiko; install openssh-client"]
    config = SSHConfig()
    for name in names:
        path = Path(name).expanduser()
        if is_file(path):
            text = path.read_text(errors="surrogateescape")
            warnings += _lint(text, path)
            config.parse(text.splitlines())
    host = query.name.rpartition("@")[2]
    found = config.lookup(host)
    values = dict(_DEFAULTS)
    for key, value in found.items():
        values[key] = tuple(value) if isinstance(value, list) else (str(value),)
    _apply(query, values)
    return HostConfig(
        name=host,
        hostname=str(found.get("hostname", host)),
        port=query.port or int(str(found.get("port", "22"))),
        user=query.user or query.name.rpartition("@")[0] or str(found.get("user", getpass.getuser())),
        values=values,
        warnings=tuple(warnings),
    )


def _lint(text: str, path: Path) -> list[str]:
    warnings = []
    for number, line in enumerate(text.splitlines(), 1):
        keyword, _, rest = re.sub(r"^\s*(\w+)\s*[=\s]\s*", r"\1 ", line).partition(" ")
        if keyword.lower() == "include":
            warnings.append(f"{path}:{number}: Include is not followed without the ssh program")
        elif keyword.lower() == "match":
            _refuse_unknown_match(rest, path, number)
    return warnings


def _refuse_unknown_match(rest: str, path: Path, number: int) -> None:
    words = [word.lstrip("!").lower() for word in rest.split()]
    if words and words[0] not in _MATCHES:
        raise ConfigError(
            f"Match {words[0]} cannot be evaluated without the ssh program",
            file=str(path),
            line=number,
            hint="Install openssh-client, or give another file with --ssh-config.",
        )


def _apply(query: Query, values: dict[str, tuple[str, ...]]) -> None:
    """Lay the command line over the file: ``-i`` goes first, each ``-o Key=Value`` replaces."""
    extra = list(query.extra)
    while extra:
        word = extra.pop(0)
        option = extra.pop(0) if word == "-o" and extra else word.removeprefix("-o") if word.startswith("-o") else ""
        key, _, value = option.replace("=", " ", 1).partition(" ")
        if key:
            values[key.strip().lower()] = (value.strip(),)
        elif word in ("-J", "-i", "-F") and extra:
            values[{"-J": "proxyjump", "-i": "identityfile", "-F": "configfile"}[word]] = (extra.pop(0),)
    if query.private_key:
        configured = tuple(v for v in values["identityfile"] if v not in _DEFAULT_KEYS)
        values["identityfile"] = (query.private_key, *configured)
