#!/usr/bin/python
# Copyright (c) 2026, The pfremote project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: debug_info
short_description: Show debug windows of Postfix, and debugging that was left on by hand
version_added: 1.0.0
author: The pfremote project (!UNKNOWN)
description:
  - Asks the host for its leases, by whatever means they were armed, and for debugging that no lease explains.
extends_documentation_fragment:
  - pfremote.postfix.pfremote
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
options:
  lease:
    description: Show only the lease with this id.
    type: str
  facts:
    description: Ask the host also for what it says of itself, which is one more visit.
    type: bool
    default: true
seealso:
  - module: pfremote.postfix.debug_window
"""

EXAMPLES = r"""
- name: Look
  pfremote.postfix.debug_info:
  become: true
  register: seen

- name: Debugging was left on by hand
  ansible.builtin.assert:
    that: seen.left_on | length == 0
    fail_msg: "{{ seen.left_on }}"

- name: Wait until the window is over
  pfremote.postfix.debug_info:
    lease: "{{ window.lease }}"
    facts: false
  become: true
  register: seen
  until: seen is success and seen.leases | selectattr('state', 'eq', 'armed') | length == 0
  retries: 90
  delay: 10
"""

RETURN = r"""
state:
  description: V(clean), V(armed), or V(unknown) where something is left that no lease explains.
  returned: success
  type: str
  sample: armed
clean:
  description: Whether main.cf is as it was, no process is verbose and nothing of pfremote is left but its state folder.
  returned: success
  type: bool
dirty:
  description: Why it is not clean.
  returned: success
  type: list
  elements: str
leases:
  description: The leases on the host, those that are over and not collected too.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id.
      type: str
      sample: 0123456789ab
    state:
      description: V(arming), V(armed), V(reverted) or V(aborted).
      type: str
    owner:
      description: Who asked for it.
      type: str
    from:
      description: From which machine.
      type: str
    reason:
      description: Why.
      type: str
    peers:
      description: Whose sessions are logged.
      type: list
      elements: str
    level:
      description: The C(debug_peer_level).
      type: int
    guard:
      description: What ends it.
      type: str
    since:
      description: When it was armed.
      type: str
    deadline:
      description: When it ends, by the host's clock.
      type: str
    seconds:
      description: Seconds that are left.
      type: int
    seen:
      description: Sessions of the peers so far.
      type: int
    why:
      description: Why it ended.
      type: str
    drained:
      description: Whether no process of the window is verbose any more.
      type: bool
    conflicts:
      description: Parameters that another user changed in the window; they were left alone.
      type: list
      elements: str
    evidence:
      description: Bytes that wait on the host to be collected.
      type: int
left_on:
  description: Debugging that is on and that no lease explains.
  returned: success
  type: list
  elements: dict
  contains:
    parameter:
      description: The parameter of Postfix.
      type: str
      sample: debug_peer_list
    value:
      description: Its value.
      type: str
facts:
  description: What the host says of itself. Empty with O(facts=false).
  returned: success
  type: dict
  sample: {config_directory: /etc/postfix, log: journal, running: true, version: 3.7.11}
reasons:
  description: Why the host failed, each with C(code), C(message) and maybe C(hint).
  returned: failure
  type: list
  elements: dict
"""
