"""Playbooks: what to debug on which hosts, in which order, written down. Pure.

>>> plays = parse_playbook("- hosts: mx\\n  debug: {peers: 192.0.2.40}\\n", "night.yml")
>>> plays[0].fill_host(Values()).debug.peers
['192.0.2.40']
"""

from __future__ import annotations

from pfremote.playbook.schema import Play
from pfremote.playbook.source import PlaySource, parse_playbook, read_playbook
from pfremote.playbook.templates import Values

__all__ = ["Play", "PlaySource", "Values", "parse_playbook", "read_playbook"]
