"""What is typed as a peer is read once, on the operator's machine; the host resolves and checks each pattern of it.

The mail host here is the machine itself (``ansible_connection: local``), in a mount namespace with an ``/etc/hosts`` of its
own: every name is known there, so that no lookup leaves the machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pfremote.loopback import LoopbackHost

pytestmark = pytest.mark.host

HOSTS = """\
127.0.0.1 localhost
192.0.2.5 client.example.jp
192.0.2.6 relay.example.jp
192.0.2.7 xn--bcher-kva.example.jp
192.0.2.8 quiet.example.jp
"""
INSIDE = ["unshare", "-m", "sh", "-c", 'mount --bind "$1" /etc/hosts && shift && exec "$@"', "sh"]
COMMAND = ["-m", "pfremote", "check", "mx1"]


def _check(host: LoopbackHost, folder: Path, *peers: str) -> tuple[int, dict[str, Any]]:
    """Return the exit code of ``check`` and its plan."""
    (folder / "hosts").write_text(HOSTS)
    (folder / "inventory.yml").write_text("all: {hosts: {mx1: {ansible_connection: local}}}\n")
    options = ["-i", str(folder / "inventory.yml"), "--instance", str(host.config_directory), "--json"]
    words = [word for peer in peers for word in ("--peer", peer)]
    done = subprocess.run(
        [*INSIDE, str(folder / "hosts"), sys.executable, *COMMAND, *words, "--allow-volatile-guard", *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, next(event for event in events if event["event"] == "plan")


@pytest.mark.parametrize(
    ("peers", "patterns"),
    [
        (["client.example.jp,relay.example.jp"], "client.example.jp 192.0.2.5 relay.example.jp 192.0.2.6"),
        (["client.example.jp relay.example.jp"], "client.example.jp 192.0.2.5 relay.example.jp 192.0.2.6"),
        (["198.51.100.7, client.example.jp"], "198.51.100.7 client.example.jp 192.0.2.5"),
        (["bücher.example.jp"], "xn--bcher-kva.example.jp 192.0.2.7"),
        (["BÜCHER.example.jp,Client.Example.JP"], "xn--bcher-kva.example.jp 192.0.2.7 client.example.jp 192.0.2.5"),
        (["!quiet.example.jp,192.0.2.0/24"], "!quiet.example.jp !192.0.2.8 192.0.2.0/24"),
        (["!!client.example.jp"], "client.example.jp 192.0.2.5"),
    ],
)
def test_each_name_is_resolved_on_the_host(
    shared_loopback_host: LoopbackHost, tmp_path: Path, peers: list[str], patterns: str
) -> None:
    code, plan = _check(shared_loopback_host, tmp_path, *peers)
    assert (code, plan["peers"], plan["refusals"]) == (0, patterns.split(), [])


@pytest.mark.parametrize(
    ("peer", "refused"),
    [
        ("192.0.2.5,/no/such/file", "missing-file"),
        ("192.0.2.5, cidr:/no/such/table", "missing-file"),
        ("!/no/such/file,192.0.2.5", "missing-file"),
        ("!!/no/such/file", "missing-file"),
        ("192.0.2.5,nosuchtype:/etc/hosts", "table-type"),
    ],
)
def test_each_file_and_table_is_looked_for_on_the_host(
    shared_loopback_host: LoopbackHost, tmp_path: Path, peer: str, refused: str
) -> None:
    code, plan = _check(shared_loopback_host, tmp_path, peer)
    assert (code, [reason["code"] for reason in plan["refusals"]]) == (3, [refused])
