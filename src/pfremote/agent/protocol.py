"""Words to and from the agent: one strict encoder, one strict decoder (docs/agent-protocol.md). Pure.

>>> encode_request("status", lease="0123456789ab")
['status', 'lease=0123456789ab']
>>> decode_reply(b"pfremote=1\\nclean=yes\\nend=ok\\n").one("clean")
'yes'
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import cast

from pfremote.agent.payloads import Payloads
from pfremote.agent.reply import Outcome, ProtocolError, Reply, ReplyCutError, read_number
from pfremote.codes import read_code
from pfremote.errors import Reason, UsageError

__all__ = [
    "ProtocolError",
    "Reply",
    "ReplyCutError",
    "decode_reply",
    "encode_request",
    "read_number",
]

#: The version this client speaks; the agent travels with the client, so there is no other to speak.
VERSION = "1"

#: No payload may be larger, before and after gzip: the host decides what it sends, we what we hold.
PAYLOAD_LIMIT = 256 * 1024 * 1024

#: The longest line that is believed. A debug_peer_list is long at times, never this long.
LINE_LIMIT = 1024 * 1024

Argument = str | int | bool | None | Iterable[str]

_KEY = re.compile(r"[a-z][a-z0-9_.]*\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NO_TEXT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

#: What main.cf and master.cf say. Not every such file is UTF-8, so the odd byte is kept as a surrogate escape.
_CONFIGURATION = frozenset(("param", "effective", "value", "override"))

#: Keys whose second appearance would leave us guessing which one counts.
_SINGLE_WORDS = (
    "boot clean complete config_directory guards host lines log log_free_bytes log_free_percent "
    "log_why main_cf main_cf_link main_cf_links main_cf_mode main_cf_owner master_pid myhostname "
    "more parent_domain pfremote position predating queue_directory running source state_free_bytes tables time uid "
    "uptime utc_offset version "
    "evidence_encoding evidence_sum "
)
_SINGLE = frozenset(_SINGLE_WORDS.split())


def encode_request(verb: str, **arguments: Argument) -> list[str]:
    """Return the argument words of one request: None and False are left out, True is ``yes``, a list repeats its key.

    Raises:
        UsageError: a value holds a newline or another control character; nothing is sent.
    """
    words = [verb]
    for key, value in arguments.items():
        words += [f"{key}={_checked(key, item)}" for item in _items(value)]
    return words


def _items(value: Argument) -> list[str]:
    if value is None or value is False:
        return []
    if value is True:
        return ["yes"]
    if isinstance(value, str | int):
        return [str(value)]
    return list(value)


def _checked(key: str, value: str) -> str:
    if _CONTROL.search(value):
        raise UsageError(f"{key} holds a control character: {value!r}", hint="Give it on one line, in plain text.")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise UsageError(f"{key} is not UTF-8: {value!r}", hint="Give it in UTF-8.")
    return value


class _Reader:
    """A place in the reply."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def line(self) -> str:
        end = self.data.find(b"\n", self.at, self.at + LINE_LIMIT)
        if end < 0:
            if len(self.data) - self.at >= LINE_LIMIT:
                raise ProtocolError(f"the agent sent a line longer than {LINE_LIMIT} bytes")
            raise ReplyCutError("the agent's reply was cut off before its end")
        # Not every main.cf is UTF-8; surrogate escapes keep the odd byte for the way back.
        text = self.data[self.at : end].decode("utf-8", "surrogateescape")
        self.at = end + 1
        return text

    def take(self, length: int) -> bytes:
        end = self.at + length
        if end + 1 > len(self.data):
            raise ReplyCutError("the agent's reply was cut off inside a payload")
        if self.data[end : end + 1] != b"\n":
            raise ProtocolError("a payload is not as long as its header says")
        payload = self.data[self.at : end]
        self.at = end + 1
        return payload


