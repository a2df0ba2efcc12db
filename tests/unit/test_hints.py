"""Hints have one voice: a sentence that says what to do, with a capital and a full stop.

What is judged is the source: every ``hint=``, the third argument of every ``Reason``, what is given to ``console.hint`` and to
functions with a parameter ``hint``, and what a variable called ``hint`` or a constant whose name ends in ``HINT`` holds. Of the
agent's script it is the third argument of ``refuse``, ``die``, ``arm_fail`` and ``warn``, the second of ``policy_wrong``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import pfremote

SOURCE = Path(pfremote.__file__).parent

#: Hints that end in words which are typed or pasted as they stand: a full stop would become part of them.
COMMAND_AT_THE_END = {
    "Put this line into /etc/sudoers.d/pfremote with: visudo -f /etc/sudoers.d/pfremote",
    "Put the line into /etc/sudoers.d/pfremote with: visudo -f /etc/sudoers.d/pfremote",
    "Say in the inventory: pfremote_helper: {path}",
    "Add to sudoers: Defaults:USER !requiretty",
    "Type pfremote sudoers --agent > pfremote-agent, then on the host: "
    "install -o root -g root -m 0755 pfremote-agent {path}",
    "Compare the fingerprint with the host's own ({_own_key(kind)}), then type: {self._how_to_add(kind)}",
    "Another machine may be in between. If the host was reinstalled, compare with its own ({_own_key(kind)}), "
    "then type: {remove} && {self._how_to_add(kind)}",
    "Check the path; a list of hosts needs a comma, as in -i {text},",
    "Name hosts or groups behind {path}; all about it: {path} --help",
}
#: Hints that are nothing but the command to type.
BARE_COMMANDS = {
    "pfremote --help",
    "{path} --help",
}


def _spell(node: ast.expr) -> str | None:
    """Return a text as it stands in the source, with its holes as ``{name}``; None where it is no text."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        parts = [
            str(part.value) if isinstance(part, ast.Constant) else f"{{{ast.unparse(part.value)}}}"
            for part in node.values
            if isinstance(part, ast.Constant | ast.FormattedValue)
        ]
        return "".join(parts)
    return None


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _texts(value)
    elif (text := _spell(node)) is not None:
        yield text


