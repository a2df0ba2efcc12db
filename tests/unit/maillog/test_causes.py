"""Each cause has a line that leads to it: of Postfix, of SASL, TLS libraries, milters and filters; nothing is overlooked."""

from __future__ import annotations

import re

import pytest

from pfremote.maillog.findings import RULES, Finding
from pfremote.maillog.findings.rule import FAILURE
from tests.support.foreign_lines import FOREIGN
from tests.support.message_table import LIBRARY, REASONS, decide, read_table, sample
from tests.support.outbound_lines import said, status
from tests.support.recorder.expect import FIXTURES, recorded
from tests.unit.maillog.test_findings import found_in

CLIENT = "smtpd: connect from c.example.jp[192.0.2.1]"
FAILED = "smtpd: warning: c.example.jp[192.0.2.1]: SASL PLAIN authentication failed: "
DOVECOT = "smtpd: xsasl_dovecot_handle_reply: auth reply: FAIL?1?user=alice?"
TLS = "warning: TLS library problem: error:0A000000:SSL routines::"
ALERT = "smtpd: warning: TLS library problem: error:0A000410:SSL routines::"
REJECT = "smtpd: NOQUEUE: reject: RCPT from c.example.jp[192.0.2.1]: "
MILTER = "cleanup: 5AB0C11D22E: milter-reject: END-OF-MESSAGE from c.example.jp[192.0.2.1]: "
MAIL = "; from=<a@example.jp> to=<b@example.jp> proto=ESMTP helo=<c>"
QUEUED = "smtpd: 5AB0C11D22E: client=c.example.jp[192.0.2.1]"


def login(reply: str) -> str:
    return status(f"SASL authentication failed; server mx.example.com[192.0.2.20] said: {reply}")


