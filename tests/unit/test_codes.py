"""The codes: one list of them, each in use, each in the documents, and the agent says no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pfremote
from pfremote import codes
from pfremote.agent import load_agent

SOURCE = Path(pfremote.__file__).parent
REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "exit-codes-and-events.md"

KINDS = (codes.HostCode, codes.PeerCode, codes.StateCode, codes.WindowCode, codes.AgentCode)
CODES = [code for kind in KINDS for code in get_args(kind)]


def _agent_codes() -> set[str]:
    script = load_agent().decode()
    said = set(re.findall(r"(?:refuse|warn|fail|die) ([a-z][a-z-]+) [\"'\\]", script))
    lacks = set(re.findall(r"(?:lack|loss|losses|missing)\w*=?[ \"']+([a-z-]+) [a-z]", script))
    losses = script.partition("\nevidence_losses() {")[2].partition("\nverbose_pids() {")[0]
    told = set(re.findall(r"(?:printf \S+ |tell\()\"([a-z]+(?:-[a-z]+)*)[\" ]", losses))
    assert {"rotated", "gap", "suppressed"} <= told, "the losses are written in another way now"
    return said | told | (lacks & set(CODES)) | {"internal"}


def test_no_code_is_listed_twice() -> None:
    assert len(CODES) == len(set(CODES))


def test_every_code_is_documented_and_no_other() -> None:
    section = REFERENCE.read_text().partition("### Codes\n")[2].partition("\n### ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert sorted(code for row in rows for code in re.findall(r"`([a-z-]+)`", row)) == sorted(CODES)


def test_every_code_of_the_agent_is_listed() -> None:
    assert _agent_codes() <= set(CODES)


def test_every_code_is_said_somewhere() -> None:
    texts = [path.read_text() for path in SOURCE.rglob("*.py") if path.name != "codes.py"]
    spoken = {code for text in texts for code in re.findall(r'"([a-z]+(?:-[a-z]+)*)"', text)}
    script = load_agent().decode()
    assert {code for code in CODES if code not in spoken and not re.search(rf"\b{code}\b", script)} == set()
