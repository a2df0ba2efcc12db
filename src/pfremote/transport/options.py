"""How to connect: the choices of the command line that apply to every host of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pfremote.model.secret import Secret


@dataclass(frozen=True, slots=True)
class ConnectOptions:
    """Settings for :func:`pfremote.transport.connect`. ``None`` means: let ssh_config decide.

    ``connect_timeout`` and ``keepalive`` are seconds; the first counts for each hop on the way.
    ``ssh_config`` is a path, used as ``ssh -F`` would. ``password`` is for the SSH login (``-k``), not
    for sudo.
    """

    host_key_checking: Literal["strict", "accept-new"] = "strict"
    connect_timeout: float = 15.0
    keepalive: float = 15.0
    private_key: str | None = None
    user: str | None = None
    ssh_config: str | None = None
    password: Secret | None = None
