"""Ask the agent on one host: one privileged command, the agent on its stdin, the reply decoded."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace

from pfremote.agent import load_agent
from pfremote.agent.install import INSTALL_SCRIPT, REMOVE_SCRIPT, make_helper
from pfremote.agent.protocol import PAYLOAD_LIMIT, Argument, Reply, ReplyCutError, decode_reply, encode_request
from pfremote.errors import AgentFailed, PfremoteError, Refused
from pfremote.model.log_levels import CALL, PROTOCOL
from pfremote.model.secret import Secret
from pfremote.model.target import Target
from pfremote.transport import Become, Completed, Connection, ConnectOptions, Transport, connect, run_as_root

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

#: Seconds for what comes before the first call of a visit: jump hosts, sshd's MaxStartups, the login.
REACH_SECONDS = 60

#: Bytes of a verb's answer that are read. The agent cuts the evidence at 200 MB, and what one ``tail`` is made of at
#: 16 MB; copies of main.cf come on top.
VERB_BYTES = {"collect": PAYLOAD_LIMIT + 4 * 1024 * 1024, "tail": 24 * 1024 * 1024}
OTHER_BYTES = 16 * 1024 * 1024


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
def open_host(
    target: Target, options: ConnectOptions, password: Secret | None = None, transport: Transport = connect
) -> Iterator[OpenHost]:
    """Connect to ``target`` for the block. ``password`` is for sudo, and goes before the inventory's own.

    Raises:
        HostError: what ``transport`` raises (see :func:`pfremote.transport.connect`).
    """
    if target.vars.get("pfremote_host_key_checking") is False:
        options = replace(options, host_key_checking="accept-new")
    secret = password or target.become_password
    become = Become(target.become, target.become_user, target.become_method, secret)
    agent = str(target.vars.get("pfremote_helper") or target.vars.get("pfremote_agent") or "")
    log = str(target.vars.get("pfremote_log") or "")
    with _named_in_hints(target, options), closing(transport(target, options)) as connection:
        yield OpenHost(connection, become, target.instance or "", agent, log, target.name)


@contextmanager
def _named_in_hints(target: Target, options: ConnectOptions) -> Iterator[None]:
    """Let the hint of an error name this host and its user, where it has a command to type."""
    try:
        yield
    except PfremoteError as exc:
        # It knows ssh_config, which only a host that is reached by ssh needs.
        from pfremote.transport.ssh_command import name_login

        exc.hint = name_login(exc.hint, target, options)
        raise


#: Digits that the leases of one run have in common; the others count a million hosts.
ALIKE = 7


def new_lease() -> str:
    """Return a fresh lease id. The client chooses it, so that a lost reply can be asked after."""
    return secrets.token_hex(6)


def longest_visit(*verbs: str, waiting: float = 0) -> float:
    """Return the most seconds that a visit with these calls may take; ``waiting`` as in :func:`ask_agent`."""
    return REACH_SECONDS + sum(VERB_SECONDS[verb] for verb in verbs) + waiting


def new_leases(hosts: Sequence[str]) -> dict[str, str]:
    """Return a fresh id for each host of one run. They begin alike, so that one beginning names all of them."""
    if len(hosts) == 1:
        return {hosts[0]: new_lease()}
    common = new_lease()[:ALIKE]
    return {host: f"{common}{number:05x}" for number, host in enumerate(hosts)}


def ask_agent(host: OpenHost, verb: str, arguments: Mapping[str, Argument], *, waiting: float = 0) -> Reply:
    """Run one verb of the agent on the host and return its reply.

    ``waiting`` is how many seconds the host is asked to wait, beside what the verb itself may take.

    Raises:
        Refused: the agent refused, and touched nothing.
        AgentFailed: it failed; ReplyCutError where the reply is lost, so that the work may be done or not.
        HostError: the connection, the deadline or the way to root.
    """
    words = encode_call(host, verb, arguments)
    argv, script = ([host.agent, *words], b"") if host.agent else (["/bin/sh", "-s", "--", *words], load_agent())
    with CallLog(host.name) as calls:
        calls.begin(words)
        completed = run_as_root(
            host.connection,
            argv,
            stdin=script,
            timeout=VERB_SECONDS[verb] + waiting,
            become=host.become,
            limit=VERB_BYTES.get(verb, OTHER_BYTES),
        )
        return read_reply(completed, host.name)


def encode_call(host: OpenHost, verb: str, arguments: Mapping[str, Argument]) -> list[str]:
    """Return the words of one call: those of the request, and what is known of the host."""
    if verb in ("probe", "arm"):  # every later verb goes by the mark that arm took
        arguments = {**arguments, "log": arguments.get("log") or host.log or None}
    return encode_request(verb, instance=host.instance or None, **arguments)


class CallLog:
    """Logs each call to a host, what it came to and how long it took; nothing in a request is secret."""

    def __init__(self, name: str) -> None:
        self._about = {"host": name}
        self._verb = ""
        self._began = 0.0

    def begin(self, words: list[str]) -> None:
        """Note that a request goes out."""
        self._verb, self._began = words[0], time.monotonic()
        _log.log(PROTOCOL, "> %s", " ".join(words), extra=self._about)

    def end(self, outcome: str = "ok") -> None:
        """Note what the request came to, once."""
        if self._verb:
            _log.log(CALL, "%s: %s, %.2f s", self._verb, outcome, time.monotonic() - self._began, extra=self._about)
        self._verb = ""

    def __enter__(self) -> CallLog:
        return self

    def __exit__(self, _kind: object, exc: BaseException | None, _trace: object) -> None:
        self.end(f"{type(exc).__name__}: {exc.message}" if isinstance(exc, PfremoteError) else "ok")


def _log_reply(name: str, reply: Reply) -> None:
    """Log what the agent said; payloads hold log lines with captured passwords, so they are only counted."""
    about = {"host": name}
    for key, value in reply.pairs:
        _log.log(PROTOCOL, "< %s=%s", key, value, extra=about)
    for key in reply.payloads:
        _log.log(PROTOCOL, "< payload %s, %d bytes", key, reply.payloads.size(key), extra=about)


def read_reply(completed: Completed, name: str) -> Reply:
    """Return the reply in what a call left.

    Raises:
        Refused, AgentFailed: as :func:`ask_agent`.
    """
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

    This is the one thing that needs full sudo. No verb of the agent can do it, so that an account that may run only
    the agent cannot change it or give it to others.

    Raises:
        AgentFailed: a step failed; visudo's own words are in the message.
        HostError: the connection, the deadline or the way to root.
    """
    hint = "It needs sudo for /bin/sh, a writable directory for the helper, and visudo for --write."
    return _run_script(host, [INSTALL_SCRIPT, "sh", path, sudoers], make_helper(), deed="installed", hint=hint)


def remove_agent(host: OpenHost, path: str, sudoers: str) -> tuple[str, ...]:
    """Take the sudoers line and the agent away again, and return what was done, one sentence each.

    Raises:
        AgentFailed: a step failed. HostError: the connection, the deadline or the way to root.
    """
    hint = "It needs sudo for /bin/sh, as bootstrap did."
    return _run_script(host, [REMOVE_SCRIPT, "sh", path, sudoers], b"", deed="removed", hint=hint)


def _run_script(host: OpenHost, words: list[str], stdin: bytes, *, deed: str, hint: str) -> tuple[str, ...]:
    """Run a script of :mod:`pfremote.agent.install` as root, and return the lines that it prints."""
    done = run_as_root(host.connection, ["/bin/sh", "-c", *words], stdin=stdin, timeout=60, become=host.become)
    if done.exit_status != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"]
        raise AgentFailed(f"the agent could not be {deed}: {said[-1]}", code="install", hint=hint)
    return tuple(done.stdout.decode("utf-8", "replace").splitlines())
