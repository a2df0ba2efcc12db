"""Answer Postfix's password questions in Dovecot's auth protocol (version 1.1), so that no Dovecot is needed.

Only what ``smtpd`` uses: the handshake, AUTH and CONT for PLAIN and LOGIN
(Postfix ``src/xsasl/xsasl_dovecot_server.c``; Dovecot "Authentication Protocol").
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import secrets
import socketserver
import threading
from collections.abc import Mapping
from pathlib import Path

_PROMPTS = (b"Username:", b"Password:")


class SaslResponder:
    """A thread that listens on a Unix socket and knows the given users; a context manager."""

    def __init__(self, path: Path, users: Mapping[str, str]) -> None:
        self._server = _Server(str(path), _Conversation)
        self._server.users = dict(users)
        # smtpd connects as the user postfix; the directory above is what keeps others out.
        path.chmod(0o666)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> SaslResponder:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    # Each smtpd keeps its connection for its life time: waiting for them would wait for Postfix to end.
    block_on_close = False
    users: dict[str, str]


class _Conversation(socketserver.StreamRequestHandler):
    server: _Server
    answers: dict[bytes, list[bytes]]

    def handle(self) -> None:
        self.answers = {}
        # smtpd exits with its questions unanswered when Postfix stops.
        with contextlib.suppress(ConnectionError):
            self._converse()

    def _converse(self) -> None:
        self._send(b"VERSION\t1\t1", b"MECH\tPLAIN\tplaintext", b"MECH\tLOGIN\tplaintext")
        self._send(b"SPID\t1", b"CUID\t1", b"COOKIE\t" + secrets.token_hex(16).encode(), b"DONE")
        for line in self.rfile:
            match line.rstrip(b"\n").split(b"\t"):
                case [b"AUTH", request, b"PLAIN", *parameters]:
                    self._plain(request, _initial_response(parameters))
                case [b"AUTH", request, b"LOGIN", *parameters]:
                    first = _initial_response(parameters)
                    self._ask(request, [] if first is None else [_decode(first)])
                case [b"CONT", request, response] if request in self.answers:
                    self._ask(request, [*self.answers[request], _decode(response)])
                case [b"CONT", request, response]:
                    self._plain(request, response)
                case _:
                    pass  # VERSION, CPID, CANCEL: nothing to say

    def _plain(self, request: bytes, response: bytes | None) -> None:
        if response is None:
            # RFC 4954, section 4: after a bare "AUTH PLAIN" the client answers an empty challenge.
            self._send(b"CONT\t" + request + b"\t")
            return
        # RFC 4616: authorization identity NUL authentication identity NUL password
        match _decode(response).split(b"\0"):
            case [_, user, password]:
                self._judge(request, user, password)
            case _:
                self._judge(request, b"", b"")

    def _ask(self, request: bytes, answers: list[bytes]) -> None:
        if len(answers) == len(_PROMPTS):
            self.answers.pop(request, None)
            self._judge(request, *answers)
            return
        self.answers[request] = answers
        self._send(b"CONT\t" + request + b"\t" + base64.b64encode(_PROMPTS[len(answers)]))

    def _judge(self, request: bytes, user: bytes, password: bytes) -> None:
        known = self.server.users.get(user.decode(errors="replace"))
        verdict = b"OK" if known is not None and known.encode() == password else b"FAIL"
        self._send(verdict + b"\t" + request + b"\tuser=" + user)

    def _send(self, *lines: bytes) -> None:
        self.wfile.write(b"".join(line + b"\n" for line in lines))


def _initial_response(parameters: list[bytes]) -> bytes | None:
    # "resp=" is always the last parameter, and an empty one is an answer too.
    last = parameters[-1] if parameters else b""
    return last.removeprefix(b"resp=") if last.startswith(b"resp=") else None


def _decode(response: bytes) -> bytes:
    try:
        return base64.b64decode(response, validate=True)
    except binascii.Error:
        return b""
