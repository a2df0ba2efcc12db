"""Names of an inventory without running anything: for a look on the way, and for a shell that waits for completions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pfremote.errors import PfremoteError
from pfremote.inventory.graph import Graph
from pfremote.paths import exists, is_file, is_folder

#: A larger file is not read, and of a folder no more files than these.
LARGEST = 1024 * 1024
MOST = 50


def list_plain_files(path: Path) -> list[Path]:
    """Return the file, or the files of a folder and those below it; no programs, no files of variables."""
    return [found for found in _list_files(path) if _is_plain(found)][:MOST]


def _list_files(path: Path) -> list[Path]:
    try:
        return sorted(path.rglob("*"))[: 4 * MOST] if is_folder(path) else [path]
    except OSError:
        return []  # a folder that we may not read has nothing for us


def _is_plain(path: Path) -> bool:
    if {"host_vars", "group_vars"} & set(path.parts):
        return False
    try:
        state = path.stat()
    except OSError:
        return False
    return is_file(path) and state.st_size <= LARGEST and not state.st_mode & 0o111


def read_plainly(path: Path) -> Graph:
    """Return what a file says; nothing where it is no inventory, or one that pfremote alone does not read."""
    # Needs PyYAML, which a run without an inventory does not load.
    from pfremote.inventory.sources import read_plain_file

    try:
        return read_plain_file(path)
    except PfremoteError:
        return Graph()


def list_names(sources: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each name that the sources have, and ``group`` or ``host``."""
    for source in sources:
        path = Path(source).expanduser()
        if "," in source and not exists(path):
            yield from ((name.strip(), "host") for name in source.split(",") if name.strip())
            continue
        for graph in filter(lambda graph: graph.hosts, map(read_plainly, list_plain_files(path))):
            yield from ((name, "group") for name in graph.groups)
            yield from ((name, "host") for name in graph.hosts)
