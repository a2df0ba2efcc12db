"""Look through all of a log for lines; a large plain file by as many processes as there are processors."""

from __future__ import annotations

import os
import signal
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import chain
from typing import IO, TYPE_CHECKING, Self

from pfremote.errors import PfremoteError
from pfremote.maillog.looks import Look, Seen
from pfremote.maillog.neighbours import Around
from pfremote.run.log_files import Source, measure_plain, open_plain, read_whole_lines

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

#: Bytes of a file that a process looks through before it takes its next part; a file of SEVERAL bytes or more is looked
#: through by several processes, at most so many.
PART = 8 * 1024 * 1024
SEVERAL = 64 * 1024 * 1024
_MOST_PROCESSES = 4

#: Where a part begins and where it ends; a line belongs to the part in which it begins.
_Span = tuple[int, int]


class LogScan:
    """Looks through one log, as often as it is asked to.

    ``tell`` is called with the bytes that were read so far; ``starts`` gets the line at which each file begins.
    """

    def __init__(self, source: Source, tell: Callable[[int], None], starts: list[int], *, part: int = PART) -> None:
        self._source, self._tell, self._starts, self._part = source, tell, starts, part
        #: Where each file begins in the log.
        self._places: list[int] = []
        #: The file that was read last from a place in it; None for one that cannot be.
        self._file: tuple[int, IO[bytes] | None] = -1, None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._open(-1)

    def __call__(self, look: Look) -> Iterator[Seen]:
        """Yield what ``look`` finds in each block.

        Raises:
            PfremoteError: it cannot be read.
        """
        self._starts.clear()
        self._places.clear()
        line, done = 1, 0
        for file in self._source.files:
            self._starts.append(line)
            self._places.append(done)
            for seen in _scan_file(file, look, self._part):
                line += seen.total
                done += seen.length
                self._tell(done)
                yield seen

    def reach(self, place: int, size: int) -> Around | None:
        """Return what stands around the line at a place that was seen, so many bytes on either side.

        Nothing where its file can only be read from the beginning, or no more.
        """
        number = bisect_right(self._places, place) - 1
        at = place - self._places[number]
        file = self._open(number)
        if file is None:
            return None
        begin = max(at - size, 0)
        try:
            text = os.pread(file.fileno(), at + size - begin, begin)
        except OSError:
            return None
        first = text.find(b"\n", 0, at - begin) + 1 if begin else 0
        return Around(text, at - begin, first, text.rfind(b"\n") + 1)

    def _open(self, number: int) -> IO[bytes] | None:
        if number != self._file[0]:
            if self._file[1] is not None:
                self._file[1].close()
            self._file = number, None if number < 0 else open_plain(self._source.files[number])
        return self._file[1]


def _scan_file(file: Source, look: Look, part: int) -> Iterator[Seen]:
    size = measure_plain(file)
    workers = min(_MOST_PROCESSES, _count_processors()) if size >= SEVERAL * part // PART else 1
    if workers < 2:
        yield from map(look, read_whole_lines(file))
        return
    spans = [(start, min(start + part, size)) for start in range(0, size, part)]
    yield from chain.from_iterable(_scan_together(file, look, spans, workers))


def _count_processors() -> int:
    """Return how many may be used; elsewhere than on Linux it is not safe that a process goes on as two."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1


def _scan_together(source: Source, look: Look, spans: list[_Span], workers: int) -> Iterator[list[Seen]]:
    """Yield what is found in each part, in their order; of N processes each looks at every Nth."""
    from multiprocessing import get_context  # not needed for most logs

    context = get_context("fork")
    with ExitStack() as stack:
        ends: list[Connection] = []
        for first in range(workers):
            mine, theirs = context.Pipe(duplex=False)
            stack.callback(mine.close)
            work = (source, look, spans[first::workers], (mine, theirs))
            child = context.Process(target=_work, args=work, daemon=True)
            child.start()
            stack.callback(child.join)
            stack.callback(child.terminate)
            theirs.close()
            ends.append(mine)
        for number, span in enumerate(spans):
            try:
                found: list[Seen] = ends[number % workers].recv()
            except (EOFError, OSError):  # the process is gone, whatever ended it: its part is done here
                found = [look(block) for block in read_whole_lines(source, *span)]
            yield found


def _work(source: Source, look: Look, spans: list[_Span], pipe: tuple[Connection, Connection]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    theirs, mine = pipe
    theirs.close()  # else the parent's end of the pipe would never count as closed
    with suppress(OSError, PfremoteError):  # the parent does what is missing then
        for span in spans:
            mine.send([look(block) for block in read_whole_lines(source, *span)])