def _expressions(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "hint")
            called = ast.unparse(node.func)
            if called.rpartition(".")[2] == "Reason":
                yield from node.args[2:3]
            if called.endswith("console.hint"):
                yield from node.args[:1]
        elif isinstance(node, ast.Assign) and any(_is_hint(target) for target in node.targets):
            yield node.value
        elif isinstance(node, ast.FunctionDef) and node.name == "_hint":
            yield from (inner.value for inner in ast.walk(node) if isinstance(inner, ast.Return) and inner.value)
    places = _hint_places(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in places:
            at = places[node.func.id]
            yield from node.args[at : at + 1]


def _hint_places(tree: ast.Module) -> dict[str, int]:
    """Return the functions of a module that take a hint, with its place among their arguments."""
    return {
        node.name: names.index("hint")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and "hint" in (names := [argument.arg for argument in node.args.args])
    }


def _is_hint(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and (target.id == "hint" or target.id.upper().endswith("_HINT"))


#: A complaint of the agent that has a hint: ``refuse CODE "TEXT" "HINT"``, perhaps on two lines.
_COMPLAINT = re.compile(
    r'\b(?:refuse [a-z-]+|die [a-z-]+|arm_fail [a-z-]+|warn [a-z-]+|policy_wrong) "[^"\n]*" (?:\\\n\s*)?"(?P<hint>[^"$][^"\n]*)"'
)


def _agent_hints() -> list[tuple[str, str]]:
    """Return the hints of the agent's script; where a shell variable holds the last word, it is a path or a number."""
    return [
        (path.name, hint)
        for path in sorted((SOURCE / "agent" / "script").glob("*.sh"))
        for hint in _COMPLAINT.findall(path.read_text())
    ]


def _hints() -> list[tuple[str, str]]:
    found = _agent_hints()
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        found += [
            (name, line.strip())
            for expression in _expressions(ast.parse(path.read_text()))
            for text in _texts(expression)
            for line in text.split("\n")
            if line.strip()
        ]
    return found


def _is_sentence(line: str) -> bool:
    # A hole at the beginning is a number or a name; one at the end is a hint of its own, judged where it is made.
    begins = line[0].isupper() or line[0] == "{"
    command = re.search(
        r"\b(?:[Tt]ype|with|example|hand|value): \S", line
    )  # what is typed stands last, to be pasted as it is
    return begins and (command is not None or line.endswith((".", "?", "{hint}", "{look}", "{reason.hint}", "{value}")))


def test_there_are_hints_to_judge() -> None:
    assert len(_hints()) > 250
    assert len(_agent_hints()) > 60


@pytest.mark.parametrize("line", sorted({line for _, line in _hints()}))
def test_a_hint_is_a_sentence(line: str) -> None:
    assert _is_sentence(line) or line in COMMAND_AT_THE_END | BARE_COMMANDS


def test_every_exception_is_in_use() -> None:
    assert {line for _, line in _hints()} >= COMMAND_AT_THE_END | BARE_COMMANDS


#: What stands for a value that pfremote knows where it happens, and puts in: Typed.name_host and name_login do.
_PUT_IN = re.compile(r"\bpfremote [a-z]+ HOST\b|\bssh (?:-v )?HOST true$|--for USER$|Defaults:USER\b")
#: Places for what only the operator can know, and why.
TO_BE_CHOSEN = {
    "--private-key FILE": "which key, if not those that were tried",
    "ssh-add FILE": "the same",
    "-u USER": "who may log in there",
    "--out DIR": "a place that the operator likes",
    "--out FILE": "the same",
    "--reason TEXT": "why it is wanted",
    "reason: WHY": "the same",
    "name: WHAT FOR": "the same",
    "--peer ADDRESS, NAME or NETWORK": "whom to debug",
    "-i INVENTORY": "where hosts stand, where nothing says it",
    "-i FILE": "the same",
    "NAME, USER@NAME or NAME:PORT": "the forms of a host",
    "--graph GROUP": "which part to show",
    "--lease ID": "which of several",
    "pfremote run NAME": "which of the runbooks that stand above it",
    "peer=ADDRESS -e where=HOSTS": "whom to debug where",
    "=VALUE": "the value of a variable",
    "KEY = VALUE": "the form of a line",
    "--vault-password-file FILE": "where the password is",
    "LABEL@FILE": "the forms of a vault id",
    "LABEL@PROGRAM": "the same",
    "LABEL@prompt": "the same",
    "{instead} FILE": "where the password is",
    "https://HOST/PATH": "the form of an address",
    "[PROGRAM, ARGUMENT]": "the form of a command",
    "TYPE:NAME": "the form of a table",
}
#: Words that are written in capitals and stand for nothing else.
CAPITALS = frozenset(["DNS", "JSON", "MX", "SSH", "TMPDIR", "UTF", "XCLIENT"])
#: A command that ends a hint; a full stop behind it would be pasted with it.
_COMMAND_WITH_STOP = re.compile(
    r"(?:: |\b[Tt]ype |\bwith )(?:sudo |python -|pfremote [a-z]+ |ssh(?:-add|-keygen)? |postfix |apt-get |chmod |ansible-vault "
    r"|visudo |timedatectl|ls |\{' '\.join|\{shlex\.join)[^.]*\.$"
)


def _own_hints() -> list[str]:
    return sorted({line for name, line in _hints() if not name.endswith(".sh")})


def _find_open_places(line: str) -> set[str]:
    left = _PUT_IN.sub("", re.sub(r"\{(?!instead\})[^{}]*\}", "", line))
    for place in TO_BE_CHOSEN:
        left = left.replace(place, "")
    return set(re.findall(r"\b[A-Z]{2,}\b", left)) - CAPITALS


def test_a_hint_leaves_open_only_what_the_operator_chooses() -> None:
    assert [(line, places) for line in _own_hints() if (places := _find_open_places(line))] == []


def test_every_place_that_is_left_open_is_in_use() -> None:
    hints = "\n".join(_own_hints())
    assert [place for place in TO_BE_CHOSEN if place not in hints] == []


def test_a_command_at_the_end_of_a_hint_has_no_full_stop() -> None:
    assert [line for line in _own_hints() if _COMMAND_WITH_STOP.search(line)] == []


def test_no_hint_says_look_without_saying_how() -> None:
    vague = re.compile(r"\bLook (?:whether plain ssh|at it there)|\b(?:ssh -v shows|pfremote sudoers prints)\b")
    assert [line for line in _own_hints() if vague.search(line)] == []
