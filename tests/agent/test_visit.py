"""Two requests in one visit (docs/agent-protocol.md): the second is read when the first was answered."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO
from urllib.parse import unquote

from pfremote.agent import load_agent
from pfremote.agent.install import make_helper
from pfremote.agent.protocol import Reply, decode_reply
from tests.support.agent import LEASE, HostAgent, Snapshot

_ARM = (f"lease={LEASE}", "seconds=60", "guard=process", "volatile=yes", "peer=127.0.0.1", "reason=two words, 'quoted'")


class Visit:
    """One process of the agent that has answered the first request."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self._stdin: IO[bytes] = process.stdin
        self._stdout: IO[bytes] = process.stdout

    def read_first(self) -> Reply:
        """Return the first reply, to its last line and no further: there may be no more to come."""
        data = b""
        while not data.startswith(b"end=") and b"\nend=" not in data:
            data += self._stdout.readline() or b"end=nothing\n"
        return decode_reply(data)

    def say(self, *words: str, end: bool = True) -> tuple[int, bytes]:
        """Send the second request; return the exit status and what came for it."""
        self._stdin.write("".join(f"{word}\n" for word in (*words, *([""] if end else []))).encode())
        self._stdin.close()
        said = self._stdout.read()
        return self.process.wait(60), said


@contextmanager
def visit(agent: HostAgent, *words: str, script: bytes = b"") -> Iterator[Visit]:
    argv = [*shlex.split(agent.shell), "-s", "--", "visit", f"instance={agent.host.config_directory}", *words]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdin is not None
        os.set_blocking(process.stdin.fileno(), True)
        data = memoryview(script or load_agent())
        while data:
            data = data[process.stdin.write(data) :]
        yield Visit(process)
        process.kill()


def test_probe_and_then_arm(agent: HostAgent) -> None:
    before = Snapshot.of(agent.host.main_cf)
    with visit(agent, "peer=127.0.0.1") as visited:
        facts = visited.read_first()
        assert (facts.outcome, facts.one("running")) == ("ok", "yes")
        assert Snapshot.of(agent.host.main_cf) == before
        status, said = visited.say("arm", f"instance={agent.host.config_directory}", *_ARM)
    armed = decode_reply(said)
    assert (status, armed.outcome, armed.one("lease.state")) == (0, "ok", "armed")
    assert unquote(armed.one("lease.reason")) == "two words, 'quoted'"
    assert agent.ask("status").one("lease.guard_alive") == "yes"
    assert agent.ask("revert", "lease=all", "drain=0").one("clean") == "yes"


def test_nothing_more_is_wanted_or_half_a_request_came(agent: HostAgent) -> None:
    before = Snapshot.of(agent.host.main_cf)
    for words in ((), ("arm", f"instance={agent.host.config_directory}", *_ARM)):
        with visit(agent) as visited:
            visited.read_first()
            assert visited.say(*words, end=False) == (0, b"")
    assert Snapshot.of(agent.host.main_cf) == before
    assert not agent.state.exists()


def test_only_arm_may_follow(agent: HostAgent) -> None:
    for words in (("revert", "lease=all"), ("visit",), ("watch",), ()):
        with visit(agent) as visited:
            visited.read_first()
            status, said = visited.say(*words)
        assert (status, [reason.code for reason in decode_reply(said).refusals]) == (3, ["bad-verb"]), words


def test_a_refused_first_request_is_all(agent: HostAgent) -> None:
    with visit(agent, "nonsense=1") as visited:
        assert visited.read_first().outcome == "refused"
        assert visited.process.wait(20) == 3


def test_the_second_request_is_checked_like_any_other(agent: HostAgent) -> None:
    with visit(agent) as visited:
        visited.read_first()
        status, said = visited.say("arm", f"instance={agent.host.config_directory}", "lease=short", "seconds=60")
    assert (status, decode_reply(said).outcome) == (3, "refused")
    assert not agent.state.exists()


def test_a_killed_visit_leaves_nothing(agent: HostAgent) -> None:
    before = Snapshot.of(agent.host.main_cf)
    with visit(agent) as visited:
        visited.read_first()
        visited.process.kill()
        assert visited.process.wait(20) == -9
    assert Snapshot.of(agent.host.main_cf) == before
    assert agent.leftovers() == []


def test_an_installed_agent_answers_one_request(agent: HostAgent) -> None:
    with visit(agent, script=make_helper()) as visited:
        first = visited.read_first()
    assert [reason.code for reason in first.refusals] == ["bad-verb"]
