"""``host_vars`` and ``group_vars``: one file or folder of files per name, beside the inventory."""

from __future__ import annotations

import os
from pathlib import Path

from pfremote.inventory.graph import Variables
from pfremote.inventory.reader import list_folder, read_text
from pfremote.inventory.values import Origin
from pfremote.inventory.vault import is_vault
from pfremote.inventory.vault_keys import NO_KEYS, VaultKeys, note_secrets
from pfremote.paths import exists, is_file, is_folder

#: In this order; the first that exists is taken (a folder or file without extension first).
_EXTENSIONS = ("", ".yml", ".yaml", ".json")


class VarsFiles:
    """Reads the files of each name once. ``encrypted`` lists wholly encrypted files, passed over without a key."""

    def __init__(self, keys: VaultKeys = NO_KEYS) -> None:
        self.encrypted: dict[str, None] = {}
        self._keys = keys
        self.warnings: list[str] = []
        self._known: dict[Path, Variables] = {}
        self._present: dict[Path, bool] = {}

    def read(self, folder: Path, kind: str, name: str) -> Variables:
        """Return the variables of one name (``kind`` is host_vars or group_vars) beside one source.

        Raises:
            ConfigError: a file is not YAML or no mapping, or has an unknown ``pfremote_`` variable.
        """
        base = folder / kind
        if base not in self._present:
            self._present[base] = is_folder(base)
        if not self._present[base] or name.startswith("/"):
            return Variables()
        place = base / name
        if place not in self._known:
            merged = Variables()
            for path in _find_files(base, name):
                merged.update(self._read_file(path))
            self._known[place] = merged
        return self._known[place]

    def _read_file(self, path: Path) -> Variables:
        text = read_text(path)
        if is_vault(text) and not self._keys:
            self.encrypted[str(path)] = None
            return Variables(sealed={str(path): None})
        return read_variables(path, text, self._keys, self.warnings)


def read_variables(path: Path, text: str, keys: VaultKeys, warnings: list[str]) -> Variables:
    """Return what one file of variables sets; decrypted, if it is encrypted as a whole.

    Raises:
        ConfigError: it is not YAML or no mapping, cannot be decrypted, or has an unknown ``pfremote_`` variable.
    """
    # Imported here, since a run without inventory files needs no PyYAML.
    from yaml.nodes import MappingNode

    from pfremote.inventory.yaml_nodes import Document, is_null

    secret = is_vault(text)
    found = Variables()
    document = Document(
        keys.unlock(text, "this file", Origin(str(path), 1)) if secret else text, str(path), secret=secret
    )
    if document.root is None or is_null(document.root):
        return found
    if not isinstance(document.root, MappingNode):
        raise document.fail("variables are a mapping", document.root, "", "Write one NAME: VALUE a line.")
    for name, key, node in document.entries(document.root, ""):
        value = document.value(node)
        if secret:
            note_secrets(value)
        found.set(name, value, document.origin(key, name))
    warnings.extend(document.warnings)
    return found


def _find_files(base: Path, name: str) -> list[Path]:
    for extension in _EXTENSIONS:
        path = base / f"{name}{extension}"
        if is_folder(path):
            return _walk(path)
        if exists(path):
            return [path]
    return []


def _walk(folder: Path) -> list[Path]:
    found: list[Path] = []
    for name in list_folder(folder):
        path = folder / name
        if name.startswith(".") or name.endswith("~"):
            continue
        extension = os.path.splitext(name)[1]  # noqa: PTH122 - to Path, "a." has none
        if is_folder(path) and not extension:
            found.extend(_walk(path))
        elif is_file(path) and extension in _EXTENSIONS:
            found.append(path)
    return found
