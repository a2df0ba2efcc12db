"""How many programs the agent starts: on two cores that arm ten hosts at once, that is most of what an arm costs."""

from __future__ import annotations

import shutil
import stat
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.agent import LEASE, HostAgent

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
#: As many as the shortest wait for a log or a watcher takes; a slow machine takes more.
_NAPS = "sleep"


@pytest.fixture
def started(dash_agent: HostAgent) -> Path:
    """Return the file into which every program that the agent starts writes its name."""
    folder = dash_agent.host.root / "counting"
    folder.mkdir()
    folders = [place for place in map(Path, _PATH.split(":")) if place.is_dir()]
    names = {program.name for place in folders for program in place.iterdir()}
    for name in names:
        program = shutil.which(name, path=_PATH)
        if program is None or name in ("sh", "dash"):
            continue
        wrapper = folder / name
        wrapper.write_text(f'#!/bin/sh\necho {name} >>{folder}.log\nexec {program} "$@"\n')
        wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    return folder.with_name(f"{folder.name}.log")


def _count(agent: HostAgent, started: Path, verb: str, *arguments: str) -> Counter[str]:
    """Run one verb; return what it started, without naps."""
    started.unlink(missing_ok=True)
    counting = replace(agent, patches=((f"PATH={_PATH}", f"PATH={started.with_suffix('')}:{_PATH}"),))
    assert counting.ask(verb, *arguments).outcome == "ok"
    return Counter(name for name in started.read_text().split() if name != _NAPS)


def test_a_probe_asks_postconf_once(dash_agent: HostAgent, started: Path) -> None:
    programs = _count(dash_agent, started, "probe", "peer=127.0.0.1")
    assert programs["postconf"] == 1, programs
    assert programs.total() <= 10, programs


def test_an_arm_asks_postconf_and_waits_for_the_disk_as_often_as_it_must(dash_agent: HostAgent, started: Path) -> None:
    words = (f"lease={LEASE}", "seconds=60", "peer=127.0.0.1", "guard=process", "volatile=yes")
    programs = _count(dash_agent, started, "arm", *words)
    # what there is, the change, a look at it, and the watcher's own question
    assert programs["postconf"] <= 4, programs
    # the baseline; the lease; what is swapped in, with all that belongs to it; the swap
    assert programs["sync"] == 4, programs
