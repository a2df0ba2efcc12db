"""docs/howto/team-repository.md, followed as it is written: every file, every command, and what the page says it prints."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from pfremote.loopback import LoopbackHost
from tests.support.shapes import PASSWORD, encrypt
from tests.support.sudoer import Sudoer

pytestmark = pytest.mark.host

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "team-repository.md"
_FILE = re.compile(r"^```\w*\n# (?P<name>\S+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(
    r"^ {4}\$ (?P<words>pfremote .+)\n(?P<said>(?: {4}(?!\$).*\n|(?:\n(?= {4}(?!\$))))*)", re.MULTILINE
)
#: What the page cannot know: the private Postfix of the test, and that its machine may have no systemd.
_HERE = {"run": ("--allow-volatile-guard",)}


@dataclass(frozen=True)
class Team:
    """The repository of the page on this machine, and the user's password, which must be seen nowhere."""

    folder: Path
    secret: str

    def type(self, words: str) -> subprocess.CompletedProcess[str]:
        argv = shlex.split(words)[1:]
        return subprocess.run(
            [sys.executable, "-m", "pfremote", *argv, *_HERE.get(argv[0], ())],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    with ExitStack() as stack:
        user = stack.enter_context(Sudoer("ALL=(ALL) ALL"))
        host = stack.enter_context(LoopbackHost(services=2, ssh_user=user.name))
        open_keys(host)
        files = {found["name"]: found["text"] for found in _FILE.finditer(PAGE.read_text())}
        files["group_vars/mail/vars.yml"] = files["group_vars/mail/vars.yml"].replace("ops", user.name)
        vault = files["group_vars/mail/vault.yml"].replace("the password of ops", user.password)
        files["group_vars/mail/vault.yml"] = encrypt(vault, b"salt" * 8)
        files["ssh.cfg"] = lead_here(files["ssh.cfg"], host)
        files["inventory/group_vars/all.yml"] = f"pfremote_instance: {host.config_directory}\n"
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        secret = Path(os.environ["HOME"]) / ".vault-mail"
        secret.write_text(f"{PASSWORD}\n")
        secret.chmod(0o600)
        before = host.main_cf.read_bytes()
        yield Team(tmp_path, user.password)
        assert host.main_cf.read_bytes() == before


def open_keys(host: LoopbackHost) -> None:
    """sshd reads the file of authorized keys as the user who logs in."""
    for folder in (host.root, host.private_key.parent):
        folder.chmod(0o711)
    for path in host.private_key.parent.glob("authorized*"):
        path.chmod(0o644)


def lead_here(text: str, host: LoopbackHost) -> str:
    """Let every name of the page's ssh.cfg be the one private sshd; the way through the bastion stays."""
    own = host.ssh_config.read_text().partition("\n")[2]
    return re.sub(r"^  HostName .*\n", "", text, flags=re.MULTILINE) + f"Host *\n{own}"


def test_the_page_is_followed_as_it_is_written(team: Team) -> None:
    commands = list(_COMMAND.finditer(PAGE.read_text()))
    assert len(commands) == 8
    for command in commands:
        done = team.type(command["words"])
        shown = done.stdout + done.stderr
        assert team.secret not in shown
        wrong = "error:" in command["said"]
        assert (done.returncode == 2) is wrong, (command["words"], shown)
        assert wrong or done.returncode == 0, (command["words"], shown)
        for line in filter(None, (line.strip() for line in command["said"].splitlines())):
            pattern = ".*".join(re.escape(part) for part in line.split("…"))
            assert re.search(pattern, shown), (command["words"], line, shown)
    kept = [path for path in Path(os.environ["HOME"]).rglob("*") if path.is_file() and path.name != ".vault-mail"]
    assert any(path.name == "run.json" for path in kept)
    assert not [path for path in kept if team.secret in path.read_text(errors="replace")]


def test_with_the_sudo_password_in_a_file_the_vault_stays_closed(team: Team) -> None:
    (team.folder / "pw").write_text(f"{team.secret}\n")
    (team.folder / "pw").chmod(0o600)
    (Path(os.environ["HOME"]) / ".vault-mail").write_text("another\n")
    done = team.type("pfremote status mail")
    assert done.returncode == 2
    assert "group_vars/mail/vault.yml:1: this file cannot be decrypted: the vault password is wrong" in done.stderr
    (team.folder / "ansible.cfg").write_text(
        "[defaults]\ninventory=inventory/hosts.yml\n[ssh_connection]\nssh_args=-F ssh.cfg\n"
    )
    done = team.type("pfremote status mail --become-password-file pw")
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == ["mx1  clean", "mx2  clean", "submit1  clean"]
    done = team.type("pfremote status mail")
    assert done.returncode == 2
    assert "vault_become_password is not set; it may be in the encrypted" in done.stderr
