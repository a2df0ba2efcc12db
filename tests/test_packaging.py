"""The wheel holds all that is needed where there is no source tree."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import pfremote
from pfremote.agent import load_agent

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "pfremote"


def run(*argv: str | Path, cwd: Path) -> str:
    """Run a program that has to succeed, with nothing of ours in the environment; return what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(argv, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built from this checkout as anybody would build it."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, ROOT, cwd=folder)
    (built,) = folder.glob("pfremote-*.whl")
    return built


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    wanted = {
        f"pfremote/{path.relative_to(SOURCE).as_posix()}"
        for path in SOURCE.rglob("*")
        if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in path.relative_to(SOURCE).parts)
    }
    wanted |= {f"pfremote/playbooks/{path.name}" for path in (ROOT / "playbooks").iterdir()}
    assert wanted - held == set()
    assert [name for name in held - wanted if ".dist-info/" not in name] == []
    assert "pfremote/py.typed" in wanted
    assert any(name.startswith("pfremote/agent/script/") and name.endswith(".sh") for name in wanted)
    assert any(name.startswith("pfremote/report/templates/") for name in wanted)


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    about = f"pfremote-{pfremote.__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        points = archive.read(f"{about}/entry_points.txt").decode()
        metadata = archive.read(f"{about}/METADATA").decode()
        assert f"{about}/licenses/LICENSE" in archive.namelist()
    assert "pfremote = pfremote.__main__:main" in points
    assert f"\nVersion: {pfremote.__version__}\n" in metadata
    assert "Requires-Python: >=3.11" in metadata


def test_what_is_installed_runs_without_the_source_tree(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "venv"
    venv.create(place, with_pip=False)
    python = place / "bin" / "python"
    # The dependencies stay out: neither --version nor the agent may need them.
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-deps",
        wheel,
        cwd=tmp_path,
    )
    assert run(place / "bin" / "pfremote", "--version", cwd=tmp_path) == f"pfremote {pfremote.__version__}\n"
    program = "from pfremote import agent; print(agent.__file__); print(agent.load_agent().decode(), end='')"
    where, _, agent = run(python, "-c", program, cwd=tmp_path).partition("\n")
    assert Path(where).is_relative_to(place)
    assert agent.encode() == load_agent()
