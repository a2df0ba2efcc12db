"""A name that was typed without its inventory: said to be that before a resolver is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from pfremote.cli import main
from pfremote.options.hosts import HostOptions
from pfremote.run.forgotten import suggest_name


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


INI = "[mail]\nmx1\n\n[mail:children]\nedge\n\n[edge]\nmx2\n"
YML = "all: {children: {mail: {hosts: {mx1: }}, edge: {hosts: {mx2: }}}}\n"


@pytest.mark.parametrize(
    ("place", "text"),
    [("hosts", INI), ("inventory.yml", YML), ("inventory/hosts.ini", INI), ("inventories/prod/hosts.yml", YML)],
)
def test_a_forgotten_inventory_is_said_before_a_name_is_looked_up(
    place: str, text: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / place).parent.mkdir(parents=True, exist_ok=True)
    (here / place).write_text(text)
    assert main(["status", "edge"]) == 2
    said = capsys.readouterr().err
    assert f"edge is a group of the inventory {place}, and none is given" in said
    assert f"Add -i {place}" in said
    assert main(["status", "edge", "--list-hosts", "-i", place]) == 0
    assert capsys.readouterr().out == "mx2\n"
    assert main(["status", "edge", "--list-hosts", "--no-inventory-check"]) == 0


def test_a_playbook_whose_hosts_are_a_forgotten_group(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "hosts").write_text(INI)
    (here / "play.yml").write_text("- hosts: edge\n  debug: {peers: [192.0.2.7]}\n")
    assert main(["run", "play.yml", "--list-hosts"]) == 2
    assert "edge is a group of the inventory hosts, and none is given" in capsys.readouterr().err


def test_a_host_of_ssh_config_is_no_forgotten_group(here: Path, isolated_environment: Path) -> None:
    (here / "hosts").write_text(INI)
    folder = isolated_environment / ".ssh"
    folder.mkdir()
    (folder / "config").write_text("Include conf.d/*\nHost *.example.jp\n")
    (folder / "conf.d").mkdir()
    (folder / "conf.d" / "mail").write_text("Host edge other\n  HostName 192.0.2.1\n")
    assert main(["status", "edge", "--list-hosts"]) == 0


@pytest.mark.parametrize(
    "text", ["#!/bin/sh\ntouch ran\n", "plugin: aws\n", "\x00\xff", "all: [edge\n", "edge " * 300_000]
)
def test_what_lies_here_and_is_no_inventory_is_left_alone(text: str, here: Path) -> None:
    path = here / "inventory"
    path.write_text(text, encoding="latin-1")
    path.chmod(0o755 if text.startswith("#!") else 0o644)
    assert main(["status", "edge", "--list-hosts"]) == 0
    assert not (here / "ran").exists()


def test_a_name_that_does_not_resolve_is_compared_with_what_is_known(here: Path, isolated_environment: Path) -> None:
    (isolated_environment / ".ssh").mkdir()
    known = "[mx1.example.jp]:2222,192.0.2.1 ssh-ed25519 AAAA\n|1|x|y ssh-ed25519 AAAA\n"
    (isolated_environment / ".ssh" / "known_hosts").write_text(known)
    (here / "hosts").write_text("[submission]\nsub1\n")
    options = HostOptions()
    assert suggest_name(options, "ops@mx1.exmaple.jp").startswith("Did you mean mx1.example.jp? ")
    assert suggest_name(options, "submision").startswith("Did you mean submission? ")
    assert suggest_name(options, "sub1").startswith("sub1 is in the inventory hosts: add -i hosts. ")
    assert suggest_name(options, "elsewhere").startswith("A group, or a host of an inventory, is known with -i")
    assert suggest_name(HostOptions(inventory=("hosts",)), "elsewhere") == ""


def test_a_name_that_ssh_config_has_is_not_suggested_for_itself(here: Path, isolated_environment: Path) -> None:
    assert here
    (isolated_environment / ".ssh").mkdir()
    (isolated_environment / ".ssh" / "config").write_text("Host mx1\n  User ops\nHost mx2\n  HostName 192.0.2.2\n")
    told = suggest_name(HostOptions(), "mx1")
    assert told == "mx1 is in ssh_config; see what HostName it gets there with: ssh -G mx1 | grep hostname\n"
