"""Secrets planted through real AUTH, real relaying and real TLS; then none of them in anything that pfremote gives."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Lab, Machine
from tests.support.maillines import find_spellings
from tests.support.operator import Operator
from tests.support.outside import PEER
from tests.support.planting import (
    CONTENT,
    PASSWORDS,
    RELAY_PASSWORD,
    STATIC_PASSWORD,
    Planted,
    coded,
    plant_all,
    relay_message,
)
from tests.support.running import Running

pytestmark = pytest.mark.machine

MECHANISMS = "plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256"
CONTENT_WORDS = ("--level", "3", "--smtpd-tls", "4", "--smtp-tls", "4", "--allow-content")
CASES = {
    "level 2": ("--smtpd-tls", "2", "--smtp-tls", "2"),
    "level 2, pseudonymous": ("--smtpd-tls", "2", "--smtp-tls", "2", "--pseudonymise"),
    "followed": ("--smtpd-tls", "2", "--smtp-tls", "2", "--follow"),
    "followed, pseudonymous": ("--smtpd-tls", "2", "--smtp-tls", "2", "--follow", "--pseudonymise"),
    "content": CONTENT_WORDS,
    "content, pseudonymous": (*CONTENT_WORDS, "--pseudonymise"),
}
#: Cyrus SASL's plug-ins, by which Postfix logs in elsewhere; the machines' tree has none of its own.
PLUGINS = [str(path) for path in Path("/usr/lib").glob("*/sasl2/lib*.so*")]
OTHERS = (
    "example.jp", "10.0.1.20", "10.0.1.101", "10.0.1.102", "carol", "plain-later", "login-user", "relaylogin",
)  # fmt: skip


@pytest.fixture(scope="module")
def relaying(lab: Lab) -> Iterator[tuple[Machine, Machine]]:
    """Return mx1, which logs in to its smarthost mx2, with every mechanism and every account of the tests."""
    if not PLUGINS:
        pytest.skip("no SASL plug-ins here (libsasl2-modules), so Postfix cannot log in to a smarthost")
    first, second = lab.machines["mx1"], lab.machines["mx2"]
    for machine in (first, second):
        lab.renew(machine)
        text = machine.read("/etc/dovecot/dovecot.conf").replace("plain login cram-md5", MECHANISMS)
        machine.write("/etc/dovecot/dovecot.conf", text)
        users = {**PASSWORDS, "relaylogin": RELAY_PASSWORD}
        machine.write("/etc/dovecot/users", "".join(f"{u}:{{PLAIN}}{p}\n" for u, p in users.items() if u != "wrong"))
        machine.run(["systemctl", "restart", "dovecot"])
    for plugin in PLUGINS:
        place = first.root / plugin.lstrip("/")
        place.unlink(missing_ok=True)
        shutil.copy(plugin, place, follow_symlinks=True)
    first.write("/etc/postfix/sasl_passwd", f"[mx2.example.jp]:587 relaylogin:{RELAY_PASSWORD}\n")
    first.run(["postmap", "hash:/etc/postfix/sasl_passwd"])
    first.run(["postconf", "-e", "relayhost=[mx2.example.jp]:587", "smtp_sasl_auth_enable=yes",
               "smtp_sasl_password_maps=hash:/etc/postfix/sasl_passwd", "smtp_sasl_security_options=noanonymous",
               f"lmtp_sasl_password_maps=static:lmtplogin:{STATIC_PASSWORD}"])  # fmt: skip
    first.run(["postfix", "reload"])
    yield first, second
    for machine in (first, second):
        lab.renew(machine)


def run_window(operator: Operator, lab: Lab, machine: Machine, out: Path, *words: str) -> tuple[Running, Planted]:
    """Hold one window over SSH in which every secret passes, and end it early."""
    peers = ("--peer", PEER, "--peer", "10.0.1.102")
    window = operator.start("mx1", *peers, "--minutes", "5", "--out", str(out), "-vv", *words)
    window.wait_for("armed")
    planted = lab.client.call(plant_all, machine, PEER)
    planted.secrets |= {RELAY_PASSWORD, STATIC_PASSWORD, CONTENT}
    lab.client.call(relay_message, machine, PEER, "bob@mx2.example.jp")
    machine.wait_for_log("relay=mx2.example.jp[10.0.1.102]:587")
    if "--follow" in words:
        while "transcript" not in window.wait_for("session"):
            pass
    window.process.send_signal(signal.SIGINT)
    code, hosts = window.finish()
    assert (code, hosts["mx1" if "mx1" in hosts else next(iter(hosts))]["state"]) == (130, "clean"), window.printed
    return window, planted


@pytest.mark.parametrize("case", CASES)
def test_no_secret_leaves_the_host(
    relaying: tuple[Machine, Machine], operator: Operator, lab: Lab, tmp_path: Path, case: str
) -> None:
    machine, _ = relaying
    out = tmp_path / "run"
    window, planted = run_window(operator, lab, machine, out, *CASES[case])

    journal = machine.run(["journalctl", "-q", "-o", "cat", "-u", "postfix@-", "-u", "postfix"]).stdout
    for secret in (coded(PASSWORDS["login"]), PASSWORDS["as-command"], RELAY_PASSWORD):
        assert secret in journal, "the host's own log must have it, or nothing is tested"

    given = {"printed": window.printed, **_files(out)}
    assert {"run.json", "report.html", "report.md"} <= set(given)
    for name, text in given.items():
        for secret in planted.secrets:
            assert find_spellings(secret, text) == [], (name, secret)
        for blob in planted.wire:
            assert blob not in text, (name, blob)
    transcripts = "".join(text for name, text in given.items() if "/transcripts/" in name)
    for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-256", "XOAUTH2"):
        assert f"AUTH {mechanism}" in transcripts
    assert "235 2.7.0" in transcripts
    if "--pseudonymise" in CASES[case]:
        for name, text in given.items():
            if name != "printed":  # what is said to the operator names the operator's hosts
                assert [other for other in OTHERS if other in f"{name}\n{text}"] == [], name
        events = json.dumps(window.events)
        assert [other for other in OTHERS if other in events] == []
        assert any((operator.home / "data").rglob("pseudonyms.json"))


def test_whose_password_has_to_be_changed(
    relaying: tuple[Machine, Machine], operator: Operator, lab: Lab, tmp_path: Path
) -> None:
    """Account, host, time, mechanism and where the clear text still lies: in each report, the event and on screen."""
    machine, _ = relaying
    out = tmp_path / "run"
    window, _ = run_window(operator, lab, machine, out, "--smtp-tls", "1")
    (collected,) = [event for event in window.events if event["event"] == "collected"]
    told = {(item["account"], item["mechanism"]) for item in collected["exposures"]}
    expected = {
        ("plain", "PLAIN"), ("plain-later", "PLAIN"), ("login", "LOGIN"), ("login-user", "LOGIN"), ("cram", "CRAM-MD5"),
        ("digest", "DIGEST-MD5"), ("scram", "SCRAM-SHA-256"),
        ("plain", "XOAUTH2"),  # refused, but this client logged in as that user with PLAIN
    }  # fmt: skip
    assert expected <= told
    assert "relaylogin" in {account for account, _ in told}
    assert all(item["logged"] for item in collected["exposures"])

    report = json.loads(operator.report(str(out), "json"))
    listed = {(e["account"], e["mechanism"]): e for e in report["exposures"]}
    assert expected <= set(listed)
    entry = listed["login", "LOGIN"]
    assert (entry["host"], entry["where"]) == ("mx1", "journal")
    assert entry["time"].startswith("20")
    for text in (operator.report(str(out), "txt"), (out / "report.md").read_text(), (out / "report.html").read_text()):
        for word in ("plain-later", "login-user", "relaylogin", "SCRAM-SHA-256", "mx1", "systemd journal"):
            assert word in text


def _files(folder: Path) -> dict[str, str]:
    """Return every file that was written, by its path in the run folder."""
    return {
        str(path.relative_to(folder)): path.read_text(errors="surrogateescape")
        for path in folder.rglob("*")
        if path.is_file()
    }
