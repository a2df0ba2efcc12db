"""More scenes: what milters, tables, own files and remote servers do when they fail."""

from __future__ import annotations

from pathlib import Path

from tests.support.recorder.servers import SmtpScript, listen_tcp, milter_answering, policy_answering, serve

RELAY = "192.0.2.20"

#: port -> the -o options of its smtpd
SMTPD: dict[int, tuple[str, ...]] = {
    10060: ("smtpd_upstream_proxy_protocol=haproxy", "smtpd_upstream_proxy_timeout=1s"),
    10061: ("smtpd_recipient_restrictions=check_recipient_access,hash:{root}/absent",),
    10062: ("smtpd_recipient_restrictions=check_recipient_access,static:HOLD",),
    10063: ("smtpd_recipient_restrictions=check_recipient_access,static:DISCARD",),
    10064: ("smtpd_client_restrictions=warn_if_reject,reject",),
    10065: ("smtpd_client_restrictions=reject_rbl_client,refuses.example.jp",),
    10066: ("smtpd_milters=inet:127.0.0.1:12020",),
    10067: ("smtpd_milters=inet:127.0.0.1:12021",),
    10068: ("smtpd_milters=inet:127.0.0.1:12022",),
    10069: ("smtpd_milters=inet:127.0.0.1:12023",),
    10070: ("smtpd_tls_cert_file={root}/absent.pem", "smtpd_tls_key_file={root}/absent.pem"),
    10071: ("smtpd_tls_cert_file={root}/mx.pem", "smtpd_tls_key_file={root}/relay.pem"),
    10072: ("smtpd_client_restrictions=reject",),
    10073: ("smtpd_recipient_restrictions=reject_plaintext_session",),
    10074: ("smtpd_recipient_restrictions=check_policy_service,inet:127.0.0.1:12024",),
    10075: ("smtpd_proxy_filter=127.0.0.1:12997",),
    10076: ("smtpd_recipient_restrictions=check_recipient_access,regexp:{root}/broken-patterns",),
    10077: ("smtpd_recipient_restrictions=check_recipient_access,absent:{root}/x",),
    10078: ("smtpd_recipient_restrictions=reject_unverified_recipient", "unverified_recipient_reject_code=550"),
    10079: ("smtpd_recipient_restrictions=check_recipient_access,static:no_such_restriction",),
    10080: ("smtpd_sender_restrictions=reject_unlisted_sender",),
    10081: ("smtpd_tls_ask_ccert=yes", "smtpd_tls_req_ccert=yes", "smtpd_tls_security_level=encrypt"),
    10082: ("smtpd_end_of_data_restrictions=reject",),
    10083: ("smtpd_delay_reject=no", "smtpd_client_restrictions=reject"),
    10084: ("smtpd_recipient_restrictions=check_recipient_access,static:REDIRECT",),
    10085: ("smtpd_sasl_security_options=noplaintext,noanonymous", "smtpd_sasl_tls_security_options=noanonymous"),
    10086: ("smtpd_recipient_limit=nonsense",),
    10087: ("smtpd_milters=nonsense",),
    10088: ("content_filter=smtp:[127.0.0.1]:10024",),
    10089: ("smtpd_tls_dh1024_param_file={root}/absent-dh.pem",),
    10090: ("smtpd_recipient_restrictions=check_recipient_access,ldap:{root}/absent.cf",),
}

