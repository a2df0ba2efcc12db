"""Cases D1 to D8 and C3 (tests/fixtures/cases/security): what an account with the helper's sudoers line tried, and its kind.

D1-nested-peer-file-outage, D2-nested-peer-file-disclosure, D3-private-main-cf, D4-log-argument-reads-other-logs,
D5-forbid-peer-by-next-hop, D6-content-no-with-verbose-service, D7-resource-limits, D8-one-account-blocks-and-forges,
C3-c1-control-blocks-collect.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import unquote

import pytest

from pfremote.agent.protocol import decode_reply
from pfremote.agent.read_facts import read_leases
from tests.support.agent import LEASE, HostAgent, Snapshot
from tests.support.helper import Helper, write

SECRET = "Gr4nite77"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("/usr/local/lib\n", "missing-file"),
        ("192.0.2.1 !/usr/local/lib\n", "missing-file"),
        ("192.0.2.1,/dev/zero\n", "unsafe-file"),
        ("# nothing\n\n", "no-peer"),
        ("! 192.0.2.5\n", "bad-peer"),
        ("192.0.2.5 !! !\n", "bad-peer"),
        ("192.0.2.5,!\n", "bad-peer"),
        ("$mynetworks\n", "bad-peer"),
        ("a;b\n", "bad-peer"),
        ("tcp:127.0.0.1:9\n", "unsafe-table"),
        ("proxy:unix:passwd.byname\n", "unsafe-table"),
        ("0.0.0.0/0\n", "all-peers"),
        ("/no/such/file\n", "missing-file"),
        ("FOLDER/list\n", "bad-peer"),
        ("x" * 300, "bad-peer"),
        ("192.0.2.1\n" * 4000, "too-many-peers"),
    ],
)
def test_what_a_peer_file_may_not_hold(helper: Helper, folder: Path, text: str, code: str) -> None:
    """D1: Postfix reads words that begin with "/" as files again, and dies of folders and of a lone "!"."""
    path = write(folder / "list", text.replace("FOLDER", str(folder)))
    for peer in (f"peer={path}", f"peer=!{path}"):
        assert helper.codes(peer) == [code]
    if code != "unsafe-table":  # root may name any table
        assert helper.agent.arm(f"peer={path}").exit_status == 3


def test_files_that_every_debian_has_are_refused(helper: Helper) -> None:
    """D1."""
    for name in ("/etc/ld.so.conf.d/libc.conf", "/etc/logrotate.conf", "/etc/hosts.allow", "/etc/fstab"):
        if Path(name).exists():
            assert helper.codes(f"peer={name}"), name


def test_a_peer_file_becomes_its_patterns_and_keeps_its_name(helper: Helper, folder: Path) -> None:
    """As match_list.c reads it: files in files, "!" for all of one, comments, words parted by commas and blanks."""
    write(folder / "inner", "192.0.2.7, !192.0.2.8\n\n  inner.example.jp  # 192.0.2.99\n")
    path = write(
        folder / "list", f"# 192.0.2.99\n!!192.0.2.1\t,[2001:db8::1]\r\n!{folder}/inner,!static:all\n  #x\n192.0.2.0/24"
    )
    expected = "192.0.2.1, [2001:db8::1], !192.0.2.7, 192.0.2.8, !inner.example.jp, !static:all, 192.0.2.0/24"
    reply = helper.arm(f"peer={path}", "all_peers=yes")
    assert f"debug_peer_list {expected}" in reply.every("value"), reply
    assert reply.every("lease.peer") == (str(path),)
    assert f"debug_peer_list = {expected}" in helper.agent.host.main_cf.read_text()


def test_a_public_list_that_names_a_private_file_is_refused(helper: Helper, folder: Path) -> None:
    """D2."""
    secret = write(folder / "sasl_passwd", f"[relay.example.jp]:587 relayuser:{SECRET}\n", 0o600)
    path = write(folder / "backup.list", f"/etc/hostname\n{secret}\n")
    assert helper.codes(f"peer={path}")[-1] in ("private-file", "bad-peer")
    path = write(folder / "backup.list", f"{secret}\n")
    assert helper.codes(f"peer={path}") == ["private-file"]
    assert SECRET.encode() not in helper.stdout


@pytest.mark.parametrize("form", ["{}", "!{}", "hash:{}", "texthash:{}", "regexp:{}", "sqlite:{}"])
def test_no_answer_tells_whether_a_hidden_file_exists(helper: Helper, folder: Path, form: str) -> None:
    """D3."""
    hidden = folder / "hidden"
    hidden.mkdir(mode=0o700)
    write(hidden / "there", "192.0.2.1 x\n")
    write(hidden / "there.db", "")
    (folder / "link").symlink_to(hidden)
    answers = []
    for name in ("there", "not"):
        for place in (hidden / name, folder / "link" / name):
            helper.arm("peer=" + form.format(place))
            answers.append(helper.stdout.replace(str(place).encode(), b"PLACE"))
            helper.call("probe", "peer=" + form.format(place))
            assert b"missing_file" not in helper.stdout
            helper.call("status")
    assert answers[0] == answers[2] and answers[1] == answers[3]


def test_no_answer_tells_whether_a_hidden_instance_exists(helper: Helper, folder: Path) -> None:
    """D3."""
    hidden = folder / "hidden"
    hidden.mkdir(mode=0o700)
    write(hidden / "main.cf", "compatibility_level = 3.6\n")
    answers = []
    for place in (hidden, folder / "nothing" / "more", hidden / "nothing"):
        done = subprocess.run([helper.path, "status", f"instance={place}"], capture_output=True, check=False)
        answers.append([reason.code for reason in decode_reply(done.stdout).refusals])
    assert answers[0] == answers[2] == ["unsafe-instance"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_a_main_cf_that_is_not_public_is_not_handed_out(helper: Helper, mode: int) -> None:
    """D3."""
    main_cf = helper.agent.host.main_cf
    with main_cf.open("a") as out:
        out.write(f"smtp_sasl_password_maps = inline:{{[relay.example.jp]=relayuser:{SECRET}}}\n")
    main_cf.chmod(mode)
    heard = b""
    for words in (("arm", "check=yes"), ("arm",), ("revert",), ("collect",)):
        reply = helper.arm(*words[1:]) if words[0] == "arm" else helper.call(words[0], f"lease={LEASE}")
        assert reply.outcome == "ok", reply
        assert [reason.code for reason in reply.warnings] == (["private-main-cf"] if mode != 0o644 else [])
        heard += b"".join(reply.payloads.values())
    assert (SECRET.encode() in heard) == (mode == 0o644)
    assert b"debug_peer_list = 192.0.2.1\n" in heard
    Path(main_cf).write_text(main_cf.read_text().split("smtp_sasl_password_maps")[0])


def test_an_account_may_name_no_log_but_the_one_that_is_found(helper: Helper) -> None:
    """D4."""
    log = helper.agent.host.maillog
    for place in ("/var/log/dpkg.log", "/var/log/no-such-log", "/var/log/journal/x"):
        assert helper.codes(f"log=file:{place}") == ["unsafe-log"]
        reply = helper.call("probe", f"log=file:{place}")
        assert [reason.code for reason in reply.refusals] == ["unsafe-log"]
    helper.policy.write_text("allow_log = /var/log/dpkg.log\n")
    assert helper.call("probe", "log=file:/var/log/dpkg.log").outcome == "ok"
    assert log


def test_a_log_behind_a_link_is_not_read(helper: Helper) -> None:
    """D4."""
    log = helper.agent.host.maillog
    log.rename(log.with_name("real"))
    log.symlink_to(log.with_name("real"))
    assert helper.codes() == ["unsafe-log"]


ADDRESS = "127.0.0.9"


@pytest.mark.parametrize(
    ("forbidden", "peer"),
    [
        (ADDRESS, peer)
        for peer in (
            ADDRESS,
            f"[{ADDRESS}]",
            f"{ADDRESS}/32",
            f"[{ADDRESS}]/32",
            f"[::ffff:{ADDRESS}]",
            "[::FFFF:7f00:9]",
            "[0:0:0:0:0:ffff:7f00:0009]/128",
            f"[{ADDRESS}]:25",
            f"[{ADDRESS}]:46097",
            f"[::ffff:{ADDRESS}]:25",
            "relay.example.jp",
            "[relay.example.jp]:587",
            "inline:{relay.example.jp=x}",
            "static:all",
        )
    ]
    + [
        ("127.0.0.0/8", ADDRESS),
        ("127.0.0.0/8", "127.1.0.0/16"),
        ("[2001:db8::1]", "[2001:DB8:0:0::1]"),
        ("[2001:db8::]/32", "[2001:db8:5::/48]"),
        ("MX.example.jp.", "mx.Example.jp"),
        ("mx.example.jp", "mx.example.jp."),
        ("example.jp", "mx.example.jp"),
        (".example.jp", "[mx.example.jp]:25"),
        ("[mx.example.jp]:25", "mx.example.jp"),
        ("[192.0.2.7]:25", "192.0.2.7"),
    ],
)
def test_a_forbidden_peer_is_forbidden_in_every_spelling(helper: Helper, forbidden: str, peer: str) -> None:
    """D5."""
    helper.policy.write_text(f"forbid_peer = {forbidden}\n")
    assert set(helper.codes(f"peer={peer}", "all_peers=yes")) == {"policy"}


@pytest.mark.parametrize("peer", ["127.0.0.0/8", "127.0.0.8", "!127.0.0.9", "[::1]", "0.0.0.0/0", "[2001:db8::9]"])
def test_other_addresses_and_wider_networks_are_allowed_without_the_forbidden(helper: Helper, peer: str) -> None:
    """D5: what must go on to work."""
    helper.policy.write_text(f"forbid_peer = {ADDRESS}\n")
    reply = helper.arm(f"peer={peer}", "all_peers=yes")
    assert f"debug_peer_list !{ADDRESS}, {peer}" in reply.every("value"), reply


def test_names_may_be_debugged_where_the_policy_is_about_clients(helper: Helper) -> None:
    helper.policy.write_text(f"forbid_peer = {ADDRESS}\nforbid_next_hops = no\n")
    assert helper.arm("peer=relay.example.jp").outcome == "ok"
    assert helper.codes("peer=[127.0.0.9]:25") == ["policy"]


def test_no_content_holds_against_a_verbose_service(helper: Helper) -> None:
    """D6."""
    helper.policy.write_text("content = no\n")
    master_cf = helper.agent.host.config_directory / "master.cf"
    kept = master_cf.read_text()
    lines = [
        line + " -v" if line.rstrip().endswith("smtpd") and not line.startswith(" ") else line
        for line in kept.splitlines()
    ]
    assert lines != kept.splitlines()
    master_cf.write_text("\n".join(lines) + "\n")
    assert helper.codes("level=2", "allow_content=yes") == ["policy"]
    assert helper.codes("level=2") == ["content", "policy"]
    assert helper.arm("level=1", "check=yes").outcome == "ok"
    master_cf.write_text(kept.replace("smtpd\n", "smtpd\n  -o debug_peer_level=3\n", 1))
    assert helper.codes("level=1", "allow_content=yes") == ["policy"]
    master_cf.write_text(kept)


@pytest.mark.parametrize("line", ["debug_peer_level = 3\ndebug_peer_list = 192.0.2.9", "smtpd_tls_loglevel = 4"])
def test_no_content_holds_against_main_cfs_own_level(dash_agent: HostAgent, line: str) -> None:
    """D6."""
    kept = dash_agent.host.main_cf.read_text()
    dash_agent.host.main_cf.write_text(f"{kept}{line}\n")
    helper = Helper(dash_agent)
    assert helper.codes("level=2") == ["content"]
    helper.policy.write_text("content = no\n")
    assert helper.codes("level=2", "allow_content=yes") == ["policy"]
    dash_agent.host.main_cf.write_text(kept)


def test_the_callers_resource_limits_are_not_the_guards(helper: Helper) -> None:
    """D7."""
    words = (f"lease={LEASE}", "seconds=60", "guard=process", "volatile=yes", "peer=192.0.2.1")
    prefix = ("prlimit", "--cpu=30:", "--fsize=200000:", "--nofile=64:", "--as=900000000:")
    assert helper.call("arm", *words, prefix=prefix).outcome == "ok"
    pid = (helper.agent.state / "watch.pid").read_text().split()[0]
    limits = Path(f"/proc/{pid}/limits").read_text()
    for name in ("Max cpu time", "Max file size", "Max address space"):
        line = next(line for line in limits.splitlines() if line.startswith(name))
        assert line.split()[3] == "unlimited", line
    assert int(next(line for line in limits.splitlines() if line.startswith("Max open files")).split()[3]) >= 256


def test_limits_that_cannot_be_raised_are_refused(helper: Helper) -> None:
    """D7."""
    prefix = ("prlimit", "--cpu=30:30", "setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource")
    reply = helper.call("status", prefix=prefix)
    assert [reason.code for reason in reply.refusals] == ["resource-limits"]


def test_what_cannot_be_written_down_is_not_done(helper: Helper) -> None:
    """D7."""
    before = Snapshot.of(helper.agent.host.main_cf)
    assert helper.arm().outcome == "ok"
    helper.call("revert", f"lease={LEASE}")
    history = helper.agent.state / "history.log"
    history.rename(history.with_name("kept"))
    history.mkdir()
    reply = helper.arm(lease="abcdefabcdef")
    assert [reason.code for reason in reply.failures] == ["audit"]
    assert Snapshot.of(helper.agent.host.main_cf) == before
    assert helper.agent.leftovers() == []
    history.rmdir()
    history.with_name("kept").rename(history)


def test_the_audit_is_written_before_the_change(helper: Helper) -> None:
    """D7."""
    run = helper.agent.arm(die_after="swap")
    assert run.reply is None
    assert "armed login=" in (helper.agent.state / "history.log").read_text()


def test_windows_that_follow_each_other_count_as_one(helper: Helper) -> None:
    """D7: fifty windows of a minute, where a minute is the most."""
    helper.policy.write_text("max_minutes = 1\n")
    assert helper.arm(seconds=60).outcome == "ok"
    time.sleep(1.1)  # a window that began and ended in one second counts nothing
    helper.call("revert", f"lease={LEASE}", "drain=0")
    assert helper.codes("seconds=60", "lease=bbbbbbbbbbbb") == ["policy"]
    assert helper.arm(seconds=60, lease="cccccccccccc", uid="4712").outcome == "ok"
    time.sleep(1.1)  # a window that began and ended in one second counts nothing
    helper.call("revert", "lease=all", "drain=0")
    helper.policy.write_text("max_minutes = 1\npause_minutes = 0\n")
    assert helper.arm(seconds=60, lease="dddddddddddd").outcome == "ok"
    time.sleep(1.1)  # a window that began and ended in one second counts nothing
    helper.call("revert", "lease=all", "drain=0")
    helper.policy.write_text("day_minutes = 1\n")
    assert helper.codes("seconds=60", "lease=eeeeeeeeeeee") == ["policy"]
    assert helper.call("forget", f"lease={LEASE}").outcome == "ok"
    assert helper.codes("seconds=60", f"lease={LEASE}") == ["policy"]


@pytest.mark.parametrize(
    "text",
    [
        "a\u009b2Jb",
        "bob login=root from=console seconds=60 peers=10.0.0.1 reason=x",
        "100% \u202e",
        "J\u00f6rg",
        "\udcff",
    ],
)
def test_free_text_neither_forges_nor_breaks(helper: Helper, text: str) -> None:
    """D8."""
    reply = helper.arm(*(f"{key}={text}" for key in ("owner", "from", "reason")))
    for told in (reply, helper.call("status"), helper.agent.ask("probe")):
        assert told.outcome == "ok" and told.warnings == ()
        (lease,) = read_leases(told)
        assert lease.owner == lease.origin == lease.reason
        assert lease.owner.isprintable()
    line = next(line for line in helper.call("history").every("history") if " armed " in line)
    assert line.isascii() and line.isprintable()
    fields = dict(word.split("=", 1) for word in line.split(" ")[2:])
    assert next(iter(fields)) == "login" and fields["login"] == "oncall" and fields["uid"] == "4711"
    assert os.fsencode(unquote(fields["reason"], errors="surrogateescape")) == os.fsencode(text)


def test_a_peer_cannot_forge_a_field_either(helper: Helper) -> None:
    """D8."""
    helper.arm("peer=inline:{login=root lease=x}")
    line = next(line for line in helper.call("history").every("history") if " armed " in line)
    assert line.count(" login=") == 1 and line.count(" lease=") == 1


def test_a_strangers_mail_is_no_warning_of_ours(helper: Helper) -> None:
    """C3."""
    helper.arm("peer=127.0.0.1")
    for sender in (b'"warning: debug_peer_list: \xc2\x9b2J"', b'"fatal: panic: debug_peer_list -- throttling"'):
        with socket.create_connection((helper.agent.host.address, helper.agent.host.smtp_port), timeout=10) as talk:
            for line in (b"", b"EHLO x", b"MAIL FROM:<" + sender + b"@x.invalid>", b"RCPT TO:<a@b.invalid>", b"QUIT"):
                if line:
                    talk.sendall(line + b"\r\n")
                talk.recv(4096)
    time.sleep(2.5)
    reply = helper.call("status")
    assert reply.warnings == () and reply.one("lease.state") == "armed"
