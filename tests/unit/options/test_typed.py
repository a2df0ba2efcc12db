"""Commands in hints are whole: pasted into a shell they reach the same hosts the same way."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from pfremote.cli import main
from pfremote.model.typed import TYPED, Typed


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_leads_to_the_hosts_is_typed_again() -> None:
    typed = Typed()
    typed.note(["mx", "!mx3"], [("-i", "hosts of mail.yml"), ("-u", "ops"), ("--instance", "a")], [("-l", "mx1")])
    assert typed.command("status", "mx1") == "pfremote status mx1 -i 'hosts of mail.yml' -u ops --instance a"
    assert typed.command("status", "mx1", "--instance", "b").endswith("-u ops --instance b")
    assert (
        typed.command_for_all("collect", "--lease", "1a2b3c4")
        == "pfremote collect mx '!mx3' -l mx1 -i 'hosts of mail.yml' -u ops --instance a --lease 1a2b3c4"
    )
    assert typed.show_inventory() == "pfremote inventory -i 'hosts of mail.yml' --graph"
    assert typed.name_host("Look with: pfremote status HOST", "mx2").endswith(
        "pfremote status mx2 " + "-i 'hosts of mail.yml' -u ops --instance a"
    )
    typed.forget()
    assert typed.command_for_all("status") == "pfremote status HOST"


def test_only_what_reaches_the_hosts_is_repeated_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["-i", "mx1,mx 2,", "-u", "ops", "-f", "3", "-bK", "--json", "--limit", "mx1", "-v"]
    variables = ["ansible_port=2222", "@vars.yml", "x_token=Gr4nite77", "ansible_become_password=Gr4nite77", "a=1"]
    assert main(["revert", "mx1", *words, *(word for value in variables for word in ("-e", value)), "--force"]) == 2
    hint = capsys.readouterr().err.splitlines()[-1].partition("see which with: ")[2]
    way = ["-i", "mx1,mx 2,", "-u", "ops", "-b", "-K", "-e", "ansible_port=2222", "-e", "@vars.yml"]
    assert shlex.split(hint) == ["pfremote", "status", "mx1", "-l", "mx1", *way]
    assert TYPED.command("status", "mx1") == "pfremote status mx1"  # nothing is left for the next command


def test_the_way_is_in_the_hint(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "hosts.ini").write_text("[mx]\nmx1\nmx2\n")
    assert main(["status", "web*", "-i", "hosts.ini", "-u", "ops"]) == 2
    hint = capsys.readouterr().err.splitlines()[-1]
    command = shlex.split(hint.partition("with: ")[2])
    assert command == ["pfremote", "inventory", "-i", "hosts.ini", "--graph"]
    assert main(command[1:]) == 0
    assert "@mx" in capsys.readouterr().out
