"""Sources that only Ansible's own plugins can read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pfremote.errors import ConfigError


class ForAnsibleError(ConfigError):
    """A source that only ``ansible-inventory`` can read; told as an error where that program is missing."""

    def __init__(self, what: str, file: str, *, line: int | None = None, path: str = "") -> None:
        message = f"this is {what}, which only Ansible reads, and there is no ansible-inventory on PATH"
        super().__init__(message, file=file, line=line, path=path)
        self.advise((file,))

    def advise(self, sources: Sequence[str | Path]) -> None:
        """Let the hint name what was given with ``-i``: a plugin may build on the other files of its folder."""
        given = " ".join(f"-i {source}" for source in sources)
        self.hint = f"Install ansible-core, or elsewhere: ansible-inventory {given} --list > hosts.json; -i hosts.json"
