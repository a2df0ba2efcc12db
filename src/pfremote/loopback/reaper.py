"""Take a private host down when the process that started it is gone, even by SIGKILL.

Postfix and sshd would otherwise run on for ever, the latter with a way in. Run as
``python -m pfremote.loopback.reaper ROOT`` with a pipe on stdin that only the parent holds: its end is the
parent's end.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pfremote.loopback.directories import remove_root
from pfremote.loopback.processes import end_processes


def start_reaper(root: Path) -> subprocess.Popen[bytes]:
    """Start the reaper for the host in ``root``; end it with :func:`stop_reaper` after an orderly end."""
    return subprocess.Popen(
        [sys.executable, "-m", "pfremote.loopback.reaper", str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Ctrl-C at the terminal is for the parent, which then ends the host in order.
        start_new_session=True,
    )


def stop_reaper(process: subprocess.Popen[bytes]) -> None:
    """Close the pipe and wait; the reaper finds nothing left to do."""
    process.communicate()


def main() -> None:
    """Wait for the parent's end, then end the host's processes and remove its directory."""
    root = Path(sys.argv[1])
    sys.stdin.buffer.read()
    end_processes(root)
    remove_root(root)


if __name__ == "__main__":
    main()
