#!/usr/bin/python
# Copyright (c) 2026, The pfremote project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: debug_window
short_description: Turn Postfix debug logging for some peers on, for some minutes
version_added: 1.0.0
author: The pfremote project (!UNKNOWN)
description:
  - Arms a window on the host. Postfix logs the sessions of O(peers) in full until the deadline; then the host itself puts
    main.cf back as it was, whatever has become of the controller.
  - The module returns as soon as debugging is seen on. M(pfremote.postfix.debug_info) shows when it is over,
    M(pfremote.postfix.debug_collect) brings the evidence, M(pfremote.postfix.debug_revert) ends it early.
  - A window that is asked for without O(lease) is a new one each time. With O(lease) the task is idempotent. A lease is armed once;
    where it is on the host already, nothing is done.
extends_documentation_fragment:
  - pfremote.postfix.pfremote
attributes:
  check_mode:
    support: full
    details: The host tries the change on a private copy of main.cf.
  diff_mode:
    support: full
    details: Shows how main.cf changes, without the secrets that it may hold.
options:
  peers:
    description:
      - Whose sessions to log. Addresses, networks, host names, domains, files or lookup tables, as for C(debug_peer_list).
      - Needed unless O(extend=true).
    type: list
    elements: str
    default: []
  minutes:
    description: Length of the window. A number of minutes, or a time with its unit such as V(90s), V(10m) or V(1h).
    type: str
    default: "10"
  level:
    description: The C(debug_peer_level), 1 or 2. 3 logs message content and needs O(allow_content=true).
    type: int
    default: 2
  smtpd_tls:
    description: The C(smtpd_tls_loglevel), 0 to 2. It holds for all peers while the window is open. Left alone where it is not given.
    type: int
  smtp_tls:
    description: The C(smtp_tls_loglevel), in the same way.
    type: int
  lmtp_tls:
    description: The C(lmtp_tls_loglevel), in the same way.
    type: int
  reason:
    description: Why. Every user who asks the host for its status sees it.
    type: str
    default: ""
  log:
    description:
      - Where this Postfix logs. V(journal), V(file:/path), or V(none) where it logs elsewhere and that is known.
      - The host finds out where neither this nor C(pfremote_log) says it.
    type: str
  stop_after:
    description: End the window after this many sessions of the peers.
    type: int
  max_log:
    description: End the window when the log has grown by this much, such as V(256M). 256M where neither the task nor C(pfremote_max_log) says it.
    type: str
  min_free:
    description: Do not begin, or end, with less than this percentage of the log's file system free. 10 where nothing says it.
    type: str
  drain:
    description: How long the host waits at the end for processes that are still verbose, with its unit. 60s where nothing says it.
    type: str
  guard:
    description: What ends the window on the host when the controller does not come back. V(auto) takes the best that the host has.
    type: str
    choices: [auto, systemd, cron, at, process]
  allow_volatile_guard:
    description: Accept a guard that does not survive a reboot.
    type: bool
    default: false
  allow_content:
    description: Allow levels that log message content.
    type: bool
    default: false
  all_peers:
    description: Allow a peer that matches every client and server.
    type: bool
    default: false
  lease:
    description:
      - The id of the lease, 12 digits of 0-9 and a-f. A fresh one is made where it is not given.
      - Give the same id again, as in a job that is launched anew, and hosts that were armed are left as they are.
    type: str
  extend:
    description:
      - Let the lease O(lease), which is armed, end O(minutes) from now. It may have been armed by the command line.
    type: bool
    default: false
seealso:
  - module: pfremote.postfix.debug_info
  - module: pfremote.postfix.debug_collect
  - module: pfremote.postfix.debug_revert
"""

EXAMPLES = r"""
- name: Log the sessions of one client for ten minutes
  pfremote.postfix.debug_window:
    peers: 192.0.2.40
    minutes: 10
    reason: "ticket 4711: client cannot log in"
  become: true
  register: window

- name: The same on a job that may be launched again
  pfremote.postfix.debug_window:
    peers: [192.0.2.40, client.example.jp]
    level: 1
    smtpd_tls: 1
    stop_after: 5
    lease: "{{ (tower_job_id | default(0) | string | hash('sha256'))[:12] }}"
  become: true

- name: Ten minutes more
  pfremote.postfix.debug_window:
    lease: "{{ window.lease }}"
    extend: true
    minutes: 10
  become: true
"""

RETURN = r"""
lease:
  description: The id of the lease, by which it is extended, collected and reverted.
  returned: success, and on failure where a lease may be on the host
  type: str
  sample: 0123456789ab
state:
  description: V(armed) where debugging is on, V(untouched) where nothing was changed, V(unknown) where that could not be seen.
  returned: always
  type: str
  sample: armed
deadline:
  description: When the host ends the window, by the controller's clock.
  returned: when it is armed
  type: str
  sample: "2026-01-31T12:00:00Z"
seconds:
  description: Seconds that are left.
  returned: always
  type: int
  sample: 600
guard:
  description: What ends the window on the host.
  returned: when it is armed
  type: str
  sample: systemd
peers:
  description: The patterns as they are in force, which may be other than those asked for.
  returned: always
  type: list
  elements: str
  sample: [192.0.2.40]
in_force:
  description: The parameters of Postfix as the host reads them now; in check mode as it would.
  returned: always
  type: dict
  sample: {debug_peer_level: "2", debug_peer_list: 192.0.2.40}
warnings:
  description: What the operator should know, in sentences.
  returned: always
  type: list
  elements: str
notes:
  description: The same, each with C(code), C(message) and maybe C(hint).
  returned: always
  type: list
  elements: dict
reasons:
  description: Why the host was refused or failed, each with C(code), C(message) and maybe C(hint).
  returned: failure
  type: list
  elements: dict
"""
