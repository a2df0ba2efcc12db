"""A login that was refused, and that the same client had accepted under the same name in another session, later."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from datetime import datetime
from typing import NamedTuple

from pfremote.maillog.findings.rule import Finding
from pfremote.maillog.parse.record import Record
from pfremote.text.times import show_moment

_FAILED = re.compile(
    r"warning: \S*?\[(?P<address>[^\]\s]*)\]\S*: SASL \S+ authentication failed(?:.*, sasl_username=(?P<user>\S+))?"
)
_MAIL = re.compile(r"\w+: client=\S*?\[(?P<address>[^\]\s]*)\]\S*, .*sasl_username=(?P<user>[^,\s]+)")
_ANSWER = re.compile(r"> \S*?\[(?P<address>[^\]\s]*)\]\S*: (?P<code>[25]35)\b")
#: Who the exchange is about: what the redactor left of a response, and what Dovecot answers.
_MASKED = re.compile(r"\[redacted: [\w ]+ of (?P<user>[^\]\s]+)\]")
_DOVECOT = re.compile(r"auth reply: (?:OK|FAIL)\?\d+\?(?:[^?]*\?)*?user=(?P<user>[^?\s]+)")
#: Address and user, in small letters.
_Pair = tuple[str, str]
_Process = tuple[str, str, int | None]


class _Session(NamedTuple):
    process: _Process
    begin: int


class _Login(NamedTuple):
    number: int
    time: datetime | None
    session: _Session
    user: str


class LaterLogins:
    """Takes the lines of smtpd in their order. What it holds grows with the refusals, not with the log."""

    def __init__(self) -> None:
        #: Sessions that go on, and who they say to be.
        self._begun: dict[_Process, int] = {}
        self._users: dict[_Process, str] = {}
        #: The lines that refuse a named user, by process.
        self._refused: dict[_Process, list[tuple[int, int, _Pair]]] = {}
        #: Refused pairs of which no later login is known yet, with the session of the last refusal.
        self._waiting: dict[_Pair, _Session] = {}
        #: The first login after each refusal.
        self._accepted: dict[_Pair, list[_Login]] = {}

    def feed(self, record: Record) -> None:
        """Take the next line."""
        text = record.text
        if text.startswith("connect from "):
            self._leave(_process_of(record))
            self._begun[_process_of(record)] = record.number
        elif text.startswith("disconnect from "):
            self._leave(_process_of(record))
        elif text[:2] == "> ":
            if found := _ANSWER.match(text):
                self._answer(record, found)
        elif "[redacted: " in text or "auth reply: " in text:
            if found := _MASKED.search(text) or _DOVECOT.search(text):
                self._users[_process_of(record)] = found["user"]
        elif "authentication failed" in text and (found := _FAILED.match(text)):
            self._refuse(record, found["address"], found["user"] or self._users.get(_process_of(record), ""))
        elif "sasl_username=" in text and (found := _MAIL.match(text)):
            self._accept(record, found["address"], found["user"])

    def _leave(self, process: _Process) -> None:
        self._begun.pop(process, None)
        self._users.pop(process, None)

    def _answer(self, record: Record, found: re.Match[str]) -> None:
        take = self._accept if found["code"] == "235" else self._refuse
        take(record, found["address"], self._users.pop(_process_of(record), ""))

    def _session_of(self, record: Record) -> _Session:
        process = _process_of(record)
        return _Session(process, self._begun.setdefault(process, record.number))

    def _refuse(self, record: Record, address: str, user: str) -> None:
        if user and not user.startswith("("):
            pair, session = (address, user.casefold()), self._session_of(record)
            self._refused.setdefault(session.process, []).append((record.number, session.begin, pair))
            self._waiting[pair] = session

    def _accept(self, record: Record, address: str, user: str) -> None:
        pair = address, user.casefold()
        if pair in self._waiting and self._waiting[pair] != (session := self._session_of(record)):
            del self._waiting[pair]
            self._accepted.setdefault(pair, []).append(_Login(record.number, record.time, session, user))

    def tell(self, finding: Finding) -> str:
        """Return what became of the login that a finding is about, or nothing."""
        if not finding.code.startswith("auth."):
            return ""
        number, process = finding.proof.number, _process_of(finding.proof)
        refused = self._refused.get(process, [])
        place = bisect_left(refused, number, key=lambda item: item[0])
        if place == len(refused) or refused[place][1] > number:
            return ""
        last, begin, pair = refused[place]
        logins = self._accepted.get(pair, [])
        later = logins[bisect_right(logins, last, key=lambda item: item.number) :]
        login = next((item for item in later if item.session != _Session(process, begin)), None)
        if login is None:
            return ""
        when = f" at {show_moment(login.time)}" if login.time else " later"
        return f"Another session of this client logged in as {login.user}{when}."


def _process_of(record: Record) -> _Process:
    return record.host, record.tag, record.pid
