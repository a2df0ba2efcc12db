"""The JSON Schema of YAML inventories (draft 2020-12), made from the names and meanings of our variables."""

from __future__ import annotations

from typing import Any

from pfremote.inventory.option_names import OPTIONS, PREFIX
from pfremote.inventory.option_values import GUARDS
from pfremote.inventory.yaml_source import SECTIONS

_TEXT: dict[str, Any] = {"type": ["string", "integer"]}
_BOOL: dict[str, Any] = {"anyOf": [{"type": "boolean"}, {"type": "string"}, {"enum": [0, 1]}]}
_DURATION: dict[str, Any] = {
    "anyOf": [
        {"type": "integer", "minimum": 1},
        {"type": "string", "pattern": r"^(?=[0-9])([0-9]+|([0-9]+h)?([0-9]+m)?([0-9]+s)?)$"},
    ]
}
_TEMPLATE: dict[str, Any] = {"type": "string", "pattern": r"\{\{|\{%"}

#: What the values look like; :mod:`~pfremote.inventory.option_values` has the last word.
_OURS: dict[str, dict[str, Any]] = {
    "pfremote_instance": _TEXT,
    "pfremote_max_minutes": _DURATION,
    "pfremote_log": {"type": "string", "pattern": "^(journal|none|(file:)?/.*)$"},
    "pfremote_helper": {"type": "string", "pattern": "^/"},
    "pfremote_agent": {"type": "string", "pattern": "^/"},
    "pfremote_host_key_checking": _BOOL,
    "pfremote_guard": {"enum": list(GUARDS)},
    "pfremote_min_free": {
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": 99},
            {"type": "string", "pattern": r"^[0-9]{1,2}\s*%?$"},
        ]
    },
    "pfremote_max_log": {
        "anyOf": [
            {"type": "integer", "minimum": 1},
            {"type": "string", "pattern": r"^[0-9]+\s*[KMGTkmgt]?(i?[Bb])?$"},
        ]
    },
    "pfremote_drain": _DURATION,
}

#: Variables of Ansible that pfremote acts on, as people know them.
_ANSIBLE: dict[str, tuple[str, dict[str, Any]]] = {
    "ansible_host": ("address or name to connect to", _TEXT),
    "ansible_port": ("port of the SSH server", _TEXT),
    "ansible_user": ("whom to log in as", _TEXT),
    "ansible_connection": ("ssh or local", {"type": "string"}),
    "ansible_ssh_private_key_file": ("key to log in with", _TEXT),
    "ansible_ssh_common_args": ("more options for ssh, for example -J BASTION", {"type": "string"}),
    "ansible_become": ("become root with sudo", _BOOL),
    "ansible_become_user": ("whom to become", _TEXT),
    "ansible_become_method": ("sudo is the only one here", {"type": "string"}),
}


def inventory_schema() -> dict[str, Any]:
    """Return the schema of a whole file."""
    group: dict[str, Any] = {
        "description": "a group of hosts",
        "type": ["object", "null"],
        "properties": {section: {"$ref": f"#/$defs/{section}"} for section in SECTIONS},
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pfremote inventory",
        "description": "Groups of hosts with their variables, in Ansible's YAML form",
        "type": "object",
        "additionalProperties": {"$ref": "#/$defs/group"},
        "$defs": {
            "group": group,
            "hosts": {
                "description": "host names, ranges such as mx[1:3] among them, each with its variables",
                "type": ["object", "string", "null"],
                "additionalProperties": {"$ref": "#/$defs/vars"},
            },
            "children": {
                "description": "groups inside this one",
                "type": ["object", "string", "null"],
                "additionalProperties": {"$ref": "#/$defs/group"},
            },
            "vars": _variables(),
        },
    }


def _variables() -> dict[str, Any]:
    ours = {name: {"description": meaning, "anyOf": [_OURS[name], _TEMPLATE]} for name, meaning in OPTIONS.items()}
    theirs = {name: {"description": meaning, **kind} for name, (meaning, kind) in _ANSIBLE.items()}
    return {
        "description": "variables",
        "type": ["object", "null"],
        "properties": {**ours, **theirs},
        # A misspelt limit must not be an absent one.
        "propertyNames": {"anyOf": [{"not": {"pattern": f"^{PREFIX}"}}, {"enum": list(OPTIONS)}]},
    }
