"""A large log is looked through by several processes: what they find is what one would find."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from pfremote.maillog.looks import FirstLook, LoginLook, Look, NameLook, Seen, Words
from pfremote.run.log_files import Source
from pfremote.run.scan import LogScan

PART = 4096
LINE = b"Nov 24 10:00:%02d mx postfix/smtpd[%d]: %s\n"
LONG = b"Nov 24 10:00:00 mx postfix/smtpd[3]: warning: " + b"x" * 3 * PART + b"\n"


def write_log(path: Path) -> Source:
    """Write a log of more than one part for each process, with lines longer than a part, and an end without a line end."""
    lines = [
        LINE % (at % 60, at % 37, b"connect from a%d.example.net[192.0.2.%d]" % (at, at % 250)) for at in range(2000)
    ]
    lines[900:900] = [LONG, LINE % (1, 5, b'fatal: parameter "x": no'), LONG]
    lines[1500] = LINE % (2, 7, b"3A1B2C3D4E: client=a[192.0.2.7], sasl_method=PLAIN, sasl_username=ann")
    path.write_bytes(b"".join(lines)[:-1])
    return Source("log", str(path))


def gather(found: list[Seen]) -> tuple[list[tuple[int, int, bytes]], int, int, set[str]]:
    lines: list[tuple[int, int, bytes]] = []
    before = length = 0
    hosts: set[str] = set()
    for seen in found:
        lines += ((before + number, length + place, line) for number, place, line in seen.lines)
        before, length, hosts = before + seen.total, length + seen.length, hosts | seen.hosts
    return lines, before, length, hosts


LOOKS: dict[str, Look] = {
    "words": FirstLook(Words((b"a1999.example.net",))),
    "names": NameLook.of([b"postfix/smtpd[%d]" % pid for pid in range(5)] + [b"3A1B2C3D4E"]),
    "many names": NameLook.of(b"%010X" % name for name in (*range(20), 0x3A1B2C3D4E)),
    "logins": LoginLook(frozenset([b"192.0.2.7"])),
}


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")  # the test runner has threads
@pytest.mark.parametrize("name", LOOKS)
def test_parts_are_what_one_process_finds(name: str, tmp_path: Path) -> None:
    source = write_log(tmp_path / "mail.log")
    told: list[int] = []
    alone, together = (gather(list(LogScan(source, told.append, [], part=part)(LOOKS[name]))) for part in (2**30, PART))
    assert together == alone
    assert alone[0] and alone[1] == 2003
    assert told[-1] == len((tmp_path / "mail.log").read_bytes() + b"\n")


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_look_that_is_enough_ends_the_others(tmp_path: Path) -> None:
    source = write_log(tmp_path / "mail.log")
    found = LogScan(source, lambda _done: None, [], part=PART)(LOOKS["words"])
    assert next(found).total
    found.close()  # type: ignore[attr-defined]


def test_a_packed_log_is_read_from_its_beginning(tmp_path: Path) -> None:
    source = write_log(tmp_path / "mail.log")
    packed = tmp_path / "mail.log.gz"
    packed.write_bytes(gzip.compress((tmp_path / "mail.log").read_bytes()))
    look = LOOKS["words"]
    plain, unpacked = (
        gather(list(LogScan(one, lambda _done: None, [], part=PART)(look)))
        for one in (source, Source("log", str(packed)))
    )
    assert plain == unpacked
