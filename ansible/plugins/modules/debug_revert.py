#!/usr/bin/python
# Copyright (c) 2026, The pfremote project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: debug_revert
short_description: End debug windows of Postfix now, and see that debugging is off
version_added: 1.0.0
author: The pfremote project (!UNKNOWN)
description:
  - Lets the host run the code that ends a window at its deadline, and looks whether the host is clean.
  - The task fails where that could not be seen, or where another user has changed one of the parameters in the window. Such a value is left alone.
  - It is no change where there is no such lease, or it is over.
extends_documentation_fragment:
  - pfremote.postfix.pfremote
attributes:
  check_mode:
    support: full
  diff_mode:
    support: partial
    details: Shows the leases before and after, not main.cf.
options:
  lease:
    description: The lease to end, or V(all) as on the command line. Either this or O(all) is needed.
    type: str
  all:
    description: End every lease of the instance, also those of other users.
    type: bool
    default: false
  drain:
    description: How long to wait for processes that are still verbose, with its unit.
    type: str
    default: 60s
seealso:
  - module: pfremote.postfix.debug_window
"""

EXAMPLES = r"""
- name: That is enough
  pfremote.postfix.debug_revert:
    lease: "{{ window.lease }}"
  become: true

- name: Debugging is off on every host
  pfremote.postfix.debug_revert:
    all: true
  become: true
"""

RETURN = r"""
clean:
  description: Whether main.cf is as it was, no process is verbose and nothing of pfremote is left but its state folder.
  returned: always
  type: bool
state:
  description: V(clean), V(armed) where another lease goes on, or V(unknown).
  returned: always
  type: str
  sample: clean
dirty:
  description: Why it is not clean.
  returned: always
  type: list
  elements: str
conflicts:
  description: Parameters that another user changed in the window, ours and theirs.
  returned: always
  type: list
  elements: str
leases:
  description: The leases that were meant, as M(pfremote.postfix.debug_info) shows them.
  returned: always
  type: list
  elements: dict
reasons:
  description: Why the host is not known to be clean, each with C(code), C(message) and maybe C(hint).
  returned: failure
  type: list
  elements: dict
"""
