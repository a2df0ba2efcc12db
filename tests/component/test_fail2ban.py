"""fail2ban's own filters over what a window adds to a log: it bans no one who would not be banned without it."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.support.hosts import skip_or_fail

FIXTURES = Path(__file__).parents[1] / "fixtures"
#: What Postfix logs of a session without debugging; all else of smtpd, smtp and lmtp is what a window adds.
ORDINARY = re.compile(
    r"\]: (?:[0-9A-F]{6,12}: |(?:dis)?connect |NOQUEUE: |(?:warning|fatal|error|panic): |lost connection |timeout after "
    r"|\w+ TLS connection |SSL_\w+ error |improper |too many |statistics: |PREGREET|HANGUP|COMMAND |BARE |NON-SMTP)"
)
MODES = ("more", "normal", "auth", "rbl", "ddos", "extra", "errors", "aggressive")


@cache
def lines(*, added: bool) -> str:
    """Return the recorded lines that debugging added, or the others; equal but for numbers, each is there once."""
    kept: dict[str, str] = {}
    for path in sorted(FIXTURES.glob("*-postfix-3.*.log")):
        for line in path.read_text(errors="replace").splitlines():
            if "postfix/" in line and bool(ORDINARY.search(line)) != added:
                kept.setdefault(re.sub(r"[0-9A-F]{6,}|\d+", "0", line), line)
    return "".join(f"{line}\n" for line in kept.values())


def count_bans(folder: Path, log: str, rules: str) -> int:
    """Return how many lines a filter of fail2ban's package takes for an attack."""
    program = shutil.which("fail2ban-regex")
    if program is None:
        skip_or_fail("there is no fail2ban", variable="PFREMOTE_REQUIRE_FAIL2BAN")
    path = folder / "mail.log"
    path.write_text(log)
    argv = [str(program), "--usedns", "no", str(path), rules]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    found = re.search(r"Lines: \d+ lines, \d+ ignored, (\d+) matched", done.stdout)
    assert found, done.stdout + done.stderr
    return int(found[1])


@pytest.mark.parametrize("mode", MODES)
def test_the_lines_of_a_window_ban_no_one(mode: str, tmp_path: Path) -> None:
    assert count_bans(tmp_path, lines(added=True), f"postfix[mode={mode}]") == 0


def test_nor_do_they_with_the_filter_of_dovecot(tmp_path: Path) -> None:
    assert count_bans(tmp_path, lines(added=True), "dovecot") == 0


def test_the_same_filters_know_what_postfix_logs_anyway(tmp_path: Path) -> None:
    assert count_bans(tmp_path, lines(added=False), "postfix[mode=aggressive]") > 20
