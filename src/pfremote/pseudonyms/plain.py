"""What becomes of names before they are stored or told: nothing, unless the operator asks for it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # imported with the console, before any log is read
    from pfremote.maillog.capture import Capture
    from pfremote.maillog.live import Live


class Disguise(Protocol):
    """What becomes of names before they are stored or told. Threads may call."""

    def host(self, name: str) -> str:
        """Return how a host of ours is called."""

    def text(self, text: str) -> str:
        """Return any text."""

    def value(self, value: Any) -> Any:
        """Return a value as JSON has it, its texts changed; what is no text stays."""

    def capture(self, capture: Capture) -> Capture:
        """Return a host's evidence."""

    def live(self, items: Iterable[Live]) -> tuple[Live, ...]:
        """Return what was just read of a log that is followed."""


class Plain:
    """Changes nothing."""

    def host(self, name: str) -> str:
        """Return ``name``."""
        return name

    def text(self, text: str) -> str:
        """Return ``text``."""
        return text

    def value(self, value: Any) -> Any:
        """Return ``value``."""
        return value

    def capture(self, capture: Capture) -> Capture:
        """Return ``capture``."""
        return capture

    def live(self, items: Iterable[Live]) -> tuple[Live, ...]:
        """Return ``items``."""
        return tuple(items)


PLAIN = Plain()