#: the lines, and the findings that they must lead to, in order
EXAMPLES: list[tuple[list[str], list[tuple[str, str]]]] = [
    # A transport that is called like an action is no action.
    (
        ["qmgr: warning: connect to transport private/filter: No such file or directory"],
        [("delivery.transport-down", "proven")],
    ),
    (["qmgr: warning: connect to transport private/hold: Connection refused"], [("delivery.transport-down", "proven")]),
    # A filter that keeps its connection; nobody hung up, and nothing was lost.
    (
        [CLIENT, QUEUED, "smtpd: timeout after END-OF-MESSAGE from c.example.jp[192.0.2.1]"],
        [("session.idle", "proven")],
    ),
    ([CLIENT, "smtpd: warning: restriction `permit_x' after `permit' is ignored"], [("config.value", "proven")]),
    (
        [
            "smtpd: warning: access table lmdb:/etc/postfix/access has entry with lookup table: lmdb",
            "smtpd: warning: do not specify lookup tables inside SMTPD access maps",
            "smtpd: warning: define a restriction class and specify its name instead.",
        ],
        [("table.bad-result", "proven")],
    ),
    (['postmap: warning: /etc/postfix/users.db: duplicate entry: "a@example.org"'], [("table.duplicate", "proven")]),
    (
        ["postdrop: warning: uid=0: File too large", "sendmail: fatal: root(0): Message file too big"],
        [("limit.size", "proven")],
    ),
    # A host that smtp(8) asked the system for: no server answered.
    (
        [status("unable to look up host mx.example.com: Name or service not known")],
        [("delivery.dns-not-found", "proven")],
    ),
    (
        [status("unable to look up host mx.example.com: Temporary failure in name resolution")],
        [("delivery.dns-failed", "proven")],
    ),
    ([CLIENT, 'smtpd: warning: unknown smtpd restriction: "reject_thing"'], [("policy.unknown-restriction", "proven")]),
    (
        [
            CLIENT,
            REJECT + "451 4.3.5 <b@example.jp>: Recipient address rejected: Server configuration problem" + MAIL,
            "smtpd: warning: problem talking to server private/policyd-x: Connection timed out",
        ],
        [("policy.service-down", "proven")],
    ),
    # What is around Postfix: its folders, its caches, whether it runs.
    (
        ["postdrop: warning: unable to look up public/pickup: No such file or directory"],
        [("process.not-running", "proven")],
    ),
    (
        ["tlsmgr: fatal: open database /var/lib/postfix/smtpd_scache.db: Invalid argument"],
        [("process.cache", "proven")],
    ),
    (
        [
            "tlsmgr: warning: request to update table btree:/etc/postfix/smtp_scache in non-postfix directory /etc/postfix",
            "tlsmgr: warning: redirecting the request to postfix-owned data_directory /var/lib/postfix",
        ],
        [("config.cache-folder", "proven"), ("config.cache-folder", "proven")],
    ),
    (
        [
            "postsuper: warning: inet_protocols: disabling IPv6 name/address support: Address family not supported by protocol"
        ],
        [("config.no-ipv6", "proven")],
    ),
    (
        ["postfix-script: warning: /var/spool/postfix/etc/hosts and /etc/hosts differ"],
        [("process.chroot-stale", "proven")],
    ),
    (
        ["postfix-script: warning: symlink leaves directory: /etc/postfix/./makedefs.out"],
        [("process.symlink", "proven")],
    ),
    (["qmgr: warning: open active 5AB0C11D22E: No such file or directory"], [("process.message-gone", "proven")]),
    (
        ["smtpd: warning: malformed domain name in resource data of MX record for example.net: a..b"],
        [("policy.name-server-data", "proven")],
    ),
    (
        ["smtpd: warning: Unable to look up NS host for example.net: Host not found"],
        [("policy.name-server-unknown", "proven")],
    ),
    (
        ["smtpd: fatal: host/service policy.example.org/12340 not found: Name or service not known"],
        [("process.no-such-host", "proven")],
    ),
    (
        ["qmgr: 5AB0C11D22E: from=<a@example.org>, status=force-expired, returned to sender"],
        [("delivery.force-expired", "proven")],
    ),
    # A table type that is installed, from a file that Postfix does not trust.
    (
        [
            "proxymap: warning: /etc/postfix/dynamicmaps.cf: file is owned or writable by non-root users -- skipping this file",
            "proxymap: error: unsupported dictionary type: pgsql",
        ],
        [("table.type-owner", "proven")],
    ),
    # Amavis took it; what it hands the message back to did not.
    (
        [
            status(
                "host 127.0.0.1[127.0.0.1] said: 451 4.7.1 id=00423-03 - Temporary MTA failure on relaying, "
                "from MTA(smtp:[127.0.0.1]:10025): 451 4.7.1 Service unavailable - try again later (in reply to end of DATA command)"
            )
        ],
        [("filter.no-way-back", "proven")],
    ),
    (
        [
            "postscreen: warning: haproxy read: bad or missing protocol type: PROXY TCP6 2001:db8::1 2001:db8::2 40404 25"
        ],
        [("frontdoor.proxy-protocol-family", "proven")],
    ),
    (
        [
            "smtp: TLSRPT: status=failure, domain=example.com, receiving_mx=mx.example.com[192.0.2.20], "
            "failure_type=certificate-host-mismatch"
        ],
        [("tls.reported", "proven")],
    ),
    (
        [
            'smtp: warning: socketmap:inet:127.0.0.1:8461:postfix lookup error for "example.com"',
            'smtp: warning: smtp_tls_policy_maps, next-hop destination "example.com": policy table lookup error',
            "smtp: warning: TLS policy lookup for example.com/mx.example.com: client TLS configuration problem",
            status("client TLS configuration problem"),
        ],
        [("table.lookup-problem", "proven"), ("tls.own-policy-unread", "proven")],
    ),
    (
        [
            "smtpd: "
            + "warning: TLS library problem: error:0308010C:digital envelope routines::unsupported:crypto/evp/evp_fetch.c:349:"
        ],
        [("tls.unsupported-algorithm", "proven")],
    ),
    # The SASL server's own words come before "authentication failed".
    ([CLIENT, DOVECOT + "user_disabled", FAILED], [("auth.account-disabled", "proven")]),
    ([CLIENT, DOVECOT + "pass_expired", FAILED], [("auth.password-expired", "proven")]),
    ([CLIENT, DOVECOT + "authz", FAILED], [("auth.may-not-act-as", "proven")]),
    ([CLIENT, DOVECOT + "code=temp_fail?temp", FAILED], [("auth.service-temporary", "proven")]),
    ([CLIENT, DOVECOT + "reason=Login disabled by policy", FAILED], [("auth.refused-with-reason", "proven")]),
    ([CLIENT, FAILED + "Connection lost to authentication server"], [("auth.service-lost", "proven")]),
    (
        [
            CLIENT,
            "smtpd: warning: SASL authentication failure: cannot connect to saslauthd server: No such file or directory",
            FAILED + "generic failure",
        ],
        [("auth.saslauthd-down", "proven")],
    ),
    (
        [
            CLIENT,
            "smtpd: warning: SASL authentication problem: unable to open Berkeley db /etc/sasldb2: Permission denied",
            FAILED + "authentication failure",
        ],
        [("auth.database", "proven")],
    ),
    (
        [
            CLIENT,
            "smtpd: warning: SASL authentication failure: no secret in database",
            FAILED + "authentication failure",
        ],
        [("auth.no-account", "proven")],
    ),
    (
        [
            CLIENT,
            "smtpd: warning: SASL authentication failure: GSSAPI Error: Unspecified GSS failure.  Minor code may provide more information (No key table entry found)",
            FAILED + "generic failure",
        ],
        [("auth.gssapi", "proven")],
    ),
    (
        [
            CLIENT,
            "smtpd: warning: SASL authentication failure: Password verification failed",
            FAILED + "authentication failure",
            "smtpd: > c.example.jp[192.0.2.1]: 535 5.7.8 Error: authentication failed: authentication failure",
        ],
        [("auth.bad-credentials", "proven")],
    ),
    (
        [CLIENT, "smtpd: warning: SASL authentication problem: nonce changed: authentication aborted"],
        [("auth.library-says", "likely")],
    ),
    # Without the server's code a refusal is only likely; with 454 it is none.
    ([CLIENT, FAILED], [("auth.bad-credentials", "likely")]),
    (
        [CLIENT, FAILED, "smtpd: > c.example.jp[192.0.2.1]: 454 4.7.0 Temporary authentication failure: "],
        [("auth.service-temporary", "proven")],
    ),
    # Our own login.
    (
        [login("534-5.7.9 Application-specific password required. 534 5.7.9 https://support.example.com")],
        [("auth.relay-app-password", "proven")],
    ),
    (
        [login("535 5.7.139 Authentication unsuccessful, basic authentication is disabled.")],
        [("auth.relay-method-disabled", "proven")],
    ),
    (
        [login("534-5.7.14 Please log in via your web browser and then try again.")],
        [("auth.relay-web-login", "proven")],
    ),
    ([login("454 4.7.0 Temporary authentication failure")], [("auth.relay-temporary", "proven")]),
    (
        [login("535-5.7.8 Username and Password not accepted. 535 5.7.8 see https://support.example.com")],
        [("auth.relay-refused", "proven")],
    ),
    (
        [status("SASL [CACHED] authentication failed; server mx.example.com[192.0.2.20] said: 535 5.7.8 no")],
        [("auth.relay-cached", "proven")],
    ),
    ([said("530 5.7.0 Must issue a STARTTLS command first", "MAIL FROM")], [("auth.relay-starttls-first", "proven")]),
    ([said("550 5.7.1 Authentication required", "MAIL FROM")], [("auth.relay-required", "proven")]),
    (
        [
            "smtp: < mx.example.com[192.0.2.20]:587: 220 hi",
            "smtp: > mx.example.com[192.0.2.20]:587: AUTH PLAIN AGE=",
            "smtp: < mx.example.com[192.0.2.20]:587: 535 5.7.8 no",
        ],
        [("auth.relay-failed", "proven")],
    ),
    # Direction: what a remote server says of itself or of us is not said of this host.
    ([said("452 4.3.1 Insufficient system storage")], [("delivery.remote-trouble", "proven")]),
    ([said("451 4.3.0 <b@example.com>: Temporary lookup failure")], [("delivery.remote-trouble", "proven")]),
    (
        [said("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using rbl.example.org")],
        [("delivery.blocked", "proven")],
    ),
    (
        [said("450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]")],
        [("delivery.our-rdns", "proven")],
    ),
    ([said("504 5.5.2 <mx>: Helo command rejected: need fully-qualified hostname")], [("delivery.our-helo", "proven")]),
    (
        [said("550 5.7.26 This mail has been blocked because the sender is unauthenticated. SPF did not pass")],
        [("delivery.sender-authentication", "proven")],
    ),
    (
        [said("421 4.7.28 Our system has detected an unusual rate of mail", "end of DATA")],
        [("delivery.rate-limited", "proven")],
    ),
    (
        [said("553 5.7.1 <a@example.jp>: Sender address rejected: not owned by user x")],
        [("delivery.sender-refused", "proven")],
    ),
    (
        [said("550 5.2.1 The email account that you tried to reach is inactive")],
        [("delivery.mailbox-disabled", "proven")],
    ),
    ([said("554 5.7.1 Message rejected as spam", "end of DATA")], [("delivery.content-refused", "proven")]),
    ([said("451 5.7.3 STARTTLS is required to send mail", "MAIL FROM")], [("delivery.tls-wanted", "proven")]),
    ([said("521 5.5.2 bare <LF> received; bare newline", "end of DATA")], [("delivery.line-too-long", "proven")]),
    ([said("550 5.7.1 go away")], [("delivery.policy", "proven")]),
    ([said("552 5.3.4 Message size exceeds fixed limit", "MAIL FROM")], [("limit.size", "proven")]),
    ([said("554 5.4.6 Too many hops", "end of DATA")], [("limit.hops", "proven")]),
    (
        [said("550 5.1.1 <b@example.com>: Recipient address rejected: User unknown in virtual mailbox table")],
        [("delivery.unknown-recipient", "proven")],
    ),
    (
        [
            "smtp: < mx.example.com[192.0.2.20]:25: 220 hi",
            "smtp: > mx.example.com[192.0.2.20]:25: RCPT TO:<b@example.com>",
            "smtp: < mx.example.com[192.0.2.20]:25: 599 nonsense",
        ],
        [("delivery.reply", "unknown")],
    ),
    ([status("Domain example.com does not accept mail (nullMX)")], [("delivery.null-mx", "proven")]),
    (
        [status("connect to mx.example.jp[private/dovecot-lmtp]: No such file or directory", daemon="lmtp")],
        [("delivery.no-socket", "proven")],
    ),
    (
        [status("delivery temporarily suspended: connect to 127.0.0.1[127.0.0.1]:10024: Connection refused")],
        [("filter.content-unavailable", "proven")],
    ),
    (
        [said("451 4.5.0 Error in processing, id=12345-01, virus_scan FAILED: clamd", "end of DATA")],
        [("filter.amavis", "proven")],
    ),
    ([said("554 5.7.0 Reject, id=12345-01 - spam", "end of DATA")], [("filter.amavis", "proven")]),
    (
        [CLIENT, QUEUED, "qmgr: 5AB0C11D22E: from=<a@example.jp>, status=expired, returned to sender"],
        [("delivery.expired", "proven")],
    ),
    # Content filters, milters and policy services.
    ([CLIENT, QUEUED, MILTER + "5.7.1 rejected by DMARC policy for example.com" + MAIL], [("policy.dmarc", "proven")]),
    ([CLIENT, QUEUED, MILTER + '4.7.1 Ratelimit "to_ip" exceeded' + MAIL], [("policy.milter-rate-limit", "proven")]),
    (
        [CLIENT, QUEUED, MILTER + "4.7.1 Service unavailable - try again later" + MAIL],
        [("policy.milter-unavailable", "likely")],
    ),
    ([CLIENT, QUEUED, MILTER + "4.3.2 scanner not ready" + MAIL], [("policy.milter-deferred", "proven")]),
    (
        [
            CLIENT,
            "smtpd: warning: milter unix:/run/opendkim/opendkim.sock: can't read SMFIC_EOH reply packet header: Success",
            "smtpd: NOQUEUE: milter-reject: RCPT from c.example.jp[192.0.2.1]: 451 4.7.1 Service unavailable - try again later"
            + MAIL,
        ],
        [("policy.milter-lost", "proven")],
    ),
    (
        [
            CLIENT,
            REJECT
            + "450 4.2.0 <b@example.jp>: Recipient address rejected: Greylisted, see http://postgrey.example.org/help/"
            + MAIL,
        ],
        [("policy.greylisted", "likely")],
    ),
    (
        [
            CLIENT,
            REJECT
            + "550 5.7.23 <b@example.jp>: Recipient address rejected: Message rejected due to: SPF fail - not authorized"
            + MAIL,
        ],
        [("policy.spf", "proven")],
    ),
    (
        [
            CLIENT,
            "smtpd: 5AB0C11D22E: reject: END-OF-MESSAGE from c.example.jp[192.0.2.1]: 554 5.7.1 <END-OF-MESSAGE>: End-of-data rejected: no"
            + MAIL,
        ],
        [("policy.end-of-data", "proven")],
    ),
    (
        [CLIENT, REJECT + "554 5.7.1 <c.example.jp[192.0.2.1]>: Client host rejected: Access denied" + MAIL],
        [("policy.login-needed", "proven")],
    ),
    ([CLIENT, REJECT + "451 4.3.5 Server configuration error" + MAIL], [("policy.own-settings", "proven")]),
    (
        [
            CLIENT,
            REJECT + "550 5.1.0 <x@example.jp>: Sender address rejected: User unknown in local recipient table" + MAIL,
        ],
        [("policy.unknown-sender", "proven")],
    ),
    (
        [
            CLIENT,
            REJECT
            + "450 4.1.7 <x@example.jp>: Sender address rejected: unverified address: connect to x: Connection refused"
            + MAIL,
        ],
        [("policy.verification", "proven")],
    ),
    (
        [CLIENT, "smtpd: check_table_result: inet:127.0.0.1:12003 REJECT no policy query"],
        [("policy.service", "proven")],
    ),
    (
        [CLIENT, "smtpd: proxy-reject: END-OF-MESSAGE: 554 5.7.0 Reject, id=1-2 - spam" + MAIL],
        [("filter.proxy-refused", "proven")],
    ),
    (
        [
            CLIENT,
            "smtpd: < c.example.jp[192.0.2.1]: PROXY TCP4 198.51.100.1 192.0.2.1 5 25",
            "smtpd: > c.example.jp[192.0.2.1]: 500 5.5.2 Error: command not recognized",
        ],
        [("frontdoor.proxy-protocol-unexpected", "proven")],
    ),
    # What was accepted and did not go its way.
    (
        [CLIENT, QUEUED, "cleanup: 5AB0C11D22E: hold: header Subject: x from c.example.jp[192.0.2.1]" + MAIL + ": see"],
        [("disposition.held", "proven")],
    ),
    (
        [
            CLIENT,
            QUEUED,
            "cleanup: 5AB0C11D22E: milter-hold: END-OF-MESSAGE from c.example.jp[192.0.2.1]: milter triggers HOLD action"
            + MAIL,
        ],
        [("disposition.held", "proven")],
    ),
    (
        [
            CLIENT,
            "smtpd: 5AB0C11D22E: hold: RCPT from c.example.jp[192.0.2.1]: <b@example.jp>: Recipient address triggers HOLD action"
            + MAIL,
        ],
        [("disposition.held", "proven")],
    ),
    ([CLIENT, QUEUED, "cleanup: 5AB0C11D22E: quarantine: spam"], [("disposition.quarantined", "proven")]),
    (
        [
            CLIENT,
            "smtpd: NOQUEUE: redirect: RCPT from c.example.jp[192.0.2.1]: <b@example.jp>: Recipient address triggers REDIRECT x@example.jp"
            + MAIL,
        ],
        [("disposition.redirected", "proven")],
    ),
    (
        [
            CLIENT,
            "smtpd: NOQUEUE: filter: RCPT from c.example.jp[192.0.2.1]: <b@example.jp>: Recipient address triggers FILTER smtp:127.0.0.1"
            + MAIL,
        ],
        [("disposition.filtered", "proven")],
    ),
    (
        [
            CLIENT,
            "smtpd: NOQUEUE: discard: RCPT from c.example.jp[192.0.2.1]: <b@example.jp>: Recipient address triggers DISCARD action"
            + MAIL,
        ],
        [("disposition.discarded", "proven")],
    ),
    # Tables, also in lines of other daemons of the same seconds.
    (
        [
            CLIENT,
            "proxymap: warning: connect to mysql server 127.0.0.1: Can't connect to server",
            REJECT + "451 4.3.0 <b@example.jp>: Temporary lookup failure" + MAIL,
        ],
        [("table.sql", "proven"), ("table.sql", "likely")],
    ),
    ([CLIENT, REJECT + "451 4.3.0 <b@example.jp>: Temporary lookup failure" + MAIL], [("table.temporary", "unknown")]),
    (
        [
            CLIENT,
            "smtpd: warning: dict_ldap_connect: Unable to bind to server ldap://x with dn cn=x: 49 (Invalid credentials)",
        ],
        [("table.ldap", "proven")],
    ),
    (
        [
            CLIENT,
            "smtpd: warning: /etc/postfix/virtual, line 7: expected format: key whitespace value -- ignoring this line",
        ],
        [("table.line-mistake", "proven")],
    ),
    (
        [CLIENT, "smtpd: warning: problem talking to service rewrite: Connection timed out"],
        [("table.rewrite", "proven")],
    ),
    # trivial-rewrite says itself why, or the database does.
    (
        [
            CLIENT,
            "trivial-rewrite: warning: virtual_mailbox_domains: mysql:/etc/postfix/d.cf: table lookup problem",
            "trivial-rewrite: warning: connect to mysql server 127.0.0.1: Can't connect to server",
            "smtpd: warning: problem talking to service rewrite: Connection reset by peer",
        ],
        [("table.sql", "proven"), ("table.sql", "likely")],
    ),
    (
        [
            CLIENT,
            "smtpd: warning: dict_ldap_connect: Unable to bind to server ldap://x with dn cn=x: 49 (Invalid credentials)",
            "smtpd: warning: problem talking to service rewrite: Connection reset by peer",
        ],
        [("table.ldap", "proven")],
    ),
    (
        [CLIENT, "smtpd: fatal: open database /etc/aliases.db: No such file or directory"],
        [("table.unavailable", "proven")],
    ),
    # TLS: alert numbers and the library's text before exit codes.
    (
        [CLIENT, "smtpd: SSL_accept error from c.example.jp[192.0.2.1]: Connection timed out"],
        [("tls.timeout", "likely")],
    ),
    (
        [
            CLIENT,
            "smtpd: SSL_accept error from c.example.jp[192.0.2.1]: -1",
            "smtpd: " + TLS + "unexpected eof while reading:ssl/record/rec_layer_s3.c:303:",
        ],
        [("tls.hung-up", "likely")],
    ),
    (
        [CLIENT, "smtpd: " + TLS + "unsafe legacy renegotiation disabled:ssl/x.c:1:"],
        [("tls.legacy-renegotiation", "proven")],
    ),
    ([CLIENT, "smtpd: " + TLS + "no suitable key share:ssl/x.c:1:"], [("tls.no-group", "proven")]),
    ([CLIENT, "smtpd: " + TLS + "no suitable signature algorithm:ssl/x.c:1:"], [("tls.signature", "proven")]),
    ([CLIENT, "smtpd: " + TLS + "decryption failed or bad record mac:ssl/x.c:1:"], [("tls.bad-record", "proven")]),
    ([CLIENT, "smtpd: " + TLS + "malloc failure:ssl/x.c:1:"], [("tls.library-memory", "proven")]),
    ([CLIENT, "smtpd: " + TLS + "no application protocol:ssl/x.c:1:"], [("tls.alpn", "proven")]),
    ([CLIENT, "smtpd: SSL3 alert write:fatal:handshake failure"], [("tls.we-refused", "likely")]),
    (
        [
            CLIENT,
            "smtpd: warning: TLS library problem: error:80000002:system library::No such file or directory:../crypto/bio/bss_file.c:67:calling fopen(/etc/ssl/mx.pem, r):",
        ],
        [("tls.own-file", "proven")],
    ),
    (
        [
            "smtp: SSL_connect error to mx.example.com[192.0.2.20]:25: -1",
            "smtp: " + TLS + "dh key too small:ssl/x.c:1:",
            status("Cannot start TLS: handshake failure"),
        ],
        [("tls.weak-key", "proven")],
    ),
    (
        ["smtp: " + TLS + "certificate verify failed:ssl/x.c:1:", status("Cannot start TLS: handshake failure")],
        [("tls.verify", "proven")],
    ),
    (
        [
            "smtp: server certificate verification failed for mx.example.com[192.0.2.20]:25: num=9:certificate is not yet valid",
            status("Server certificate not trusted"),
        ],
        [("tls.not-yet-valid", "proven")],
    ),
    (
        [
            "smtp: certificate verification failed for mx.example.com[192.0.2.20]:25: num=71:something new",
            status("Server certificate not trusted"),
        ],
        [("tls.verification", "proven")],
    ),
    ([status("non DNSSEC destination")], [("tls.dane-insecure", "proven")]),
    # The same verification failure hinders nothing where the mail went out.
    (
        [
            "smtp: certificate verification failed for mx.example.com[192.0.2.20]:25: self-signed certificate",
            status("250 2.0.0 ok").replace("deferred", "sent"),
        ],
        [],
    ),
    # What contradicts one rule leaves the line to the next.
    (
        [
            "smtp: Untrusted TLS connection established to mx.example.com[192.0.2.20]:25: TLSv1.3 with cipher X (256/256 bits)",
            status("Server certificate not verified"),
        ],
        [("tls.not-verified", "unknown")],
    ),
    (
        [
            CLIENT,
            "smtpd: > c.example.jp[192.0.2.1]: 530 5.7.0 Must issue a STARTTLS command first",
            "smtpd: < c.example.jp[192.0.2.1]: STARTTLS",
            "smtpd: > c.example.jp[192.0.2.1]: 220 2.0.0 Ready to start TLS",
        ],
        [],
    ),
    (
        [
            CLIENT,
            REJECT
            + "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using rbl.example.org; Error: query volume exceeded; https://www.example.org/x"
            + MAIL,
        ],
        [("policy.rbl-refuses-us", "proven")],
    ),
    (
        [
            CLIENT,
            REJECT
            + "450 4.1.1 <b@example.jp>: Recipient address rejected: unverified address: host mx.example.com[192.0.2.20] said: 554 5.7.1 <b@example.jp>: Relay access denied"
            + MAIL,
        ],
        [("policy.verification", "proven")],
    ),
    (
        [CLIENT, "smtpd: warning: problem talking to server private/policyd-spf: Connection timed out"],
        [("policy.service-down", "proven")],
    ),
    # postscreen, and the host.
    (
        [
            "postscreen: NOQUEUE: reject: RCPT from [192.0.2.1]:5: 450 4.3.2 Service currently unavailable; from=<a@b> to=<c@d>"
        ],
        [("screen.first-visit", "proven")],
    ),
    (
        [CLIENT, "smtpd: > c.example.jp[192.0.2.1]: 421 4.3.2 No system resources"],
        [("process.no-resources", "unknown")],
    ),
    ([CLIENT, "smtpd: warning: a warning that no Postfix had when this was written"], [("unknown.warning", "unknown")]),
    (
        [CLIENT, "smtpd: > c.example.jp[192.0.2.1]: 550 5.9.9 a reply that no Postfix gave when this was written"],
        [("unknown.refused", "unknown")],
    ),
    (
        ["master: warning: /usr/lib/postfix/sbin/smtpd: bad command startup -- throttling"],
        [("process.throttled", "proven")],
    ),
    (["tlsmgr: error: an error that no Postfix had when this was written"], [("unknown.error", "unknown")]),
    (
        [
            CLIENT,
            QUEUED,
            "local: 5AB0C11D22E: to=<b@example.jp>, relay=local, delay=1, delays=0/0/0/1, dsn=5.2.2, status=bounced (cannot append message to file /var/mail/b: File too large)",
        ],
        [("local.too-large", "proven")],
    ),
    (["master: fatal: bind 0.0.0.0 port 25: Address already in use"], [("process.port-taken", "proven")]),
    ([CLIENT, "smtpd: fatal: unknown service: smtp/tcp"], [("process.chroot", "proven")]),
    (["postfix-script: warning: not owned by root: /var/spool/postfix/etc"], [("process.owner", "proven")]),
    (
        [
            CLIENT,
            QUEUED,
            "pipe: 5AB0C11D22E: to=<b@example.jp>, relay=dovecot, delay=1, delays=0/0/0/1, dsn=4.3.0, status=deferred (temporary failure. Command output: lda: quota )",
        ],
        [("local.command-said", "proven")],
    ),
    (
        [CLIENT, "smtpd: warning: debug_peer_list: hash:/nonexist: table lookup problem"],
        [("process.debug-list", "proven")],
    ),
    (["spawn: warning: command /usr/bin/python3 exit status 1"], [("process.command-fails", "proven")]),
    (
        [
            CLIENT,
            "smtpd: warning: premature end-of-input on private/policyd-spf while reading input attribute name",
            "smtpd: warning: problem talking to server private/policyd-spf: Connection reset by peer",
        ],
        [("policy.service-down", "proven")],
    ),
    (
        [
            "smtpd: warning: hostname c.example.jp does not resolve to address 192.0.2.1: Temporary failure in name resolution",
            "smtpd: connect from unknown[192.0.2.1]",
        ],
        [("policy.rdns-failed", "proven")],
    ),
    (
        [CLIENT, QUEUED, "smtpd: lost connection after END-OF-MESSAGE from c.example.jp[192.0.2.1]"],
        [("session.lost-after-message", "likely")],
    ),
    (
        [
            CLIENT,
            QUEUED,
            "smtp: 5AB0C11D22E: to=<b@example.jp>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=0/0/0/1, dsn=2.7.0, status=sent (250 2.7.0 Ok, discarded, id=00123-04 - spam)",
        ],
        [("filter.discarded", "proven")],
    ),
    (
        ["proxymap: fatal: /etc/postfix/mysql-aliases.cf: bad string length 0 < 1: dbname ="],
        [("config.table-file", "proven")],
    ),
    (["smtpd: fatal: bad boolean configuration: smtpd_delay_reject = yes d"], [("config.yes-or-no", "proven")]),
    (
        [
            "smtpd: fatal: in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, specify at least one working instance of: reject_unauth_destination, reject"
        ],
        [("config.relay-door", "proven")],
    ),
    (
        [
            'smtpd: fatal: parameter "smtpd_recipient_restrictions": specify at least one working instance of: reject_unauth_destination, reject'
        ],
        [("config.relay-door", "proven")],
    ),
    (
        ["smtpd: fatal: restriction class `check_pop' needs a definition"],
        [("config.restriction-class", "proven")],
    ),
    (
        ["master: fatal: parameter inet_interfaces: no local interface found for ::1"],
        [("config.interface", "proven")],
    ),
    (
        ["master: fatal: 0.0.0.0:submissions: Servname not supported for ai_socktype"],
        [("config.service-name", "proven")],
    ),
    (
        ["smtp: fatal: valid hostname or network address required in server description: 0"],
        [("config.next-hop", "proven")],
    ),
    (["master: fatal: chmod socket private/smtpd: Invalid argument"], [("process.socket-file", "proven")]),
    (
        ["smtpd: fatal: open lock file pid/inet.smtp: cannot create file exclusively: No such file or directory"],
        [("process.folder-missing", "proven")],
    ),
    (
        ["postlogd: fatal: open logfile '/dev/stdout': cannot open file: Permission denied"],
        [("process.log-file", "proven")],
    ),
    (["smtpd: fatal: watchdog timeout"], [("process.watchdog", "proven")]),
    (
        ["master: warning: master_wakeup_timer_event: service qmgr(public/qmgr): No such file or directory"],
        [("process.wakeup", "proven")],
    ),
    (
        ["master: warning: master_wakeup_timer_event: service qmgr(public/qmgr): Permission denied"],
        [("process.queue-permission", "proven")],
    ),
    (
        ["smtp: fatal: shared lock active/5AB0C11D22E: Resource temporarily unavailable"],
        [("process.queue-shared", "proven")],
    ),
    (
        ["pickup: warning: 5AB0C11D22E: message has been queued for 3420 days"],
        [("process.queue-date", "proven")],
    ),
    (
        ["pickup: warning: 5AB0C11D22E: message D11225AB0CE has been queued for 42 days"],
        [("process.queue-date", "proven")],
    ),
    (
        ["tlsmgr: exiting to reopen external entropy source /dev:/dev/urandom"],
        [("tls.random-reopened", "proven")],
    ),
    (
        [
            "smtpd: error: unsupported dictionary type: hash",
            "tlsmgr: warning: btree:/var/lib/postfix/smtpd_scache is unavailable. unsupported dictionary type: btree",
        ],
        [("table.type-gone", "proven"), ("table.type-gone", "proven")],
    ),
    (
        [CLIENT, REJECT + "550 5.1.1 <b@other.example>: Recipient address rejected: other.example" + MAIL],
        [("policy.error-transport", "likely")],
    ),
    (
        [CLIENT, REJECT + "450 4.2.0 <b@example.jp>: Recipient address rejected: Delayed by postgrey" + MAIL],
        [("policy.greylisted", "likely")],
    ),
    (
        [CLIENT, REJECT + "450 4.7.1 <b@example.jp>: Recipient address rejected: Not now- Please try later." + MAIL],
        [("policy.greylisted", "likely")],
    ),
    (
        [
            CLIENT,
            'smtpd: warning: unknown smtpd restriction: "\\"',
            REJECT + "451 Server configuration error" + MAIL,
        ],
        [("policy.unknown-restriction", "proven")],
    ),
    (
        [
            "postscreen: warning: psc_dnsbl_request: connect to private/dnsblog service: Resource temporarily unavailable"
        ],
        [("screen.no-lists", "proven")],
    ),
    (
        [
            "smtpd: warning: TLS library problem: 7:error:0906D066:PEM routines:PEM_read_bio:bad end line:pem_lib.c:746:",
            "smtpd: warning: TLS library problem: 7:error:0B084009:x509 certificate routines:X509_load_cert_crl_file:PEM lib:by_file.c:280:",
            CLIENT,
        ],
        [("tls.own-pem", "proven")],
    ),
    (
        ["smtpd: cannot load RSA certificate and key data", CLIENT],
        [("tls.own-pem", "proven")],
    ),
    (
        [
            "tlsproxy: CONNECT from [192.0.2.1]:63991",
            "tlsproxy: TLS handshake failed for service=smtp peer=[192.0.2.1]:63991",
        ],
        [("tls.failed", "unknown")],
    ),
    (
        [CLIENT, REJECT + "554 5.7.1 <b@example.jp>: Recipient address rejected: Access denied" + MAIL],
        [("policy.plain-reject", "proven")],
    ),
    (
        ["trivial-rewrite: fatal: bad string length 0 < 1: etc/postfix/mysql_mailbox.cf_dbname ="],
        [("config.table-path", "proven")],
    ),
    (
        [
            "postfix-script: fatal: /etc/postfix/main.cf, line 64: missing '=' after attribute name: \"smtp-amavis unix - - -\""
        ],
        [("config.no-equals", "proven")],
    ),
    (
        ["master: fatal: file /etc/postfix/main.cf: parameter mail_owner: unknown user name value: postfix"],
        [("config.account", "proven")],
    ),
    (
        ["smtpd: fatal: bad numerical configuration: default_process_limit = 200 # raised"],
        [("config.number", "proven")],
    ),
    (
        ["smtpd: warning: restriction `permit_sasl_authenticated' ignored: no SASL support", CLIENT],
        [("config.no-sasl", "proven")],
    ),
    (
        [
            "postscreen: NOQUEUE: reject: CONNECT from [192.0.2.1]:5678: too many connections",
            "postscreen: NOQUEUE: reject: CONNECT from [192.0.2.2]:5679: all screening ports busy",
            "postscreen: NOQUEUE: reject: CONNECT from [192.0.2.3]:5680: all server ports busy",
        ],
        [("screen.connections", "proven"), ("screen.busy", "proven"), ("screen.smtpd-busy", "proven")],
    ),
    (
        [
            "smtpd: cannot load Certificate Authority data: disabling TLS support",
            "smtpd: warning: TLS library problem: error:02001002:system library:fopen:No such file or directory:bss_file.c:169:fopen('/etc/ssl/certs/ca.pem','r'):",
            CLIENT,
        ],
        [("tls.own-ca", "proven"), ("tls.own-file", "proven")],
    ),
]
ALERTS = {
    10: "tls.unexpected-message",
    20: "tls.bad-record",
    40: "tls.handshake-refused",
    42: "tls.bad-certificate",
    43: "tls.unsupported-certificate",
    44: "tls.certificate-revoked",
    45: "tls.certificate-expired",
    46: "tls.certificate-unknown",
    47: "tls.illegal-parameter",
    48: "tls.unknown-ca",
    49: "tls.access-denied",
    50: "tls.malformed",
    51: "tls.signature",
    70: "tls.version",
    71: "tls.insufficient-security",
    80: "tls.internal-error",
    86: "tls.fallback",
    90: "tls.cancelled",
    100: "tls.renegotiation",
    109: "tls.missing-extension",
    112: "tls.unrecognized-name",
    113: "tls.status-response",
    116: "tls.certificate-required",
    120: "tls.alpn",
    115: "tls.other-alert",
}


