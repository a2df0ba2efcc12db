"""The Ansible to compare with, where there is one: PFREMOTE_ANSIBLE_BIN, else PATH."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ORACLE = Path(__file__).with_name("ansible_oracle.py")


def find_ansible() -> Path | None:
    """Return the folder of the ansible programs."""
    named = os.environ.get("PFREMOTE_ANSIBLE_BIN")
    found = shutil.which("ansible-inventory", path=named) if named else shutil.which("ansible-inventory")
    return Path(found).parent if found else None


def make_environment(folder: Path) -> dict[str, str]:
    """Return an environment in which Ansible sees nothing of the developer's own set-up."""
    return {
        "HOME": str(folder),
        "PATH": os.environ["PATH"],
        "LC_ALL": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_LOCAL_TEMP": str(folder / ".ansible-tmp"),
    }


class Oracle:
    """One living process that answers for ansible-core, some milliseconds an inventory; see ansible_oracle.py."""

    def __init__(self, programs: Path, folder: Path) -> None:
        # -P: tests/support is no place to import from, it has an operator.py of its own.
        argv = [str(_find_python(programs)), "-P", str(ORACLE)]
        self._log = (folder / "oracle.log").open("w")
        self._process = subprocess.Popen(
            argv,
            cwd=folder,
            env=make_environment(folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            encoding="utf-8",
        )

    def ask(self, sources: Sequence[str], choices: Sequence[tuple[str, str | None]], **more: object) -> dict[str, Any]:
        """Return the answer to one request."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        print(json.dumps({"sources": list(sources), "choices": choices, **more}), file=stdin, flush=True)
        line = stdout.readline()
        assert line, f"the oracle has died; see {self._log.name}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=10)
        self._log.close()


def _find_python(programs: Path) -> Path:
    """The interpreter that ansible-inventory itself runs with."""
    first = (programs / "ansible-inventory").read_text().partition("\n")[0]
    return Path(first.removeprefix("#!").split()[0])
