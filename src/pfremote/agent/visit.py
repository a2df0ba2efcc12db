"""Ask one host for its facts and arm it in one visit: the agent is sent once, and waits for the second request."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from pfremote.agent import load_agent
from pfremote.agent.client import OTHER_BYTES, VERB_SECONDS, CallLog, OpenHost, ask_agent, encode_call, read_reply
from pfremote.agent.protocol import Argument, Reply
from pfremote.transport import Completed, FollowUp, run_as_root

#: What is to be done on a host whose facts are known: the arguments of ``arm``, or None for nothing.
Decide = Callable[[Reply], Mapping[str, Argument] | None]


def probe_then_arm(host: OpenHost, arguments: Mapping[str, Argument], decide: Decide) -> Reply | None:
    """Ask a host for its facts, and then arm it with what ``decide`` makes of them; return the reply to that.

    An installed agent is asked twice, and so is any host where the connection cannot hold a conversation.

    Raises:
        What :func:`ask_agent` raises, for either request, and what ``decide`` raises.
    """
    if host.agent or not getattr(host.connection, "converses", False):  # an engine's connection does not say
        wanted = decide(ask_agent(host, "probe", arguments))
        return None if wanted is None else ask_agent(host, "arm", wanted)
    return _Visit(host, decide).make(encode_call(host, "probe", arguments))


_WHOLE = re.compile(rb"(?:\A|\n)end=[a-z]+\n\Z")


class _Visit:
    """Two requests to one process of the agent (docs/agent-protocol.md, "Two requests in one visit")."""

    def __init__(self, host: OpenHost, decide: Decide) -> None:
        self._host = host
        self._decide = decide
        self._call = CallLog(host.name)
        self._first = 0
        self._wanted = False

    def make(self, words: list[str]) -> Reply | None:
        with self._call:
            self._call.begin(words)
            completed = run_as_root(
                self._host.connection,
                ["/bin/sh", "-s", "--", "visit", *words[1:]],
                stdin=load_agent(),
                timeout=VERB_SECONDS["probe"],
                become=self._host.become,
                limit=OTHER_BYTES,
                then=FollowUp(self._answer, VERB_SECONDS["arm"]),
            )
            if self._first and not self._wanted:
                return None
            return read_reply(replace(completed, stdout=completed.stdout[self._first :]), self._host.name)

    def _answer(self, stdout: bytes) -> bytes | None:
        """Return the second request as the agent reads it: a word a line, and an empty line."""
        if not _WHOLE.search(stdout):
            return None
        self._first = len(stdout)
        reply = read_reply(Completed(0, stdout, b""), self._host.name)
        self._call.end()
        arguments = self._decide(reply)
        if arguments is None:
            return b""
        self._wanted = True
        words = encode_call(self._host, "arm", arguments)
        self._call.begin(words)
        return "".join(f"{word}\n" for word in (*words, "")).encode()
