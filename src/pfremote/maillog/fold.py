"""Folds the records of one session into turns and facts."""

from __future__ import annotations

import re
from datetime import datetime

from pfremote.maillog.checks import CheckReader
from pfremote.maillog.parse import unrepeat
from pfremote.maillog.record import Record
from pfremote.maillog.shapes import CHATTER, DIALOGUE, queue_id
from pfremote.maillog.turns import Check, Delivery, Sasl, Tls, Topic, Turn, Who

_TLS = re.compile(
    r"(?P<trust>\w+) TLS connection (?:established|reused) (?:from|to) .*?: "
    r"(?P<protocol>(?:TLS|SSL)v[\d.]+) with cipher (?P<cipher>\S+)"
)
_SASL_FAILED = re.compile(
    r"warning: \S+: SASL (?P<mechanism>\S+) authentication (?P<how>failed|aborted)(?:: (?P<reason>.*?))?"
    r"(?:, sasl_username=(?P<user>\S+))?\Z"
)
_SASL_USER = re.compile(r"sasl_method=(?P<mechanism>[^,\s]+), sasl_username=(?P<user>[^,\s]+)")
_STATUS = re.compile(
    r"(?P<qid>[^:]+): to=<(?P<to>[^>]*)>,.*? relay=(?P<relay>[^,]+),.* dsn=(?P<dsn>[\d.]+), "
    r"status=(?P<status>\S+) \((?P<reason>.*)\)"
)
#: xsasl/xsasl_dovecot_server.c; the tabs of the protocol are logged as question marks.
_DOVECOT_OK = re.compile(r"auth reply: OK\?.*?\?user=([^?\s]+)")
#: smtp/smtp_sasl_glue.c: who we log in as.
_OWN_LOGIN = re.compile(r"smtp_sasl_passwd_lookup: host `.*?' user `(?P<user>[^']+)'")
_DNS_FAILED = re.compile(r"dns_query: \S+ \(\w+\): (?!OK)")

#: What Postfix says about a session, by first words; the rest is folded. (topic, start of the text)
_SHOWN: tuple[tuple[Topic, str], ...] = (
    ("connection", "connect from "),
    ("connection", "disconnect from "),
    ("connection", "lost connection after "),
    ("connection", "timeout after "),
    ("connection", "too many errors after "),
    ("connection", "improper command pipelining after "),
    ("tls", "SSL3 alert "),
    ("tls", "SSL_accept error "),
    ("tls", "SSL_connect error "),
    ("tls", "certificate verification failed "),
    ("tls", "server certificate verification failed "),
    ("tls", "warning: TLS library problem"),
    ("sasl", "warning: SASL"),
    ("warning", "warning: "),
    ("warning", "error: "),
    ("warning", "fatal: "),
    ("warning", "panic: "),
)
_SHOWN_WORDS = frozenset(text.split(" ", 1)[0] for _, text in _SHOWN)


