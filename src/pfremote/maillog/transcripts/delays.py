"""Where the time of a delivery went, and what became of its TLS, in words (postconf(5) smtp_log_tls_feature_status)."""

# ruff: noqa: E501 (the sentence of the example stands on one line)

from __future__ import annotations

import re

_DELAYS = re.compile(r" delay=(?P<all>[\d.]+), delays=(?P<parts>[\d./]+)")
_TLS = re.compile(r" tls=(?P<features>[^,\s]+)")
#: What ``delays=a/b/c/d`` counts (smtp(8), global/log_adhoc.c).
_PARTS = (
    "before this attempt (arrival, and earlier attempts)",
    "in the queue",
    "to connect (DNS, connection, greeting, TLS)",
    "to hand it over",
)


def describe_delays(text: str, *, at_least: float = 0.0) -> str:
    """Return the parts of a delivery's time in words, or an empty text.

    >>> describe_delays(" delay=303, delays=0.01/2/300/1, dsn=4.4.2")
    'Of 303 s it took 0.01 s before this attempt (arrival, and earlier attempts), 2 s in the queue, 300 s to connect (DNS, connection, greeting, TLS), 1 s to hand it over.'
    """
    found = _DELAYS.search(text)
    if found is None or float(found["all"]) < at_least:
        return ""
    parts = found["parts"].split("/")
    if len(parts) != len(_PARTS):
        return ""
    words = [f"{part} s {what}" for part, what in zip(parts, _PARTS, strict=True) if part.strip("0.") != ""]
    return f"Of {found['all']} s it took {', '.join(words)}." if words else ""


def describe_tls(text: str) -> str:
    """Return what Postfix 3.11 says of the TLS of a delivery in words, or an empty text.

    >>> describe_tls(" delays=0/0/0/0, tls=!encrypt, dsn=4.7.4")
    'TLS: level encrypt was asked for and could not be had, so the connection was not used.'
    >>> describe_tls(" tls=may:none, dsn=2.0.0")
    'TLS: level may was asked for, and it went without TLS.'
    """
    found = _TLS.search(text)
    if found is None:
        return ""
    words = [_feature(feature) for feature in found["features"].split("/")]
    return f"TLS: {'; '.join(words)}."


def _feature(feature: str) -> str:
    name, _, lowered = feature.strip("!?").partition(":")
    what = "REQUIRETLS" if name == "requiretls" else "no TLS" if name == "none" else f"level {name}"
    if feature.startswith("!"):
        return f"{what} was asked for and could not be had, so the connection was not used"
    if feature.endswith("?"):
        return f"{what} was asked for, and the connection ended before it was decided"
    if lowered:
        got = "it went without TLS" if lowered == "none" and name != "requiretls" else f"it was lowered to {lowered}"
        return f"{what} was asked for, and {got}"
    return f"{what} was used"
