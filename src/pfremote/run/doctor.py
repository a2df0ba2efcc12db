"""What the operator's own machine must have before pfremote can reach a host: looked at, never changed."""

from __future__ import annotations

import importlib.metadata
import locale
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pfremote import __version__
from pfremote.config.settings import load_settings
from pfremote.errors import PfremoteError
from pfremote.inventory import load_inventory
from pfremote.paths import exists, is_file
from pfremote.private_files import default_root
from pfremote.store import list_runs
from pfremote.text.quantities import plural

Verdict = Literal["ok", "note", "wrong"]

#: What is needed for a run, by the names of the Python Package Index.
PACKAGES = ("click", "cryptography", "fabric", "invoke", "jinja2", "paramiko", "pydantic", "pyyaml", "rich")
#: A run of some hosts needs this much space for its evidence, in bytes.
ROOM = 100 * 1024 * 1024
#: Seconds that a program may take to answer.
PATIENCE = 5.0
#: What ssh-add(1) says by its exit status.
_NO_KEYS, _NO_AGENT = 1, 2


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: its name, a verdict, what was seen, and what to type where it is wrong."""

    name: str
    verdict: Verdict
    seen: str
    hint: str = ""


def examine(inventory: Sequence[str]) -> Iterator[Check]:
    """Look at everything, in the order in which it is needed."""
    yield _look_at_python()
    yield _look_at_packages()
    yield _look_at_settings()
    yield _look_at_ssh()
    yield _look_at_agent()
    yield from _look_at_keys(Path.home() / ".ssh")
    yield _look_at_known_hosts(Path.home() / ".ssh" / "known_hosts")
    yield _look_at_config(Path.home() / ".ssh" / "config")
    yield _look_at_inventory(inventory or _read_inventories())
    yield _look_at_locale()
    yield _look_at_state(default_root())


def _look_at_python() -> Check:
    version = sys.version.split()[0]
    return Check("pfremote", "ok", f"{__version__} with Python {version}, {sys.executable}")


def _look_at_packages() -> Check:
    found, missing = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Check("packages", "wrong", f"not installed: {', '.join(missing)}", "Install pfremote again with pipx.")
    return Check("packages", "ok", ", ".join(found))


def _look_at_settings() -> Check:
    try:
        files = load_settings().files
    except PfremoteError as exc:
        return Check("settings", "wrong", str(exc), exc.hint)
    return Check("settings", "ok", f"from {', '.join(map(str, files))}" if files else "no file; the usual ones hold")


def _read_inventories() -> Sequence[str]:
    """Return the inventories that the settings name; none where they cannot be read, which is said beside."""
    try:
        return tuple(map(str, load_settings().get("inventory") or ()))
    except PfremoteError:
        return ()


def _run(*argv: str) -> subprocess.CompletedProcess[str] | None:
    """Run a program; None where it is not there or does not answer."""
    try:
        return subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def _look_at_ssh() -> Check:
    answer = _run("ssh", "-V")
    if answer is None:
        seen = "there is no ssh program; ssh_config is read without Include and Match"
        return Check("ssh", "note", seen, "Install your system's OpenSSH client.")
    return Check("ssh", "ok", answer.stderr.strip())


def _look_at_agent() -> Check:
    if not os.environ.get("SSH_AUTH_SOCK"):
        return Check("ssh-agent", "note", "none (SSH_AUTH_SOCK is not set)", "Type: eval $(ssh-agent) && ssh-add")
    answer = _run("ssh-add", "-l")
    if answer is None or answer.returncode == _NO_AGENT:
        return Check("ssh-agent", "wrong", "SSH_AUTH_SOCK is set, and no agent answers there", "Type: ssh-add -l")
    if answer.returncode == _NO_KEYS:
        return Check("ssh-agent", "note", "it holds no key", "Type: ssh-add")
    return Check("ssh-agent", "ok", plural(len(answer.stdout.splitlines()), "key"))


def _look_at_keys(folder: Path) -> Iterator[Check]:
    keys = [path for path in sorted(folder.glob("id_*")) if path.suffix != ".pub" and is_file(path)]
    if not keys:
        yield Check("keys", "note", f"no id_* in {folder}; --private-key, an agent or -k is needed")
    for path in keys:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield Check("keys", "wrong", f"{path} may be read by others, so ssh refuses it", f"Type: chmod 600 {path}")
        else:
            yield Check("keys", "ok", str(path))


def _look_at_known_hosts(path: Path) -> Check:
    try:
        lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
    except FileNotFoundError:
        seen = f"{path} is not there: every host key is unknown"
        return Check("known hosts", "note", seen, "Type for each host: ssh-keyscan HOST, and compare the key.")
    except OSError as exc:
        return Check("known hosts", "wrong", f"{path} cannot be read: {exc.strerror}", f"Type: ls -l {path}")
    if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return Check("known hosts", "wrong", f"others may write to {path}", f"Type: chmod go-w {path}")
    return Check("known hosts", "ok", f"{plural(len(lines), 'line')} in {path}")


def _look_at_config(path: Path) -> Check:
    if not exists(path):
        return Check("ssh_config", "ok", f"no {path}; the system's defaults hold")
    answer = _run("ssh", "-G", "-F", str(path), "localhost")
    if answer is None or answer.returncode == 0:
        return Check("ssh_config", "ok", str(path))
    return Check("ssh_config", "wrong", " ".join(answer.stderr.split()), "Type: ssh -G localhost")


def _look_at_inventory(sources: Sequence[str]) -> Check:
    if not sources:
        return Check("inventory", "note", "none given; hosts are names that ssh knows", "Type: pfremote doctor -i FILE")
    try:
        inventory = load_inventory(sources)
    except PfremoteError as exc:
        return Check("inventory", "wrong", str(exc), exc.hint)
    seen = f"{plural(len(inventory.hosts), 'host')} in {plural(len(inventory.groups), 'group')}"
    return Check("inventory", "ok", f"{seen}, from {', '.join(sources)}")


def _look_at_locale() -> Check:
    encoding = locale.getpreferredencoding(False)
    if encoding.lower().replace("-", "") != "utf8":
        seen = f"{encoding}: names that are not ASCII are shown with escapes"
        return Check("locale", "note", seen, "Type: export LC_ALL=C.UTF-8")
    return Check("locale", "ok", encoding)


def _look_at_state(root: Path) -> Check:
    place = next(folder for folder in (root, *root.parents) if exists(folder))
    if not os.access(place, os.W_OK | os.X_OK):
        return Check("state", "wrong", f"{place} cannot be written to", f"Type: ls -ld {place}")
    if place == root and root.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Check("state", "wrong", f"{root} is open to others", f"Type: chmod 700 {root}")
    free = shutil.disk_usage(place).free
    if free < ROOM:
        return Check("state", "wrong", f"{free // 2**20} MB are free below {place}", "Type: pfremote runs prune")
    unfinished = sum(run.state == "unfinished" for run in list_runs(root))
    more = f", {unfinished} of them unfinished" if unfinished else ""
    return Check("state", "ok", f"{plural(len(list_runs(root)), 'run')} in {root}{more}")
