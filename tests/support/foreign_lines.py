"""Lines of the shape that admins post from machines that are not ours, and what they must be read as.

Names, addresses and numbers are invented. Each stands for a kind that was once read wrongly, or not at all.
"""

from __future__ import annotations

from tests.support.outbound_lines import OUTBOUND

_CLIENT = "smtpd: connect from c.example.net[192.0.2.7]"
_FAILED = "smtpd: warning: c.example.net[192.0.2.7]: SASL "
_LIBRARY = "smtpd: warning: SASL authentication "
_REJECT = "smtpd: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: "
_MAIL = "; from=<a@example.net> to=<b@example.org> proto=ESMTP helo=<c.example.net>"
_NAME_SERVICE = "Host or domain name not found. Name service error for name=example.com type=MX: "


def _status(why: str, *, daemon: str = "smtp", status: str = "bounced", relay: str = "mx.example.com") -> str:
    return (
        f"{daemon}: 5AB0C11D22E: to=<b@example.com>, relay={relay}, delay=1, delays=0/0/1/0, dsn=5.0.0, "
        f"status={status} ({why})"
    )


def _said(reply: str, command: str = "RCPT TO", *, server: str = "mx.example.com[198.51.100.25]") -> str:
    status = "deferred" if reply.startswith("4") else "bounced"
    return _status(f"host {server} said: {reply} (in reply to {command} command)", status=status)


