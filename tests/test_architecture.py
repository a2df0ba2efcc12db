"""The import direction of design section 5: a module imports only from its own column or one to its right."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import pfremote

SOURCE = Path(pfremote.__file__).parent

#: The columns, left to right. A name stands for the module or the whole package.
COLUMNS: tuple[tuple[str, ...], ...] = (
    ("__main__",),
    ("cli",),
    ("commands",),
    ("output",),
    ("follow",),
    ("narrator", "report", "store", "console", "window", "chatter", "result_files"),
    ("fleet", "interruption", "lagging"),
    ("tasks",),
    ("asking",),
    ("transport", "loopback"),
    ("verdict", "events", "recap", "monitoring"),
    ("results", "agent", "plan", "inventory", "playbook", "maillog"),
    ("folding", "live_table"),
    ("facts", "postfix", "target", "secret", "inert", "clock"),
    ("errors", "log_levels"),
    ("exit_codes",),
)

#: These decide on values alone: no files, no processes, no network, no clock, nothing printed.
PURE = (
    "agent/protocol",
    "agent/replies",
    "agent/reply",
    "errors",
    "exit_codes",
    "facts",
    "folding",
    "inert",
    "lagging",
    "maillog",
    "monitoring",
    "plan",
    "playbook",
    "postfix",
    "recap",
    "results",
    "secret",
    "target",
    "verdict",
)
SYSTEM = {"subprocess", "socket", "shutil", "tempfile", "signal", "threading", "selectors", "time", "sys"}
OUTSIDE = {"fabric", "paramiko", "invoke", "click", "rich", "getpass", "platformdirs"}


def _modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).with_suffix("").as_posix()
        yield name.removesuffix("/__init__"), path


def _imports(path: Path, *, typing_too: bool) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    hidden = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in hidden and not typing_too:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from names if node.module == "pfremote" else [node.module]


def _column(name: str) -> int | None:
    head = name.removeprefix("pfremote.").partition(".")[0].partition("/")[0]
    return next((at for at, column in enumerate(COLUMNS) if head in column), None)


MODULES = dict(_modules())


@pytest.mark.parametrize("name", [name for name in MODULES if name != "__init__"])
def test_a_module_has_its_column_and_imports_only_to_the_right(name: str) -> None:
    own = _column(name)
    assert own is not None, f"{name} stands in no column of this test"
    for target in _imports(MODULES[name], typing_too=False):
        if not target.startswith("pfremote.") or target == "pfremote.__version__":
            continue
        column = _column(target)
        assert column is not None, target
        assert column >= own, f"{name} imports {target}, which stands to its left"


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith(PURE)])
def test_pure_modules_have_no_effects(name: str) -> None:
    heads = {target.partition(".")[0] for target in _imports(MODULES[name], typing_too=True)}
    assert not heads & (SYSTEM | OUTSIDE)


def test_only_the_transport_and_the_tasks_know_fabric_and_paramiko() -> None:
    knowing = {
        name
        for name, path in MODULES.items()
        if {target.partition(".")[0] for target in _imports(path, typing_too=True)} & {"fabric", "paramiko", "invoke"}
    }
    assert {name.partition("/")[0] for name in knowing} <= {"transport", "tasks"}


def test_the_broad_except_is_in_two_places_only() -> None:
    found = {
        name
        for name, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and not (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None)  # tidies up and passes it on
    }
    assert found == {"cli", "fleet"}


def test_no_module_outgrows_a_screenful_or_five() -> None:
    long = {name: lines for name, path in MODULES.items() if (lines := len(path.read_text().splitlines())) > 260}
    assert not long
