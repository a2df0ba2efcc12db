"""The sections in which ``--help`` shows the options of a command.

click_option_group wants the options of a group to be added one behind the other, and ours come in bundles that several
commands share; so a command hands all of its choices to :func:`sections`, which adds them in the order of the sections.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click_option_group import OptionGroup

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

WHOM = OptionGroup("Whom to debug, and what is logged")
ENDS = OptionGroup("When it ends")
RESULTS = OptionGroup("Results")
HOSTS = OptionGroup("Hosts and login, as in Ansible")
SAFETY = OptionGroup("Safety")

_ORDER = (WHOM, ENDS, RESULTS, HOSTS, SAFETY)


#: A function that completes a value for a shell; see options/complete.py.
Completer = Callable[[click.Context, click.Parameter, str], "list[CompletionItem[str]]"]


class Choice(NamedTuple):
    """One option and the section that it stands in."""

    section: OptionGroup
    words: Sequence[str]
    details: dict[str, Any]

    def completed(self, how: Completer) -> Choice:
        """Return the same option with this completion of its values."""
        return self._replace(details={**self.details, "shell_complete": how})

    def plain(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Add the option to a command that has no sections."""
        return click.option(*self.words, **self.details)(function)


def choice(section: OptionGroup, *words: str, **details: Any) -> Choice:
    """Return an option as ``click.option`` takes it, with its section."""
    return Choice(section, words, details)


def sections(*choices: Choice) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command these options, each in its section, in the order in which they are named."""

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        for item in sorted(reversed(choices), key=lambda item: -_ORDER.index(item.section)):
            function = item.section.option(*item.words, **item.details)(function)
        return function

    return add
