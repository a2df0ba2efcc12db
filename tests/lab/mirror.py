"""Where to fetch Debian from: wherever this machine's own apt does."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess


def find_mirror() -> str | None:
    """Return the URL of a Debian mirror, or None: then debootstrap's own default is used.

    ``PFREMOTE_LAB_MIRROR`` decides; else the first of apt's sources whose origin is Debian and that has main.
    """
    if chosen := os.environ.get("PFREMOTE_LAB_MIRROR"):
        return chosen
    if shutil.which("apt-get") is None:
        return None
    # apt-get(8), indextargets: the sources as apt understands them, in either file format.
    fields = "$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)"
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", fields, "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=False,
    )
    for line in listed.stdout.splitlines():
        origin, label, component, uri = line.split("|", 3)
        if (origin, label, component) == ("Debian", "Debian", "main"):
            return uri.rstrip("/")
    return None


def make_fetch_environment() -> dict[str, str]:
    """Return the environment for debootstrap: ours, and apt's proxy where only apt knows of one."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    if "http_proxy" not in environment and shutil.which("apt-config"):
        shown = subprocess.run(
            ["apt-config", "shell", "proxy", "Acquire::http::Proxy"],
            capture_output=True,
            text=True,
            check=False,
        )
        for word in shlex.split(shown.stdout):
            name, _, value = word.partition("=")
            if name == "proxy" and value.startswith("http"):
                environment["http_proxy"] = value
    return environment
