"""Every setting that counts: its name, where it may be written, and what it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "number", "flag", "path", "paths", "words", "options", "duration"]

#: The section of ansible.cfg that is ours.
SECTION = "pfremote"


@dataclass(frozen=True, slots=True)
class Key:
    """One setting. ``ansible`` is section and key in ansible.cfg, ``variables`` are names in the environment.

    ``own`` tells that it may stand in the section ``[pfremote]`` and in config.toml, under its own name.
    """

    name: str
    kind: Kind
    meaning: str
    ansible: tuple[tuple[str, str], ...] = ()
    variables: tuple[str, ...] = ()
    own: bool = False
    usual: str = ""


KEYS = (
    Key(
        "inventory",
        "paths",
        "inventory sources where -i is not given",
        (("defaults", "inventory"),),
        ("ANSIBLE_INVENTORY",),
    ),
    Key(
        "user",
        "text",
        "whom to log in as where neither -u nor the inventory says",
        (("defaults", "remote_user"),),
        ("ANSIBLE_REMOTE_USER",),
        own=True,
        usual="ssh_config",
    ),
    Key(
        "private_key",
        "path",
        "key to log in with where neither --private-key nor the inventory says",
        (("defaults", "private_key_file"),),
        ("ANSIBLE_PRIVATE_KEY_FILE",),
        usual="ssh_config",
    ),
    Key("forks", "number", "hosts at a time", (("defaults", "forks"),), ("ANSIBLE_FORKS",), own=True, usual="5"),
    Key(
        "timeout",
        "number",
        "seconds to connect",
        (("ssh_connection", "timeout"), ("defaults", "timeout")),
        ("ANSIBLE_SSH_TIMEOUT", "ANSIBLE_TIMEOUT"),
        usual="15",
    ),
    Key(
        "become",
        "flag",
        "true: become root also where it seems not needed",
        (("privilege_escalation", "become"),),
        ("ANSIBLE_BECOME",),
        usual="if needed",
    ),
    Key(
        "become_user",
        "text",
        "whom to become",
        (("privilege_escalation", "become_user"),),
        ("ANSIBLE_BECOME_USER",),
        usual="root",
    ),
    Key(
        "become_method",
        "text",
        "sudo is the only one here",
        (("privilege_escalation", "become_method"),),
        ("ANSIBLE_BECOME_METHOD",),
        usual="sudo",
    ),
    Key(
        "become_ask_pass",
        "flag",
        "true: ask for the sudo password, as -K does",
        (("privilege_escalation", "become_ask_pass"),),
        ("ANSIBLE_BECOME_ASK_PASS",),
        usual="no",
    ),
    Key(
        "become_password_file",
        "path",
        "file with the sudo password",
        (("defaults", "become_password_file"),),
        ("ANSIBLE_BECOME_PASSWORD_FILE",),
    ),
    Key(
        "vault_password_file",
        "path",
        "file or program with the vault password",
        (("defaults", "vault_password_file"),),
        ("ANSIBLE_VAULT_PASSWORD_FILE",),
    ),
    Key(
        "vault_identity_list",
        "words",
        "vault ids, each LABEL@SOURCE",
        (("defaults", "vault_identity_list"),),
        ("ANSIBLE_VAULT_IDENTITY_LIST",),
    ),
    Key(
        "vault_identity",
        "text",
        "vault id of a password that is given without one",
        (("defaults", "vault_identity"),),
        ("ANSIBLE_VAULT_IDENTITY",),
        usual="default",
    ),
    Key(
        "ask_vault_pass",
        "flag",
        "true: ask for the vault password, as -J does",
        (("defaults", "ask_vault_pass"),),
        ("ANSIBLE_ASK_VAULT_PASS",),
        usual="no",
    ),
    Key(
        "vault_id_match",
        "flag",
        "true: try only the password whose vault id the text names",
        (("defaults", "vault_id_match"),),
        ("ANSIBLE_VAULT_ID_MATCH",),
        usual="no",
    ),
    Key("ssh_args", "options", "options of ssh", (("ssh_connection", "ssh_args"),), ("ANSIBLE_SSH_ARGS",)),
    Key(
        "ssh_common_args",
        "options",
        "more of them",
        (("ssh_connection", "ssh_common_args"),),
        ("ANSIBLE_SSH_COMMON_ARGS",),
    ),
    Key(
        "ssh_extra_args",
        "options",
        "and more",
        (("ssh_connection", "ssh_extra_args"),),
        ("ANSIBLE_SSH_EXTRA_ARGS",),
    ),
    Key(
        "host_key_checking",
        "flag",
        "never counts: an unknown host key is refused unless --host-key-checking accept-new is typed",
        (("defaults", "host_key_checking"), ("ssh_connection", "host_key_checking")),
        ("ANSIBLE_HOST_KEY_CHECKING", "ANSIBLE_SSH_HOST_KEY_CHECKING"),
        usual="strict",
    ),
    Key("minutes", "duration", "length of a window where nothing is said", own=True, usual="10"),
    Key("require_reason", "flag", "true: debug and playbooks are refused without a reason", own=True, usual="no"),
    Key("out", "path", "folder in which runs are kept", own=True, usual="~/.local/state/pfremote/runs"),
)
OWN = {key.name: key for key in KEYS if key.own}
