"""Write, start, ask and stop one private Postfix instance."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pfremote.errors import PfremoteError
from pfremote.loopback.ports import LOOPBACK, wait_for_banner
from pfremote.loopback.programs import run_program

#: The part of master(5) that takes mail in, queues it, and delivers it to other hosts or to nowhere. No
#: chroot: the directory has no /etc of its own.
_SERVICES = """\
pickup    unix n - n 60   1 pickup
cleanup   unix n - n -    0 cleanup
qmgr      unix n - n 300  1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n -    - trivial-rewrite
bounce    unix - - n -    0 bounce
defer     unix - - n -    0 bounce
trace     unix - - n -    0 bounce
verify    unix - - n -    1 verify
proxymap  unix - - n -    - proxymap
smtp      unix - - n -    - smtp
lmtp      unix - - n -    - lmtp
error     unix - - n -    - error
retry     unix - - n -    - error
discard   unix - - n -    - discard
anvil     unix - - n -    1 anvil
scache    unix - - n -    1 scache
postlog   unix-dgram n - n - 1 postlogd
"""
#: Postfix sleeps while a file that it reads is younger than about a second (src/util/dict.c, hot-file test).
_COOL = 2.0


@dataclass(frozen=True, slots=True)
class PostfixInstance:
    """The places of one instance below ``root``, and what runs there."""

    root: Path
    smtp_ports: tuple[int, ...]

    @property
    def config_directory(self) -> Path:
        return self.root / "postfix"

    @property
    def queue_directory(self) -> Path:
        return self.root / "queue"

    @property
    def data_directory(self) -> Path:
        return self.root / "data"

    @property
    def main_cf(self) -> Path:
        return self.config_directory / "main.cf"

    @property
    def maillog(self) -> Path:
        return self.root / "log" / "mail.log"

    def write(self, parameters: Mapping[str, str], *, submission_parameters: Mapping[str, str]) -> None:
        """Make the directories, main.cf and master.cf; ports after the first are submission."""
        places = (self.config_directory, self.queue_directory, self.data_directory, self.maillog.parent)
        for directory in places:
            directory.mkdir(mode=0o755)
        shutil.chown(self.data_directory, "postfix")
        self.data_directory.chmod(0o700)
        own = {
            "compatibility_level": _compatibility_level(),
            "config_directory": str(self.config_directory),
            "queue_directory": str(self.queue_directory),
            "data_directory": str(self.data_directory),
            "maillog_file": str(self.maillog),
            "maillog_file_prefixes": str(self.maillog.parent),
            "inet_interfaces": LOOPBACK,
            "inet_protocols": "ipv4",
        }
        _write_cool(self.main_cf, "".join(f"{k} = {v}\n" for k, v in {**own, **parameters}.items()))
        options = "".join(f" -o {{ {k} = {v} }}" for k, v in submission_parameters.items())
        lines = [
            f"{LOOPBACK}:{port} inet n - n - - smtpd{options if number else ''}\n"
            for number, port in enumerate(self.smtp_ports)
        ]
        _write_cool(self.config_directory / "master.cf", "".join(lines) + _SERVICES)

    def start(self, *, timeout: float = 15.0) -> None:
        """Start master and return when every smtpd port greets.

        Raises:
            PfremoteError: Postfix refused; the hint has the end of its log.
        """
        try:
            run_program("postfix", "-c", self.config_directory, "start")
            for port in self.smtp_ports:
                # QUIT: or the mail log would begin with a lost connection.
                wait_for_banner(port, b"220 ", farewell=b"QUIT\r\n", timeout=timeout)
        except PfremoteError as exc:
            raise PfremoteError(exc.message, hint=self._explain() or exc.hint) from exc

    def stop(self) -> None:
        """Stop master if it runs, as ``postfix stop`` does, without that command's full second of sleep."""
        pid_file = self.queue_directory / "pid" / "master.pid"
        if not pid_file.exists() or not self.is_running():
            return
        os.kill(int(pid_file.read_text()), 15)
        deadline = time.monotonic() + 3.0
        while self.is_running():
            if time.monotonic() > deadline:
                run_program("postfix", "-c", self.config_directory, "stop")
                return
            time.sleep(0.02)

    def is_running(self) -> bool:
        """Say whether master holds its lock (``postfix status``)."""
        try:
            run_program("postfix", "-c", self.config_directory, "status")
        except PfremoteError:
            return False
        return True

    def postconf(self, *arguments: str) -> str:
        """Run ``postconf -c DIR ARGUMENTS`` and return its output."""
        return run_program("postconf", "-c", self.config_directory, *arguments)

    def reload(self) -> None:
        """Run ``postfix -c DIR reload``: asynchronous, and slow within a second of an edit."""
        run_program("postfix", "-c", self.config_directory, "reload")

    def _explain(self) -> str:
        if self.maillog.exists():
            return self.maillog.read_text(errors="replace")[-600:]
        # Without a terminal "postfix start" does not say why it fails (postfix.c, isatty); postqueue reads
        # the same main.cf and always says it.
        try:
            run_program("postqueue", "-c", self.config_directory, "-p")
        except PfremoteError as exc:
            return exc.hint
        return ""


def _compatibility_level() -> str:
    # Up to 3.5 the level is a whole number and anything else is fatal (COMPATIBILITY_README).
    version = run_program("postconf", "-d", "-h", "mail_version").strip()
    major, minor = version.split(".")[:2]
    return "3.6" if (int(major), int(minor)) >= (3, 6) else "2"


def _write_cool(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o644)
    past = time.time() - _COOL
    os.utime(path, (past, past))