def find(lines: list[str]) -> tuple[Finding, ...]:
    data = "".join(
        f"Nov 24 02:13:49 mx postfix/{daemon}[7]: {text}\n"
        for daemon, _, text in (line.partition(": ") for line in lines)
    )
    return found_in(data.encode())


@pytest.mark.parametrize(("lines", "wanted"), [*EXAMPLES, *FOREIGN], ids=lambda value: str(value)[-60:])
def test_lines_lead_to_their_cause(lines: list[str], wanted: list[tuple[str, str]]) -> None:
    assert [(finding.code, finding.certainty) for finding in find(lines)] == wanted


@pytest.mark.parametrize(("number", "code"), ALERTS.items())
@pytest.mark.parametrize("text", ["sslv3 alert whatever", "tlsv1 alert whatever", "ssl/tls alert whatever"])
def test_the_number_of_an_alert_says_it(number: int, code: str, text: str) -> None:
    error = f"smtpd: SSL_accept error from c.example.jp[192.0.2.1]: {number % 2 - 1}"
    lines = [CLIENT, error, f"{ALERT}{text}:../ssl/record/rec_layer_s3.c:1586:SSL alert number {number}:"]
    (finding,) = find([*lines, "smtpd: lost connection after STARTTLS from c.example.jp[192.0.2.1]"])
    assert finding.code == code
    assert "remote server" not in finding.title


