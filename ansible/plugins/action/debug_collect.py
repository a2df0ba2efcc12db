# Copyright (c) 2026, The pfremote project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring evidence to the controller; documented in plugins/modules/debug_collect.py."""

from __future__ import annotations

from pathlib import Path

from ansible import constants as C
from ansible_collections.pfremote.postfix.plugins.plugin_utils.base import (
    DebugAction,
    choose_lease,
    encode_reasons,
    note_missing,
)

try:
    from pfremote import tasks
    from pfremote.engine.debug_collect import choose_leases, collect_leases
    from pfremote.errors import UsageError
except ImportError:
    note_missing()


class ActionModule(DebugAction):
    """debug_collect"""

    SPEC = {
        "lease": {"type": "str"},
        "all": {"type": "bool", "default": False},
        "dest": {"type": "path", "required": True},
        "keep": {"type": "bool", "default": False},
        "instance": {"type": "str"},
    }

    def work(self, host, arguments, variables):
        """Collect, or with check mode say what would be."""
        lease = choose_lease(arguments)
        if C.DEFAULT_DEBUG:
            raise UsageError(
                "ANSIBLE_DEBUG is on, and would write the raw log of the host, passwords included, to Ansible's output",
                hint="Switch it off for this task.",
            )
        dest = Path(self._loader.path_dwim(arguments["dest"]))
        if self.checking:
            chosen = choose_leases(tasks.status(host), lease)
            return dict(_summarise(()), changed=bool(chosen), leases=[item.id for item in chosen])
        command = ("ansible", self._task.action, host.name)
        stored = collect_leases(host, dest, lease, keep=arguments["keep"], command=command)
        return dict(
            _summarise(stored), changed=any(item.fresh for item in stored), leases=[item.lease for item in stored]
        )


def _summarise(stored):
    """Return what lies on the controller now; nothing of the log itself, which Ansible would write to its own."""
    warnings = [reason for item in stored for reason in item.warnings]
    exposures = [exposure for item in stored for exposure in item.report.exposures]
    return {
        "out": [str(item.out) for item in stored],
        "reports": [str(item.out / "report.html") for item in stored],
        "sessions": sum(len(host.sessions) for item in stored for host in item.report.hosts),
        "findings": [_encode_finding(item.lease, finding) for item in stored for finding in item.report.findings],
        "exposed": sorted(set(exposure.account for exposure in exposures if exposure.verdict != "nothing")),
        "conflicts": [text for item in stored for text in item.conflicts],
        "complete": all(not item.missing for item in stored),
        "missing": encode_reasons([reason for item in stored for reason in item.missing]),
        "notes": encode_reasons(warnings),
    }


def _encode_finding(lease, finding):
    return {
        "lease": lease,
        "code": finding.code,
        "title": finding.title,
        "certainty": finding.certainty,
        "count": finding.count,
        "meaning": finding.meaning,
        "next_step": finding.next_step,
    }
