"""A private Postfix and Dovecot for the recorder: own directories, own ports, own log file."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

#: A tree of another Debian release to take Postfix and Dovecot from (see :mod:`tests.lab.tree`).
TREE = os.environ.get("RECORDER_TREE", "")

MAIN = """\
compatibility_level = {compatibility_level}
queue_directory = {root}/queue
data_directory = {root}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {root}/mail.log
maillog_file_prefixes = {root}
myhostname = mx.example.jp
mydestination = mx.example.jp, local.example.jp
mynetworks = 127.0.0.0/8
inet_interfaces = all
inet_protocols = ipv4
alias_maps =
local_recipient_maps = texthash:{root}/users
local_transport = discard:
transport_maps = texthash:{root}/transport
debug_peer_list = static:all
debug_peer_level = 1
smtpd_peername_lookup = yes
smtpd_tls_cert_file = {root}/mx.pem
smtpd_tls_key_file = {root}/mx.pem
smtpd_tls_security_level = may
smtpd_tls_loglevel = 2
smtp_tls_loglevel = 2
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {root}/dovecot/auth
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions =
smtp_connect_timeout = 2s
smtp_helo_timeout = 2s
smtp_mail_timeout = 2s
smtp_data_init_timeout = 2s
smtp_data_xfer_timeout = 2s
smtp_data_done_timeout = 2s
lmtp_data_done_timeout = 2s
smtp_dns_resolver_options =
bounce_queue_lifetime = 0
notify_classes =
header_checks = regexp:{root}/header_checks
"""

FIXED = """\
pickup unix n - n 60 1 pickup
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
lmtp unix - - n - - lmtp
discard unix - - n - - discard
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""

DOVECOT = """\
base_dir = {root}/dovecot/run
state_dir = {root}/dovecot/run
log_path = {root}/dovecot.log
protocols =
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256
passdb {{
  driver = passwd-file
  args = {root}/passwd
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}}
service auth {{
  unix_listener {root}/dovecot/auth {{
    mode = 0666
  }}
}}
"""

#: The same for Dovecot 2.4, whose syntax is another.
DOVECOT_24 = """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
base_dir = {root}/dovecot/run
state_dir = {root}/dovecot/run
log_path = {root}/dovecot.log
protocols =
ssl = no
auth_allow_cleartext = yes
auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256
passdb passwd-file {{
  passwd_file_path = {root}/passwd
}}
userdb static {{
  fields {{
    uid = nobody
    gid = nogroup
    home = /nonexistent
  }}
}}
service auth {{
  unix_listener {root}/dovecot/auth {{
    mode = 0666
  }}
}}
"""


def run(*argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a program of this machine."""
    return subprocess.run(argv, check=check, capture_output=True, text=True)


def inside(*argv: str) -> list[str]:
    """Return the words that run a program of the mail system, out of the other tree where one is given."""
    return ["chroot", TREE, *argv] if TREE else list(argv)


def find_version(*argv: str) -> tuple[int, int]:
    """Return major and minor version that a program prints first."""
    major, minor = run(*inside(*argv)).stdout.split()[0].split(".")[:2]
    return int(major), int(minor)


class Instance:
    """The private mail system below ``root``."""

    def __init__(self, root: Path, services: list[str], transport: str) -> None:
        self.root = root
        self.log = root / "mail.log"
        for name in ("etc", "queue", "data", "dovecot/run"):
            (root / name).mkdir(parents=True)
        run(*inside("chown", "postfix", str(root / "data")))
        self.version = find_version("postconf", "-d", "-h", "mail_version")
        level = "3.6" if self.version >= (3, 6) else "2"
        (root / "etc/main.cf").write_text(MAIN.format(root=root, compatibility_level=level))
        (root / "etc/master.cf").write_text(FIXED + "\n".join(services).format(root=root) + "\n")
        (root / "transport").write_text(transport.format(root=root))
        (root / "users").write_text("user@local.example.jp x\nuser@mx.example.jp x\n")
        (root / "header_checks").write_text("/^Subject: forbidden/ REJECT this subject is not wanted\n")
        (root / "passwd").write_text("user@example.jp:{PLAIN}R1ght-Passw0rd\n")
        dovecot = DOVECOT_24 if find_version("dovecot", "--version") >= (2, 4) else DOVECOT
        (root / "dovecot.conf").write_text(dovecot.format(root=root))
        self._certificates()

    def _certificates(self) -> None:
        for name in ("mx", "relay", "expired"):
            pem, request = str(self.root / f"{name}.pem"), str(self.root / f"{name}.csr")
            subject = f"/CN={'relay' if name == 'expired' else name}.example.jp"
            run("openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", subject,
                "-keyout", pem, "-out", request)  # fmt: skip
            run("openssl", "x509", "-req", "-in", request, "-signkey", pem, "-out", pem + ".crt",
                "-days", "-1" if name == "expired" else "30")  # fmt: skip
            Path(pem).write_text(Path(pem).read_text() + Path(pem + ".crt").read_text())

    def start(self) -> None:
        # Daemons keep the descriptors they are given, so a pipe here would never see its end.
        for argv in (
            ["dovecot", "-c", str(self.root / "dovecot.conf")],
            ["postfix", "-c", str(self.root / "etc"), "start"],
        ):
            subprocess.run(
                inside(*argv),
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self.settle(2)

    def stop(self) -> None:
        run(*inside("postfix", "-c", str(self.root / "etc"), "stop"), check=False)
        run(*inside("doveadm", "-c", str(self.root / "dovecot.conf"), "stop"), check=False)

    def settle(self, seconds: float = 0.6) -> None:
        """Wait until the log has not grown for ``seconds``."""
        size, since = -1, time.monotonic()
        while time.monotonic() - since < seconds:
            time.sleep(0.1)
            now = self.log.stat().st_size if self.log.exists() else 0
            if now != size:
                size, since = now, time.monotonic()
