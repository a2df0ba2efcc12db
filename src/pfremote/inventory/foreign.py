"""Sources that only Ansible's own plugins can read."""

from __future__ import annotations

from pfremote.errors import ConfigError


class ForAnsibleError(ConfigError):
    """A source that is to be read by ``ansible-inventory``; as an error it says that there is none here."""

    def __init__(self, what: str, file: str, *, line: int | None = None, path: str = "") -> None:
        super().__init__(
            f"this is {what}, which only Ansible reads, and there is no ansible-inventory on PATH",
            file=file,
            line=line,
            path=path,
            hint=f"Install ansible-core, or elsewhere: ansible-inventory -i {file} --list > hosts.json; -i hosts.json",
        )
