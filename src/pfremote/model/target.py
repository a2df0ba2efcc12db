"""One host to contact, as the inventory and the command line describe it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pfremote.errors import Reason
from pfremote.model.secret import Secret


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how to reach one host. ``None`` means: let ssh_config decide.

    ``name`` is the inventory name and the key of every result; two hosts may share an address.
    ``become`` None means: become root unless the SSH user is root already.
    ``become_password`` is what the inventory says; one that the operator types goes before it.
    ``vars`` keeps every inventory variable that applies: ours (``pfremote_*``) checked and converted to
    numbers, truth values or texts, passwords as Secret, foreign ones as they were written.
    ``refusal`` says why this host is not contacted: the inventory asks for what pfremote cannot do.
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
    become_password: Secret | None = field(default=None, repr=False)
    instance: str | None = None
    vars: dict[str, object] = field(default_factory=dict)
    refusal: Reason | None = None
