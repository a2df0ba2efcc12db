"""What --help shows: sections in their order, each option in one, and nothing that is untrue of its default."""

from __future__ import annotations

import re

import click
import pytest

from pfremote.cli import group, main
from pfremote.commands import COMMANDS

TITLES = (
    "Whom to debug, and what is logged:",
    "When it ends:",
    "Results:",
    "Hosts and login, as in Ansible:",
    "Safety:",
)
#: The commands that contact hosts, and how many of the sections each has.
SECTIONED = {"debug": 5, "check": 5, "run": 4, "status": 3, "extend": 4, "revert": 4, "collect": 3, "bootstrap": 3}


def read_help(name: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert main([name, "--help"]) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(("name", "number"), SECTIONED.items())
def test_sections_stand_in_their_order(name: str, number: int, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line.strip() for line in read_help(name, capsys)]
    found = [lines.index(title) for title in TITLES if title in lines]
    assert len(found) == number and found == sorted(found)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_shown_once_and_explained(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = "\n".join(read_help(name, capsys))
    command = group.get_command(click.Context(group), name)
    assert command is not None
    options = [item for item in command.params if isinstance(item, click.Option) and item.opts]
    for option in options:
        if not option.hidden:
            words = ", ".join(sorted(option.opts, key=lambda word: word.startswith("--")))
            assert len(re.findall(rf"^ {{2,4}}{words}(?![\w-])", shown, re.M)) == 1, option.opts
            assert option.help or name in ("report", "explain"), option.opts


@pytest.mark.parametrize(
    ("section", "option"), [(1, "--min-free"), (1, "--drain"), (3, "--instance"), (4, "--guard"), (2, "--follow")]
)
def test_an_option_stands_where_it_belongs(section: int, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line.strip() for line in read_help("debug", capsys)]
    at = next(number for number, line in enumerate(lines) if line.startswith(option))
    assert max(number for number, title in enumerate(TITLES) if lines.index(title) < at) == section
