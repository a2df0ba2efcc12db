"""``--pseudonymise``: everything that is stored or told goes through here first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from pfremote.maillog.capture import Capture
from pfremote.maillog.live import Live, Reader
from pfremote.maillog.parse.record import Record
from pfremote.pseudonyms.capture import disguise_capture, disguise_live
from pfremote.pseudonyms.lines import disguise_lines
from pfremote.pseudonyms.map import PseudonymStore
from pfremote.pseudonyms.names import Pseudonyms
from pfremote.pseudonyms.plain import Disguise

#: Words of ours with a fixed set of values, which a host of the same name must not change.
_OURS = frozenset(
    [
        "event",
        "time",
        "state",
        "code",
        "lease",
        "id",
        "guard",
        "why",
        "kind",
        "schema",
        "started",
        "ended",
        "deadline",
        "exit_code",
        "pfremote",
        "folder",
        "out",
        "outcome",
        "certainty",
        "topic",
        "who",
        "instance",
    ]
)


class Pseudonymous:
    """Tokens for users, hosts and addresses. ``hosts`` and ``users`` are the operator's own names."""

    def __init__(self, store: PseudonymStore, *, hosts: Iterable[str] = (), users: Iterable[str] = ()) -> None:
        self._store = store
        self._hosts = tuple(hosts)
        self._users = tuple(users)

    def host(self, name: str) -> str:
        """Return the token of a host's name."""
        with self._store.open() as names:
            return names.any_host(name)

    def text(self, text: str) -> str:
        """Return a text with tokens; names that the log has shown before count as met."""
        with self._store.open() as names:
            self._meet(names)
            return names.disguise(text)

    def value(self, value: Any) -> Any:
        """Return a JSON value with tokens in its texts."""
        with self._store.open() as names:
            self._meet(names)
            return self._walk(value, names)

    def capture(self, capture: Capture) -> Capture:
        """Return the evidence under tokens.

        Raises:
            PfremoteError: the map is full, or cannot be written.
        """
        with self._store.open() as names:
            names.begin()
            self._meet(names)
            return disguise_capture(capture, names)

    def lines(self, records: Iterable[Record], file: IO[bytes]) -> Iterator[str | None]:
        """Yield lines of one log under tokens, None for what cannot be shown; they wait in ``file`` meanwhile.

        Raises:
            PfremoteError: the map is full, or cannot be written; that is known after the last line only.
        """
        with self._store.open() as names:
            names.begin()
            self._meet(names)
            yield from disguise_lines(records, names, file)

    def live(self, items: Iterable[Live]) -> tuple[Live, ...]:
        """Return followed lines under tokens."""
        waiting = tuple(items)
        if not waiting:
            return ()
        with self._store.open() as names:
            self._meet(names)
            return tuple(disguise_live(waiting, names))

    def _meet(self, names: Pseudonyms) -> None:
        for host in self._hosts:
            names.any_host(host)
        for user in self._users:
            names.user(user)

    def _walk(self, value: Any, names: Pseudonyms) -> Any:
        if isinstance(value, str):
            return names.disguise(value)
        if isinstance(value, Mapping):
            return {key: item if key in _OURS else self._entry(str(key), item, names) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._walk(item, names) for item in value]
        return value

    def _entry(self, key: str, value: Any, names: Pseudonyms) -> Any:
        if isinstance(value, str) and key in ("owner", "origin", "host"):
            return names.user(value) if key == "owner" else names.any_host(value)
        if key == "peers" and isinstance(value, list | tuple):
            return [_peer(str(peer), names) for peer in value]
        return self._walk(value, names)


def _peer(pattern: str, names: Pseudonyms) -> str:
    """Return a pattern of debug_peer_list; a bare word is a host there, and nowhere else."""
    bare = pattern.lstrip("!")
    shown = names.any_host(bare) if bare.replace("-", "").isalnum() else names.disguise(bare)
    return pattern[: len(pattern) - len(bare)] + shown


class DisguisedReader:
    """A reader of a followed log whose names go through a disguise."""

    def __init__(self, reader: Reader, disguise: Disguise) -> None:
        self._reader = reader
        self._disguise = disguise

    def feed(self, data: bytes) -> tuple[Live, ...]:
        """Take the next bytes of the log and return what may be shown now."""
        return self._disguise.live(self._reader.feed(data))

    def finish(self) -> tuple[Live, ...]:
        """End of the log: return what was still waiting."""
        return self._disguise.live(self._reader.finish())


def disguise_main_cf(text: bytes, disguise: Disguise) -> bytes:
    """Return a redacted main.cf with tokens, line by line."""
    lines = text.decode("utf-8", "surrogateescape").split("\n")
    return "\n".join(map(disguise.text, lines)).encode("utf-8", "surrogateescape")
