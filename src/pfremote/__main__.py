"""Start pfremote. What needs no command is answered here, before anything slow is imported."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

from pfremote import __version__
from pfremote.commands import COMPLETING, render_help, render_short_help

#: Objects between two looks for cycles; Python's own is 700. Modules stay until the end, and a log becomes a tuple
#: a line: looking that often is 5 % of loading the former, and slows reading the latter. What `debug` loads is 73,000.
COLLECT_AFTER = 100_000


def main() -> int:
    """Run the command line and return the exit code."""
    _open_streams()
    words = sys.argv[1:]
    if words == ["--version"]:
        return _answer(f"pfremote {__version__}")
    if not words and COMPLETING not in os.environ:
        return _answer(render_short_help())
    if words in (["--help"], ["-h"], ["help"]):
        return _answer(render_help())
    # Loaded once it is known that there is a command: --version and --help are answered above.
    import gc
    import signal

    from pfremote.fleet.interrupts import SIGNALS
    from pfremote.lean_imports import load_leanly

    load_leanly()
    gc.set_threshold(COLLECT_AFTER)
    # Loading the rest takes a quarter of a second; an interrupt meanwhile is heard by cli.main, not by a traceback.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    for number in SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    from pfremote.cli import main as run

    code = run(words)
    # At its end Python looks for cycles in all that was loaded: a tenth of the processor time of `debug --detach`
    # (bench/startup.py), to free what the end of the process frees anyway.
    gc.freeze()
    return code


def _open_streams() -> None:
    """Let a standard stream that is closed (``>&-``) be as good as /dev/null: Python leaves None in its place.

    A character that the terminal's character set has not (a log's, under a Japanese or Latin-1 locale) is shown as an
    escape.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # stderr has it from Python


def _answer(text: str) -> int:
    if sys.stdout.isatty():
        # Loaded on a terminal only: what is piped is as it is.
        from pfremote.text.terminal import fold_help

        text = "\n".join(fold_help(text, os.get_terminal_size(sys.stdout.fileno()).columns))
    try:
        print(text, flush=True)  # noqa: T201  this is the data that was asked for
    except OSError as exc:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Python flushes once more at its end
        if isinstance(exc, BrokenPipeError):
            return 0
        print(f"error: the output could not be written: {exc.strerror}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
