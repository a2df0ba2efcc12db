"""Lines about mail that was not taken, in the shape that admins post them, and who is to blame for each.

Names, addresses and numbers are invented. Beside the cause stands a word that the meaning or the next step must have.
"""

from __future__ import annotations

HOST = "mx.example.com[192.0.2.20]"
HERE = "127.0.0.1[127.0.0.1]"


def status(reason: str, port: int = 25, daemon: str = "smtp") -> str:
    return (
        f"{daemon}: 5AB0C11D22E: to=<b@example.com>, relay=mx.example.com[192.0.2.20]:{port}, delay=1, "
        f"delays=0/0/1/0, dsn=4.0.0, status=deferred ({reason})"
    )


def said(reply: str, command: str = "RCPT TO") -> str:
    return status(f"host {HOST} said: {reply} (in reply to {command} command)")


def refused(reply: str) -> str:
    return status(f"host {HOST} refused to talk to me: {reply}")


def lost(server: str, stage: str, port: int = 25) -> str:
    return status(f"lost connection with {server} while {stage}", port)


def bounced(reason: str, daemon: str = "local") -> str:
    return f"{daemon}: 5AB0C11D22E: to=<b@example.com>, relay=none, delay=1, dsn=5.0.0, status=bounced ({reason})"


def login(why: str) -> str:
    return status(f"SASL authentication failed; cannot authenticate to server {HOST}: {why}", 587)


