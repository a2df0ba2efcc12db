"""match_peer() against a real Postfix: one smtpd service per list of patterns, clients announced by the
PROXY protocol.

The PROXY header gives smtpd any client address; the client's name comes from a hosts file that only this
Postfix sees (a
mount namespace of its own). A session is verbose when its process logs more than the connect and
disconnect lines.
"""

from __future__ import annotations

import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pfremote.postfix.matching import match_peer

pytestmark = pytest.mark.host

#: (name, address) as smtpd sees the clients; the last one has no name.
CLIENTS = (
    ("client.example.jp", "198.51.100.5"),
    ("a.test.example.jp", "198.51.100.6"),
    ("v6.example.net", "2001:db8::1"),
    ("unknown", "203.0.113.9"),
)

LISTS = (
    "198.51.100.5",
    "[198.51.100.5]",
    "198.51.100.0/24",
    "[198.51.100.0]/24",
    "[198.51.100.0/24]",
    "198.51.100.5/24, 198.51.100.6",
    "198.51.100.6, 198.51.100.5/24",
    "198.51.100.0/255.255.255.0, 198.51.100.6",
    "198.51.100",
    "198.51.100.",
    "198.51.100.5-198.51.100.6",
    "198.51.100.300",
    "198.51.100.0/33, client.example.jp",
    "[2001:db8::1]",
    "[2001:DB8:0:0:0:0:0:1]",
    "[2001:db8::]/32",
    "[2001:db8::/32]",
    "[2001:db8::1]/32, v6.example.net",
    "[::1",
    "[198.51.100.5]:25, [2001:db8::1]",
    "[cafe.be]:25, [2001:db8::1]",
    "[relay.example.jp]:587, [2001:db8::1]",
    "[::ffff:198.51.100.5]",
    "example.jp",
    "EXAMPLE.JP",
    "test.example.jp",
    ".test.example.jp",
    ".example.jp",
    "xample.jp",
    "example.jp.",
    "client.example.jp",
    "unknown",
    "*",
    "*.example.jp",
    "all",
    "!198.51.100.5",
    "!198.51.100.5, 198.51.100.0/24",
    "198.51.100.0/24, !198.51.100.5",
    "!198.51.100.5, static:all",
    "!!198.51.100.5",
    "!client.example.jp, example.jp",
    "{198.51.100.5}",
    "static:all",
    "0.0.0.0/0",
    "[::]/0",
)


