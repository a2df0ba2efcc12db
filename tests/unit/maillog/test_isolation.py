"""What one client sends changes nothing of what is shown of another: neither lines, nor dialogue, nor causes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pfremote.maillog.capture import Capture, read_capture
from pfremote.maillog.live import LiveEnd, LiveReader
from pfremote.maillog.sessions.build import Session
from tests.support.maillines import b64
from tests.support.recorder.expect import FIXTURES, NOW

#: Of the log itself: names, addresses, queue ids, functions and words of Postfix, and pieces of them.
GUESSES = (
    "c1.example.jp",
    "192.0.2.1",
    "[192.0.2.1]",
    "[192.0.2.2]",
    "1.example.jp[192.0.2.1]",
    "p[192.0.2.1]",
    " c1.exam",
    "c2.example.jp[192.0.2.2]:",
    "connect",
    "connect from",
    "disconnect from c1.example.jp",
    "Relay access d",
    "Relay access denied",
    "access denied; from=<",
    "8C36822E171",
    "8C36822E171:",
    "8C36822E172",
    "NOQUEUE: reject: RCPT from",
    "generic_checks:",
    "reject_unauth_destination",
    "postfix/smtpd",
    "mx.example.jp",
    "bob1@dest.example.net",
    "alice1",
    "alice2",
    "status=sent",
    "250 2.1.0 Ok",
    "MAIL FROM:",
    "[redacted: password of alice1]",
    "removed",
    "Gr4nite-77",
    # Words that smtpd writes when it names a user, heads of lines, and repetitions, offered by a client.
    "x, sasl_username=alice1",
    "alice2, sasl_sender=x",
    "user=alice1",
    "]: connect from c2.example.jp[192.0.2.2]",
    "message repeated 2 times: [ connect from c1.example.jp[192.0.2.1]]",
    "c2.example.jp[192.0.2.2]: 235 2.7.0 Authentication successful",
    "auth reply: OK?1?user=alice2",
    "smtp_sasl_passwd_lookup: host `r' user `alice1' pass `x'",
    "AUTH PLAIN AGFsaWNlMQBhbGljZTI=",
    "{alice1:alice2}",
    "\u00e4lice1",
    "[line withheld: it could not be read]",
)
MECHANISMS = (
    *("PLAIN", "LOGIN", "CRAM-MD5", "EXTERNAL", "XOAUTH2", "TYPED", "NUL", "COMMAND", "NOOP", "EARLY"),
    *("SWAPPED", "HALF LOGIN", "TURNED LOGIN", "SCRAM", "TORN", "HELO", "MAIL", "NAMED"),
)


@dataclass(frozen=True)
class Client:
    """One client: what it offers, how, and whether the server accepts it."""

    number: int
    guesses: tuple[tuple[str, str, bool], ...]

    @property
    def peer(self) -> str:
        return f"c{self.number}.example.jp[192.0.2.{self.number}]"

    def says(self) -> list[tuple[str, str]]:
        """Return its lines as (daemon, text); it serves as its own process number."""
        peer, message = self.peer, f"8C36822E17{self.number}"
        lines = [("smtpd", f"connect from {peer}"), ("smtpd", f"> {peer}: 220 mx.example.jp ESMTP Postfix")]
        lines += [("smtpd", f"< {peer}: EHLO c{self.number}.example.jp")]
        for mechanism, guess, accepted in self.guesses:
            lines += [("smtpd", text) for text in self._offer(mechanism, guess)]
            lines.append(
                ("smtpd", f"> {peer}: {'235 2.7.0 Authentication successful' if accepted else '535 5.7.8 no'}")
            )
        lines += [
            ("smtpd", f"< {peer}: MAIL FROM:<alice{self.number}@example.jp>"),
            ("smtpd", f"> {peer}: 250 2.1.0 Ok"),
            ("smtpd", ">>> START Recipient address RESTRICTIONS <<<"),
            ("smtpd", "generic_checks: name=reject_unauth_destination"),
            ("smtpd", f"reject_unauth_destination: bob{self.number}@dest.example.net"),
            ("smtpd", f"{message}: client={peer}, sasl_method=PLAIN, sasl_username=alice{self.number}"),
            ("smtpd", "generic_checks: name=reject_unauth_destination status=2"),
            ("smtpd", ">>> END Recipient address RESTRICTIONS <<<"),
            (
                "smtpd",
                f"NOQUEUE: reject: RCPT from {peer}: 554 5.7.1 <bob{self.number}@dest.example.net>: Relay access denied;"
                f" from=<alice{self.number}@example.jp> to=<bob{self.number}@dest.example.net> proto=ESMTP helo=<c>",
            ),
            ("smtpd", f"> {peer}: 554 5.7.1 <bob{self.number}@dest.example.net>: Relay access denied"),
            ("cleanup", f"{message}: message-id=<{self.number}@example.jp>"),
            ("qmgr", f"{message}: from=<alice{self.number}@example.jp>, size=334, nrcpt=1 (queue active)"),
            ("smtp", f"{message}: to=<bob{self.number}@dest.example.net>, relay=none, delay=1, status=bounced (no)"),
            ("qmgr", f"{message}: removed"),
            ("smtpd", f"disconnect from {peer} ehlo=1 auth=0/1 commands=3"),
        ]
        return lines

    def _offer(self, mechanism: str, guess: str) -> list[str]:
        said = f"< {self.peer}: "
        if mechanism == "LOGIN":
            asked = f"> {self.peer}: 334 "
            return [
                f"{said}AUTH LOGIN",
                f"{asked}VXNlcm5hbWU6",
                said + b64(guess),
                f"{asked}UGFzc3dvcmQ6",
                said + b64(guess),
            ]
        if mechanism == "TURNED LOGIN":  # lines lost and in another order
            return [f"> {self.peer}: 334 VXNlcm5hbWU6", said + b64(guess), f"> {self.peer}: 334 UGFzc3dvcmQ6"]
        if mechanism == "NAMED":
            return [
                f"{said}AUTH PLAIN {b64(chr(0) + guess + chr(0) + guess)}",
                f"xsasl_dovecot_handle_reply: auth reply: FAIL?1?user={guess}",
                f"warning: {self.peer}: SASL PLAIN authentication failed: no, sasl_username={guess}",
            ]
        if mechanism == "EARLY":
            return [f"improper command pipelining after EHLO from {self.peer}: {guess}\\r\\n"]
        return [
            said
            + {
                "PLAIN": f"AUTH PLAIN {b64(chr(0) + 'alice' + chr(0) + guess)}",
                "NUL": f"AUTH PLAIN {b64(guess + chr(0) + guess + chr(0))}",
                "CRAM-MD5": f"AUTH CRAM-MD5 {b64(guess + ' ' + guess)}",
                "EXTERNAL": f"AUTH EXTERNAL {b64(guess)}",
                "XOAUTH2": f"AUTH XOAUTH2 {b64(f'user={guess}{chr(1)}auth=Bearer {guess}{chr(1)}')}",
                "TYPED": guess,
                "COMMAND": f"AUTH {guess}",
                "NOOP": f"NOOP {guess}",
                "SWAPPED": f"AUTH PLAIN {b64(chr(0) + guess + chr(0) + 'alice')}",
                "HALF LOGIN": f"AUTH LOGIN {b64(guess)}",
                "SCRAM": f"AUTH SCRAM-SHA-256 {b64(f'n,,n={guess},r={guess}')}",
                "TORN": f"AUTH PLAIN {b64(chr(0) + 'alice' + chr(0) + guess)[:-3]} {guess}",
                "HELO": f"EHLO {guess}",
                "MAIL": f"MAIL FROM:<{guess}> AUTH={guess}",
            }[mechanism]
        ]


def log_of(clients: tuple[Client, ...], *, one_process: bool, order: int = 0) -> bytes:
    """Return the log of the clients: one after the other in a process, or beside each other in several."""
    told = [(client, client.says()) for client in clients]
    if one_process:
        lines = [(7, daemon, text) for _, said in told for daemon, text in said]
    else:
        longest = max(len(said) for _, said in told)
        turns = [(n, client, said) for n in range(longest) for client, said in told]
        lines = [(client.number, *said[n]) for n, client, said in turns if n < len(said)]
    pids = {"smtpd": 100, "cleanup": 200, "qmgr": 300, "smtp": 400}
    rows = [
        f"Nov 24 02:13:{order:02d} mx postfix/{daemon}[{pids[daemon] + (n if daemon != 'qmgr' else 0)}]: {text}\n"
        for n, daemon, text in lines
    ]
    return "".join(rows).encode()


def read(data: bytes, number: int) -> Capture:
    def match(session: Session) -> bool:
        return session.peer_address == f"192.0.2.{number}"

    return read_capture(data, now=NOW, utc_offset=timedelta(0), match=match)


def shown(capture: Capture) -> object:
    """Everything of a capture that does not depend on where in the log a line stands.

    The credentials of other clients are listed beside, whoever is shown: only those of the kept lines are compared.
    """
    kept = {record.number for record in capture.records}
    texts = [record.text for record in capture.records]
    turns = [[(turn.who, turn.topic, turn.text) for turn in transcript.turns] for transcript in capture.transcripts]
    found = [(finding.code, finding.proof.text) for finding in capture.findings]
    peers = [(session.peer, session.queue_ids, session.whole) for session in capture.sessions]
    return texts, turns, found, peers, [(item.account, item.kind) for item in capture.exposures if item.line in kept]


_OFFERS = st.lists(st.tuples(st.sampled_from(MECHANISMS), st.sampled_from(GUESSES), st.booleans()), max_size=4).map(
    tuple
)
_CLIENTS = st.tuples(_OFFERS, _OFFERS, _OFFERS)


@given(_CLIENTS, st.booleans())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(((("PLAIN", "[192.0.2.2]", False),), (), ()), True)
def test_a_client_is_shown_the_same_with_and_without_the_others(
    offers: tuple[tuple[tuple[str, str, bool], ...], ...], one_process: bool
) -> None:
    clients = tuple(Client(number, own) for number, own in enumerate(offers, 1))
    together = log_of(clients, one_process=one_process)
    for client in clients:
        alone = shown(read(log_of((client,), one_process=one_process), client.number))
        assert shown(read(together, client.number)) == alone


@pytest.mark.parametrize("guess", GUESSES)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_client_changes_nothing_but_its_own_words(mechanism: str, guess: str) -> None:
    """The session is there, whole, with its peer, its queue id, its cause; only what the client offered is masked."""
    plain = read(log_of((Client(1, ()),), one_process=True), 1)
    offered = log_of((Client(1, ((mechanism, guess, False),)),), one_process=True)
    capture = read(offered, 1)
    (session,) = capture.sessions
    assert (session.peer, session.whole, session.queue_ids) == ("c1.example.jp[192.0.2.1]", True, ("8C36822E171",))
    # A line that only the client wrote may cost itself: "EHLO pass `x" looks like a password of the host's.
    own = [n for n, row in enumerate(offered.decode().splitlines(), 1) if guess in row]
    assert {item.number for item in capture.withheld} <= set(own)
    expected = {record.text for record in plain.records if "alice1" not in record.text and "bob1" not in record.text}
    assert expected <= {record.text for record in capture.records}
    assert {finding.code for finding in plain.findings} <= {finding.code for finding in capture.findings}


@given(_OFFERS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_followed_it_is_the_same(offers: tuple[tuple[str, str, bool], ...]) -> None:
    """A client is followed as it is read afterwards, beside another that attacks."""
    data = log_of((Client(1, offers), Client(2, ())), one_process=True)
    reader = LiveReader(now=NOW, utc_offset=timedelta(0), match=lambda session: session.peer_address == "192.0.2.2")
    (end,) = [item for item in (*reader.feed(data), *reader.finish()) if isinstance(item, LiveEnd)]
    (transcript,) = read(log_of((Client(2, ()),), one_process=True), 2).transcripts
    inside = [turn.text for turn in transcript.turns if turn.topic not in ("queue", "delivery")]
    assert [turn.text for turn in end.transcript.turns if turn.topic not in ("queue", "delivery")] == inside


def test_the_case_of_a_client_that_hides_another() -> None:
    data = (FIXTURES / "cases" / "security" / "B1-client-hides-its-session-other.log").read_bytes()
    capture = read(data, 77)
    assert [session.peer for session in capture.sessions] == ["b.example.net[192.0.2.77]"]
    assert len(capture.records) == 5
    assert "redacted" not in capture.evidence_text()
    assert [session.peer for session in read(data, 5).sessions] == ["c.example.jp[192.0.2.5]"]
