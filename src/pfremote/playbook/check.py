"""What can be seen to be wrong with a play before any host is contacted. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from pfremote.errors import ConfigError, Reason, UsageError
from pfremote.model.request import DebugRequest
from pfremote.model.target import Target
from pfremote.playbook.condition import FACTS, find_names
from pfremote.playbook.schema import Play
from pfremote.playbook.source import PlaySource
from pfremote.playbook.templates import Values
from pfremote.postfix.peers import parse_peers
from pfremote.postfix.plan import refuse_request
from pfremote.text.quantities import render_duration

#: Options of the command line -> the same in a playbook, in the order in which they are looked for.
_SPEECH = (
    (r"--(smtpd|smtp|lmtp)-tls (?=[0-9])", r"tls.\1: "),
    (r"--(smtpd|smtp|lmtp)-tls\b", r"tls.\1"),
    (r"--(level|minutes) (?=[0-9])", r"\1: "),
    ("--allow-content", "allow_content: true"),
    ("--all-peers", "all_peers: true"),
    ("--allow-volatile-guard", "allow_volatile_guard: true"),
    ("its own --peer", "a line of its own below peers"),
    ("--max-log", "max_log"),
    ("--min-free", "min_free"),
    ("--stop-after", "stop_after"),
    (r"--(peer|guard|drain|level|minutes)\b", r"\1"),
    (r"\bType (?=tls|level|minutes)", "Write "),
)


def speak_playbook(text: str) -> str:
    """Return a sentence about options as one about a playbook's keys.

    >>> speak_playbook("Type --level 2, or add --allow-content if you may read them.")
    'Write level: 2, or add allow_content: true if you may read them.'
    """
    for pattern, words in _SPEECH:
        text = re.sub(pattern, words, text)
    return text


def check_request(source: PlaySource, own: Play, request: DebugRequest, reason_from: str = "") -> Iterator[ConfigError]:
    """Yield what no host could take: peers, levels; and a missing reason, where a setting wants one."""
    for number, text in enumerate(own.debug.peers):
        yield from (_fail(source, reason, "debug", "peers", number) for reason in _judge_peer(text, request.all_peers))
    for reason in (found for found in refuse_request(request) if found.code.startswith(("level", "tls"))):
        tls = re.search(r"--(smtpd|smtp|lmtp)-tls", reason.message)
        yield _fail(source, reason, "debug", *(("tls", tls[1]) if tls else ("level",)))
    if reason_from and not request.reason:
        missing = UsageError(f"a reason is wanted here ({reason_from})", hint="Add reason: WHY, or name: WHAT FOR.")
        yield source.error(missing)


def _judge_peer(text: str, all_peers: bool) -> tuple[Reason, ...]:
    peers, reasons = parse_peers([text])
    broad = [peer.broad for peer in peers if peer.broad and not all_peers]
    return (*reasons, *(Reason("peer-broad", why, "Write all_peers: true if that is what you want.") for why in broad))


def _fail(source: PlaySource, reason: Reason, *keys: str | int) -> ConfigError:
    return source.error(UsageError(speak_playbook(reason.message), hint=speak_playbook(reason.hint)), *keys)


def check_limit(source: PlaySource, target: Target, seconds: int, longest: int) -> Iterator[ConfigError]:
    """Yield the error of a window that is longer than ``longest`` minutes."""
    if seconds > longest * 60:
        message = (
            f"{target.name} is debugged for {render_duration(longest * 60)} at most, "
            f"and {render_duration(seconds)} is asked for"
        )
        hint = f"Write minutes: {longest}, or raise pfremote_max_minutes in the inventory."
        yield source.error(UsageError(message, hint=hint), "debug", "minutes")


def check_conditions(source: PlaySource, play: Play, values: Values, host: str) -> Iterator[ConfigError]:
    """Yield an error for each name in ``when`` that is neither a fact nor a variable of the host."""
    for number, text in enumerate(play.when):
        for name in sorted(find_names(text) - FACTS.keys()):
            if not values.has(name):
                close = get_close_matches(name, [*FACTS, *values.names()], n=1)
                hint = f"Did you mean {close[0]}? " if close else f"Facts are: {', '.join(FACTS)}. "
                hint += f"A variable is set with -e {name}=VALUE, below vars, or in the inventory of {host}."
                yield source.error(UsageError(f"{name} is no fact and no variable", hint=hint), "when", number)
            elif (error := values.find_fault(name)) is not None:
                yield error
