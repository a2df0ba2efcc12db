"""``pfremote schema``: JSON Schema that says of a file what the readers say, and what the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from pfremote import cli
from pfremote.errors import ConfigError, ConfigErrors
from pfremote.inventory import load_inventory
from pfremote.inventory.json_schema import inventory_schema
from pfremote.inventory.option_names import OPTIONS
from pfremote.inventory.option_values import read_option
from pfremote.playbook import parse_playbook
from pfremote.playbook.condition import FACTS
from pfremote.playbook.json_schema import playbook_schema
from tests.unit.playbook.test_playbook import FULL

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "reference" / "playbook.md"
PLAYBOOK = Draft202012Validator(playbook_schema())
INVENTORY = Draft202012Validator(inventory_schema())


@pytest.mark.parametrize("schema", [playbook_schema(), inventory_schema()])
def test_it_is_a_schema_of_the_newest_dialect(schema: dict[str, Any]) -> None:
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("what", ["playbook", "inventory"])
def test_the_command_prints_it(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["schema", what]) == 0
    assert json.loads(capsys.readouterr().out) == (playbook_schema() if what == "playbook" else inventory_schema())


@pytest.mark.parametrize("path", sorted((ROOT / "playbooks").glob("*.yml")), ids=lambda path: path.name)
def test_our_playbooks_are_valid(path: Path) -> None:
    PLAYBOOK.validate(yaml.safe_load(path.read_text()))
    parse_playbook(path.read_text(), str(path))


def test_our_inventory_is_valid() -> None:
    path = ROOT / "inventories" / "example.yml"
    INVENTORY.validate(yaml.safe_load(path.read_text()))
    assert load_inventory([path]).hosts


#: A play's text without hosts and debug, or one of its sections -> right or wrong.
PLAYS = {
    **dict.fromkeys(
        [
            "{}",
            "{serial: 2}",
            '{serial: "30%"}',
            '{serial: [1, "30%"]}',
            '{serial: "{{ n }}"}',
            "{when: running}",
            "{when: true}",
            "{when: [running, true]}",
            "{max_fail_percentage: 0}",
            '{max_fail_percentage: "30 %"}',
            "{any_errors_fatal: true}",
            "{confirm: really}",
            "{vars: {a: 1, b: [x], c: {d: e}}}",
            "{report: {format: html}}",
            "{report: {format: [txt, json]}}",
            "{collect: {main_cf: false}}",
            "{notify: {start: [{command: [a, 1]}]}}",
            "{notify: {failure: [{webhook: 'https://a.example.jp/', timeout: 3}]}}",
            "{debug: {peers: a, minutes: 90s}}",
            "{debug: {peers: a, minutes: '5'}}",
            "{debug: {peers: [a, b], minutes: 1h30m, max_log: 1G, min_free: 5, drain: 2m}}",
            "{debug: {peers: a, tls: {smtpd: 0}, stop_after: {sessions: 1}, guard: at}}",
            "{debug: {peers: '{{ peers }}', level: '{{ level }}', allow_content: '{{ deep }}'}}",
        ],
        True,
    ),
    **dict.fromkeys(
        [
            "{nosuch: 1}",
            "{serial: 0}",
            "{serial: -1}",
            "{serial: two}",
            "{serial: []}",
            "{serial: {a: 1}}",
            "{when: [[a]]}",
            "{when: 3}",
            "{max_fail_percentage: 101}",
            "{any_errors_fatal: maybe}",
            "{confirm: [a]}",
            "{vars: [a]}",
            "{vars: {ansible_user: root}}",
            "{vars: {a-b: root}}",
            "{report: {format: pdf}}",
            "{report: {}, collect: []}",
            "{notify: {start: {command: [a]}}}",
            "{notify: {start: [{command: a}]}}",
            "{notify: {start: [{}]}}",
            "{notify: {start: [{command: [a], webhook: 'https://a/'}]}}",
            "{notify: {start: [{webhook: 'ftp://a/'}]}}",
            "{debug: {}}",
            "{debug: {peers: []}}",
            "{debug: {peers: ''}}",
            "{debug: {peers: a, level: 0}}",
            "{debug: {peers: a, level: 4}}",
            "{debug: {peers: a, tls: {smtpd: 5}}}",
            "{debug: {peers: a, minutes: soon}}",
            "{debug: {peers: a, minutes: 0}}",
            "{debug: {peers: a, stop_after: 3}}",
            "{debug: {peers: a, max_log: lots}}",
            "{debug: {peers: a, min_free: 100}}",
            "{debug: {peers: a, guard: dog}}",
            "{debug: {peers: a, drain: 60}}",
            "{debug: {peers: a, drain: '60'}}",
            "{debug: {peers: a, allow_content: 1}}",
        ],
        False,
    ),
}


@pytest.mark.parametrize(("text", "right"), PLAYS.items())
def test_the_schema_and_the_reader_agree_on_a_play(text: str, right: bool) -> None:
    play = {"hosts": "mx", "debug": {"peers": "a"}, **yaml.safe_load(text)}
    assert PLAYBOOK.is_valid([play]) is right
    try:
        parse_playbook(yaml.safe_dump([play]), "play.yml")
    except (ConfigError, ConfigErrors):
        assert not right
    else:
        assert right


def test_the_schema_and_the_reader_agree_on_a_whole() -> None:
    assert PLAYBOOK.is_valid(yaml.safe_load(FULL))
    wrongs: list[object] = [[], {}, [{"hosts": "mx"}], [{"debug": {"peers": "a"}}], ["mx"], None]
    for wrong in wrongs:
        assert not PLAYBOOK.is_valid(wrong)


VALUES: dict[str, tuple[list[object], list[object]]] = {
    "pfremote_instance": (["postfix-out", "/etc/postfix"], [["a"], {}]),
    "pfremote_max_minutes": ([60, "90s", "1h"], [0, "soon", []]),
    "pfremote_log": (["journal", "file:/var/log/mail.log", "/var/log/mail.log"], ["syslog", 3]),
    "pfremote_helper": (["/usr/local/sbin/x"], ["x", 3]),
    "pfremote_agent": (["/usr/local/sbin/x"], ["x", 3]),
    "pfremote_host_key_checking": ([True, False, "no"], [[], 3]),
    "pfremote_guard": (["auto", "cron"], ["dog", 1]),
    "pfremote_min_free": ([15, "15%", "15"], [100, "lots"]),
    "pfremote_max_log": ([1000, "256M"], [0, "lots"]),
    "pfremote_drain": ([60, "60s"], [[], "soon"]),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_the_schema_and_the_reader_agree_on_a_variable_of_ours(name: str) -> None:
    right, wrong = VALUES[name]
    for value in right:
        assert INVENTORY.is_valid({"all": {"vars": {name: value}}}), value
        read_option(name, value)
    for value in wrong:
        assert not INVENTORY.is_valid({"all": {"hosts": {"mx1": {name: value}}}}), value
        with pytest.raises(ValueError, match="is"):
            read_option(name, value)


@pytest.mark.parametrize(
    ("content", "right"),
    [
        ({"all": None}, True),
        ({"all": {"hosts": "mx1"}}, True),
        ({"all": {"hosts": {"mx[1:3]": None}}}, True),
        ({"mx": {"children": {"tokyo": {"hosts": {"mx1": {"ansible_port": 22}}}}}}, True),
        ({"all": {"vars": {"anything": [1, {"a": 2}]}}}, True),
        ({"all": {"vars": {"pfremote_guard": "{{ guard }}"}}}, True),
        ({"all": {"host": {}}}, False),
        ({"all": {"vars": {"pfremote_max_minute": 5}}}, False),
        ({"all": {"hosts": {"mx1": {"pfremote_max_minute": 5}}}}, False),
        ({"all": {"hosts": ["mx1"]}}, False),
        ([], False),
    ],
)
def test_the_schema_and_the_reader_agree_on_an_inventory(content: object, right: bool, tmp_path: Path) -> None:
    assert INVENTORY.is_valid(content) is right
    path = tmp_path / "hosts.yml"
    path.write_text(yaml.safe_dump(content))
    try:
        load_inventory([path])
    except ConfigError:
        assert not right
    else:
        assert right


def schema_keys() -> set[str]:
    """Return every key of a playbook as the reference page writes it, such as ``debug.tls.smtpd``."""
    schema = playbook_schema()

    def walk(name: str, above: str) -> set[str]:
        found: set[str] = set()
        for key, item in schema["$defs"][name]["properties"].items():
            here = f"{above}{key}"
            found.add(here)
            if inner := re.search(r'"#/\$defs/(\w+)"', json.dumps(item)):
                found |= walk(inner[1], "hook." if inner[1] == "Hook" else f"{here}.")
        return found

    return walk("Play", "")


def test_the_page_has_every_key_and_no_other() -> None:
    written = set(re.findall(r"^\| `([a-z_.]+)` \|", PAGE.read_text(), flags=re.MULTILINE))
    assert written == schema_keys() | set(FACTS)


def test_every_key_has_a_description() -> None:
    for section in playbook_schema()["$defs"].values():
        assert section["description"]
        assert all(item.get("description") for item in section["properties"].values())


def test_the_examples_of_the_page_are_valid() -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        PLAYBOOK.validate(yaml.safe_load(block))
        parse_playbook(block, "page.yml")
