"""``when``: the facts, the version test, and what is neither true nor false."""

from __future__ import annotations

import pytest

from pfremote.errors import UsageError
from pfremote.inventory.values import Origin
from pfremote.model.facts import Facts
from pfremote.playbook import Values
from pfremote.playbook.condition import FACTS, describe_facts, find_false, read_condition
from pfremote.playbook.templates import layer

HOST = Facts(
    version="3.7.11",
    config_directory="/etc/postfix",
    main_cf="/etc/postfix/main.cf",
    running=True,
    log="file:/var/log/mail.log",
    guards=("systemd", "cron"),
    parameters={},
    myhostname="mx1.example.jp",
)


def decide(*conditions: str, facts: Facts = HOST, **variables: object) -> str:
    values = Values(layer(variables, lambda name: Origin("test", None, name)))
    return find_false([read_condition(text) for text in conditions], values, describe_facts(facts))


def test_the_facts_are_those_that_are_documented() -> None:
    assert describe_facts(HOST).keys() == FACTS.keys()


@pytest.mark.parametrize(
    "condition",
    [
        "version is version('3.6', '>=')",
        "version is version('3.10', '<')",
        "version is version('3.7.11')",
        "version is version('3.7', 'gt') and version is version('4', 'lt')",
        "version is not version('3.7.12', '==')",
        "'systemd' in guards and running",
        "myhostname.endswith('.example.jp')",
        "log == 'journal' or log.startswith('file:')",
        "config_directory == '/etc/postfix'",
        "site == 'tokyo'",
        "missing is not defined",
        "enabled | bool",
        "true",
    ],
)
def test_a_condition_that_holds(condition: str) -> None:
    assert decide(condition, site="tokyo", enabled="yes") == ""


def test_the_first_condition_that_is_false_is_named() -> None:
    assert decide("running", "version is version('4', '>=')", "nosuch") == "version is version('4', '>=')"
    assert decide("enabled | bool", enabled="no") == "enabled | bool"


def test_facts_go_before_variables_of_the_same_name() -> None:
    assert decide("version == '3.7.11'", version="1") == ""


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("nosuch == 1", "nosuch is not set"),
        ("nosuch", "nosuch is not set"),
        ("enabled", "neither true nor false but 'false'"),
        ("guards", "neither true nor false"),
        ("version is version('3.6', '~')", "'~' is none of"),
        ("version is version('new')", "is no version"),
        ("myhostname | bool", "neither true nor false"),
        ("1 / 0 == 1", "cannot be rendered"),
        ("guards.append('x')", "cannot be rendered"),
    ],
)
def test_what_cannot_be_decided_is_an_error(condition: str, message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("|", r"\|")):
        decide(condition, enabled="false")


@pytest.mark.parametrize(
    "text", ["", "   ", None, 5, ["a"], "version is", "a b", "{{ running }}", "running }}", "a) or (b"]
)
def test_what_is_no_condition_is_refused_when_it_is_read(text: object) -> None:
    with pytest.raises(UsageError):
        read_condition(text)
