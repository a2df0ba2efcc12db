"""What is loaded before the first contact, and that Fabric is whole all the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

#: What Fabric and Paramiko import on the way, and a login never uses.
NOT_USED = {"asyncio", "ssl", "unittest.mock", "invoke.vendor.yaml.loader", "importlib.metadata", "email.parser"}
_LEAN = "import sys; from pfremote.lean_imports import load_leanly; load_leanly(); import fabric, invoke, paramiko\n"


def _run(script: str, *words: str, path: Path | None = None) -> str:
    first = f"import sys; sys.path.insert(0, {str(path)!r})\n" if path else ""
    done = subprocess.run([sys.executable, "-c", first + script, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_debug_contacts_a_host_without_what_it_does_not_use() -> None:
    script = "import sys; from pfremote.__main__ import main; assert main() == 4; print('modules', *sys.modules)"
    words = ("debug", "127.0.0.1:1", "--peer", "192.0.2.1", "--detach", "--no-inventory-check")
    loaded = set(_run(script, *words).rpartition("modules")[2].split())
    assert {"fabric.connection", "paramiko.transport"} <= loaded
    assert not NOT_USED & loaded


def test_a_library_loads_fabric_as_it_is() -> None:
    script = "import sys; before = list(sys.meta_path); import pfremote.tasks; assert sys.meta_path == before; "
    assert "unittest.mock" in _run(script + "print(*sys.modules)").split()


@pytest.mark.parametrize(
    "script",
    [
        "from importlib.metadata import version; assert paramiko.__version__ == version('paramiko')",
        "from unittest.mock import Mock; assert Mock().anything() is not None",
        "import asyncio; asyncio.run(asyncio.sleep(0))",
        "assert invoke.MockContext(run='said').run('say').stdout == 'said'",
        "assert invoke.util.yaml.safe_load('a: [1]') == {'a': [1]}",
        "assert fabric.Connection('mx1', user='ops').user == 'ops'",
        "import inspect; assert 'MockContext' in inspect.getsource(invoke.context)",
        "assert sum(finder.__module__ == 'pfremote.lean_imports' for finder in sys.meta_path) == 1",
    ],
)
def test_what_waits_is_there_when_it_is_used(script: str) -> None:
    _run(f"{_LEAN}load_leanly()\n{script}")


def test_fabric_reads_its_configuration_file(tmp_path: Path) -> None:
    file = tmp_path / "fabric.yaml"
    file.write_text("run: {echo: true}\nuser: ops\n")
    config = f"config = fabric.Config(runtime_ssh_path=None); config.set_runtime_path({str(file)!r})\n"
    _run(f"{_LEAN}{config}config.load_runtime()\nassert (config.user, config.run.echo) == ('ops', True)")


def test_what_is_loaded_already_is_used() -> None:
    script = "import unittest.mock; from pfremote.lean_imports import load_leanly; load_leanly(); import invoke\n"
    _run(script + "assert invoke.context.Mock is unittest.mock.Mock")


def test_another_version_that_imports_something_else_is_loaded_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "invoke").mkdir()
    (tmp_path / "invoke" / "__init__.py").write_text("from . import context\n")
    (tmp_path / "invoke" / "context.py").write_text(
        "from unittest.mock import Mock, patch\nimport unittest.mock as m\n"
    )
    (tmp_path / "paramiko").mkdir()
    (tmp_path / "paramiko" / "__init__.py").write_text(
        "import importlib.metadata as m\nhere = m.distribution('fabric')\n"
    )
    script = "from pfremote.lean_imports import load_leanly; load_leanly(); import invoke, paramiko, unittest.mock\n"
    proof = "assert invoke.context.patch is unittest.mock.patch; assert paramiko.here.version[0].isdigit()"
    _run(script + proof, path=tmp_path)


def test_a_version_that_no_folder_tells_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "paramiko").mkdir()
    (tmp_path / "paramiko" / "__init__.py").write_text(
        "from importlib import metadata\n__version__ = metadata.version('paramiko')\n"
    )
    script = "from pfremote.lean_imports import load_leanly; load_leanly(); import paramiko\n"
    _run(script + "assert paramiko.__version__[0].isdigit()", path=tmp_path)


def test_a_failing_import_leaves_no_stand_in_behind(tmp_path: Path) -> None:
    (tmp_path / "paramiko").mkdir()
    (tmp_path / "paramiko" / "__init__.py").write_text("raise ImportError('broken')\n")
    script = (
        "import sys; from pfremote.lean_imports import load_leanly; load_leanly()\n"
        "try:\n import paramiko\nexcept ImportError: pass\n"
        "assert 'importlib.metadata' not in sys.modules"
    )
    _run(script, path=tmp_path)
