"""Answers what ansible-core makes of inventories: one JSON request a line on stdin, one JSON answer a line on stdout.

This is run by the Python that has ansible-core, never imported; see :mod:`tests.support.ansible`.

Request: ``{"sources": [...], "choices": [[pattern, limit or null], ...]}``, and where wanted ``beside`` (the playbook's
folder), ``vault`` (the password) and ``names`` (variables to render). Answer: ``{"error": text}``, or
``{"listing": text, "graph": text, "rendered": {host: {name: text}}, "choices": [[[host, ...], ...], ...]}``: per choice the
one order of the hosts, or two where Ansible has several, or null where it refuses.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

# Before Ansible is imported, for it reads them then. A source that no plugin can read and a pattern that matches
# nothing are errors with us always, and with Ansible where it is told so.
os.environ["ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"] = "1"
os.environ["ANSIBLE_INVENTORY_UNPARSED_FAILED"] = "1"
os.environ["ANSIBLE_HOST_PATTERN_MISMATCH"] = "error"

from ansible.cli.inventory import InventoryCLI  # type: ignore[import-not-found]
from ansible.inventory.group import Group  # type: ignore[import-not-found]
from ansible.inventory.manager import InventoryManager  # type: ignore[import-not-found]
from ansible.parsing.dataloader import DataLoader  # type: ignore[import-not-found]
from ansible.parsing.vault import VaultSecret, VaultSecretsContext  # type: ignore[import-not-found]
from ansible.plugins.loader import init_plugin_loader  # type: ignore[import-not-found]
from ansible.template import Templar  # type: ignore[import-not-found]
from ansible.vars.hostvars import HostVars  # type: ignore[import-not-found]
from ansible.vars.manager import VariableManager  # type: ignore[import-not-found]

#: Group.get_hosts() walks over sets of groups, so that the order of what is below several children is that of the objects
#: in memory. Each choice is made with several orders; only where all agree is the order one that Ansible promises.
SALTS = range(24)
_salt = 0


def _hash_by_salt(group: Any) -> int:
    return hash(f"{_salt} {group.name}")  # of a tuple the low bits, which place it in a set, move together


def answer(cli: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Read the sources of one request, and return what Ansible makes of them."""
    loader = DataLoader()
    if "beside" in request:
        loader.set_basedir(request["beside"])
    if "vault" in request:
        secrets = [("default", VaultSecret(request["vault"].encode()))]
        loader.set_vault_secrets(secrets)
        if VaultSecretsContext.current(optional=True) is None:
            VaultSecretsContext.initialize(VaultSecretsContext(secrets))
    try:
        inventory = InventoryManager(loader=loader, sources=request["sources"])
        variables = VariableManager(loader=loader, inventory=inventory, version_info={})
        cli.loader, cli.inventory, cli.vm = loader, inventory, variables
        listing = cli.dump(cli.json_inventory(inventory.groups["all"]))
        graph = "\n".join(cli._graph_group(inventory.groups["all"]))
        rendered = _render(inventory, variables, loader, request.get("names", ()))
    except Exception as exc:  # noqa: BLE001 - whatever it is, Ansible ends with it
        return {"error": f"{type(exc).__name__}: {exc}"}
    return {
        "listing": listing,
        "graph": graph,
        "rendered": rendered,
        "choices": [_choose(inventory, pattern, limit) for pattern, limit in request["choices"]],
    }


def _render(inventory: Any, variables: Any, loader: Any, names: list[str]) -> dict[str, dict[str, str]]:
    """What each host's variables of these names come to, as texts."""
    variables._hostvars = HostVars(inventory, variables, loader)
    found: dict[str, dict[str, str]] = {}
    for host in inventory.get_hosts("all") if names else ():
        known = variables.get_vars(host=host)
        templar = Templar(loader=loader, variables=known)
        found[host.name] = {name: str(templar.template(known[name])) for name in names if name in known}
    return found


def _choose(inventory: Any, pattern: str, limit: str | None) -> list[list[str]] | None:
    global _salt
    parents = [group for group in inventory.groups.values() if group.child_groups and group.name != "all"]
    orders: list[list[str]] = []
    for _salt in SALTS if len(parents) > 1 else SALTS[:1]:
        for group in inventory.groups.values():
            group._hosts_cache = None
        inventory.clear_caches()
        try:
            inventory.subset(limit)
            # What `ansible --list-hosts` shows: CLI.get_host_list().
            names = [str(host) for host in inventory.list_hosts(pattern)]
        except Exception:  # noqa: BLE001 - the same
            return None
        if names not in orders:
            orders.append(names)
        if len(orders) > 1:
            break
    return orders


def main() -> None:
    """Answer until stdin ends."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what Ansible displays is no answer
    Group.__hash__ = _hash_by_salt
    init_plugin_loader()
    cli = InventoryCLI(["ansible-inventory", "--list", "-i", "none,"])
    cli.parse()
    for line in sys.stdin:
        print(json.dumps(answer(cli, json.loads(line))), file=out, flush=True)


if __name__ == "__main__":
    main()
