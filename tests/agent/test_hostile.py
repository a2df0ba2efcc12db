"""The agent as the privilege boundary: what a user could try who may run it as root and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import unquote

import pytest

from pfremote.agent.install import make_helper
from pfremote.agent.protocol import decode_reply
from pfremote.agent.read_facts import read_leases
from tests.support.agent import LEASE, SHELLS, HostAgent, Snapshot

WHOLE = ("seconds=60", f"lease={LEASE}", "guard=process", "volatile=yes")


@pytest.fixture
def helper(dash_agent: HostAgent) -> Path:
    """Install the agent as ``pfremote bootstrap`` does, and return its path."""
    path = dash_agent.host.root / "pfremote-agent"
    path.write_bytes(make_helper())
    path.chmod(0o755)
    return path


def call(helper: Path, *words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run the installed agent, as sudo would for an account that may run nothing else."""
    return subprocess.run([helper, *words], capture_output=True, env=env, check=False, stdin=subprocess.DEVNULL)


def codes(helper: Path, agent: HostAgent, *words: str) -> list[str]:
    """Arm with these words and return the codes of the refusals."""
    run = call(helper, "arm", f"instance={agent.host.config_directory}", *WHOLE, *words)
    assert run.returncode == 3, run
    assert b"invented" not in run.stdout + run.stderr
    return [reason.code for reason in decode_reply(run.stdout).refusals]


def test_a_private_file_cannot_become_a_peer_list(helper: Path, dash_agent: HostAgent) -> None:
    """A verbose smtpd logs each pattern it compares with: /etc/shadow as /file would be quoted in the evidence."""
    secret = dash_agent.host.root / "secret"
    secret.write_text("root:$6$invented\n")
    secret.chmod(0o600)
    for peer in (f"peer={secret}", f"peer=!{secret}", f"peer=texthash:{secret}", f"peer=regexp:{secret}"):
        assert codes(helper, dash_agent, peer) == ["private-file"], peer


def test_who_is_root_anyway_may_keep_the_list_private(dash_agent: HostAgent) -> None:
    peers = dash_agent.host.root / "peers"
    peers.write_text("127.0.0.1\n")
    peers.chmod(0o600)
    assert dash_agent.arm(f"peer={peers}", seconds=60).exit_status == 0


def test_a_readable_file_in_a_private_folder_is_private_too(helper: Path, dash_agent: HostAgent) -> None:
    folder = dash_agent.host.root / "closed"
    folder.mkdir(mode=0o700)
    (folder / "peers").write_text("192.0.2.1\n")
    (folder / "peers").chmod(0o644)
    assert codes(helper, dash_agent, f"peer={folder / 'peers'}") == ["private-file"]


def test_a_configuration_directory_of_somebody_else_is_not_used(helper: Path, dash_agent: HostAgent) -> None:
    """Postfix runs programs that main.cf names, as root."""
    theirs = Path("/tmp") / f"pfremote-evil-{os.getpid()}"
    shutil.copytree(dash_agent.host.config_directory, theirs)
    try:
        for path in (theirs, theirs / "main.cf"):
            os.chown(path, 65534, 65534)
        run = call(helper, "arm", f"instance={theirs}", *WHOLE, "peer=127.0.0.1")
        assert [reason.code for reason in decode_reply(run.stdout).refusals] == ["unsafe-instance"]
    finally:
        shutil.rmtree(theirs)


@pytest.fixture
def theirs(dash_agent: HostAgent) -> Path:
    """Return a folder that everybody may enter and that belongs to somebody else."""
    folder = dash_agent.host.root / "theirs"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    folder.chmod(0o755)
    return folder


@pytest.mark.parametrize("kind", ["", "!", "regexp:", "cidr:", "texthash:", "hash:", "proxy:texthash:", "sqlite:"])
def test_a_list_that_somebody_else_could_swap_is_refused(
    helper: Path, dash_agent: HostAgent, theirs: Path, kind: str
) -> None:
    """What is harmless when we look may be a link to /etc/shadow when smtpd, still root, opens it."""
    (theirs / "list").write_text("192.0.2.1 x\n")
    (theirs / "link").symlink_to("/etc/hostname")
    (theirs / "list").chmod(0o644)
    for name in ("list", "link"):
        assert codes(helper, dash_agent, f"peer={kind}{theirs / name}") == ["unsafe-file"]


@pytest.mark.parametrize(
    "peer", ["tcp:127.0.0.1:9", "unix:passwd.byname", "socketmap:unix:/run/x:y", "proxy:unix:passwd.byname", "fail:x"]
)
def test_a_table_that_is_no_file_is_refused(helper: Path, dash_agent: HostAgent, peer: str) -> None:
    """RequestOptions as root, it would talk to whatever its name says."""
    assert codes(helper, dash_agent, f"peer={peer}") == ["unsafe-table"]


