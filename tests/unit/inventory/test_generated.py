"""Generated inventories are read, and their hosts chosen, as ansible-core does it.

A failure shows the smallest inventory that differs. Other ones each run: ``--hypothesis-seed=N`` repeats a run.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from pfremote.errors import ConfigError, UsageError
from pfremote.inventory import Inventory, load_inventory
from pfremote.inventory.graph import LOCALHOST
from pfremote.inventory.patterns import split_pattern
from pfremote.inventory.ranges import is_ipv6, split_login
from tests.support.ansible import Oracle, find_ansible
from tests.support.inventories import Case, cases

ANSIBLE = find_ansible()
pytestmark = pytest.mark.skipif(ANSIBLE is None, reason="no ansible-inventory on PATH or in PFREMOTE_ANSIBLE_BIN")

#: Where we refuse what Ansible takes: the words of our error, and why. All else must be read by both or by neither.
STRICTER = {
    "the step of a range is a number from 1 on": "with a step of -1 Ansible counts down or finds no host, without a word",
    "a range goes from number to number or from letter to letter": "of [ab:cd] Ansible takes a to c",
    "is no priority": "from ansible-core 2.21 on an ansible_group_priority that is no number is a warning",
    "this is not JSON": "what is named .json is JSON here; Ansible tries YAML as well",
}
#: Where we read what Ansible refuses: the words of its error, and why.
LOOSER = {
    "is not JSON serializable": "Ansible reads it and uses it, and only fails to print it",
}
#: A range of host names in a pattern: with Ansible for inventories only.
_RANGE = re.compile(r"^[^~&!].*\[\w*:\w+(:[0-9]+)?\]")
#: Inventories of each kind, and how many of them at least both must have read; the others are wrong on purpose.
KINDS = {
    "yml": (80, 25),
    "ini": (120, 60),
    "json": (50, 30),
    "rough.ini": (80, 40),
    "sh": (50, 20),
    "several": (60, 10),
}

_numbers = itertools.count()


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    assert ANSIBLE is not None
    living = Oracle(ANSIBLE, tmp_path_factory.mktemp("oracle"))
    yield living
    living.close()


@pytest.mark.parametrize("kind", KINDS)
def test_generated_inventories_are_read_as_ansible_reads_them(
    kind: str, oracle: Oracle, tmp_path_factory: pytest.TempPathFactory
) -> None:
    examples, least = KINDS[kind]
    read: Counter[bool] = Counter()

    # Slow is only a machine with other things to do.
    @settings(
        derandomize=True,  # CI must not depend on luck; without it --hypothesis-seed looks further
        max_examples=examples,
        deadline=None,
        phases=set(Phase) - {Phase.explain},
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(case=cases(kind))
    def check(case: Case) -> None:
        read[_compare(case, oracle, tmp_path_factory.getbasetemp() / f"generated-{next(_numbers)}")] += 1

    check()
    assert read[True] >= least


def _compare(case: Case, oracle: Oracle, folder: Path) -> bool:
    """Compare all that there is to compare; tell whether both have read it."""
    sources = _write(case, folder)
    choices = [(pattern, limit and limit.replace("@", f"@{folder}/")) for pattern, limit in case.choices]
    theirs = oracle.ask(sources, choices)
    inventory = _load(sources)
    if isinstance(inventory, ConfigError):
        assert "error" in theirs or any(words in inventory.message for words in STRICTER), str(inventory)
        return False
    listing = inventory.as_listing()
    if any(words in theirs.get("error", "") for words in LOOSER) or _has_lost_host(listing, inventory):
        return False
    assert "error" not in theirs
    assert _canonical(json.dumps(listing)) == _canonical(theirs["listing"])
    assert inventory.as_graph() == theirs["graph"]
    for (pattern, limit), orders in zip(choices, theirs["choices"], strict=True):
        _compare_choice(inventory, pattern, limit, orders)
    return True


def _compare_choice(inventory: Inventory, pattern: str, limit: str | None, orders: list[list[str]] | None) -> None:
    ours = _choose(inventory, pattern, limit)
    if orders is None:
        assert ours is None or _names_outside(inventory, pattern, limit or "")
    elif ours == [] and orders == [[pattern]] and pattern in LOCALHOST:
        assert limit  # which Ansible forgets here
    elif len(orders) == 1:
        assert ours == orders[0]
    else:
        assert ours is not None
        # Ansible promises no order here (see ansible_oracle.py); which one is mx[0] is then open as well.
        assert "[" in f"{pattern}{limit}" or sorted(ours) == sorted(orders[0])


def _load(sources: list[str]) -> Inventory | ConfigError:
    try:
        inventory = load_inventory(sources)
        inventory.as_listing()  # which reads the files in host_vars and group_vars
    except ConfigError as exc:
        return exc
    return inventory


def _has_lost_host(listing: dict[str, object], inventory: Inventory) -> bool:
    """Where a host of no group has a group's name, Ansible puts that group into ``ungrouped`` and loses the host."""
    ungrouped = listing.get("ungrouped", {})
    assert isinstance(ungrouped, dict)
    return bool(set(ungrouped.get("hosts", ())) & set(inventory.groups))


def _write(case: Case, folder: Path) -> list[str]:
    for name, text in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, newline="")
        path.chmod(0o755 if text.startswith("#!") else 0o644)
    return [source if "," in source else str(folder / source) for source in case.sources]


def _canonical(text: str) -> str:
    """As text, for to Python 1, 1.0 and True are equal."""
    return json.dumps(json.loads(text), sort_keys=True, indent=1)


def _choose(inventory: Inventory, pattern: str, limit: str | None) -> list[str] | None:
    try:
        return [target.name for target in inventory.select(pattern, limit)]
    except UsageError:
        return None


def _names_outside(inventory: Inventory, *patterns: str) -> bool:
    """Tell whether a pattern has what Ansible has not: a host of no inventory, or IPv6 beside others, which it cuts up."""
    known = {*inventory.hosts, *inventory.groups}
    terms = [term for pattern in patterns for part in pattern.split(",") for term in split_pattern(part)]
    return any(
        is_ipv6(term.lstrip("&!")) or (term not in known and (split_login(term) is not None or _RANGE.search(term)))
        for term in terms
    )
