"""The way of a message over three hosts: MX, content filter, mailbox host; greylisted on the way, and bounced."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pfremote import cli
from tests.lab import Lab, Machine
from tests.lab.fixtures import entered
from tests.support.operator import Operator

pytestmark = pytest.mark.machine

DOMAIN = "mail.example.jp"
BOB, NOT_THERE = f"bob@{DOMAIN}", f"nosuch@{DOMAIN}"
SENDER = "ops@mx1.example.jp"
#: Each role's settings, and its lines of master.cf.
MX = {"relay_domains": DOMAIN, "transport_maps": "inline:{" + DOMAIN + "=smtp:[mx2.example.jp]}"}
FILTER = {
    "mynetworks": "127.0.0.0/8 10.0.1.101/32",
    "relay_domains": DOMAIN,
    "transport_maps": "inline:{" + DOMAIN + "=smtp:[mx3.example.jp]}",
    "content_filter": "scan:[127.0.0.1]:10025",
}
#: FILTER_README: mail goes out to the filter and comes back on a port of its own, with the client's name (XFORWARD).
FILTER_SERVICES = {
    "scan/unix": "scan unix - - n - 2 smtp -o smtp_send_xforward_command=yes",
    "127.0.0.1:10025/inet": "127.0.0.1:10025 inet n - n - 2 smtpd -o content_filter= -o smtpd_authorized_xforward_hosts=127.0.0.0/8",
}
MAILBOX = {
    "mydestination": f"{DOMAIN}, mx3.example.jp, localhost",
    "smtpd_recipient_restrictions": "reject_unlisted_recipient, check_policy_service unix:private/greylist",
}
MAILBOX_SERVICES = {
    "greylist/unix": "greylist unix - n n - 0 spawn user=ops argv=/usr/local/bin/greylist",
}
#: SMTPD_POLICY_README: attributes up to an empty line, and one answer. Each sender and recipient waits once.
GREYLIST = r"""#!/bin/sh
while read -r line; do
	case $line in
	sender=* | recipient=*) key=$key-${line#*=} ;;
	'')
		answer=DUNNO
		[ -e "/tmp/seen$key" ] || answer='DEFER_IF_PERMIT Greylisted, please come back'
		: >"/tmp/seen$key"
		printf 'action=%s\n\n' "$answer"
		key=
		;;
	esac
done
"""


def configure(machine: Machine, settings: dict[str, str], services: dict[str, str]) -> None:
    machine.run(["postconf", *(f"{name}={value}" for name, value in settings.items())])
    for name, line in services.items():
        machine.run(["postconf", "-M", f"{name}={line}"])


@pytest.fixture(scope="module")
def three() -> Iterator[Lab]:
    """Return a lab in which mx1 is the MX, mx2 the content filter and mx3 the mailbox host (some 8 s)."""
    with entered(Lab(machines=3)) as laboratory:
        mx, scanner, mailbox = laboratory.machines.values()
        configure(mx, MX, {})
        configure(scanner, FILTER, FILTER_SERVICES)
        mailbox.write("/usr/local/bin/greylist", GREYLIST)
        mailbox.run(["chmod", "755", "/usr/local/bin/greylist"])
        configure(mailbox, MAILBOX, MAILBOX_SERVICES)
        for machine in (mx, scanner, mailbox):
            machine.run(["systemctl", "restart", "postfix"])
        time.sleep(1)
        yield laboratory


def wait_for(machine: Machine, pattern: str, *, after: int = 0) -> None:
    """Wait until the machine's log, of which the first ``after`` characters are old, matches."""
    deadline = time.monotonic() + 30
    while not re.search(pattern, log := machine.read("/var/log/mail.log")[after:]):
        assert time.monotonic() < deadline, f"{machine.name}: nothing like {pattern!r}: {log[-3000:]}"
        time.sleep(0.2)


def send(lab: Lab) -> None:
    """Send one message to a mailbox, which is greylisted once, and one to a user who is not there."""
    mx, scanner, mailbox = lab.machines.values()
    body = "Subject: a test\r\nMessage-ID: <%s@client.example.jp>\r\n\r\nHello.\r\n"
    for recipient, name in ((BOB, "kept"), (NOT_THERE, "returned")):
        lab.client.call(_deliver, mx, lab.client.address, recipient, body % name)
    wait_for(scanner, r"status=deferred .*Greylisted")
    wait_for(scanner, r"status=bounced")
    wait_for(mx, r"from=<>.*\n(?:.*\n)*.*to=<ops@mx1\.example\.jp>.*status=sent")
    scanner.run(["postqueue", "-f"])
    wait_for(mailbox, r"status=sent")
    wait_for(scanner, r"relay=mx3\S+ .*status=sent(?:.*\n)*.*removed")


def _deliver(machine: Machine, address: str, recipient: str, body: str) -> None:
    from pfremote.loopback import traffic

    traffic.deliver(machine, address, sender=SENDER, recipient=recipient, body=body)


