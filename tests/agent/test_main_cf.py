"""main.cf as it is found in the field: odd layout, links, modes, lists of access; and what others do to it in the window."""

from __future__ import annotations

import os
import struct
import subprocess

import pytest

from tests.agent.test_conflict import edit, value
from tests.support.agent import LEASE, HostAgent, Snapshot

ODD = b"""
debug_peer_list = 192.0.2.1
# a comment inside a value
   192.0.2.2

# duplicates: the last one counts
debug_peer_list =
# another
\t192.0.2.3,
   # and an indented one
\t!192.0.2.4
debug_peer_level   =   1
smtpd_tls_loglevel = 1
smtpd_tls_loglevel=0
"""


def write_odd(agent: HostAgent) -> Snapshot:
    """Give main.cf an odd layout of our own parameters."""
    agent.host.main_cf.write_bytes(agent.host.main_cf.read_bytes() + ODD)
    os.utime(agent.host.main_cf, (1_000_000_000, 1_000_000_000))
    return Snapshot.of(agent.host.main_cf)


def test_an_odd_layout_comes_back_byte_for_byte(agent: HostAgent) -> None:
    before = write_odd(agent)
    reply = agent.arm("smtpd_tls=2", seconds=600).reply
    assert reply is not None and reply.outcome == "ok"
    assert "debug_peer_list 127.0.0.1, 192.0.2.3, !192.0.2.4" in reply.every("value")
    assert agent.ask("revert", f"lease={LEASE}").one("lease.restored") == "bytes"
    assert Snapshot.of(agent.host.main_cf) == before
    assert agent.leftovers() == []


def test_an_odd_layout_that_was_edited_comes_back_value_for_value(agent: HostAgent) -> None:
    write_odd(agent)
    names = ("debug_peer_list", "debug_peer_level", "smtpd_tls_loglevel")
    values = [value(agent, name) for name in names]
    agent.arm("smtpd_tls=2", seconds=600)
    edit(agent, "-e", "mail_name=Theirs")
    reply = agent.ask("revert", f"lease={LEASE}")
    assert (reply.one("lease.restored"), reply.every("lease.conflict")) == ("params", ())
    assert [value(agent, name) for name in names] == values
    assert value(agent, "mail_name") == "mail_name = Theirs"


def test_configuration_management_writes_its_own_file_again(agent: HostAgent) -> None:
    """It renames a new file over ours, as Ansible, Puppet and Salt do: without our parameters, nothing is left to do."""
    agent.arm(seconds=600)
    managed = agent.host.root / "managed"
    managed.write_bytes((agent.state / "baseline/main.cf").read_bytes() + b"mail_name = Managed\n")
    managed.rename(agent.host.main_cf)
    after = Snapshot.of(agent.host.main_cf)
    reply = agent.ask("revert", f"lease={LEASE}")
    assert (reply.one("clean"), reply.every("lease.conflict")) == ("yes", ())
    assert Snapshot.of(agent.host.main_cf).data == after.data
    assert agent.leftovers() == []


def test_a_file_replaced_by_a_link_stays_a_link(agent: HostAgent) -> None:
    agent.arm(seconds=600)
    managed = agent.host.root / "managed-main.cf"
    agent.host.main_cf.rename(managed)
    agent.host.main_cf.symlink_to(managed)
    before = (agent.state / "baseline/main.cf").read_bytes()
    reply = agent.ask("revert", f"lease={LEASE}")
    assert reply.one("clean") == "yes"
    assert agent.host.main_cf.is_symlink()
    assert managed.read_bytes() == before
    assert agent.leftovers() == []
    assert [path.name for path in agent.host.root.iterdir() if "pfremote" in path.name] == []


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_any_mode_comes_back(dash_agent: HostAgent, mode: int) -> None:
    dash_agent.host.main_cf.chmod(mode)
    before = Snapshot.of(dash_agent.host.main_cf)
    assert dash_agent.arm(seconds=600).exit_status == 0
    assert dash_agent.host.main_cf.stat().st_mode & 0o777 == mode
    dash_agent.ask("revert", f"lease={LEASE}")
    assert Snapshot.of(dash_agent.host.main_cf) == before


def test_a_mode_that_somebody_changed_in_the_window_stays(agent: HostAgent) -> None:
    before = Snapshot.of(agent.host.main_cf)
    agent.arm(seconds=600)
    agent.host.main_cf.chmod(0o640)
    os.chown(agent.host.main_cf, 0, 8)
    reply = agent.ask("revert", f"lease={LEASE}")
    assert reply.one("clean") == "yes"
    after = Snapshot.of(agent.host.main_cf)
    assert after.data == before.data
    assert (after.mode & 0o777, after.owner) == (0o640, (0, 8))


def test_an_access_list_is_kept_and_comes_back(dash_agent: HostAgent) -> None:
    """acl(5): one more user may read. The file in the window has the same list."""
    # linux/posix_acl_xattr.h: version 2; then tag, permissions, id: owner rw, user 8 r, group r, mask r, other r
    entries = [(0x01, 6, 0xFFFFFFFF), (0x02, 4, 8), (0x04, 4, 0xFFFFFFFF), (0x10, 4, 0xFFFFFFFF), (0x20, 4, 0xFFFFFFFF)]
    access = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    main_cf = dash_agent.host.main_cf
    try:
        os.setxattr(main_cf, "system.posix_acl_access", access)
    except OSError as exc:
        pytest.skip(f"no access lists on this file system: {exc}")
    before = Snapshot.of(main_cf)
    assert dash_agent.arm(seconds=600).exit_status == 0
    assert os.getxattr(main_cf, "system.posix_acl_access") == access
    dash_agent.ask("revert", f"lease={LEASE}")
    assert os.getxattr(main_cf, "system.posix_acl_access") == access
    assert Snapshot.of(main_cf) == before


def test_a_postconf_that_never_stops_loses_nothing(dash_agent: HostAgent) -> None:
    """Somebody's script runs postconf -e all the time while leases come and go: each of its edits stands at the end."""
    folder = str(dash_agent.host.config_directory)
    loop = "for n in $(seq 1 40); do postconf -c $0 -e x_$n=$n || exit 1; done"
    with subprocess.Popen(["sh", "-c", loop, folder]) as editor:
        for number in range(4):
            assert dash_agent.arm(seconds=600, lease=f"{number:012x}").exit_status == 0
            dash_agent.ask("revert", f"lease={number:012x}")
    assert editor.returncode == 0
    text = dash_agent.host.main_cf.read_text()
    assert [number for number in range(1, 41) if f"x_{number} = {number}\n" not in text] == []
    assert "debug_peer" not in text
    assert dash_agent.ask("status").one("clean") == "yes"
