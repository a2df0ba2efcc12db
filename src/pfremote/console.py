"""What people see: data on stdout, talk on stderr; rich on a terminal, plain and quiet anywhere else."""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from pfremote.errors import PfremoteError, Reason, Refused
from pfremote.folding import Fold
from pfremote.inert import show_line
from pfremote.live_table import Row, make_table
from pfremote.recap import Piece as Piece
from pfremote.recap import render_folds, render_recap
from pfremote.results import HostResult

if TYPE_CHECKING:
    import rich.console
    import rich.live
    import rich.text


def wants_colour(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether colour and moving lines are welcome (https://no-color.org, TERM=dumb)."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM", "dumb") != "dumb"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of talk: the host it is about, a word that carries the meaning, the rest."""

    text: str
    host: str = ""
    style: str = ""


class Console:
    """The two streams of one run; may be called from every thread.

    With ``data=False`` (``--json``) nothing but events goes to stdout, and they do not pass here.
    """

    def __init__(
        self, *, out: TextIO | None = None, err: TextIO | None = None, verbosity: int = 0, data: bool = True
    ) -> None:
        self.out = out or sys.stdout
        self.err = err or sys.stderr
        self.verbosity = verbosity
        self.data = data
        #: Nobody reads us any more: a closed pipe (EPIPE), a terminal that is gone (EIO).
        self.broken = False
        #: Why data is missing on stdout although somebody wants it: a full disk.
        self.lost: OSError | None = None
        self._lock = threading.RLock()
        self._rich: rich.console.Console | None = None
        self._live: rich.live.Live | None = None
        self._moving: rich.console.RenderableType | None = None
        if wants_colour(self.err):
            self._rich = _make_rich(self.err)

    @property
    def moving(self) -> bool:
        """Tell whether a progress line can be shown."""
        return self._rich is not None

    @property
    def folds(self) -> bool:
        """Tell whether what many hosts say is told once; whoever wants details, or events, gets it all."""
        return self.data and self.verbosity == 0

    def say(self, text: str, *, host: str = "", style: str = "") -> None:
        """Tell people one line on stderr."""
        self._talk(Line(text, host, style))

    def detail(self, text: str, *, host: str = "", level: int = 1) -> None:
        """Tell it only to those who asked with ``-v``."""
        if self.verbosity >= level:
            self._talk(Line(text, host, "dim"))

    def warn(self, reason: Reason, *, host: str = "") -> None:
        """Tell of something that is not an error, and what to do about it."""
        code = f" [{reason.code}]" if self.verbosity and reason.code else ""
        self._talk(Line(f"warning: {reason.message}{code}", host, "yellow"))
        self.hint(reason.hint, host=host)

    def error(self, error: PfremoteError, *, host: str = "") -> None:
        """Tell of an error: each reason on its own line, its hint below it."""
        where = host or error.host
        reasons = error.reasons if isinstance(error, Refused) else (Reason("", _sentence(error), error.hint),)
        for reason in reasons:
            word = "refused" if isinstance(error, Refused) else "error"
            self._talk(Line(f"{word}: {reason.message}", where, "red"))
            self.hint(reason.hint, host=where)

    def hint(self, text: str, *, host: str = "") -> None:
        """Tell what to type next, one line per line."""
        for line in text.splitlines():
            self._talk(Line(f"hint: {line}", host, "cyan"))

    def show(self, text: str = "") -> None:
        """Print data on stdout, line by line; nothing with ``--json``."""
        self._print_data("".join(f"{show_line(line)}\n" for line in text.split("\n")))

    def show_rows(self, rows: Iterable[Sequence[Piece]]) -> None:
        """Print data lines on stdout, each of pieces of text with a style; colours only on a terminal."""
        if not wants_colour(self.out):
            self.show("\n".join("".join(text for text, _ in row) for row in rows))
            return
        self._print_data("".join(_paint(row) for row in rows))

    def _print_data(self, text: str) -> None:
        if not self.data:
            return
        with self._speaking():
            moving = self._moving if self._live is not None else None
            self._drop_live()  # both streams may be the same terminal
            try:
                self.out.write(text)
                self.out.flush()
            except OSError as exc:
                self.lost = None if exc.errno in (errno.EPIPE, errno.EIO) else exc
                raise
            self._move(moving)

    def progress(self, text: str) -> None:
        """Replace the moving line at the bottom; an empty text removes it. Nothing without a terminal."""
        shown = _styled(Line(text, style="dim")) if self.moving and text else None
        if shown is not None:
            shown.no_wrap, shown.overflow = True, "ellipsis"
        self._move(shown)

    def table(self, headings: Sequence[str], rows: Sequence[Row], last: str) -> None:
        """Replace what moves at the bottom by a table with one more line below it."""
        if self._rich is not None:
            self._move(make_table(headings, rows, last, self._rich.size.height))

    def _move(self, shown: rich.console.RenderableType | None) -> None:
        if self._rich is None:
            return
        with self._speaking():
            self._moving = shown
            if shown is None:
                self._drop_live()
                return
            if self._live is None:
                self._live = _make_live(self._rich)
                self._live.start()
            self._live.update(shown, refresh=True)

    def _drop_live(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def recap(self, results: Iterable[HostResult]) -> None:
        """Print the last table: one line per host, its state first."""
        rows = tuple(results)
        if not rows:
            return
        self.show("\nRECAP")
        self.show_rows(render_recap(rows))

    def tell_folded(self, folds: Sequence[Fold]) -> None:
        """Print what several hosts said alike, with their names."""
        if folds:
            self.show_rows(render_folds(folds))

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        """Hold the streams; what cannot be said is dropped, since hosts must be reverted all the same."""
        with self._lock:
            try:
                yield
            except OSError:
                self.broken = True

    def _talk(self, line: Line) -> None:
        with self._speaking():
            if self._rich is not None:
                self._rich.print(_styled(line), soft_wrap=True)
                return
            self.err.write(_plain(line) + "\n")
            self.err.flush()


def _sentence(error: PfremoteError) -> str:
    return error.message if error.host else str(error)


def _paint(row: Sequence[Piece]) -> str:
    from rich.style import Style

    painted = (Style.parse(style).render(show_line(text)) if style else show_line(text) for text, style in row)
    return "".join(painted) + "\n"


def _plain(line: Line) -> str:
    text = show_line(line.text)
    return f"{show_line(line.host)}: {text}" if line.host else text


def _styled(line: Line) -> rich.text.Text:
    from rich.text import Text

    text = Text(style=line.style)
    if line.host:
        text.append(f"{show_line(line.host)}: ", style="bold")
    return text.append(show_line(line.text))


def _make_rich(stream: TextIO) -> rich.console.Console:
    from rich.console import Console as RichConsole

    return RichConsole(file=stream, highlight=False, markup=False, emoji=False)


def _make_live(console: rich.console.Console) -> rich.live.Live:
    from rich.live import Live

    return Live(console=console, transient=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
