"""Each runbook in ``playbooks/`` on a host that has exactly its trouble, and the finding it must bring."""

from __future__ import annotations

import contextlib
import json
import shutil
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pfremote.loopback import LoopbackHost, missing_requirements, traffic
from tests.support.hosts import skip_or_fail
from tests.support.playing import Stage
from tests.support.recorder.servers import SmtpScript, listen_tcp, listen_unix, serve

pytestmark = pytest.mark.host

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
CLIENT = "127.0.0.7"
SERVER = "127.0.0.9"

GREYLISTING = SmtpScript(replies={"RCPT": "450 4.2.0 Greylisted, try again in 300 seconds"})
FULL_MAILBOX = SmtpScript(banner="220 lmtp ready", replies={".": "452 4.2.2 Mailbox is full"})
LOCAL_CLIENTS = {"mynetworks": "127.0.0.0/8", "smtpd_relay_restrictions": "permit_mynetworks, reject"}


@dataclass(frozen=True)
class Trouble:
    """A host with one trouble: its main.cf, who the peer is, what makes it happen, what must be found.

    ``server`` answers as the other end: over TCP at its own address, or at a socket (``unix``). In
    ``parameters`` ``{port}`` and ``{socket}`` stand for where.
    """

    finding: str
    act: Callable[[LoopbackHost], object]
    peer: str = CLIENT
    parameters: Mapping[str, str] = field(default_factory=dict)
    server: SmtpScript | None = None


def offer_a_cipher_for_another_key(host: LoopbackHost) -> None:
    """Say STARTTLS with ciphers for RSA certificates only; the host has one of another kind."""
    argv = ["openssl", "s_client", "-connect", f"{host.address}:{host.smtp_port}", "-bind", f"{CLIENT}:0"]
    argv += ["-starttls", "smtp", "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"]
    done = subprocess.run(argv, input=b"QUIT\n", capture_output=True, timeout=20, check=False)
    assert b"handshake failure" in done.stderr


def send_where_it_may_not_be_relayed(host: LoopbackHost) -> None:
    """Offer a recipient that the host is not in charge of."""
    with pytest.raises(smtplib.SMTPResponseException, match="Relay access denied"):
        traffic.deliver(host, CLIENT, recipient="someone@elsewhere.example.net")


def say_nothing_more(host: LoopbackHost) -> None:
    """Say EHLO and keep still until the host is tired of it."""
    with socket.create_connection((host.address, host.smtp_port), source_address=(CLIENT, 0)) as client:
        client.settimeout(20)
        client.sendall(b"EHLO client.example.jp\r\n")
        while client.recv(4096):
            pass


def send_out(host: LoopbackHost) -> None:
    """Hand in a message for elsewhere."""
    traffic.deliver(host, CLIENT, recipient="someone@elsewhere.example.net")


TROUBLES = {
    "sasl-failures": Trouble(
        "auth.bad-credentials", lambda host: traffic.fail_auth_over_starttls(host, source_ip=CLIENT)
    ),
    "tls-handshake": Trouble("tls.no-shared-cipher", offer_a_cipher_for_another_key),
    "inbound-rejects": Trouble("policy.relay-denied", send_where_it_may_not_be_relayed),
    "outbound-delivery": Trouble(
        "delivery.greylisted",
        send_out,
        peer=SERVER,
        parameters={**LOCAL_CLIENTS, "relayhost": f"[{SERVER}]:{{port}}"},
        server=GREYLISTING,
    ),
    "lmtp-delivery": Trouble(
        "delivery.mailbox-full",
        lambda host: traffic.deliver(host, CLIENT),
        peer="mx1.example.jp",
        parameters={**LOCAL_CLIENTS, "local_transport": "lmtp:unix:{socket}"},
        server=FULL_MAILBOX,
    ),
    "slow-peer": Trouble("session.client-timeout", say_nothing_more, parameters={"smtpd_timeout": "2s"}),
}


@contextlib.contextmanager
def troubled_host(trouble: Trouble) -> Iterator[LoopbackHost]:
    """Start the other end, then a host that is set up to meet it."""
    # Not below tmp_path: Postfix's own user must get through to the socket, and its path must be short.
    place = Path(tempfile.mkdtemp(prefix="pfremote-lmtp-"))
    place.chmod(0o755)
    try:
        tcp, unix = listen_tcp(SERVER, 0), listen_unix(place / "socket")
        for listener in (tcp, unix):
            serve(listener, trouble.server or SmtpScript())
        places = {"{port}": str(tcp.getsockname()[1]), "{socket}": str(place / "socket")}
        parameters = dict(trouble.parameters)
        for mark, text in places.items():
            parameters = {name: value.replace(mark, text) for name, value in parameters.items()}
        with LoopbackHost(parameters=parameters) as host:
            yield host
    finally:
        shutil.rmtree(place)


def test_every_runbook_is_run_here() -> None:
    assert {path.stem for path in PLAYBOOKS.glob("*.yml")} == TROUBLES.keys()


@pytest.mark.parametrize("name", TROUBLES)
def test_a_runbook_finds_the_trouble_that_it_is_for(name: str, tmp_path: Path) -> None:
    if reason := missing_requirements():
        skip_or_fail(reason, variable="PFREMOTE_REQUIRE_HOST")
    trouble = TROUBLES[name]
    with troubled_host(trouble) as host:
        before = host.main_cf.read_bytes()
        stage = Stage(host, tmp_path)
        run = stage.start(
            PLAYBOOKS / f"{name}.yml",
            *("-e", f"peer={trouble.peer}", "-e", "where=mx1", "-e", "minutes=40s", "-e", "sessions=1"),
        )
        run.wait_for("armed")
        trouble.act(host)
        began = time.monotonic()
        code, hosts = run.finish()
        assert host.main_cf.read_bytes() == before
    assert (code, hosts["mx1"]["state"], hosts["mx1"]["sessions"]) == (0, "clean", 1), run.err
    assert time.monotonic() - began < 30, "sessions did not end it"
    found = json.loads((Path(hosts["mx1"]["out"]) / "sessions.json").read_text())["findings"]
    assert trouble.finding in [finding["code"] for finding in found], found
    assert (tmp_path / "run" / "report.html").exists()
