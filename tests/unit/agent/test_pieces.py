"""Evidence in pieces: put together as it was, begun anew where it changed, and never believed where it is short."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from pfremote.agent.client import OpenHost
from pfremote.agent.pieces import collect_in_pieces
from pfremote.agent.protocol import ProtocolError
from pfremote.errors import AgentFailed
from pfremote.transport import Become
from pfremote.transport.base import Completed, FollowUp, Prompt

LEASE = "0123456789ab"
LINES = b"".join(b"line %d of the log\n" % number for number in range(2000))


@dataclass
class Host:
    """A host that has the evidence, and speaks the protocol."""

    packed: bytes = gzip.compress(LINES, mtime=0)
    encoding: str = "gzip"
    asked: list[tuple[int, int]] = field(default_factory=list)
    change: Callable[[Host], None] = lambda _host: None
    converses: bool = False

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float,
        prompt: Prompt | None = None,
        limit: int = 0,
        then: FollowUp | None = None,
    ) -> Completed:
        """Answer ``collect``; nothing else of a connection matters here."""
        del stdin, timeout, prompt, limit, then
        words = dict(word.split("=", 1) for word in argv if "=" in word)
        begin, most = int(words["begin"]), int(words["most"])
        self.asked.append((begin, most))
        self.change(self)
        piece = self.packed[begin : begin + most]
        head = f"pfremote=1\nlease={LEASE}\nlease.state=reverted\ncomplete=yes\n"
        head += f"evidence_sum={zlib.crc32(self.packed)} {len(self.packed)}\nevidence_encoding={self.encoding}\n"
        body = b"payload=evidence.piece %d raw\n%s\n" % (len(piece), piece)
        more = b"payload=main.cf.before 2 raw\na\n\n" if begin == 0 else b""
        return Completed(0, head.encode() + body + more + b"end=ok\n", b"")

    def close(self) -> None:
        """Nothing is open."""


def collect(host: Host, most: int) -> bytes:
    reply = collect_in_pieces(OpenHost(host, Become(False)), LEASE, most=most)
    assert list(reply.payloads) == ["main.cf.before", "evidence"]
    return reply.payloads["evidence"]


@pytest.mark.parametrize("most", [1000, 10**6])
@pytest.mark.parametrize("encoding", ["gzip", "raw"])
def test_the_pieces_are_the_evidence(most: int, encoding: str) -> None:
    host = Host() if encoding == "gzip" else Host(LINES, "raw")
    assert collect(host, most) == LINES
    assert len(host.asked) == -(-len(host.packed) // most)
    assert all(asked == most for _, asked in host.asked)


def test_evidence_that_becomes_another_is_begun_anew() -> None:
    more = gzip.compress(LINES + b"one more\n", mtime=0)

    def change(host: Host) -> None:
        if len(host.asked) == 2:
            host.packed = more

    host = Host(change=change)
    assert collect(host, 2000) == LINES + b"one more\n"
    assert [begin for begin, _ in host.asked].count(0) == 2


def test_evidence_that_never_rests_is_an_error() -> None:
    def change(host: Host) -> None:
        host.packed += b"x"

    with pytest.raises(AgentFailed, match="became another"):
        collect(Host(change=change), 2000)


def test_a_host_that_sends_less_than_it_says_is_not_asked_for_ever() -> None:
    host = Host()
    whole = host.packed

    def change(host: Host) -> None:
        host.packed = whole

    class Short(Host):
        def run(self, argv: Sequence[str], **options: object) -> Completed:
            done = super().run(argv, **options)  # type: ignore[arg-type]
            if "begin=0" in argv:
                return done
            head, _, _ = done.stdout.partition(b"payload=")
            return Completed(0, head + b"payload=evidence.piece 0 raw\n\nend=ok\n", b"")

    with pytest.raises(ProtocolError, match="ends at 1000 of"):
        collect(Short(change=change), 1000)


def test_a_size_that_is_none_is_refused() -> None:
    class Odd(Host):
        def run(self, argv: Sequence[str], **options: object) -> Completed:
            done = super().run(argv, **options)  # type: ignore[arg-type]
            return Completed(0, done.stdout.replace(b"evidence_sum=", b"evidence_sum=1 99999999999999 "), b"")

    with pytest.raises(ProtocolError, match="evidence_sum"):
        collect(Odd(), 1000)
