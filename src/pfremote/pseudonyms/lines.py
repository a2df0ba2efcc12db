"""The redacted lines of a log → the same with tokens for users, hosts and addresses; they are not held. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from typing import IO

from pfremote.maillog.parse.record import Record
from pfremote.maillog.pieces.lines import ShownLines
from pfremote.maillog.proof.prove import WITHHELD
from pfremote.pseudonyms.capture import disguise_head, replace_names
from pfremote.pseudonyms.names import Pseudonyms

#: So many texts are remembered: a log says the same thing over and over.
_MOST_TEXTS = 8192


def disguise_lines(records: Iterable[Record], names: Pseudonyms, file: IO[bytes]) -> Iterator[str | None]:
    """Yield each line under tokens, None for one that is withheld, or in which a name would remain.

    All names have to be met before the first line is shown; until then the lines wait in ``file``.
    """
    met = ShownLines(file)
    for record in records:
        names.host(record.host)
        met.add(record.with_text(names.shape(record.text)))
    replaced = lru_cache(_MOST_TEXTS)(partial(replace_names, names=names))
    for record in met:
        text = None if record.text.startswith(WITHHELD) else replaced(record.text)
        yield None if text is None else f"{disguise_head(record, names).head}{text}"
