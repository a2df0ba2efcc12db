"""The private mail host is real: it debugs a peer, is reached over strict SSH, and leaves nothing behind."""

from __future__ import annotations

import smtplib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pfremote.errors import PfremoteError, UsageError
from pfremote.loopback import LoopbackHost, requirements, traffic
from pfremote.loopback.processes import find_processes

pytestmark = pytest.mark.host


def ssh(host: LoopbackHost, *argv: str, name: str = "mx1") -> subprocess.CompletedProcess[str]:
    """Run a command on the host with OpenSSH and no other configuration than the host's own."""
    return subprocess.run(
        ["ssh", "-F", host.ssh_config, "-o", "BatchMode=yes", name, *argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def log_size(host: LoopbackHost) -> int:
    return host.maillog.stat().st_size


def reload_and_wait(host: LoopbackHost) -> None:
    """Reload, and wait for master's own line: the command itself returns before anything happened."""
    before = log_size(host)
    host.reload()
    host.wait_for_log("reload -- version", after=before)


def test_a_debug_window_by_hand_shows_that_peer_only_and_ends(loopback_host: LoopbackHost) -> None:
    host = loopback_host
    original = host.main_cf.read_bytes()

    host.postconf("-e", "debug_peer_list=127.0.0.1", "debug_peer_level=2", "smtpd_tls_loglevel=1")
    reload_and_wait(host)
    before = log_size(host)
    assert traffic.fail_auth_over_starttls(host, "127.0.0.2") == 535
    quiet = host.wait_for_log("auth=0/1", after=before)
    assert "127.0.0.2]: AUTH PLAIN" not in quiet

    before = log_size(host)
    assert traffic.fail_auth_over_starttls(host) == 535
    verbose = host.wait_for_log("disconnect from localhost[127.0.0.1]", after=before)
    assert "< localhost[127.0.0.1]: AUTH PLAIN" in verbose
    assert "TLS connection established" in verbose
    assert verbose.count("\n") > 60

    host.postconf("-X", "debug_peer_list", "debug_peer_level", "smtpd_tls_loglevel")
    assert host.main_cf.read_bytes() == original
    reload_and_wait(host)
    before = log_size(host)
    assert traffic.fail_auth_over_starttls(host) == 535
    assert "< localhost" not in host.wait_for_log("auth=0/1", after=before)


def test_a_session_from_before_the_window_stays_quiet(loopback_host: LoopbackHost) -> None:
    host = loopback_host
    with traffic.hold_session(host) as session:
        host.postconf("-e", "debug_peer_list=127.0.0.1")
        reload_and_wait(host)
        before = log_size(host)
        session.noop()
    assert "< localhost" not in host.wait_for_log("disconnect from", after=before)


def test_auth_knows_its_users(shared_loopback_host: LoopbackHost) -> None:
    host = shared_loopback_host
    assert traffic.log_in(host) == 235
    assert traffic.log_in(host, mechanism="LOGIN") == 235
    assert traffic.fail_auth_over_starttls(host, mechanism="LOGIN") == 535
    assert traffic.fail_auth_over_starttls(host, user="nobody-known") == 535
    host.wait_for_log("SASL LOGIN authentication failed")


def test_mail_goes_through_the_queue(shared_loopback_host: LoopbackHost) -> None:
    host = shared_loopback_host
    for port, service in zip(host.smtp_ports, ("postfix/smtpd", "postfix/submission/smtpd"), strict=True):
        before = log_size(host)
        queue_id = traffic.deliver(host, port=port)
        log = host.wait_for_log(f"{queue_id}: removed", after=before)
        assert f"{service}[" in log
        assert "status=sent" in log


def test_relaying_is_refused(shared_loopback_host: LoopbackHost) -> None:
    with pytest.raises(smtplib.SMTPResponseException, match="Relay access denied"):
        traffic.deliver(shared_loopback_host, recipient="dave@example.com")


def test_ssh_accepts_only_the_known_host_key(shared_loopback_host: LoopbackHost) -> None:
    host = shared_loopback_host
    assert ssh(host, "echo", "reached").stdout == "reached\n"
    known = host.known_hosts.read_bytes()
    other_key = host.private_key.with_suffix(".pub").read_text()
    host.known_hosts.write_text(f"[127.0.0.1]:{host.ssh_port} {other_key}")
    try:
        refused = ssh(host, "echo", "reached")
    finally:
        host.known_hosts.write_bytes(known)
    assert refused.returncode == 255
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in refused.stderr


def test_nothing_is_left_behind_not_even_what_a_session_forked() -> None:
    with LoopbackHost(name="gone") as host:
        assert ssh(host, "setsid sleep 600 </dev/null >/dev/null 2>&1 &", name="gone").returncode == 0
        held = traffic.hold_session(host)
        state = Path("/var/lib/pfremote", f"{host.root.name}-state-of-the-agent")
        state.mkdir(parents=True)
        names = set(find_processes(host.root).values())
        assert {"master", "smtpd", "sshd", "sleep"} <= names
    held.close()
    assert not state.exists()
    assert not find_processes(host.root)
    assert not host.root.exists()


def test_a_killed_owner_takes_its_host_along() -> None:
    code = (
        "import time\n"
        "from pfremote.loopback import LoopbackHost\n"
        "with LoopbackHost() as host:\n"
        "    print(host.root, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        root = Path(owner.stdout.readline().strip())
        assert "master" in find_processes(root).values()
        owner.kill()
    deadline = time.monotonic() + 10
    while root.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not root.exists()
    assert not set(find_processes(root).values()) & {"master", "sshd"}


def test_postfix_stops_and_starts_again(loopback_host: LoopbackHost) -> None:
    host = loopback_host
    host.stop_postfix()
    assert not host.is_running()
    host.stop_postfix()
    assert ssh(host, "true").returncode == 0
    host.start_postfix()
    assert host.is_running()
    assert traffic.log_in(host) == 235


def test_options_reach_postfix() -> None:
    with LoopbackHost(auth=False, syslog_name="postfix-out", parameters={"smtpd_helo_required": "yes"}) as host:
        assert host.postconf("-h", "smtpd_helo_required") == "yes\n"
        with traffic.hold_session(host, starttls=True) as session:
            assert not session.has_extn("auth")
        host.wait_for_log("postfix-out/smtpd[")


def test_a_host_that_does_not_start_says_why_and_is_removed() -> None:
    host = LoopbackHost(parameters={"debug_peer_level": "0"})
    with pytest.raises(PfremoteError) as caught, host:
        pass
    assert "debug_peer_level" in caught.value.hint
    assert host.root != Path()
    assert not host.root.exists()
    assert not find_processes(host.root)


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "SEARCH_PATH", "")
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(UsageError) as caught, LoopbackHost():
        pass
    assert "openssh-server openssl postfix" in str(caught.value)
    assert "apt-get install" in caught.value.hint