class _Draft:
    """What has been read so far."""

    __slots__ = ("last", "limit", "pairs", "payloads", "reasons", "seen")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.pairs: list[tuple[str, str]] = []
        self.payloads = Payloads()
        self.reasons: dict[str, list[Reason]] = {"warning": [], "refused": [], "failed": []}
        self.last: list[Reason] | None = None
        self.seen: set[str] = set()

    def add(self, key: str, value: str, reader: _Reader) -> None:
        shown = _escape(key, value)
        if shown != value:
            value = shown
            odd = f"the host's answer has bytes in {key} that are no text; they are shown as escapes: {shown[:200]}"
            self.reasons["warning"].append(Reason("bad-value", odd))
        if key in self.reasons:
            code, _, text = value.partition(" ")
            self.last = self.reasons[key]
            self.last.append(Reason(read_code(code), text or code))
        elif key == "hint":
            self._add_hint(value)
        elif key == "payload":
            self._add_payload(value, reader)
        elif key in _SINGLE and key in self.seen:
            raise ProtocolError(f"the agent sent {key} twice")
        else:
            self.seen.add(key)
            self.pairs.append((key, value))

    def _add_hint(self, value: str) -> None:
        if self.last is None:
            raise ProtocolError("the agent sent a hint that belongs to nothing")
        reason = self.last[-1]
        hint = f"{reason.hint}\n{value}" if reason.hint else value
        self.last[-1] = Reason(reason.code, reason.message, hint)

    def _add_payload(self, value: str, reader: _Reader) -> None:
        match = re.fullmatch(r"([a-z][a-z0-9._-]*) ([0-9]{1,12}) (raw|gzip)", value, re.ASCII)
        if match is None:
            raise ProtocolError(f"the agent sent a payload header that is none: {value!r}")
        name, length, encoding = match[1], int(match[2]), match[3]
        if name in self.payloads:
            raise ProtocolError(f"the agent sent the payload {name} twice")
        if length > self.limit:
            raise ProtocolError(f"the payload {name} has {length} bytes, more than the {self.limit} accepted")
        data = reader.take(length)
        if encoding == "raw":
            self.payloads.add(name, data)
            return
        try:
            self.payloads.add_packed(name, data, limit=self.limit)
        except ValueError as exc:
            raise ProtocolError(f"the payload {name} {exc}") from exc


def decode_reply(data: bytes, *, limit: int = PAYLOAD_LIMIT) -> Reply:
    """Return the reply that ``data`` is.

    Raises:
        ReplyCutError: it ends too early.
        ProtocolError: it is something else: another version, a duplicate, a bad payload, words after the end. A value
            that is no text is none of these: it is escaped, and warned of.
    """
    reader = _Reader(data)
    first = reader.line()
    if first != f"pfremote={VERSION}":
        raise ProtocolError(
            f"the host answered something that is not the agent's reply: {first[:120]!r}",
            hint="A login script or a forced command there says something else. Look with: ssh HOST true",
        )
    draft = _Draft(limit)
    while True:
        key, value = _split(reader.line())
        if key == "end":
            return _finish(value, draft, rest=len(data) - reader.at)
        draft.add(key, value, reader)


def _split(line: str) -> tuple[str, str]:
    key, equals, value = line.partition("=")
    if not equals or not _KEY.match(key):
        raise ProtocolError(f"the agent sent a line that is not key=value: {line[:120]!r}")
    return key, value


def _escape(key: str, value: str) -> str:
    r"""Return ``value`` with what is no text as escapes: control characters (C1 too) and bytes that are not UTF-8.

    Such a value costs itself, never the reply: it may be what a stranger put on the host.

    >>> _escape("lease.owner", "a\x9b2J")
    'a\\x9b2J'
    """
    unwanted = _CONTROL if key in _CONFIGURATION else _NO_TEXT
    return unwanted.sub(lambda found: f"\\x{ord(found[0]) & 0xFF:02x}", value)


def _finish(outcome: str, draft: _Draft, *, rest: int) -> Reply:
    if outcome not in ("ok", "refused", "failed"):
        raise ProtocolError(f"the agent ended with {outcome!r}, which means nothing to us")
    if rest:
        raise ProtocolError(f"{rest} bytes follow the end of the agent's reply")
    if outcome != "ok" and not draft.reasons[outcome]:
        raise ProtocolError(f"the agent ended with {outcome} and gave no reason")
    return Reply(
        outcome=cast("Outcome", outcome),
        pairs=tuple(draft.pairs),
        payloads=draft.payloads,
        warnings=tuple(draft.reasons["warning"]),
        refusals=tuple(draft.reasons["refused"]),
        failures=tuple(draft.reasons["failed"]),
    )
