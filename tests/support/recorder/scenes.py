"""The scenes: which failure, on which service, and what makes it happen."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.recorder import failures
from tests.support.recorder.instance import inside
from tests.support.recorder.servers import (
    SmtpScript,
    listen_tcp,
    listen_unix,
    milter_refusing,
    policy_answering,
    serve,
)

HOST, CLIENT, MISMATCH, NAMELESS, LISTED = (
    "192.0.2.1",
    "192.0.2.10",
    "192.0.2.11",
    "192.0.2.12",
    "192.0.2.13",
)
RELAY = "192.0.2.20"
CONTENT = "Subject: recording\n\nBody of a recorded message.\n"

#: port -> the -o options of its smtpd
SMTPD: dict[int, tuple[str, ...]] = {
    10025: (),
    10026: ("smtpd_tls_auth_only=yes",),
    10027: ("smtpd_sasl_path={root}/dovecot/absent",),
    10028: ("smtpd_tls_wrappermode=yes",),
    10029: (
        "smtpd_helo_required=yes",
        "smtpd_helo_restrictions=reject_invalid_helo_hostname,reject_non_fqdn_helo_hostname",
    ),
    10030: ("smtpd_client_restrictions=reject_unknown_client_hostname",),
    10031: ("smtpd_client_restrictions=reject_rbl_client,rbl.example.jp",),
    10032: ("smtpd_recipient_restrictions=check_policy_service,inet:127.0.0.1:12001",),
    10033: ("smtpd_recipient_restrictions=check_policy_service,inet:127.0.0.1:12999",),
    10034: ("smtpd_milters=inet:127.0.0.1:12002",),
    10035: ("smtpd_milters=inet:127.0.0.1:12998",),
    10036: ("smtpd_sender_restrictions=reject_unknown_sender_domain",),
    10037: (
        "smtpd_relay_restrictions=",
        "smtpd_recipient_restrictions=reject_unknown_recipient_domain,reject_unauth_destination",
    ),
    10038: ("message_size_limit=1000",),
    10039: ("smtpd_recipient_limit=2", "smtpd_recipient_overshoot_limit=1"),
    10040: ("smtpd_client_connection_rate_limit=1", "smtpd_client_event_limit_exceptions="),
    10041: ("smtpd_timeout=2s",),
    10042: ("smtpd_hard_error_limit=3", "smtpd_soft_error_limit=2", "smtpd_error_sleep_time=0"),
    10043: ("smtpd_data_restrictions=reject_unauth_pipelining",),
    10044: ("queue_minfree=999999999999",),
    10045: ("smtpd_sasl_auth_enable=no",),
    10046: ("smtpd_tls_security_level=encrypt",),
    10047: ("smtpd_tls_protocols=!SSLv2,!SSLv3,!TLSv1,!TLSv1.1,!TLSv1.2",),
    10048: ("smtpd_client_restrictions=check_client_access,texthash:{root}/access",),
    10049: (
        "smtpd_sender_login_maps=texthash:{root}/logins",
        "smtpd_sender_restrictions=reject_sender_login_mismatch",
    ),
    10050: ("smtpd_recipient_restrictions=check_policy_service,inet:127.0.0.1:12003",),
    10051: ("smtpd_authorized_xclient_hosts=192.0.2.10",),
    10052: ("smtpd_client_connection_count_limit=1", "smtpd_client_event_limit_exceptions="),
    10054: ("smtpd_tls_cert_file={root}/expired.pem", "smtpd_tls_key_file={root}/expired.pem"),
    10053: ("smtpd_sender_restrictions=reject_non_fqdn_sender",),
    # The submission service of a relay that our own smtp logs in to.
    10055: ("myhostname=relay.example.jp", "content_filter=discard:"),
    **failures.SMTPD,
}

#: domain -> transport(5) of the outbound scenes
TRANSPORT = (
    """\
