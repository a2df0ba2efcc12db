"""The options that say what to debug, shared by ``debug`` and ``check``."""

from __future__ import annotations

import dataclasses
import getpass
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any
from unicodedata import category

import click

from pfremote.errors import UsageError
from pfremote.inventory.option_values import read_option
from pfremote.model.request import HOST_VARIABLES, DebugRequest
from pfremote.model.target import Target
from pfremote.options.sections import ENDS, SAFETY, WHOM, choice
from pfremote.options.settings import current_settings, was_typed
from pfremote.postfix.peers import parse_peers
from pfremote.text.quantities import parse_duration, parse_percent, parse_size, render_duration

#: The longest window where the inventory does not say otherwise, in minutes.
LONGEST = 120

#: The agent itself takes no more, in seconds.
AGENT_LIMIT = 24 * 3600

_WORDS = (
    *("peer", "minutes", "level", "smtpd_tls", "smtp_tls", "lmtp_tls", "allow_content", "all_peers", "guard"),
    *("allow_volatile_guard", "log", "stop_after", "max_log", "min_free", "drain", "reason"),
)

REQUEST_CHOICES = (
    choice(
        WHOM,
        "--peer",
        multiple=True,
        metavar="PEER",
        help="Address, network, name, domain, /file or type:table; repeats.",
    ),
    choice(
        WHOM,
        "--level",
        type=int,
        default=2,
        show_default=True,
        metavar="N",
        help="debug_peer_level: 1 or 2, and 3 with --allow-content.",
    ),
    choice(WHOM, "--smtpd-tls", type=int, metavar="N", help="smtpd_tls_loglevel: 0 to 2, more with --allow-content."),
    choice(WHOM, "--smtp-tls", type=int, metavar="N", help="smtp_tls_loglevel, the same for outgoing mail."),
    choice(WHOM, "--lmtp-tls", type=int, metavar="N", help="lmtp_tls_loglevel, the same for LMTP."),
    choice(WHOM, "--reason", default="", metavar="TEXT", help="Why; shown to all who ask for the status."),
    choice(ENDS, "--minutes", default="10", show_default=True, metavar="TIME", help="Minutes, or 90s, 10m, 1h."),
    choice(
        ENDS,
        "--stop-after",
        type=click.IntRange(min=1),
        metavar="N",
        help="End on a host after N matching sessions are over there.",
    ),
    choice(ENDS, "--max-log", metavar="SIZE", help="End when the log grew by this.  [default: 256M]"),
    choice(
        ENDS,
        "--min-free",
        metavar="PERCENT",
        help="Do not begin, and end, when less than this is free where the log grows.  [default: 10%]",
    ),
    choice(
        ENDS,
        "--drain",
        metavar="TIME",
        help="How long to wait, after the window, for sessions that go on.  [default: 60s]",
    ),
    choice(SAFETY, "--allow-content", is_flag=True, help="Allow levels that log message content."),
    choice(SAFETY, "--all-peers", is_flag=True, help="Allow a peer that matches every client."),
    choice(
        SAFETY,
        "--guard",
        type=click.Choice(["auto", "systemd", "cron", "at", "process"]),
        help="What ends the lease on the host where the client does not.  [default: auto]",
    ),
    choice(SAFETY, "--allow-volatile-guard", is_flag=True, help="Accept a guard that does not survive a reboot."),
    choice(
        SAFETY, "--log", metavar="WHERE", help="Where Postfix logs: journal, file:/path, or none: elsewhere, I know."
    ),
)

#: What ``debug`` and ``run`` have beside those: ``check`` opens no window, so that nothing is to stop there.
STOP_AFTER_TOTAL = choice(
    ENDS,
    "--stop-after-total",
    type=click.IntRange(min=1),
    metavar="N",
    help="End on all hosts once N matching sessions were seen on them together.",
)
CHECK = choice(SAFETY, "-C", "--check", is_flag=True, help="Only say what would be done, and what is in its way.")


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """The request as the command line has it; ``given`` names what was typed, which goes first."""

    request: DebugRequest
    given: frozenset[str] = frozenset()

    @property
    def names_peers(self) -> bool:
        """Tell whether anything was typed as a peer, though it may be none."""
        return bool(self.request.peers or self.request.mistakes)

    def fit(self, target: Target) -> DebugRequest:
        """Return the request for one host, with what its inventory says where nothing was typed.

        Raises:
            UsageError: the window is longer than may be asked for on this host.
        """
        refuse_long(target, self.request.seconds)
        return self.lay_over(target)

    def lay_over(self, target: Target) -> DebugRequest:
        """Return the same without looking at the length."""
        said = {name: target.vars[variable] for name, variable in HOST_VARIABLES.items() if variable in target.vars}
        wanted: dict[str, Any] = {name: value for name, value in said.items() if name not in self.given}
        return dataclasses.replace(self.request, **wanted)


