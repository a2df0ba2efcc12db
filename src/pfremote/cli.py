"""The command line: finds the command, and turns whatever comes out of it into an exit code."""

from __future__ import annotations

import difflib
import importlib
import os
import re
import shlex
import signal
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pfremote import __version__
from pfremote.commands import COMMANDS, render_help
from pfremote.errors import ExitCode, PfremoteError, UsageError
from pfremote.fleet.interrupts import SIGNALS
from pfremote.model.secret import KNOWN_SECRETS
from pfremote.model.typed import TYPED
from pfremote.output.output import Output
from pfremote.text.times import name_moment

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is run."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Complete a command out of the table: click would import all of them for their help."""
        # Loaded when a shell asks.
        from click.shell_completion import CompletionItem

        names = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return names or click.Command.shell_complete(self, ctx, incomplete)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Import and return one command."""
        if name not in COMMANDS:
            return None
        command = importlib.import_module(f"pfremote.commands.{name}").command
        assert isinstance(command, click.Command)  # noqa: S101  a rule of ours, tested for every command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, and name the one that was probably meant where there is none of that name."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"Did you mean: pfremote {near[0]}?" if near else "Type: pfremote --help"
            raise UsageError(f"there is no command {args[0]!r}", hint=hint)
        return super().resolve_command(ctx, args)

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
            raise UsageError("--nagios prints one line, --json events", hint="Leave one of them out.")
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # what came while modules were loaded comes here
        code = int(group.main(args=list(words), prog_name="pfremote", standalone_mode=False, obj=output) or 0)
        return output.check_delivery(code)
    except click.ClickException as exc:
        return output.fail(_explain_usage(exc, words))
    except PfremoteError as exc:
        return output.fail(exc)
    except (KeyboardInterrupt, click.Abort):
        return output.fail(
            _InterruptedEarlyError("interrupted", hint=f"See what was done with: {TYPED.command_for_all('status')}")
        )
    except (BrokenPipeError, SystemExit):  # click makes the second out of the first
        return ExitCode.OK  # who read us has enough: as with a pipe into head
    except OSError as exc:
        return output.fail(_explain_io(exc))
    except Exception as exc:  # noqa: BLE001  the one place where a bug becomes a sentence and an exit code
        return output.fail(_explain_bug(exc))
    finally:
        TYPED.forget()
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


def _explain_usage(exc: click.ClickException, words: Sequence[str]) -> UsageError:
    if isinstance(exc, click.exceptions.NoArgsIsHelpError):  # its message is the whole help
        return _explain_nothing(exc)
    context = getattr(exc, "ctx", None)
    # What click's parser itself refuses has no context.
    typed = f"pfremote {words[0]}" if words and words[0] in COMMANDS else "pfremote"
    path = context.command_path if context is not None else typed
    if isinstance(exc, click.MissingParameter) and exc.param is not None and exc.param.name == "patterns":
        return UsageError("no host is named", hint=f"Name hosts or groups behind {path}; all about it: {path} --help")
    return UsageError(_say_plainly(" ".join(exc.format_message().split())), hint=f"{path} --help")


#: What click says of numbers, and how people say it.
_NUMBERS = (
    (re.compile(r"('[^']*') is not a valid integer(?: range)?\."), r"\1 is no whole number."),
    (re.compile(r"(\S+) is not in the range x>=(\S+)\."), r"\1 is less than \2."),
    (re.compile(r"(\S+) is not in the range (\S+)<=x<=(\S+)\."), r"\1 is not from \2 to \3."),
)


def _say_plainly(text: str) -> str:
    for pattern, words in _NUMBERS:
        text = pattern.sub(words, text)
    return text


def _explain_nothing(exc: click.exceptions.NoArgsIsHelpError) -> UsageError:
    context = exc.ctx
    if context is None or context.parent is None:
        return UsageError("no command is given", hint="pfremote --help")
    return UsageError(f"no word follows {context.command_path}", hint=f"Type: {context.command_path} --help")


def _explain_io(exc: OSError) -> PfremoteError:
    # Loaded when something goes wrong: every command loads this module.
    from pfremote.private_files import FULL

    if exc.errno not in FULL:
        return _explain_bug(exc)
    return PfremoteError(f"the output could not be written: {exc.strerror}", hint="Free some space there.")


def _explain_bug(exc: Exception) -> PfremoteError:
    """Keep the traceback in a private file: its names and addresses do not belong on a screen."""
    what = f"unexpected error ({type(exc).__name__}), a fault of pfremote"
    try:
        path = _write_traceback(exc)
    except (OSError, PfremoteError):
        # Reads the command line again, which only a fault of ours needs.
        from pfremote.options.recorded_command import typed_command

        return PfremoteError(
            f"{what}; its traceback could not be kept",
            hint=f"Run it again with: {shlex.join([sys.executable, '-X', 'dev', '-m', *typed_command()])}",
        )
    return PfremoteError(
        f"{what}; the traceback is in {path}",
        hint=f"Hosts that were armed end by their own guard. Look with: {TYPED.command_for_all('status')}"
        if TYPED.names_hosts
        else "Report it with that file, once no name in it is secret.",
    )


def _write_traceback(exc: Exception) -> Path:
    # Loaded when something goes wrong: every command loads this module.
    import platformdirs

    from pfremote.private_files import make_private_folder, write_new

    folder = Path(platformdirs.user_state_dir("pfremote")) / "tracebacks"
    make_private_folder(folder)
    path = folder / f"{name_moment(datetime.now(UTC), exactly=True)}.txt"
    lines = (f"pfremote {__version__}, Python {sys.version.split()[0]}\n", *traceback.format_exception(exc))
    write_new(path, KNOWN_SECRETS.mask("".join(lines)).encode("utf-8", "backslashreplace"))
    return path
