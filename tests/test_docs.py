"""The documents say what the program does, both ways: options, codes, events, variables, links, commands."""

from __future__ import annotations

import importlib
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import click
import pytest

import pfremote
from pfremote.agent import load_agent
from pfremote.commands import COMMANDS
from pfremote.errors import ExitCode
from pfremote.inventory.option_names import OPTIONS
from pfremote.model.event import Kind
from pfremote.text.terminal import measure
from tests.support.recorder.screens import SCENES, Scene

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CLI = ROOT / "docs" / "reference" / "cli.md"
CODES = ROOT / "docs" / "reference" / "exit-codes-and-events.md"
#: The files whose every test is a cell of the guarantees' matrix.
MATRIX = (
    *("clocks", "cron_and_at", "disks", "instances", "postfix_faults"),
    *("power_cuts", "race", "random_faults", "signals", "versions"),
)

_OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z-]*|(?<![\w-])-[A-Z]\b", re.IGNORECASE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_SHARED = re.compile(r"\(#(options-[a-z-]+)\)")


def prose(path: Path) -> str:
    """Return a document without its indented and fenced blocks, where brackets are no links."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^(?: {4}|\t).*$", "", text, flags=re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-") for text in headings}


def sections(path: Path) -> dict[str, str]:
    """Return the text under each ``##`` heading, by its anchor."""
    parts = re.split(r"^## (.+)$", path.read_text(), flags=re.MULTILINE)[1:]
    return {title.lower().replace(" ", "-"): text for title, text in zip(parts[::2], parts[1::2], strict=True)}


def rows(text: str) -> list[str]:
    """Return the first cells of all table rows but the headings."""
    cells = re.findall(r"^\| (.+?) \|", text, flags=re.MULTILINE)
    return [cell for cell in cells if "`" in cell or cell.isdecimal()]


def documented(text: str) -> set[str]:
    """Return the options that the tables of a section list."""
    return {option for cell in rows(text) for option in _OPTION.findall(cell)}


def real_options(name: str) -> set[str]:
    """Return every spelling of every option of a command, but help."""
    command = importlib.import_module(f"pfremote.commands.{name}").command
    spelt = {
        word
        for item in command.params
        if isinstance(item, click.Option) and not item.hidden
        for word in (*item.opts, *item.secondary_opts)
    }
    return spelt - {"-h", "--help"}


SECTIONS = sections(CLI)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_the_options_that_the_reference_says_and_no_others(name: str) -> None:
    assert name in SECTIONS, f"docs/reference/cli.md has no section '## {name}'"
    shared = _SHARED.findall(SECTIONS[name])
    written = documented(SECTIONS[name]).union(*(documented(SECTIONS[part]) for part in shared))
    real = real_options(name)
    assert real - written == set(), "not in docs/reference/cli.md"
    assert written - real == set(), "in docs/reference/cli.md, and the command has no such option"


def test_the_reference_describes_no_command_that_does_not_exist() -> None:
    assert {name for name in SECTIONS if not name.startswith(("options-", "program-options"))} == set(COMMANDS)


def test_every_command_is_in_the_readme() -> None:
    table = sections(ROOT / "README.md")["commands"]
    assert {name for name in COMMANDS if not re.search(rf"`[^`]*\b{name}\b", table)} == set()


def test_every_exit_code_is_documented_and_no_other() -> None:
    text = sections(CODES)["exit-codes"]
    written = {int(code): name for code, name in re.findall(r"^\| (\d+) \| `(\w+)` \|", text, flags=re.MULTILINE)}
    assert written == {int(code): code.name for code in ExitCode}
    readme = sections(ROOT / "README.md")["exit-codes"]
    assert {int(cell) for cell in rows(readme)} == {int(code) for code in ExitCode}


def test_every_event_is_documented_and_no_other() -> None:
    table = sections(CODES)["events"].partition("###")[0]
    assert {cell.strip("`") for cell in rows(table)} == {*get_args(Kind), "recap"}


def test_every_reason_for_an_end_is_documented() -> None:
    """What the agent's own text gives as ``why`` (docs/agent-protocol.md) is in the list for operators."""
    protocol = (ROOT / "docs" / "agent-protocol.md").read_text()
    line = next(row for row in protocol.splitlines() if row.startswith("| lease.why |"))
    said = set(re.findall(r"`([a-z-]+)`", line))
    text = CODES.read_text().partition("### Why a lease ended")[2].partition("###")[0]
    assert {cell.strip("`") for cell in rows(text) if cell != "`why`"} == said


def test_every_inventory_variable_is_documented_and_no_other() -> None:
    text = sections(ROOT / "docs" / "reference" / "inventory.md")["our-own-variables"]
    assert {cell.strip("`") for cell in rows(text)} == set(OPTIONS)


def test_every_line_of_the_hosts_policy_is_documented_and_no_other() -> None:
    script = load_agent().decode()
    case = script.partition("policy_set() {")[2].partition("\n}")[0]
    known = set(re.findall(r"\b([a-z_]+):(?:yes|no|\*)", case))
    text = sections(ROOT / "docs" / "reference" / "files-on-the-host.md")["policy"]
    assert {cell.strip("`").split(" = ")[0] for cell in rows(text)} == known


def links(path: Path) -> Iterator[tuple[str, str]]:
    """Yield target and anchor of each link that stays in the repository."""
    for link in _LINK.findall(prose(path)):
        if "://" not in link:
            target, _, anchor = link.partition("#")
            yield target, anchor


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target, anchor in links(path):
        place = (path.parent / target).resolve() if target else path
        assert place.is_relative_to(ROOT), target
        assert place.exists(), f"{target} does not exist"
        if anchor:
            assert anchor in anchors(place), f"{target}#{anchor}"


def test_every_document_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in seen or path.suffix != ".md":
            continue
        seen.add(path)
        waiting += [(path.parent / target).resolve() for target, _ in links(path) if target]
    assert set(DOCUMENTS) - seen == set()


def test_every_document_that_the_code_names_exists() -> None:
    sources = [
        path for folder in ("src", "tests") for path in (ROOT / folder).rglob("*.*") if path.suffix in (".py", ".sh")
    ]
    named = {
        (name, path.name)
        for path in [*sources, ROOT / "pyproject.toml"]
        for name in re.findall(r"\bdocs/[a-z/-]+\.(?:md|txt)\b", path.read_text())
    }
    assert {item for item in named if not (ROOT / item[0]).exists()} == set()


def named_tests() -> set[tuple[str, str]]:
    """Return (file, test) as the guarantees name them."""
    return set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "guarantees.md").read_text()))


