"""Mail traffic against a private host, with the standard library's SMTP client."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from pfremote.errors import PfremoteError


class MailServer(Protocol):
    """What a client must know of a server; a LoopbackHost is one."""

    @property
    def name(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def smtp_port(self) -> int: ...
    @property
    def certificate(self) -> Path: ...
    @property
    def users(self) -> Mapping[str, str]: ...


#: Never one of the passwords that LoopbackHost makes.
WRONG_PASSWORD = "not-the-password"  # noqa: S105 - a wrong one, on purpose
_TIMEOUT = 15.0


def hold_session(
    host: MailServer, *, source_ip: str = "127.0.0.1", port: int | None = None, starttls: bool = False
) -> smtplib.SMTP:
    """Open a session, say EHLO (and STARTTLS when asked) and return it; leaving its ``with`` says QUIT.

    ``source_ip`` is the peer that Postfix sees; for a server on loopback it may be any address in 127/8.
    """
    session = smtplib.SMTP(
        host.address,
        port or host.smtp_port,
        "client.example.jp",
        timeout=_TIMEOUT,
        source_address=(source_ip, 0),
    )
    try:
        session.ehlo()
        if starttls:
            session.starttls(context=ssl.create_default_context(cafile=str(host.certificate)))
            session.ehlo()
    except (OSError, smtplib.SMTPException):
        session.close()
        raise
    return session


def fail_auth_over_starttls(
    host: MailServer,
    source_ip: str = "127.0.0.1",
    *,
    user: str = "alice",
    mechanism: str = "PLAIN",
    port: int | None = None,
) -> int:
    """Try a wrong password after STARTTLS, quit, and return the reply code (535).

    ``mechanism`` is PLAIN or LOGIN.
    """
    with hold_session(host, source_ip=source_ip, port=port, starttls=True) as session:
        try:
            _authenticate(session, user, WRONG_PASSWORD, mechanism)
        except smtplib.SMTPAuthenticationError as exc:
            return exc.smtp_code
    raise PfremoteError("a wrong password was accepted")


def log_in(
    host: MailServer,
    source_ip: str = "127.0.0.1",
    *,
    user: str = "alice",
    mechanism: str = "PLAIN",
    port: int | None = None,
) -> int:
    """Log in with the right password after STARTTLS, quit, and return the reply code (235)."""
    with hold_session(host, source_ip=source_ip, port=port, starttls=True) as session:
        return _authenticate(session, user, host.users[user], mechanism)


def deliver(
    host: MailServer,
    source_ip: str = "127.0.0.1",
    *,
    sender: str = "carol@client.example.jp",
    recipient: str | None = None,
    body: str = "Subject: a test\r\n\r\nHello.\r\n",
    port: int | None = None,
) -> str:
    """Send one message without AUTH and return the queue id that Postfix gave it.

    ``recipient`` defaults to a local one, which is discarded after the queue.

    Raises:
        smtplib.SMTPResponseException: the server refused sender, recipient or content; it has the reply.
    """
    with hold_session(host, source_ip=source_ip, port=port) as session:
        _insist(session.mail(sender))
        _insist(session.rcpt(recipient or f"bob@{host.name}.example.jp"))
        # smtpd.c: the reply to the final dot ends with "queued as" and the id.
        return _insist(session.data(body)).rpartition(b" ")[2].decode()


def _authenticate(session: smtplib.SMTP, user: str, password: str, mechanism: str) -> int:
    # Not session.login(): after a failure that tries the next mechanism, and logs a second failure.
    session.user, session.password = user, password
    answer = {"PLAIN": session.auth_plain, "LOGIN": session.auth_login}[mechanism]
    code, _ = session.auth(mechanism, answer)
    return code


def _insist(reply: tuple[int, bytes]) -> bytes:
    code, text = reply
    if not 200 <= code < 300:
        raise smtplib.SMTPResponseException(code, text)
    return text
