"""``pfremote explain``: what a Postfix log says, wherever it came from. Contacts no host."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from pfremote.commands import COMMANDS
from pfremote.errors import UsageError
from pfremote.options.complete import complete_files
from pfremote.options.hosts import set_verbosity
from pfremote.options.moments import read_moment
from pfremote.output.output import Output


@click.command("explain", help=COMMANDS["explain"])
@click.argument("logs", nargs=-1, metavar="[FILE|HOST=FILE|-]...", shell_complete=complete_files)
@click.option("--peer", multiple=True, metavar="PEER", help="Only sessions of this address, network or name; repeats.")
@click.option("--from", "senders", multiple=True, metavar="ADDRESS", help="Only mail from this sender, or @domain.")
@click.option("--to", "recipients", multiple=True, metavar="ADDRESS", help="Only mail to this recipient, or @domain.")
@click.option("--queue-id", "queue_ids", multiple=True, metavar="ID", help="Only this message; repeats.")
@click.option("--message-id", "message_ids", multiple=True, metavar="ID", help="Only this message; repeats.")
@click.option("--user", "users", multiple=True, metavar="NAME", help="Only sessions that logged in under this name.")
@click.option("--since", metavar="TIME", help="Only what ended then or later: 2026-11-24 02:13, 02:13, 2h.")
@click.option("--until", metavar="TIME", help="Only what began then or earlier.")
@click.option("--failed", is_flag=True, help="Only sessions in which something went wrong.")
@click.option("--all", "everything", is_flag=True, help="Show sessions without a finding too, and every message.")
@click.option("--format", "fmt", type=click.Choice(["txt", "md", "html", "json"]), default="txt", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Keep it as a run there.")
@click.option("--share", is_flag=True, help="Print the log itself, safe to paste: names replaced, secrets left out.")
@click.option("-v", "--verbose", count=True, expose_value=False, callback=set_verbosity, help="Say more.")
@click.option("--json", is_flag=True, expose_value=False, help="JSON Lines on stdout, one event a line.")
@click.pass_obj
def command(output: Output, /, logs: tuple[str, ...], **words: Any) -> int:
    """Run it."""
    # Reading logs takes the half of pfremote; the other commands do without it.
    from pfremote.run.explain_logs import ExplainOptions, run_explain
    from pfremote.run.log_files import read_sources

    if not logs and sys.stdin.isatty():
        raise UsageError("no log is named", hint="Type: pfremote explain /var/log/mail.log")
    moment = datetime.now(UTC).astimezone()
    for name in ("since", "until"):
        words[name] = None if words[name] is None else read_moment(words[name], moment)
    return run_explain(read_sources(logs), ExplainOptions.of(words), output)
