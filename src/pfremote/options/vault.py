"""The options for vault passwords, named as in Ansible, and the keys that they stand for."""

from __future__ import annotations

import getpass
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pfremote.config import NO_SETTINGS, Settings
from pfremote.errors import UsageError
from pfremote.inventory.vault_keys import DEFAULT_LABEL, VaultKey, VaultKeys
from pfremote.model.secret import KNOWN_SECRETS, Secret
from pfremote.options.complete import complete_files
from pfremote.options.sections import HOSTS, choice
from pfremote.paths import explain_unseen, is_file

#: Seconds that a program may take to hand over a password; one may wait for a person.
PROGRAM_SECONDS = 120
_PROMPTS = ("prompt", "prompt_ask_vault_pass")

VAULT_CHOICES = (
    choice(HOSTS, "-J", "--ask-vault-pass", is_flag=True, help="Ask for the vault password, when a value needs it."),
    choice(
        HOSTS,
        "--vault-id",
        "vault_ids",
        multiple=True,
        metavar="LABEL@SOURCE",
        help="Vault password of this id: from a file, a program, or prompt; repeats.",
    ),
    choice(
        HOSTS,
        "--vault-password-file",
        "--vault-pass-file",
        "vault_password_files",
        multiple=True,
        metavar="FILE",
        shell_complete=complete_files,
        help="Read the vault password from a file, or from what a program prints; repeats.",
    ),
)


@dataclass(frozen=True, slots=True)
class VaultOptions:
    """Where vault passwords come from, as typed."""

    ask_vault_pass: bool = False
    vault_ids: tuple[str, ...] = ()
    vault_password_files: tuple[str, ...] = ()


def make_vault_keys(options: VaultOptions, settings: Settings = NO_SETTINGS) -> VaultKeys:
    """Return the keys, in Ansible's order. No file is read and nothing is asked before a value needs it.

    Raises:
        UsageError: a file is not there.
    """
    label = settings.get("vault_identity", DEFAULT_LABEL)
    keys = [_make_key(word, label) for word in (*settings.get("vault_identity_list", ()), *options.vault_ids)]
    default_file = settings.get("vault_password_file")
    files = options.vault_password_files or ((default_file,) if default_file else ())
    keys += [_make_key(f"{label}@{file}", label) for file in files]
    if options.ask_vault_pass or (settings.get("ask_vault_pass") and not keys):
        keys.append(_make_key(f"{label}@prompt", label))
    return VaultKeys(keys, match=settings.get("vault_id_match", False))


def _make_key(word: str, usual: str) -> VaultKey:
    label, at, source = word.partition("@")
    if not at:
        label, source = usual, word
    if source in _PROMPTS:
        return VaultKey(label, f"typed for {label}", partial(_ask, label))
    path = Path(source).expanduser()
    if not is_file(path):
        hint = "Write --vault-id LABEL@FILE, LABEL@PROGRAM or LABEL@prompt."
        why = explain_unseen(path)
        said = f"cannot be read: {why}" if why else "is not there"
        raise UsageError(f"the vault password file {source} {said}", hint=hint)
    read = partial(_run, path, label) if os.access(path, os.X_OK) else partial(_read, path)
    return VaultKey(label, f"{label}@{source}", read)


def _keep(text: str, where: str) -> Secret:
    if not text:
        raise UsageError(f"{where} gave no vault password", hint="Put the password on its first line.")
    KNOWN_SECRETS.add(text)
    return Secret(text)


def _ask(label: str) -> Secret:
    if not sys.stdin.isatty():
        hint = "Use --vault-password-file FILE, or --vault-id LABEL@FILE."
        raise UsageError("there is no terminal to ask for the vault password on", hint=hint)
    question = "Vault password: " if label == DEFAULT_LABEL else f"Vault password ({label}): "
    return _keep(getpass.getpass(question, stream=sys.stderr), "the terminal")


def _read(path: Path) -> Secret:
    """Blanks and line ends around the password do not count, as in Ansible."""
    try:
        return _keep(path.read_text(encoding="utf-8").strip(), str(path))
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(f"the vault password file {path} cannot be read: {exc}", hint="Check its mode.") from exc


def _run(path: Path, label: str) -> Secret:
    """Run a program that prints the password; one whose name ends in ``-client`` is told the vault id."""
    path = path.absolute()
    words: Sequence[str] = ["--vault-id", label] if path.stem.endswith("-client") else []
    hint = f"Run it by hand with: {shlex.join((str(path), *words))}"
    try:
        done = subprocess.run(
            [str(path), *words],
            stdout=subprocess.PIPE,  # what it says on stderr is for the operator: it may ask there
            timeout=PROGRAM_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        why = exc.strerror if isinstance(exc, OSError) else f"it did not end within {PROGRAM_SECONDS} seconds"
        raise UsageError(f"the vault password program {path} cannot be run: {why}", hint=hint) from exc
    if done.returncode != 0:
        message = f"the vault password program {path} ended with status {done.returncode}"
        if words and done.returncode == 2:
            message += f": it knows no vault id {label}"
        raise UsageError(message, hint=hint)
    return _keep(done.stdout.decode("utf-8", "surrogateescape").strip("\r\n"), str(path))


def vault_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the three options."""
    for item in reversed(VAULT_CHOICES):
        function = item.plain(function)
    return function
