"""The collection run by a real ansible-core, with a home, connections and an inventory of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.hosts import skip_or_fail

CHECKOUT = Path(__file__).parents[2]
COLLECTION = CHECKOUT / "ansible"


def find_programs() -> Path | None:
    """Return the folder of an ansible-core that has pfremote beside it: PFREMOTE_COLLECTION_BIN, else .venv-collection."""
    named = os.environ.get("PFREMOTE_COLLECTION_BIN")
    folder = Path(named) if named else CHECKOUT / ".venv-collection/bin"
    return folder if (folder / "ansible-playbook").exists() else None


def demand_programs(*, variable: str) -> Path:
    """Return that folder, or skip the test."""
    found = find_programs()
    if found is None:
        skip_or_fail("no ansible-core with pfremote beside it: make .venv-collection", variable=variable)
    assert found is not None
    return found


@dataclass
class Ansible:
    """Runs ``ansible`` and ``ansible-playbook``. ``hosts`` are the inventory's: name to variables.

    ``before`` stands in front of each command, as ``ip netns exec`` does.
    """

    programs: Path
    folder: Path
    ssh_config: Path
    hosts: Mapping[str, Mapping[str, object]]
    before: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    _sockets: Path = field(init=False)

    def __enter__(self) -> Self:
        place = self.folder / "collections/ansible_collections/pfremote"
        place.mkdir(parents=True)
        (place / "postfix").symlink_to(COLLECTION)
        self._sockets = Path(tempfile.mkdtemp(prefix="pfc"))  # the path of a socket is short (unix(7))
        self.write_inventory(self.hosts)
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.hang_up()
        shutil.rmtree(self._sockets)

    def hang_up(self) -> None:
        """Close the connections that Ansible keeps for its next run."""
        for socket in self._sockets.iterdir():
            words = [
                *self.before,
                "ssh",
                "-F",
                str(self.ssh_config),
                "-O",
                "exit",
                "-o",
                f"ControlPath={socket}",
                "any",
            ]
            subprocess.run(words, capture_output=True, check=False)

    def write_inventory(self, hosts: Mapping[str, Mapping[str, object]]) -> None:
        """Use these hosts from now on."""
        (self.folder / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))

    def environment(self) -> dict[str, str]:
        """Return an environment in which nothing of the developer's own set-up is seen."""
        return {
            "HOME": str(self.folder),
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(self.folder / "collections"),
            "ANSIBLE_SSH_ARGS": f"-F {self.ssh_config} -o ControlMaster=auto -o ControlPersist=60s",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self._sockets),
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "tmp"),
            "ANSIBLE_LOCALHOST_WARNING": "False",
            "ANSIBLE_NOCOLOR": "1",
            **self.settings,
        }

    def words(self, program: str, *words: str) -> list[str]:
        """Return the argument vector of one program."""
        return [*self.before, str(self.programs / program), "-i", str(self.folder / "hosts.json"), *words]

    def run(self, program: str, *words: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        """Run one program to its end."""
        return subprocess.run(
            self.words(program, *words),
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            check=False,
        )

    def task(self, name: str, *options: str, host: str = "mx1", **arguments: object) -> dict[str, Any]:
        """Run one module on one host; return its result, and in it what was printed (``printed``)."""
        done = self.run(
            "ansible",
            host,
            "-m",
            f"pfremote.postfix.{name}",
            "-a",
            json.dumps({"instance": None, **arguments}),
            *options,
        )
        status, arrow, result = done.stdout.partition(" => ")
        assert arrow, (done.stdout, done.stderr)
        found: dict[str, Any] = json.JSONDecoder().raw_decode(result)[0]
        return {**found, "status": status.rpartition("| ")[2], "printed": done.stdout + done.stderr}

    def play(self, playbook: str | Path, *words: str, **variables: object) -> subprocess.CompletedProcess[str]:
        """Run a playbook, written here or a file, with extra variables."""
        path = playbook
        if isinstance(playbook, str):
            path = self.folder / "play.yml"
            path.write_text(playbook)
        return self.run("ansible-playbook", str(path), "-e", json.dumps(variables), *words)
