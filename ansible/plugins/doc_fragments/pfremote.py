# Copyright (c) 2026, The pfremote project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation of the four modules shares."""

from __future__ import annotations


class ModuleDocFragment:
    """pfremote.postfix.pfremote"""

    DOCUMENTATION = r"""
options:
  instance:
    description:
      - Which Postfix on the host. A configuration directory, or a name that C(postmulti -l) shows.
      - The variable C(pfremote_instance) counts where this is not given, and else the host's usual instance.
    type: str
requirements:
  - The Python package C(pfremote) on the controller, beside ansible-core. Nothing on the host but Postfix and a POSIX shell.
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying the host.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode.
  platform:
    description: Target OS that can be operated against.
    support: full
    platforms: posix
notes:
  - The action sends one POSIX sh script to the stdin of one command, through the connection and the become of the task.
    No module is copied to the host, and Python is not needed there.
  - The connection plugin must be able to feed a command's stdin. P(ansible.builtin.ssh#connection)
    and P(ansible.builtin.local#connection) can, with pipelining on or off. P(ansible.builtin.paramiko_ssh#connection) cannot.
  - The agent needs root. Set C(become) for the task or the play, unless the connection is root's own.
  - The variables C(pfremote_max_minutes), C(pfremote_guard), C(pfremote_max_log), C(pfremote_min_free), C(pfremote_drain), C(pfremote_log) and
    C(pfremote_helper) count as on pfremote's command line. With C(pfremote_helper) and without C(become) the action
    runs the installed agent by C(sudo -n), as the one line in sudoers allows.
"""
