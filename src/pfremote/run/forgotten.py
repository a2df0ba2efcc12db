"""What was probably meant where a host is named without an inventory: a group of one that lies here, a name like it."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from pfremote.errors import UsageError
from pfremote.inventory.plain import list_names, list_plain_files, read_plainly
from pfremote.inventory.ranges import split_login
from pfremote.inventory.ssh_names import list_aliases, list_ssh_names
from pfremote.options.hosts import HostOptions

#: How inventories are usually called, in the folder that the operator is in; of a folder its files.
PLACES = (
    *("inventory", "inventory.yml", "inventory.yaml", "inventory.ini", "hosts", "hosts.yml", "hosts.yaml", "hosts.ini"),
    *("inventories", "/etc/ansible/hosts"),
)


class ForgottenError(UsageError):
    """What was typed is a group of an inventory, and none was given."""


def refuse_forgotten(names: Iterable[str], options: HostOptions) -> None:
    """Complain of a name that is a group of an inventory that lies here, before it is looked up as a host.

    A name that ssh_config has is a host, and with ``--no-inventory-check`` every name is.

    Raises:
        ForgottenError: one is a group.
    """
    if options.no_inventory_check:
        return
    for name in names:
        source = _find_group(name)
        if source and name not in list_aliases(_ssh_config(options)):
            raise ForgottenError(
                f"{name} is a group of the inventory {source}, and none is given",
                hint=f"Add -i {source}; if it is a host, add --no-inventory-check.",
            )


def suggest_name(options: HostOptions, name: str) -> str:
    """Return what to say of a name that does not resolve: where it is, one like it, or that none is known."""
    if options.inventory:
        return ""
    login = split_login(name)
    name = login[1] if login else name
    if place := _find_host(name):
        return f"{name} is in the inventory {place}: add -i {place}. "
    if name in list_aliases(_ssh_config(options)):
        asked = shlex.join(["ssh", "-G", *(["-F", options.ssh_config] if options.ssh_config else []), name])
        return f"{name} is in ssh_config; see what HostName it gets there with: {asked} | grep hostname\n"
    others = [known for known in _known_names(options) if known != name]
    near = difflib.get_close_matches(name, others, n=1, cutoff=0.75)
    meant = f"Did you mean {near[0]}? " if near else ""
    return f"{meant}A group, or a host of an inventory, is known with -i INVENTORY only. "


def _ssh_config(options: HostOptions) -> Path:
    return Path(options.ssh_config) if options.ssh_config else Path.home() / ".ssh" / "config"


def _known_names(options: HostOptions) -> Iterator[str]:
    yield from list_ssh_names(options.ssh_config)
    yield from (name for name, _ in list_names(PLACES))


def _find_host(name: str) -> str:
    """Return the inventory here that has a host of this name."""
    return next((place for place in PLACES if (name, "host") in list_names((place,))), "")


def _find_group(name: str) -> str:
    """Return the inventory here that has a group of this name; the text is searched before it is understood."""
    for place in PLACES:
        for path in list_plain_files(Path(place)):
            if name.encode() in path.read_bytes() and name in read_plainly(path).groups:
                return str(path)
    return ""
