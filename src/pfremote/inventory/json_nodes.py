"""JSON text as YAML nodes: Ansible reads a file as JSON where it is JSON, and 1e3 or an escaped emoji is no YAML.

Pure."""

from __future__ import annotations

import json
import re
from bisect import bisect_left

from yaml.error import Mark
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_BLANKS = re.compile(r"[ \t\n\r]*")
_TAG = "tag:yaml.org,2002:"
_DECODER = json.JSONDecoder()


def parse_json(text: str) -> object:
    """Return the data of ``text``.

    Raises:
        ValueError: it is not JSON, is nested too deeply, or has half of a surrogate pair, which is no text (Ansible
            refuses it too).
    """
    try:
        data: object = json.loads(text)
        json.dumps(data, ensure_ascii=False).encode()
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc
    return data


def compose_json(text: str, file: str) -> Node | None:
    """Return the nodes of ``text``; None where it is not JSON.

    >>> node = compose_json('["a", 1e3]', "hosts")
    >>> [item.tag for item in node.value]
    ['tag:yaml.org,2002:str', 'tag:yaml.org,2002:float']
    """
    try:
        parse_json(text)
    except ValueError:
        return None
    return _Composer(text, file).compose()


class _Composer:
    """Walks over a text that is known to be JSON; ``at`` is where."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._ends = [match.start() for match in re.finditer("\n", text)]
        self._at = 0

    def compose(self) -> Node:
        mark, first = self._mark(), self._peek()
        if first == "{":
            return MappingNode(f"{_TAG}map", self._items("}", pairs=True), mark, mark)
        if first == "[":
            return SequenceNode(f"{_TAG}seq", self._items("]", pairs=False), mark, mark)
        value, self._at = _DECODER.raw_decode(self._text, self._at)
        kind = "null" if value is None else type(value).__name__
        return ScalarNode(f"{_TAG}{kind}", str(value), mark, mark)

    def _items(self, end: str, *, pairs: bool) -> list[object]:
        items: list[object] = []
        self._at += 1
        while self._peek() != end:
            item: object = self.compose()
            if pairs:
                self._peek()
                self._at += 1  # the colon
                item = (item, self.compose())
            items.append(item)
            if self._peek() == ",":
                self._at += 1
        self._at += 1
        return items

    def _peek(self) -> str:
        match = _BLANKS.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._text[self._at]

    def _mark(self) -> Mark:
        self._peek()
        return Mark(self._file, self._at, bisect_left(self._ends, self._at), 0, None, 0)
