"""One file per command; each command is a function of plain values that returns an exit code.

The table below is all that ``--help`` needs. It imports nothing, so that the answer comes at once.
"""

from __future__ import annotations

#: Command name and its one-line help, in the order in which they are shown. The module has the same name.
COMMANDS = {
    "debug": "Debug a peer on some hosts for a few minutes, and bring the sessions home.",
    "check": "Say what debug would do, and what is in its way. Touches nothing.",
    "run": "Do what a playbook says, on one host or a hundred, batch by batch.",
    "status": "Show leases and their time left, also debugging that no lease explains.",
    "extend": "Let a lease end later.",
    "revert": "End leases now.",
    "collect": "Bring the evidence of a lease home, now or long after it ended.",
    "report": "Show a run's report, or write it as HTML, Markdown, text or JSON.",
    "runs": "List the runs kept on this machine.",
    "inventory": "Show hosts and groups as the inventory has them.",
    "schema": "Print the JSON Schema of inventories or playbooks, for your editor.",
    "bootstrap": "Install the agent on hosts, and with --write its sudoers line, for debugging with least privilege.",
    "sudoers": "Print the sudoers line and the agent for hosts without full sudo.",
    "demo": "Watch it all on this machine, with a private Postfix and sshd.",
    "completion": "Print the completion script for your shell.",
}

SUMMARY = "Time-boxed per-peer Postfix debug logging on remote mail hosts, that reverts by itself."

EXAMPLE = "pfremote debug host1 --peer client.example.jp --minutes 10"


def render_help() -> str:
    """Return the text of ``pfremote --help``."""
    width = max(map(len, COMMANDS))
    rows = [f"  {name:<{width}}  {text}" for name, text in COMMANDS.items()]
    lines = [
        "Usage: pfremote COMMAND [OPTIONS] [ARGUMENTS]",
        "",
        f"  {SUMMARY}",
        "",
        f"  {EXAMPLE}",
        "",
        "Commands:",
        *rows,
        "",
        "Options:",
        "  --version  Print the version.",
        "  --help     Print this. pfremote COMMAND --help tells more.",
    ]
    return "\n".join(lines)
