"""The private mail host itself: a context manager over one temporary directory."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from pfremote.errors import PfremoteError
from pfremote.loopback.directories import make_root, remove_root
from pfremote.loopback.ports import LOOPBACK, pick_ports
from pfremote.loopback.postfix import PostfixInstance
from pfremote.loopback.processes import end_processes
from pfremote.loopback.programs import run_program
from pfremote.loopback.reaper import start_reaper, stop_reaper
from pfremote.loopback.requirements import demand_requirements
from pfremote.loopback.sasl import SaslResponder
from pfremote.loopback.sshd import PrivateSshd


class LoopbackHost:
    """One Postfix and one sshd of their own on 127.0.0.1, up in a second, gone without a trace afterwards.

    ``name`` is what ``ssh -F host.ssh_config NAME`` takes, and ``NAME.example.jp`` is Postfix's myhostname.
    ``services`` is the number of smtpd ports; the first logs as ``SYSLOG_NAME/smtpd``, the others as
    ``SYSLOG_NAME/submission/smtpd``. ``auth`` False offers no AUTH. ``users`` maps names to passwords; by
    default alice, with a password made for this run. ``parameters`` are main.cf parameters that add to
    ours or replace them. ``ssh_user`` must exist on this machine.

    Valid between ``__enter__`` and ``__exit__``: ``root``, ``address``, ``smtp_port``,
    ``smtp_ports``, ``ssh_port``, ``config_directory``, ``queue_directory``, ``data_directory``, ``main_cf``,
    ``maillog``, ``ssh_config``, ``known_hosts``, ``private_key``, ``certificate``, ``users``.
    """

    def __init__(
        self,
        *,
        name: str = "mx1",
        parameters: Mapping[str, str] | None = None,
        syslog_name: str = "postfix",
        services: int = 1,
        auth: bool = True,
        users: Mapping[str, str] | None = None,
        ssh_user: str = "root",
    ) -> None:
        if services < 1:
            raise ValueError("a mail host has at least one smtpd service")
        self.name = name
        self.address = LOOPBACK
        self.users = dict(users) if users is not None else {"alice": f"Pw-{secrets.token_urlsafe(9)}"}
        self._parameters = dict(parameters or {})
        self._syslog_name = syslog_name
        self._services = services
        self._auth = auth
        self._ssh_user = ssh_user
        self._cleanup = ExitStack()
        self.root = Path()

    def __enter__(self) -> Self:
        """Make, start and wait for everything.

        Raises:
            UsageError: a package is missing, or we are not root.
            PfremoteError: a server did not come up; its log is in the hint, and nothing stays behind.
        """
        demand_requirements()
        with ExitStack() as starting:
            self._make(starting)
            self._cleanup = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    def _make(self, stack: ExitStack) -> None:
        self.root = make_root()
        stack.callback(remove_root, self.root)
        stack.callback(stop_reaper, start_reaper(self.root))
        stack.callback(self._end_processes)
        *smtp_ports, self.ssh_port = pick_ports(self._services + 1)
        self.smtp_ports = tuple(smtp_ports)
        self.certificate = self.root / "certificate.pem"
        self._make_certificate()
        self._sshd = PrivateSshd(self.root, self.ssh_port, self.name, self._ssh_user)
        self._sshd.write()
        self._sshd.start()
        stack.callback(self._sshd.stop)
        stack.enter_context(SaslResponder(self.root / "auth", self.users))
        self._postfix = PostfixInstance(self.root, self.smtp_ports)
        submission = {"syslog_name": f"{self._syslog_name}/submission"}
        self._postfix.write({**self._base_parameters(), **self._parameters}, submission_parameters=submission)
        stack.callback(self._postfix.stop)
        self._postfix.start()

    def _base_parameters(self) -> dict[str, str]:
        return {
            "syslog_name": self._syslog_name,
            "myhostname": f"{self.name}.example.jp",
            "mydestination": "$myhostname, localhost",
            "mynetworks": "",
            "local_recipient_maps": "",
            "local_transport": "discard:",
            "alias_maps": "",
            "smtpd_relay_restrictions": "permit_sasl_authenticated, reject_unauth_destination",
            "smtpd_tls_security_level": "may",
            "smtpd_tls_chain_files": f"{self._key}, {self.certificate}",
            "smtpd_sasl_auth_enable": "yes" if self._auth else "no",
            "smtpd_sasl_type": "dovecot",
            "smtpd_sasl_path": str(self.root / "auth"),
            "smtpd_tls_auth_only": "yes",
            "smtp_dns_support_level": "disabled",
        }

    def _make_certificate(self) -> None:
        self._key = self.root / "key.pem"
        names = f"subjectAltName=DNS:{self.name}.example.jp,DNS:localhost,IP:{LOOPBACK}"
        run_program(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "2", "-subj", f"/CN={self.name}.example.jp", "-addext", names,
            "-keyout", self._key, "-out", self.certificate,
        )  # fmt: skip

    def _end_processes(self) -> None:
        left = end_processes(self.root)
        if left:
            raise PfremoteError(f"processes of {self.root} outlive SIGKILL: {left}")

    def postconf(self, *arguments: str) -> str:
        """Run ``postconf -c config_directory ARGUMENTS`` and return its output."""
        return self._postfix.postconf(*arguments)

    def reload(self) -> None:
        """Run ``postfix -c config_directory reload``; Postfix acts on it a moment after this returns."""
        self._postfix.reload()

    def is_running(self) -> bool:
        """Say whether Postfix's master runs."""
        return self._postfix.is_running()

    def stop_postfix(self) -> None:
        """Stop Postfix and leave sshd up; harmless when stopped already."""
        self._postfix.stop()

    def start_postfix(self) -> None:
        """Start Postfix again, and return when it greets."""
        self._postfix.start()

    def wait_for_log(self, text: str, *, after: int = 0, timeout: float = 10.0) -> str:
        """Return the mail log from byte ``after`` on, as soon as ``text`` is in that part.

        Raises:
            PfremoteError: it is not there after ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while True:
            log = self.maillog.read_bytes()[after:].decode(errors="replace") if self.maillog.exists() else ""
            if text in log:
                return log
            if time.monotonic() > deadline:
                raise PfremoteError(f"{text!r} is not in the mail log after {timeout:g} s", hint=log[-600:])
            time.sleep(0.02)

    @property
    def smtp_port(self) -> int:
        return self.smtp_ports[0]

    @property
    def config_directory(self) -> Path:
        return self._postfix.config_directory

    @property
    def queue_directory(self) -> Path:
        return self._postfix.queue_directory

    @property
    def data_directory(self) -> Path:
        return self._postfix.data_directory

    @property
    def main_cf(self) -> Path:
        return self._postfix.main_cf

    @property
    def maillog(self) -> Path:
        return self._postfix.maillog

    @property
    def ssh_config(self) -> Path:
        return self._sshd.ssh_config

    @property
    def known_hosts(self) -> Path:
        return self._sshd.known_hosts

    @property
    def private_key(self) -> Path:
        return self._sshd.private_key
