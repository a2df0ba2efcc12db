"""The other ends: SMTP and LMTP servers that misbehave on purpose, a policy server, a milter."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

Handler = Callable[[socket.socket], None]


def serve(listener: socket.socket, handler: Handler) -> None:
    """Accept on ``listener`` for ever, one thread per connection."""
    listener.listen(16)

    def one(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, IndexError, ValueError, ssl.SSLError):
            handler(connection)

    def loop() -> None:
        while True:
            connection, _ = listener.accept()
            Thread(target=one, args=(connection,), daemon=True).start()

    Thread(target=loop, daemon=True).start()


def listen_tcp(address: str, port: int) -> socket.socket:
    return socket.create_server((address, port))


def listen_unix(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o666)
    return listener


@dataclass
class SmtpScript:
    """What one SMTP server answers, by verb; ``""`` closes the connection, ``"sleep"`` says nothing."""

    banner: str = "220 relay.example.jp ESMTP"
    features: tuple[str, ...] = ("8BITMIME",)
    replies: dict[str, str] = field(default_factory=dict)
    certificate: Path | None = None
    garbage_after_starttls: bool = False

    def __call__(self, raw: socket.socket) -> None:
        connection, lines = raw, raw.makefile("rb")
        if not self._say(connection, self.banner):
            return
        while line := lines.readline():
            verb = line.split()[0].decode().upper() if line.strip() else ""
            if not self._say(connection, self._reply(verb)):
                return
            if verb == "DATA" and self._reply(verb).startswith("354"):
                while lines.readline() not in (b".\r\n", b""):
                    pass
                if not self._say(connection, self.replies.get(".", "250 2.0.0 stored")):
                    return
            if verb == "STARTTLS" and self.garbage_after_starttls:
                connection.sendall(b"500 what is TLS?\r\n")
            elif verb == "STARTTLS" and self.certificate:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self.certificate)
                connection = context.wrap_socket(raw, server_side=True)
                lines = connection.makefile("rb")

    def _reply(self, verb: str) -> str:
        if verb in self.replies:
            return self.replies[verb]
        if verb in ("EHLO", "LHLO"):
            names = ("relay.example.jp", *self.features)
            return "\r\n".join(f"250{' ' if n == names[-1] else '-'}{n}" for n in names)
        return {"DATA": "354 go on", "QUIT": "221 bye", "STARTTLS": "220 ready"}.get(verb, "250 2.0.0 ok")

    @staticmethod
    def _say(connection: socket.socket, reply: str) -> bool:
        if reply == "sleep":
            time.sleep(20)
            return False
        if reply:
            connection.sendall(reply.encode() + b"\r\n")
        return bool(reply)


def policy_answering(action: str) -> Handler:
    """A policy server (SMTPD_POLICY_README) with one answer for all."""

    def handle(connection: socket.socket) -> None:
        lines = connection.makefile("rb")
        while line := lines.readline():
            if line == b"\n":
                connection.sendall(f"action={action}\n\n".encode())

    return handle


def milter_refusing(reply: str) -> Handler:
    """A milter (protocol version 6) that refuses each recipient with ``reply``."""
    return _milter(b"R", b"y", reply.encode() + b"\0")


def milter_answering(kind: bytes, text: bytes = b"") -> Handler:
    """A milter that answers the end of the message with ``kind``; with none it hangs up there."""
    return _milter(b"E", kind, text + b"\0" if text else b"")


def _milter(asked: bytes, verdict: bytes, text: bytes) -> Handler:

    def send(connection: socket.socket, kind: bytes, data: bytes = b"") -> None:
        connection.sendall(struct.pack(">I", len(data) + 1) + kind + data)

    def handle(connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        while head := stream.read(5):
            stream.read(struct.unpack(">I", head[:4])[0] - 1)
            kind = head[4:]
            if kind == b"O":
                send(connection, b"O", struct.pack(">III", 6, 0, 0))
            elif kind == asked and not verdict:
                return
            elif kind == asked:
                send(connection, verdict, text)
            elif kind not in (b"D", b"Q", b"A"):
                send(connection, b"c")

    return handle
