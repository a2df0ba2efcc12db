"""One function says which part of a request becomes which word on the wire."""

from __future__ import annotations

import inspect
from dataclasses import fields, replace

import pytest

from pfremote import tasks
from pfremote.agent.arguments import describe_arm, describe_probe
from pfremote.agent.protocol import encode_request
from pfremote.model.request import DebugRequest
from pfremote.postfix.peers import parse_peers

PEERS, _ = parse_peers(["192.0.2.5,client.example.jp", "inline:{a=x, b=x}"])
REQUEST = DebugRequest(PEERS, seconds=600)
#: Another value for each field that is not of the peers.
OTHERS: dict[str, object] = {
    "seconds": 60,
    "level": 1,
    "smtpd_tls": 0,
    "smtp_tls": 1,
    "lmtp_tls": 2,
    "allow_content": True,
    "all_peers": True,
    "volatile_guard": True,
    "guard": "cron",
    "log": "none",
    "stop_after": 3,
    "max_log": 1,
    "min_free": 0,
    "drain": 5,
    "owner": "ops",
    "origin": "desk",
    "reason": "ticket 7",
}


def _words(request: DebugRequest) -> set[str]:
    return set(encode_request("arm", **describe_arm(request, request.patterns, lease="0123456789ab")))


def test_every_part_of_a_request_is_tried_here() -> None:
    assert {field.name for field in fields(DebugRequest)} == {*OTHERS, "peers", "mistakes"}


@pytest.mark.parametrize("name", OTHERS)
def test_every_part_of_a_request_reaches_the_host(name: str) -> None:
    changed = _words(replace(REQUEST, **{name: OTHERS[name]})) - _words(REQUEST)  # type: ignore[arg-type]
    assert len(changed) == 1
    assert changed.pop().partition("=")[2] == ("yes" if OTHERS[name] is True else str(OTHERS[name]))


def test_a_peer_is_a_word_of_its_own_for_probe_and_arm_alike() -> None:
    expected = ["peer=192.0.2.5", "peer=client.example.jp", "peer=inline:{a=x, b=x}"]
    assert encode_request("probe", **describe_probe(REQUEST))[1:] == expected
    assert [
        word for word in encode_request("arm", **describe_arm(REQUEST, REQUEST.patterns, lease="a")) if "peer=" in word
    ] == expected


def test_the_task_arm_has_a_parameter_for_every_part() -> None:
    parameters = set(inspect.signature(tasks.arm.body).parameters)  # type: ignore[attr-defined]
    known = {"peers": "peer", "volatile_guard": "volatile"}
    assert {known.get(field.name, field.name) for field in fields(DebugRequest)} - {"mistakes"} <= parameters
