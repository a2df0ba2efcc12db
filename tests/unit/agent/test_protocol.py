"""The decoder believes a reply only as a whole, and the encoder sends one line a word."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfremote.agent.protocol import ProtocolError, ReplyCutError, decode_reply, encode_request
from pfremote.errors import Reason, UsageError

GOOD = b"pfremote=1\nhost=mx1\npeer=a\npeer=b\npayload=main.cf.before 4 raw\na\nb\n\nclean=yes\nend=ok\n"


def test_a_whole_reply_gives_pairs_and_payloads() -> None:
    reply = decode_reply(GOOD)
    assert (reply.outcome, reply.one("host"), reply.every("peer")) == ("ok", "mx1", ("a", "b"))
    assert reply.payloads == {"main.cf.before": b"a\nb\n"}


def test_a_reply_cut_anywhere_is_never_taken_for_whole() -> None:
    for length in range(len(GOOD)):
        with pytest.raises(ReplyCutError):
            decode_reply(GOOD[:length])


@given(st.binary(max_size=200))
def test_noise_is_an_error_of_ours_and_nothing_else(noise: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_reply(noise)


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_changed_byte_is_decoded_or_refused_but_never_crashes(at: int, byte: int) -> None:
    changed = bytearray(GOOD)
    changed[at] = byte
    try:
        decode_reply(bytes(changed))
    except ProtocolError as exc:
        assert exc.code in ("protocol", "cut-off")  # noqa: PT017  both outcomes are fine, a third is not


@pytest.mark.parametrize(
    "reply",
    [
        b"pfremote=2\nend=ok\n",
        b"Last login: today\npfremote=1\nend=ok\n",
        b"pfremote=1\r\nend=ok\r\n",
        b"pfremote=1\nend=ok\nhost=mx1\n",
        b"pfremote=1\nend=maybe\n",
        b"pfremote=1\nend=refused\n",
        b"pfremote=1\nclean=yes\nclean=no\nend=ok\n",
        b"pfremote=1\nno equals sign\nend=ok\n",
        b"pfremote=1\nKey=x\nend=ok\n",
        b"pfremote=1\nhint=of nothing\nend=ok\n",
        b"pfremote=1\npayload=a 3 raw\nabcd\nend=ok\n",
        b"pfremote=1\npayload=a -1 raw\n\nend=ok\n",
        b"pfremote=1\npayload=a 1 zip\nx\nend=ok\n",
        b"pfremote=1\npayload=a 1 raw\nx\npayload=a 1 raw\nx\nend=ok\n",
        b"pfremote=1\npayload=a 4 gzip\nxxxx\nend=ok\n",
    ],
)
def test_what_the_protocol_does_not_allow_is_refused(reply: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_reply(reply)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"a\x1b[2Jb", r"a\x1b[2Jb"),
        (b"a\xc2\x9b2Jb", r"a\x9b2Jb"),
        (b"a\xc2\x85b\x7f\x00", r"a\x85b\x7f\x00"),
        (b"caf\xe9", r"caf\xe9"),
        (b"\xed\xa0\x80", r"\xed\xa0\x80"),
    ],
)
@pytest.mark.parametrize("key", ["host", "lease.owner", "history", "warning", "missing", "refused", "hint"])
def test_a_value_that_is_no_text_costs_itself_and_not_the_reply(key: str, value: bytes, shown: str) -> None:
    """Case C3: a stranger's mail, or another account's reason, must not make a host's answers undecodable."""
    reply = decode_reply(b"pfremote=1\nwarning=first is fine\n%s=x %s\nclean=yes\nend=ok\n" % (key.encode(), value))
    said = [reason.code for reason in reply.warnings]
    assert reply.one("clean") == "yes" and "bad-value" in said
    texts = [value for _, value in reply.pairs]
    texts += [text for reason in (*reply.warnings, *reply.refusals) for text in (reason.message, reason.hint)]
    assert any(shown in text for text in texts)
    assert all(text.isprintable() for text in texts)


def test_reasons_carry_their_hints() -> None:
    reply = decode_reply(
        b"pfremote=1\nwarning=tls-global global to all\nhint=mind it\nrefused=no-log nowhere to look\n"
        b"hint=first\nhint=second\nrefused=volatile-guard only a process\nend=refused\n"
    )
    assert reply.warnings == (Reason("tls-global", "global to all", "mind it"),)
    assert reply.refusals == (
        Reason("no-log", "nowhere to look", "first\nsecond"),
        Reason("volatile-guard", "only a process"),
    )


def _with_payload(data: bytes, encoding: str = "gzip") -> bytes:
    return b"pfremote=1\npayload=evidence %d %s\n%s\nend=ok\n" % (len(data), encoding.encode(), data)


@given(st.lists(st.binary(max_size=500), max_size=4))
def test_gzip_members_one_after_the_other_are_one_payload(parts: list[bytes]) -> None:
    packed = b"".join(gzip.compress(part) for part in parts)
    assert decode_reply(_with_payload(packed)).payloads["evidence"] == b"".join(parts)


def test_a_gzip_bomb_is_not_unpacked() -> None:
    with pytest.raises(ProtocolError, match="unpacks to more"):
        decode_reply(_with_payload(gzip.compress(bytes(100_000))), limit=10_000)


def test_a_payload_above_the_limit_is_not_read() -> None:
    with pytest.raises(ProtocolError, match="more than"):
        decode_reply(_with_payload(b"x" * 11, "raw"), limit=10)


def test_half_a_gzip_stream_is_damage() -> None:
    with pytest.raises(ProtocolError, match="damaged"):
        decode_reply(_with_payload(gzip.compress(b"x" * 1000)[:-9]))


def test_bytes_that_are_not_utf_8_survive() -> None:
    value = decode_reply(b"pfremote=1\nparam=x present caf\xe9\nend=ok\n").one("param")
    assert value.encode("utf-8", "surrogateescape") == b"x present caf\xe9"


def test_a_request_says_what_is_meant() -> None:
    words = encode_request(
        "arm", peer=["a", "b"], seconds=60, check=True, volatile=False, reason=None, **{"from": "laptop"}
    )
    assert words == ["arm", "peer=a", "peer=b", "seconds=60", "check=yes", "from=laptop"]


@pytest.mark.parametrize("value", ["a\nb", "a\x00", "\x1b[0m", "a\x85b", "\udcff"])
def test_a_value_that_is_not_one_line_of_text_is_never_sent(value: str) -> None:
    with pytest.raises(UsageError):
        encode_request("arm", reason=value)


def test_a_large_packed_payload_is_never_held_unpacked() -> None:
    size = 60_000_000
    reply = _with_payload(gzip.compress(bytes(size), 1))
    tracemalloc.start()
    payloads = decode_reply(reply).payloads
    assert sum(map(len, payloads.blocks("evidence"))) == payloads.size("evidence") == size
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < size / 8
