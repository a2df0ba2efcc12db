"""The command line that a run records: names of variables, and no secret."""

from __future__ import annotations

import pytest

from pfremote.options.recorded_command import record_command


@pytest.mark.parametrize(
    ("typed", "recorded"),
    [
        (["-e", "hook=https://hooks.example.net/T0/Gr4nite77"], ["-e", "hook=****"]),
        (["-e", "db_pw=Bas4lt88", "-e", "a=1"], ["-e", "db_pw=****", "-e", "a=****"]),
        (["-eapi_key=Gr4nite77"], ["-eapi_key=****"]),
        (["-vehook=Gr4nite77"], ["-vehook=****"]),
        (["--extra-vars=x=Gr4nite77"], ["--extra-vars=x=****"]),
        (["--extra-vars", "x=Gr4nite77 y=Bas4lt88"], ["--extra-vars", "x=****"]),
        (["-e", '{"pw": "Gr4nite77"}'], ["-e", "****"]),
        (["-e", "Gr4nite77"], ["-e", "****"]),
        (["-e", "@secrets.yml"], ["-e", "@secrets.yml"]),
        (["-e"], ["-e"]),
        (["debug", "mx1", "--peer", "a.example.jp"], ["debug", "mx1", "--peer", "a.example.jp"]),
        (["--json", "--become"], ["--json", "--become"]),
        (
            ["--reason", "see https://me:Gr4nite77@wiki.example.jp/"],
            ["--reason", "see https://me:****@wiki.example.jp/"],
        ),
        (["password=Gr4nite77"], ["password=****"]),
    ],
)
def test_only_names_are_recorded(typed: list[str], recorded: list[str]) -> None:
    """Case A6-command-line-values and others of its kind."""
    assert record_command(typed) == recorded
