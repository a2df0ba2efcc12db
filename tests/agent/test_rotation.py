"""The log is rotated while a window is open: renamed, cut, packed or not. No line may be lost."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pfremote.loopback import traffic
from tests.support.agent import LEASE, HostAgent

PACKERS = {"gz": ["gzip"], "xz": ["xz"], "zst": ["zstd", "-q", "--rm"]}
Rotate = Callable[[HostAgent, int], None]


def pack(path: Path, how: str) -> None:
    subprocess.run([*PACKERS[how], str(path)], check=True)


def move(agent: HostAgent, number: int) -> None:
    """Do what logrotate does without copytruncate: another name, then the writer opens a new file."""
    log = agent.host.maillog
    for old in range(8, 0, -1):
        for path in log.parent.glob(f"{log.name}.{old}*"):
            path.rename(path.with_name(path.name.replace(f".{old}", f".{old + 1}", 1)))
    log.rename(log.with_name(f"{log.name}.1"))
    subprocess.run(["postfix", "-c", str(agent.host.config_directory), "reload"], check=True, capture_output=True)
    time.sleep(0.5)  # postlogd writes to the old file until it has heard of it


def move_and_pack(how: str) -> Rotate:
    def rotate(agent: HostAgent, number: int) -> None:
        move(agent, number)
        time.sleep(0.3)  # whoever had the old file open has written its last line
        pack(agent.host.maillog.with_name(f"{agent.host.maillog.name}.1"), how)

    return rotate


def copy_and_cut(agent: HostAgent, number: int) -> None:
    log = agent.host.maillog
    shutil.copy2(log, log.with_name(f"{log.name}-2026112{number}"))
    with log.open("r+b") as file:
        file.truncate()


def copy_cut_and_pack(agent: HostAgent, number: int) -> None:
    copy_and_cut(agent, number)
    pack(agent.host.maillog.with_name(f"{agent.host.maillog.name}-2026112{number}"), "gz")


def postfix_logrotate(agent: HostAgent, number: int) -> None:
    """postfix(1), "postfix logrotate": name with a time stamp, reload, gzip. The stamp has seconds."""
    if number > 1:
        time.sleep(1.1)
    subprocess.run(["postfix", "-c", str(agent.host.config_directory), "logrotate"], check=True, capture_output=True)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    "rotate",
    [
        move,
        move_and_pack("gz"),
        move_and_pack("xz"),
        move_and_pack("zst"),
        copy_and_cut,
        copy_cut_and_pack,
        postfix_logrotate,
    ],
    ids=[
        "rename",
        "rename-gz",
        "rename-xz",
        "rename-zst",
        "copytruncate",
        "copytruncate-gz",
        "postfix-logrotate",
    ],
)
def test_nothing_is_lost_when_the_log_is_rotated_in_the_window(
    dash_agent: HostAgent, rotate: Rotate, times: int
) -> None:
    agent = dash_agent
    agent.arm(seconds=600)
    traffic.deliver(agent.host, sender="before@client.example.jp")
    with traffic.hold_session(agent.host) as session:
        session.docmd("NOOP", "in-the-old-file")
        for number in range(1, times + 1):
            rotate(agent, number)
            session.docmd("NOOP", f"after-rotation-{number}")
            time.sleep(0.1)
    traffic.deliver(agent.host, sender="after@client.example.jp")
    agent.ask("revert", f"lease={LEASE}")
    reply = agent.ask("collect", f"lease={LEASE}")
    assert reply.every("missing") == ()
    assert reply.one("complete") == "yes"
    evidence = reply.payloads["evidence"].decode()
    words = ["NOOP in-the-old-file", *(f"NOOP after-rotation-{number}" for number in range(1, times + 1))]
    for word in (*words, "from=<before@client.example.jp>", "from=<after@client.example.jp>"):
        assert evidence.count(f"{word}\n") + evidence.count(f"{word},") >= 1, word
    assert evidence.count("]: < localhost[127.0.0.1]: ehlo ") == 3
    assert evidence.count("disconnect from localhost[127.0.0.1]") == 3


def test_a_file_that_was_cut_and_grew_again_is_seen_to_be_another(dash_agent: HostAgent) -> None:
    agent = dash_agent
    agent.arm(seconds=600)
    traffic.fail_auth_over_starttls(agent.host)
    agent.host.wait_for_log("disconnect from")
    copy_and_cut(agent, 1)
    size = (agent.host.maillog.parent / "mail.log-20261121").stat().st_size
    while agent.host.maillog.stat().st_size < 2 * size:
        traffic.fail_auth_over_starttls(agent.host)
    agent.ask("revert", f"lease={LEASE}")
    evidence = agent.ask("collect", f"lease={LEASE}").payloads["evidence"].decode()
    assert evidence.count("]: connect from") == evidence.count("]: disconnect from") >= 3


def test_a_log_that_is_gone_is_said_to_be_missing(dash_agent: HostAgent) -> None:
    agent = dash_agent
    agent.arm(seconds=600)
    traffic.fail_auth_over_starttls(agent.host)
    move(agent, 1)
    (agent.host.maillog.parent / "mail.log.1").unlink()
    traffic.fail_auth_over_starttls(agent.host)
    agent.ask("revert", f"lease={LEASE}")
    reply = agent.ask("collect", f"lease={LEASE}")
    assert reply.one("complete") == "no"
    assert [value.split()[0] for value in reply.every("missing")] == ["rotated"]
    assert b"disconnect from" in reply.payloads["evidence"]


def test_following_goes_on_through_a_rotation(dash_agent: HostAgent) -> None:
    agent = dash_agent
    agent.arm(seconds=600)
    lines: list[str] = []
    position: list[str] = []
    with traffic.hold_session(agent.host) as session:
        for number, rotate in enumerate((None, move, move_and_pack("gz"), copy_and_cut)):
            if rotate is not None:
                rotate(agent, number)
            session.docmd("NOOP", f"step-{number}")
            reply = agent.ask("tail", f"lease={LEASE}", *position)
            position = [f"position={reply.one('position')}"]
            lines += reply.payloads["lines"].decode().splitlines()
    heard = [line.partition(": NOOP ")[2] for line in lines if "]: < " in line and "NOOP" in line]
    assert heard == [f"step-{number}" for number in range(4)]


def test_the_source_is_named_and_a_host_without_a_log_is_refused(dash_agent: HostAgent) -> None:
    agent = dash_agent
    agent.arm(seconds=600)
    agent.ask("revert", f"lease={LEASE}")
    assert agent.ask("collect", f"lease={LEASE}").one("source") == f"file:{agent.host.maillog}"
    agent.ask("forget", f"lease={LEASE}")
    text = agent.host.main_cf.read_text().replace(f"maillog_file = {agent.host.maillog}", "maillog_file = /dev/stdout")
    agent.host.main_cf.write_text(text)
    run = agent.arm()
    assert run.exit_status == 3
    assert run.reply is not None and "no-log" in [reason.code for reason in run.reply.refusals]
