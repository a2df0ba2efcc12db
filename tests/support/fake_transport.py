"""The way to fake hosts: a transport that reads the command line and stdin as they were sent, and can fail."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from pfremote.agent import load_agent
from pfremote.errors import DeadlineExceeded, Unreachable, UsageError
from pfremote.model.target import Target
from pfremote.transport import Completed, ConnectOptions, FollowUp, Prompt
from pfremote.transport.base import ANSWER_LIMIT
from pfremote.transport.exchange import Exchange
from tests.support.fake_host import FakeHost
from tests.support.fake_time import FakeTime

#: Every time, however often it is tried.
ALWAYS = 1_000_000

#: The words that the agent takes (docs/agent-protocol.md, "Verbs"); every other one is refused there.
_WORDS = (
    "lease seconds peer level smtpd_tls smtp_tls lmtp_tls owner from reason stop_after max_log min_free log drain guard "
    "volatile allow_content all_peers check why position instance lines"
)
KEYS = frozenset(_WORDS.split())


@dataclass
class Fault:
    """What goes wrong with ``verb`` (``connect`` for the way there, ``*`` for all), so many ``times``.

    ``lost``: the connection breaks before the verb took effect. ``unheard``: after it. ``belated``: it breaks at once,
    and the verb takes effect ``seconds`` later. ``cut``: half of the reply comes. ``mute``: the agent is killed.
    ``noise``: a login script talks. ``stranger``: it is about another lease. ``slow``: the answer takes ``seconds``. ``stuck``: that long, and no deadline helps.
    ``refused`` and ``failed``: with ``text``. Of ``connect``: ``unready``, the ssh program of this machine is not up to it. Of ``arm``: ``arming``, it breaks and the host is at it for ``seconds``
    more; ``aborted``, it breaks and the agent dies, which the host's own sweep undoes.
    """

    verb: str
    kind: str
    times: int = ALWAYS
    seconds: float = 0.0
    text: str = "trouble something is in the way"


@dataclass
class FakeNet:
    """A :class:`pfremote.transport.Transport` to fake hosts by name."""

    time: FakeTime
    hosts: dict[str, FakeHost] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    unplugged: set[str] = field(default_factory=set)
    #: Each verb that reached a host, in order.
    asked: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, *faults: Fault) -> FakeHost:
        """Add a host, and what goes wrong on the way to it."""
        self.hosts[name] = FakeHost(name, self.time)
        self.faults[name] = list(faults)
        return self.hosts[name]

    def __call__(self, target: Target, _options: ConnectOptions) -> FakeConnection:
        """Open a connection; see :class:`pfremote.transport.Transport`."""
        fault = self.take(target.name, "connect")
        if fault and fault.kind == "unready":
            raise UsageError(f"ssh -G {target.name} did not end within 15 s")
        if target.name in self.unplugged or target.name not in self.hosts or fault:
            raise Unreachable(f"cannot connect to {target.host}: connection refused")
        return FakeConnection(self, self.hosts[target.name])

    def take(self, name: str, verb: str) -> Fault | None:
        """Return the fault that strikes now, if any."""
        for fault in self.faults[name]:
            strikes = fault.verb in (verb, "*" if verb != "connect" else verb)
            if strikes and fault.times > 0:
                fault.times -= 1
                return fault
        return None


class FakeConnection:
    """An open :class:`pfremote.transport.Connection` to a fake host."""

    converses = True

    def __init__(self, net: FakeNet, host: FakeHost) -> None:
        self._net = net
        self._host = host
        self.closed = False

    def close(self) -> None:
        """Note it."""
        self.closed = True

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float,
        prompt: Prompt | None = None,
        limit: int = ANSWER_LIMIT,
        then: FollowUp | None = None,
    ) -> Completed:
        """Run the agent on the host; see :class:`pfremote.transport.Connection`."""
        assert not self.closed, "a closed connection was used"
        talk = Exchange(stdin, prompt, limit, then)
        if not self._let_in(talk, prompt):
            return Completed(1, b"", b"sudo: a password is required\n")
        verb, arguments = read_command(argv, talk.to_write())
        assert (verb == "visit") == (then is not None)
        status, data = self._serve("probe" if verb == "visit" else verb, arguments, timeout)
        talk.feed_stdout(data)
        if words := talk.to_write().decode().splitlines():
            assert words.pop() == "", "the second request has no end"
            status, data = self._serve(words[0], read_arguments(words[1:]), talk.take_extension())
            talk.feed_stdout(data)
        return talk.finish(status)

    def _let_in(self, talk: Exchange, prompt: Prompt | None) -> bool:
        """Be sudo: ask for the password where this host wants one."""
        wanted = self._net.passwords.get(self._host.name)
        if prompt is None:
            return wanted is None
        if wanted is not None:
            talk.feed_stderr(prompt.token)
            if talk.to_write() != f"{wanted}\n".encode():
                talk.feed_stderr(prompt.token)  # raises: it came twice
        talk.feed_stdout(prompt.ready)
        return True

    def _serve(self, verb: str, arguments: dict[str, list[str]], timeout: float) -> tuple[int, bytes]:
        net, host = self._net, self._host
        fault = net.take(host.name, verb)
        kind = fault.kind if fault else ""
        if host.name in net.unplugged or kind in ("lost", "belated"):
            if fault and kind == "belated":
                self._do_later(verb, arguments, fault.seconds)
            raise Unreachable("the connection to the host broke")
        net.asked.append((host.name, verb))
        if fault and kind in ("refused", "failed"):
            return {"refused": 3, "failed": 4}[kind], f"pfremote=1\n{kind}={fault.text}\nend={kind}\n".encode()
        status, data = host.answer(verb, arguments)
        self._trouble_arm(kind, arguments, fault.seconds if fault else 0.0)
        late = fault.seconds if fault and kind in ("slow", "stuck") else 0.0
        self._spend(host.takes + late, float("inf") if kind == "stuck" else timeout)
        if kind in ("unheard", "arming", "aborted") or host.name in net.unplugged:
            raise Unreachable("the connection to the host broke")
        spoilt = {
            "cut": (0, data[: len(data) // 2]),
            "mute": (137, b""),
            "noise": (0, b"Last login: today\n"),
            "stranger": (status, re.sub(rb"(?m)^lease=\w+$", b"lease=ffffffffffff", data)),
        }
        return spoilt.get(kind, (status, data))

    def _trouble_arm(self, kind: str, arguments: dict[str, list[str]], seconds: float) -> None:
        if kind == "arming":
            self._host.leases[arguments["lease"][0]].armed_at = self._net.time.monotonic() + seconds
        if kind == "aborted":
            self._host.end(self._host.leases[arguments["lease"][0]], "arm-failed")

    def _do_later(self, verb: str, arguments: dict[str, list[str]], seconds: float) -> None:
        moment = self._net.time.monotonic() + seconds
        self._net.time.at(moment, partial(self._host.answer, verb, arguments))

    def _spend(self, seconds: float, timeout: float) -> None:
        if seconds:
            self._net.time.sleep(min(seconds, timeout))
        if seconds > timeout:
            raise DeadlineExceeded(f"the host did not finish within {timeout:g} s")


def read_command(argv: Sequence[str], stdin: bytes) -> tuple[str, dict[str, list[str]]]:
    """Return the verb and the arguments of a command line, which must be one that a host would take for the agent."""
    words = list(argv)
    if "-s" in words:
        assert stdin == load_agent(), "what was sent to the shell is not the agent"
        words = words[words.index("-s") + 2 :]
    else:
        assert not stdin, "an installed agent reads nothing"
        words = words[words.index("/usr/local/sbin/pfremote-agent") + 1 :]
    return words[0], read_arguments(words[1:])


def read_arguments(words: Sequence[str]) -> dict[str, list[str]]:
    """Return the values of each ``key=value``."""
    arguments: dict[str, list[str]] = {}
    for word in words:
        key, equals, value = word.partition("=")
        assert equals and key in KEYS, f"the agent would refuse {word!r}"
        arguments.setdefault(key, []).append(value)
    return arguments
