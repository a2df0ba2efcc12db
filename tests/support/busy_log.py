"""Logs of hosts whose processes serve one client after the other, made at random: what goes wrong there is of every kind.

Passwords are typed where commands belong, and are words of other clients' lines; lines are lost, two hosts log into one
file, and debugging is switched on in the middle of a process.
"""

from __future__ import annotations

import random
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field

CLIENTS = (
    ("a.example.net", "192.0.2.1"),
    ("b.example.org", "192.0.2.2"),
    ("unknown", "192.0.2.3"),
    ("localhost", "127.0.0.1"),
)
USERS = ("alice", "bob", "carol")
_PASSWORDS = ("S3cretPW", "hunter2x", "Tr0ub4dor", "alice-pass")
_STATUSES = (
    "sent (250 2.0.0 Ok: queued as 5B2C3D4E5F)",
    "sent (delivered)",
    "deferred (connect to x: timed out)",
    'bounced (unknown user: "x")',
)
#: What smtpd says in a session: of its client, of a password and of a user.
_SAYS = (
    "warning: non-SMTP command from {client}: {password}",
    "warning: {client}: SASL LOGIN authentication failed: no, sasl_username={user}",
    "warning: {client}: SASL LOGIN authentication failed: no, sasl_username={password}",
    "NOQUEUE: reject: RCPT from {client}: 450 4.2.0 <{user}@example.jp>: Recipient address rejected: Greylisted; "
    "from=<x1@example.net> to=<{user}@example.jp> proto=ESMTP helo=<{password}>",
    "NOQUEUE: reject: RCPT from {client}: 451 4.3.0 <{user}@example.jp>: Temporary lookup failure; "
    "from=<x@example.net> to=<{user}@example.jp> proto=ESMTP helo=<h>",
    "warning: hash:/etc/postfix/x is unavailable. open database /etc/postfix/x.db: No such file or directory",
    "improper command pipelining after DATA from {client}: {password}\\r\\n",
    'warning: unknown smtpd restriction: "{password}"',
    "Anonymous TLS connection established from {client}: TLSv1.3 with cipher X (256/256 bits)",
    "warning: milter inet:127.0.0.1:1: can't read SMFIC_CONNECT reply packet header: Application error",
    "table hash:/etc/postfix/x(0,lock|fold_fix) has changed -- restarting",
)
_BODY_LOST = "warning: milter inet:127.0.0.1:1: can't read SMFIC_BODYEOB reply packet header: Application error"
_EXITED = "warning: process /usr/lib/postfix/sbin/smtpd pid {pid} exit status 1"
#: A daemon, and what it says.
_Line = tuple[str, str]


