"""A value that must never be printed, logged or put into an exception by accident."""

from __future__ import annotations


class Secret:
    """Hold a password; ``str()`` and ``repr()`` show a mask, :meth:`reveal` is the only way out."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the clear text. Call it only at the byte that writes it to sudo."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(****)"

    def __str__(self) -> str:
        return "****"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a Secret is not pickled")
