"""Common slips in a pattern, and what to type instead."""

from __future__ import annotations

from pfremote.errors import Reason


def explain_logged(body: str, address: str) -> Reason:
    """Return why ``mx1.example.jp[192.0.2.5]``, copied from a log, is no pattern."""
    return Reason(
        "peer-logged",
        f"{body}: this is how the log names a peer, not a pattern",
        f"Type {address}, or the name before it.",
    )


def explain_port(body: str) -> Reason:
    """Return why ``192.0.2.5:25`` is no pattern."""
    return Reason(
        "peer-port",
        f"{body}: a pattern has no port, all ports of a peer are debugged",
        f"Type {body.partition(':')[0]}.",
    )


def explain_character(body: str, char: str) -> Reason:
    """Return why a pattern with this character is refused."""
    if char == "$":
        hint = "Type the networks themselves; a value such as $mynetworks is not expanded here."
    elif char in ";|":
        hint = "Separate patterns with a comma, or give each its own --peer."
    else:
        hint = "Leave it out; what needs it can be put into a table file, as in regexp:/path/of/the/file."
    return Reason("peer-characters", f"{body}: {char} has no place in a pattern", hint)


def explain_file(body: str) -> Reason:
    """Return why ``/mx/`` or a path with odd characters is no pattern."""
    if body.endswith("/"):
        return Reason(
            "peer-file",
            f"{body}: this is a file name to Postfix, not a regular expression",
            "Put the expression into a file and type regexp:/path/of/the/file.",
        )
    return Reason(
        "peer-file",
        f"{body}: this file name cannot stand in main.cf",
        "Use a path of letters, digits and . _ - /.",
    )


def explain_table(body: str) -> Reason:
    """Return why ``smtp://mx1`` or ``inline:{a=b`` is no pattern."""
    if body.count("{") != body.count("}"):
        return Reason("peer-table", f"{body}: a brace is not closed", "Type the closing brace as well.")
    return Reason(
        "peer-table",
        f"{body}: this is no lookup table",
        "Type TYPE:NAME with a type that postconf -m lists, as in cidr:/etc/postfix/debug_peers.",
    )