@pytest.mark.parametrize(
    "peer",
    [
        "inline:{a=b}, /etc/hostname, inline:{c=d}",
        "inline:{a=b} static:all inline:{c=d}",
        "inline:{{a=b}, c}, static:all",
        "-qx:y",
    ],
)
def test_one_peer_is_one_pattern(helper: Path, dash_agent: HostAgent, peer: str) -> None:
    assert codes(helper, dash_agent, f"peer={peer}") == ["bad-peer"]


def test_roots_own_list_and_tables_can_be_peers(helper: Path, dash_agent: HostAgent) -> None:
    """Below /etc/postfix, say; here in a folder of root's."""
    folder = dash_agent.host.config_directory
    (folder / "peers").write_text("192.0.2.1\n")
    (folder / "table").write_text("192.0.2.1 x\n")
    for path in (folder / "peers", folder / "table"):
        path.chmod(0o644)
    inline = "inline:{a.example.jp=x, b.example.jp=x}"
    words = [f"peer={folder}/peers", f"peer=texthash:{folder}/table", f"peer=cidr:{folder}/table", f"peer={inline}"]
    run = call(helper, "arm", f"instance={folder}", *WHOLE, *words)
    assert run.returncode == 0, run
    dash_agent.ask("revert", f"lease={LEASE}")


def test_a_link_to_an_instance_is_followed_once_and_for_all(helper: Path, dash_agent: HostAgent, theirs: Path) -> None:
    """Whoever owns the link could lead the second look elsewhere, and Postfix runs programs that main.cf names."""
    (theirs / "link").symlink_to(dash_agent.host.config_directory)
    run = call(helper, "status", f"instance={theirs / 'link'}")
    assert decode_reply(run.stdout).one("config_directory") == str(dash_agent.host.config_directory)


@pytest.mark.parametrize("spelling", ["{}/", "{}/.", "/{}", "{}/../postfix", "link"])
def test_an_instance_by_another_name_is_the_same_instance(dash_agent: HostAgent, spelling: str) -> None:
    """Two states for one main.cf would each restore the other's debugging."""
    before = Snapshot.of(dash_agent.host.main_cf)
    folder = dash_agent.host.config_directory
    link = dash_agent.host.root / "link"
    link.symlink_to(folder)
    other = f"instance={link if spelling == 'link' else spelling.format(folder)}"
    assert dash_agent.arm("peer=192.0.2.1", seconds=60).exit_status == 0
    second = dash_agent.call("arm", other, *WHOLE[:1], "lease=abcdefabcdef", *WHOLE[2:], "peer=192.0.2.2")
    if second.exit_status == 0:
        assert second.reply is not None and len(second.reply.every("other")) == 1
    dash_agent.ask("revert", f"lease={LEASE}")
    dash_agent.call("revert", other, "lease=abcdefabcdef")
    assert Snapshot.of(dash_agent.host.main_cf) == before
    assert dash_agent.ask("status").one("clean") == "yes"


@pytest.mark.parametrize("word", ["drain=08", "seconds=0600", "stop_after=010", "for=09", "max_log=00"])
def test_a_number_that_the_shell_reads_otherwise_is_refused(dash_agent: HostAgent, word: str) -> None:
    """An arithmetic expansion takes 08 for a broken octal number and ends the shell: the watcher's, of all leases."""
    run = dash_agent.arm(word)
    assert run.reply is not None and [reason.code for reason in run.reply.refusals] == ["bad-argument"]


def test_too_many_peers_are_not_looked_at_one_by_one(dash_agent: HostAgent) -> None:
    started = time.monotonic()
    run = dash_agent.arm(*(f"peer=192.0.2.{n}" for n in range(3000)))
    assert run.reply is not None and [reason.code for reason in run.reply.refusals] == ["too-many-peers"]
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("shell", SHELLS)
def test_a_full_tmp_neither_stops_the_agent_nor_its_checks(dash_agent: HostAgent, shell: str) -> None:
    """bash keeps a here-document in /tmp, which any user can fill: what was checked in one would pass unchecked."""
    agent = HostAgent(dash_agent.host, shell)
    root = dash_agent.host.root
    fullness = (
        f"mkdir -p /run/{root.name} && mount --bind {root} /run/{root.name} && mount -t tmpfs -o size=64k tmpfs /tmp && "
        f"mkdir -m 711 {root} && mount --bind /run/{root.name} {root} && "
        '{ cat /dev/zero >/tmp/full 2>/dev/null || :; } && exec "$@"'
    )
    full = HostAgent(dash_agent.host, f"unshare -m --propagation private sh -c '{fullness}' sh {shell}")
    patterns = [f"peer={'a' * 200}{number}.example.jp" for number in range(60)]
    try:
        run = full.arm(*patterns, "peer=a b")
        assert run.reply is not None and [reason.code for reason in run.reply.refusals] == ["bad-peer"]
        assert agent.arm(seconds=600).exit_status == 0
        reply = full.ask("revert", f"lease={LEASE}")
        assert (reply.one("clean"), reply.one("lease.reload")) == ("yes", "seen")
    finally:
        Path(f"/run/{root.name}").rmdir()


