"""What leads to what is wanted: first words, then the messages and processes of the lines that were found. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pfremote.maillog.looks import MESSAGE_ID, OF_MESSAGE, PROCESS, Words
from pfremote.maillog.messages.collect import names_of_others
from pfremote.maillog.narrow import Wanted
from pfremote.maillog.ordinary import CONVERSES, HEAD, is_plain, names_message, needs_process

#: What a line has that names another message.
_NAMES_OTHERS = (b"queued ", b"notification: ", b"orig_queue_id=")
_PLAIN_PEER = re.compile(r"[0-9.]{7,15}|(?=.*[A-Za-z])[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def choose_words(wanted: Wanted, *, messages: bool) -> Words:
    """Return words of which every line that leads to what is wanted has one; none if unsure.

    ``messages``: the ways of messages are shown, which a peer or a user does not narrow.
    """
    if ids := wanted.queue_ids or wanted.message_ids:
        return _encode((text.strip("<>") for text in ids), folded=False)
    if addresses := wanted.recipients or wanted.senders:
        return _encode((text.strip("<>") for text in addresses), folded=True)
    if messages:
        return Words()
    plain = wanted.peers and all(map(_PLAIN_PEER.fullmatch, wanted.peers))
    return _encode(wanted.peers if plain else wanted.users, folded=True)


def _encode(texts: Iterable[str], *, folded: bool) -> Words:
    words = tuple(text.lower() if folded else text for text in texts)
    is_plain = all(word and word.isascii() for word in words)
    return Words(tuple(word.encode() for word in words), folded) if is_plain else Words()


class Process(NamedTuple):
    """A process: its name, and what the head of its lines has behind the stamp; no sign where that is unsure."""

    sign: bytes
    name: bytes
    daemon: bytes

    @property
    def converses(self) -> bool:
        """Tell whether it has sessions."""
        return self.daemon in CONVERSES


class Clue(NamedTuple):
    """The messages that a line names, and its process, if it is of one whose other lines may be needed.

    ``is_needed``: they are, whatever is wanted. ``is_plain``: no more than those around it; ``is_settled``: not
    even those.
    """

    messages: tuple[bytes, ...]
    is_wanted: bool
    process: Process | None
    is_needed: bool = False
    is_plain: bool = False
    is_settled: bool = False


def read_clue(line: bytes, words: Words) -> Clue:
    """Return what a line leads to; it is wanted where it has one of the words."""
    own, message_id = OF_MESSAGE.search(line), MESSAGE_ID.search(line)
    messages = {found[1] for found in (own, message_id) if found}
    if any(map(line.__contains__, _NAMES_OTHERS)):
        messages.update(encode_names(names_of_others(line.decode("utf-8", "surrogateescape"))))
    clue = Clue(tuple(messages), words.are_in(line), None)
    if head := HEAD.match(line):
        said, process = line[head.end() :], Process(head[1], head[3], head[4])
        is_settled = not process.converses and names_message(said)
        return clue._replace(
            process=process,
            is_needed=needs_process(said, process.daemon),
            is_plain=is_plain(said),
            is_settled=is_settled,
        )
    if found := PROCESS.search(line):  # of another layout, or no line of that process at all
        return clue._replace(process=Process(b"", found[1], found[2]), is_needed=True)
    return clue


def encode_names(names: Iterable[str]) -> Iterator[bytes]:
    """Yield names as the bytes of the log have them."""
    return (name.encode("utf-8", "surrogateescape") for name in names)
