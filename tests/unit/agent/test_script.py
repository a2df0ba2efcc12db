"""The one script that is sent to a host."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib import resources

import pytest

from pfremote.agent import load_agent, strip_comments

SHELLS = [["dash"], ["bash", "--posix"], ["busybox", "sh"]]


def test_it_is_the_same_every_time_and_holds_no_comment_lines() -> None:
    script = load_agent()
    assert script is load_agent()
    assert not [line for line in script.splitlines() if line.lstrip().startswith(b"#")]


def test_code_is_never_stripped() -> None:
    assert strip_comments(b"#!/bin/sh\n\n# why\na=1 # kept\n\t# why\nb=${a#x}\n") == b"a=1 # kept\nb=${a#x}\n"


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_every_shell_reads_all_of_it_before_it_starts(shell: list[str]) -> None:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]} is not installed")
    done = subprocess.run([*shell, "-s", "--", "nonsense"], input=load_agent(), capture_output=True, check=False)
    assert done.stdout.startswith(b"pfremote=1\nrefused=bad-verb ")
    assert done.stdout.endswith(b"end=refused\n")
    assert (done.returncode, done.stderr) == (3, b"")


SOURCE = "".join(
    part.read_text()
    for part in sorted((resources.files("pfremote.agent") / "script").iterdir(), key=lambda part: part.name)
    if part.name.endswith(".sh")
)
FUNCTIONS = re.findall(r"^([a-z_]+)\(\) \{\n(.*?)^\}$", SOURCE, re.M | re.S)


def without_awk(body: str) -> list[str]:
    """Return the lines of a function that are shell: not those of an awk program in it."""
    lines, inside = [], False
    for line in body.splitlines():
        if not inside:
            lines.append(line)
        if inside or re.search(r"\bawk\b", line):
            inside = inside != (line.count("'") % 2 == 1)
    return lines


def test_a_function_is_short_where_it_is_no_awk_program() -> None:
    assert len(FUNCTIONS) > 150
    for name, body in FUNCTIONS:
        assert len(without_awk(body)) <= 38, name  # and its first and last line


def test_a_choice_between_negations_is_an_if() -> None:
    """`! a || ! b || c` has to be read three times; `if a; then b; fi` once."""
    for line in SOURCE.splitlines():
        shell = line.split(" # ")[0]
        if "||" in shell and not line.lstrip().startswith(("#", "if ", "elif ")):
            assert len(re.findall(r"(?:^|[\s(])!(?=\s)", shell)) < 2, line


def test_a_function_is_defined_once_and_never_inside_another() -> None:
    names = re.findall(r"^([ \t]*)([a-z_][a-z0-9_]*)\(\)[ \t]*\{", SOURCE, re.M)
    assert len(names) > 150
    assert [name for indent, name in names if indent] == []
    assert len({name for _, name in names}) == len(names)


def test_a_number_with_a_name_is_set_once() -> None:
    """What is set outside of the functions to a number is a constant; other capitals are what a call has found."""
    constants = re.findall(r"^([A-Z][A-Z0-9_]*)=[0-9]+\b", SOURCE, re.M)
    assert len(constants) >= 5
    for name in constants:
        assert len(re.findall(rf"(?:^|[;&|\s]){name}=", SOURCE)) == 1, name


def test_one_look_at_master_cf_answers_every_question() -> None:
    """What MASTER_CF_EVER does not find is never asked for, so each alternative of a question must be in it."""
    (ever,) = re.findall(r"^MASTER_CF_EVER='(.*)'$", SOURCE, re.M)
    questions = re.findall(r"\bmaster_cf_has '([^']*)'", SOURCE)
    assert len(questions) == len(re.findall(r"^[^#]*\bmaster_cf_has (?!EXPR)\S", SOURCE, re.M))
    assert len(questions) >= 5
    for question in questions:
        for part in _alternatives(question):
            assert any(known in part for known in _alternatives(ever)), part


def _alternatives(expression: str) -> list[str]:
    """Split at each ``|`` that stands in no parentheses."""
    return re.findall(r"(?:\([^)]*\)|[^|(])+", expression)