@pytest.mark.parametrize(
    "instance",
    ["/etc/../tmp/x", "/tmp/$(id)", "/tmp/a b", "-x", "/no/such/folder", "`id`", "/etc/passwd"],
)
def test_a_strange_instance_is_refused(helper: Path, instance: str) -> None:
    run = call(helper, "status", f"instance={instance}")
    assert run.returncode == 3
    assert run.stdout.splitlines()[-1] == b"end=refused"


def test_the_environment_cannot_lead_it_astray(helper: Path, dash_agent: HostAgent, tmp_path: Path) -> None:
    """PATH, IFS, MAIL_CONFIG, ENV and TMPDIR are set or dropped before anything is run."""
    trap = tmp_path / "bin"
    trap.mkdir()
    for name in ("postconf", "postfix", "cat", "awk", "id", "stat", "sync"):
        (trap / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
        (trap / name).chmod(0o755)
    before = Snapshot.of(dash_agent.host.main_cf)
    environment = {
        "PATH": f"{trap}:/usr/bin:/bin",  # sudo sets its own; the agent does not rely on that
        "IFS": "/",
        "MAIL_CONFIG": "/nowhere",
        "ENV": str(tmp_path / "env"),
        "TMPDIR": str(tmp_path / "none"),
        "PFREMOTE_SELF": "touch /sprung",
        "SUDO_USER": "x;touch /sprung\n",
        # what the agent looks up once and then knows
        **{"ME": "1 1", "I_version": "9", "E_OF": str(dash_agent.host.config_directory), "JOURNAL_BASE": "7"},
    }
    words = [f"instance={dash_agent.host.config_directory}", *WHOLE, "peer=127.0.0.1"]
    run = call(helper, "arm", *words, env=environment)
    assert run.returncode == 0, run
    assert not (tmp_path / "sprung").exists() and not Path("/sprung").exists()
    dash_agent.ask("revert", f"lease={LEASE}")
    assert Snapshot.of(dash_agent.host.main_cf) == before


def test_a_lease_id_is_no_path(dash_agent: HostAgent) -> None:
    dash_agent.arm(seconds=60)
    for lease in ("../../etc", "0123456789AB", "0123456789ab/..", "", "x" * 12, "all "):
        for verb in ("collect", "forget", "revert", "extend"):
            run = dash_agent.call(verb, f"lease={lease}", "seconds=5" if verb == "extend" else "why=request")
            assert run.exit_status == 3, (verb, lease)
    assert (dash_agent.state / "leases" / LEASE / "active").exists()


@pytest.mark.parametrize("inside", ["leases", "."])
def test_links_in_the_state_folder_are_not_followed(dash_agent: HostAgent, tmp_path: Path, inside: str) -> None:
    dash_agent.arm(seconds=60)
    dash_agent.ask("revert", f"lease={LEASE}")
    victim = dash_agent.host.root / "victim"
    victim.mkdir(mode=0o700)
    place = dash_agent.state / inside if inside != "." else dash_agent.state
    target = place.resolve()
    moved = dash_agent.host.root / "moved"
    shutil.move(target, moved)
    target.symlink_to(victim)
    try:
        run = dash_agent.arm(seconds=60)
        assert run.exit_status == 3, run
        assert list(victim.iterdir()) == []
    finally:
        target.unlink()
        shutil.move(moved, target)


def test_words_from_outside_never_reach_a_shell(dash_agent: HostAgent, tmp_path: Path) -> None:
    mark = tmp_path / "sprung"
    evil = f"$(touch {mark}) `touch {mark}` ; touch {mark} | touch {mark} 'x\" %s %n"
    reply = dash_agent.arm(f"reason={evil}", seconds=60).reply
    assert reply is not None and reply.outcome == "ok"
    for told in (reply, dash_agent.ask("status")):
        assert read_leases(told)[0].reason == evil
    history = dash_agent.ask("history").every("history")
    assert unquote(history[-1]).endswith(f"reason={evil}")
    dash_agent.ask("revert", f"lease={LEASE}")
    assert not mark.exists()