refused.example.jp smtp:[192.0.2.20]:25999
nohost.example.jp smtp:[absent.example.net]
nodomain.example.jp smtp:absent.example.net
dnsfail.example.jp smtp:[servfail.example.jp]
noroute.example.jp smtp:[198.51.100.9]
blackhole.example.jp smtp:[203.0.113.9]
loop.example.jp smtp
greylist.example.jp smtp:[relay.example.jp]:12601
bounce.example.jp smtp:[relay.example.jp]:12602
full.example.jp smtp:[relay.example.jp]:12603
silent.example.jp smtp:[relay.example.jp]:12604
hangup.example.jp smtp:[relay.example.jp]:12605
plainonly.example.jp tlsmust:[relay.example.jp]:12606
untrusted.example.jp tlsverify:[relay.example.jp]:12607
wrongname.example.jp tlsname:[relay.example.jp]:12607
badauth.example.jp auth:[relay.example.jp]:12608
garbage.example.jp tlsmust:[relay.example.jp]:12609
stall.example.jp smtp:[relay.example.jp]:12610
sent.example.jp smtp:[relay.example.jp]:12611
busy.example.jp smtp:[relay.example.jp]:12612
unwelcome.example.jp smtp:[relay.example.jp]:12613
nomech.example.jp auth:[relay.example.jp]:12614
toolarge.example.jp smtp:[relay.example.jp]:12615
expired.example.jp tlsexpired:[relay.example.jp]:12617
plainauth.example.jp plainauth:[relay.example.jp]:10055
cram.example.jp cram:[relay.example.jp]:10055
digest.example.jp digest:[relay.example.jp]:10055
scram.example.jp scram:[relay.example.jp]:10055
tls.example.jp tlsmust:[relay.example.jp]:12607
spamhold.example.jp smtp:[relay.example.jp]:12616
cached.example.jp cached:[relay.example.jp]:12611
second.example.jp smtp:[relay.example.jp]:12612, [relay.example.jp]:12611
example.jp discard:
lmtp.example.jp lmtp:unix:{root}/lmtp
lmtpfull.example.jp lmtp:unix:{root}/lmtp-full
lmtpabsent.example.jp lmtp:unix:{root}/lmtp-absent
"""
    + failures.TRANSPORT
)

OUTBOUND = """\
cached unix - - n - - smtp -o smtp_connection_cache_destinations=static:all
tlsmust unix - - n - - smtp -o smtp_tls_security_level=encrypt
tlsverify unix - - n - - smtp -o smtp_tls_security_level=verify
tlsname unix - - n - - smtp -o smtp_tls_security_level=secure -o smtp_tls_CAfile={root}/relay.pem
  -o smtp_tls_secure_cert_match=other.example.jp
tlsexpired unix - - n - - smtp -o smtp_tls_security_level=verify -o smtp_tls_CAfile={root}/expired.pem
auth unix - - n - - smtp -o smtp_sasl_auth_enable=yes -o smtp_sasl_security_options=noanonymous
  -o smtp_sasl_password_maps=texthash:{root}/relaypw
"""

LOGGED_IN = """\
{name} unix - - n - - smtp -o smtp_sasl_auth_enable=yes -o smtp_sasl_security_options=noanonymous
  -o smtp_sasl_password_maps=texthash:{{root}}/relaypw -o smtp_sasl_mechanism_filter={mechanism}