def longest_minutes(target: Target) -> int:
    """Return how long a window may be on a host: what its inventory says, else what is usual."""
    longest = target.vars.get("pfremote_max_minutes", LONGEST)
    return longest if isinstance(longest, int) else LONGEST


def refuse_long(target: Target, seconds: int) -> None:
    """Raise UsageError where a window of so many seconds is longer than may be asked for on this host."""
    longest = longest_minutes(target)
    if seconds > longest * 60:
        raise UsageError(
            f"{target.name} is debugged for {render_duration(longest * 60)} at most, "
            f"and {render_duration(seconds)} is asked for",
            hint=f"Type --minutes {longest}, or raise pfremote_max_minutes in the inventory.",
        )


def request_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Hand a command that has :data:`REQUEST_CHOICES` their values as one ``asked`` value."""

    @wraps(function)
    def call(**words: Any) -> Any:
        settings = current_settings()
        if not was_typed("minutes") and settings.get("minutes"):
            words["minutes"] = render_duration(settings.get("minutes"))
        if settings.get("require_reason") and is_for_real(words) and not words["reason"].strip():
            raise UsageError(
                f"a reason is wanted here ({settings.source('require_reason')})", hint="Add --reason TEXT."
            )
        mine = {name: words.pop(name) for name in _WORDS}
        return function(asked=make_request(**mine), **words)

    return call


#: How the options are read for which the inventory may have a word too.
_READERS: dict[str, Callable[[str], object]] = {
    "guard": str,
    "max_log": parse_size,
    "min_free": parse_percent,
    "drain": partial(parse_duration, cap=600),
}


def is_for_real(words: Mapping[str, Any]) -> bool:
    """Tell whether the command changes anything: ``check`` has no such option as ``--check``, and only looks."""
    return "check" in words and not words["check"] and not words["list_hosts"]


def make_request(**words: Any) -> RequestOptions:
    """Return the request that the options mean; owner and origin are the operator's login and machine.

    A peer that is none is among the request's ``mistakes``: it is refused, with all that is wrong beside it.
    ``owner`` is another name than the login, where an engine knows who asked for its job.

    Raises:
        UsageError: a duration, size or percentage that is none.
    """
    peers, mistakes = parse_peers(words["peer"])
    given: dict[str, Any] = {name: read(words[name]) for name, read in _READERS.items() if words[name] is not None}
    request = DebugRequest(
        peers=peers,
        seconds=parse_duration(words["minutes"], cap=AGENT_LIMIT),
        level=words["level"],
        smtpd_tls=words["smtpd_tls"],
        smtp_tls=words["smtp_tls"],
        lmtp_tls=words["lmtp_tls"],
        allow_content=words["allow_content"],
        all_peers=words["all_peers"],
        volatile_guard=words["allow_volatile_guard"],
        log=_read_log(words["log"]),
        stop_after=words["stop_after"],
        owner=words.get("owner") or name_operator(),
        origin=socket.gethostname(),
        reason=_read_reason(words["reason"]),
        mistakes=mistakes,
        **given,
    )
    return RequestOptions(request, frozenset(given))


def _read_log(word: str | None) -> str:
    if not word:
        return ""
    try:
        return str(read_option("pfremote_log", word))
    except ValueError as exc:
        raise UsageError(
            f"--log {word} {exc}", hint="Give --log journal, --log file:/var/log/mail.log or --log none."
        ) from exc


def _read_reason(text: str) -> str:
    """Return the reason; it is shown on other people's terminals and kept in the host's record, a line each."""
    if any(category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text):
        raise UsageError(f"--reason holds a control character: {text!r}", hint="Give it on one line, in plain text.")
    return text


def name_operator() -> str:
    """Return the login name, for the lease's owner."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no name in the environment and none for the uid
        return "unknown"
