"""Say in plain words why a text is no YAML: where, what stands there, and what to write instead. Pure."""

from __future__ import annotations

import re

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pfremote.errors import ConfigError
from pfremote.inventory.yaml_limits import inner_nodes

#: What YAML does not allow in a text: its "printable" of chapter 5.1, turned round.
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: A value, or an item of a list, that begins with braces and has no quotes around it.
_BRACES = re.compile(r"(?:^|[:\-,\[]\s+|\[)(?P<value>\{\{.*)")
_QUOTES = "Check indentation and quotes."
#: Words of libyaml's sentences -> what they mean, and what to do.
_KNOWN = {
    "another document": (
        "there is a second document in this file",
        "Take the line --- out, or put the rest into a file of its own.",
    ),
    "a tab character": ("a tab stands where YAML wants blanks", "Indent with blanks only."),
    "cannot start any token": ("this character cannot begin a value", "Put the value into quotes."),
    "mapping values are not allowed": (
        "there is a second colon in this line, or the line is indented too far",
        "Put a text that has a colon and a blank in it into quotes.",
    ),
    "unexpected end of stream": ("the quotes that begin here do not end", "Close the quotes."),
    "undefined alias": ("this alias names no anchor", "Put a text that begins with * into quotes."),
    "maximum nesting depth": ("this is nested too deeply", "Write it with fewer levels."),
    "control characters": ("there is a control character in this text", "Remove it."),
    "special characters": ("there is a control character in this text", "Remove it."),
}


def explain_yaml(exc: yaml.YAMLError, text: str, file: str, *, secret: bool = False) -> ConfigError:
    """Return the error that a text which cannot be parsed deserves; of a ``secret`` text nothing is quoted."""
    if (odd := _CONTROL.search(text)) is not None:
        line = text.count("\n", 0, odd.start()) + 1
        message = f"there is a control character (U+{ord(odd[0]):04X}) in this line"
        return ConfigError(message, file=file, line=line, hint="Remove it.")
    mark = getattr(exc, "problem_mark", None)
    at = None if mark is None else mark.line + 1
    problem = str(getattr(exc, "problem", None) or getattr(exc, "reason", None) or "it cannot be read")
    if at is not None and not secret and (braces := _find_braces(text, at)) is not None:
        return ConfigError("a template stands here without quotes", file=file, line=at, hint=quote_hint(braces))
    said, hint = next((said for words, said in _KNOWN.items() if words in problem), (problem, _QUOTES))
    return ConfigError(f"this is not YAML: {said}", file=file, line=at, hint=hint)


def _find_braces(text: str, line: int) -> str | None:
    match = _BRACES.search(text.split("\n")[line - 1].strip()) if line <= text.count("\n") + 1 else None
    return match["value"].partition(" #")[0].rstrip(" ,") if match else None


def quote_hint(text: str) -> str:
    """Return the hint that shows ``text`` in quotes.

    >>> quote_hint("{{ peer }}")
    'Write it in quotes: "{{ peer }}".'
    """
    mark = "'" if '"' in text else '"'
    return f"Write it in quotes: {mark}{text}{mark}."


def is_bare_template(node: Node) -> bool:
    """Tell whether a node is ``{{ name }}`` without quotes: to YAML a mapping whose key is a mapping."""
    if not isinstance(node, MappingNode) or not node.flow_style:
        return False
    return any(isinstance(key, MappingNode | SequenceNode) for key, _ in node.value)


def find_bare_template(node: Node) -> Node | None:
    """Return the first such node in ``node``."""
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if is_bare_template(part):
            return part
        if id(part) not in seen:
            seen.add(id(part))
            waiting += inner_nodes(part)[::-1]
    return None


def is_list_of_words(node: Node) -> bool:
    """Tell whether a node is a list of plain words, as ``- mx1`` below ``hosts:`` is."""
    return isinstance(node, SequenceNode) and all(isinstance(item, ScalarNode) for item in node.value)