class Folder:
    """Collects turns and facts from the records of one session, in log order."""

    def __init__(self, *, inbound: bool) -> None:
        self.turns: list[Turn] = []
        self.tls: list[Tls] = []
        self.sasl: list[Sasl] = []
        self.deliveries: list[Delivery] = []
        self.folded = 0
        self._checks = CheckReader()
        self._last: datetime | None = None
        self._auth: tuple[str, int] | None = None
        self._login = ""
        # The log writes "<" for what its own side received: from the client in smtpd, from the server in
        # smtp and lmtp.
        self._received: Who = "C" if inbound else "S"
        self._sent: Who = "S" if inbound else "C"

    @property
    def checks(self) -> list[Check]:
        return self._checks.done

    def feed(self, record: Record) -> None:
        """Take the next record of the session."""
        count, text = 1, record.text
        if text.startswith(("message repeated ", " message repeated ")):
            count, text = unrepeat(text)
        end = text.find(" ")
        word = text[:end] if end > 0 else text
        if word in ("<", ">"):
            self._dialogue(record, text, count)
        elif word in CHATTER:
            if word == "dns_query:" and _DNS_FAILED.match(text):
                self._add(record, "*", "note", text, count)
            else:
                self.folded += 1
        elif word in (">>>", "generic_checks:", "check_table_result:"):
            self.folded += 1
            self._check(record, text)
        elif word == "NOQUEUE:" or queue_id(word):
            self._queue_line(record, text, count)
        else:
            self._note(record, word, text, count)

    def feed_followed(self, record: Record) -> None:
        """Take a record of another daemon about a message of this session."""
        if found := _STATUS.match(record.text):
            self._deliver(record, found)
            self._add(record, "*", "delivery", f"{record.daemon}: {record.text}", 1)
        elif "reject: " in record.text or record.text.startswith("warning: "):
            self._add(record, "*", "reject", f"{record.daemon}: {record.text}", 1)
        else:
            self.folded += 1

    def finish_sasl(self) -> tuple[Sasl, ...]:
        """Close an AUTH exchange that never got its answer."""
        if self._auth is not None:
            self._settle("unfinished", "the session ended before the answer")
        return tuple(self.sasl)

    def _add(self, record: Record, who: Who, topic: Topic, text: str, count: int) -> None:
        gap = 0.0
        if record.time is not None:
            gap = max(0.0, (record.time - self._last).total_seconds()) if self._last else 0.0
            self._last = record.time
        self.turns.append(Turn(record.time, gap, who, topic, text, record.number, count))

    def _dialogue(self, record: Record, text: str, count: int) -> None:
        found = DIALOGUE.match(text)
        if found is None:
            self.folded += 1
            return
        who = self._received if found["way"] == "<" else self._sent
        said = found["said"]
        self._add(record, who, "smtp", said, count)
        if who == "C":
            self._checks.command()
        if who == "C" and said[:5].upper() == "AUTH ":
            self._auth = (said[5:].split(" ", 1)[0].upper(), record.number)
        elif who == "S" and self._auth is not None and said[:1] in "245" and said[:3] != "250":
            self._settle("accepted" if said[:3] == "235" else "refused", "" if said[0] == "2" else said)

    def _settle(self, outcome: str, reason: str, user: str = "") -> None:
        if self._auth is None:
            return
        mechanism, line = self._auth
        user = user or self._login
        self._auth = None
        if outcome == "accepted":
            self.sasl.append(Sasl(mechanism, user, "accepted", "", line))
        elif outcome == "unfinished":
            self.sasl.append(Sasl(mechanism, user, "unfinished", reason, line))
        else:
            self.sasl.append(Sasl(mechanism, user, "aborted" if outcome == "aborted" else "refused", reason, line))

    def _check(self, record: Record, text: str) -> None:
        shown = self._checks.feed(record, text)
        if shown:
            self._add(record, "*", shown[0], shown[1], 1)

    def _queue_line(self, record: Record, text: str, count: int) -> None:
        if found := _STATUS.match(text):
            self._deliver(record, found)
            self._add(record, "*", "delivery", text, count)
        elif "reject: " in text[:60]:
            self._add(record, "*", "reject", text, count)
        else:
            self._add(record, "*", "queue", text, count)
        if (found := _SASL_USER.search(text)) and self.sasl and self.sasl[-1].outcome == "accepted":
            last = self.sasl[-1]
            self.sasl[-1] = Sasl(last.mechanism, found["user"], last.outcome, last.reason, last.line)
        elif found and not self.sasl:
            self.sasl.append(Sasl(found["mechanism"], found["user"], "accepted", "", record.number))

    def _deliver(self, record: Record, found: re.Match[str]) -> None:
        values = (found["qid"], found["to"], found["relay"], found["dsn"], found["status"], found["reason"])
        self.deliveries.append(Delivery(*values, line=record.number))

    def _note(self, record: Record, word: str, text: str, count: int) -> None:
        if found := _TLS.match(text):
            self.tls.append(Tls(found["protocol"], found["cipher"], found["trust"], record.number))
            self._add(record, "*", "tls", text, count)
        elif found := _SASL_FAILED.match(text):
            self._auth = self._auth or (found["mechanism"], record.number)
            outcome = "aborted" if found["how"] == "aborted" else "refused"
            self._settle(outcome, found["reason"] or "", found["user"] or "")
            self._add(record, "*", "sasl", text, count)
        elif word == "xsasl_dovecot_handle_reply:":
            self.folded += 1
            if (user := _DOVECOT_OK.search(text)) and self._auth is not None:
                self._settle("accepted", "", user[1])
        elif word == "smtp_sasl_passwd_lookup:":
            self.folded += 1
            self._login = found["user"] if (found := _OWN_LOGIN.match(text)) else self._login
        elif word == "connect" and text.startswith("connect to ") and "[" in text:
            self._add(record, "*", "connection", text, count)
        elif word in _SHOWN_WORDS and (topic := _topic(text)):
            self._add(record, "*", topic, text, count)
        else:
            self.folded += 1


def _topic(text: str) -> Topic | None:
    return next((topic for topic, start in _SHOWN if text.startswith(start)), None)