class Relay:
    """A private Postfix with one PROXY-speaking smtpd per list of patterns, on loopback."""

    def __init__(self, directory: Path, lists: tuple[str, ...], parent_domain: bool) -> None:
        self.directory = directory
        self.address = _own_address()
        self.ports = dict(zip(lists, range(20025, 20025 + len(lists)), strict=True))
        self.log = directory / "maillog"
        self.config = directory / "config"
        for path in (self.config, directory / "queue", directory / "data"):
            path.mkdir()
        shutil.chown(directory / "data", "postfix")
        directory.chmod(0o755)
        (directory / "hosts").write_text("".join(f"{a} {n}\n" for n, a in CLIENTS if n != "unknown"))
        (directory / "nsswitch").write_text("hosts: files\npasswd: files\ngroup: files\nservices: files\n")
        (self.config / "main.cf").write_text(self._main_cf(parent_domain))
        services = [
            f"{self.address}:{port} inet n - n - - smtpd -o {{ debug_peer_list = {patterns} }}"
            for patterns, port in self.ports.items()
        ]
        (self.config / "master.cf").write_text(
            "\n".join(
                [
                    *services,
                    "postlog unix-dgram n - n - 1 postlogd",
                    "rewrite unix - - n - - trivial-rewrite",
                    "",
                ]
            )
        )

    def _main_cf(self, parent_domain: bool) -> str:
        settings = {
            "compatibility_level": "3.6",
            "queue_directory": self.directory / "queue",
            "data_directory": self.directory / "data",
            "myhostname": "mx.example.org",
            "inet_interfaces": "loopback-only",
            "inet_protocols": "all",
            "maillog_file": self.log,
            "maillog_file_prefixes": self.directory,
            "smtpd_upstream_proxy_protocol": "haproxy",
            "smtpd_peername_lookup": "yes",
            "smtpd_client_connection_count_limit": "0",
            "smtpd_client_connection_rate_limit": "0",
            "local_recipient_maps": "",
            "alias_maps": "",
            "smtpd_tls_security_level": "none",
        }
        if not parent_domain:
            settings["parent_domain_matches_subdomains"] = "smtpd_access_maps"
        return "".join(f"{key} = {value}\n" for key, value in settings.items())

    def postfix(self, verb: str) -> None:
        script = (
            'mount --bind "$1/hosts" /etc/hosts && mount --bind "$1/nsswitch" /etc/nsswitch.conf && '
            'exec postfix -c "$1/config" "$2"'
        )
        argv = ["unshare", "-m", "sh", "-c", script, "sh", str(self.directory), verb]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, (done.stderr, self.log.read_text() if self.log.exists() else "no log")

    def connect(self, patterns: str, address: str) -> None:
        family = "TCP6" if ":" in address else "TCP4"
        server = "::1" if ":" in address else "127.0.0.1"
        with socket.create_connection((self.address, self.ports[patterns]), timeout=20) as client:
            client.sendall(f"PROXY {family} {address} {server} 40000 25\r\n".encode())
            with client.makefile("rb") as stream:
                assert stream.readline().startswith(b"220")
                client.sendall(b"QUIT\r\n")
                stream.read()

    def sessions(self) -> list[tuple[str, str, bool]]:
        """Return (name, address, verbose) of each session in the order of their ends."""
        open_sessions: dict[str, tuple[str, str, int]] = {}
        ended: list[tuple[str, str, bool]] = []
        for line in self.log.read_text().splitlines():
            match = re.search(r"postfix/smtpd\[(\d+)\]: (.*)", line)
            if match is None or "warning:" in match[2] or "error:" in match[2]:
                continue
            pid, text = match.groups()
            if peer := re.match(r"connect from (\S+)\[(.*)\]$", text):
                open_sessions[pid] = (peer[1], peer[2], 0)
            elif text.startswith("disconnect from") and pid in open_sessions:
                name, address, lines = open_sessions.pop(pid)
                ended.append((name, address, lines > 0))
            elif pid in open_sessions:
                name, address, lines = open_sessions[pid]
                open_sessions[pid] = (name, address, lines + 1)
        return ended


def _own_address() -> str:
    """An address of 127.0.0.0/8 that no other run is likely to use, so that fixed ports do."""
    return f"127.{secrets.randbelow(200) + 20}.{secrets.randbelow(250) + 1}.{secrets.randbelow(250) + 1}"


@pytest.fixture(scope="module", params=[True, False], ids=["parents match", "parents do not match"])
def relay(request: pytest.FixtureRequest) -> Iterator[tuple[Relay, bool]]:
    # Not below pytest's own folder: that is 0700, and the user postfix must get through.
    with tempfile.TemporaryDirectory(prefix="pfremote-relay-") as directory:
        private = Relay(Path(directory), LISTS, request.param)
        private.postfix("start")
        try:
            yield private, request.param
        finally:
            private.postfix("stop")


def test_every_list_matches_as_real_postfix_does(relay: tuple[Relay, bool]) -> None:
    private, parent_domain = relay
    expected: dict[tuple[str, str, str], bool] = {}
    seen: dict[tuple[str, str, str], bool] = {}
    done = 0
    for patterns in LISTS:
        for name, address in CLIENTS:
            private.connect(patterns, address)
            deadline = time.monotonic() + 20
            while len(sessions := private.sessions()) <= done and time.monotonic() < deadline:
                time.sleep(0.02)
            assert len(sessions) == done + 1, (patterns, name, private.log.read_text()[-3000:])
            done += 1
            assert sessions[-1][:2] == (name, address)
            seen[patterns, name, address] = sessions[-1][2]
            matched = match_peer(patterns.replace(",", " ").split(), name, address, parent_domain=parent_domain)
            assert matched is not None
            expected[patterns, name, address] = matched
    assert seen == expected
    assert set(seen.values()) == {True, False}
