"""Find out what each ``-i`` is (file, folder, program, list of names), and read all into one graph."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from yaml.nodes import MappingNode

from pfremote.errors import ConfigError
from pfremote.inventory.foreign import ForAnsibleError
from pfremote.inventory.graph import Graph
from pfremote.inventory.ini_source import read_ini
from pfremote.inventory.ranges import has_range, split_port
from pfremote.inventory.reader import ask_ansible, is_program, list_folder, read_text, run_program
from pfremote.inventory.script_source import load_object, looks_like_list_output, read_listing
from pfremote.inventory.values import Origin
from pfremote.inventory.vault import is_vault
from pfremote.inventory.vault_keys import NO_KEYS, VaultKeys
from pfremote.inventory.yaml_nodes import Document
from pfremote.inventory.yaml_source import read_yaml
from pfremote.paths import exists, explain_unseen, is_folder

#: What Ansible passes over in a folder of inventories (its INVENTORY_IGNORE defaults).
_IGNORED = re.compile(
    r"^\.|^(?:host_vars|group_vars|vars_plugins)$|(?:\.(?:pyc|pyo|swp|bak|rpm|md|txt|rst|orig|cfg|retry)|~)$"
)

#: The line that makes a file the configuration of a plugin; in INI it would be a host named ``plugin:``.
_PLUGIN = re.compile(r"^plugin:\s*\S", re.MULTILINE)


def read_sources(sources: Sequence[str | Path], keys: VaultKeys = NO_KEYS) -> tuple[Graph, tuple[Path, ...]]:
    """Return the finished graph and the folders in which ``host_vars`` and ``group_vars`` may be, the last wins.

    ``keys`` open sources that are encrypted as a whole.

    Raises:
        ConfigError: a source is missing or wrong.
    """
    folders: dict[Path, None] = {}
    try:
        graph = _read_all(sources, folders, keys)
    except ForAnsibleError as exc:
        exc.advise(sources)
        graph = _read_with_ansible(sources, exc)
    graph.reconcile()
    return graph, tuple(folders)


def read_plain_file(path: Path) -> Graph:
    """Return what one file says by itself: no program is run for it, and no vault is opened.

    Raises:
        ConfigError: it is no inventory, or one that only Ansible reads.
    """
    graph = Graph()
    _read_file(path, graph, NO_KEYS)
    graph.reconcile()
    return graph


def _read_all(sources: Sequence[str | Path], folders: dict[Path, None], keys: VaultKeys) -> Graph:
    graph = Graph()
    for source in sources:
        text = str(source)
        path = Path(text).expanduser().absolute()
        if exists(path):
            folder = path if is_folder(path) else path.parent
            folders.pop(folder, None)  # named again it counts last, as in Ansible
            folders[folder] = None
            _read_path(path, graph, keys)
        elif "," in text:
            _read_names(text, graph)
        elif why := explain_unseen(path):
            raise ConfigError(f"cannot be read: {why}", file=text, hint="Check its permissions.")
        else:
            hint = f"Check the path; a list of hosts needs a comma, as in -i {text},"
            raise ConfigError("there is no such inventory", file=text, hint=hint)
    return graph


def _read_with_ansible(sources: Sequence[str | Path], refusal: ForAnsibleError) -> Graph:
    """Read all through Ansible, for a plugin may build on what stands in the sources before it (``constructed``)."""
    output = ask_ansible([str(source) for source in sources])
    if output is None:
        raise refusal
    graph = Graph()
    read_listing(load_object(output, refusal.file), refusal.file, graph)
    return graph


def _read_names(text: str, graph: Graph) -> None:
    origin = Origin(text)
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, port = (item, None) if has_range(split_port(item)[0]) else split_port(item)  # no ranges here
        if name not in graph.hosts:
            graph.add_host(name, "ungrouped", port, origin)


def _read_path(path: Path, graph: Graph, keys: VaultKeys) -> None:
    if is_folder(path):
        for name in list_folder(path):
            if not _IGNORED.search(name):
                _read_path(path / name, graph, keys)
    elif is_program(path) and (output := run_program(path, "--list")) is not None:
        read_listing(
            load_object(output, str(path)),
            str(path),
            graph,
            lambda host: run_program(path, "--host", host) or "",
        )
    else:
        _read_file(path, graph, keys)


def _read_file(path: Path, graph: Graph, keys: VaultKeys) -> None:
    file = str(path)
    text = read_text(path)
    secret = is_vault(text)
    if secret:
        text = keys.unlock(text, "this inventory", Origin(file, 1))
    if path.suffix == ".toml":
        raise ForAnsibleError("a TOML inventory", file)
    if path.suffix == ".json" and looks_like_list_output(data := load_object(text, file)):
        read_listing(data, file, graph)
    elif path.suffix in (".yml", ".yaml", ".json"):
        read_yaml(Document(text, file, secret=secret), graph)
    elif not path.suffix and (document := _try_yaml(text, file)) is not None:
        read_yaml(document, graph)
    else:
        _read_ini(text, file, graph)


def _read_ini(text: str, file: str, graph: Graph) -> None:
    if text.startswith("\ufeff"):
        hint = "Save the file as UTF-8 without a byte order mark."
        raise ConfigError("this file begins with a byte order mark (BOM)", file=file, line=1, hint=hint)
    if plugin := _PLUGIN.search(text):
        line = text.count("\n", 0, plugin.start()) + 1
        raise ForAnsibleError("the configuration of an inventory plugin", file, line=line, path="plugin")
    read_ini(text, file, graph)


def _try_yaml(text: str, file: str) -> Document | None:
    """A file without an extension is YAML if it is a YAML mapping, else INI."""
    try:
        document = Document(text, file)
    except ConfigError:
        return None
    return document if isinstance(document.root, MappingNode) else None
