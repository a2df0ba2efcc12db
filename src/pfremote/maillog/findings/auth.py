"""Authentication that failed, inbound (smtpd) and outbound (smtp, lmtp)."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from collections.abc import Mapping

from pfremote.maillog.findings.rule import Finding, Rule
from pfremote.maillog.record import Record
from pfremote.maillog.turns import Transcript

RULES = (
    Rule(
        "auth.mechanism-not-offered",
        r"SASL (?P<mechanism>\S+) authentication failed: (?:Invalid authentication mechanism|no mechanism available)",
        "the client asked for {mechanism}, which the server does not offer",
        "The AUTH line of the EHLO reply does not list {mechanism}; no password was looked at.",
        "Set the client to a mechanism from the 250-AUTH line, or enable {mechanism} in the SASL server.",
    ),
    Rule(
        "auth.service-lost",
        r"SASL (?P<mechanism>\S+) authentication failed: (?:Connection lost to authentication server|generic failure)",
        "the authentication service failed while checking",
        "The SASL server broke off or returned an error of its own; this says nothing about the password.",
        "Look at the SASL server's log (Dovecot auth, saslauthd) at this second.",
    ),
    Rule(
        "auth.aborted",
        r"SASL (?P<mechanism>\S+) authentication aborted",
        "the client gave up in the middle of {mechanism}",
        "The client answered the server's challenge with * (RFC 4954 section 4).",
        "Look at the client: a cancelled password prompt, or a mechanism that it cannot complete.",
    ),
    Rule(
        "auth.bad-credentials",
        r"warning: \S+: SASL (?P<mechanism>\S+) authentication failed(?!: (?:Invalid auth|no mechanism|Connection lost|generic failure))",
        "the SASL server refused the {mechanism} credentials",
        "The exchange was complete and the SASL server said no: wrong user name, realm or password, or a locked account.",
        "Compare the user name in the log with the account; the SASL server's log at this second has the reason.",
    ),
    Rule(
        "auth.no-service",
        r"SASL: Connect to (?P<socket>.+?) failed: (?P<reason>.+)",
        "smtpd cannot reach the SASL server",
        "smtpd found no SASL server at {socket} ({reason}) and ends the session without any reply.",
        "Start Dovecot or saslauthd, and compare smtpd_sasl_path and smtpd_sasl_type with its socket (mind the chroot).",
    ),
    Rule(
        "auth.no-service",
        r"fatal: no SASL authentication mechanisms",
        "smtpd has no SASL mechanisms to offer",
        "The SASL server is not there, or offers nothing that smtpd_sasl_security_options permits; the session ends without any reply.",
        "Start Dovecot or saslauthd; compare its mechanisms with smtpd_sasl_security_options and smtpd_sasl_tls_security_options.",
    ),
    Rule(
        "auth.sender-not-owned",
        r"Sender address rejected: not (?:owned by user (?P<user>\S+?)(?:;|$)|logged in)",
        "the sender address does not belong to the login",
        "reject_sender_login_mismatch or a relative of it found no such pair in smtpd_sender_login_maps.",
        "Add the address for the login {user} to smtpd_sender_login_maps, or let the client log in as its owner.",
    ),
    Rule(
        "auth.relay-refused",
        r"SASL authentication failed; server (?P<server>\S+) said: (?P<reply>\d{3}[^)]*)",
        "the remote server refused our credentials",
        "{server} answered AUTH with {reply}",
        "Check the entry for this server in smtp_sasl_password_maps, run postmap on it, and try again with postqueue -i.",
    ),
    Rule(
        "auth.relay-no-mechanism",
        r"cannot authenticate to server (?P<server>\S+?): no mechanism available|No worthy mechs found",
        "no common SASL mechanism with the remote server",
        "What the server offers, what smtp_sasl_security_options permits and what the SASL library has do not overlap.",
        "Allow plaintext mechanisms inside TLS (smtp_sasl_tls_security_options = noanonymous); install the SASL plug-in packages.",
    ),
    Rule(
        "auth.before-starttls",
        r"^(?:538 |530 5\.7\.0 .*STARTTLS.*AUTH)",
        "authentication was tried before STARTTLS",
        "The server takes AUTH only inside TLS.",
        "Set the client to use STARTTLS, or port 465 with TLS from the start.",
    ),
)


def find_auth(transcript: Transcript, records: Mapping[int, Record]) -> list[Finding]:
    """Find what needs more than one line: AUTH where it is not enabled, and exchanges that never ended."""
    found = []
    tls_before = min((tls.line for tls in transcript.tls), default=None)
    offered = any(turn.who == "S" and turn.text[3:].strip(" -") == "STARTTLS" for turn in transcript.turns)
    for sasl in transcript.sasl:
        line = next((t for t in transcript.turns if t.line > sasl.line and t.who == "S"), None)
        if sasl.outcome == "unfinished" and sasl.line in records:
            found.append(_unfinished(transcript, records[sasl.line], sasl.mechanism))
        elif line is not None and line.text.startswith("503") and "authentication not enabled" in line.text:
            plain = offered and (tls_before is None or tls_before > sasl.line)
            found.append(_not_enabled(transcript, records[line.line], before_tls=plain))
    return found


def _unfinished(transcript: Transcript, record: Record, mechanism: str) -> Finding:
    return Finding(
        "auth.unfinished",
        f"the {mechanism} exchange was never completed",
        "likely",
        transcript.session.id,
        record,
        "The session ended, or the log does, between AUTH and its answer: the client hung up, or the SASL server did not answer.",
        "See who was waited for in the transcript: after a 334 it is the client, after a client line the SASL server.",
    )


def _not_enabled(transcript: Transcript, record: Record, *, before_tls: bool) -> Finding:
    if before_tls:
        return Finding(
            "auth.before-starttls",
            "authentication was tried before STARTTLS",
            "likely",
            transcript.session.id,
            record,
            "The server offered STARTTLS, the client sent AUTH in clear text. With smtpd_tls_auth_only = yes AUTH exists only "
            "inside TLS; the same reply comes where smtpd_sasl_auth_enable = no.",
            "Set the client to use STARTTLS; see postconf smtpd_tls_auth_only smtpd_sasl_auth_enable, and -o options in master.cf.",
        )
    return Finding(
        "auth.not-enabled",
        "authentication is not enabled on this service",
        "proven",
        transcript.session.id,
        record,
        "smtpd_sasl_auth_enable is off for the service that the client reached (often port 25 instead of 587).",
        "Point the client to the submission service, or set smtpd_sasl_auth_enable = yes for this one.",
    )
