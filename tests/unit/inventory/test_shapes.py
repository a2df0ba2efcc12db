"""More than a hundred inventories in the shapes of public repositories: read, merged and rendered as ansible-core does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pfremote.inventory import Inventory, load_inventory
from pfremote.inventory.vault_keys import VaultKey, VaultKeys
from pfremote.model.secret import Secret
from tests.support.ansible import Oracle, find_ansible
from tests.support.shapes import PASSWORD, SHAPES, WORDS, Shape, Words

ANSIBLE = find_ansible()
pytestmark = pytest.mark.skipif(ANSIBLE is None, reason="no ansible-inventory on PATH or in PFREMOTE_ANSIBLE_BIN")

KEYS = VaultKeys([VaultKey("default", "the test", lambda: Secret(PASSWORD))])
NAMES = ("ansible_host", "ansible_ssh_host", "ansible_user", "ansible_port", "ansible_become_password")


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    assert ANSIBLE is not None
    living = Oracle(ANSIBLE, tmp_path_factory.mktemp("oracle"))
    yield living
    living.close()


def test_there_are_more_than_a_hundred() -> None:
    assert len(SHAPES) * len(WORDS) > 100


def write(shape: Shape, folder: Path) -> list[str]:
    for name, text in shape.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if text.startswith("#!") else 0o644)
    (folder / shape.beside).mkdir(parents=True, exist_ok=True)
    return [str(folder / source) for source in shape.sources]


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words.site)
@pytest.mark.parametrize("make", SHAPES, ids=lambda make: make.__name__)
def test_a_repository_is_read_as_ansible_reads_it(
    make: Callable[[Words], Shape], words: Words, oracle: Oracle, tmp_path: Path
) -> None:
    shape = make(words)
    sources = write(shape, tmp_path)
    choices: list[tuple[str, str | None]] = [("all", None), (f"{words.front}*:!*2*", None), ("all", f"~{words.front}")]
    beside = tmp_path / shape.beside
    theirs = oracle.ask(sources, choices, beside=str(beside), vault=PASSWORD, names=NAMES)
    assert "error" not in theirs
    inventory = load_inventory(sources, beside=[beside], keys=KEYS)
    compare_listing(inventory.as_listing(), json.loads(theirs["listing"]))
    assert inventory.as_graph() == theirs["graph"]
    ours = [try_choice(inventory, *choice) for choice in choices]
    for mine, orders in zip(ours, theirs["choices"], strict=True):
        assert mine == (orders and orders[0]) or (
            orders and len(orders) > 1 and sorted(mine or ()) == sorted(orders[0])
        )
    compare_targets(inventory, theirs["rendered"])


def compare_listing(ours: dict[str, object], theirs: dict[str, object]) -> None:
    """All but what we mask: passwords, and all that an encrypted file says."""
    mine, others = ours["_meta"], theirs["_meta"]
    assert isinstance(mine, dict) and isinstance(others, dict)
    for host, variables in mine["hostvars"].items():
        for name, value in variables.items():
            if value == "****":
                others["hostvars"][host][name] = "****"
    assert json.dumps(ours, sort_keys=True, default=str) == json.dumps(theirs, sort_keys=True)


def try_choice(inventory: Inventory, pattern: str, limit: str | None) -> list[str] | None:
    from pfremote.errors import UsageError

    try:
        return list(inventory.choose(pattern, limit))
    except UsageError:
        return None


def compare_targets(inventory: Inventory, rendered: dict[str, dict[str, str]]) -> None:
    for host, values in rendered.items():
        target = inventory.target(host)
        password = target.become_password.reveal() if target.become_password else None
        port = values.get("ansible_port")
        assert target.host == values.get("ansible_ssh_host", values.get("ansible_host", host))
        assert target.user == values.get("ansible_user")
        assert str(target.port or "None") == str(int(port) if port else None)
        assert password == values.get("ansible_become_password")
