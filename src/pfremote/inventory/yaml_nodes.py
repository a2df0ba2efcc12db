"""YAML with line numbers, and with the tags that Ansible's files use. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import TYPE_CHECKING

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pfremote.errors import ConfigError
from pfremote.inventory.json_nodes import compose_json
from pfremote.inventory.values import Encrypted, Origin, Unsafe, convert_marks
from pfremote.inventory.written import keep_writing
from pfremote.inventory.yaml_limits import MAX_ALIASED, count_aliased, has_alias
from pfremote.inventory.yaml_problems import (
    explain_yaml,
    find_bare_template,
    is_bare_template,
    is_list_of_words,
    quote_hint,
)

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


def _construct_int(loader: _Loader, node: ScalarNode) -> object:
    return keep_writing(loader.construct_yaml_int(node), node.value)


def _construct_float(loader: _Loader, node: ScalarNode) -> object:
    return keep_writing(loader.construct_yaml_float(node), node.value)


def _mark_unsafe(value: object) -> object:
    if isinstance(value, str):
        return Unsafe(value)
    if isinstance(value, list):
        return [_mark_unsafe(item) for item in value]
    return {key: _mark_unsafe(item) for key, item in value.items()} if isinstance(value, dict) else value


_Loader.add_constructor("!vault", _construct_encrypted)
_Loader.add_constructor("!vault-encrypted", _construct_encrypted)
_Loader.add_constructor("!unsafe", _construct_unsafe)
_Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _construct_float)


_TOO_DEEP = "this is nested too deeply"


class Document:
    """One parsed YAML file whose parts still know their line."""

    def __init__(self, text: str, file: str, *, secret: bool = False) -> None:
        """Parse ``text``, as JSON if it is that; of a ``secret`` one no error quotes anything.

        Raises:
            ConfigError: it is not YAML.
        """
        self.file = file
        self._secret = secret
        self.warnings: list[str] = []
        self._text = text.removeprefix("\ufeff")
        self.root: Node | None = compose_json(text, file)
        try:
            self._loader = _Loader("" if self.root else self._text)
            self.root = self.root or self._loader.get_single_node()
        except yaml.YAMLError as exc:
            raise explain_yaml(exc, self._text, file, secret=secret) from None
        except RecursionError as exc:
            raise ConfigError(_TOO_DEEP, file=file, hint="Write it with fewer levels.") from exc
        if self.root is not None and has_alias(text) and count_aliased(self.root) > MAX_ALIASED:
            message = f"the aliases in this file stand for more than {MAX_ALIASED} values"
            raise self.fail(message, self.root, "", "Write it with fewer aliases.")

    def origin(self, node: Node, path: str) -> Origin:
        """Return where a node was written."""
        return Origin(self.file, node.start_mark.line + 1, path, self._secret)

    def fail(self, message: str, node: Node, path: str, hint: str) -> ConfigError:
        """Return (not raise) an error at a node."""
        return ConfigError(message, file=self.file, line=node.start_mark.line + 1, path=path, hint=hint)

    def value(self, node: Node, path: str = "") -> object:
        """Return the data of a node.

        Raises:
            ConfigError: a tag is unknown or a key cannot be one.
        """
        try:
            result: object = self._loader.construct_object(node, deep=True)
            return convert_marks(result)
        except RecursionError as exc:
            raise self.fail(_TOO_DEEP, node, "", "Write it with fewer levels.") from exc
        except (yaml.YAMLError, ValueError) as exc:
            raise self._explain_value(exc, node, path) from exc

    def _explain_value(self, exc: Exception, node: Node, path: str) -> ConfigError:
        if (bare := find_bare_template(node)) is not None:
            return self._explain_braces(bare, path)
        problem = "it is encrypted" if self._secret else getattr(exc, "problem", None) or exc
        return self.fail(f"this value cannot be read: {problem}", node, path, "Put the text into quotes.")

    def _explain_braces(self, node: Node, path: str) -> ConfigError:
        written = "{{ … }}" if self._secret else self._text[node.start_mark.index : node.end_mark.index]
        return self.fail("a template stands here without quotes", node, path, quote_hint(" ".join(written.split())))

    def entries(self, node: Node, path: str) -> Iterator[tuple[str, Node, Node]]:
        """Yield (key, key node, value node) of a mapping with its merge keys resolved; the last of equal
        keys counts.

        Raises:
            ConfigError: a key is not a text.
        """
        if not isinstance(node, MappingNode):
            raise self.fail("a mapping is wanted here", node, path, _mapping_hint(node, path))
        if is_bare_template(node):
            raise self._explain_braces(node, path)
        self._merge(node, path)
        found: dict[str, tuple[Node, Node]] = {}
        for key_node, value_node in node.value:
            key = self.value(key_node, path)
            if not isinstance(key, str):
                raise self.fail(f"{key!r} is not a text", key_node, path, f'Write it in quotes: "{key}".')
            if key in found:
                self.warnings.append(
                    f"{self.file}:{key_node.start_mark.line + 1}: {key} is there twice; the last one counts"
                )
            found[key] = (key_node, value_node)
        for key, (key_node, value_node) in found.items():
            yield key, key_node, value_node

    def _merge(self, node: MappingNode, path: str) -> None:
        try:
            self._loader.flatten_mapping(node)
        except yaml.YAMLError as exc:
            mark = getattr(exc, "problem_mark", None) or node.start_mark
            message = "what stands behind << is no mapping"
            hint = "Write << with an alias of a mapping, as in <<: *defaults."
            raise ConfigError(message, file=self.file, line=mark.line + 1, path=path, hint=hint) from exc
        except RecursionError as exc:
            raise self.fail("this part contains itself", node, path, "Write it out without the alias.") from exc


def _mapping_hint(node: Node, path: str) -> str:
    if path.endswith((".hosts", ".children")) and isinstance(node, SequenceNode) and node.value:
        first = node.value[0]
        if is_list_of_words(node):
            return f"Write {first.value}: instead of - {first.value}."
        if isinstance(first, MappingNode) and first.value:
            return f"Write {first.value[0][0].value}: without the dash, and what belongs to it below, indented."
    return "Write it as NAME: and the contents below it, indented."


def is_null(node: Node) -> bool:
    """Tell whether a node is empty (``hosts:`` with nothing behind it)."""
    return isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def read_text_scalar(node: Node) -> str | None:
    """Return the text of a node that is a plain text, else None."""
    return str(node.value) if isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:str" else None
