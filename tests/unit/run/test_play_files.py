"""``vars_files`` of a play: where they are looked for, which value wins, and what is said where one is missing."""

from __future__ import annotations

import pytest

from pfremote.errors import ConfigError, ConfigErrors
from tests.support.fake_fleet import FakeFleet, Outcome


def play(fleet: FakeFleet, files: str, peer: str = "'{{ peer }}'") -> Outcome:
    """Play one window on mx1; the peer is a variable."""
    return fleet.play(f"- {{hosts: mx1, vars_files: {files}, debug: {{peers: {peer}, minutes: 60s}}}}")


def planned_peers(outcome: Outcome) -> list[str]:
    (event,) = [event for event in outcome.events if event["event"] == "plan"]
    return list(event["peers"])


def test_the_folder_vars_goes_first_and_the_last_file_wins(fleet: FakeFleet) -> None:
    fleet.add()
    (fleet.folder / "vars").mkdir()
    (fleet.folder / "vars" / "peers.yml").write_text("peer: 192.0.2.1\n")
    (fleet.folder / "peers.yml").write_text("peer: 192.0.2.2\n")
    assert planned_peers(play(fleet, "[peers.yml]")) == ["192.0.2.1"]
    (fleet.folder / "more.yml").write_text("peer: 192.0.2.3\n")
    assert planned_peers(play(fleet, "[peers.yml, more.yml]")) == ["192.0.2.3"]
    assert planned_peers(play(fleet, "[more.yml, peers.yml]")) == ["192.0.2.1"]


def test_of_a_list_the_first_file_that_is_there(fleet: FakeFleet) -> None:
    fleet.add()
    (fleet.folder / "default.yml").write_text("peer: 192.0.2.4\n")
    outcome = play(fleet, "[['{{ inventory_hostname }}.yml', default.yml]]")
    assert planned_peers(outcome) == ["192.0.2.4"]
    (fleet.folder / "mx1.yml").write_text("peer: 192.0.2.5\n")
    outcome = play(fleet, "[['{{ inventory_hostname }}.yml', default.yml]]")
    assert planned_peers(outcome) == ["192.0.2.5"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ("[gone.yml]", r"play\.yml:1: .*vars_files\[0\]: there is no file gone\.yml"),
        ("[[gone.yml, lost.yml]]", r"there is no file gone\.yml or lost\.yml"),
        ("['{{ nowhere }}.yml']", r"vars_files\[0\]: .*nowhere"),
    ],
)
def test_a_file_that_is_not_there_is_named_with_its_place(files: str, said: str, fleet: FakeFleet) -> None:
    fleet.add()
    with pytest.raises((ConfigError, ConfigErrors), match=said):
        play(fleet, files, peer="192.0.2.7")
    assert fleet.net.asked == []
