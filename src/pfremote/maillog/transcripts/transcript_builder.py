"""Records of one session → turns and facts, in the order of the log."""

from __future__ import annotations

import re
from datetime import datetime

from pfremote.maillog.parse.patterns import CHATTER, DIALOGUE, queue_id
from pfremote.maillog.parse.record import Record
from pfremote.maillog.parse.repeated import unrepeat
from pfremote.maillog.transcripts.explicit import topic_of as _topic
from pfremote.maillog.transcripts.restrictions import CheckReader
from pfremote.maillog.transcripts.turns import Check, Delivery, Sasl, Tls, Topic, Turn, Who

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
    r"(?P<qid>[^:]+): to=<(?P<to>[^>]*)>,.*? relay=(?P<relay>[^,]+),(?:.* dsn=(?P<dsn>[\d.]+)| delay=\d+), "
    r"status=(?P<status>\S+) \((?P<reason>.*)\)"
)
#: xsasl/xsasl_dovecot_server.c; the tabs of the protocol are logged as question marks.
_DOVECOT = re.compile(r"xsasl_dovecot_handle_reply: auth reply: (?P<word>OK|FAIL)\?\d+\??(?P<fields>.*)")
#: smtp/smtp_sasl_glue.c: who we log in as.
_OWN_LOGIN = re.compile(r"smtp_sasl_passwd_lookup: host `.*?' user `(?P<user>[^']+)'")
_NO_LOGIN = "smtp_sasl_passwd_lookup: no auth info found"
#: Any white space may part the words; what is no blank is logged as a question mark.
_AUTH = re.compile(r"[\s?]*AUTH[\s?]+(?:([\w-]+)(?=[\s?]|\Z))?", re.IGNORECASE)
#: What the redactor left of a credential that names its user (RFC 4616, SASL LOGIN).
_MASKED = re.compile(r"\[redacted: (?:password|bearer token|authentication response) of (?P<user>[^\]\s]+)\]")
_DNS_FAILED = re.compile(r"dns_query: \S+ \(\w+\): (?!OK)")
#: What other daemons do with a message beside delivering it (cleanup_milter.c, cleanup_message.c, pickup.c).
_DONE_TO_IT = re.compile(
    r"(?:\w+: )?(?:milter-)?(?:reject|hold|discard|filter|redirect|replace|prepend|bcc|strip|warning|quarantine"
    r"|delay|reject_warning): "
)
#: smtpd_check.c, cleanup: ``reject_warning`` (warn_if_reject) refuses nothing.
_REFUSED = re.compile(r"\w+: (?:milter-)?reject: ")
_SEVERE = ("warning: ", "error: ", "fatal: ", "panic: ")


class TranscriptBuilder:
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
        self._login = self._user = ""
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
        text = f"{record.daemon}: {record.text}"
        if found := _STATUS.match(record.text):
            self._deliver(record, found)
            self._add(record, "*", "delivery", text, 1)
        elif record.text.startswith(_SEVERE):
            self._add(record, "*", "warning", text, 1)
        elif "status=expired" in record.text:
            self._add(record, "*", "delivery", text, 1)
        elif found := _DONE_TO_IT.match(record.text):
            self._add(record, "*", "reject" if _REFUSED.match(record.text) else "note", text, 1)
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
        if who == "S" and (shown := self._checks.end(record)):
            self._add(record, "*", shown[0], shown[1], 1)
        self._add(record, who, "smtp", said, count)
        if who == "C":
            self._checks.command()
            if self._auth is not None and (masked := _MASKED.search(said)):
                self._user = masked["user"]
        if who == "C" and (auth := _AUTH.match(said)) is not None:
            self._auth = (auth[1].upper() if auth[1] else "(unknown mechanism)", record.number)
            self._user = found["user"] if (found := _MASKED.search(said)) else ""
        elif who == "S" and self._auth is not None and said[:1] in ("2", "4", "5") and said[:3] != "250":
            self._settle("accepted" if said[:3] == "235" else "refused", "" if said[0] == "2" else said)

    def _settle(self, outcome: str, reason: str, user: str = "") -> None:
        if self._auth is None:
            return
        mechanism, line = self._auth
        user = user or self._user or self._login
        self._auth, self._user = None, ""
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
        elif _REFUSED.match(text):
            self._add(record, "*", "reject", text, count)
        else:
            self._add(record, "*", "queue", text, count)
        if (found := _SASL_USER.search(text)) and self.sasl and self.sasl[-1].outcome == "accepted":
            last = self.sasl[-1]
            self.sasl[-1] = Sasl(last.mechanism, found["user"], last.outcome, last.reason, last.line)
        elif found and not self.sasl:
            self.sasl.append(Sasl(found["mechanism"], found["user"], "accepted", "", record.number))

    def _deliver(self, record: Record, found: re.Match[str]) -> None:
        values = (found["qid"], found["to"], found["relay"], found["dsn"] or "", found["status"], found["reason"])
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
        elif found := _DOVECOT.match(text):
            self._hear_dovecot(record, found)
        elif word == "smtp_sasl_passwd_lookup:":
            self._login = found["user"] if (found := _OWN_LOGIN.match(text)) else self._login
            self._show_if(text.startswith(_NO_LOGIN), record, "sasl", text, count)
        else:
            topic = _topic(text)
            self._show_if(topic is not None, record, topic or "note", text, count)

    def _show_if(self, shown: bool, record: Record, topic: Topic, text: str, count: int) -> None:
        if shown:
            self._add(record, "*", topic, text, count)
        else:
            self.folded += 1

    def _hear_dovecot(self, record: Record, found: re.Match[str]) -> None:
        """Take the SASL server's own answer: who it is about, and why it refused where it says so."""
        fields = [field for field in found["fields"].split("?") if field]
        user = next((field[5:] for field in fields if field.startswith("user=")), "")
        self._user = user or self._user
        if found["word"] == "OK":
            self.folded += 1
            if user and self._auth is not None:
                self._settle("accepted", "", user)
            return
        why = [field for field in fields if not field.startswith("user=")]
        about = f" {user}" if user else ""
        self._add(record, "*", "sasl", f"SASL server refused{about}: {', '.join(why) or 'no reason given'}", 1)
