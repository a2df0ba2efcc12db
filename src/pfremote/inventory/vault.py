"""Ansible Vault's format: read the envelope, check the password, decrypt; all in memory. Pure.

The format is that of ansible-core's ``lib/ansible/parsing/vault``: a header line, then hexadecimal digits that hold
salt, HMAC and ciphertext, each in hexadecimal digits again. Key and HMAC key come from PBKDF2 with SHA-256.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from binascii import Error, unhexlify
from dataclasses import dataclass

from pfremote.inventory.values import VAULT_HEADER

_HEADER = re.compile(r"\$ANSIBLE_VAULT;(?P<version>[0-9.]+);(?P<cipher>\w+)(?:;(?P<label>.+))?\Z")
_ROUNDS = 10_000
_KEY = 32
_BLOCK = 16


@dataclass(frozen=True, slots=True, repr=False)
class Envelope:
    """An encrypted text, taken apart; ``label`` is the vault id that its header names, if any."""

    label: str
    salt: bytes
    mac: bytes
    body: bytes

    def __repr__(self) -> str:
        return "Envelope(****)"


def is_vault(text: str) -> bool:
    """Tell whether a text is one that ansible-vault encrypted."""
    return text.startswith(VAULT_HEADER)


def parse_envelope(text: str) -> Envelope:
    """Take an encrypted text apart.

    Raises:
        ValueError: it is none, or is not whole; the text says how, and quotes nothing of it.
    """
    first, *rest = text.strip().splitlines()
    header = _HEADER.match(first.strip())
    if header is None:
        raise ValueError("the first line is no header of ansible-vault")
    if header["cipher"] != "AES256":
        raise ValueError(f"the cipher {header['cipher']} is not known here")
    try:
        salt, mac, body = map(unhexlify, unhexlify("".join(line.strip() for line in rest)).split(b"\n", 2))
    except (Error, ValueError) as exc:
        raise ValueError("the text is not whole") from exc
    if not body or len(mac) != hashlib.sha256().digest_size:
        raise ValueError("the text is not whole")
    return Envelope((header["label"] or "").strip(), salt, mac, body)


def open_envelope(envelope: Envelope, password: bytes) -> bytes | None:
    """Return what was encrypted; None where the password is another."""
    keys = hashlib.pbkdf2_hmac("sha256", password, envelope.salt, _ROUNDS, dklen=2 * _KEY + _BLOCK)
    cipher_key, mac_key, start = keys[:_KEY], keys[_KEY : 2 * _KEY], keys[2 * _KEY :]
    if not hmac.compare_digest(hmac.new(mac_key, envelope.body, "sha256").digest(), envelope.mac):
        return None
    # Imported here: only a run that meets an encrypted value needs it, and it costs 20 ms.
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CTR

    decryptor = Cipher(AES(cipher_key), CTR(start)).decryptor()
    padded = decryptor.update(envelope.body) + decryptor.finalize()
    return padded[: -padded[-1]]