#: name of a scene and domain -> what the server at its port answers
REPLIES: dict[str, SmtpScript] = {
    "relay-denied": SmtpScript(replies={"RCPT": "554 5.7.1 <someone@x.example.jp>: Relay access denied"}),
    "login-required": SmtpScript(replies={"MAIL": "530 5.7.57 Client not authenticated to send mail"}),
    "blocked": SmtpScript(replies={"RCPT": "554 5.7.1 Client host [192.0.2.1] blocked using rbl.example.org"}),
    "our-rdns": SmtpScript(replies={"RCPT": "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]"}),
    "our-helo": SmtpScript(replies={"RCPT": "504 5.5.2 <mx>: Helo command rejected: need fully-qualified hostname"}),
    "spf": SmtpScript(replies={".": "550 5.7.26 Unauthenticated mail is not accepted: SPF did not pass"}),
    "rate": SmtpScript(replies={".": "421 4.7.28 Unusual rate of mail from your address"}),
    "sender": SmtpScript(replies={"MAIL": "553 5.7.1 <user@example.jp>: Sender address rejected: not owned by user"}),
    "disabled": SmtpScript(replies={"RCPT": "550 5.2.1 The mailbox is disabled"}),
    "spam": SmtpScript(replies={".": "554 5.7.1 Message rejected as spam"}),
    "tls-wanted": SmtpScript(replies={"MAIL": "451 5.7.3 STARTTLS is required to send mail"}),
    "remote-disk": SmtpScript(replies={"MAIL": "452 4.3.1 Insufficient system storage"}),
    "remote-table": SmtpScript(replies={"RCPT": "451 4.3.0 <x>: Temporary lookup failure"}),
    "size-552": SmtpScript(replies={".": "552 5.3.4 Message size exceeds fixed limit"}),
    "hops": SmtpScript(replies={".": "554 5.4.6 Too many hops"}),
    "policy": SmtpScript(replies={"RCPT": "550 5.7.1 no"}),
    "starttls-refused": SmtpScript(features=("STARTTLS",), replies={"STARTTLS": "454 4.7.0 TLS not available"}),
    "virus-scan": SmtpScript(replies={".": "451 4.5.0 Error in processing, id=12345-01, virus_scan FAILED"}),
}
#: The same with AUTH offered: what the server answers to it.
LOGINS: dict[str, str] = {
    "login-temporary": "454 4.7.0 Temporary authentication failure",
    "login-app-password": "534 5.7.9 Application-specific password required",
    "login-disabled": "535 5.7.139 Authentication unsuccessful, basic authentication is disabled",
    "login-browser": "534 5.7.14 Please log in via your web browser",
}
FIRST_PORT = 12700
PORTS = {name: FIRST_PORT + number for number, name in enumerate((*REPLIES, *LOGINS))}

_REFUSED_TLS = ("starttls-refused",)
TRANSPORT = (
    "".join(
        f"{name}.example.jp {'auth' if name in LOGINS else 'tlsmust' if name in _REFUSED_TLS else 'smtp'}:[relay.example.jp]:{port}\n"
        for name, port in PORTS.items()
    )
    + """\
wrapper.example.jp tlsmust:[relay.example.jp]:465
command-fails.example.jp fails:
command-absent.example.jp absent-command:
command-later.example.jp later:
unknown-local.example.jp local:
transport-absent.example.jp nosuchtransport:
error.example.jp error:5.1.6 has moved to another.example.net
filter-down.example.jp smtp:[127.0.0.1]:10024
bad-policy.example.jp badpolicy:[relay.example.jp]:12611
bound.example.jp bound:[relay.example.jp]:12611
"""
)

SERVICES = """\
local unix - n n - - local
virtual unix - n n - - virtual
fails unix - n n - - pipe user=nobody argv=/bin/false
absent-command unix - n n - - pipe user=nobody argv=/nonexistent/command
later unix - n n - - pipe user=nobody argv={root}/later
badpolicy unix - - n - - smtp -o smtp_tls_policy_maps=static:nonsense
bound unix - - n - - smtp -o smtp_bind_address=198.51.100.1"""


def start_servers(root: Path) -> None:
    """Start the other ends of these scenes, and write the files that are wrong on purpose."""
    (root / "later").write_text("#!/bin/sh\nexit 75\n")
    (root / "later").chmod(0o755)
    (root / "broken-patterns").write_text("/unclosed(/ REJECT\n/never/\n")
    credentials = [f"[relay.example.jp]:{PORTS[name]} relayuser:Wr0ng-Relay-Pw" for name in LOGINS]
    with (root / "relaypw").open("a") as table:
        table.write("\n".join(credentials) + "\n")
    serve(listen_tcp("127.0.0.1", 12020), milter_answering(b"t"))
    serve(listen_tcp("127.0.0.1", 12021), milter_answering(b"y", b"451 4.7.1 Greylisting in action, try again later"))
    serve(listen_tcp("127.0.0.1", 12022), milter_answering(b"d"))
    serve(listen_tcp("127.0.0.1", 12023), milter_answering(b""))
    serve(
        listen_tcp("127.0.0.1", 12024),
        policy_answering("550 5.7.23 Message rejected due to: SPF fail - not authorized"),
    )
    for name, script in REPLIES.items():
        serve(listen_tcp(RELAY, PORTS[name]), script)
    for name, reply in LOGINS.items():
        serve(listen_tcp(RELAY, PORTS[name]), SmtpScript(features=("AUTH PLAIN LOGIN",), replies={"AUTH": reply}))
    serve(listen_tcp(RELAY, 465), SmtpScript(banner="sleep"))


