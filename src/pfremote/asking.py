"""Ask the agent on one host: one privileged command, the agent on its stdin, the reply decoded."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from pfremote.agent import load_agent
from pfremote.agent.install import INSTALL_SCRIPT, make_helper
from pfremote.agent.protocol import Argument, Reply, ReplyCutError, decode_reply, encode_request
from pfremote.errors import AgentFailed, PfremoteError, Refused
from pfremote.log_levels import CALL, PROTOCOL
from pfremote.secret import Secret
from pfremote.target import Target
from pfremote.transport import Become, Completed, Connection, ConnectOptions, connect, run_as_root

_log = logging.getLogger(__name__)

#: Seconds that a verb may take on a healthy but busy host, beside any waiting that it is asked to do.
VERB_SECONDS = {
    "probe": 60,
    "arm": 120,
    "extend": 60,
    "status": 60,
    "revert": 120,
    "collect": 600,
    "tail": 60,
    "forget": 60,
    "history": 60,
    "restore": 120,
}


@dataclass(frozen=True, slots=True)
class OpenHost:
    """A host with an open connection, and how to become root on it.

    ``agent`` is the path of an installed agent (``pfremote bootstrap``); empty sends the agent along each time.
    ``log`` is where this Postfix logs, ``journal`` or ``file:PATH``; empty lets the host find out.
    ``name`` is how our own log calls the host.
    """

    connection: Connection
    become: Become = field(default_factory=lambda: Become(None, "root", "sudo", None))
    instance: str = ""
    agent: str = ""
    log: str = ""
    name: str = ""


@contextmanager
def open_host(target: Target, options: ConnectOptions, password: Secret | None = None) -> Iterator[OpenHost]:
    """Connect to ``target`` for the block. ``password`` is for sudo, and goes before the inventory's own.

    Raises:
        HostError: what :func:`pfremote.transport.connect` raises.
    """
    if target.vars.get("pfremote_host_key_checking") is False:
        options = replace(options, host_key_checking="accept-new")
    connection = connect(target, options)
    secret = password or target.become_password
    become = Become(target.become, target.become_user, target.become_method, secret)
    agent = str(target.vars.get("pfremote_helper") or target.vars.get("pfremote_agent") or "")
    try:
        log = str(target.vars.get("pfremote_log") or "")
        yield OpenHost(connection, become, target.instance or "", agent, log, target.name)
    finally:
        connection.close()


def new_lease() -> str:
    """Return a fresh lease id. The client chooses it, so that a lost reply can be asked after."""
    return secrets.token_hex(6)


def ask_agent(host: OpenHost, verb: str, *, patience: float = 0, **arguments: Argument) -> Reply:
    """Run one verb of the agent on the host and return its reply.

    ``patience`` adds seconds to the verb's own limit.

    Raises:
        Refused: the agent refused, and touched nothing.
        AgentFailed: it failed; ReplyCutError where the reply is lost, so that the work may be done or not.
        HostError: the connection, the deadline or the way to root.
    """
    if verb in ("probe", "arm"):  # every later verb goes by the mark that arm took
        arguments["log"] = host.log or None
    words = encode_request(verb, instance=host.instance or None, **arguments)
    argv, script = ([host.agent, *words], b"") if host.agent else (["/bin/sh", "-s", "--", *words], load_agent())
    with _logged(host.name, words):
        completed = run_as_root(
            host.connection, argv, stdin=script, timeout=VERB_SECONDS[verb] + patience, become=host.become
        )
        return _read_reply(completed, host.name)


@contextmanager
def _logged(name: str, words: list[str]) -> Iterator[None]:
    """Log the call, what it came to and how long it took; nothing in a request is secret."""
    about = {"host": name}
    _log.log(PROTOCOL, "> %s", " ".join(words), extra=about)
    began, outcome = time.monotonic(), "ok"
    try:
        yield
    except PfremoteError as exc:
        outcome = f"{type(exc).__name__}: {exc.message}"
        raise
    finally:
        _log.log(CALL, "%s: %s, %.2f s", words[0], outcome, time.monotonic() - began, extra=about)


def _log_reply(name: str, reply: Reply) -> None:
    """Log what the agent said; payloads hold log lines with captured passwords, so they are only counted."""
    about = {"host": name}
    for key, value in reply.pairs:
        _log.log(PROTOCOL, "< %s=%s", key, value, extra=about)
    for key in reply.payloads:
        _log.log(PROTOCOL, "< payload %s, %d bytes", key, reply.payloads.size(key), extra=about)


def _read_reply(completed: Completed, name: str) -> Reply:
    if not completed.stdout:
        said = completed.stderr.decode("utf-8", "replace").strip().splitlines()
        why = f": {said[-1][:200]}" if said else ""
        raise ReplyCutError(f"the agent ended with status {completed.exit_status} and without a reply{why}")
    reply = decode_reply(completed.stdout)
    _log_reply(name, reply)
    if reply.outcome == "refused":
        raise Refused(reply.refusals)
    if reply.outcome == "failed":
        first = reply.failures[0]
        raise AgentFailed(first.message, code=first.code, hint=first.hint)
    return reply


def install_agent(host: OpenHost, path: str, sudoers: str = "") -> tuple[str, ...]:
    """Install the agent as ``path`` (root:root 0755) and the sudoers line; return what was installed.

    This is the one thing that needs full sudo. No verb of the agent can do it, so that whoever may run only
    the agent cannot change it or give it to others.

    Raises:
        AgentFailed: a step failed; visudo's own words are in the message.
        HostError: the connection, the deadline or the way to root.
    """
    argv = ["/bin/sh", "-c", INSTALL_SCRIPT, "sh", path, sudoers]
    done = run_as_root(host.connection, argv, stdin=make_helper(), timeout=60, become=host.become)
    if done.exit_status != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"]
        raise AgentFailed(
            f"the agent could not be installed: {said[-1]}",
            code="install",
            hint="it needs sudo for /bin/sh, a writable directory for the helper, and visudo for --write",
        )
    return tuple(done.stdout.decode("utf-8", "replace").splitlines())
