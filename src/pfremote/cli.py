"""The command line: finds the command, and turns whatever comes out of it into an exit code."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from pfremote import __version__
from pfremote.commands import COMMANDS, render_help
from pfremote.errors import PfremoteError, UsageError
from pfremote.exit_codes import ExitCode
from pfremote.interruption import SIGNALS
from pfremote.output import Output


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is run."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Import and return one command."""
        if name not in COMMANDS:
            return None
        command = importlib.import_module(f"pfremote.commands.{name}").command
        assert isinstance(command, click.Command)  # noqa: S101  a rule of ours, tested for every command
        return command

    def format_help(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the same text as the fast way in ``__main__``."""
        formatter.write(render_help() + "\n")


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="pfremote %(version)s")
def group() -> None:
    """Hold the commands; see :class:`LazyGroup`."""


def main(words: Sequence[str]) -> int:
    """Run the command line ``words`` and return the exit code. Every way out leads through here."""
    monitoring, json = _has_option(words, "--nagios"), _has_option(words, "--json")
    output = Output(json=json and not monitoring, verbosity=0)
    output.monitoring = monitoring
    try:
        if monitoring and json:
            raise UsageError("--nagios prints one line, --json events", hint="leave one of them out")
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # what came while modules were loaded comes here
        code = int(group.main(args=list(words), prog_name="pfremote", standalone_mode=False, obj=output) or 0)
        return output.check_delivery(code)
    except click.ClickException as exc:
        return output.fail(_explain_usage(exc))
    except PfremoteError as exc:
        return output.fail(exc)
    except (KeyboardInterrupt, click.Abort):
        return output.fail(_InterruptedEarlyError("interrupted", hint="see what was done: pfremote status HOST"))
    except (BrokenPipeError, SystemExit):  # click makes the second out of the first
        return ExitCode.OK  # who read us has enough: as with a pipe into head
    except OSError as exc:
        return output.fail(_explain_io(exc))
    except Exception as exc:  # noqa: BLE001  the one place where a bug becomes a sentence and an exit code
        return output.fail(_explain_bug(exc))
    finally:
        _silence_closed_streams()


def _silence_closed_streams() -> None:
    """Python flushes at exit and complains where the reader is gone (``| head``): let it flush to nowhere."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class _InterruptedEarlyError(PfremoteError):
    exit_code = ExitCode.INTERRUPTED


def _has_option(words: Sequence[str], option: str) -> bool:
    """Tell whether an option is given, also where the rest of the command line cannot be understood."""
    end = list(words).index("--") if "--" in words else len(words)
    return option in words[:end]


def _explain_usage(exc: click.ClickException) -> UsageError:
    if isinstance(exc, click.exceptions.NoArgsIsHelpError):  # its message is the whole help
        return _explain_nothing(exc)
    context = getattr(exc, "ctx", None)
    path = context.command_path if context is not None else "pfremote"
    return UsageError(" ".join(exc.format_message().split()), hint=f"{path} --help")


def _explain_nothing(exc: click.exceptions.NoArgsIsHelpError) -> UsageError:
    context = exc.ctx
    if context is None or context.parent is None:
        return UsageError("no command is given", hint="pfremote --help")
    words = " ".join(context.command.collect_usage_pieces(context))
    return UsageError(f"no word follows {context.command_path}", hint=f"{context.command_path} {words}, or --help")


def _explain_io(exc: OSError) -> PfremoteError:
    from pfremote.store.files import FULL

    if exc.errno not in FULL:
        return _explain_bug(exc)
    return PfremoteError(f"the output could not be written: {exc.strerror}", hint="free some space there")


def _explain_bug(exc: Exception) -> PfremoteError:
    """Keep the traceback in a private file: its names and addresses do not belong on a screen."""
    what = f"unexpected error ({type(exc).__name__}), a fault of pfremote"
    try:
        path = _write_traceback(exc)
    except (OSError, PfremoteError):
        return PfremoteError(f"{what}; its traceback could not be kept", hint="run it again with python -X dev")
    return PfremoteError(
        f"{what}; the traceback is in {path}",
        hint="hosts that were armed end by their own guard; look with: pfremote status HOST",
    )


def _write_traceback(exc: Exception) -> Path:
    import platformdirs

    from pfremote.store.files import make_private_folder, write_new

    folder = Path(platformdirs.user_state_dir("pfremote")) / "tracebacks"
    make_private_folder(folder)
    path = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z.txt"
    lines = (f"pfremote {__version__}, Python {sys.version.split()[0]}\n", *traceback.format_exception(exc))
    write_new(path, "".join(lines).encode("utf-8", "backslashreplace"))
    return path