def test_every_test_that_the_guarantees_name_exists() -> None:
    named = named_tests()
    assert len(named) > 20
    assert [item for item in sorted(named) if f"def {item[1]}(" not in (ROOT / item[0]).read_text()] == []


def test_every_fault_test_is_in_the_guarantees() -> None:
    files = [f"tests/machine/test_{name}.py" for name in MATRIX] + ["tests/agent/test_main_cf.py"]
    written = {
        (file, test) for file in files for test in re.findall(r"^def (test_\w+)\(", (ROOT / file).read_text(), re.M)
    }
    assert sorted(written - named_tests()) == []


def examples() -> Iterator[tuple[str, str]]:
    """Yield document and command line of each ``pfremote …`` that stands in an indented block."""
    for path in DOCUMENTS:
        for line in re.findall(r"^ {4}(?:\$ )?pfremote (.+)$", path.read_text(), flags=re.MULTILINE):
            if line.partition(" ")[0] != "COMMAND":
                yield str(path.relative_to(ROOT)), line


@pytest.mark.parametrize(("document", "line"), sorted(set(examples())))
def test_an_example_is_a_command_line_that_the_program_takes(document: str, line: str) -> None:
    words = shlex.split(re.sub(r" [|>].*$", "", line))
    command = importlib.import_module(f"pfremote.commands.{words[0]}").command
    context = click.Context(command, info_name=words[0], resilient_parsing=True)
    command.parse_args(context, words[1:])
    _, rest, _ = command.make_parser(click.Context(command)).parse_args(words[1:])
    takes = [item.nargs for item in command.params if isinstance(item, click.Argument)]
    assert -1 in takes or len(rest) <= len(takes)


