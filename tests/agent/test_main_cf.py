"""main.cf as it is found in the field: odd layout, links, modes, lists of access; and what others do to it in the window."""

from __future__ import annotations

import os
import shutil
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


#: What is added to main.cf, or made of it.
FIELD_FINDS: dict[str, bytes] = {
    "latin-1": b"# Gr\xfc\xdfe\nmail_name = M\xfcller\n",
    "utf-8": "smtpd_banner = $myhostname — ようこそ\n".encode(),
    "a backslash at the end of lines": b"debug_peer_list = 192.0.2.1 \\\n\nmail_name = a\\\n",
    "a backslash at the very end": b"mail_name = a\\",
    "a comment at the very end": b"# debug_peer_list = here",
    "an empty value": b"debug_peer_list =\ndebug_peer_level =2\n",
    "a continuation at the very end": b"debug_peer_list = 192.0.2.1,\n\t192.0.2.2,",
    "blanks at the very end": b"debug_peer_list = 192.0.2.1\n   \n \t",
    "expansion": b"own = 192.0.2.1\ndebug_peer_list = $own, ${own?x.example.jp}, $mynetworks\n",
    "expansion of a level": b"own = 1\nsmtpd_tls_loglevel = $own\n",
    "levels by name": b"smtpd_tls_loglevel = summary, cache\n",
    "a level with a zero before": b"smtpd_tls_loglevel = 01\ndebug_peer_level = 01\n",
    "a dollar": b"smtpd_banner = costs 5$$ a month\n",
    "duplicates": b"debug_peer_list = a.example.jp\ndebug_peer_list = b.example.jp\ndebug_peer_level = 1\ndebug_peer_level = 1\n",
    "an inline table with blanks": b"debug_peer_list = inline:{a.example.jp=x,   b.example.jp=x}\n",
    "a long list": b"debug_peer_list =\n" + b"".join(b"  host%d.example.jp,\n" % n for n in range(2000)),
}


def explicit(agent: HostAgent) -> list[bytes]:
    """Return what main.cf sets, whatever its characters."""
    names = ("debug_peer_list", "debug_peer_level", "smtpd_tls_loglevel", "mail_name", "smtpd_banner")
    words = ["postconf", "-c", str(agent.host.config_directory), "-n", *names]
    return sorted(subprocess.run(words, check=True, capture_output=True).stdout.splitlines())


@pytest.mark.parametrize("find", FIELD_FINDS)
def test_what_is_found_in_the_field_is_armed_and_comes_back(dash_agent: HostAgent, find: str) -> None:
    main_cf = dash_agent.host.main_cf
    main_cf.write_bytes(main_cf.read_bytes() + FIELD_FINDS[find])
    os.utime(main_cf, (1_000_000_000, 1_000_000_000))
    before, values = Snapshot.of(main_cf), explicit(dash_agent)
    reply = dash_agent.arm("smtpd_tls=2", seconds=600).reply
    assert reply is not None and reply.outcome == "ok", reply
    assert any(text.startswith("debug_peer_list 127.0.0.1") for text in reply.every("value"))
    assert dash_agent.ask("revert", f"lease={LEASE}").one("clean") == "yes"
    assert Snapshot.of(main_cf) == before
    dash_agent.arm("smtpd_tls=2", seconds=600, lease="abcdefabcdef")
    edit(dash_agent, "-e", "x_theirs=1")
    assert dash_agent.ask("revert", "lease=abcdefabcdef").every("lease.conflict") == ()
    assert explicit(dash_agent) == values


def test_lines_that_end_as_on_windows_come_back(dash_agent: HostAgent) -> None:
    main_cf = dash_agent.host.main_cf
    main_cf.write_bytes(main_cf.read_bytes().replace(b"\n", b"\r\n") + b"debug_peer_level = 1\r\n")
    os.utime(main_cf, (1_000_000_000, 1_000_000_000))
    before = Snapshot.of(main_cf)
    reply = dash_agent.arm(seconds=600).reply
    assert reply is not None and "debug_peer_list 127.0.0.1" in reply.every("value")
    assert dash_agent.ask("revert", f"lease={LEASE}").one("clean") == "yes"
    assert Snapshot.of(main_cf) == before


def test_a_main_cf_that_postconf_cannot_keep_is_left_alone(dash_agent: HostAgent) -> None:
    """postconf ends a line at a NUL: the copy would lack what comes after it."""
    main_cf = dash_agent.host.main_cf
    main_cf.write_bytes(main_cf.read_bytes() + b"# a \0 nul\n")
    before = Snapshot.of(main_cf)
    run = dash_agent.arm(seconds=600)
    assert run.exit_status == 4 and run.reply is not None and run.reply.one("touched") == "no"
    assert Snapshot.of(main_cf) == before
    assert dash_agent.ask("status").one("clean") == "yes"
    assert dash_agent.leftovers() == []


def test_a_main_cf_without_compatibility_level_makes_no_noise(dash_agent: HostAgent) -> None:
    """Every Postfix program warns of it on stderr."""
    main_cf = dash_agent.host.main_cf
    lines = main_cf.read_bytes().splitlines(keepends=True)
    main_cf.write_bytes(b"".join(line for line in lines if not line.startswith(b"compatibility_level")))
    os.utime(main_cf, (1_000_000_000, 1_000_000_000))
    before = Snapshot.of(main_cf)
    run = dash_agent.arm(seconds=600)
    assert (run.exit_status, run.stderr) == (0, "")
    assert dash_agent.ask("revert", f"lease={LEASE}").one("clean") == "yes"
    assert Snapshot.of(main_cf) == before


def test_a_look_beside_an_arm_leaves_what_is_about_to_be_swapped_in(dash_agent: HostAgent) -> None:
    """It takes no lock: an arm or a check beside a swap once emptied the file that became main.cf (seen)."""
    folder = dash_agent.host.main_cf.parent
    dash_agent.arm(seconds=600)
    (orig,) = folder.glob(".pfremote-*.orig")
    new = orig.with_suffix(".new")
    new.write_text("mine\n")
    assert dash_agent.arm("check=yes", lease="abcdefabcdef").exit_status == 0
    assert new.read_text() == "mine\n"
    assert list(folder.glob(".pfremote-*.try*")) == []
    assert dash_agent.ask("revert", f"lease={LEASE}").one("clean") == "yes"


@pytest.mark.parametrize("verb", ["status", "revert lease=all"])
@pytest.mark.parametrize("state", ["kept", "none yet"])
def test_what_a_killed_look_left_is_removed_by_the_next(dash_agent: HostAgent, state: str, verb: str) -> None:
    """It is made before there is a state folder, and its number may be another process's by now (seen after a power cut)."""
    folder = dash_agent.host.main_cf.parent
    dash_agent.arm(seconds=600)
    (orig,) = folder.glob(".pfremote-*.orig")
    assert dash_agent.ask("revert", f"lease={LEASE}").one("clean") == "yes"
    if state == "none yet":
        shutil.rmtree(dash_agent.state)
    left = [orig.with_suffix(f".try.{number}") for number in (os.getpid(), 4194305)]  # the last is beyond pid_max
    for file in left:
        file.touch()
    reply = dash_agent.ask(*verb.split())
    assert (reply.every("dirty"), reply.one("clean")) == ((), "yes")
    assert not [file for file in left if file.exists()]
