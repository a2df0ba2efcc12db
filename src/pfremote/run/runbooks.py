"""The ready playbooks that come with pfremote: found by name, listed, and copied out to be changed."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

import pfremote
from pfremote.errors import UsageError
from pfremote.paths import exists, explain_unseen, is_folder
from pfremote.private_files import storage_error

_PACKAGE = Path(pfremote.__file__).parent
#: In the installed package beside the modules; in a checkout at its top, where people look for them.
_PLACES = (_PACKAGE / "playbooks", _PACKAGE.parents[1] / "playbooks")
_TITLE = re.compile(r"# Runbook: (.+)")
_SECTION = re.compile(r"# (When|Costs|Look for) +(\S.*)")
_NAME = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Runbook:
    """One ready playbook. ``title`` is what is wrong, ``when`` one sentence or more on when to use it."""

    name: str
    path: Path
    title: str
    when: str


def list_runbooks() -> tuple[Runbook, ...]:
    """Return the runbooks in the order of their names."""
    folder = next((place for place in _PLACES if is_folder(place)), None)
    if folder is None:
        return ()
    return tuple(_read_head(path) for path in sorted(folder.glob("*.yml")))


def find_playbook(word: str) -> Path:
    """Return the playbook that is meant: a file of that path, else the runbook of that name.

    Raises:
        UsageError: neither is there.
    """
    given = Path(word)
    if exists(given) or explain_unseen(given) or not _NAME.fullmatch(word.removesuffix(".yml")):
        return given
    runbooks = {book.name: book for book in list_runbooks()}
    if (found := runbooks.get(word.removesuffix(".yml"))) is not None:
        return found.path
    raise UsageError(f"{word} is no file here and no runbook", hint=_suggest(word, runbooks))


def copy_runbook(word: str, folder: Path) -> Path:
    """Write a runbook into ``folder`` to be changed, and return the new file. A file that is there stays.

    Raises:
        UsageError: there is no such runbook, or the file is there already.
        PfremoteError: it cannot be written.
    """
    source = find_playbook(word)
    target = folder / source.name
    try:
        with target.open("xb") as file:
            file.write(source.read_bytes())
    except FileExistsError:
        raise UsageError(f"{target} is there already", hint="Move it away, or change to another folder.") from None
    except OSError as exc:
        raise storage_error(target, exc) from exc
    return target


def _suggest(word: str, runbooks: dict[str, Runbook]) -> str:
    near = difflib.get_close_matches(word, runbooks, n=1)
    return f"Did you mean {near[0]}?" if near else "Type: pfremote run --list"


def _read_head(path: Path) -> Runbook:
    """Read the comment at the top, in the form that every runbook has."""
    head = path.read_text(encoding="utf-8").partition("\n- name:")[0].splitlines()
    title = next((found[1] for line in head if (found := _TITLE.match(line))), path.stem)
    sections: dict[str, list[str]] = {}
    section = ""
    for line in head:
        if found := _SECTION.match(line):
            section = found[1]
            sections[section] = [found[2]]
        elif section and line.startswith("#  "):
            sections[section].append(line[1:].strip())
        else:
            section = ""
    return Runbook(path.stem, path, title.rstrip("."), " ".join(sections.get("When", [])))
