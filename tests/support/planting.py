"""Secrets in every shape in which a mail client can hand one to Postfix; what was sent is remembered."""

from __future__ import annotations

import hashlib
import hmac
import smtplib
from base64 import b64decode, b64encode
from dataclasses import dataclass, field

from pfremote.loopback import traffic
from tests.lab import Machine

#: One secret for each way of handing it over; none is a piece of another.
PASSWORDS = {
    "plain": "Kaze;77-pw",
    "plain-later": "Umi+/88=pw",
    "login": "Yama'99 pw",
    "login-user": "Sora%66.pw",
    "cram": "Hoshi#55pw",
    "digest": "Tsuki@44pw",
    "scram": "Kumo!33-pw",
    "wrong": "Ame?22-pw-no",
    "cleartext": "Yuki11.early",
    "as-user": "Hana00-typed",
    "as-command": "Mori12typed-pw",
}
TOKEN = "ya29.Tok-kaze_secret0042ABCDEFGH"
RELAY_PASSWORD = "Rel%y_Pw-7;x"
STATIC_PASSWORD = "St4tic-Lmtp-pw"
#: At debug level 3 ten characters of each line of content are logged, at TLS level 4 forty bytes.
CONTENT = "Conten9sec"


@dataclass
class Planted:
    """Everything that must not be found again: passwords and tokens, and what went over the wire for them."""

    secrets: set[str] = field(default_factory=set)
    wire: set[str] = field(default_factory=set)

    def send(self, session: smtplib.SMTP, text: str) -> tuple[int, bytes]:
        """Send one line that holds a credential, and remember its words."""
        self.wire |= {word for word in text.split(" ") if len(word) > 11 and not word.startswith("SCRAM-")}
        return session.docmd(text)


def plant_all(machine: Machine, source: str) -> Planted:
    """Hand every secret to the machine's port 25 or 587 from ``source``; run it in the client's network."""
    planted = Planted({*PASSWORDS.values(), TOKEN})
    for give in (give_plain, give_login, give_challenged, give_token, give_by_mistake):
        for port in (machine.smtp_port, machine.submission_port):
            give(machine, source, port, planted)
    give_in_clear(machine, source, planted)
    return planted


def open_tls(machine: Machine, source: str, port: int) -> smtplib.SMTP:
    """Return a session over STARTTLS."""
    return traffic.hold_session(machine, source_ip=source, port=port, starttls=True)


def coded(text: str | bytes) -> str:
    """Return base64."""
    return b64encode(text.encode() if isinstance(text, str) else text).decode()


def give_plain(machine: Machine, source: str, port: int, planted: Planted) -> None:
    """PLAIN with an initial response, and as an answer; right and wrong."""
    with open_tls(machine, source, port) as session:
        assert planted.send(session, f"AUTH PLAIN {coded(f'{chr(0)}plain{chr(0)}' + PASSWORDS['plain'])}")[0] == 235
    with open_tls(machine, source, port) as session:
        session.docmd("AUTH PLAIN")
        blob = coded(f"{chr(0)}plain-later{chr(0)}" + PASSWORDS["plain-later"])
        assert planted.send(session, blob)[0] == 235
    with open_tls(machine, source, port) as session:
        wrong = coded(f"{chr(0)}plain{chr(0)}" + PASSWORDS["wrong"])
        assert planted.send(session, f"AUTH PLAIN {wrong}")[0] == 535


def give_login(machine: Machine, source: str, port: int, planted: Planted) -> None:
    """LOGIN with and without the user name in front."""
    with open_tls(machine, source, port) as session:
        session.docmd("AUTH LOGIN")
        session.docmd(coded("login"))
        assert planted.send(session, coded(PASSWORDS["login"]))[0] == 235
    with open_tls(machine, source, port) as session:
        session.docmd(f"AUTH LOGIN {coded('login-user')}")
        assert planted.send(session, coded(PASSWORDS["login-user"]))[0] == 235


