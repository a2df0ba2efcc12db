"""The import direction of docs/architecture.md, and what a docstring promises of its module."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

import pfremote
from pfremote.commands import COMMANDS

SOURCE = Path(pfremote.__file__).parent
ARCHITECTURE = Path(__file__).parent.parent / "docs" / "architecture.md"

#: The columns, left to right. A name is a room: a package, or a module at the top.
COLUMNS: tuple[tuple[str, ...], ...] = (
    ("__main__",),
    ("cli",),
    ("commands",),
    ("engine",),
    ("run",),
    ("options",),
    ("follow", "window"),
    ("fleet",),
    ("output",),
    ("report",),
    ("store",),
    ("pseudonyms",),
    ("tasks",),
    ("agent",),
    ("transport", "loopback"),
    ("playbook", "maillog"),
    ("inventory", "config"),
    ("postfix",),
    ("model", "private_files", "paths", "lean_imports"),
    ("text",),
    ("errors",),
    ("codes",),
)

#: What a module that calls itself pure does not use: files, processes, the network, clocks, threads, the terminal.
EFFECTS = {"subprocess", "socket", "shutil", "tempfile", "signal", "threading", "selectors", "time", "sys"}
OUTSIDE = {"fabric", "paramiko", "invoke", "click", "rich", "getpass", "platformdirs"}
EFFECTIVE_CALLS = re.compile(r"\b(?:open|print|input)\(|\.(?:now|today|read_text|read_bytes|write_text|write_bytes)\(")


def _modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).with_suffix("").as_posix()
        yield name.removesuffix("/__init__"), path


MODULES = dict(_modules())


@cache
def _tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text())


def _imports(name: str, *, typing_too: bool) -> Iterator[str]:
    hidden = {
        inner
        for node in ast.walk(_tree(name))
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(_tree(name)):
        if node in hidden and not typing_too:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def _uses(name: str, *, typing_too: bool) -> frozenset[str]:
    """The modules of ours that a module imports."""
    found = set()
    for target in _imports(name, typing_too=typing_too):
        if target.startswith("pfremote."):
            inner = target.removeprefix("pfremote.").replace(".", "/")
            while inner and inner not in MODULES:
                inner = inner.rpartition("/")[0]
            found.add(inner)
    return frozenset(found - {name, ""})


def _room(name: str) -> str:
    return name.partition("/")[0]


def _column(name: str) -> int | None:
    return next((at for at, column in enumerate(COLUMNS) if _room(name) in column), None)


def _is_pure(name: str) -> bool:
    """A module is pure where its docstring, or that of a package around it, says so."""
    parts = name.split("/")
    around = ("/".join(parts[:end]) for end in range(1, len(parts) + 1))
    return any(re.search(r"\bPure\b", ast.get_docstring(_tree(part)) or "") for part in around)


PURE = [name for name in MODULES if _is_pure(name)]


@pytest.mark.parametrize("name", [name for name in MODULES if name != "__init__"])
def test_a_module_has_its_column_and_imports_only_to_the_right(name: str) -> None:
    own = _column(name)
    assert own is not None, f"{name} stands in no column of this test"
    for target in _uses(name, typing_too=False):
        column = _column(target)
        assert column is not None, target
        assert column >= own, f"{name} imports {target}, which stands to its left"


def _find_circle(arrows: Mapping[str, frozenset[str]]) -> list[str]:
    """Return one circle of the graph, or nothing: depth first, with the path so far."""
    done: set[str] = set()

    def visit(node: str, path: list[str]) -> list[str]:
        if node in path:
            return path[path.index(node) :]
        if node in done:
            return []
        done.add(node)
        return next(filter(None, (visit(to, [*path, node]) for to in sorted(arrows.get(node, ())))), [])

    return next(filter(None, (visit(node, []) for node in sorted(arrows))), [])


def test_there_is_no_circle_of_rooms_not_even_for_types() -> None:
    arrows: dict[str, set[str]] = defaultdict(set)
    for name in MODULES:
        arrows[_room(name)] |= {_room(target) for target in _uses(name, typing_too=True)} - {_room(name)}
    assert not _find_circle({room: frozenset(targets) for room, targets in arrows.items()})


def test_there_is_no_circle_of_modules() -> None:
    assert not _find_circle({name: _uses(name, typing_too=False) for name in MODULES})


def test_a_circle_would_be_found() -> None:
    arrows = {"a": frozenset("b"), "b": frozenset("cd"), "c": frozenset(), "d": frozenset("b")}
    assert _find_circle(arrows) == ["b", "d"]


def test_the_rooms_that_must_be_pure_say_so() -> None:
    """The docstrings decide, so the word must not get lost: these rooms hold the knowledge and no effects."""
    for room in ("maillog", "postfix", "model", "text", "errors"):
        assert room in PURE


@pytest.mark.parametrize("name", PURE)
def test_what_calls_itself_pure_has_no_effects_and_uses_nothing_that_has(name: str) -> None:
    heads = {target.partition(".")[0] for target in _imports(name, typing_too=True)}
    assert not heads & (EFFECTS | OUTSIDE)
    assert not EFFECTIVE_CALLS.findall(ast.unparse(_tree(name)))
    assert not {target for target in _uses(name, typing_too=False) if target not in PURE}


def test_the_table_of_rooms_stands_in_the_order_of_the_columns() -> None:
    places = {room: place for place, column in enumerate(COLUMNS) for room in column}
    order = [places[room] for room in _list_rooms()]
    assert order == sorted(order)


def _list_rooms() -> list[str]:
    """The rooms that the first table of docs/architecture.md names."""
    rows = re.findall(r"^\| ((?:`[^`]+`(?:, )?)+) \|", ARCHITECTURE.read_text(), re.M)
    return [room for row in rows for room in re.findall(r"`([a-z_]+)(?:/|\.py)`", row)]


def test_the_architecture_page_names_every_room_and_no_other() -> None:
    rooms = {_room(name) for name in MODULES}
    assert {*_list_rooms(), "__init__"} == rooms


def test_the_architecture_page_says_where_things_are_and_they_are_there() -> None:
    rooms = "|".join(sorted({_room(name) for name in MODULES if (SOURCE / _room(name)).is_dir()}))
    named = re.findall(rf"`((?:{rooms})/[a-z_0-9/]*(?:\.py|\.sh)?)`", ARCHITECTURE.read_text())
    assert named
    assert not [path for path in named if not (SOURCE / path).exists()]


def test_only_the_transport_and_the_tasks_know_fabric_and_paramiko() -> None:
    knowing = {
        name
        for name in MODULES
        if {target.partition(".")[0] for target in _imports(name, typing_too=True)} & {"fabric", "paramiko", "invoke"}
    }
    assert {_room(name) for name in knowing} <= {"transport", "tasks"}


def test_the_broad_except_is_in_three_places_only() -> None:
    found = {
        name
        for name in MODULES
        for node in ast.walk(_tree(name))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and not (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None)  # tidies up and passes it on
    }
    assert found == {"cli", "fleet/scheduler", "maillog/contain"}


def test_no_module_outgrows_a_screenful_or_five() -> None:
    long = {name: lines for name, path in MODULES.items() if (lines := len(path.read_text().splitlines())) > 260}
    assert not long


def test_no_function_is_longer_than_a_screen() -> None:
    """Forty lines of code; docstrings and signatures are not counted."""
    long = {
        f"{name}:{node.name}": lines
        for name in MODULES
        for node in ast.walk(_tree(name))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (lines := _count_body(node)) > 40
    }
    assert not long


def _count_body(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def _inner_imports(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the line of each import inside a function, with the function's lines up to it."""
    text = path.read_text()
    lines = text.splitlines()
    for function in ast.walk(ast.parse(text)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    yield node.lineno, lines[function.lineno - 1 : node.lineno]


@pytest.mark.parametrize("name", MODULES)
def test_an_import_inside_a_function_says_why(name: str) -> None:
    assert [line for line, before in _inner_imports(MODULES[name]) if not any("#" in text for text in before)] == []


#: What takes long to load: the SSH library, the terminal's colours, templates, checked values, YAML, and what reads logs.
SLOW = "fabric invoke paramiko rich jinja2 pydantic yaml pfremote.maillog"


def _load(*modules: str) -> set[str]:
    """Return which of the slow packages are in memory once these modules are."""
    code = f"import sys, {', '.join(modules)}; print(*(name for name in {SLOW.split()} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_help_and_completion_of_every_command_load_nothing_slow() -> None:
    assert _load("pfremote.cli", *(f"pfremote.commands.{name}" for name in COMMANDS)) == set()


def test_what_reads_logs_is_not_loaded_before_arming() -> None:
    assert not _load("pfremote.run.debug", "pfremote.run.hosts") & {"rich", "jinja2", "pydantic", "pfremote.maillog"}


def test_times_are_put_into_words_in_one_place() -> None:
    made = re.compile(r"strftime\(|\{[^{}]*:%[HY]")
    # A layout writes the stamps of a log, to the nanosecond where the log has it: those are no times for people.
    stamps = {"maillog/parse/layouts", "maillog/parse/frames"}
    assert {name for name, path in MODULES.items() if made.search(path.read_text())} - stamps == {"text/times"}


def test_a_path_is_looked_at_in_one_way() -> None:
    # Path.exists and its like raise where a folder is closed to us: see paths.py. The loopback host's folders are our own.
    own = re.compile(r"\.(?:exists|is_file|is_dir)\(\)")
    found = {
        name for name, path in MODULES.items() if own.search(path.read_text()) and not name.startswith("loopback/")
    }
    assert found == set()
