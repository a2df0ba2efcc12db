"""Move bytes over one SSH session channel: exact, both streams apart, never longer than the deadline.

Fabric's own ``run`` decodes per block, waits 10 ms per character of stdin and has no deadline; Paramiko's
``recv_exit_status`` and ``exec_command`` wait for ever. So everything that may block on a dead network
happens in a thread of its own, and this side only ever waits for an event with a limit.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from queue import SimpleQueue

import paramiko

from pfremote.errors import Unreachable
from pfremote.transport.base import Completed
from pfremote.transport.exceptions import FOREIGN
from pfremote.transport.exchange import Exchange

_CHUNK = 256 * 1024
_SETTLE = 0.5
_LOOK_HINT = "The host ends its leases by itself; see what is left with: pfremote status HOST"


class _Arrival(threading.Event):
    """Wakes the reading side when there are bytes or the stream has ended (``BufferedPipe.set_event``).

    Paramiko's own wake-up, ``Channel.fileno()``, is a pipe that ``close()`` takes away while the transport's thread
    may still write to it: the write fails and ends the whole connection, or it goes to another file of that number.
    """

    def __init__(self, channel: paramiko.Channel) -> None:
        super().__init__()
        channel.in_buffer.set_event(self)
        channel.in_stderr_buffer.set_event(self)

    def clear(self) -> None:
        """Do nothing: Paramiko clears when one stream is empty, and the other one may have got its first byte."""

    def rest(self, seconds: float) -> None:
        """Return when something has come since the last call, or after ``seconds``."""
        self.wait(seconds)
        super().clear()


class _Sender(threading.Thread):
    """Starts the command, then writes to its stdin what comes out of a queue; ``None`` ends stdin."""

    def __init__(self, channel: paramiko.Channel, command: str) -> None:
        super().__init__(name="pfremote-stdin", daemon=True)
        self._channel = channel
        self._command = command
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self.put = self._queue.put

    def run(self) -> None:
        # As ssh(1) does, stdin follows the request at once: waiting for the server's yes would be a round trip. A no
        # closes the channel, see _finish.
        self._channel._wait_for_event = lambda: None  # type: ignore[attr-defined]
        # A command that ended without reading closes its channel, which is no error.
        with suppress(*FOREIGN):
            self._channel.exec_command(self._command)
            while (data := self._queue.get()) is not None:
                self._channel.sendall(data)
            self._channel.shutdown_write()


class _Stdin:
    """Hands the exchange's bytes to the sender, and the end of stdin once after them."""

    def __init__(self, sender: _Sender, talk: Exchange) -> None:
        self._sender = sender
        self._talk = talk
        self._ended = False

    def flush(self) -> None:
        data = self._talk.to_write()
        if data:
            self._sender.put(data)
        if self._talk.is_complete():
            self.end()

    def end(self) -> None:
        if not self._ended:
            self._ended = True
            self._sender.put(None)


def pump_channel(
    channel: paramiko.Channel, command: str, talk: Exchange, timeout: float, begun: float, place: str
) -> Completed:
    """Run ``command`` on an open session channel and return what it left.

    ``timeout`` counts from ``begun`` (by ``time.monotonic()``), so that opening the channel is part of it.

    Raises:
        BecomeFailed: the password prompt came twice.
        DeadlineExceeded: ``timeout`` seconds are over; the channel is closed.
        Unreachable: the connection broke before the exit status came.
    """
    deadline = begun + timeout
    sender = _Sender(channel, command)
    stdin = _Stdin(sender, talk)
    arrival = _Arrival(channel)
    sender.start()
    try:
        stdin.flush()
        while not (channel.closed or (channel.eof_received and channel.exit_status_ready())):
            left = deadline - time.monotonic()
            if left <= 0:
                raise talk.too_late(timeout, place)
            if channel.eof_received and not _has_output(channel):
                channel.status_event.wait(left)  # nothing arrives any more
            elif not _has_output(channel):
                arrival.rest(left)
            _read_once(channel, talk)
            stdin.flush()
            if more := talk.take_extension():
                timeout, deadline = more, time.monotonic() + more
        while _has_output(channel):
            _read_once(channel, talk)
        return _finish(channel, talk, place)
    finally:
        stdin.end()
        # close() sends, and on a dead network that blocks.
        threading.Thread(target=_close, args=(channel,), name="pfremote-close", daemon=True).start()


def _close(channel: paramiko.Channel) -> None:
    with suppress(*FOREIGN):
        channel.close()


def _has_output(channel: paramiko.Channel) -> bool:
    return channel.recv_ready() or channel.recv_stderr_ready()


def _read_once(channel: paramiko.Channel, talk: Exchange) -> None:
    # Once, not until it is empty: a command that prints without end must not keep us from the clock.
    if channel.recv_stderr_ready():
        talk.feed_stderr(channel.recv_stderr(_CHUNK))
    if channel.recv_ready():
        talk.feed_stdout(channel.recv(_CHUNK))


def _finish(channel: paramiko.Channel, talk: Exchange, place: str) -> Completed:
    # The status is -1 for a command that a signal ended, for a refused one, and for a lost connection.
    if channel.exit_status == -1:
        if not _is_alive(channel.get_transport()):
            raise Unreachable(f"the connection to {place} was lost while a command ran", hint=_LOOK_HINT)
        if not channel.event_ready:  # the request was never granted
            raise Unreachable(
                f"{place} refused to run a command", hint="Look for a forced command or a closed account."
            )
    return talk.finish(channel.exit_status)


def _is_alive(transport: paramiko.Transport) -> bool:
    # When the connection ends, Paramiko closes the channels first and marks the transport as dead after.
    deadline = time.monotonic() + _SETTLE
    while transport.is_active() and time.monotonic() < deadline:
        time.sleep(0.01)
    return transport.is_active()