EHLO, MAIL, RCPT = "EHLO client.example.jp", "MAIL FROM:<user@example.jp>", "RCPT TO:<user@local.example.jp>"
MESSAGE = (EHLO, MAIL, RCPT, "DATA", "Subject: x", "", "x", ".", "QUIT")
#: scene -> port and the lines that the client says
TALKS: dict[str, tuple[int, tuple[str, ...]]] = {
    "proxy-header-missing": (10060, (EHLO, "QUIT")),
    "proxy-header-unexpected": (10025, ("PROXY TCP4 198.51.100.7 192.0.2.1 5000 25", EHLO, "QUIT")),
    "table-absent": (10061, MESSAGE),
    "held": (10062, MESSAGE),
    "discarded": (10063, MESSAGE),
    "warned-only": (10064, MESSAGE),
    "rbl-refuses-us": (10065, MESSAGE),
    "milter-tempfail": (10066, MESSAGE),
    "milter-greylists": (10067, MESSAGE),
    "milter-discards": (10068, MESSAGE),
    "milter-hangs-up": (10069, MESSAGE),
    "own-certificate-absent": (10070, (EHLO, "STARTTLS", "QUIT")),
    "own-key-mismatch": (10071, (EHLO, "STARTTLS", "QUIT")),
    "client-refused": (10072, MESSAGE),
    "encryption-required": (10073, MESSAGE),
    "policy-spf": (10074, MESSAGE),
    "proxy-filter-down": (10075, MESSAGE),
    "pattern-mistake": (10076, MESSAGE),
    "table-type-missing": (10077, MESSAGE),
    "restriction-unknown": (10079, MESSAGE),
    "unlisted-sender": (10080, (EHLO, "MAIL FROM:<absent@local.example.jp>", RCPT, "QUIT")),
    "end-of-data-refused": (10082, MESSAGE),
    "refused-at-connect": (10083, (EHLO, MAIL, "QUIT")),
    "mechanism-too-weak": (10085, (EHLO, "AUTH PLAIN AHVzZXIAV3IwbmctUGFzc3cwcmQ=", "QUIT")),
    "setting-nonsense": (10086, (EHLO, "QUIT")),
    "milter-nonsense": (10087, MESSAGE),
    "command-unknown": (10025, (EHLO, "FROB", "QUIT")),
    "command-syntax": (10025, (EHLO, "MAIL user@example.jp", "QUIT")),
    "command-order": (10025, (EHLO, "DATA", "QUIT")),
    "option-unknown": (10025, (EHLO, MAIL + " FROB=1", "QUIT")),
    "address-syntax": (10025, (EHLO, "MAIL FROM:<user example@>", "QUIT")),
    "xclient-refused": (10025, (EHLO, "XCLIENT NAME=x.example.net ADDR=198.51.100.7", "QUIT")),
    "bdat-wrong": (10025, (EHLO, MAIL, RCPT, "BDAT many", "QUIT")),
    "http": (10025, ("GET / HTTP/1.1", "Host: mx.example.jp")),
    "auth-malformed": (10025, (EHLO, "AUTH PLAIN !!!", "QUIT")),
    "auth-twice": (10025, (EHLO, "AUTH PLAIN AHVzZXJAZXhhbXBsZS5qcABSMWdodC1QYXNzdzByZA==", "AUTH PLAIN AA==", "QUIT")),
    "hops": (10025, (EHLO, MAIL, RCPT, "DATA", *("Received: from x by y; now",) * 60, "", "x", ".", "QUIT")),
    "health-check": (10025, ()),
}
#: scene -> domain that a message is sent to
SENDS = {
    **{f"outbound-{name}": f"{name}.example.jp" for name in PORTS},
    "outbound-wrapper-needed": "wrapper.example.jp",
    "outbound-filter-down": "filter-down.example.jp",
    "outbound-bad-policy": "bad-policy.example.jp",
    "outbound-bind": "bound.example.jp",
    "outbound-transport-absent": "transport-absent.example.jp",
    "outbound-error": "error.example.jp",
    "pipe-fails": "command-fails.example.jp",
    "pipe-absent": "command-absent.example.jp",
    "pipe-later": "command-later.example.jp",
    "local-unknown": "unknown-local.example.jp",
}
