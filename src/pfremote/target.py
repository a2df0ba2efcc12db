"""One host to contact, as the inventory and the command line describe it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how to reach one host. ``None`` means: let ssh_config decide.

    ``name`` is the inventory name and the key of every result; two hosts may share an address.
    ``become`` None means: become root unless the SSH user is root already.
    ``vars`` keeps every inventory variable that applies, ours (``pfremote_*``) and foreign ones.
    """

    name: str
    host: str
    port: int | None = None
    user: str | None = None
    connection: Literal["ssh", "local"] = "ssh"
    private_key: str | None = None
    ssh_common_args: tuple[str, ...] = ()
    become: bool | None = None
    become_user: str = "root"
    become_method: str = "sudo"
    instance: str | None = None
    vars: dict[str, object] = field(default_factory=dict)
