"""The same inventories read by us and by ansible-core give the same groups, hosts, variables and choices."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pfremote import cli
from pfremote.errors import ConfigError
from pfremote.inventory import load_inventory
from tests.support.ansible import find_ansible, make_environment

Write = Callable[[dict[str, str]], Path]


ANSIBLE = find_ansible()
pytestmark = pytest.mark.skipif(ANSIBLE is None, reason="no ansible-inventory on PATH or in PFREMOTE_ANSIBLE_BIN")

YAML = """
all:
  vars:
    ansible_user: ops
    level: all
  hosts:
    lonely.example.jp:
  children:
    mx:
      hosts:
        mx[01:04:1].example.jp:
          rank: 1
        mx02.example.jp:
          ansible_port: 2222
          level: host
        edge[a:c].example.jp:
      vars:
        level: mx
        numbers: [1, 2.5, true, null, "text", {deep: [1]}]
    prod:
      children:
        mx:
        relay:
          hosts:
            relay.example.jp:2200:
            "[2001:db8::1]:2022":
          vars: {level: relay, ansible_group_priority: 5}
      vars: {level: prod, only_prod: "yes", words: yes}
    alpha:
      vars: {level: alpha, tie: alpha}
      hosts: {mx01.example.jp: , mx03.example.jp: }
    beta:
      vars: {level: beta, tie: beta}
      hosts:
        mx01.example.jp:
    gamma:
      vars: {tie: gamma, ansible_group_priority: 0}
      hosts: mx01.example.jp
    empty:
"""

INI = """
# hosts before any section
bare.example.jp ansible_port=22 note="two words" # comment
; another comment

[mx]
mx[1:3].example.jp:2222 weight=5 flag=True tags="['a', 1]"
mx1.example.jp weight=7
mx[a:c]-[01:02].example.jp

[mx:vars]
level = mx
number=012
plain = some text = with equal
quoted = 'single'
dictionary = {"a": 1}

[site:children]
mx
dovecot

[dovecot]
imap.example.jp ansible_host=192.0.2.9
mx1.example.jp

[site:vars]
level=site
ansible_group_priority=10

[ungrouped]
spare.example.jp
"""

VARS = {
    "hosts.yml": (
        "all: {children: {web: {hosts: {w1: {a: inline}, w2: }, vars: {a: web, b: web}}, db: {hosts: {w1: }}}}"
    ),
    "group_vars/all.yml": "{a: all-file, b: all-file, c: all-file}",
    "group_vars/web/10-first": "b: first\nd: first\n",
    "group_vars/web/20-second.yaml": "d: second\n",
    "group_vars/web/ignored.txt": "d: text\n",
    "group_vars/web/.hidden.yml": "d: hidden\n",
    "group_vars/web/deep/more.json": '{"e": [1, 2]}',
    "group_vars/db.yml": "c: db-file\n",
    "group_vars/db.yaml": "c: never\n",
    "host_vars/w1.yml": "a: host-file\n",
    "host_vars/w2": "{f: 1}",
}

PROGRAM = """#!/bin/sh
cat <<'END'
{"mx": {"hosts": ["m1", "m2"], "vars": {"v": 1}, "children": ["sub"]},
 "sub": {"hosts": ["m3"]},
 "list": ["m4"],
 "_meta": {"hostvars": {"m1": {"ansible_host": "192.0.2.1"}, "m4": {}}}}
END
"""

#: Hosts made by one plugin, grouped by another that builds on them.
GENERATOR = """
plugin: ansible.builtin.generator
hosts:
  name: "{{ kind }}-{{ n }}"
  parents: [{name: "{{ kind }}", vars: {kind: "{{ kind }}"}}]