"""


def service_lines() -> list[str]:
    """The master.cf lines of all scenes."""
    lines = []
    for port, options in SMTPD.items():
        shown = "".join(f" -o {{ {option.replace('=', ' = ', 1).replace(',', ', ')} }}" for option in options)
        lines.append(f"{port} inet n - n - - smtpd" + shown.replace("{root}", "@ROOT@"))
    text = "\n".join(lines).replace("{", "{{").replace("}", "}}").replace("@ROOT@", "{root}")
    logged_in = {"plainauth": "plain", "cram": "cram-md5", "digest": "digest-md5", "scram": "scram-sha-256"}
    return [
        text,
        OUTBOUND.rstrip(),
        failures.SERVICES,
        *(LOGGED_IN.format(name=name, mechanism=word).rstrip() for name, word in logged_in.items()),
    ]


def start_servers(root: Path) -> None:
    """Start every other end and write the tables that the scenes use."""
    (root / "access").write_text("192.0.2.10 REJECT not from here\n")
    (root / "logins").write_text("owner@example.jp other@example.jp\n")
    entries = [f"[relay.example.jp]:{port} relayuser:Wr0ng-Relay-Pw" for port in (12608, 12614)]
    entries.append("[relay.example.jp]:10055 user@example.jp:R1ght-Passw0rd")
    (root / "relaypw").write_text("\n".join(entries) + "\n")
    serve(listen_tcp("127.0.0.1", 12001), policy_answering("DEFER_IF_PERMIT Greylisted, please come back later"))
    serve(listen_tcp("127.0.0.1", 12003), policy_answering("REJECT 5.7.23 refused by the policy server"))
    serve(listen_tcp("127.0.0.1", 12002), milter_refusing("550 5.7.1 refused by the milter"))
    pem = root / "relay.pem"
    scripts = {
        12601: SmtpScript(replies={"RCPT": "450 4.2.0 Greylisted, try again in 300 seconds"}),
        12602: SmtpScript(replies={"RCPT": "550 5.1.1 no such user here"}),
        12603: SmtpScript(replies={".": "552 5.2.2 Mailbox full"}),
        12604: SmtpScript(banner="sleep"),
        12605: SmtpScript(replies={"MAIL": ""}),
        12606: SmtpScript(),
        12607: SmtpScript(features=("STARTTLS", "8BITMIME"), certificate=pem),
        12608: SmtpScript(
            features=("AUTH PLAIN LOGIN",), replies={"AUTH": "535 5.7.8 authentication credentials invalid"}
        ),
        12609: SmtpScript(features=("STARTTLS",), garbage_after_starttls=True),
        12610: SmtpScript(replies={".": "sleep"}),
        12611: SmtpScript(),
        12612: SmtpScript(banner="421 4.7.0 too many connections, come back later"),
        12613: SmtpScript(banner="554 5.7.1 you are not welcome"),
        12614: SmtpScript(features=("AUTH GSSAPI",)),
        12615: SmtpScript(features=("SIZE 10",)),
        12616: SmtpScript(replies={".": "451 4.7.1 message content is being looked at"}),
    }
    for port, script in scripts.items():
        serve(listen_tcp(RELAY, port), script)
    expired = SmtpScript(features=("STARTTLS", "8BITMIME"), certificate=root / "expired.pem")
    serve(listen_tcp(RELAY, 12617), expired)
    serve(listen_unix(root / "lmtp"), SmtpScript(banner="220 lmtp ready"))
    full = SmtpScript(banner="220 lmtp ready", replies={".": "452 4.2.2 Mailbox is full"})
    serve(listen_unix(root / "lmtp-full"), full)
    failures.start_servers(root)


def swaks(port: int, *options: str, source: str = CLIENT, tls: bool = False) -> None:
    argv = ["swaks", "--server", HOST, "--port", str(port), "--local-interface", source, "--timeout", "8"]
    defaults = {"--helo": "client.example.jp", "--from": "user@example.jp", "--to": "user@local.example.jp"}
    for option, value in defaults.items():
        if option not in options:
            argv += [option, value]
    subprocess.run([*argv, *(["--tls"] if tls else []), *options], check=False, capture_output=True)


def talk(port: int, *lines: str, pause: float = 0.2, hold: float = 0.0, source: str = CLIENT) -> None:
    """Write raw lines to an smtpd, reading what comes, then close after ``hold`` seconds."""
    with socket.create_connection((HOST, port), timeout=8, source_address=(source, 0)) as connection:
        with contextlib.suppress(OSError):
            for line in lines:
                time.sleep(pause)
                connection.sendall(line.encode() + b"\r\n")
            time.sleep(pause)
        time.sleep(hold)


def s_client(port: int, *options: str, starttls: bool = True) -> None:
    argv = [
        "openssl",
        "s_client",
        "-connect",
        f"{HOST}:{port}",
        "-bind",
        f"{CLIENT}:0",
        "-crlf",
        "-quiet",
        *options,
    ]
    argv += ["-starttls", "smtp"] if starttls else []
    subprocess.run(argv, check=False, capture_output=True, input=b"QUIT\n", timeout=10)


def send(domain: str, root: Path) -> None:
    argv = ["sendmail", "-C", str(root / "etc"), "-f", "user@example.jp", f"someone@{domain}"]
    subprocess.run(inside(*argv), check=True, capture_output=True, input=CONTENT.encode(), timeout=30)


def twice(action: Callable[[], None]) -> None:
    action()
    time.sleep(1)  # a connection is in the cache only after the delivery before it is done
    action()


def two_connections(port: int) -> None:
    with socket.create_connection((HOST, port), source_address=(CLIENT, 0)):
        time.sleep(0.3)
        talk(port, "EHLO client.example.jp", "QUIT")


AUTH_BAD = ("--auth", "PLAIN", "--auth-user", "user@example.jp", "--auth-password", "Wr0ng-Passw0rd")
AUTH_GOOD = ("--auth", "PLAIN", "--auth-user", "user@example.jp", "--auth-password", "R1ght-Passw0rd")
EHLO, MAIL, RCPT = "EHLO client.example.jp", "MAIL FROM:<user@example.jp>", "RCPT TO:<user@local.example.jp>"

Scene = Callable[[Path], None]
SCENES: dict[str, Scene] = {
    "sasl-accepted": lambda _: swaks(10025, *AUTH_GOOD, tls=True),
    "sasl-accepted-login": lambda _: swaks(10025, "--auth", "LOGIN", *AUTH_GOOD[2:]),
    "sasl-bad-password": lambda _: swaks(10025, *AUTH_BAD),
    "sasl-bad-password-login": lambda _: swaks(10025, "--auth", "LOGIN", *AUTH_BAD[2:]),
    "sasl-mechanism-not-offered": lambda _: talk(10025, EHLO, "AUTH XOAUTH2 dXNlcj11c2Vy", "QUIT"),
    "sasl-no-auth-service": lambda _: talk(10027, EHLO, "QUIT"),
    "sasl-before-starttls": lambda _: talk(10026, EHLO, "AUTH PLAIN AHVzZXIAV3IwbmctUGFzc3cwcmQ=", "QUIT"),
    "sasl-not-enabled": lambda _: talk(10045, EHLO, "AUTH PLAIN AHVzZXIAV3IwbmctUGFzc3cwcmQ=", "QUIT"),
    "sasl-aborted": lambda _: talk(10025, EHLO, "AUTH LOGIN", "*", "QUIT"),
    "sasl-hung-up": lambda _: talk(10025, EHLO, "AUTH LOGIN"),
    "too-many-errors": lambda _: talk(10042, EHLO, "FOO", "BAR", "BAZ", "QUX"),
    "relay-denied": lambda _: swaks(10025, "--to", "someone@elsewhere.example.net"),
    "unknown-user": lambda _: swaks(10025, "--to", "absent@local.example.jp"),
    "helo-not-fqdn": lambda _: swaks(10029, "--helo", "localhost"),
    "helo-invalid": lambda _: swaks(10029, "--helo", "bad_name!"),
    "helo-required": lambda _: talk(10029, MAIL, "QUIT"),
    "rdns-mismatch": lambda _: swaks(10030, source=MISMATCH),
    "rdns-missing": lambda _: swaks(10030, source=NAMELESS),
    "rbl-listed": lambda _: swaks(10031, source=LISTED),
    "policy-greylisted": lambda _: swaks(10032),
    "policy-rejected": lambda _: swaks(10050),
    "policy-down": lambda _: swaks(10033),
    "milter-rejected": lambda _: swaks(10034),
    "milter-down": lambda _: swaks(10035),
    "sender-domain-not-found": lambda _: swaks(10036, "--from", "user@absent.example.net"),
    "sender-not-fqdn": lambda _: talk(10053, EHLO, "MAIL FROM:<user@nodots>", RCPT, "QUIT"),
    "recipient-domain-not-found": lambda _: swaks(10037, "--to", "user@absent.example.net"),
    "sender-login-mismatch": lambda _: swaks(10049, "--from", "owner@example.jp", *AUTH_GOOD),
    "size-limit": lambda _: talk(10038, EHLO, MAIL + " SIZE=99999", "QUIT"),
    "size-limit-data": lambda _: talk(10038, EHLO, MAIL, RCPT, "DATA", "x" * 900, "y" * 900, ".", "QUIT"),
    "too-many-recipients": lambda _: talk(10039, EHLO, MAIL, RCPT, RCPT, RCPT, "QUIT"),
    "connection-rate": lambda _: twice(lambda: talk(10040, EHLO, "QUIT")),
    "connection-count": lambda _: two_connections(10052),
    "client-timeout": lambda _: talk(10041, EHLO, hold=3),
    "client-timeout-data": lambda _: talk(10041, EHLO, MAIL, RCPT, "DATA", "Subject: half", hold=3),
    "lost-connection-data": lambda _: talk(10025, EHLO, MAIL, RCPT, "DATA", "Subject: half"),
    "lost-connection-rcpt": lambda _: talk(10025, EHLO, MAIL, RCPT),
    "pipelining": lambda _: talk(10043, "HELO client.example.jp", f"{MAIL}\r\n{RCPT}\r\nDATA\r\nSubject: early", "."),
    "disk-full": lambda _: swaks(10044),
    "client-access-rejected": lambda _: swaks(10048),
    "content-rejected": lambda _: swaks(10025, "--header", "Subject: forbidden"),
    "xclient": lambda _: talk(
        10051, EHLO, "XCLIENT NAME=outside.example.net ADDR=198.51.100.7", EHLO, MAIL, RCPT, "QUIT"
    ),
    "delivered-inbound": lambda _: swaks(10025),
    "tls-required-by-server": lambda _: talk(10046, EHLO, MAIL, "QUIT"),
    "tls-version-too-low": lambda _: s_client(10047, "-tls1_2"),
    "tls-no-shared-cipher": lambda _: s_client(10025, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    "tls-unknown-ca": lambda root: s_client(
        10025, "-verify_return_error", "-CAfile", str(root / "relay.pem"), "-no-CApath"
    ),
    "tls-name-mismatch-client": lambda root: s_client(
        10025, "-verify_return_error", "-CAfile", str(root / "mx.pem"), "-verify_hostname", "other.example.jp"
    ),
    "tls-certificate-expired": lambda root: s_client(
        10054, "-verify_return_error", "-CAfile", str(root / "expired.pem"), "-no-CApath"
    ),
    "tls-plaintext-on-tls-port": lambda _: talk(10028, EHLO, "QUIT"),
    "tls-wrapper-on-plain-port": lambda _: s_client(10025, starttls=False),
    "tls-hung-up-after-starttls": lambda _: talk(10025, EHLO, "STARTTLS"),
    "tls-ok-inbound": lambda _: swaks(10025, tls=True),
    **{
        f"outbound-{name}": (lambda root, domain=domain: send(domain, root))  # type: ignore[misc]
        for name, domain in {
            "refused": "refused.example.jp",
            "host-not-found": "nohost.example.jp",
            "domain-not-found": "nodomain.example.jp",
            "dns-failure": "dnsfail.example.jp",
            "no-route": "noroute.example.jp",
            "connect-timeout": "blackhole.example.jp",
            "loops-back": "loop.example.jp",
            "greylisted": "greylist.example.jp",
            "bounced": "bounce.example.jp",
            "mailbox-full": "full.example.jp",
            "silent-server": "silent.example.jp",
            "lost-connection": "hangup.example.jp",
            "tls-not-offered": "plainonly.example.jp",
            "tls-untrusted": "untrusted.example.jp",
            "tls-wrong-name": "wrongname.example.jp",
            "tls-expired": "expired.example.jp",
            "tls-garbage": "garbage.example.jp",
            "tls-sent": "tls.example.jp",
            "sasl-plain": "plainauth.example.jp",
            "sasl-cram-md5": "cram.example.jp",
            "sasl-digest-md5": "digest.example.jp",
            "sasl-scram": "scram.example.jp",
            "sasl-refused": "badauth.example.jp",
            "sasl-no-mechanism": "nomech.example.jp",
            "slow-after-data": "stall.example.jp",
            "sent": "sent.example.jp",
            "busy": "busy.example.jp",
            "unwelcome": "unwelcome.example.jp",
            "too-large": "toolarge.example.jp",
            "content-deferred": "spamhold.example.jp",
        }.items()
    },
    "outbound-second-host": lambda root: send("second.example.jp", root),
    "outbound-cached-connection": lambda root: twice(lambda: send("cached.example.jp", root)),
    "lmtp-sent": lambda root: send("lmtp.example.jp", root),
    "lmtp-mailbox-full": lambda root: send("lmtpfull.example.jp", root),
    "lmtp-no-socket": lambda root: send("lmtpabsent.example.jp", root),
    **{name: (lambda _, port=port, lines=lines: talk(port, *lines)) for name, (port, lines) in failures.TALKS.items()},  # type: ignore[misc]
    **{name: (lambda root, domain=domain: send(domain, root)) for name, domain in failures.SENDS.items()},  # type: ignore[misc]
}