def test_an_alert_of_a_server_is_about_our_client_certificate() -> None:
    lines = [
        "smtp: SSL_connect error to mx.example.com[192.0.2.20]:25: -1",
        "smtp: warning: TLS library problem: error:0A000413:SSL routines::sslv3 alert unsupported certificate:ssl/x.c:1:SSL alert number 43:",
        status("Cannot start TLS: handshake failure"),
    ]
    (finding,) = find(lines)
    assert finding.title == "the remote server does not support our kind of certificate"
    assert "smtp_tls_cert_file" in finding.next_step


@pytest.fixture(scope="module")
def reached() -> set[str]:
    codes = {finding.code for lines, _ in (*EXAMPLES, *FOREIGN) for finding in find(lines)} | set(ALERTS.values())
    for path in (*recorded(), *FIXTURES.glob("cases/log/*.log")):
        codes |= {finding.code for finding in found_in(path.read_bytes())}
    return codes | {message.decision for message in read_table()}


def test_every_cause_can_be_reached(reached: set[str]) -> None:
    assert sorted({rule.code for rule in RULES} - reached) == []


def test_there_are_many_causes() -> None:
    assert len({rule.code for rule in RULES if rule.weight < FAILURE}) >= 240


@pytest.mark.parametrize("daemon", sorted({message.file.partition("/")[0] for message in read_table()}))
def test_every_message_of_postfix_is_decided(daemon: str) -> None:
    for message in read_table():
        if not message.file.startswith(f"{daemon}/"):
            continue
        if message.reason:
            assert message.reason in REASONS, message
        else:
            assert decide(message) == message.decision, message


