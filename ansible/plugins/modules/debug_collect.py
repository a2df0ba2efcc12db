#!/usr/bin/python
# Copyright (c) 2026, The pfremote project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: debug_collect
short_description: Bring the sessions of a debug window to the controller, without the passwords
version_added: 1.0.0
author: The pfremote project (!UNKNOWN)
description:
  - Brings the log lines of a window to the controller, masks what is secret in them and proves it, sorts them into sessions, and writes
    transcripts, findings and a report.
  - The raw log is not stored on the controller, and is kept out of Ansible's log at any verbosity. It travels in pieces of at most 4 MB.
  - Once all is stored the host forgets a lease that has ended, unless O(keep=true).
extends_documentation_fragment:
  - pfremote.postfix.pfremote
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
options:
  lease:
    description: The lease to collect, or V(all) as on the command line. Either this or O(all) is needed.
    type: str
  all:
    description: Collect every lease that the host has evidence of.
    type: bool
    default: false
  dest:
    description:
      - The folder on the controller. Below it each host gets a folder, and in it each lease, which C(pfremote report) can read.
      - Folders are made with mode 0700, files with 0600.
      - A lease that lies there already, and that the host has forgotten since, is read from there and is no change.
    type: path
    required: true
  keep:
    description: Leave the evidence on the host as well, where it is deleted after seven days.
    type: bool
    default: false
seealso:
  - module: pfremote.postfix.debug_window
"""

EXAMPLES = r"""
- name: Bring it home
  pfremote.postfix.debug_collect:
    lease: "{{ window.lease }}"
    dest: evidence
  become: true
  register: collected

- name: What was found
  ansible.builtin.debug:
    msg: "{{ collected.findings | map(attribute='title') }}"
"""

RETURN = r"""
out:
  description: The run folder of each lease on the controller.
  returned: success
  type: list
  elements: str
  sample: [/srv/evidence/mx1/0123456789ab]
reports:
  description: The report of each, as one HTML page.
  returned: success
  type: list
  elements: str
leases:
  description: The ids of the leases that were collected, in the order of RV(out).
  returned: success
  type: list
  elements: str
sessions:
  description: How many sessions of the peers the evidence holds.
  returned: success
  type: int
findings:
  description: What the sessions show.
  returned: success
  type: list
  elements: dict
  contains:
    lease:
      description: In which lease.
      type: str
    code:
      description: A stable word.
      type: str
      sample: sasl-failed
    title:
      description: What it is.
      type: str
    certainty:
      description: V(proven), V(likely) or V(unknown).
      type: str
    count:
      description: How many lines show it.
      type: int
    meaning:
      description: What it means.
      type: str
    next_step:
      description: What to do next.
      type: str
exposed:
  description: Accounts whose password or token stands in the host's own log, so that it can be changed.
  returned: success
  type: list
  elements: str
conflicts:
  description: Parameters that another user changed in the window, ours and theirs. They were left alone, and the host forgets that with the lease.
  returned: success
  type: list
  elements: str
complete:
  description: Whether nothing is missing.
  returned: success
  type: bool
missing:
  description: Why the evidence is not complete, each with C(code) and C(message).
  returned: success
  type: list
  elements: dict
notes:
  description: What else to know, such as peers that had no session, each with C(code), C(message) and maybe C(hint).
  returned: success
  type: list
  elements: dict
reasons:
  description: Why the host was refused or failed, each with C(code), C(message) and maybe C(hint).
  returned: failure
  type: list
  elements: dict
"""
