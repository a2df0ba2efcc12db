"""The options that say what to debug, shared by ``debug`` and ``check``."""

from __future__ import annotations

import dataclasses
import getpass
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any
from unicodedata import category

import click

from pfremote.errors import UsageError
from pfremote.plan import DebugRequest
from pfremote.postfix.quantities import parse_duration, parse_percent, parse_size, render_duration

if TYPE_CHECKING:
    from pfremote.target import Target

#: The longest window where the inventory does not say otherwise, in minutes.
LONGEST = 120

#: The agent itself takes no more, in seconds.
AGENT_LIMIT = 24 * 3600

#: What the inventory may say of a host, for lack of a word on the command line: option name -> variable.
HOST_VARIABLES = {
    "guard": "pfremote_guard",
    "max_log": "pfremote_max_log",
    "min_free": "pfremote_min_free",
    "drain": "pfremote_drain",
}

_WORDS = (
    "peer",
    "minutes",
    "level",
    "smtpd_tls",
    "smtp_tls",
    "lmtp_tls",
    "allow_content",
    "all_peers",
    "guard",
)
_MORE = ("allow_volatile_guard", "stop_after", "max_log", "min_free", "drain", "reason")

_OPTIONS = (
    click.option(
        "--peer",
        multiple=True,
        metavar="PEER",
        help="Address, network, name, domain, /file or type:table; repeats.",
    ),
    click.option("--minutes", default="10", show_default=True, metavar="TIME", help="Minutes, or 90s, 10m, 1h."),
    click.option("--level", type=int, default=2, show_default=True, metavar="N", help="debug_peer_level, 1 or 2."),
    click.option("--smtpd-tls", type=int, metavar="N", help="smtpd_tls_loglevel, 0 to 2."),
    click.option("--smtp-tls", type=int, metavar="N", help="smtp_tls_loglevel, 0 to 2."),
    click.option("--lmtp-tls", type=int, metavar="N", help="lmtp_tls_loglevel, 0 to 2."),
    click.option("--allow-content", is_flag=True, help="Allow levels that log message content."),
    click.option("--all-peers", is_flag=True, help="Allow a peer that matches everybody."),
    click.option(
        "--guard",
        type=click.Choice(["auto", "systemd", "cron", "at", "process"]),
        help="What ends the lease on the host when nobody comes back.  [default: auto]",
    ),
    click.option("--allow-volatile-guard", is_flag=True, help="Accept a guard that does not survive a reboot."),
    click.option("--stop-after", type=click.IntRange(min=1), metavar="N", help="End after N matching sessions."),
    click.option("--max-log", metavar="SIZE", help="End when the log grew by this.  [default: 256M]"),
    click.option("--min-free", metavar="PERCENT", help="End when the log disk gets this full.  [default: 10%]"),
    click.option("--drain", metavar="TIME", help="How long to wait for verbose processes.  [default: 60s]"),
    click.option("--reason", default="", metavar="TEXT", help="Why; shown to everybody who asks for the status."),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The request as the command line has it; ``given`` names what was typed, which goes first."""

    request: DebugRequest
    given: frozenset[str] = frozenset()

    def fit(self, target: Target) -> DebugRequest:
        """Return the request for one host, with what its inventory says where nothing was typed.

        Raises:
            UsageError: the window is longer than may be asked for on this host.
        """
        refuse_long(target, self.request.seconds)
        said = {name: target.vars[variable] for name, variable in HOST_VARIABLES.items() if variable in target.vars}
        wanted: dict[str, Any] = {name: value for name, value in said.items() if name not in self.given}
        return dataclasses.replace(self.request, **wanted)


def refuse_long(target: Target, seconds: int) -> None:
    """Raise UsageError where a window of so many seconds is longer than may be asked for on this host."""
    longest = target.vars.get("pfremote_max_minutes", LONGEST)
    if isinstance(longest, int) and seconds > longest * 60:
        raise UsageError(
            f"{target.name} is debugged for {render_duration(longest * 60)} at most, "
            f"and {render_duration(seconds)} is asked for",
            hint=f"--minutes {longest}, or raise pfremote_max_minutes in the inventory",
        )


def request_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the request options; it gets them as one ``asked`` value."""

    @wraps(function)
    def call(**words: Any) -> Any:
        mine = {name: words.pop(name) for name in (*_WORDS, *_MORE)}
        return function(asked=make_request(**mine), **words)

    for option in reversed(_OPTIONS):
        call = option(call)
    return call


def make_request(**words: Any) -> Asked:
    """Return the request that the options mean; owner and origin are the operator's login and machine.

    Raises:
        UsageError: a duration, size or percentage that is none.
    """
    request = DebugRequest(
        peers=tuple(words["peer"]),
        seconds=parse_duration(words["minutes"], cap=AGENT_LIMIT),
        level=words["level"],
        smtpd_tls=words["smtpd_tls"],
        smtp_tls=words["smtp_tls"],
        lmtp_tls=words["lmtp_tls"],
        allow_content=words["allow_content"],
        all_peers=words["all_peers"],
        volatile_guard=words["allow_volatile_guard"],
        guard=words["guard"] or "auto",
        stop_after=words["stop_after"],
        max_log=parse_size(_default(words["max_log"], "256M")),
        min_free=parse_percent(_default(words["min_free"], "10")),
        drain=parse_duration(_default(words["drain"], "60s"), cap=600),
        owner=name_operator(),
        origin=socket.gethostname(),
        reason=_read_reason(words["reason"]),
    )
    return Asked(request, frozenset(name for name in HOST_VARIABLES if words[name] is not None))


def _default(word: str | None, default: str) -> str:
    return default if word is None else word


def _read_reason(text: str) -> str:
    """Return the reason; it is shown on other people's terminals and kept in the host's record, a line each."""
    if any(category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text):
        raise UsageError(f"--reason holds a control character: {text!r}", hint="give it on one line, in plain text")
    return text


def name_operator() -> str:
    """Return the login name, for the lease's owner."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no name in the environment and none for the uid
        return "unknown"