def test_what_needs_no_finding_has_none() -> None:
    wrongly = [
        m for m in read_table() if m.reason and m.reason not in ("command", "accepted", "dialogue") and decide(m)
    ]
    assert wrongly == []


def test_a_line_that_goes_on_from_another_is_no_unknown_one() -> None:
    for message in read_table():
        if message.reason != "continuation" or message.text == "...":
            continue
        daemon = message.file.partition("/")[0]
        line = f"{'smtpd' if daemon in LIBRARY else daemon}: {sample(message)}"
        assert find([line]) == (), message


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_cause_helps(rule: object) -> None:
    """A meaning, and one thing to look at next; in plain words."""
    meaning, step = rule.meaning, rule.next_step  # type: ignore[attr-defined]
    assert meaning
    assert step.rstrip(".")[:1]
    assert not {"somebody", "nobody", "everybody", "anybody", "whoever"} & set(f"{meaning} {step}".lower().split())


def test_the_table_of_right_causes_is_true_and_nothing_is_wrong() -> None:
    from tests.support.right_causes import as_rows, count  # it imports this module

    assert [found["wrong"] for found in count().values()] == [0, 0, 0, 0]
    document = (FIXTURES.parents[1] / "docs" / "benchmarks.md").read_text()
    assert [row for row in as_rows() if row not in document] == []


