"""Turn what the schema finds wrong into errors with file, line and path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from pfremote.errors import ConfigError, ConfigErrors
from pfremote.playbook.schema import Play
from pfremote.playbook.tree import Place, Tree

#: Keys of other programs' playbooks -> what to do here.
_FOREIGN = {
    "tasks": "A pfremote playbook says what to debug, below debug:; it runs no tasks.",
    "pre_tasks": "A pfremote playbook says what to debug, below debug:; it runs no tasks.",
    "post_tasks": "A pfremote playbook says what to debug, below debug:; it runs no tasks.",
    "handlers": "A pfremote playbook says what to debug, below debug:; it runs no tasks.",
    "roles": "A pfremote playbook says what to debug, below debug:; it has no roles.",
    "vars_prompt": "Give the value on the command line: -e NAME=VALUE.",
    "remote_user": "Set ansible_user in the inventory, or give -u NAME.",
    "user": "Set ansible_user in the inventory, or give -u NAME.",
    "port": "Set ansible_port in the inventory.",
    "connection": "Set ansible_connection in the inventory: ssh or local.",
    "become": "Set ansible_become in the inventory, or give -b.",
    "become_user": "Set ansible_become_user in the inventory, or give --become-user NAME.",
    "become_method": "Set ansible_become_method in the inventory; sudo is the only one here.",
    "gather_facts": "Leave it out: a host is looked at in any case.",
    "gather_subset": "Leave it out: a host is looked at in any case.",
    "tags": "Leave it out; --limit chooses hosts, and a file of its own holds a play that is run alone.",
    "strategy": "Leave it out; serial: says how many hosts go together.",
    "throttle": "Write serial: for hosts at a time, or give --forks N.",
    "order": "Leave it out: hosts go in the order of the inventory.",
    "environment": "Leave it out: nothing of it reaches a host.",
    "ignore_errors": "Leave it out; max_fail_percentage: says how many hosts may fail.",
    "ignore_unreachable": "Leave it out; max_fail_percentage: says how many hosts may fail.",
    "no_log": "Leave it out: secrets are masked in any case.",
    "check_mode": "Give --check on the command line.",
    "diff": "Give --diff on the command line.",
    "timeout": "Give --timeout N on the command line.",
    "collections": "Leave it out: a pfremote playbook uses none.",
    "module_defaults": "Leave it out: a pfremote playbook runs no modules.",
    "import_playbook": "Name the playbooks one after the other, each in a run of its own.",
    "ansible.builtin.import_playbook": "Name the playbooks one after the other, each in a run of its own.",
    "peers": "It belongs below debug:.",
    "peer": "Write peers: below debug:.",
    "minutes": "It belongs below debug:.",
    "level": "It belongs below debug:.",
    "stop_after": "It belongs below debug:.",
    "guard": "It belongs below debug:.",
}
_WANTED = {
    "model_type": ("a mapping is wanted here", "Write KEY: VALUE below it, indented."),
    "dict_type": ("a mapping is wanted here", "Write NAME: VALUE below it, indented."),
    "list_type": ("a list is wanted here", "Write one item a line, each after a dash."),
    "too_short": ("this list is empty", "Write at least one item."),
}


def explain(details: Iterable[ErrorDetails], tree: Tree, above: Place) -> list[ConfigError]:
    """Return one error for each finding of the schema below ``above``, in the order of their lines."""
    errors = [_explain_one(item, tree, above) for item in details]
    return sorted(errors, key=lambda error: error.line or 0)


def raise_all(errors: Iterable[ConfigError]) -> None:
    """Raise them together, if there are any.

    Raises:
        ConfigErrors: more than one. ConfigError: exactly one.
    """
    found = tuple(errors)
    if len(found) == 1:
        raise found[0]
    if found:
        raise ConfigErrors(found)


def _explain_one(item: ErrorDetails, tree: Tree, above: Place) -> ConfigError:
    inner = tuple(part for part in item["loc"] if part != "[key]")
    place = (*above, *inner)
    kind = item["type"]
    if kind == "extra_forbidden":
        return tree.error(f"there is no key {inner[-1]}", place, _suggest(inner))
    if kind == "missing":
        return tree.error(f"{inner[-1]} is missing", place, _DESCRIBE.get(str(inner[-1]), "Add it."))
    if kind in _WANTED:
        return tree.error(_WANTED[kind][0], place, _WANTED[kind][1])
    context: Mapping[str, Any] = item.get("ctx") or {}
    return tree.error(str(context.get("message", item["msg"])), place, str(context.get("hint", "")))


_DESCRIBE = {
    "hosts": "Add hosts: with a host, group or pattern.",
    "debug": "Add debug: with peers: below it.",
    "peers": "Add peers: with an address, network or name.",
}


def _suggest(inner: Place) -> str:
    known = list(_find_section(inner[:-1]).model_fields)
    key = str(inner[-1])
    if len(inner) == 1 and key in _FOREIGN:
        return _FOREIGN[key]
    close = get_close_matches(key, known, n=1)
    return f"Did you mean {close[0]}?" if close else "Known are: " + ", ".join(known) + "."


def _find_section(inner: Place) -> type[BaseModel]:
    """Return the section of the schema that stands at a place."""
    section: type[BaseModel] = Play
    for part in inner:
        if isinstance(part, str):
            section = _section_of(section.model_fields[part].annotation) or section
    return section


def _section_of(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section_of(part))), None)
