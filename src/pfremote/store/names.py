"""Folder names for hosts. An inventory may hold any text as a name, also one made to leave the run folder."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection

_UNSAFE = re.compile(r"[^A-Za-z0-9._@+-]+")
_LONGEST = 80
#: Names in the run folder that are not hosts.
_RESERVED = frozenset({"run.json", "report.html", "report.md", "report.txt", "report.json"})


def choose_folder(host: str, taken: Collection[str] = ()) -> str:
    """Return a folder name for ``host`` that is one plain path component and none of ``taken``.

    An ordinary host name stays as it is. Anything else keeps what can be kept and gets a piece of the
    name's hash, so that the same host has the same folder in every run. ``taken`` is compared without case,
    because some file systems do.

    >>> choose_folder("mx1.example.jp")
    'mx1.example.jp'
    >>> choose_folder("../../etc")
    'etc-74ccf3c5'
    """
    occupied = {name.casefold() for name in taken} | _RESERVED
    plain = _UNSAFE.sub("_", host).strip("._-+@")[:_LONGEST]
    if plain and plain == host and plain.casefold() not in occupied:
        return plain
    digest = hashlib.sha256(host.encode("utf-8", "surrogatepass")).hexdigest()
    candidate = f"{plain or 'host'}-{digest[:8]}"
    number = 2
    while candidate.casefold() in occupied:
        candidate = f"{plain or 'host'}-{digest[:8]}-{number}"
        number += 1
    return candidate


def is_folder_name(text: str) -> bool:
    """Say whether :func:`choose_folder` gives such names; no other leads to what pfremote stored."""
    return choose_folder(text) == text