@pytest.fixture(scope="module")
def logs(three: Lab, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the three hosts' logs of both messages, as words of ``explain``."""
    folder = tmp_path_factory.mktemp("logs")
    send(three)
    for machine in three.machines.values():
        (folder / machine.name).write_text(machine.read("/var/log/mail.log"))
    return [f"{name}={folder / name}" for name in three.machines]


def explain(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert cli.main(["explain", *words]) == 0
    return capsys.readouterr().out


def check_kept(message: dict[str, Any]) -> None:
    """Check the way of the message that waited once and was delivered."""
    hops = message["hops"]
    assert [hop["host"] for hop in hops] == ["mx1", "mx2", "mx2", "mx3"]
    first, scanned, again, last = hops
    assert first["client"] == "client.example.jp[10.0.1.20]"
    assert (scanned["tries"][0]["relay"], scanned["tries"][0]["next_id"]) == (
        "127.0.0.1[127.0.0.1]:10025",
        again["queue_id"],
    )
    assert (again["origin"], again["origin_kind"]) == (scanned["queue_id"], "filter")
    assert [item["status"] for item in again["tries"]] == ["deferred", "sent"]
    assert "Greylisted" in again["tries"][0]["reason"]
    assert again["tries"][1]["next_id"] == last["queue_id"]
    assert [item["status"] for item in last["tries"]] == ["sent"]


def test_the_message_that_was_greylisted_is_one_story(logs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    told = [json.loads(line) for line in explain(capsys, *logs, "--to", BOB, "--json").splitlines()]
    (message,) = [event for event in told if event["event"] == "message"]
    check_kept(message)
    assert message["message_id"] == "<kept@client.example.jp>"
    text = explain(capsys, *logs, "--to", BOB)
    assert "returned@" not in text
    order = [
        "came from client.example.jp[10.0.1.20]",
        "came back from a content filter",
        "deferred by smtp",
        "sent by local",
    ]
    assert [text.index(words) for words in order] == sorted(text.index(words) for words in order)


def test_the_message_that_came_back_is_one_story_with_its_bounce(
    logs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    told = [json.loads(line) for line in explain(capsys, *logs, "--to", NOT_THERE, "--json").splitlines()]
    (message,) = [event for event in told if event["event"] == "message"]
    assert message["fate"] == "bounced"
    bounce = next(hop for hop in message["hops"] if hop["origin_kind"] == "bounce")
    refused = next(hop for hop in message["hops"] if hop["queue_id"] == bounce["origin"])
    assert (refused["host"], bounce["host"]) == ("mx2", "mx2")
    assert "550 5.1.1" in refused["tries"][0]["reason"]
    last = message["hops"][-1]
    assert (last["host"], [(item["recipient"], item["status"]) for item in last["tries"]]) == (
        "mx1",
        [(SENDER, "sent")],
    )
    assert "is the bounce of" in explain(capsys, *logs, "--to", NOT_THERE)


def test_the_picture_has_each_hop_in_its_place(logs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    page = explain(capsys, *logs, "--all", "--format", "html")
    pictures = re.findall(r'(?s)<svg[^>]*class="way-svg".*?</svg>', page)
    assert len(pictures) >= 2
    assert all(any(name in picture for picture in pictures) for name in ("mx1", "mx2", "mx3"))


@pytest.mark.usefixtures("logs")  # read before this test adds its own message
def test_windows_on_all_three_tell_the_same_story(three: Lab, tmp_path: Path) -> None:
    mailbox = three.machines["mx3"]
    old = {name: len(machine.read("/var/log/mail.log")) for name, machine in three.machines.items()}
    mailbox.run(["sh", "-c", "rm -f /tmp/seen*; find /var/spool/postfix/private -name greylist"])
    operator = Operator(three, tmp_path)
    peers = ("--peer", "10.0.1.0/24", "--peer", "127.0.0.1")
    window = operator.start(*three.machines, *peers, "--minutes", "5", "--out", str(tmp_path / "run"))
    for _ in three.machines:
        window.wait_for("armed")
    three.client.call(
        _deliver,
        three.machines["mx1"],
        three.client.address,
        BOB,
        "Message-ID: <seen@client.example.jp>\r\n\r\nHello.\r\n",
    )
    wait_for(three.machines["mx2"], r"status=deferred .*Greylisted", after=old["mx2"])
    time.sleep(1)
    three.machines["mx2"].run(["postqueue", "-f"])
    wait_for(mailbox, r"to=<ops@mx3\.example\.jp>, orig_to=<bob@mail\.example\.jp>.*status=sent", after=old["mx3"])
    window.process.send_signal(2)
    code, hosts = window.finish()
    assert (code, [host["state"] for host in hosts.values()]) == (130, ["clean"] * 3)
    (message,) = [event for event in window.events if event["event"] == "message"]
    check_kept(message)