def give_challenged(machine: Machine, source: str, port: int, planted: Planted) -> None:
    """CRAM-MD5, DIGEST-MD5 and SCRAM-SHA-256: what is sent can be attacked offline."""
    with open_tls(machine, source, port) as session:
        challenge = b64decode(session.docmd("AUTH CRAM-MD5")[1])
        digest = hmac.new(PASSWORDS["cram"].encode(), challenge, "md5").hexdigest()
        planted.secrets.add(digest)
        assert planted.send(session, coded(f"cram {digest}"))[0] == 235
    with open_tls(machine, source, port) as session:
        answer = _digest_answer(b64decode(session.docmd("AUTH DIGEST-MD5")[1]).decode())
        assert planted.send(session, coded(answer))[0] == 334
        assert session.docmd("")[0] == 235
    with open_tls(machine, source, port) as session:
        first = "n=scram,r=rOprNGfwEbeRWgbNEkqO"
        reply = planted.send(session, f"AUTH SCRAM-SHA-256 {coded('n,,' + first)}")
        final, proof = _scram_answer(first, b64decode(reply[1]).decode())
        planted.secrets.add(proof)
        assert planted.send(session, coded(final))[0] == 334
        assert session.docmd("")[0] == 235


def give_token(machine: Machine, source: str, port: int, planted: Planted) -> None:
    """A bearer token by XOAUTH2 and OAUTHBEARER; the server refuses it, the log has it."""
    for mechanism, text in (
        ("XOAUTH2", f"user=plain{chr(1)}auth=Bearer {TOKEN}{chr(1)}{chr(1)}"),
        ("OAUTHBEARER", f"n,a=plain,{chr(1)}host=mx{chr(1)}auth=Bearer {TOKEN}{chr(1)}{chr(1)}"),
    ):
        with open_tls(machine, source, port) as session:
            code, _ = planted.send(session, f"AUTH {mechanism} {coded(text)}")
            if code == 334:
                code, _ = session.docmd("")
            assert code >= 500


def give_by_mistake(machine: Machine, source: str, port: int, planted: Planted) -> None:
    """A password where the user name belongs, before it is given rightly, and one typed as a command."""
    for user, password, code in ((PASSWORDS["as-user"], "wrong", 535), ("as-user", "as-user", 235)):
        with open_tls(machine, source, port) as session:
            session.docmd("AUTH LOGIN")
            planted.send(session, coded(user))
            assert planted.send(session, coded(PASSWORDS[password]))[0] == code
    with open_tls(machine, source, port) as session:
        assert session.docmd(PASSWORDS["as-command"])[0] >= 500


def give_in_clear(machine: Machine, source: str, planted: Planted) -> None:
    """AUTH before STARTTLS, which the server refuses when it has heard the password."""
    with traffic.hold_session(machine, source_ip=source) as session:
        blob = coded(f"{chr(0)}plain{chr(0)}" + PASSWORDS["cleartext"])
        assert planted.send(session, f"AUTH PLAIN {blob}")[0] >= 500


def relay_message(machine: Machine, source: str, recipient: str) -> None:
    """Log in and send a message that the machine relays on to its smarthost."""
    with open_tls(machine, source, machine.submission_port) as session:
        session.docmd(f"AUTH PLAIN {coded(f'{chr(0)}plain{chr(0)}' + PASSWORDS['plain'])}")
        session.sendmail("carol@client.example.jp", [recipient], f"Subject: x\r\n\r\n{CONTENT}\r\n")


def _digest_answer(challenge: str) -> str:
    fields = dict(part.split("=", 1) for part in challenge.replace('"', "").split(",") if "=" in part)
    nonce, realm = fields["nonce"], fields.get("realm", "")
    secret = hashlib.md5(f"digest:{realm}:{PASSWORDS['digest']}".encode()).digest()
    one = hashlib.md5(secret + f":{nonce}:cnonce42".encode()).hexdigest()
    two = hashlib.md5(b"AUTHENTICATE:smtp/mx1").hexdigest()
    response = hashlib.md5(f"{one}:{nonce}:00000001:cnonce42:auth:{two}".encode()).hexdigest()
    return (
        f'username="digest",realm="{realm}",nonce="{nonce}",cnonce="cnonce42",nc=00000001,qop=auth,'
        f'digest-uri="smtp/mx1",response={response},charset=utf-8'
    )


def _scram_answer(first: str, server: str) -> tuple[str, str]:
    # RFC 5802, section 3.
    fields = dict(part.split("=", 1) for part in server.split(","))
    salted = hashlib.pbkdf2_hmac("sha256", PASSWORDS["scram"].encode(), b64decode(fields["s"]), int(fields["i"]))
    client = hmac.digest(salted, b"Client Key", "sha256")
    bare = f"c=biws,r={fields['r']}"
    signature = hmac.digest(hashlib.sha256(client).digest(), f"{first},{server},{bare}".encode(), "sha256")
    proof = b64encode(bytes(a ^ b for a, b in zip(client, signature, strict=True))).decode()
    return f"{bare},p={proof}", proof
