"""A cause that a log shows, as it is told: on the screen, in events, in ``--tree``, hooks and the run folder. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

_CERTAINTIES = ("proven", "likely", "unknown")

_NUMBERS = ("session", "line", "count")
#: Fields that are None for programs where the log does not tell.
_MAY_BE_NONE = ("session", "line", "account", "sender", "recipient", "answer")


def rank_certainty(word: str) -> int:
    """Return the place of a certainty, the best first; a word that is none comes last."""
    return _CERTAINTIES.index(word) if word in _CERTAINTIES else len(_CERTAINTIES)


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause. ``certainty`` is proven, likely or unknown; ``session`` is 0 for what concerns the host.

    ``line`` is the place of the line that proves it, 0 where that line is not kept; ``count`` says how many lines of
    the session show the same. ``account``, ``sender`` and ``recipient`` are those that it is about, ``answer`` what the
    server said; each is empty where the log does not tell.
    """

    code: str
    certainty: str
    title: str
    meaning: str
    next_step: str
    session: int = 0
    line: int = 0
    count: int = 1
    account: str = ""
    sender: str = ""
    recipient: str = ""
    answer: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as the ``finding`` event carries it."""
        return {name: (value or None) if name in _MAY_BE_NONE else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what :meth:`as_json` returned.

        Raises:
            KeyError, TypeError: it is no such object.
        """
        values: dict[str, Any] = {field.name: data[field.name] for field in fields(cls)}
        numbers: dict[str, Any] = {name: int(values.pop(name) or 0) for name in _NUMBERS}
        texts: dict[str, Any] = {name: str(value or "") for name, value in values.items()}
        return cls(**texts, **numbers)
