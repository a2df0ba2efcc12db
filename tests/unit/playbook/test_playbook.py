"""Reading playbooks: what is accepted, and every mistake with its file, line and path."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pfremote.errors import ConfigError, ConfigErrors
from pfremote.inventory.values import Origin
from pfremote.playbook import Play, PlaySource, Values, parse_playbook
from pfremote.playbook.request import given_keys, make_request
from pfremote.playbook.scalars import BatchSize
from pfremote.playbook.templates import layer


def read(text: str) -> tuple[PlaySource, ...]:
    return parse_playbook(textwrap.dedent(text).lstrip("\n"), "night.yml")


def mistakes(text: str) -> list[str]:
    with pytest.raises((ConfigError, ConfigErrors)) as caught:
        read(text)
    exc = caught.value
    return [str(error) for error in (exc.errors if isinstance(exc, ConfigErrors) else (exc,))]


def variables(**values: object) -> Values:
    return Values(layer(values, lambda name: Origin("test", None, name)))


def fill(source: PlaySource, **values: object) -> Play:
    return source.fill(Values(source.variables, layer(values, lambda name: Origin("-e", None, name))))


def fill_host(source: PlaySource, **values: object) -> Play:
    return source.fill_host(Values(source.variables, layer(values, lambda name: Origin("-e", None, name))))


FULL = """
- name: all of it
  hosts: [mx, "!mx3"]
  vars: {peer: 192.0.2.40}
  instance: postfix-out
  serial: [1, "30%", 5]
  max_fail_percentage: 12.5
  any_errors_fatal: true
  debug:
    peers: ["{{ peer }}", 2001:db8::25]
    level: 3
    tls: {smtpd: 2, smtp: 0, lmtp: 1}
    minutes: 90s
    stop_after: {sessions: 7}
    max_log: 64M
    min_free: 20%
    allow_content: true
    all_peers: false
    guard: cron
    allow_volatile_guard: true
    drain: 2m
  when: ["running", "version is version('3.6', '>=')"]
  confirm: Is it agreed?
  reason: ticket 7
  collect: {main_cf: false, transcripts: true, keep_on_host: true}
  report: {format: [txt, json]}
  notify:
    start: [{command: [logger, -t, pfremote]}]
    finish: [{webhook: "https://hooks.example.jp/x", timeout: 5}]
    failure: [{command: [mail, ops]}, {webhook: "http://127.0.0.1:8080/"}]
