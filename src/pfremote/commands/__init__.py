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
    "explain": "Say what a Postfix log shows: any file, or standard input. Contacts no host.",
    "runs": "List the runs kept on this machine.",
    "inventory": "Show hosts and groups as the inventory has them.",
    "config": "Show the settings that count, and where each was said.",
    "schema": "Print the JSON Schema of inventories, playbooks or settings, for your editor.",
    "bootstrap": "Install the agent on hosts, and with --write its sudoers line, for debugging with least privilege.",
    "sudoers": "Print the sudoers line and the agent for hosts without full sudo.",
    "doctor": "Say whether this machine is ready: ssh, keys, known hosts, inventory, space.",
    "demo": "Watch it all on this machine, with a private Postfix and sshd.",
    "completion": "Print the completion script for your shell.",
}

#: The variable in which a shell says that it wants completions (click's own name for a program called pfremote).
COMPLETING = "_PFREMOTE_COMPLETE"

SUMMARY = "Postfix debug logging for one peer and some minutes, that reverts by itself."

EXAMPLE = "pfremote debug host1 --peer client.example.jp --minutes 10"

#: What a newcomer types first: words and what they do.
EXAMPLES = {
    EXAMPLE: "debug one client on one host, and bring its sessions home",
    "pfremote check mx -i inventory.yml --peer 192.0.2.40": "see beforehand what would change, and what is in the way",
    "pfremote run sasl-failures -i inventory.yml -e peer=192.0.2.40 -e where=mx": (
        "a ready runbook; pfremote run --list shows all"
    ),
}


def render_short_help() -> str:
    """Return what ``pfremote`` alone answers: what it is for, and three examples."""
    examples = [line for words, text in EXAMPLES.items() for line in (f"  {words}", f"      {text}")]
    last = "pfremote --help lists the commands; pfremote demo shows it all on this machine."
    return "\n".join([SUMMARY, "", *examples, "", last])


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
