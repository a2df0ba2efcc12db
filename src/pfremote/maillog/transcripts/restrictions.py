"""Folds smtpd's restriction trace (smtpd/smtpd_check.c: generic_checks) to the restriction that decided."""

from __future__ import annotations

import re

from pfremote.maillog.parse.record import Record
from pfremote.maillog.transcripts.turns import Check, Decision, Topic

_START = re.compile(r">>> (?P<edge>START|END) (?P<stage>.+) RESTRICTIONS <<<")
_TRIED = re.compile(r"generic_checks: name=(?P<name>\S+)(?: status=(?P<status>\d+))?")
_TABLE = re.compile(r"check_table_result: (?P<table>\S+) (?P<result>.*?) (?P<key>policy query|\S+)\Z")
#: SMTPD_CHECK_OK and SMTPD_CHECK_REJECT of smtpd_check.h; 0 is SMTPD_CHECK_DUNNO.
_DECISIONS: dict[str, Decision] = {"1": "permit", "2": "reject"}


class CheckReader:
    """Reads the trace of one session; :attr:`done` grows by one check per restriction list that ran."""

    def __init__(self) -> None:
        self.done: list[Check] = []
        self._depth = 0
        self._clear()

    def command(self) -> None:
        """A new command arrived: a list that never said END (its check ended the session) is over."""
        if self._depth:
            self._depth = 0
            self._clear()

    def end(self, record: Record) -> tuple[Topic, str] | None:
        """Something else than the trace goes on: return what a list decided that is over without END.

        Postfix before 2.10 says END only where no restriction of the list decided.
        """
        if self._decided is None or self._nested or self._depth != 1:
            return None
        self._depth = 0
        return self._finish(record, self._stage)

    def _clear(self) -> None:
        self._stage = ""
        self._tried: list[str] = []
        self._nested: list[str] = []
        self._decided: tuple[Decision, str] | None = None
        self._table = self._key = self._result = ""

    def feed(self, record: Record, text: str) -> tuple[Topic, str] | None:
        """Take one trace line; return what a reader should see of it, if anything."""
        if found := _START.match(text):
            return self._edge(record, found["edge"], found["stage"])
        if text.startswith(">>> "):  # CHECKING RECIPIENT MAPS
            return self.end(record)
        if found := _TRIED.match(text):
            self._try(found["name"], found["status"])
            return None
        if found := _TABLE.match(text):
            self._table, self._result, self._key = found["table"], found["result"], found["key"]
            if self._key == "policy query":
                return "policy", f"policy service {self._table} answered: {self._result}"
        return None

    def _edge(self, record: Record, edge: str, stage: str) -> tuple[Topic, str] | None:
        shown = self.end(record) if edge == "START" else None
        # Some restrictions (reject_sender_login_mismatch) run a list of their own inside the list.
        self._depth = max(0, self._depth + (1 if edge == "START" else -1))
        self._stage = self._stage or stage
        return self._finish(record, stage) if edge == "END" and self._depth == 0 else shown

    def _try(self, name: str, status: str | None) -> None:
        if status is None:
            self._nested.append(name)
            return
        if name in self._nested:
            del self._nested[self._nested.index(name) :]
        if self._nested:
            return  # inside a restriction class or a combined restriction: the outer one reports as well
        if status in _DECISIONS and self._decided is None:
            self._decided = (_DECISIONS[status], name)
        elif self._decided is None:
            self._tried.append(name)

    def _finish(self, record: Record, stage: str) -> tuple[Topic, str]:
        decision, restriction = self._decided or ("undecided", "")
        uses_table = restriction.startswith("check_") or (decision == "undecided" and self._key == "policy query")
        table, key, result = (self._table, self._key, self._result) if uses_table else ("", "", "")
        check = Check(stage, decision, restriction, tuple(self._tried), table, key, result, record.number)
        self.done.append(check)
        self._clear()
        return "check", describe(check)


def describe(check: Check) -> str:
    """Say a check in one line.

    >>> describe(Check("Client host", "reject", "reject_rbl_client", (), "", "", "", 1))
    'Client host restrictions: reject by reject_rbl_client'
    """
    if check.decision == "undecided":
        tried = ", ".join(check.tried) or "empty list"
        return f"{check.stage} restrictions: nothing decided ({tried})"
    words = f"{check.stage} restrictions: {check.decision} by {check.restriction}"
    if check.table:
        words += f", {check.table} [{check.key}] = {check.result}"
    return words
