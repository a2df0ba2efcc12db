"""The peers on a lab's machines: the same change typed over ssh, by ansible-playbook, and by pyinfra."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.lab import Lab

from bench.measure import run, say

#: What an admin would type: keep a copy, set three parameters, reload.
CHANGE = (
    "cp -p /etc/postfix/main.cf /etc/postfix/main.cf.mine",
    "postconf -e debug_peer_list=10.0.1.20 debug_peer_level=2 smtpd_tls_loglevel=1",
    "postfix reload",
)
#: What an admin would look at.
LOOK = ("postconf -n debug_peer_list debug_peer_level smtpd_tls_loglevel", "postfix status")
#: How an admin would bring the sessions home: whatever smtpd said.
FETCH = ("journalctl -q --no-pager -o short-iso-precise -t postfix/smtpd -t postfix/submission/smtpd",)
#: Back to the copy; its time is old, so that no Postfix program waits for it to cool down.
_BACK = (
    "test ! -f /etc/postfix/main.cf.mine || "
    "{ mv /etc/postfix/main.cf.mine /etc/postfix/main.cf && postfix reload 2>/dev/null; }"
)


def find_program(name: str, variable: str) -> str | None:
    """Return the path of a peer's program: from the folder in ``variable``, else from PATH."""
    found = shutil.which(name, path=os.environ.get(variable) or os.environ.get("PATH"))
    if found is None:
        say(f"  {name} is not available (PATH, or its folder in {variable}): left out")
    return found


class Peers:
    """Writes the peers' files into a folder of its own, and runs them against ``names``.

    Call it in the lab's controller namespace. ``ssh_config`` is where the machines are found.
    """

    def __init__(self, lab: Lab, names: Sequence[str], folder: Path, ssh_config: Path, known_hosts: Path) -> None:
        self._lab = lab
        self.names = list(names)
        self._folder = folder
        self._ssh_config = ssh_config
        self._known_hosts = known_hosts
        self._ansible = find_program("ansible-playbook", "PFREMOTE_ANSIBLE_BIN")
        self._pyinfra = find_program("pyinfra", "PFREMOTE_PYINFRA_BIN")
        self._controls: Path | None = None
        self._write()

    @property
    def has_ansible(self) -> bool:
        return self._ansible is not None

    @property
    def has_pyinfra(self) -> bool:
        return self._pyinfra is not None

    def _write(self) -> None:
        hosts = {name: {} for name in self.names}
        (self._folder / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
        for name, commands in (("change", CHANGE), ("look", LOOK), ("fetch", FETCH)):
            tasks = [{"ansible.builtin.command": command} for command in commands]
            play = {"hosts": "all", "gather_facts": False, "become": True, "tasks": tasks}
            (self._folder / f"{name}.json").write_text(json.dumps([play]))
        options = {"ssh_config_file": str(self._ssh_config), "ssh_known_hosts_file": str(self._known_hosts)}
        (self._folder / "hosts.py").write_text(f"hosts = {[(name, options) for name in self.names]!r}\n")

    def ssh(self, commands: Sequence[str]) -> None:
        """Type the commands as one line, on all machines at once."""
        line = f"sudo sh -c '{' && '.join(commands)}'"
        words = ["ssh", "-F", str(self._ssh_config)]
        started = [
            subprocess.Popen(
                [*words, name, line], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            for name in self.names
        ]
        assert [process.wait() for process in started] == [0] * len(started)

    def ansible(self, play: str) -> None:
        """Run a playbook with pipelining, and connections of its own: none is left from the round before."""
        assert self._ansible is not None
        # A socket's path is short (unix(7)), and ansible's names for them are long.
        self._controls = Path(tempfile.mkdtemp(prefix="pfb"))
        environment = {
            **os.environ,
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_SSH_ARGS": f"-F {self._ssh_config} -o ControlMaster=auto -o ControlPersist=60s",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self._controls),
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_PYTHON_INTERPRETER": "auto_silent",
        }
        files = [self._folder / "hosts.json", self._folder / f"{play}.json"]
        run([self._ansible, "-f", "10", "-i", *files], env=environment, cwd=self._folder)

    def end_ansible(self) -> None:
        """Close the connections that ansible keeps for its next run."""
        if self._controls is None:
            return
        for socket in self._controls.iterdir():
            words = ["ssh", "-F", str(self._ssh_config), "-O", "exit", "-o", f"ControlPath={socket}", "any"]
            subprocess.run(words, capture_output=True, check=False)
        shutil.rmtree(self._controls)
        self._controls = None

    def pyinfra(self, commands: Sequence[str]) -> None:
        """Run the commands as one operation."""
        assert self._pyinfra is not None
        words = [self._pyinfra, "-y", "--sudo", "hosts.py", "exec", "--", f"sh -c '{' && '.join(commands)}'"]
        run(words, cwd=self._folder)

    def put_back(self) -> None:
        """Undo the change on every machine, directly and not over the network, and let Postfix settle."""
        for name in self.names:
            self._lab.machines[name].run(["sh", "-c", _BACK])
        self.end_ansible()
