"""``-e``: variables from the command line, or from a file, that go before all others."""

from __future__ import annotations

from pathlib import Path

from pfremote.errors import ConfigError, UsageError
from pfremote.inventory.graph import Variables
from pfremote.inventory.option_names import OPTIONS, PREFIX, check_option_name
from pfremote.inventory.option_values import read_option
from pfremote.inventory.reader import read_text
from pfremote.inventory.values import VAULT_HEADER, Origin


def read_extra_vars(words: tuple[str, ...]) -> Variables:
    """Return the variables of all ``-e``, each with where it comes from; the last of equal names counts.

    Ours (``pfremote_*``) are checked and converted. What follows ``=`` is a text, a file keeps its types.

    Raises:
        UsageError: a word is neither ``NAME=VALUE`` nor ``@FILE``, or a value is wrong.
        ConfigError: a file is wrong.
    """
    found = Variables()
    for word in words:
        if word.startswith("@"):
            _read_file(Path(word[1:]), found)
        else:
            name, equals, value = word.partition("=")
            if not equals or not name.isidentifier():
                raise UsageError(
                    f"-e {word!r} is neither NAME=VALUE nor @FILE", hint="for example: -e pfremote_guard=cron"
                )
            _set(found, name, value, Origin("-e", None, name))
    return found


def _read_file(path: Path, found: Variables) -> None:
    # Imported here, since a run without such a file needs no PyYAML.
    from pfremote.inventory.yaml_nodes import Document, is_null

    text = read_text(path)
    if text.startswith(VAULT_HEADER):
        raise ConfigError("this file is encrypted", file=str(path), hint="pfremote has no vault password.")
    document = Document(text, str(path))
    if document.root is None or is_null(document.root):
        return
    for name, key, node in document.entries(document.root, ""):
        _set(found, name, document.value(node), document.origin(key, name))


def _set(found: Variables, name: str, value: object, origin: Origin) -> None:
    if name.startswith("ansible_"):
        raise UsageError(f"-e {name} has no effect here", hint="use -u, --private-key, -b, or the inventory")
    if name.startswith(PREFIX):
        try:
            check_option_name(name, origin)
            value = read_option(name, value)
        except ValueError as exc:
            raise UsageError(f"-e {name}: {value!r} {exc}", hint=OPTIONS[name]) from exc
    found.set(name, value, origin)
