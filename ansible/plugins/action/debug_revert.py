# Copyright (c) 2026, The pfremote project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""End leases on the task's host; documented in plugins/modules/debug_revert.py."""

from __future__ import annotations

from ansible_collections.pfremote.postfix.plugins.plugin_utils.base import (
    DebugAction,
    choose_lease,
    encode_lease,
    encode_reasons,
    fail_for,
    note_missing,
)

try:
    from pfremote.engine.debug_revert import revert_leases
    from pfremote.text.quantities import parse_duration
except ImportError:
    note_missing()


class ActionModule(DebugAction):
    """debug_revert"""

    SPEC = {
        "lease": {"type": "str"},
        "all": {"type": "bool", "default": False},
        "drain": {"type": "str", "default": "60s"},
        "instance": {"type": "str"},
    }

    def work(self, host, arguments, variables):
        """Revert, and see that the host is clean."""
        lease = choose_lease(arguments)
        drain = parse_duration(arguments["drain"], cap=600)
        done = revert_leases(host, lease, drain=drain, check=self.checking)
        known = {
            "changed": done.changed,
            "state": done.look.state,
            "clean": done.look.clean,
            "dirty": list(done.look.dirty),
            "conflicts": list(done.conflicts),
            "leases": [encode_lease(item) for item in done.ended or done.before],
        }
        if done.changed and self._task.diff:
            known["diff"] = _make_diff(done, checking=self.checking)
        if self.checking or (done.error is None and not done.conflicts):
            return known
        return fail_for(_explain(done), **known)


def _explain(done):
    """Return why this host needs a look."""
    reasons = encode_reasons([done.error]) if done.error else []
    told = [
        {"code": "conflict", "message": "another user's value stands in main.cf: %s" % text} for text in done.conflicts
    ]
    return reasons + told


def _make_diff(done, *, checking):
    """Return the leases before and after."""
    after = "the lease would be reverted" if checking else "reverted"
    before = ["%s %s %s" % (item.id, item.state, " ".join(item.peers)) for item in done.before]
    return {
        "before": "".join(line + "\n" for line in before),
        "after": "".join("%s %s\n" % (item.id, after) for item in done.before),
    }