#: The lines, the code, its certainty, and words that the meaning and the next step have.
OUTBOUND: list[tuple[list[str], str, str, str]] = [
    # A server that has no room for anybody does not refuse us.
    ([refused("451 Server too busy, try again later")], "delivery.busy", "likely", "Wait"),
    ([refused("421 mx.example.com out of connection slots")], "delivery.busy", "likely", "Wait"),
    ([refused("421 Service not available, closing transmission channel")], "delivery.busy", "likely", "Wait"),
    ([refused("421 4.3.2 All screening ports are busy")], "delivery.busy", "likely", "Wait"),
    ([refused("420 Resources unavailable temporarily. Please try later (mta1)")], "delivery.busy", "likely", "Wait"),
    ([refused("421-4.4.5 Server busy, try again later. (smtp) 421 4.4.5 x - gsmtp")], "delivery.busy", "likely", "Wait"),
    ([refused("421 4.7.1 Service unavailable; Client host blocked using x.example")], "delivery.blocked", "proven", ""),
    ([refused("421 mx Service not available 421 Bad DNS PTR resource record")], "delivery.our-rdns", "proven", ""),
    ([refused("554 5.7.1 Connection not authorized")], "delivery.unwelcome", "proven", "block lists"),
    ([refused("554 mx.example.com Too many sessions opened")], "delivery.rate-limited", "proven", "concurrency"),
    # The owner of a mailbox elsewhere makes room, not we.
    ([said("452 4.2.2 The recipient's inbox is out of storage space")], "delivery.mailbox-full", "proven", "Tell"),
    ([said("552 5.2.2 Over quota")], "delivery.mailbox-full", "proven", "Tell"),
    ([said("452 4.1.1 <b@example.com> user is over quota, please try again later")], "delivery.mailbox-full", "proven", "Tell"),
    ([said("451 Account b@example.com out of quota. Try later")], "delivery.mailbox-full", "proven", "Tell"),
    (
        [status(f"host {HERE} said: 552 5.2.2 <b@example.com> Quota exceeded (in reply to end of DATA command)", 24, "lmtp")],
        "delivery.mailbox-full",
        "proven",
        "Raise the quota",
    ),
    ([bounced("maildir delivery failed: UserDisk quota ('1024000') exceeded", "virtual")], "delivery.mailbox-full", "proven", "Raise"),
    # A connection that ends before the message began has nothing to do with the message.
    ([lost(HOST, "receiving the initial server greeting")], "delivery.lost", "proven", "block lists"),
    ([lost(HOST, "performing the EHLO handshake")], "delivery.lost", "proven", "block lists"),
    ([lost(HERE, "receiving the initial server greeting", 10024)], "delivery.lost", "proven", "that program's own log"),
    ([lost(HERE, "sending end of data -- message may be sent more than once", 10025)], "delivery.lost", "proven", "that program's own log"),
    ([lost("mx.example.com[private/dovecot-lmtp]", "performing the LHLO handshake")], "delivery.lost", "proven", "that program's own log"),
    ([lost(HOST, "sending message body")], "delivery.lost", "proven", "compare message size"),
    # error(8) says what our own tables tell it to say.
    ([bounced("mail for example.com is not deliverable", "error")], "delivery.error-transport", "proven", "transport_maps"),
    # Our own SASL library gave up; no password was refused, and the mechanism is wanted.
    (
        ["smtp: warning: SASL authentication failure: All-whitespace username.", login("generic failure")],
        "auth.relay-blank-user",
        "proven",
        "smtp_sasl_password_maps",
    ),
    ([login("generic failure")], "auth.relay-library", "proven", "sasl-xoauth2"),
    ([login("bad protocol / cancel")], "auth.relay-protocol", "proven", "smtp_sasl_mechanism_filter"),
    (
        [status(f"SASL authentication failed; server {HOST} said: 501 Cannot decode parameter - too long")],
        "auth.relay-protocol",
        "proven",
        "smtp_sasl_mechanism_filter",
    ),
    ([status("Name server loop for mx.example.com")], "delivery.dns-malformed", "proven", "dig MX mx.example.com"),
    # Who asks our own server whether the sender exists wants an answer from there.
    (
        [said('451-response to "RCPT TO:<a@example.jp>" from mx.example.jp was: 450 4.2.0 Greylisted 451-Could not complete sender verify callout for 451 <a@example.jp>')],
        "delivery.sender-callout",
        "proven",
        "MAIL FROM:<>",
    ),
    ([said("550 5.1.7 <a@example.jp>: Sender address rejected: undeliverable address: host said no")], "delivery.sender-callout", "proven", "MAIL FROM:<>"),
    ([bounced("error reading forwarding file: Permission denied")], "local.forward-file", "proven", ".forward"),
    ([bounced("cannot find alias database owner")], "local.alias-owner", "proven", "chown"),
    ([bounced("unable to forward message")], "local.not-forwarded", "proven", "cleanup"),
    ([bounced("user lookup error")], "local.account-lookup", "proven", "getent passwd"),
    # The reply names the sender, so it says what it minds.
    ([said("553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)", "MAIL FROM")], "delivery.sender-refused", "proven", "from="),
    ([said("501 Invalid MAIL FROM address provided", "MAIL FROM")], "delivery.sender-refused", "proven", "from="),
    ([said("501 mail from address must be same as authorization user", "MAIL FROM")], "delivery.sender-refused", "proven", "from="),
    ([said("550 5.7.1 Sender not verified", "MAIL FROM")], "delivery.sender-refused", "proven", "from="),
    ([said("550 5.7.1 Client does not have permissions to send as this sender", "end of DATA")], "delivery.sender-refused", "proven", "from="),
    ([said("550 The from address does not match a verified Sender Identity.", "end of DATA")], "delivery.sender-refused", "proven", "from="),
    ([said("550 Administrative prohibition", "MAIL FROM")], "delivery.sender-refused", "likely", "does not say"),
    # Waited too long is not sent too fast.
    ([said("421 4.4.2 mx.example.com Error: timeout exceeded", "end of DATA")], "delivery.remote-timeout", "likely", "path MTU"),
    ([said("421 Read data from client error", "end of DATA")], "delivery.remote-timeout", "likely", "path MTU"),
    ([refused("421 4.4.2 mx.example.com Error: timeout exceeded")], "delivery.remote-timeout", "likely", ""),
    ([said("553 Sorry, that domain isn't in my list of allowed rcpthosts.")], "delivery.relay-denied", "proven", ""),
    (
        [said("550 5.7.1 <b@example.com>: Recipient address rejected: temporarily blocked because of previous errors - retrying too fast.")],
        "delivery.rate-limited",
        "proven",
        "",
    ),
    ([said("450 4.7.1 Mail from 192.0.2.1 has been blocked by Some Email Reputation Service.", "end of DATA")], "delivery.blocked", "proven", ""),
    ([refused("571 Email from 192.0.2.1 is currently blocked by Example's anti-spam system.")], "delivery.blocked", "proven", ""),
    (
        [said("451 4.4.4 Mail received as unauthenticated, incoming to a recipient domain configured in a hosted tenant which has no mail-enabled subscriptions. ATTR5")],
        "delivery.no-subscription",
        "proven",
        "recipient's administrator",
    ),
    # Only the number is told: what is minded is a guess.
    ([said("554 Transaction failed")], "delivery.recipient-refused", "likely", "does not say"),
    ([said("554 Transaction failed", "end of DATA")], "delivery.policy", "likely", ""),
    ([said("501 Invalid RCPT TO address provided")], "delivery.recipient-refused", "likely", "Look at the address"),
    ([said("554 5.7.1 recipient verify from ldap failed")], "delivery.recipient-refused", "likely", "Look at the address"),
    ([said("421 4.7.1 x#unavailable Recipient account is unavailable")], "delivery.recipient-refused", "likely", "for now"),
    ([said("450 4.1.1 <b@example.com>: Recipient address rejected: unverified address: Mailbox might be full")], "delivery.recipient-refused", "likely", "for now"),
    ([said("503 5.5.1 Error: need MAIL command")], "delivery.sequence", "likely", "pipelining"),
    # A server of several; the log ends before the last.
    (
        [f"smtp: 5AB0C11D22E: host {HOST} said: 450 4.9.9 something of its own (in reply to RCPT TO command)"],
        "delivery.reply",
        "unknown",
        "status",
    ),
    # A code that only begins like another one.
    ([status(f"host {HOST} said: 554 5.2.252 SendAsDenied; a@example.jp not allowed to send as b@example.jp (in reply to end of DATA command)").replace("dsn=4.0.0", "dsn=5.2.252")], "delivery.sender-refused", "proven", "from="),
    ([said("550 5.2.121 RESOLVER.ADR; recipient's messages per hour")], "delivery.recipient-refused", "likely", ""),
    # Whose address was verified stands behind the words about it.
    (
        [said('550-Verification failed for <www-data@localhost> 550-unrouteable mail domain "localhost" 550 Sender verify failed')],
        "delivery.sender-refused",
        "proven",
        "from=",
    ),
    ([said("553 Relaying disallowed as root@mx.example.jp", "MAIL FROM")], "delivery.sender-refused", "proven", "from="),
    ([said("550-Requested action not taken: mailbox unavailable 550 Sender address is not allowed.", "MAIL FROM")], "delivery.sender-refused", "proven", "from="),
    ([said("550 Rejected by header based manually Blocked Senders - block manually: https://x.example", "end of DATA")], "delivery.sender-refused", "proven", "from="),
    ([said("554 5.7.1 This message has been blocked because the return email domain is invalid.", "end of DATA")], "delivery.sender-refused", "proven", "from="),
    # What the account at the provider may do is a matter of the account.
    ([said("550-5.4.5 Daily user sending limit exceeded. For more information", "MAIL FROM")], "delivery.sending-limit", "proven", "provider"),
    ([said("454 Throttling failure: Daily message quota exceeded.", "end of DATA")], "delivery.sending-limit", "proven", "provider"),
    ([said("550 5.4.6 Unusual sending activity detected. Please try after sometime.", "end of DATA")], "delivery.sending-limit", "proven", "provider"),
    ([said("454 Throttling failure: Maximum sending rate exceeded.", "end of DATA")], "delivery.rate-limited", "proven", "rate_delay"),
    ([said("550 5.4.6 Hop count exceeded - possible mail loop")], "limit.hops", "proven", "Received:"),
    ([said("554 Message rejected: Sending paused for this account.", "end of DATA")], "delivery.account-restricted", "proven", "Log in"),
    ([said("502 5.7.0 Your SMTP account is not yet activated.", "MAIL FROM")], "delivery.account-restricted", "proven", "Log in"),
    ([said("550 5.7.1 Free accounts are for test purposes only.")], "delivery.account-restricted", "proven", "Log in"),
    ([said("421 Domain sandbox1.example.net is not allowed to send: Sandbox subdomains are for test purposes only", "end of DATA")], "delivery.account-restricted", "proven", "Log in"),
    ([said("550 5.4.1 All recipient addresses rejected : Access denied.", "end of DATA")], "delivery.recipient-refused", "likely", "Look at the address"),
    ([said("554 5.6.0 Message contains NUL characters", "end of DATA")], "delivery.message-form", "proven", ""),
    ([said("550-5.7.1 reject content [xbl] 550 See http://x.example", "end of DATA")], "delivery.content-refused", "proven", ""),
    # A program of this host is no remote server, slow or not.
    ([status(f"conversation with {HERE} timed out while receiving the initial server greeting", 10024)], "delivery.server-timeout", "proven", "that program's own log"),
    ([status(f"conversation with {HOST} timed out while sending message body")], "delivery.server-timeout", "proven", "path MTU"),
    # A filter that does not reach our smtpd did not judge the message.
    (
        [status(f"host {HERE} said: 451 4.5.0 id=11249-03 - Temporary MTA failure on relaying, From MTA() during fwd-connect (Negative greeting: at (eval 134) line 479.): id=11249-03 (in reply to end of DATA command)", 10024)],
        "filter.no-way-back",
        "proven",
        "10025",
    ),
    ([refused("451-HELO/EHLO must contain a FQDN or IP literal 451 Please see RFC 2821 section 4.1.1.1")], "delivery.our-helo", "proven", "smtp_helo_name"),
    ([refused("500 5.5.1 Unknown command")], "delivery.other-protocol", "likely", "lmtp:inet"),
    ([said("554 5.2.0 reputation ratelimit in effect - https://x.example", "end of DATA")], "delivery.rate-limited", "proven", ""),
]  # fmt: skip