"""


def test_every_key_arrives() -> None:
    (source,) = read(FULL)
    play, own = fill(source), fill_host(source)
    assert (play.name, play.hosts, play.confirm) == ("all of it", ["mx", "!mx3"], "Is it agreed?")
    assert play.serial == [BatchSize(1), BatchSize(30, percent=True), BatchSize(5)]
    assert (play.max_fail_percentage, play.any_errors_fatal) == (12.5, True)
    assert play.when == ["running", "version is version('3.6', '>=')"]
    assert (play.collect.main_cf, play.collect.transcripts, play.collect.keep_on_host) == (False, True, True)
    assert play.report.format == ["txt", "json"]
    assert play.notify.start[0].command == ["logger", "-t", "pfremote"]
    assert (play.notify.finish[0].webhook, play.notify.finish[0].timeout) == ("https://hooks.example.jp/x", 5)
    assert own.instance == "postfix-out"
    request = make_request(own.debug, owner="ops", origin="desk", reason=own.reason or "")
    assert request.patterns == ("192.0.2.40", "[2001:db8::25]")
    assert (request.seconds, request.level, request.stop_after, request.drain) == (90, 3, 7, 120)
    assert (request.smtpd_tls, request.smtp_tls, request.lmtp_tls) == (2, 0, 1)
    assert (request.max_log, request.min_free, request.guard) == (64 << 20, 20, "cron")
    assert (request.allow_content, request.all_peers, request.volatile_guard) == (True, False, True)
    assert (request.owner, request.origin, request.reason) == ("ops", "desk", "ticket 7")
    assert given_keys(own.debug) == {"guard", "max_log", "min_free", "drain"}


def test_the_least_that_is_needed_has_the_defaults_of_the_command_line() -> None:
    (source,) = read("- {hosts: mx, debug: {peers: 192.0.2.40}}")
    play, own = fill(source), fill_host(source)
    request = make_request(own.debug, owner="", origin="", reason="")
    assert (request.seconds, request.level, request.guard, request.drain) == (600, 2, "auto", 60)
    assert (request.smtpd_tls, request.stop_after) == (None, None)
    assert given_keys(own.debug) == frozenset()
    assert (play.serial, play.when, play.report.format) == ([], [], ["html", "md"])


def test_the_example_of_the_design() -> None:
    (source,) = read("""
        - name: SASL failures from one client
          hosts: submission
          serial: 2
          debug:
            peers: ["{{ peer }}"]
            level: 1
            tls: {smtpd: 1}
            minutes: 10
            stop_after: {sessions: 5}
          report: {format: [html, md]}
    """)
    assert fill_host(source, peer="192.0.2.40").debug.peers == ["192.0.2.40"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("  nmae: x", "[0].nmae: there is no key nmae"),
        ("  tasks: []", "[0].tasks: there is no key tasks"),
        ("  serial: 0", "[0].serial[0]: 0 is no batch size"),
        ("  serial: [1, 130%]", "[0].serial[1]: '130%' is no batch size"),
        ("  max_fail_percentage: 101", "[0].max_fail_percentage: 101 is no percentage"),
        ("  any_errors_fatal: perhaps", "[0].any_errors_fatal: 'perhaps' is neither true nor false"),
        ("  when: version is", "[0].when[0]: this condition cannot be understood: "),
        ('  when: "{{ running }}"', "[0].when[0]: a condition is an expression already"),
        ("  vars: [a]", "[0].vars: a mapping is wanted here"),
        ("  vars: {a-b: 1}", "[0].vars.a-b: 'a-b' is no variable name"),
        ("  vars: {pfremote_guard: at}", "[0].vars.pfremote_guard: pfremote_guard has no effect"),
        ("  vars: {version: 3}", "[0].vars.version: version is the name of a fact"),
        ("  instance: [a]", "[0].instance: a list is no text"),
        ("  collect: {logs: true}", "[0].collect.logs: there is no key logs"),
        ("  collect: yes", "[0].collect: a mapping is wanted here"),
        ("  report: {format: pdf}", "[0].report.format[0]: 'pdf' is none of html, md, txt, json"),
        ("  notify: {begin: []}", "[0].notify.begin: there is no key begin"),
        ("  notify: {start: [{command: mail ops}]}", "[0].notify.start[0].command: a list is wanted here"),
        ("  notify: {start: [{command: []}]}", "[0].notify.start[0].command: this list is empty"),
        ("  notify: {start: [{}]}", "[0].notify.start[0]: a hook is either a command or a webhook"),
        (
            "  notify: {start: [{webhook: 'file:///etc/passwd'}]}",
            "[0].notify.start[0].webhook: this is no http or https address",
        ),
        (
            "  notify: {start: [{webhook: 'https://me:secret@hooks.example.jp/'}]}",
            "[0].notify.start[0].webhook: there is a user or password in this address",
        ),
        ("  notify: {start: [{command: [x], timeout: 0}]}", "[0].notify.start[0].timeout: 0 is not"),
        ("  hosts: again", "[0].hosts: hosts is there twice"),
    ],
)
def test_a_mistake_in_a_play_is_named_with_its_line(line: str, message: str) -> None:
    (found,) = mistakes(f"- hosts: mx\n  debug: {{peers: a}}\n{line}\n")
    assert found.startswith(f"night.yml:3: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("levle: 1", "levle: there is no key levle"),
        ("level: 4", "level: 4 is not a whole number from 1 to 3"),
        ("level: true", "level: True is not a whole number"),
        ("level: 1.5", "level: 1.5 is not a whole number"),
        ("tls: {smtpd: 5}", "tls.smtpd: 5 is not a whole number from 0 to 4"),
        ("tls: {pop3: 1}", "tls.pop3: there is no key pop3"),
        ("minutes: soon", "minutes: 'soon' is not a duration"),
        ("minutes: 0", "minutes: '0' is no time at all"),
        ("stop_after: 5", "stop_after: a mapping is wanted here"),
        ("stop_after: {sessions: 0}", "stop_after.sessions: 0 is not a whole number from 1 on"),
        ("max_log: lots", "max_log: 'lots' is not a size"),
        ("min_free: 100", "min_free: '100' is not a percentage"),
        ("guard: dog", "guard: 'dog' is none of auto"),
        ("drain: 60", "drain: 60 lacks a unit"),
        ("allow_content: 2", "allow_content: 2 is neither true nor false"),
    ],
)
def test_a_mistake_in_the_debug_section_is_named_with_its_line(text: str, message: str) -> None:
    (found,) = mistakes(f"- hosts: mx\n  debug:\n    peers: a\n    {text}\n")
    assert found.startswith(f"night.yml:4: [0].debug.{message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "night.yml:1: a playbook is a list of plays"),
        ("hosts: mx", "night.yml:1: a playbook is a list of plays"),
        ("- hosts: [mx", "night.yml:"),
        ("- mx", "night.yml:1: [0]: a mapping is wanted here"),
        ("- hosts: mx\n", "night.yml:1: [0].debug: debug is missing"),
        ("- debug: {peers: a}\n", "night.yml:1: [0].hosts: hosts is missing"),
        ("- hosts: mx\n  debug: {}\n", "night.yml:2: [0].debug.peers: peers is missing"),
        ("- hosts: mx\n  debug: {peers: []}\n", "night.yml:2: [0].debug.peers: this list is empty"),
        ("- hosts: mx\n  debug: {peers: [a, {b: c}]}\n", "night.yml:2: [0].debug.peers[1]: a mapping"),
        ("- hosts: mx\n  debug: {peers: [!192.0.2.1]}\n", "night.yml:2: "),
        ("- &a\n  hosts: x\n  debug: {peers: x}\n  vars: {b: *a}\n", "night.yml:1: [0].vars.b: this part"),
    ],
)
def test_a_mistake_in_the_whole_is_named_with_its_line(text: str, message: str) -> None:
    (found,) = mistakes(text)
    assert found.startswith(message)


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines() -> None:
    found = mistakes("""
        - hosts: mx
          dbug: 1
          debug:
            peers: a
            level: 9
        - debug: {peers: b, drain: 1}
    """)
    assert [text.split(" ")[0] for text in found] == [
        "night.yml:2:",
        "night.yml:5:",
        "night.yml:6:",
        "night.yml:6:",
    ]


def test_a_near_miss_gets_the_right_word_as_hint() -> None:
    with pytest.raises(ConfigError) as caught:
        read("- {hosts: mx, debug: {peers: a}, any_error_fatal: true}")
    assert caught.value.hint == "Did you mean any_errors_fatal?"


def test_later_layers_win_and_keep_their_types() -> None:
    (source,) = read("""
        - hosts: mx
          vars: {level: 1, peers: [a, b], both: "{{ first }}-x", first: low, many: 3}
          debug:
            peers: ["{{ peers }}", "{{ both }}"]
            level: "{{ level }}"
            stop_after: {sessions: "{{ many + 1 }}"}
          reason: "for {{ first }}"
    """)
    assert fill_host(source).debug.peers == ["a", "b", "low-x"]
    own = fill_host(source, first="high", level="2")
    assert (own.debug.peers[2], own.debug.level, own.reason) == ("high-x", 2, "for high")
    assert own.debug.stop_after.sessions == 4


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "night.yml:2: [0].debug.peers: peer is not set"),
        ({"peer": "{{ peer }}"}, "peer needs itself"),
        ({"peer": ""}, "night.yml:2: [0].debug.peers[0]: '' is no text"),
        ({"peer": "{{ 1 / 0 }}"}, "cannot be rendered"),
        ({"peer": ["x", {"y": 1}]}, "night.yml:2: [0].debug.peers"),
        ({"peer": "{{ ''.__class__.__mro__ }}"}, "cannot be rendered"),
        ({"peer": "x\x00"}, "control character"),
    ],
)
def test_what_a_variable_brings_is_checked_where_it_is_used(values: Mapping[str, Any], message: str) -> None:
    (source,) = read('- hosts: mx\n  debug: {peers: "{{ peer }}"}\n')
    with pytest.raises((ConfigError, ConfigErrors)) as caught:
        fill_host(source, **values)
    assert message in str(caught.value)


def test_an_expression_has_no_way_out_of_the_sandbox() -> None:
    (source,) = read("""- {hosts: mx, debug: {peers: "{{ ''.__class__.__base__.__subclasses__() }}"}}""")
    with pytest.raises(ConfigError):
        fill_host(source)


def test_what_a_template_leaves_behind_is_no_template() -> None:
    (source,) = read("""- {hosts: mx, debug: {peers: a, level: "{{ '{' + '{' }}"}}""")
    with pytest.raises(ConfigError, match="is not a whole number"):
        fill_host(source)


def test_play_keys_know_play_variables_and_extra_ones_only() -> None:
    (source,) = read("""
        - name: "for {{ where }}"
          hosts: "{{ where }}"
          serial: "{{ batch }}"
          vars: {where: mx}
          debug: {peers: "{{ of_the_host }}"}
    """)
    play = fill(source, batch="30%")
    assert (play.name, play.hosts, play.serial) == ("for mx", ["mx"], [BatchSize(30, percent=True)])
    with pytest.raises(ConfigError, match=r"night.yml:3: \[0\].serial: batch is not set"):
        fill(source)


_KEYS = st.sampled_from(["name", "hosts", "debug", "serial", "when", "vars", "notify", "report", "peers", "tls", "x"])
_LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-5, 200), st.text("a{}%. 1", max_size=6), st.floats(0, 9))
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(_TREES)
def test_any_yaml_is_read_or_refused_with_a_line(tree: object) -> None:
    import yaml

    try:
        for source in parse_playbook(yaml.safe_dump(tree, allow_unicode=True), "any.yml"):
            source.fill(variables())
            source.fill_host(variables())
    except (ConfigError, ConfigErrors) as exc:
        for error in exc.errors if isinstance(exc, ConfigErrors) else (exc,):
            assert error.file == "any.yml"
            assert error.line
            assert error.message
