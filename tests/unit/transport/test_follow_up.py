"""What a command is told once it has answered."""

from __future__ import annotations

import pytest

from pfremote.model.secret import Secret
from pfremote.transport import FollowUp, Prompt
from pfremote.transport.exchange import Exchange


def _answer(stdout: bytes) -> bytes | None:
    return b"next\n" if stdout.endswith(b".") else None


def test_stdin_stays_open_until_the_command_was_told() -> None:
    talk = Exchange(b"script", then=FollowUp(_answer, 9.0))
    assert (talk.to_write(), talk.is_complete()) == (b"script", False)
    talk.feed_stdout(b"one")
    assert (talk.to_write(), talk.is_complete(), talk.take_extension()) == (b"", False, 0.0)
    talk.feed_stdout(b" two.")
    assert (talk.take_extension(), talk.take_extension()) == (9.0, 0.0)
    assert (talk.to_write(), talk.is_complete()) == (b"next\n", True)
    talk.feed_stdout(b"three.")
    assert (talk.to_write(), talk.finish(0).stdout) == (b"", b"one two.three.")


def test_what_comes_before_the_command_has_begun_is_no_answer() -> None:
    prompt = Prompt(b"[token]", Secret("s3cret"), b"[ready]")
    talk = Exchange(b"script", prompt, then=FollowUp(_answer, 9.0))
    talk.feed_stdout(b"Welcome.")
    assert talk.to_write() == b""
    talk.feed_stdout(b"[ready]")
    assert talk.to_write() == b"script"
    talk.feed_stdout(b"facts.")
    assert talk.to_write() == b"next\n"


def test_what_the_answer_raises_goes_to_the_caller() -> None:
    def refuse(_stdout: bytes) -> bytes | None:
        raise LookupError("not there")

    with pytest.raises(LookupError):
        Exchange(b"", then=FollowUp(refuse, 1.0)).feed_stdout(b".")
