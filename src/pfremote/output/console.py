"""What people see: data on stdout, talk on stderr; rich on a terminal, plain and quiet anywhere else."""

from __future__ import annotations

import errno
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TextIO

from pfremote.errors import PfremoteError, Reason, Refused
from pfremote.model.result import HostResult, error_code
from pfremote.model.secret import KNOWN_SECRETS
from pfremote.output.columns import columns_of, shorten_home, wants_colour
from pfremote.output.live_table import Row, make_table
from pfremote.output.recap import render_folds, render_recap
from pfremote.text.grouping import Fold
from pfremote.text.terminal import Piece as Piece
from pfremote.text.terminal import fold_pieces, fold_words, show_line

if TYPE_CHECKING:
    import rich.console
    import rich.live
    import rich.text


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
        #: The reader is gone: a closed pipe (EPIPE), a terminal that is gone (EIO).
        self.broken = False
        #: Why data is missing on stdout although a reader wants it: a full disk.
        self.lost: OSError | None = None
        self._lock = threading.RLock()
        self._rich: rich.console.Console | None = None
        self._live: rich.live.Live | None = None
        self._moving: rich.console.RenderableType | None = None
        if wants_colour(self.err):
            self._rich = _make_rich(self.err)

    @property
    def moving(self) -> bool:
        """Tell whether a progress line can be shown: not where events, which do not pass here, come to its terminal."""
        return self._rich is not None and (self.data or not self.out.isatty())

    @property
    def folds(self) -> bool:
        """Tell whether what many hosts say is told once; an operator who asks for details, or events, gets it all."""
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
        reasons = (
            error.reasons if isinstance(error, Refused) else (Reason(error_code(error), _sentence(error), error.hint),)
        )
        for reason in reasons:
            word = "refused" if isinstance(error, Refused) else "error"
            self._talk(Line(f"{word}: {reason.message}", where, "red"))
            self.hint(reason.hint, host=where)

    def hint(self, text: str, *, host: str = "") -> None:
        """Tell what to type next, one line per line."""
        for line in text.splitlines():
            self._talk(Line(f"hint: {line}", host, "cyan"))

    def show(self, text: str = "") -> None:
        """Print data on stdout, line by line and as it is; nothing with ``--json``."""
        self._print_data("".join(f"{show_line(line)}\n" for line in text.split("\n")))

    def show_rows(self, rows: Iterable[Sequence[Piece]], rest: str = "    ") -> None:
        """Print lines for people on stdout, each of pieces of text with a style.

        On a terminal they are broken between words, what goes on begins with ``rest``; colours only where wanted.
        """
        width = columns_of(self.out)
        shown = [[(show_line(text), style) for text, style in row] for row in rows]
        if width:
            short = ([(shorten_home(text), style) for text, style in row] for row in shown)
            shown = [line for row in short for line in fold_pieces(row, width, rest)]
        paint = _paint if wants_colour(self.out) else _join
        self._print_data("".join(f"{paint(row)}\n" for row in shown))

    def tell(self, text: str, *, host: str = "", style: str = "") -> None:
        """Tell people one line as data on stdout, the host it is about before it."""
        self.show_rows([[(f"{host}: " if host else "", "bold"), (text, style)]])

    def _print_data(self, text: str) -> None:
        if not self.data:
            return
        with self._speaking():
            moving = self._moving if self._live is not None else None
            self._drop_live()  # both streams may be the same terminal
            try:
                self.out.write(KNOWN_SECRETS.mask(text))
                self.out.flush()
            except OSError as exc:
                self.lost = None if exc.errno in (errno.EPIPE, errno.EIO) else exc
                raise
            self._move(moving)

    def progress(self, text: str) -> None:
        """Replace the moving line at the bottom; an empty text removes it. Nothing without a terminal."""
        shown = _style([show_line(text)], Line(text, style="dim")) if self.moving and text else None
        if shown is not None:
            shown.no_wrap, shown.overflow = True, "ellipsis"
        self._move(shown)

    def table(self, headings: Sequence[str], rows: Sequence[Row], last: str) -> None:
        """Replace what moves at the bottom by a table with one more line below it."""
        if self._rich is not None and self.moving:
            self._move(make_table(headings, rows, last, self._rich.size.height))

    def _move(self, shown: rich.console.RenderableType | None) -> None:
        if self._rich is None or not self.moving:
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

    @property
    def is_one_terminal(self) -> bool:
        """Tell whether what is said and what is shown comes to the same eyes."""
        return self.out.isatty() and self.err.isatty()

    def recap(self, results: Iterable[HostResult], folds: Sequence[Fold] | None = None) -> None:
        """Print the last table: one line per host, its state first; and ``folds``, or why hosts failed."""
        rows = tuple(results)
        if not rows:
            return
        self.show("\nRECAP")
        self.show_rows(render_recap(rows, folds))

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
        line = replace(line, text=KNOWN_SECRETS.mask(line.text))
        with self._speaking():
            width = columns_of(self.err)
            lines = fold_words(shorten_home(_plain(line)) if width else _plain(line), width)
            if self._rich is not None:
                self._rich.print(_style(lines, line), soft_wrap=True)
                return
            self.err.write("".join(f"{text}\n" for text in lines))
            self.err.flush()


def _sentence(error: PfremoteError) -> str:
    return error.message if error.host else str(error)


def _paint(row: Sequence[Piece]) -> str:
    # Loaded on a terminal only: rich takes longer to load than all of a small command.
    from rich.style import Style

    return "".join(Style.parse(style).render(text) if style else text for text, style in row)


def _join(row: Sequence[Piece]) -> str:
    return "".join(text for text, _ in row)


def _plain(line: Line) -> str:
    text = show_line(line.text)
    return f"{show_line(line.host)}: {text}" if line.host else text


def _style(lines: Sequence[str], line: Line) -> rich.text.Text:
    """Return the lines in the line's style, the host at its beginning bold."""
    # Loaded on a terminal only: rich takes longer to load than all of a small command.
    from rich.text import Text

    text = Text("\n".join(lines), style=line.style)
    if line.host:
        text.stylize("bold", 0, len(show_line(line.host)) + 2)
    return text


def _make_rich(stream: TextIO) -> rich.console.Console:
    # Loaded on a terminal only: rich takes longer to load than all of a small command.
    from rich.console import Console as RichConsole

    return RichConsole(file=stream, highlight=False, markup=False, emoji=False)


def _make_live(console: rich.console.Console) -> rich.live.Live:
    # Loaded on a terminal only: rich takes longer to load than all of a small command.
    from rich.live import Live

    return Live(console=console, transient=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
