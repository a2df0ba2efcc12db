"""What a debug request means on one host: exact patterns, levels, warnings and refusals. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pfremote.errors import Reason


@dataclass(frozen=True, slots=True)
class DebugRequest:
    """What the operator asked for, the same for every host of the run.

    Levels are None where they are not to be touched (``level`` always has a value). Times in seconds, sizes in
    bytes, ``min_free`` in percent.
    """

    peers: tuple[str, ...]
    seconds: int
    level: int = 2
    smtpd_tls: int | None = None
    smtp_tls: int | None = None
    lmtp_tls: int | None = None
    allow_content: bool = False
    all_peers: bool = False
    volatile_guard: bool = False
    guard: str = "auto"
    stop_after: int | None = None
    max_log: int = 256 * 1024 * 1024
    min_free: int = 10
    drain: int = 60
    owner: str = ""
    origin: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be sent to ``arm`` on one host, and what the operator should know first."""

    peers: tuple[str, ...]
    changes: dict[str, str]
    warnings: tuple[Reason, ...]
    refusals: tuple[Reason, ...]
