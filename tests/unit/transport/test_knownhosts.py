"""known_hosts lines, read and written, with ssh-keygen's format as the measure."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from pfremote.transport.knownhosts import Status, append_key, judge, name_host, read_known_keys

KEY = b"\0\0\0\x0bssh-ed25519" + b"k" * 36
OTHER = b"\0\0\0\x0bssh-ed25519" + b"o" * 36
TEXT = base64.b64encode(KEY).decode()
OTHER_TEXT = base64.b64encode(OTHER).decode()


def judge_line(tmp_path: Path, text: str, name: str = "mx1.example.jp") -> Status:
    """Return what one file says about KEY."""
    path = tmp_path / "known_hosts"
    path.write_text(text)
    return judge(read_known_keys([path], name), KEY).status


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", Status.UNKNOWN),
        (f"mx1.example.jp ssh-ed25519 {TEXT}", Status.KNOWN),
        (f"MX1.example.jp\tssh-ed25519\t{TEXT} a comment", Status.KNOWN),
        (f"# mx1.example.jp ssh-ed25519 {TEXT}", Status.UNKNOWN),
        (f"mx2,mx1.example.jp,10.0.0.1 ssh-ed25519 {TEXT}", Status.KNOWN),
        (f"*.example.jp ssh-ed25519 {TEXT}", Status.KNOWN),
        (f"mx?.example.jp ssh-ed25519 {TEXT}", Status.KNOWN),
        (f"mx[1].example.jp ssh-ed25519 {TEXT}", Status.UNKNOWN),
        (f"*.example.jp,!mx1.example.jp ssh-ed25519 {TEXT}", Status.UNKNOWN),
        (f"mx1.example.jp ssh-ed25519 {OTHER_TEXT}", Status.CHANGED),
        (f"mx1.example.jp ssh-ed25519 {OTHER_TEXT}\nmx1.example.jp ssh-ed25519 {TEXT}", Status.KNOWN),
        (f"@revoked * ssh-ed25519 {TEXT}\nmx1.example.jp ssh-ed25519 {TEXT}", Status.REVOKED),
        (f"@revoked * ssh-ed25519 {OTHER_TEXT}", Status.UNKNOWN),
        (f"@cert-authority * ssh-ed25519 {TEXT}", Status.UNKNOWN),
        ("mx1.example.jp ssh-ed25519 not-base64!", Status.UNKNOWN),
        ("mx1.example.jp ssh-ed25519", Status.UNKNOWN),
        (f"|1|x|y ssh-ed25519 {TEXT}", Status.UNKNOWN),
        (f"|1| ssh-ed25519 {TEXT}", Status.UNKNOWN),
    ],
)
def test_lines(tmp_path: Path, text: str, status: Status) -> None:
    assert judge_line(tmp_path, text) is status


def test_the_deciding_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"# one\n\nmx1 ssh-ed25519 {OTHER_TEXT}\n")
    verdict = judge(read_known_keys([tmp_path / "missing", path], "mx1"), KEY)
    assert verdict.by is not None
    assert (verdict.by.file, verdict.by.line) == (path, 3)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    assert judge_line(tmp_path, f"mx1.example.jp ssh-ed25519 {OTHER_TEXT}\n") is Status.CHANGED
    assert judge_line(tmp_path, f"# x\nmx1.example.jp ssh-ed25519 {TEXT}\n") is Status.KNOWN


@pytest.mark.parametrize("hashed", [False, True])
def test_a_line_is_added_whole_to_a_file_that_ends_anyhow(tmp_path: Path, hashed: bool) -> None:
    path = tmp_path / "new" / "known_hosts"
    append_key(path, "[mx1]:2222", "ssh-ed25519", KEY, hashed=hashed)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.write_bytes(path.read_bytes().rstrip() + b"\n# no final newline")
    append_key(path, "mx2", "ssh-ed25519", KEY, hashed=hashed)
    assert len(path.read_text().splitlines()) == 3
    for name in ("[mx1]:2222", "mx2"):
        assert judge(read_known_keys([path], name), KEY).status is Status.KNOWN
    assert ("mx2" in path.read_text()) is not hashed


def test_names() -> None:
    assert name_host("MX1", 22) == "mx1"
    assert name_host("2001:db8::1", 2222) == "[2001:db8::1]:2222"
    assert name_host("mx1", 2222, alias="Mail") == "mail"
