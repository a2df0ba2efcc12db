"""Start pfremote. What needs no command is answered here, before anything slow is imported."""

from __future__ import annotations

import sys

from pfremote import __version__
from pfremote.commands import render_help


def main() -> int:
    """Run the command line and return the exit code."""
    words = sys.argv[1:]
    if words == ["--version"]:
        print(f"pfremote {__version__}")  # noqa: T201  this is the data that was asked for
        return 0
    if words in (["--help"], ["-h"], ["help"]):
        print(render_help())  # noqa: T201
        return 0
    from pfremote.cli import main as run

    return run(words)


if __name__ == "__main__":
    sys.exit(main())
