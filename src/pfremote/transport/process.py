"""Move bytes to and from a local program: exact, both streams apart, never longer than the deadline."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

from pfremote.transport.base import Completed
from pfremote.transport.exchange import Exchange

_CHUNK = 256 * 1024


class _Pipes:
    """The three pipes of a child, none of which ever blocks us."""

    def __init__(self, child: subprocess.Popen[bytes], talk: Exchange) -> None:
        assert child.stdin  # noqa: S101 - Popen made all three, see run_program
        assert child.stdout  # noqa: S101
        assert child.stderr  # noqa: S101
        self._stdin: IO[bytes] = child.stdin
        self._talk = talk
        self._pending = b""
        self._selector = selectors.DefaultSelector()
        self._readers = {child.stdout: talk.feed_stdout, child.stderr: talk.feed_stderr}
        for reader in self._readers:
            self._selector.register(reader, selectors.EVENT_READ)
        os.set_blocking(child.stdin.fileno(), False)
        self._refill()

    def is_open(self) -> bool:
        """Tell whether the child may still send something."""
        return any(reader in self._selector.get_map() for reader in self._readers)

    def exchange(self, patience: float) -> None:
        """Read and write what is possible, waiting up to ``patience`` seconds for the first chance."""
        for key, _ in self._selector.select(patience):
            if key.fileobj is self._stdin:
                self._write()
                continue
            data = os.read(key.fd, _CHUNK)
            if data:
                self._readers[key.fileobj](data)  # type: ignore[index]
            else:
                self._selector.unregister(key.fileobj)
        self._refill()

    def _refill(self) -> None:
        if self._stdin.closed:
            return
        self._pending += self._talk.to_write()
        watched = self._stdin in self._selector.get_map()
        if self._pending and not watched:
            self._selector.register(self._stdin, selectors.EVENT_WRITE)
        elif not self._pending and watched:
            self._selector.unregister(self._stdin)
        if not self._pending and self._talk.is_complete():
            self._close_stdin()

    def _write(self) -> None:
        try:
            self._pending = self._pending[os.write(self._stdin.fileno(), self._pending[:_CHUNK]) :]
        except BrokenPipeError:
            self._close_stdin()  # the command ended, or does not read: no error of ours

    def _close_stdin(self) -> None:
        if self._stdin.closed:
            return
        if self._stdin in self._selector.get_map():
            self._selector.unregister(self._stdin)
        with suppress(BrokenPipeError):
            self._stdin.close()
        self._pending = b""

    def close(self) -> None:
        """Close all three pipes."""
        self._close_stdin()
        for reader in self._readers:
            reader.close()
        self._selector.close()


def run_program(argv: Sequence[str], talk: Exchange, timeout: float, place: str) -> Completed:
    """Run a program without a terminal and return what it left; its status is negative after a signal.

    A program that is not there or may not run gives status 127 or 126, as from the shell behind ssh.

    Raises:
        BecomeFailed: the password prompt came twice.
        DeadlineExceeded: ``timeout`` seconds are over; the program's whole session got SIGKILL.
    """
    deadline = time.monotonic() + timeout
    try:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,  # no terminal for sudo or ssh to ask on, and Ctrl-C is ours alone
        )
    except OSError as exc:
        status = 127 if isinstance(exc, FileNotFoundError) else 126
        return Completed(status, b"", f"{argv[0]}: {exc.strerror}\n".encode())
    pipes = _Pipes(child, talk)
    try:
        while pipes.is_open():
            left = deadline - time.monotonic()
            if left <= 0:
                raise talk.too_late(timeout, place)
            pipes.exchange(left)
            if more := talk.take_extension():
                timeout, deadline = more, time.monotonic() + more
        return talk.finish(child.wait(max(0.0, deadline - time.monotonic())))
    except subprocess.TimeoutExpired as exc:
        raise talk.too_late(timeout, place) from exc
    finally:
        pipes.close()
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        # A root process that sudo started is not ours to kill; closing its pipes is all we can do then.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            child.wait(1.0)
