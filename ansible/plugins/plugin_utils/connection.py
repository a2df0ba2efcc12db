# Copyright (c) 2026, The pfremote project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pfremote's way to a host, over Ansible's own connection and become."""

from __future__ import annotations

import shlex
import signal
import threading
from contextlib import contextmanager

from ansible import constants as C
from ansible.errors import AnsibleConnectionFailure, AnsibleError

try:
    from pfremote.errors import AnswerTooLong, BecomeFailed, DeadlineExceeded, HostError, Unreachable
    from pfremote.transport.base import Completed
except ImportError:
    # DebugAction says so, before anything of this is used
    pass

#: The words of the agent that must not be sent a second time by the connection's own retries: the first
#: time may have done the work, and the second would be refused.
_ONCE = frozenset(("arm", "forget"))


class EngineConnection:
    """Runs one command of pfremote by the connection plugin of the task; see pfremote.transport.base.

    The agent goes in as the command's stdin. Nothing is copied to the host, and Python is not needed there.
    """

    def __init__(self, action):
        self._action = action
        self._plugin = action._connection

    def run(self, argv, *, stdin=b"", timeout, limit=None, **_more):
        """Run argv and return its exit status and both streams, byte for byte.

        Ansible's become answers the prompt, and reads all that comes; what is longer than limit is not looked at.
        """
        if not self._plugin.has_pipelining:
            raise HostError(
                "connection plugin %s cannot feed a command's stdin" % self._plugin.transport,
                hint="Set ansible_connection: ssh.",
            )
        command = self._build(argv)
        with self._quiet(), self._piped(_ONCE.isdisjoint(argv)), _deadline(timeout):
            try:
                status, stdout, stderr = self._plugin.exec_command(command, in_data=stdin or b"\n")
            except AnsibleConnectionFailure as exc:
                raise Unreachable(_one_line(exc)) from exc
            except AnsibleError as exc:
                raise BecomeFailed(
                    _one_line(exc), hint="Look at become, become_user and ansible_become_password of this host."
                ) from exc
        answer = self._strip(stdout)
        if limit and len(answer) > limit:
            raise AnswerTooLong("the host sent %d bytes, more than the %d that are read" % (len(answer), limit))
        return Completed(status or 0, answer, stderr)

    def close(self):
        """Do nothing: the connection is Ansible's."""

    def _build(self, argv):
        """Return the command line as ActionBase makes it: become, and the shell around it."""
        command = shlex.join(argv)
        become, shell = self._plugin.become, self._plugin._shell
        if become and self._needs_become():
            command = become.build_become_command(command, shell)
        if self._plugin.allow_executable and self._action._play_context.executable:
            # the pause: ssh may lose the end of the output of a command that ends at once
            command = shell.append_command(command, "sleep 0")
            command = "%s -c %s" % (self._action._play_context.executable, shlex.quote(command))
        return command

    def _needs_become(self):
        there, wanted = self._action._get_remote_user(), self._action.get_become_option("become_user")
        return C.BECOME_ALLOW_SAME_USER or wanted != there or not (wanted or there)

    def _strip(self, stdout):
        """Return the output without the mark by which Ansible knows that become succeeded."""
        become = self._plugin.become
        if become and become.success:
            head, mark, rest = stdout.partition(become.success.encode())
            if mark and len(head) < 4096:
                return rest.lstrip(b"\r\n")
        return stdout

    @contextmanager
    def _quiet(self):
        """Keep what the host says out of Ansible's log: -vvv would show it, and it may hold passwords."""
        contexts = (self._action._play_context, self._plugin._play_context)
        before = [context.no_log for context in contexts]
        for context in contexts:
            context.no_log = True
        try:
            yield
        finally:
            for context, value in zip(contexts, before):
                context.no_log = value

    @contextmanager
    def _piped(self, may_repeat):
        """Let stdin reach the command whatever ansible.cfg says of pipelining; repeat only what may be."""
        wanted = {"pipelining": True}
        if not may_repeat:
            wanted["reconnection_retries"] = 0
        before = {name: self._plugin.get_option(name) for name in wanted if self._plugin.has_option(name)}
        for name in before:
            self._plugin.set_option(name, wanted[name])
        try:
            yield
        finally:
            for name, value in before.items():
                self._plugin.set_option(name, value)


@contextmanager
def _deadline(seconds):
    """Give up after so many seconds: Ansible's connections wait for ever. A task with a timeout of its own keeps it."""
    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getitimer(signal.ITIMER_REAL)[0]:
        yield
        return

    def give_up(*_args):
        raise DeadlineExceeded("the host did not answer within %d seconds" % seconds)

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _one_line(exc):
    """Return what an error of Ansible says, on one line: it may quote what the host said."""
    return " ".join(str(exc).split())[:500]
