# Copyright (c) 2026, The pfremote project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arm a window on the task's host; documented in plugins/modules/debug_window.py."""

from __future__ import annotations

import os

from ansible_collections.pfremote.postfix.plugins.plugin_utils.base import (
    DebugAction,
    check_lease,
    encode_reasons,
    encode_time,
    fail_for,
    note_missing,
    plain,
)

try:
    from pfremote.engine.debug_window import arm_window, extend_window
    from pfremote.errors import Refused, Unreachable, UsageError
    from pfremote.model.target import Target
    from pfremote.options.request import make_request
except ImportError:
    note_missing()

#: Parameters that are no part of the request.
_OWN = frozenset(("peers", "instance", "lease", "extend"))


class ActionModule(DebugAction):
    """debug_window"""

    SPEC = {
        "peers": {"type": "list", "elements": "str", "default": []},
        "minutes": {"type": "str", "default": "10"},
        "level": {"type": "int", "default": 2},
        "smtpd_tls": {"type": "int"},
        "smtp_tls": {"type": "int"},
        "lmtp_tls": {"type": "int"},
        "reason": {"type": "str", "default": ""},
        "log": {"type": "str"},
        "stop_after": {"type": "int"},
        "max_log": {"type": "str"},
        "min_free": {"type": "str"},
        "drain": {"type": "str"},
        "guard": {"type": "str", "choices": ["auto", "systemd", "cron", "at", "process"]},
        "allow_volatile_guard": {"type": "bool", "default": False},
        "allow_content": {"type": "bool", "default": False},
        "all_peers": {"type": "bool", "default": False},
        "instance": {"type": "str"},
        "lease": {"type": "str"},
        "extend": {"type": "bool", "default": False},
    }

    def work(self, host, arguments, variables):
        """Arm the window, or let one end later."""
        lease = check_lease(arguments["lease"])
        request = self._make_request(arguments, variables)
        if request.mistakes:
            raise Refused(request.mistakes)
        if arguments["extend"]:
            if not lease:
                raise UsageError("extend: no lease is named", hint="Give lease: with its id; debug_info shows it.")
            who = {"owner": request.owner, "origin": request.origin}
            return self._describe(extend_window(host, lease, request.seconds, check=self.checking, **who))
        if not request.peers:
            raise UsageError(
                "peers: no peer is named", hint="Give an address, network, name, domain, /file or type:table."
            )
        return self._describe(arm_window(host, request, lease=lease, check=self.checking))

    def _make_request(self, arguments, variables):
        """Return the request; what the inventory says counts where the task says nothing."""
        words = {name: plain(value) for name, value in arguments.items() if name not in _OWN}
        if words["stop_after"] is not None and words["stop_after"] < 1:
            raise UsageError("stop_after: %d is no number of sessions" % words["stop_after"], hint="Give at least 1.")
        asked = make_request(peer=plain(arguments["peers"]), owner=self._find_owner(), **words)
        return asked.fit(Target(self.host_name, self.host_name, vars=variables))

    def _find_owner(self):
        """Return who asked for the job, where an engine says it; else the login counts, as on the command line."""
        known = self._templar.available_variables
        for name in ("awx_user_name", "tower_user_name"):
            if known.get(name):
                return str(plain(self._templar.template(known[name])))
        if known.get("semaphore_vars"):
            details = plain(self._templar.template(known["semaphore_vars"]))["task_details"]
            return details.get("username", "")
        return os.environ.get("RD_JOB_USERNAME", "")

    def _describe(self, armed):
        result = armed.result
        known = {
            "changed": armed.changed,
            "lease": result.lease or None,
            "state": result.state,
            "deadline": encode_time(result.deadline),
            "seconds": armed.seconds,
            "guard": result.guard or None,
            "peers": list(armed.peers),
            "in_force": dict(armed.in_force),
            "warnings": [item["message"] for item in encode_reasons(armed.warnings)],
            "notes": encode_reasons(armed.warnings),
        }
        if armed.diff and self._task.diff:
            known["diff"] = {"prepared": "\n".join(armed.diff) + "\n"}
        reasons = result.refusals or ((result.error,) if result.error else ())
        if reasons and result.state == "untouched" and reasons[0].code == "unreachable":
            raise Unreachable(reasons[0].message)
        if not reasons:
            return known
        known["changed"] = result.state != "untouched"
        return fail_for(encode_reasons(reasons), **known)