layers: {kind: [mx, submission], n: [a, b]}
"""
CONSTRUCTED = "plugin: ansible.builtin.constructed\nstrict: true\ngroups: {first: inventory_hostname.endswith('a')}\n"

CASES: dict[str, tuple[dict[str, str], list[str]]] = {
    "yaml": ({"hosts.yml": YAML}, ["hosts.yml"]),
    "yaml without extension": ({"hosts": YAML}, ["hosts"]),
    "ini": ({"hosts.ini": INI}, ["hosts.ini"]),
    "ini without extension": ({"hosts": INI}, ["hosts"]),
    "variable files": (VARS, ["hosts.yml"]),
    "a folder": (
        {
            "10.yml": YAML,
            "20.ini": INI,
            "readme.md": "no",
            "old.bak": "no",
            ".hidden": "no",
            "group_vars/mx": "z: 1\n",
        },
        ["."],
    ),
    "two sources": (
        {
            "one/a.yml": "all: {children: {g: {hosts: {h1: {v: 1}, h2: }}}}",
            "one/group_vars/g": "where: one\nfirst: 1\n",
            "two/b.ini": "[g]\nh2 v=2\nh1 v=2\n[k:children]\ng\n[k:vars]\nx=1",
            "two/group_vars/g": "where: two\n",
            "two/group_vars/k": "where: k\n",
        },
        ["one/a.yml", "two/b.ini"],
    ),
    "a list": ({}, ["n1,n2:2222,[2001:db8::2]:22,"]),
    "a program": ({"hosts.sh": PROGRAM}, ["hosts.sh"]),
    "json": (
        {"hosts.json": '{"all": {"children": {"g": {"hosts": {"h1": {"v": [1, {"w": 2}]}}}}}}'},
        ["hosts.json"],
    ),
    "a plugin": ({"hosts.yml": GENERATOR}, ["hosts.yml"]),
    "a plugin that builds on others": (
        {"10-hosts.yml": YAML, "20-made.yml": GENERATOR, "30-groups.yml": CONSTRUCTED, "group_vars/first": "z: 1\n"},
        ["."],
    ),
    "toml": ({"hosts.toml": "[mx]\nhosts.h1.ansible_port = 2222\nhosts.h2 = {}\nvars.x = 1\n"}, ["hosts.toml"]),
}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_files(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            if text.startswith("#!"):
                path.chmod(0o755)
        return tmp_path

    return write_files


def _run(program: str, *arguments: str, folder: Path) -> str:
    assert ANSIBLE is not None
    argv = [str(ANSIBLE / program), *arguments]
    done = subprocess.run(
        argv, cwd=folder, env=make_environment(folder), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _sources(names: list[str], folder: Path) -> list[str]:
    return [name if "," in name else str(folder / name) for name in names]


@pytest.mark.parametrize("case", CASES)
def test_list_is_the_same(case: str, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{ANSIBLE}:{os.environ['PATH']}")
    files, names = CASES[case]
    folder = write(files)
    sources = _sources(names, folder)
    options = [word for source in sources for word in ("-i", source)]
    theirs = json.loads(_run("ansible-inventory", *options, "--list", folder=folder))
    ours = json.loads(json.dumps(load_inventory(sources).as_listing()))
    for listing in (theirs, ours):
        listing["_meta"].pop("profile", None)
    assert ours == theirs


@pytest.mark.parametrize("case", ["yaml", "ini", "two sources", "a program"])
def test_the_variables_of_each_host_are_the_same(
    case: str, write: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", f"{ANSIBLE}:{os.environ['PATH']}")
    files, names = CASES[case]
    folder = write(files)
    sources = _sources(names, folder)
    options = [word for source in sources for word in ("-i", source)]
    for host in load_inventory(sources).select("all")[:3]:
        theirs = _run("ansible-inventory", *options, "--host", host.name, folder=folder)
        assert cli.main(["inventory", *options, "--host", host.name]) == 0
        assert capsys.readouterr().out == theirs
    assert cli.main(["inventory", *options, "--host", "no-such-host"]) == 2


@pytest.mark.parametrize("case", ["yaml", "ini", "two sources", "a program"])
def test_graph_is_the_same(case: str, write: Write) -> None:
    files, names = CASES[case]
    folder = write(files)
    sources = _sources(names, folder)
    options = [word for source in sources for word in ("-i", source)]
    assert load_inventory(sources).as_graph() == _run("ansible-inventory", *options, "--graph", folder=folder).rstrip()


@pytest.mark.parametrize(
    ("pattern", "limit"),
    [
        ("all", None),
        ("*", None),
        ("mx", None),
        ("mx:&prod:!mx02.example.jp", None),
        ("prod,!mx", None),
        ("!mx", None),
        ("&alpha", None),
        ("mx*", None),
        ("*.example.jp", None),
        ("mx0?.example.jp", None),
        ("mx0[13].example.jp", None),
        ("~mx0[2-4]|edgea", None),
        ("mx[0]", None),
        ("mx[-1]", None),
        ("mx[1:3]", None),
        ("mx[2:]", None),
        ("alpha:beta", None),
        ("beta:alpha", None),
        ("ungrouped", None),
        ("relay", None),
        ("all", "alpha:!beta"),
        ("mx", "@chosen"),
        ("mx[0:3]", "mx[1:9]"),
        ("localhost", None),
    ],
)
def test_patterns_choose_the_same_hosts_in_the_same_order(
    pattern: str, limit: str | None, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write({"hosts.yml": YAML, "chosen": "mx03.example.jp\nedgeb.example.jp\nmx01.example.jp\n"})
    monkeypatch.chdir(folder)
    options = ["-i", "hosts.yml", "--list-hosts", *(["-l", limit] if limit else [])]
    theirs = [line.strip() for line in _run("ansible", pattern, *options, folder=folder).splitlines()[1:]]
    ours = [target.name for target in load_inventory(["hosts.yml"]).select(pattern, limit)]
    assert theirs
    assert ours == theirs


def test_their_listing_is_an_inventory_of_ours(write: Write) -> None:
    folder = write({"hosts.yml": YAML})
    text = _run("ansible-inventory", "-i", str(folder / "hosts.yml"), "--list", folder=folder)
    (folder / "listing.json").write_text(text)
    again = load_inventory([folder / "listing.json"])
    first = load_inventory([folder / "hosts.yml"])
    assert {t.name: (t.host, t.port, t.user) for t in again.select("all")} == {
        t.name: (t.host, t.port, t.user) for t in first.select("all")
    }


def test_what_ansible_cannot_read_either_is_an_error(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{ANSIBLE}:{os.environ['PATH']}")
    folder = write({"hosts.yml": "plugin: no.such.plugin\n"})
    with pytest.raises(ConfigError, match="ended with status 1") as caught:
        load_inventory([folder / "hosts.yml"])
    assert f"-i {folder / 'hosts.yml'} --list" in caught.value.hint
