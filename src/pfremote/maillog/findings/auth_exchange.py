"""What more than one line tells of a login: AUTH where it is not enabled, exchanges that never ended, no login at all."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pfremote.maillog.findings.rule import Finding
from pfremote.maillog.parse.record import Record
from pfremote.maillog.transcripts.turns import Sasl, Transcript, Turn


def find_auth(transcript: Transcript, records: Mapping[int, Record]) -> list[Finding]:
    """Find what needs more than one line: AUTH where it is not enabled, and exchanges that never ended."""
    found = []
    tls_before = min((tls.line for tls in transcript.tls), default=None)
    offered = any(turn.who == "S" and turn.text[3:].strip(" -") == "STARTTLS" for turn in transcript.turns)
    for sasl in transcript.sasl:
        line = next((t for t in transcript.turns if t.line > sasl.line and t.who == "S"), None)
        if sasl.outcome == "unfinished" and sasl.line in records and _is_waited_for(transcript, sasl):
            found.append(_unfinished(transcript, records[sasl.line], sasl.mechanism))
        elif line is not None and line.text.startswith("503") and "authentication not enabled" in line.text:
            plain = offered and (tls_before is None or tls_before > sasl.line)
            found.append(_not_enabled(transcript, records[line.line], before_tls=plain))
    return found


def _is_waited_for(transcript: Transcript, sasl: Sasl) -> bool:
    """Say whether the log shows the end of the session: a log that ends before tells nothing of the exchange."""
    return transcript.session.cut in ("", "start") or any(turn.line > sasl.line for turn in transcript.turns)


def name_missing_login(found: list[Finding], transcript: Transcript) -> list[Finding]:
    """Say of a refusal for want of a login why there was none, where the log tells it."""
    why = _why_no_login(transcript.turns)
    return [
        replace(finding, meaning=f"{finding.meaning.removesuffix('.')}. {why}")
        if why and finding.code in ("auth.relay-required", "delivery.relay-denied")
        else finding
        for finding in found
    ]


def _why_no_login(turns: tuple[Turn, ...]) -> str:
    for turn in turns:
        if "no auth info found" in turn.text:
            host = turn.text.rpartition("host=`")[2].partition("'")[0]
            return f"We did not log in: smtp_sasl_password_maps has no entry for {host or 'this server'}."
    return ""


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