@dataclass
class BusyLog:
    """The text of a log, and the queue ids in it."""

    rng: random.Random
    text: str = ""
    queue_ids: list[str] = field(default_factory=list)
    _last: int = 0x1A2B3C0000

    @classmethod
    def make(cls, seed: int) -> BusyLog:
        """Return a log; the same seed makes the same."""
        log = cls(random.Random(seed))  # noqa: S311  a log, not a key
        rng = log.rng
        is_verbose, lost = rng.random() < 0.5, rng.choice((0, 0, 0.03))
        lives = [
            (host, pid, list(log._life(is_verbose=is_verbose)))
            for host in rng.choice((["mx"], ["mx"], ["mx", "mx2"]))
            for pid in range(100, rng.choice((102, 103)))
        ]
        log.text = "".join(line for line in log._mix(lives) if rng.random() >= lost)
        return log

    def _mix(self, lives: list[tuple[str, int, list[_Line]]]) -> Iterator[str]:
        """Yield the lines of several processes, some of each at a time."""
        rng, seconds = self.rng, 0
        while lives := [life for life in lives if life[2]]:
            host, pid, lines = rng.choice(lives)
            for daemon, text in lines[: rng.choice((1, 1, 2, 4, 8))]:
                del lines[0]
                seconds += rng.choice((0, 0, 0, 1, 1, 2, 7, 30))
                own = 110 if daemon != "smtpd" and rng.random() < 0.3 else pid
                time = f"{10 + seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
                yield f"Nov 24 {time} {host} postfix/{daemon}[{own}]: {text.replace('{pid}', str(pid))}\n"

    def _life(self, *, is_verbose: bool) -> Iterator[_Line]:
        """Yield what a process and those that it hands its messages to say."""
        if self.rng.random() < 0.3:
            yield "smtpd", "warning: database /etc/x.db is older than source file /etc/x"
        for _ in range(self.rng.randrange(3, 14)):
            yield from self._session(is_verbose=is_verbose and self.rng.random() < 0.5)

    def _session(self, *, is_verbose: bool) -> Iterator[_Line]:
        rng = self.rng
        name, address = rng.choice(CLIENTS)
        client = f"{name}[{address}]"
        if rng.random() < 0.2:
            yield "smtpd", f"warning: hostname {name} does not resolve to address {address}: Name or service not known"
        yield "smtpd", f"connect from {client}"
        for _ in range(rng.choice((0, 1, 1, 2, 3))):
            user, password = rng.choice(USERS), rng.choice(_PASSWORDS)
            if rng.random() < 0.3:
                yield from self._message(client, user, password)
            elif is_verbose and rng.random() < 0.3:
                response = b64encode(f"\0{user}\0{password}".encode()).decode()
                yield "smtpd", f"< {client}: AUTH PLAIN {response}"
                yield (
                    "smtpd",
                    f"> {client}: {rng.choice(('235 2.7.0 Authentication successful', '535 5.7.8 Error: x'))}",
                )
            else:
                yield "smtpd", rng.choice(_SAYS).format(client=client, user=user, password=password)
        if rng.random() < 0.03:
            yield "smtpd", f"fatal: unexpected command-line argument: {rng.choice(_PASSWORDS)}"
            yield "master", _EXITED
        elif rng.random() < 0.9:
            if rng.random() < 0.2:
                yield "smtpd", f"lost connection after {rng.choice(('DATA', 'AUTH', 'EHLO'))} from {client}"
            yield "smtpd", f"disconnect from {client} ehlo=1 mail=1 commands=2"
            if rng.random() < 0.05:
                yield "smtpd", "warning: TLS library problem: error:0A000126:SSL routines::unexpected eof:x.c:1:"

    def _message(self, client: str, user: str, password: str) -> Iterator[_Line]:
        rng = self.rng
        self._last += rng.randrange(1, 500)
        queue_id = f"{self._last:010X}"
        self.queue_ids.append(queue_id)
        login = f", sasl_method=PLAIN, sasl_username={user}" if rng.random() < 0.3 else ""
        yield "smtpd", f"{queue_id}: client={client}{login}"
        if rng.random() < 0.2:
            yield "cleanup", _BODY_LOST
        yield "cleanup", f"{queue_id}: message-id=<{rng.randrange(10**9)}.{rng.choice((password, 'x'))}@example.net>"
        if rng.random() < 0.15:
            yield (
                "cleanup",
                f"{queue_id}: milter-reject: END-OF-MESSAGE from {client}: 4.7.1 Service unavailable - try again later; "
                f"from=<x@example.net> to=<{user}@example.jp> proto=ESMTP helo=<{password}>",
            )
            return
        yield "qmgr", f"{queue_id}: from=<x{rng.randrange(3)}@example.net>, size=100, nrcpt=1 (queue active)"
        daemon = rng.choice(("local", "smtp", "pipe", "smtp"))
        if rng.random() < 0.2:
            yield daemon, f"warning: something about {password}"
        if daemon == "smtp" and rng.random() < 0.3:
            yield daemon, "connect to mx.example.com[198.51.100.1]:25: Connection timed out"
        yield (
            daemon,
            f"{queue_id}: to=<{user}@example.jp>, relay=mx.example.com[198.51.100.2]:25, delay=1, delays=0/0/0/1, "
            f"dsn=2.0.0, status={rng.choice(_STATUSES)}",
        )
        if daemon == "pipe" and rng.random() < 0.3:
            yield daemon, "fatal: pipe_command: execvp /x: No such file"
        yield "qmgr", f"{queue_id}: removed"
