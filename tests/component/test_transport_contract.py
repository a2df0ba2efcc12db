"""What every connection promises, checked over ssh through Fabric, the system's ssh, and this machine."""

from __future__ import annotations

import random
import re
import threading
import time
from pathlib import Path

import pytest

from pfremote.errors import AnswerTooLong, BecomeFailed, DeadlineExceeded, Unreachable
from pfremote.model.secret import Secret
from pfremote.transport import Connection, FollowUp, Prompt
from pfremote.transport.base import STDERR_LIMIT
from tests.component.conftest import Way

pytestmark = pytest.mark.host


def test_five_megabytes_come_back_byte_for_byte(connection: Connection) -> None:
    payload = random.Random(7).randbytes(5_000_000)  # noqa: S311 - any bytes will do
    payload += b"\x00\xff\xfe\xc3\x28\r\n\x00"
    done = connection.run(["cat"], stdin=payload, timeout=60)
    assert done.exit_status == 0
    assert done.stdout == payload
    assert done.stderr == b""


def test_streams_stay_apart_and_the_status_is_the_commands_own(connection: Connection) -> None:
    done = connection.run(["sh", "-c", "printf out; printf 'err\\0\\377' >&2; exit 7"], timeout=20)
    assert (done.exit_status, done.stdout, done.stderr) == (7, b"out", b"err\0\xff")


def test_large_output_on_both_streams_at_once_does_not_stall(connection: Connection) -> None:
    script = "head -c 3000000 /dev/zero >&2 & head -c 3000000 /dev/zero; wait"
    done = connection.run(["sh", "-c", script], timeout=60)
    assert (len(done.stdout), len(done.stderr)) == (3_000_000, 3_000_000)


@pytest.mark.parametrize("argument", ["a b", "$HOME", "`id`", "'", '"', "*", "x; echo INJECTED", "\n", "", "é\\"])
def test_arguments_arrive_as_they_are(connection: Connection, argument: str) -> None:
    done = connection.run(["printf", "%s", argument], timeout=20)
    assert done.stdout == argument.encode()


def test_no_stdin_is_an_end_of_file_and_not_ours(connection: Connection) -> None:
    assert connection.run(["cat"], timeout=20).stdout == b""


def test_there_is_no_terminal(connection: Connection) -> None:
    assert connection.run(["sh", "-c", "tty; test -t 1 || echo none"], timeout=20).stdout == b"not a tty\nnone\n"


def test_a_command_that_does_not_read_its_stdin_is_no_error(connection: Connection) -> None:
    done = connection.run(["sh", "-c", "exec <&-; echo done; exit 3"], stdin=b"x" * 8_000_000, timeout=20)
    assert (done.exit_status, done.stdout) == (3, b"done\n")


def test_a_missing_command_has_the_shells_status(connection: Connection) -> None:
    assert connection.run(["/no/such/command"], timeout=20).exit_status == 127


def test_a_command_ended_by_a_signal_has_a_negative_status(connection: Connection) -> None:
    assert connection.run(["sh", "-c", "kill -9 $$"], timeout=20).exit_status < 0
    assert connection.run(["true"], timeout=20).exit_status == 0


def test_the_deadline_ends_a_hanging_command(connection: Connection) -> None:
    begun = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"within 1 s"):
        connection.run(["sleep", "30"], timeout=1)
    assert time.monotonic() - begun < 2.0
    assert connection.run(["echo", "alive"], timeout=20).stdout == b"alive\n"


def test_the_deadline_holds_while_the_command_refuses_to_read(connection: Connection) -> None:
    begun = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        connection.run(["sleep", "30"], stdin=b"x" * 20_000_000, timeout=1)
    assert time.monotonic() - begun < 2.0


def test_the_deadline_holds_while_output_keeps_coming(connection: Connection) -> None:
    begun = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        connection.run(["sh", "-c", "while :; do echo tick; sleep 0.05; done"], timeout=1)
    assert time.monotonic() - begun < 2.0


def test_the_deadline_holds_against_output_without_end(connection: Connection) -> None:
    begun = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        connection.run(["sh", "-c", "while :; do echo yes; done"], timeout=1)
    assert time.monotonic() - begun < 2.0


@pytest.mark.parametrize(("stream", "limit"), [("stdout", 1_000_000), ("stderr", STDERR_LIMIT)])
def test_an_answer_without_end_costs_no_more_than_its_limit(connection: Connection, stream: str, limit: int) -> None:
    """Case E1-endless-answer: a host that never stops talking must not fill the operator's memory; the connection
    is still good.
    """
    words = ["sh", "-c", "exec yes" if stream == "stdout" else "exec yes >&2"]
    before = _resident()
    begun = time.monotonic()
    with pytest.raises(AnswerTooLong, match=f"{stream} is longer than the {limit} bytes"):
        connection.run(words, timeout=60, limit=1_000_000)
    assert _resident() - before < limit + 16_000_000
    assert time.monotonic() - begun < 10
    assert connection.run(["true"], timeout=20).exit_status == 0


