"""Run playbooks against private hosts on loopback, under as many inventory names as a test needs."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from pfremote.loopback import LoopbackHost
from tests.support.running import Running
from tests.support.terminal import Following

#: Nothing listens there: refused at once.
DEAD_PORT = 1


@dataclass(frozen=True)
class Stage:
    """A folder with an inventory and playbooks. ``names`` are inventory names of the one host."""

    host: LoopbackHost
    folder: Path

    def write_inventory(self, *names: str, dead: tuple[str, ...] = (), **variables: object) -> None:
        """Write an inventory: ``names`` lead to the host, ``dead`` ones to a port where nobody listens."""
        hosts: dict[str, object] = {name: {"ansible_host": self.host.name} for name in names}
        hosts |= {name: {"ansible_host": "127.0.0.1", "ansible_port": DEAD_PORT} for name in dead}
        order = sorted(hosts)
        content = {"all": {"hosts": {name: hosts[name] for name in order}, "vars": variables}}
        (self.folder / "hosts.yml").write_text(json.dumps(content))

    def write_playbook(self, text: str) -> Path:
        """Write a playbook and return its path."""
        path = self.folder / "play.yml"
        path.write_text(text)
        return path

    def words(self, *words: str) -> list[str]:
        """Return the command line of ``pfremote run`` with the way to the host."""
        inventory = self.folder / "hosts.yml"
        return [
            *(sys.executable, "-m", "pfremote", "run", *words),
            *(("-i", str(inventory)) if inventory.exists() else ()),
            *("--ssh-config", str(self.host.ssh_config), "--instance", str(self.host.config_directory)),
            "--allow-volatile-guard",
        ]

    def start(self, playbook: Path, *words: str, out: str = "run") -> Running:
        """Start a run with ``--json``; it is kept in the folder ``out``."""
        where = [] if "--check" in words else ["--out", str(self.folder / out)]
        return Running.start(self.words(str(playbook), "--json", *where, *words), stdin=subprocess.DEVNULL)

    def run(self, playbook: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end without ``--json``, and without a terminal."""
        return subprocess.run(
            self.words(str(playbook), *words),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def run_json(self, out: str = "run") -> dict[str, Any]:
        """Return ``run.json`` of a run."""
        content: dict[str, Any] = json.loads((self.folder / out / "run.json").read_text())
        return content


def converse(argv: list[str], question: str, answer: str) -> tuple[int, str]:
    """Run a program on a terminal of its own, answer one question, and return exit code and all it showed."""
    with contextlib.closing(Following(argv, terminal=True)) as run:
        run.wait_for(re.escape(question))
        run.press(answer)
        return run.finish(), run.plain


@contextlib.contextmanager
def listening_webhook(status: int = 200) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Answer posts on loopback with ``status`` for the block; yield the address and what was posted."""
    posted: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        #: Seconds for one request: shutdown() waits for it, and whoever sends it may be killed in the middle.
        timeout = 20

        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook/quiet-part", posted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
