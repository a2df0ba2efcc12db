"""The layer between the pristine Debian tree and the machines' disks: accounts, keys, Postfix, Dovecot."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from tests.lab.commands import run
from tests.lab.configuration import (
    DOVECOT_23,
    DOVECOT_24,
    DOVECOT_QUICK,
    MAIN_CF,
    MASKED,
    SUBMISSION,
    SUDOERS,
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What may log in where; made for one lab and worth nothing elsewhere."""

    private_key: Path
    certificate: Path
    certificate_key: Path
    users: dict[str, str]
    sudo_password: str


def make_credentials(directory: Path, addresses: dict[str, str]) -> Credentials:
    """Make an SSH key pair, a TLS certificate for all machines, and passwords."""
    key = directory / "id_ed25519"
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "pfremote-lab", "-f", key])
    names = [f"DNS:{name}.example.jp,IP:{address}" for name, address in addresses.items()]
    certificate, certificate_key = directory / "mail.pem", directory / "mail.key"
    run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "2", "-subj", "/CN=example.jp", "-addext", f"subjectAltName={','.join(names)}",
         "-keyout", certificate_key, "-out", certificate]
    )  # fmt: skip
    users = {"alice": f"Pw-{secrets.token_urlsafe(9)}"}
    return Credentials(key, certificate, certificate_key, users, f"Sudo-{secrets.token_urlsafe(9)}")


def write_layer(root: Path, credentials: Credentials) -> None:
    """Write into ``root``, a mounted copy of the tree, all that is the same on every machine."""
    public_key = credentials.private_key.with_suffix(".pub").read_text()
    for user in ("ops", "opspw"):
        run(["chroot", root, "useradd", "--create-home", "--shell", "/bin/bash", user])
        _write_authorized_keys(root, root / "home" / user, user, public_key)
    _write_authorized_keys(root, root / "root", "root", public_key)
    run(["chroot", root, "chpasswd"], stdin=f"opspw:{credentials.sudo_password}\n")
    _write(root / "etc/sudoers.d/pfremote-lab", SUDOERS, mode=0o440)

    shutil.copy(credentials.certificate, root / "etc/ssl/certs/mail.pem")
    _write(root / "etc/ssl/private/mail.key", credentials.certificate_key.read_text(), mode=0o600)
    users = "".join(f"{user}:{password}\n" for user, password in credentials.users.items())
    _write(root / "etc/dovecot/users", users, mode=0o600)
    shutil.chown(root / "etc/dovecot/users", *_ids(root, "dovecot"))
    _write(root / "etc/dovecot/dovecot.conf", _render_dovecot(root))

    _write(root / "etc/aliases", "postmaster: root\nbob: ops\n")
    _write_postfix(root)
    for unit in MASKED:
        path = root / "etc/systemd/system" / unit
        path.unlink(missing_ok=True)
        path.symlink_to("/dev/null")
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()


def write_machine(root: Path, name: str, hosts: str) -> str:
    """Write onto the disk at ``root`` what makes it this machine; return its public SSH host key."""
    _write(root / "etc/machine-id", secrets.token_hex(16) + "\n", mode=0o444)
    _write(root / "etc/hostname", f"{name}\n")
    _write(root / "etc/mailname", f"{name}.example.jp\n")
    _write(root / "etc/hosts", hosts)
    _write(root / "etc/resolv.conf", "")
    main_cf = root / "etc/postfix/main.cf"
    _write(main_cf, main_cf.read_text().replace("unnamed", name))
    # Postfix sleeps while main.cf is younger than a second (src/util/dict.c, hot-file test).
    past = time.time() - 2
    os.utime(main_cf, (past, past))
    host_key = root / "etc/ssh/ssh_host_ed25519_key"
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"root@{name}", "-f", host_key])
    return host_key.with_suffix(".pub").read_text().strip()


def _write_postfix(root: Path) -> None:
    version = run(["chroot", root, "postconf", "-d", "-h", "mail_version"]).strip().split(".")
    level = "3.6" if (int(version[0]), int(version[1])) >= (3, 6) else "2"
    _write(root / "etc/postfix/main.cf", MAIN_CF.replace("{compatibility_level}", level))
    run(["chroot", root, "newaliases"])
    # Dovecot starts first and puts its socket there; Debian 13's package leaves it to Postfix's first start.
    private = root / "var/spool/postfix/private"
    private.mkdir(mode=0o700, exist_ok=True)
    os.chown(private, _ids(root, "postfix")[0], 0)
    service = "submission inet n - y - - smtpd"
    run(["chroot", root, "postconf", "-M", f"submission/inet={service}"])
    options = [f"submission/inet/{name}={value}" for name, value in SUBMISSION.items()]
    run(["chroot", root, "postconf", "-P", *options])


def _render_dovecot(root: Path) -> str:
    version = run(["chroot", root, "dovecot", "--version"]).split(".")
    # 2.4 changed the syntax, and wants its version lines first.
    return (DOVECOT_24 if (int(version[0]), int(version[1])) >= (2, 4) else DOVECOT_23) + DOVECOT_QUICK


def _write_authorized_keys(root: Path, home: Path, user: str, public_key: str) -> None:
    directory = home / ".ssh"
    directory.mkdir(mode=0o700, exist_ok=True)
    _write(directory / "authorized_keys", public_key, mode=0o600)
    for path in (directory, directory / "authorized_keys"):
        shutil.chown(path, *_ids(root, user))


def _ids(root: Path, user: str) -> tuple[int, int]:
    # The tree's own numbers: the outer machine may give the same names others.
    for line in (root / "etc/passwd").read_text().splitlines():
        fields = line.split(":")
        if fields[0] == user:
            return int(fields[2]), int(fields[3])
    raise KeyError(user)


def _write(path: Path, text: str, *, mode: int = 0o644) -> None:
    # A link (resolv.conf on some suites) would lead out of the tree.
    path.unlink(missing_ok=True)
    path.touch(mode=mode)
    path.chmod(mode)
    path.write_text(text)
