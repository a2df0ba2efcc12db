"""What a terminal of some width shows of a program: cursor movements are followed, lines that it had to break are known."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pfremote.text.terminal import measure

#: What a program asks of the terminal's own palette (ECMA-48, SGR); the theme, dark or light, says how it looks.
_STYLES = {"1": "bold", "2": "dim"} | {
    str(30 + number): name
    for number, name in enumerate("black red green yellow blue magenta cyan white".split())  # noqa: SIM905
}
#: The second column of a wide character.
_FILLER = "\0"
_PIECE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)")


@dataclass
class Screen:
    """A terminal that is as long as it needs to be. ``broken`` are lines that went on in the next one, mid-word or not."""

    columns: int
    lines: list[str] = field(default_factory=lambda: [""])
    broken: list[str] = field(default_factory=list)
    #: The style of each character of each line, as ``lines``.
    styles: list[list[str]] = field(default_factory=lambda: [[]])
    _row: int = 0
    _column: int = 0
    _style: str = ""

    def write(self, text: str) -> None:
        """Show what a program writes."""
        for numbers, letter, control, shown in _PIECE.findall(text):
            if shown:
                self._print(shown)
            elif control == "\r":
                self._column = 0
            elif control:
                self._down()
            elif letter == "A":
                self._row = max(0, self._row - int(numbers or 1))
            elif letter == "K":
                self.lines[self._row] = "" if numbers == "2" else self.lines[self._row][: self._column]
                self.styles[self._row] = self.styles[self._row][: len(self.lines[self._row])]
            elif letter == "m":
                self._set_style(numbers)

    def _set_style(self, numbers: str) -> None:
        words = [] if numbers in ("", "0") else [_STYLES[number] for number in numbers.split(";")]
        self._style = " ".join(words)

    def _print(self, text: str) -> None:
        for char in text:
            if self._column + measure(char) > self.columns:
                self.broken.append(self.lines[self._row])
                self._down()
                self._column = 0
            line = self.lines[self._row].ljust(self._column)
            cells = char + _FILLER * (measure(char) - 1)
            self.lines[self._row] = line[: self._column] + cells + line[self._column + len(cells) :]
            styles = self.styles[self._row]
            styles += [""] * (self._column - len(styles))
            styles[self._column : self._column + len(cells)] = [self._style] * len(cells)
            self._column += measure(char)

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self.lines):
            self.lines.append("")
            self.styles.append([])

    @property
    def text(self) -> str:
        """All that is on it."""
        return "\n".join(line.rstrip() for line in self.lines).strip("\n").replace(_FILLER, "") + "\n"

    @property
    def styled_text(self) -> str:
        """All that is on it, with a mark where another style begins: ``<red>``, ``<bold>``, ``<>`` for none."""
        return "\n".join(map(_mark, self.lines, self.styles)).strip("\n").replace(_FILLER, "") + "\n"


def _mark(line: str, styles: Sequence[str]) -> str:
    shown = line.rstrip()
    before = ["", *styles][: len(shown)]
    marked = (
        f"<{style}>{char}" if style != last else char for char, style, last in zip(shown, styles, before, strict=False)
    )
    return "".join(marked) + ("<>" if styles[len(shown) - 1 : len(shown)] not in ([], [""]) else "")


def run_on_terminal(
    argv: Sequence[str],
    columns: int,
    *,
    environment: Mapping[str, str],
    folder: str,
    on_text: Callable[[str], None] = lambda _seen: None,
) -> tuple[Screen, int]:
    """Run a program on a terminal so many columns wide; return what it showed, and its exit code."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environ = {name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")}
    with subprocess.Popen(
        argv, stdin=theirs, stdout=theirs, stderr=theirs, env=environ, cwd=folder, start_new_session=True
    ) as process:
        os.close(theirs)
        screen, seen = Screen(columns), ""
        while data := _read(ours):
            seen += data
            screen.write(data)
            on_text(seen)
    os.close(ours)
    return screen, process.returncode


def _read(descriptor: int) -> str:
    try:
        return os.read(descriptor, 65536).decode(errors="replace")
    except OSError:  # Linux: the terminal's other end is closed
        return ""