def test_a_command_with_quotes_in_it_is_shown_with_its_output() -> None:
    (finding,) = find(
        [
            "local: 5AB0C11D22E: to=<b@example.com>, relay=local, delay=1, delays=0/0/1/0, dsn=5.3.0, "
            'status=bounced (Command died with status 127: "procmail -a "$EXTENSION"". Command output: sh: procmail: not found )'
        ]
    )
    assert finding.code == "local.command-failed"
    assert finding.meaning.startswith('procmail -a "$EXTENSION": sh: procmail: not found. ')


def test_postfix_itself_says_why_it_does_not_start() -> None:
    line = (
        b"Nov 24 02:13:49 mx postfix[7]: fatal: parameter inet_interfaces: no local interface found for 2001:db8::1\n"
    )
    assert [finding.code for finding in found_in(line)] == ["config.interface"]


#: A place that nothing filled shows as a stop or a bracket where a word should stand.
_HOLE = re.compile(
    r"^[:;,.]\s|(?:^|\s)[:;,.!?)](?:\s|$)|\s\(\s*\)|::(?:\s|$)|\b(?:for|of|by|has) (?:is|leads|has|says)\b|^\W*$"
)


def test_no_message_of_postfix_leaves_a_hole_in_what_is_said_of_it() -> None:
    for message in read_table():
        folder = message.file.partition("/")[0]
        daemon = "smtpd" if folder in LIBRARY else folder
        for finding in find([f"{daemon}: {sample(message)}"]):
            for text in (finding.title, finding.meaning, finding.next_step):
                assert not _HOLE.search(text), (message, text)