def test_the_readmes_two_commands_exist() -> None:
    commands = re.findall(r"^    sh (scripts/\w+)$", (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    assert commands == ["scripts/demo", "scripts/test"]
    for name in commands:
        assert (ROOT / name).read_text().startswith("#!/bin/sh\n")
        assert os.access(ROOT / name, os.X_OK), f"{name} is not executable"


def test_the_readme_names_every_package_that_is_installed() -> None:
    text = (ROOT / "scripts" / "prepare").read_text()
    wanted = " ".join(
        re.findall(r"packages='([^']*)'", text) + re.findall(r'packages="\$packages ([^"]*)"', text)
    ).split()
    readme = (ROOT / "README.md").read_text()
    assert [name for name in wanted if not name.startswith("python3") and name not in readme] == []


def test_the_changelog_and_the_version_agree() -> None:
    newest = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)[0]
    assert newest in (pfremote.__version__, "Unreleased")
    if newest == "Unreleased":
        assert f"Will be {pfremote.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_the_recorded_demo_is_one_that_went_well() -> None:
    text = (ROOT / "docs" / "demo.txt").read_text()
    assert text.endswith("the same, byte for byte\n")
    before, after = re.findall(r"^sha256 of main\.cf (?:before|after) +([0-9a-f]{64})$", text, flags=re.MULTILINE)
    assert before == after
    assert "C: AUTH PLAIN [redacted: password of alice]" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("scene", [scene for scene in SCENES if scene.columns], ids=lambda scene: scene.name)
def test_a_recorded_screen_fits_its_terminal_and_cuts_no_word(scene: Scene) -> None:
    screen, pipe = ((ROOT / "docs" / "screens" / f"{name}.txt").read_text() for name in (scene.name, "pipe"))
    plain = _MARK.sub("", screen) if scene.styled else screen
    lines = [line for line in plain.splitlines() if not line.startswith("$ ")]
    assert max(map(measure, lines)) <= scene.columns
    for text in (plain, pipe):
        assert text.count("\n(exit ") == text.count("$ pfremote ") == len(scene.commands)
        assert "\nmx1  ready\n" in text and "RECAP" in text
        assert "\x1b" not in text
    known = re.compile(r"[a-z]+\.[a-z-]+:|\[(?:proven|likely)\]|answered:|auth-failed;|queued;|rejected;|UTC")
    assert sorted(set(known.findall(plain))) == sorted(set(known.findall(pipe)))


def test_colours_are_those_of_the_terminals_own_theme() -> None:
    """Neither black nor white, so that they can be read on dark and on light; and none where NO_COLOR is set."""
    coloured, plain = ((ROOT / "docs" / "screens" / f"80-{name}.txt").read_text() for name in ("colours", "no-colour"))
    styles = {word for mark in _MARK.findall(coloured) for word in mark.strip("<>").split()}
    assert {"bold", "red", "green"} <= styles <= {"bold", "dim", "red", "green", "yellow", "cyan", "magenta", "blue"}
    assert not _MARK.findall(plain)


#: A mark of tests.support.screen where a style begins or ends.
_MARK = re.compile(r"<(?:(?:bold|dim|black|red|green|yellow|blue|magenta|cyan|white)(?: \w+)*)?>")


def test_comments_and_pages_say_who_does_what() -> None:
    """Plain English: the client, the guard, another operator; words for no one in particular hide who acts."""
    vague = re.compile(r"\b(?:whoever|somebody|everybody|anybody|nobody)\b(?!\|)", re.IGNORECASE)
    #: A user of that name, as hosts have it.
    names = {"src/pfremote/pseudonyms/shapes.py", "src/pfremote/maillog/redact/inline_tables.py"}
    pages = [*(ROOT / "src").rglob("*.py"), *(ROOT / "src").rglob("*.sh"), *(ROOT / "docs").rglob("*.md")]
    pages += [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    found = {
        str(page.relative_to(ROOT)): words
        for page in pages
        if (words := vague.findall(page.read_text())) and str(page.relative_to(ROOT)) not in names
    }
    assert not found
