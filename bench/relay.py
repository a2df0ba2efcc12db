"""A TCP relay that makes hosts far away: every byte arrives DELAY later, in either direction.

    python -m bench.relay --delay 0.025 2201:10.0.1.101:22 2202:10.0.1.102:22

Stands in for ``tc netem``, which not every kernel has. Bandwidth is not limited, order is kept.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys

_BLOCK = 65536


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    loop = asyncio.get_running_loop()
    line: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, data = await line.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                break
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()

    delivery = asyncio.create_task(deliver())
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(_BLOCK):
            line.put_nowait((loop.time() + delay, data))
    line.put_nowait((loop.time() + delay, b""))
    with contextlib.suppress(ConnectionError):
        await delivery


async def _serve(words: list[str], delay: float) -> None:
    for word in words:
        port, host, far = word.split(":")

        async def meet(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str = host, far: str = far
        ) -> None:
            await asyncio.sleep(2 * delay)  # the handshake of TCP goes there and back
            there, here = await asyncio.open_connection(host, int(far))
            await asyncio.gather(_pump(reader, here, delay), _pump(there, writer, delay))
            for end in (here, writer):
                end.close()

        await asyncio.start_server(meet, "127.0.0.1", int(port))
    print("ready", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Relay until killed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--delay", type=float, default=0.025, help="seconds one way (default: %(default)s)")
    parser.add_argument("ways", nargs="+", metavar="PORT:HOST:PORT")
    arguments = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(arguments.ways, arguments.delay))
    sys.exit(0)


if __name__ == "__main__":
    main()
