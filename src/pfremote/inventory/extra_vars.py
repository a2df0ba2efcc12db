"""``-e``: variables from the command line, or from a file, that go before all others."""

from __future__ import annotations

from pathlib import Path

from pfremote.errors import UsageError
from pfremote.inventory.graph import Variables
from pfremote.inventory.option_names import OPTIONS, PREFIX, check_option_name
from pfremote.inventory.option_values import read_option
from pfremote.inventory.reader import read_text
from pfremote.inventory.values import Origin
from pfremote.inventory.vars_files import read_variables
from pfremote.inventory.vault_keys import NO_KEYS, VaultKeys


def read_extra_vars(words: tuple[str, ...], keys: VaultKeys = NO_KEYS) -> Variables:
    """Return the variables of all ``-e``, each with where it comes from; the last of equal names counts.

    ``keys`` open a file that is encrypted.

    Ours (``pfremote_*``) are checked and converted. What follows ``=`` is a text, a file keeps its types.

    Raises:
        UsageError: a word is neither ``NAME=VALUE`` nor ``@FILE``, or a value is wrong.
        ConfigError: a file is wrong.
    """
    found = Variables()
    for word in words:
        if word.startswith("@"):
            _read_file(Path(word[1:]), found, keys)
        else:
            name, equals, value = word.partition("=")
            if not equals or not name.isidentifier():
                raise UsageError(
                    f"-e {word!r} is neither NAME=VALUE nor @FILE", hint="Type for example: -e pfremote_guard=cron"
                )
            _set(found, name, value, Origin("-e", None, name))
    return found


def _read_file(path: Path, found: Variables, keys: VaultKeys) -> None:
    read = read_variables(path.expanduser(), read_text(path.expanduser()), keys, [])
    for name, value in read.values.items():
        _set(found, name, value, read.origins[name])


def _set(found: Variables, name: str, value: object, origin: Origin) -> None:
    if name.startswith(PREFIX):
        try:
            check_option_name(name, origin)
            value = read_option(name, value)
        except ValueError as exc:
            raise UsageError(f"-e {name}: {value!r} {exc}", hint=OPTIONS[name]) from exc
    found.set(name, value, origin)
