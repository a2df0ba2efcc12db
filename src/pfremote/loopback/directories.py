"""The folders that belong to a private host."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

#: Where the agent keeps what it knows of each instance; the instance's path is in the name.
_AGENT_STATE = Path("/var/lib/pfremote")


def make_root() -> Path:
    """Make the host's directory and return its path, whose last part is random."""
    root = Path(tempfile.mkdtemp(prefix="pfremote-host-"))
    # Daemons that gave up root must pass through, but no other user may list it; secrets in it are 0700 or 0600.
    root.chmod(0o711)
    return root


def remove_root(root: Path) -> None:
    """Remove the directory, and with it the agent's state about a host that is no more."""
    shutil.rmtree(root, ignore_errors=True)
    for state in _AGENT_STATE.glob(f"*{root.name}*"):
        shutil.rmtree(state, ignore_errors=True)