#: the lines, and the findings that they must lead to, in order
FOREIGN: list[tuple[list[str], list[tuple[str, str]]]] = [
    # What the SASL library says comes before "no mechanism available" and "authentication failed".
    (
        [
            _CLIENT,
            _LIBRARY + "problem: unknown password verifier",
            _LIBRARY + "failure: Password verification failed",
            _FAILED + "PLAIN authentication failed: no mechanism available",
        ],
        [("auth.verifier-unknown", "proven")],
    ),
    (
        [_CLIENT, _FAILED + "LOGIN authentication failed: no mechanism available"],
        [("auth.mechanism-not-offered", "likely")],
    ),
    (
        [
            _CLIENT,
            _LIBRARY + "failure: bad digest",
            _FAILED + "DIGEST-MD5 authentication failed: authentication failure",
        ],
        [("auth.library-says", "likely")],
    ),
    # A line without its session has no reply beside it that proves it.
    ([_FAILED + "LOGIN authentication failed: UGFzc3dvcmQ6"], [("auth.bad-credentials", "likely")]),
    (
        [_FAILED + "PLAIN authentication failed: (reason unavailable), sasl_username=u"],
        [("auth.bad-credentials", "likely")],
    ),
    (
        [
            _status(
                "SASL authentication failed; server relay.example.com[198.51.100.5] said: 451 Authentication failed: Maximum credits exceeded",
                status="deferred",
            )
        ],
        [("auth.relay-quota", "proven")],
    ),
    ([_said("550 Unauthenticated senders not allowed", "MAIL FROM")], [("auth.relay-required", "proven")]),
    # A certificate that hindered nothing: the server's answer to the envelope came over that connection.
    (
        [
            "smtp: certificate verification failed for relay.example.com: num=20:unable to get local issuer certificate",
            _said("550 5.1.0 Authentication required", "MAIL FROM"),
        ],
        [("auth.relay-required", "proven")],
    ),
    (
        [
            "smtp: SSL_connect error to mx.example.com[198.51.100.25]:25: -1",
            "smtp: warning: TLS library problem: error:0A0000BF:SSL routines::no protocols available:ssl/statem/statem_lib.c:114:",
            _status("Cannot start TLS: handshake failure", status="deferred"),
        ],
        [("tls.no-protocols", "proven")],
    ),
    # The handshake failed, whatever became of the mail without TLS.
    (
        [
            "smtp: SSL_connect error to mx.example.com[198.51.100.25]:25: -1",
            "smtp: warning: TLS library problem: error:141A318A:SSL routines:tls_process_ske_dhe:dh key too small:ssl/statem/statem_clnt.c:2157:",
            "smtp: 5AB0C11D22E: Cannot start TLS: handshake failure",
            _status("250 2.0.0 Ok: queued as 4Z", status="sent"),
        ],
        [("tls.weak-key", "proven")],
    ),
    # Soft bounces answer 435; a socketmap is no policy service; main.cf is no table.
    (
        [
            _CLIENT,
            _FAILED + "PLAIN authentication failed: ",
            "smtpd: > c.example.net[192.0.2.7]: 435 4.7.8 Error: authentication failed: ",
        ],
        [("auth.bad-credentials", "proven")],
    ),
    (
        [
            "trivial-rewrite: warning: connect to /run/map.socket: No such file or directory",
            "trivial-rewrite: warning: table socketmap:unix:/run/map.socket:transport lookup error: No such file or directory",
        ],
        [("table.socketmap", "proven")],
    ),
    (["sendmail: fatal: open /etc/postfix/main.cf: Permission denied"], [("process.setting", "proven")]),
    (
        ["local: fatal: main.cf configuration error: mailbox_size_limit is smaller than message_size_limit"],
        [("process.setting", "proven")],
    ),
    (
        [_said("550 5.7.515 Access denied, sending domain does not meet the required level", "end of DATA")],
        [("delivery.sender-authentication", "proven")],
    ),
    # Who refuses: the client's address, the sender, the recipient, the content.
    (
        [_REJECT + "550 5.7.25 Client host rejected: cannot find your hostname, [192.0.2.7]" + _MAIL],
        [("policy.rdns", "proven")],
    ),
    (
        [_REJECT + "450 4.7.25 Client host rejected: cannot find your reverse hostname, [192.0.2.7]" + _MAIL],
        [("policy.rdns", "proven")],
    ),
    (
        [_REJECT + "450 4.1.8 <a@example.net>: Sender address rejected: Malformed DNS server reply" + _MAIL],
        [("policy.domain-malformed", "proven")],
    ),
    (
        ["smtpd: warning: 192.0.2.7: hostname c.example.net verification failed: Name or service not known"],
        [("policy.rdns-mismatch", "proven")],
    ),
    (
        ["smtpd: warning: smtpd_peer_init: 192.0.2.7: address not listed for hostname c.example.net"],
        [("policy.rdns-mismatch", "proven")],
    ),
    (
        ["smtpd: warning: 192.0.2.7: hostname c.example.net verification failed: Temporary failure in name resolution"],
        [("policy.rdns-failed", "proven")],
    ),
    (
        ["cleanup: 5AB0C11D22E: warning: header Subject: x from c.example.net[192.0.2.7]" + _MAIL],
        [("policy.content-warned", "proven")],
    ),
    (
        [_said("553 5.1.8 <a@example.net>... Domain of sender address a@example.net does not exist", "MAIL FROM")],
        [("delivery.sender-refused", "proven")],
    ),
    ([_said("550 5.7.1 Access denied", "MAIL FROM")], [("delivery.sender-refused", "likely")]),
    (
        [
            _said(
                "554 Message rejected: Email address is not verified. The following identities failed the check: a@example.net",
                "end of DATA",
            )
        ],
        [("delivery.sender-refused", "proven")],
    ),
    ([_said("550 User not found")], [("delivery.unknown-recipient", "proven")]),
    ([_said("550 unrouteable mail domain example.com")], [("delivery.unknown-recipient", "proven")]),
    ([_said('550 "b@example.com" is not a known user')], [("delivery.unknown-recipient", "proven")]),
    (
        [_said("450 4.1.1 <b@example.com>: Recipient address rejected: User unknown in virtual alias table")],
        [("delivery.unknown-recipient", "likely")],
    ),
    (
        [_said("550 <b@example.com>: Recipient address rejected: retrying too fast")],
        [("delivery.rate-limited", "proven")],
    ),
    (
        [
            _said(
                "550-5.2.1 The user is receiving mail at a rate that 550 5.2.1 prevents additional messages",
                "end of DATA",
            )
        ],
        [("delivery.recipient-busy", "proven")],
    ),
    ([_said("550 Mailbox is frozen")], [("delivery.mailbox-disabled", "proven")]),
    (
        [_said("554 delivery error: This account has been disabled or discontinued", "end of DATA")],
        [("delivery.mailbox-disabled", "proven")],
    ),
    (
        [
            _said(
                "550-5.7.1 likely suspicious due to the very low reputation of the sending IP 550 5.7.1 address, see spam rules",
                "end of DATA",
            )
        ],
        [("delivery.reputation", "proven")],
    ),
    (
        [_said("550 5.1.0 MailFrom domain is listed in lists.example", "MAIL FROM")],
        [("delivery.domain-blocked", "proven")],
    ),
    ([_said("550 5.7.25 no name for your address")], [("delivery.our-rdns", "proven")]),
    (
        [_said("554 Transaction failed: Duplicate header 'DKIM-Signature'.", "end of DATA")],
        [("delivery.message-form", "proven")],
    ),
    (
        [_said("550-5.7.1 Messages with multiple 550 5.7.1 addresses in From: header are not accepted", "end of DATA")],
        [("delivery.message-form", "proven")],
    ),
    ([_said("550 5.7.1 Message rejected (no valid recipients)", "end of DATA")], [("delivery.policy", "proven")]),
    ([_said("550 Denied by policy")], [("delivery.policy", "proven")]),
    ([_said("552 Too many recipients")], [("delivery.too-many-recipients", "proven")]),
    (
        [_said("501 5.7.1 This system is not configured to relay mail from <a@example.net>")],
        [("delivery.relay-denied", "proven")],
    ),
    ([_said("452 4.3.2 Connection rate limit exceeded.", "MAIL FROM")], [("delivery.rate-limited", "proven")]),
    # Put off: what it is stands not there. Trouble: on whose machine?
    ([_said("450 4.3.2 Service currently unavailable")], [("delivery.put-off", "likely")]),
    ([_said("421 Retry later", "end of DATA")], [("delivery.put-off", "likely")]),
    (
        [
            _said(
                "451 4.2.0 <b@example.com> Internal error occurred.",
                "end of DATA",
                server="mail.example.org[private/dovecot-lmtp]",
            )
        ],
        [("delivery.mailbox-server-trouble", "proven")],
    ),
    # Forms of other versions.
    (
        [
            "smtp: connect to mx.example.com[198.51.100.25]: server refused to talk to me: 554 no mail from you   (port 25)"
        ],
        [("delivery.unwelcome", "proven")],
    ),
    (
        [
            _status(
                "Name service error for domain example.com: Host not found, try again", status="deferred", relay="none"
            )
        ],
        [("delivery.dns-failed", "proven")],
    ),
    (
        [_status(_NAME_SERVICE + "Malformed or unexpected name server reply", relay="none")],
        [("delivery.dns-malformed", "proven")],
    ),
    ([_status("bad address syntax", daemon="error", relay="none")], [("delivery.address-syntax", "proven")]),
    ([_status("x", status="SOFTBOUNCE")], [("delivery.bounced", "proven")]),
    # Commands that say why with their exit status alone.
    ([_status("user unknown", daemon="pipe", relay="dovecot")], [("local.unknown-user", "proven")]),
    ([_status("service unavailable", daemon="pipe", relay="filter")], [("local.command-said", "proven")]),
    (
        [
            _status(
                "can't create user output file. Command output: procmail: Lock failure on /var/mail/b.lock ",
                daemon="local",
                relay="local",
            )
        ],
        [("local.command-said", "proven")],
    ),
    # Not the mailbox: the accounts, the queue, a program.
    (["proxymap: warning: cannot access UNIX password database: Permission denied"], [("table.accounts", "proven")]),
    (
        ["master: fatal: open lock file /var/lib/postfix/master.lock: cannot open file: Permission denied"],
        [("process.queue-permission", "proven")],
    ),
    (
        ["master: warning: master_wakeup_timer_event: service pickup(public/pickup): Permission denied"],
        [("process.queue-permission", "proven")],
    ),
    (
        ["master: fatal: master_spawn: exec /usr/lib/postfix/2: No such file or directory"],
        [("process.no-program", "proven")],
    ),
    (["pipe: fatal: get_service_attr: unknown username: vmail"], [("process.setting", "proven")]),
    (
        ["smtp: fatal: valid hostname or network address required in server description: 0"],
        [("config.next-hop", "proven")],
    ),
    (["postfix-script: warning: not owned by group postdrop: /usr/sbin/postqueue"], [("process.owner", "proven")]),
    (
        ["postfix-script: warning: not set-gid or not owner+group+world executable: /usr/sbin/postdrop"],
        [("process.owner", "proven")],
    ),
    (["pickup: warning: maildrop/0F7376AFB1: Error writing message file"], [("limit.queue-write", "proven")]),
    (["local: warning: dict_nis_init: NIS domain name not set - NIS lookups disabled"], [("config.nis", "proven")]),
    (
        ["cleanup: warning: dict_ldap_get_values[1]: DN uid=gone,dc=example,dc=org not found, skipping "],
        [("table.ldap-entry", "proven")],
    ),
    # An operator's own deed, and postscreen's end of a test.
    (["postsuper: Placed on hold: 67 messages", "postsuper: Released from hold: 13 messages"], []),
    (
        [
            "postscreen: NOQUEUE: reject: RCPT from [192.0.2.7]:2413: 550 5.5.1 Protocol error; from=<a@example.net>, to=<b@example.org>, proto=SMTP, helo=<c>"
        ],
        [("screen.protocol", "proven")],
    ),
    (["postscreen: warning: timeout sending connection to service private/smtpd"], [("screen.handover", "proven")]),
    (
        [
            _CLIENT,
            _LIBRARY + "failure: realm changed: authentication aborted",
            _FAILED + "DIGEST-MD5 authentication failed: authentication failure",
        ],
        [("auth.realm", "proven")],
    ),
    # Mail that was not taken; test_outbound.py asks what is said of it, too.
    *((lines, [(code, certainty)]) for lines, code, certainty, _ in OUTBOUND),
]
