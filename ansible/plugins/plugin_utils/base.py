# Copyright (c) 2026, The pfremote project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the four actions share: pfremote on the controller, the way to the host, and how an error is told."""

from __future__ import annotations

import json
import re
import traceback
from datetime import datetime, timezone

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.pfremote.postfix.plugins.plugin_utils.connection import EngineConnection

#: Why something of pfremote could not be imported, as tracebacks; empty where all is there.
MISSING = []


def note_missing():
    """Keep why an import failed, while the exception is handled; the task says it when it runs."""
    MISSING.append(traceback.format_exc())


try:
    from pfremote.agent.client import OpenHost
    from pfremote.errors import PfremoteError, Refused, Unreachable, UsageError
    from pfremote.inventory.option_names import OPTIONS
    from pfremote.inventory.option_values import read_option
    from pfremote.run.leases import lease_as_json
    from pfremote.transport import Become
except ImportError:
    note_missing()

ALL = "all"

#: An option of the command line in one of pfremote's hints.
_OPTION = re.compile(r"--([a-z][a-z-]*)")
_FLAGS = frozenset(("allow_content", "all_peers", "allow_volatile_guard", "keep"))


class DebugAction(ActionBase):
    """One visit to one host. A subclass says what to do in work()."""

    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    #: As for AnsibleModule; the documentation stub in plugins/modules says the same.
    SPEC = {}

    def run(self, tmp=None, task_vars=None):
        """Check the parameters, visit the host, and return what became of it."""
        super().run(tmp, task_vars)
        del tmp
        if MISSING:
            why = MISSING[0].strip().splitlines()[-1]
            raise AnsibleActionFail(
                "The Python package pfremote is missing on the controller, lacks something that it needs, or is too old "
                f"for this collection ({why}). Install it beside ansible-core: pip install --upgrade pfremote",
                result={"exception": MISSING[0]},
            )
        _validated, arguments = self.validate_argument_spec(self.SPEC)
        try:
            variables = self._read_variables(task_vars)
            host = self._open(arguments, variables)
            return self.work(host, arguments, variables)
        except Unreachable as exc:
            raise AnsibleConnectionFailure(exc.message) from exc
        except PfremoteError as exc:
            return fail(exc)

    def work(self, host, arguments, variables):
        """Do it; return the task's result."""
        raise NotImplementedError

    @property
    def checking(self):
        """Tell whether nothing may be changed."""
        return self._task.check_mode

    def _read_variables(self, task_vars):
        """Return the pfremote_* variables of this host, checked and converted as the command line does."""
        variables = {}
        given = self._choose_variables(task_vars or {})
        for name in OPTIONS:
            value = self._templar.template(given.get(name))
            if value is None:
                continue
            try:
                variables[name] = read_option(name, plain(value))
            except ValueError as exc:
                raise UsageError("%s: %r %s" % (name, value, exc), hint="Correct the value in the inventory.") from exc
        return variables

    def _choose_variables(self, task_vars):
        """Return the variables of the host that is visited: a limit, or a path, is that host's own."""
        to = self._task.delegate_to
        if not to:
            return task_vars
        if to in task_vars["hostvars"]:
            return task_vars["hostvars"][to]
        return task_vars.get("ansible_delegated_vars", {}).get(to, {})

    def _open(self, arguments, variables):
        helper = str(variables.get("pfremote_helper") or variables.get("pfremote_agent") or "")
        connection = EngineConnection(self)
        # Where Ansible does not become another user, an installed helper is what sudoers allows by its name.
        with_sudo = bool(helper) and self._connection.become is None
        return OpenHost(
            connection,
            Become(None if with_sudo else False),
            instance=arguments.get("instance") or str(variables.get("pfremote_instance") or ""),
            agent=helper,
            log=str(variables.get("pfremote_log") or ""),
            name=self.host_name,
        )

    @property
    def host_name(self):
        """How the host is called in results, reports and folders."""
        return str(self._task.delegate_to or self._task_vars_name())

    def _task_vars_name(self):
        return self._templar.available_variables.get("inventory_hostname", self._play_context.remote_addr)


def plain(value):
    """Return a value without Ansible's own marks on it: pfremote looks at exact types."""
    return json.loads(json.dumps(value))


def check_lease(lease):
    """Return a lease id, empty where none is given, or raise UsageError."""
    if not lease or re.fullmatch(r"[0-9a-f]{12}", lease):
        return lease or ""
    raise UsageError(
        "%r is no lease id" % lease, hint="Give 12 digits of 0-9 and a-f; debug_info shows the ids on a host."
    )


def choose_lease(arguments):
    """Return the id in lease, or ALL where that or all asks for every lease; one of the two must be given."""
    wanted = arguments["lease"]
    if bool(wanted) == arguments["all"]:
        raise UsageError("either lease or all says which lease is meant", hint="Give lease: ID, or all: true.")
    return ALL if wanted in (None, "", ALL) else check_lease(wanted)


def fail(error, **known):
    """Return the result of a task that failed for an error of pfremote."""
    reasons = error.reasons if isinstance(error, Refused) else (error,)
    return fail_for([encode_reason(reason) for reason in reasons], **known)


def fail_for(reasons, **known):
    """Return the result of a task that failed for these reasons."""
    told = ["%s. %s" % (item["message"].rstrip("."), item.get("hint", "")) for item in reasons]
    return dict(known, failed=True, msg=" ".join(text.strip() for text in told), reasons=reasons)


def encode_reason(reason):
    """Return a reason or an error as plain values, in the words of a playbook."""
    told = {"code": getattr(reason, "code", "") or "usage", "message": translate(reason.message)}
    return dict(told, hint=translate(reason.hint)) if reason.hint else told


def encode_reasons(reasons):
    """Return several of them."""
    return [encode_reason(reason) for reason in reasons]


def translate(text):
    """Return a sentence of pfremote with parameters in the place of its options, unless it shows a command line."""
    return text if "pfremote " in text else " ".join(_OPTION.sub(_as_parameter, text).split())


def _as_parameter(match):
    name = match[1].replace("-", "_")
    return "%s: true" % name if name in _FLAGS else "%s:" % {"peer": "peers"}.get(name, name)


def encode_lease(lease):
    """Return a lease as plain values, its id among them."""
    return dict(lease_as_json(lease), id=lease.id)


def encode_time(seconds):
    """Return epoch seconds as RFC 3339 in UTC; None stays None."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
