"""A pristine Debian tree with mail server and systemd, built once per suite, outside the repository."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.lab.mirror import find_mirror, make_fetch_environment
from tests.lab.requirements import LabUnavailableError

#: Debian release -> the Postfix that it has.
SUITES = {"bullseye": "3.5", "bookworm": "3.7", "trixie": "3.10"}
DEFAULT_SUITE = "bookworm"
_PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "postfix", "openssh-server", "sudo", "rsyslog", "iproute2", "procps",
    "dovecot-core", "ssl-cert", "at", "cron", "logrotate",
)  # fmt: skip
#: Change it when the way of building changes, so that old trees are not used.
_RECIPE = "1"
_BUILD_TIMEOUT = 1800.0


def find_cache() -> Path:
    """Return the folder for trees and running labs (``PFREMOTE_LAB_CACHE``); it may not exist yet."""
    return Path(os.environ.get("PFREMOTE_LAB_CACHE", "/var/cache/pfremote-lab"))


def tree_path(suite: str) -> Path:
    """Return where the suite's tree is or will be; the name changes with the list of packages."""
    key = hashlib.sha256(" ".join((_RECIPE, suite, *_PACKAGES)).encode()).hexdigest()[:12]
    return find_cache() / f"{suite}-{key}"


def build_tree(suite: str = DEFAULT_SUITE) -> Path:
    """Return the suite's tree, built first when there is none (a minute); several processes may call it.

    Raises:
        LabUnavailableError: debootstrap failed, for example without a network.
    """
    tree = tree_path(suite)
    tree.parent.mkdir(parents=True, exist_ok=True)
    with tree.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tree.exists():
            _debootstrap(suite, tree)
    return tree


def _debootstrap(suite: str, tree: Path) -> None:
    building = tree.with_suffix(".building")
    shutil.rmtree(building, ignore_errors=True)
    log = tree.with_suffix(".log")
    argv = ["debootstrap", "--variant=minbase", f"--include={','.join(_PACKAGES)}", suite, str(building)]
    mirror = find_mirror()
    with log.open("w") as stream:
        done = subprocess.run(
            [*argv, mirror] if mirror else argv,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=make_fetch_environment(),
            timeout=_BUILD_TIMEOUT,
            check=False,
        )
    if done.returncode != 0:
        last = (log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
        raise LabUnavailableError(f"debootstrap {suite} failed: {last} (see {log})")
    shutil.rmtree(building / "var/cache/apt", ignore_errors=True)
    building.rename(tree)
