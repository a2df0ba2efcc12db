"""Host keys: which are accepted, which refused, and what the refusal says; over both ssh transports."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pfremote.errors import HostKeyRejected
from pfremote.model.target import Target
from pfremote.transport import Connection, ConnectOptions
from pfremote.transport.fabric import connect_with_fabric
from pfremote.transport.openssh import connect_with_ssh
from pfremote.transport.route import find_route, make_query
from tests.support.sshd import SshServer, make_key

pytestmark = pytest.mark.host

Open = Callable[..., Connection]
TARGET = Target("mx1", "mx1")


@pytest.fixture(params=["fabric", "openssh"])
def open_mx1(request: pytest.FixtureRequest, make_options: Callable[..., ConnectOptions]) -> Iterator[Open]:
    """Return what connects to mx1 by one of the two transports."""
    opened: list[Connection] = []

    def open_(server: SshServer, target: Target = TARGET, **changes: object) -> Connection:
        options = make_options(ssh_config=str(server.config), **changes)
        route = find_route(target, options)
        if request.param == "fabric":
            connection: Connection = connect_with_fabric(route, options)
        else:
            connection = connect_with_ssh(route, make_query(target, options), options, "the test asked")
        opened.append(connection)
        return connection

    yield open_
    for connection in opened:
        connection.close()


def fingerprint(public: str, folder: Path) -> str:
    """Return what ssh-keygen says, as the independent witness."""
    path = folder / "shown.pub"
    path.write_text(public + "\n")
    return subprocess.run(["ssh-keygen", "-lf", path], capture_output=True, text=True, check=True).stdout.split()[1]


def test_an_unknown_key_is_refused_with_all_that_is_needed(sshd: SshServer, open_mx1: Open, tmp_path: Path) -> None:
    sshd.known_hosts.unlink()
    with pytest.raises(HostKeyRejected) as caught:
        open_mx1(sshd)
    error = caught.value
    assert f"ssh-ed25519 {fingerprint(sshd.public_key(), tmp_path)}" in error.message
    assert sshd.name in error.message
    assert str(sshd.known_hosts) in error.message
    assert f"ssh-keyscan -t ed25519 -p {sshd.port} 127.0.0.1 >> {sshd.known_hosts}" in error.hint
    assert not sshd.known_hosts.exists()


def test_what_the_hint_says_works_when_typed(sshd: SshServer, open_mx1: Open) -> None:
    sshd.known_hosts.unlink()
    with pytest.raises(HostKeyRejected) as caught:
        open_mx1(sshd)
    command = caught.value.hint.partition("then type: ")[2]
    subprocess.run(command, shell=True, check=True, capture_output=True)  # noqa: S602 - typing what the hint says
    assert open_mx1(sshd).run(["echo", "in"], timeout=10).stdout == b"in\n"


def test_a_changed_key_is_refused_with_both_fingerprints_and_the_line(
    sshd: SshServer, open_mx1: Open, tmp_path: Path
) -> None:
    make_key(tmp_path / "old")
    old = " ".join((tmp_path / "old.pub").read_text().split()[:2])
    sshd.known_hosts.write_text(f"# a comment\n{sshd.name} {old}\n")
    for checking in ("strict", "accept-new"):
        with pytest.raises(HostKeyRejected) as caught:
            open_mx1(sshd, host_key_checking=checking)
        error = caught.value
        assert "has changed" in error.message
        assert fingerprint(sshd.public_key(), tmp_path) in error.message
        assert fingerprint(old, tmp_path) in error.message
        assert f"{sshd.known_hosts}:2" in error.message
        assert f"ssh-keygen -R '{sshd.name}' -f {sshd.known_hosts}" in error.hint
    assert sshd.known_hosts.read_text() == f"# a comment\n{sshd.name} {old}\n"


def test_accept_new_writes_an_unknown_key_down_once(sshd: SshServer, open_mx1: Open) -> None:
    sshd.known_hosts.write_text("# mine\n")
    sshd.write_config("HashKnownHosts no")
    assert open_mx1(sshd, host_key_checking="accept-new").run(["true"], timeout=10).exit_status == 0
    lines = sshd.known_hosts.read_text().splitlines()
    assert lines == ["# mine", f"{sshd.name} {sshd.public_key()}"]
    open_mx1(sshd)
    assert sshd.known_hosts.read_text().splitlines() == lines


def test_accept_new_hashes_the_name_where_ssh_config_says_so(sshd: SshServer, open_mx1: Open) -> None:
    sshd.known_hosts.unlink()
    sshd.write_config("HashKnownHosts yes")
    open_mx1(sshd, host_key_checking="accept-new")
    assert sshd.known_hosts.read_text().startswith("|1|")
    found = subprocess.run(
        ["ssh-keygen", "-F", sshd.name, "-f", str(sshd.known_hosts)], capture_output=True, check=False
    )
    assert found.returncode == 0
    open_mx1(sshd)


def test_stricthostkeychecking_no_in_config_or_inventory_opens_nothing(sshd: SshServer, open_mx1: Open) -> None:
    sshd.known_hosts.unlink()
    sshd.write_config("StrictHostKeyChecking no")
    loose = Target("mx1", "mx1", ssh_common_args=("-o", "StrictHostKeyChecking=no"))
    with pytest.raises(HostKeyRejected):
        open_mx1(sshd, loose)


def test_hashed_lines_are_read(sshd: SshServer, open_mx1: Open) -> None:
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(sshd.known_hosts)], check=True, capture_output=True)
    assert "|1|" in sshd.known_hosts.read_text()
    open_mx1(sshd)


@pytest.mark.parametrize("line", ["127.0.0.1 {key}", "[127.0.0.?]:* {key}", "x,[127.*]:{port},y {key} comment"])
def test_patterns_and_the_name_without_port_are_read(sshd: SshServer, open_mx1: Open, line: str) -> None:
    sshd.known_hosts.write_text(line.format(key=sshd.public_key(), port=sshd.port) + "\n")
    open_mx1(sshd)


def test_a_negated_pattern_rules_its_line_out(sshd: SshServer, open_mx1: Open) -> None:
    sshd.known_hosts.write_text(f"*,!{sshd.name},!127.0.0.1 {sshd.public_key()}\n")
    with pytest.raises(HostKeyRejected):
        open_mx1(sshd)


def test_the_global_file_counts(sshd: SshServer, open_mx1: Open, tmp_path: Path) -> None:
    sshd.known_hosts.rename(tmp_path / "global")
    sshd.write_config(f"GlobalKnownHostsFile {tmp_path / 'global'}")
    open_mx1(sshd)


def test_hostkeyalias_is_the_name_that_counts(sshd: SshServer, open_mx1: Open) -> None:
    sshd.known_hosts.write_text(f"mailserver {sshd.public_key()}\n")
    with pytest.raises(HostKeyRejected):
        open_mx1(sshd)
    sshd.write_config("HostKeyAlias mailserver")
    open_mx1(sshd)


def test_a_revoked_key_is_refused_although_it_is_known(sshd: SshServer, open_mx1: Open) -> None:
    sshd.trust(marker="@revoked")
    for checking in ("strict", "accept-new"):
        with pytest.raises(HostKeyRejected, match=re.escape(f"marked @revoked in {sshd.known_hosts}:2")):
            open_mx1(sshd, host_key_checking=checking)


def test_a_key_type_on_file_is_asked_for(tmp_path: Path, open_mx1: Open) -> None:
    with SshServer(tmp_path / "two", host_keys=("ed25519", "ecdsa", "rsa")) as server:
        server.write_config()
        for kind in ("rsa", "ecdsa"):
            server.known_hosts.unlink(missing_ok=True)
            server.trust(kind)
            open_mx1(server)


@pytest.mark.parametrize("place", ["/dev/null", "none"])
def test_accept_new_without_a_file_to_remember_is_refused(sshd: SshServer, open_mx1: Open, place: str) -> None:
    sshd.write_config(f"UserKnownHostsFile {place}")
    with pytest.raises(HostKeyRejected, match="no place to keep it"):
        open_mx1(sshd, host_key_checking="accept-new")
