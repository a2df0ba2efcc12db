"""How loud debugging may get, and what the numbers mean (Postfix global/debug_peer.c, tls/tls_misc.c)."""

from __future__ import annotations

from pfremote.errors import Reason

#: ``msg_verbose`` from which on message content is logged (global/record.c, rec_put and rec_get).
CONTENT_LEVEL = 3
#: TLS log level from which on raw bytes are dumped (tls/tls_misc.c, tls_bio_dump_cb).
TLS_DUMP_LEVEL = 3
MAX_LEVEL = 3
MAX_TLS_LEVEL = 4

_TLS_NAMES = {"none": 0, "routine": 1, "debug": 2, "ssl-expert": 3, "ssl-developer": 4}
#: The finer, undocumented names (joined by commas), each with the numeric level that includes it.
_TLS_PARTS = {
    "summary": 1,
    "untrusted": 2,
    "peercert": 2,
    "certmatch": 2,
    "verbose": 2,
    "cache": 2,
    "dane": 2,
    "ssl-debug": 2,
    "ssl-handshake-packet-dump": 3,
    "ssl-session-packet-dump": 4,
}


def validate_levels(
    level: int,
    *,
    smtpd_tls: int | None = None,
    smtp_tls: int | None = None,
    lmtp_tls: int | None = None,
    allow_content: bool = False,
) -> tuple[Reason, ...]:
    """Return one Reason per level that is out of bounds or needs ``--allow-content``; None: do not touch."""
    reasons = [_judge_level(level, allow_content)]
    for option, value in (("--smtpd-tls", smtpd_tls), ("--smtp-tls", smtp_tls), ("--lmtp-tls", lmtp_tls)):
        if value is not None:
            reasons.append(_judge_tls_level(option, value, allow_content))
    return tuple(reason for reason in reasons if reason is not None)


def _judge_level(level: int, allow_content: bool) -> Reason | None:
    if level < 1:
        return Reason(
            "level-zero",
            f"debug_peer_level {level} does not mean off: every new Postfix process would refuse to start",
            "Type --level 1 for the least.",
        )
    if level > MAX_LEVEL:
        return Reason("level-high", f"debug_peer_level {level} changes nothing above {MAX_LEVEL}", "Type --level 2.")
    if level >= CONTENT_LEVEL and not allow_content:
        return Reason(
            "level-content",
            f"debug_peer_level {level} logs the content of messages",
            "Type --level 2, or add --allow-content if you may read them.",
        )
    return None


def _judge_tls_level(option: str, value: int, allow_content: bool) -> Reason | None:
    if value < 0:
        return Reason("tls-level", f"{option} {value}: a TLS log level is a number from 0 to 4", f"Type {option} 1.")
    if value > MAX_TLS_LEVEL:
        return Reason("tls-level", f"{option} {value} changes nothing above {MAX_TLS_LEVEL}", f"Type {option} 2.")
    if value >= TLS_DUMP_LEVEL and not allow_content:
        what = "the raw bytes of handshakes" if value == TLS_DUMP_LEVEL else "decrypted data, passwords too"
        return Reason(
            "tls-content",
            f"{option} {value} logs {what}",
            f"Type {option} 2, or add --allow-content if you may read that.",
        )
    return None


def read_level(text: str) -> int | None:
    """Read a ``debug_peer_level`` value; None where it is no number (a ``$name``, say)."""
    return int(text) if text.strip().isdecimal() else None


def read_tls_level(text: str) -> int | None:
    """Read a ``*_tls_loglevel`` value, a number or Postfix's names for it; None where it is neither.

    >>> read_tls_level("ssl-expert")
    3
    """
    levels = [_read_tls_item(item) for item in text.replace(",", " ").lower().split()]
    known = [level for level in levels if level is not None]
    return max(known) if known and len(known) == len(levels) else None


def _read_tls_item(item: str) -> int | None:
    if len(item) == 1 and item.isdecimal():
        return min(int(item), MAX_TLS_LEVEL)
    return _TLS_NAMES.get(item, _TLS_PARTS.get(item))


def read_version(text: str) -> tuple[int, int]:
    """Return major and minor of a Postfix ``mail_version`` such as ``3.7.11`` or ``3.12-20260821``; (0, 0)
    where unreadable."""
    numbers = text.replace("-", ".").split(".")[:2]
    if len(numbers) == 2 and all(number.isdecimal() for number in numbers):
        return int(numbers[0]), int(numbers[1])
    return 0, 0
