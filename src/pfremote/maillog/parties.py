"""Whom a session or a finding is about, and what was answered: account, sender, recipients, reply."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pfremote.maillog.findings import Finding
from pfremote.maillog.parse.record import Record
from pfremote.maillog.transcripts.turns import Delivery, Transcript, Turn

#: In the dialogue, and as smtpd(8), qmgr(8) and the delivery agents log it.
SENDER = re.compile(r"(?i)(?:MAIL FROM:\s*|\bfrom=)<([^>]*)>")
RECIPIENT = re.compile(r"(?i)(?:RCPT TO:\s*|\bto=|\borig_to=)<([^>]*)>")
#: Postfix writes ``(unavailable)`` where it knows no name.
_ACCOUNT = re.compile(r"\bsasl_username=([^,\s(][^,\s]*)")
#: What smtpd(8) answers stands in its reject line, smtp(8) quotes what a server said.
_REJECTED = re.compile(r"reject: .*?: ([45]\d\d .*?)(?:; (?:from|to|proto)=|\Z)")
#: As Postfix logs them; a reply may hold the words of a command, as in ``Syntax: MAIL FROM:<address>``.
_LOGGED_SENDER = re.compile(r"\bfrom=<([^>]*)>")
_LOGGED_RECIPIENT = re.compile(r"\b(?:orig_)?to=<([^>]*)>")
_QUOTED = re.compile(
    r"(?:said|refused to talk to me|refused to start TLS): ([245]\d\d[ -].*?)(?: \(in reply to [^()]*\))?\)?\Z"
)


@dataclass(frozen=True, slots=True)
class Parties:
    """Each is empty where the log does not tell; the sender of a bounce is ``<>``."""

    account: str = ""
    sender: str = ""
    recipient: str = ""
    answer: str = ""


def find_parties(finding: Finding, transcript: Transcript, users: Sequence[str]) -> Parties:
    """Return whom a finding is about; ``users`` are the accounts of its session."""
    proof, turns = finding.proof, transcript.turns
    place = next((at for at, turn in enumerate(turns) if turn.line >= proof.number), len(turns))
    # What is wrong with the connection itself was not answered by what came later, and of a warning that no rule knows
    # it cannot be said.
    is_alone = finding.code.startswith(("session.", "unknown."))
    answers = turns[place : place + 1] if is_alone else turns[place:]
    sender, recipient = _find_envelope(turns[: place + 1])
    delivery = next((item for item in transcript.deliveries if item.line == proof.number), None)
    if transcript.session.kind != "smtpd":
        delivery = delivery or next(iter(transcript.deliveries), None)
    return Parties(
        _first(_ACCOUNT, proof.text) or _find_account(proof, transcript, users),
        _name_sender(proof.text, _LOGGED_SENDER) or sender,
        _first(_LOGGED_RECIPIENT, proof.text) or recipient or (delivery.recipient if delivery else ""),
        _find_answer(proof, answers, None if finding.code.startswith("unknown.") else delivery),
    )


def list_senders(transcript: Transcript) -> list[str]:
    """Return the senders of a session, each once."""
    return list(dict.fromkeys(filter(None, (_name_sender(turn.text) for turn in transcript.turns if turn.who != "S"))))


def list_recipients(transcript: Transcript) -> list[str]:
    """Return the recipients of a session, each once, those that were refused among them."""
    said = (found for turn in transcript.turns if turn.who != "S" for found in RECIPIENT.findall(turn.text))
    return list(dict.fromkeys((*said, *(item.recipient for item in transcript.deliveries))))


def _find_envelope(turns: Iterable[Turn]) -> tuple[str, str]:
    """Return the sender and the last recipient of the message that the client was about."""
    sender = recipient = ""
    for turn in turns:
        if turn.who == "C" and (found := _name_sender(turn.text)):
            sender, recipient = found, ""
        elif turn.who == "C" and (found := _first(RECIPIENT, turn.text)):
            recipient = found
    return sender, recipient


def _find_account(proof: Record, transcript: Transcript, users: Sequence[str]) -> str:
    """Return the account of the login that is nearest to the proof, or the last that the session names."""
    known = [sasl for sasl in transcript.sasl if sasl.user and not sasl.user.startswith("(")]
    if known:
        return min(known, key=lambda sasl: abs(sasl.line - proof.number)).user
    return next((name for name in reversed(users) if not name.startswith("(")), "")


def _find_answer(proof: Record, turns: Sequence[Turn], delivery: Delivery | None) -> str:
    """Return the reply that the finding is about: in the proof, or the first refusal from there on."""
    if found := _first(_REJECTED, proof.text) or _first(_QUOTED, proof.text.removesuffix(")")):
        return found.strip()
    if said := next((turn.text for turn in turns if turn.who == "S" and turn.text[:1] in ("4", "5")), ""):
        return said
    return _first(_QUOTED, delivery.reason) if delivery else ""


def _name_sender(text: str, pattern: re.Pattern[str] = SENDER) -> str:
    found = pattern.search(text)
    return (found[1] or "<>") if found else ""


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
