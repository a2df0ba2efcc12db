"""YAML with line numbers, and with the tags that Ansible's files use."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import TYPE_CHECKING

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from pfremote.errors import ConfigError
from pfremote.inventory.json_nodes import compose_json
from pfremote.inventory.values import Encrypted, Origin, Unsafe, convert_marks

if TYPE_CHECKING:
    from yaml import SafeLoader as _BaseLoader
else:
    # libyaml where it was compiled in: ten times faster on an inventory of a thousand hosts.
    _BaseLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_BaseLoader):
    """Builds plain data only, plus the two marks."""


def _construct_encrypted(loader: _Loader, node: ScalarNode) -> Encrypted:
    return Encrypted(str(loader.construct_scalar(node)))


def _construct_unsafe(loader: _Loader, node: Node) -> object:
    plain = copy(node)  # the same node again would be a ring to PyYAML
    plain.tag = loader.resolve(type(node), node.value, (True, False))  # type: ignore[no-untyped-call]
    return _mark_unsafe(loader.construct_object(plain, deep=True))


def _mark_unsafe(value: object) -> object:
    if isinstance(value, str):
        return Unsafe(value)
    if isinstance(value, list):
        return [_mark_unsafe(item) for item in value]
    return {key: _mark_unsafe(item) for key, item in value.items()} if isinstance(value, dict) else value


_Loader.add_constructor("!vault", _construct_encrypted)
_Loader.add_constructor("!vault-encrypted", _construct_encrypted)
_Loader.add_constructor("!unsafe", _construct_unsafe)


class Document:
    """One parsed YAML file whose parts still know their line."""

    def __init__(self, text: str, file: str) -> None:
        """Parse ``text``, as JSON if it is that.

        Raises:
            ConfigError: it is not YAML.
        """
        self.file = file
        self.warnings: list[str] = []
        self.root: Node | None = compose_json(text, file)
        try:
            self._loader = _Loader("" if self.root else text)
            self.root = self.root or self._loader.get_single_node()
        except yaml.YAMLError as exc:
            mark = getattr(exc, "problem_mark", None)
            problem = getattr(exc, "problem", None) or "cannot be read"
            line = None if mark is None else mark.line + 1
            raise ConfigError(
                f"this is not YAML: {problem}", file=file, line=line, hint="Check indentation and quotes."
            ) from exc

    def origin(self, node: Node, path: str) -> Origin:
        """Return where a node was written."""
        return Origin(self.file, node.start_mark.line + 1, path)

    def fail(self, message: str, node: Node, path: str, hint: str) -> ConfigError:
        """Return (not raise) an error at a node."""
        return ConfigError(message, file=self.file, line=node.start_mark.line + 1, path=path, hint=hint)

    def value(self, node: Node) -> object:
        """Return the data of a node.

        Raises:
            ConfigError: a tag is unknown or a key cannot be one.
        """
        try:
            result: object = self._loader.construct_object(node, deep=True)
        except (yaml.YAMLError, ValueError) as exc:
            problem = getattr(exc, "problem", None) or exc
            raise self.fail(f"this value cannot be read: {problem}", node, "", "Put the text into quotes.") from exc
        return convert_marks(result)

    def entries(self, node: Node, path: str) -> Iterator[tuple[str, Node, Node]]:
        """Yield (key, key node, value node) of a mapping with its merge keys resolved; the last of equal
        keys counts.

        Raises:
            ConfigError: a key is not a text.
        """
        if not isinstance(node, MappingNode):
            raise self.fail(
                "a mapping is wanted here",
                node,
                path,
                "Write it as NAME: and the contents below it, indented.",
            )
        self._loader.flatten_mapping(node)
        found: dict[str, tuple[Node, Node]] = {}
        for key_node, value_node in node.value:
            key = self.value(key_node)
            if not isinstance(key, str):
                raise self.fail(f"{key!r} is not a text", key_node, path, f'Write it in quotes: "{key}".')
            if key in found:
                self.warnings.append(
                    f"{self.file}:{key_node.start_mark.line + 1}: {key} is there twice; the last one counts"
                )
            found[key] = (key_node, value_node)
        for key, (key_node, value_node) in found.items():
            yield key, key_node, value_node


def is_null(node: Node) -> bool:
    """Tell whether a node is empty (``hosts:`` with nothing behind it)."""
    return isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def read_text_scalar(node: Node) -> str | None:
    """Return the text of a node that is a plain text, else None."""
    return str(node.value) if isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:str" else None
