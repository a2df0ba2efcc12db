"""Which client a line of the log is about, told from the lines as they were logged. Pure.

What a client sends may be masked in this client's own lines only. So this is decided first, on lines that nothing
was taken out of; a client that offers another's name as a password changes nothing in the other's lines.
"""

from __future__ import annotations

from pfremote.maillog.parse.patterns import PEER, queue_id
from pfremote.maillog.parse.record import Record
from pfremote.maillog.parse.repeated import unrepeat
from pfremote.maillog.tally import Latest

#: Owner of what the host itself wrote or looked up: its relay passwords, its keys.
HOST = ""
#: Daemons that deliver mail: what they say is about the next hop, unless it is about a client's message.
DELIVERY = frozenset({"smtp", "lmtp"})
#: Daemons that speak of the mail system and never of one client.
OF_THE_HOST = frozenset(
    (
        "master",
        "postfix-script",
        "postlogd",
        "systemd-journald",
        "rsyslogd",
        "journal",
        "syslogd",
        "syslog-ng",
    )
)

#: Programs of Postfix that write under their bare name when they are started from a shell or a unit.
_COMMANDS = frozenset(
    ("postfix", "postmulti", "postconf", "postmap", "postalias", "postsuper", "newaliases", "aliasesdb")
)


def is_postfix(tag: str) -> bool:
    """Say whether a program of Postfix wrote under this tag: ``postfix/smtpd``, or a command such as postfix(1).

    >>> is_postfix("postfix/smtpd"), is_postfix("postmulti"), is_postfix("opendkim")
    (True, True, False)
    """
    return "/" in tag or tag in _COMMANDS


#: The owner of lines that cannot hold what a client sent.
OTHER = "\0other"

_NAMELESS = "\0client of "
_Key = tuple[str, str, int | None]


class Owners:
    """Follows which process serves which client, and which message came from whom."""

    def __init__(self, names: Owners | None = None) -> None:
        """Begin a log; ``names`` has read it before, and keeps the names that it has."""
        #: Processes and messages → the number of their client.
        self._clients = Latest()
        self._messages = Latest()
        #: The process and what it called its client in the line of the dialogue before.
        self._said: tuple[_Key, str] | None = None
        #: What stood for a client before a line named it → the client.
        self._named: dict[str, str] = {}
        self._names: _Names = _Names() if names is None else names._names

    def end(self) -> None:
        """End of the log: whose a process or a message was is asked no more, only which clients are the same."""
        self._clients, self._messages = Latest(), Latest()

    def see(self, record: Record) -> None:
        """Take a line of smtpd that may say who its client is."""
        key = (record.host, record.tag, record.pid)
        text = unrepeat(record.text)[1]
        if text[:2] in ("< ", "> "):
            said = key, text[2:].partition(": ")[0]
            if said != self._said:  # else as in the line of the dialogue before
                self._hear(key, text, 2)
                self._said = said
        elif text.startswith("connect from "):
            self._clients.put(key, self._meet(text, 13))
            self._said = None
        elif text.startswith("warning: ") and "]: SASL " in text:
            self._said = None
            self._hear(key, text, 9)  # smtpd/smtpd_sasl_glue.c: "warning: name[address]: SASL LOGIN authentication …"
        else:
            word, _, rest = text.partition(" ")
            if rest.startswith("client=") and (message := queue_id(word)):
                number = self._clients.get(key) or self._names.enter(_nameless(key), "")
                self._messages.put(message, number)

    def _hear(self, key: _Key, text: str, start: int) -> None:
        # Lines of a proxy_filter name no client (smtpd/smtpd_proxy.c): "> 127.0.0.1:10024: EHLO …".
        client = self._meet(text, start)
        known = self._clients.get(key)
        if not client or known == client:
            return
        if known is None:  # its "connect from" is missing
            self._named[_nameless(key)] = self._names.address(client)
        self._clients.put(key, client)

    def of(self, record: Record) -> str | None:
        """Return the client that the line is about; None where no line told, and it may be any."""
        if record.daemon == "smtpd":
            return self._of_process((record.host, record.tag, record.pid))
        word = record.text.removeprefix("warning: ").partition(" ")[0]
        if message := queue_id(word):
            number = self._messages.get(message)
            return None if number is None else self._names.address(number)
        if record.daemon == "postscreen":
            return _screened(record.text)
        if record.daemon in DELIVERY or record.daemon in OF_THE_HOST:
            return OTHER
        return None

    @property
    def named(self) -> int:
        """How many clients were met before a line named them."""
        return len(self._named)

    def names(self, owner: str | None) -> tuple[str, ...]:
        """Return how the log calls a client: ``name[address]``, name, address."""
        name = self._names.name(owner) if owner else ""
        return (f"{name}[{owner}]", name, owner) if owner and name else ()

    def _meet(self, text: str, start: int) -> int:
        """Return the number of the client whose ``name[address]`` stands in ``text`` at ``start``, or 0."""
        found = PEER.match(text, start)
        return 0 if found is None else self._names.enter(found["address"], found["name"])

    def is_same(self, one: str, other: str) -> bool:
        """Say whether these are one client; a client may have been nameless when it was first met."""
        return self._named.get(one, one) == self._named.get(other, other)

    def settle(self, owner: str | None) -> str | None:
        """Return the owner as the whole log tells it: None where no line ever named the client."""
        is_nameless = owner is not None and owner.startswith(_NAMELESS) and owner not in self._named
        return None if is_nameless else owner

    def _of_process(self, key: _Key) -> str:
        number = self._clients.get(key)
        return self._names.address(number) if number else _nameless(key)


class _Names:
    """The clients of a log, by number: the address, and the first name that the log has for it; 0 is no client."""

    def __init__(self) -> None:
        self._numbers = Latest()
        self._addresses = [""]
        self._called = [""]

    def enter(self, address: str, name: str) -> int:
        """Return the number of a client, a new one if need be."""
        if not address:
            return 0
        number = self._numbers.get(address)
        if number is None:
            number = len(self._addresses)
            self._numbers.put(address, number)
            self._addresses.append(address)
            self._called.append(name)
        return number

    def address(self, number: int) -> str:
        """Return a client's address."""
        return self._addresses[number]

    def name(self, address: str) -> str:
        """Return a client's name; nothing where the log has none."""
        return self._called[self._numbers.get(address) or 0]


def _nameless(key: _Key) -> str:
    return "{}{} {} {}".format(_NAMELESS, *key)


def _screened(text: str) -> str | None:
    """Return the client of a line of postscreen(8), which knows addresses only: ``[address]:port``."""
    start = text.find("[")
    end = text.find("]:", start)
    return text[start + 1 : end] if 0 <= start < end else None
