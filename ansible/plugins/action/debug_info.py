# Copyright (c) 2026, The pfremote project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at the task's host; documented in plugins/modules/debug_info.py."""

from __future__ import annotations

from ansible_collections.pfremote.postfix.plugins.plugin_utils.base import (
    DebugAction,
    check_lease,
    encode_lease,
    note_missing,
)

try:
    from pfremote.engine.debug_info import look_at
except ImportError:
    note_missing()


class ActionModule(DebugAction):
    """debug_info"""

    SPEC = {
        "lease": {"type": "str"},
        "facts": {"type": "bool", "default": True},
        "instance": {"type": "str"},
    }

    def work(self, host, arguments, variables):
        """Ask, and change nothing."""
        lease = check_lease(arguments["lease"])
        seen = look_at(host, facts=arguments["facts"])
        return {
            "changed": False,
            "state": seen.state,
            "clean": seen.clean,
            "dirty": list(seen.dirty),
            "leases": [encode_lease(item) for item in seen.leases if lease in ("", item.id)],
            "left_on": [{"parameter": name, "value": value} for name, value in seen.left_on],
            "facts": seen.facts,
        }
