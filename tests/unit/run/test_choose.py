"""The hosts of a run: whom the inventory cannot serve is refused by itself, and what is said then."""

from __future__ import annotations

from pathlib import Path

import pytest

from pfremote.errors import ConfigError, ConfigErrors, UsageError
from pfremote.options.hosts import HostOptions
from pfremote.run.choose import Chosen, choose_hosts

FOREIGN = "ansible_connection=winrm"


def choose(folder: Path, inventory: str, *patterns: str, **options: object) -> Chosen:
    (folder / "hosts").write_text(inventory)
    return choose_hosts(HostOptions(inventory=(str(folder / "hosts"),), **options), patterns)  # type: ignore[arg-type]


def test_a_host_that_cannot_be_used_is_refused_and_the_others_are_served(tmp_path: Path) -> None:
    chosen = choose(tmp_path, f"mx1\nmx2 {FOREIGN}\nmx3 {FOREIGN}\n", "all")
    assert [target.refusal is None for target in chosen.targets] == [True, False, False]
    refusal = chosen.targets[1].refusal
    assert refusal is not None and "winrm" in refusal.message
    assert refusal.hint.endswith("Leave them out with: --limit 'all:!mx2:!mx3'")


def test_of_many_that_are_refused_twelve_are_named(tmp_path: Path) -> None:
    many = "".join(f"web{number} {FOREIGN}\n" for number in range(20))
    chosen = choose(tmp_path, f"mx1\n{many}", "all")
    refusal = chosen.targets[-1].refusal
    assert refusal is not None
    assert "Leave out this host and 19 more: --limit 'all:!web0:" in refusal.hint
    assert refusal.hint.count(":!") == 12


def test_where_no_host_can_be_used_the_errors_are_told_each_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors) as several:
        choose(tmp_path, f"mx1 {FOREIGN}\nmx2 ansible_connection=docker\n", "all")
    assert len(several.value.errors) == 2
    with pytest.raises(ConfigError, match="winrm"):
        choose(tmp_path, f"[mail]\nmx1\nmx2\n[mail:vars]\n{FOREIGN}\n", "all")


@pytest.mark.parametrize(("limit", "more"), [(None, ""), ("mx1:!mx1", " with --limit mx1:!mx1")])
def test_that_no_host_is_left_names_the_limit(limit: str | None, more: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        choose(tmp_path, "mx1\n", "mx1" if limit else "mx1:!mx1", limit=limit)
    assert raised.value.message == f"no host matches {'mx1' if limit else 'mx1:!mx1'}{more}"