def test_a_flood_that_is_cut_again_and_again_leaves_the_connection_good(connection: Connection) -> None:
    """Closing a channel while bytes still arrive must not end the others (one in eighty did, over Paramiko)."""
    for _ in range(60):
        with pytest.raises(AnswerTooLong):
            connection.run(["sh", "-c", "exec yes"], timeout=60, limit=200_000)
        assert connection.run(["echo", "alive"], timeout=20).stdout == b"alive\n"


def _resident() -> int:
    """Return the bytes of this process's memory at its highest, since the last call (proc(5), clear_refs 5)."""
    status = Path("/proc/self/status").read_text()
    Path("/proc/self/clear_refs").write_text("5")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]


def test_commands_may_run_at_the_same_time(connection: Connection) -> None:
    results: dict[int, bytes] = {}

    def one(number: int) -> None:
        results[number] = connection.run(["sh", "-c", f"sleep 0.2; echo {number}"], timeout=30).stdout

    threads = [threading.Thread(target=one, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: f"{number}\n".encode() for number in range(5)}


def test_closing_twice_is_harmless(connection: Connection) -> None:
    connection.close()
    connection.close()


@pytest.mark.parametrize("way", ["fabric", "openssh"], indirect=True)
def test_a_dropped_connection_is_unreachable_at_once(way: Way) -> None:
    assert way.server is not None
    opened = way.open()
    threading.Timer(0.8, way.server.drop_connections).start()
    begun = time.monotonic()
    with pytest.raises(Unreachable, match="lost while a command ran"):
        opened.run(["sleep", "30"], timeout=25)
    assert time.monotonic() - begun < 5
    with pytest.raises(Unreachable):
        opened.run(["true"], timeout=5)
    opened.close()


_ASK = """printf 'lecture\\n[ask]' >&2
IFS= read -r answer
[ "$answer" = sesame ] || { printf 'Sorry\\n[ask]' >&2; IFS= read -r answer; exit 1; }
printf '[go]'; cat"""


def test_the_password_is_written_when_asked_and_the_payload_when_ready(connection: Connection) -> None:
    prompt = Prompt(b"[ask]", Secret("sesame"), b"[go]")
    payload = b"sesame?\n\x00\xff" * 100_000
    done = connection.run(["sh", "-c", _ASK], stdin=payload, timeout=30, prompt=prompt)
    assert done.stdout == payload
    assert done.stderr == b"lecture\n"


def test_a_second_prompt_means_a_wrong_password_and_nothing_more_is_sent(connection: Connection) -> None:
    prompt = Prompt(b"[ask]", Secret("swordfish"), b"[go]")
    with pytest.raises(BecomeFailed, match="did not accept the password") as caught:
        connection.run(["sh", "-c", _ASK], stdin=b"payload", timeout=30, prompt=prompt)
    assert "swordfish" not in repr(caught.value) + caught.value.hint


def test_without_a_prompt_the_password_stays_here(connection: Connection, tmp_path: Path) -> None:
    prompt = Prompt(b"[ask]", Secret("sesame"), b"[go]")
    seen = tmp_path / "seen"
    done = connection.run(["sh", "-c", f"printf '[go]'; cat >{seen}"], stdin=b"payload", timeout=30, prompt=prompt)
    assert (done.exit_status, seen.read_bytes()) == (0, b"payload")


def test_a_mark_that_arrives_in_pieces_is_still_seen(connection: Connection) -> None:
    script = "printf '[a' >&2; sleep 0.2; printf 'sk]' >&2; read -r x; "
    script += "printf '[g'; sleep 0.2; printf 'o]tail'; cat"
    prompt = Prompt(b"[ask]", Secret("sesame"), b"[go]")
    done = connection.run(["sh", "-c", script], stdin=b"!", timeout=30, prompt=prompt)
    assert done.stdout == b"tail!"


def _tell_when_ready(stdout: bytes) -> bytes | None:
    return b"more\n" if stdout == b"ready\n" else None


def test_a_command_is_told_more_once_it_has_answered(connection: Connection) -> None:
    assert connection.converses
    done = connection.run(
        ["sh", "-c", 'echo ready; read -r line; echo "told $line"; cat'],
        timeout=20,
        then=FollowUp(_tell_when_ready, 20),
    )
    assert (done.exit_status, done.stdout) == (0, b"ready\ntold more\n")


def test_the_answer_has_a_deadline_of_its_own(connection: Connection) -> None:
    begun = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"within 1 s"):
        connection.run(["sh", "-c", "echo ready; exec sleep 30"], timeout=20, then=FollowUp(_tell_when_ready, 1))
    assert time.monotonic() - begun < 10


def test_a_command_that_ends_before_it_answers_is_no_error(connection: Connection) -> None:
    done = connection.run(["sh", "-c", "echo other; exit 3"], timeout=20, then=FollowUp(_tell_when_ready, 20))
    assert (done.exit_status, done.stdout) == (3, b"other\n")


def test_what_the_answer_raises_ends_the_command(connection: Connection) -> None:
    def refuse(_stdout: bytes) -> bytes | None:
        raise LookupError("not wanted")

    with pytest.raises(LookupError):
        connection.run(["sh", "-c", "echo ready; cat"], timeout=20, then=FollowUp(refuse, 20))
    assert connection.run(["echo", "alive"], timeout=20).stdout == b"alive\n"
