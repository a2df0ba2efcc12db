"""``--tree``: what became of each host as a file of JSON, as Ansible's ``-t`` leaves it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pfremote.errors import PfremoteError, UsageError
from pfremote.model.result import HostResult
from pfremote.model.secret import KNOWN_SECRETS
from pfremote.paths import is_folder
from pfremote.private_files import make_private_folder, write_private
from pfremote.store.names import choose_folder


class ResultFiles:
    """A folder with one file for each host, called as the host; those of an earlier run are replaced."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self) -> None:
        """Make the folder, before any host is contacted.

        Raises:
            UsageError: it cannot be made, or is a file.
        """
        try:
            if not is_folder(self._folder):  # the mode of a folder that was there is not ours to change
                make_private_folder(self._folder)
        except (OSError, PfremoteError) as exc:
            raise UsageError(f"--tree: {exc}", hint="Give a folder that you may write to.") from exc

    def write(self, results: Iterable[HostResult], disguise: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Write the files, each readable for its owner only; ``disguise`` hides names where that is wanted.

        Raises:
            PfremoteError: one cannot be written.
        """
        taken: list[str] = []
        for result in results:
            taken.append(choose_folder(result.host, taken))
            text = json.dumps(disguise(describe_result(result)), indent=2, sort_keys=True) + "\n"
            write_private(self._folder / taken[-1], KNOWN_SECRETS.mask(text).encode())


def describe_result(result: HostResult) -> dict[str, object]:
    """Return what the recap says of the host, with its name, and every reason instead of the first."""
    return {name: value for name, value in result.as_json().items() if name not in ("deadline", "clock_error")}
