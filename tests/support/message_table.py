"""The table of what Postfix 3.5 to 3.11 logs when something is wrong (``tests/data/postfix-messages.tsv``).

Its rows are facts from Postfix's sources: the level or kind of a message, the source file, the message with its ``%``
places, the first and the last minor version that has it, and what was decided: the code of the finding that explains
it, or ``-`` and the reason why it needs none. ``python -m tests.support.message_table`` writes the codes anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from pfremote.maillog.findings import explain
from pfremote.maillog.parse.record import Record

TABLE = Path(__file__).parents[1] / "data" / "postfix-messages.tsv"

#: Why a message needs no finding.
REASONS = {
    "command": "a command says it to the operator who typed it; it is in no session's log",
    "continuation": "goes on from the line before it, which has the finding",
    "protocol": "Postfix's daemons misunderstood each other; only the line itself helps, and it is shown as unknown.*",
    "rare": "says of a single setting, file or message what is wrong in its own words; it is shown as unknown.*",
    "note": "says what was done to a message or an address; nothing failed",
    "accepted": "a reply that accepts, or a delivery that was made",
    "dialogue": "takes more than this line: auth_exchange.py makes auth.not-enabled or auth.before-starttls of it",
}
_LIBRARIES = ("smtpd", "smtp")
_PLACE = re.compile(r"%[-+0-9.*lh]*([a-zA-Z])")
_VALUES = {"m": "No such file or directory", "d": "7", "u": "7", "x": "7", "X": "7", "o": "7", "c": "x", "f": "7"}
_SPEAKS_FOR = {"smtpd": ("smtpd",), "smtp": ("smtp",), "cleanup": ("cleanup",)}


@dataclass(frozen=True)
class Message:
    kind: str
    file: str
    text: str
    first: str
    last: str
    decision: str

    @property
    def reason(self) -> str:
        return self.decision.removeprefix("- ") if self.decision.startswith("- ") else ""

    def as_line(self) -> str:
        return "\t".join((self.kind, self.file, self.text, self.first, self.last, self.decision))


def read_table() -> list[Message]:
    rows = TABLE.read_text().splitlines()[1:]
    return [Message(*row.split("\t")) for row in rows]


def sample(message: Message) -> str:
    """Return the message as it might stand in a log."""
    shown = message.text.replace("%%", "\0").replace('\\"', '"').replace("%s rejected:", "Recipient address rejected:")
    shown = _PLACE.sub(lambda found: _VALUES.get(found[1], "thing"), shown).replace("\0", "%")
    if message.kind == "reply":
        return shown
    if message.kind == "status":
        status = "bounced" if " 5." in f" {shown}" else "deferred"
        shown = re.sub(r"^(?:[45]\.\d\.\d+ )+", "", shown)
        return f"5AB0C11D22E: to=<a@example.jp>, relay=x[192.0.2.1]:25, delay=1, delays=0/0/1/0, dsn=4.0.0, status={status} ({shown})"
    if message.kind == "reject":
        return f"NOQUEUE: reject: RCPT from x[192.0.2.1]: 554 {shown}; from=<a@example.jp> to=<b@example.jp>"
    return shown if message.kind == "info" else f"{message.kind}: {shown}"


def decide(message: Message) -> str:
    """Return the code of the rule that explains the message, or an empty text."""
    text = sample(message)
    folder = message.file.partition("/")[0]
    for daemon in _SPEAKS_FOR.get(folder, _LIBRARIES if folder in LIBRARY else (folder,)):
        record = Record(1, None, "mx", f"postfix/{daemon}", daemon, 1, "", text)
        explained = explain(record, text)
        if explained:
            return explained[-1]
    return ""


#: Folders of the source whose code runs inside many daemons.
LIBRARY = frozenset("util global tls xsasl milter dns master".split())  # noqa: SIM905


def main() -> None:
    header = TABLE.read_text().splitlines()[0]
    rows = [message if message.reason else replace(message, decision=decide(message)) for message in read_table()]
    TABLE.write_text("\n".join([header, *(row.as_line() for row in rows)]) + "\n")


if __name__ == "__main__":
    main()
