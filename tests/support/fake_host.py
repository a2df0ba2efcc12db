"""A mail host in memory: leases, a guard, main.cf, a log, verbose processes; and the agent's verbs over them.

It says what docs/agent-protocol.md documents and does what the agent does there; tests/host/test_fake_host.py holds it
against a real one. What goes wrong on the way to it is in :mod:`tests.support.fake_transport`.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

from tests.support.fake_time import FakeTime

PARAMETERS = ("debug_peer_list", "debug_peer_level", "smtpd_tls_loglevel", "smtp_tls_loglevel", "lmtp_tls_loglevel")
DEFAULTS = {"debug_peer_list": "", "debug_peer_level": "2"}
LEVELS = {
    "debug_peer_level": "level",
    "smtpd_tls_loglevel": "smtpd_tls",
    "smtp_tls_loglevel": "smtp_tls",
    "lmtp_tls_loglevel": "lmtp_tls",
}

#: The owner of leases that are not from the run under test.
OTHER = "other"

Arguments = Mapping[str, Sequence[str]]


class Refusal(Exception):
    """The agent refuses or fails: ``outcome`` is the word of the protocol, the text its code and sentence."""

    def __init__(self, text: str, outcome: str = "refused") -> None:
        super().__init__(text)
        self.outcome = outcome


class Answer:
    """One reply, written as the agent writes it."""

    def __init__(self) -> None:
        self._parts = [b"pfremote=1\n"]

    def say(self, key: str, value: object) -> None:
        self._parts.append(f"{key}={value}\n".encode())

    def payload(self, name: str, data: bytes, encoding: str = "raw") -> None:
        self.say("payload", f"{name} {len(data)} {encoding}")
        self._parts.append(data + b"\n")

    def end(self, outcome: str = "ok") -> bytes:
        self.say("end", outcome)
        return b"".join(self._parts)


@dataclass
class FakeLease:
    """One lease. ``ends`` is its deadline by the machine's uptime."""

    id: str
    arguments: Arguments
    since: int
    deadline: int
    ends: float
    before: bytes
    active: bool = True
    during: bytes = b""
    after: bytes = b""
    why: str = ""
    ended: int | None = None
    restored: str = ""
    conflicts: list[str] = field(default_factory=list)
    drained: str = ""
    sessions: int = 0
    connects: int = 0
    armed_at: float = 0.0
    extended: str = ""
    first_line: int = 0
    last_line: int | None = None

    @property
    def is_others(self) -> bool:
        """Tell whether another operator armed it."""
        return self.one("owner") == OTHER

    def one(self, key: str, default: str = "") -> str:
        return next(iter(self.arguments.get(key, ())), default)


@dataclass
class FakeHost:
    """One machine. ``missing`` is why its evidence is lost, as the host says it; ``takes`` how long each verb takes."""

    name: str
    time: FakeTime
    main_cf: dict[str, str] = field(default_factory=lambda: {"myhostname": "mx1.example.jp"})
    skew: float = 0.0
    takes: float = 0.0
    guard_alive: bool = True
    guards: str = "systemd cron"
    running: bool = True
    missing: list[str] = field(default_factory=list)
    told_missing: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    dirt: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    #: What is found in its other instances: directory, ``unexplained`` or ``dirty``, text.
    elsewhere: list[str] = field(default_factory=list)
    predating: int = 0
    leases: dict[str, FakeLease] = field(default_factory=dict)
    log: list[tuple[bytes, int]] = field(default_factory=list)
    #: Verbose processes and their client's address.
    verbose: dict[int, str] = field(default_factory=dict)
    tail_limit: int = 1000
    utc_offset: str = "+0000"
    gap: bool = False
    _baseline: dict[str, str] | None = None
    _written: dict[str, str] = field(default_factory=dict)
    _found: dict[str, str] = field(default_factory=dict)
    _pids: int = 4000

    # What a test looks at, and what happens on the machine.

    @property
    def now(self) -> int:
        """The machine's wall clock."""
        return int(self.time.epoch() + self.skew)

    @property
    def armed(self) -> bool:
        """Tell whether any lease is active now."""
        return bool(self.active())

    @property
    def as_found(self) -> bool:
        """Tell whether main.cf says of debugging what it said before the first lease, and no process is verbose."""
        self.active()
        changed = [name for name in PARAMETERS if self.main_cf.get(name) != self._found.get(name)]
        return not self._written or not (changed or self.verbose)

    def active(self) -> list[FakeLease]:
        """Return the active leases; the guard has ended those whose time is up."""
        for lease in self.leases.values():
            over = self.time.monotonic() >= lease.ends or self.now >= lease.deadline
            if lease.active and self.guard_alive and over:
                self.end(lease, "deadline")
        return [lease for lease in self.leases.values() if lease.active]

    def arm_other(self, seconds: int, peer: str = "192.0.2.99") -> str:
        """Let another operator arm a lease, and return its id."""
        name = f"{len(self.leases):012x}"
        words = {"lease": [name], "seconds": [str(seconds)], "peer": [peer], "level": ["1"], "owner": [OTHER]}
        self.answer("arm", words)
        return name

    def edit(self, name: str, value: str) -> None:
        """Let another person edit main.cf. After a window, that is how main.cf is to be."""
        if not self.armed:
            self._found = {**self._found, name: value}
        self.main_cf[name] = value

    def extend(self, seconds: int) -> None:
        """Let another operator extend every lease, to end in so many seconds."""
        for lease in self.active():
            self.answer("extend", {"lease": [lease.id], "seconds": [str(seconds)]})

    def forget_all(self) -> None:
        """Let another client collect what is over."""
        self.leases = {lease.id: lease for lease in self.active()}

    def connect(self, address: str = "192.0.2.7") -> int:
        """Begin a session of an SMTP client and return the process; it is verbose where a lease names the address."""
        self._pids += 1
        matching = [lease for lease in self.active() if address in lease.arguments["peer"]]
        if matching:
            self.verbose[self._pids] = address
        for lease in self.active():
            lease.connects += 1
            lease.sessions += lease in matching
        peer = f"client.example.jp[{address}]"
        self._write(
            self._pids, f"connect from {peer}", *self._talk(self._pids, f"> {peer}: 220 mx1", f"< {peer}: NOOP")
        )
        return self._pids

    def disconnect(self, pid: int) -> None:
        """End a session; a lease with ``stop_after`` may be over with it."""
        peer = f"client.example.jp[{self.verbose.get(pid, '192.0.2.9')}]"
        self._write(
            pid, *self._talk(pid, f"< {peer}: QUIT", f"> {peer}: 221 2.0.0 Bye"), f"disconnect from {peer} quit=1"
        )
        self.verbose.pop(pid, None)
        for lease in self.active():
            if (limit := lease.one("stop_after")) and lease.sessions >= int(limit):
                self.end(lease, "stop-after")

    def disconnect_all(self) -> None:
        """End every session that is verbose."""
        for pid in list(self.verbose):
            self.disconnect(pid)

    def visit(self, address: str = "192.0.2.7") -> None:
        """Let a client come and go."""
        self.disconnect(self.connect(address))

    def refuse(self, recipient: str = "b@example.net", address: str = "192.0.2.7") -> None:
        """Let a client come that wants to relay, and is refused."""
        pid = self.connect(address)
        peer = f"client.example.jp[{address}]"
        answer = f"554 5.7.1 <{recipient}>: Relay access denied"
        self._write(
            pid,
            *self._talk(pid, f"< {peer}: MAIL FROM:<a@example.jp>", f"> {peer}: 250 2.1.0 Ok"),
            *self._talk(pid, f"< {peer}: RCPT TO:<{recipient}>"),
            f"NOQUEUE: reject: RCPT from {peer}: {answer}; from=<a@example.jp> to=<{recipient}> proto=ESMTP helo=<c>",
            *self._talk(pid, f"> {peer}: {answer}"),
        )
        self.disconnect(pid)

    def end(self, lease: FakeLease, why: str) -> None:
        """End a lease: the one way out. Another's edit of main.cf stays."""
        lease.active, lease.why, lease.ended, lease.last_line = False, why, self.now, len(self.log)
        if others := [other for other in self.leases.values() if other.active]:
            self._apply(others)
            lease.restored = "recomputed"
        else:
            self._restore(lease)
        lease.after = self.render()

    def render(self) -> bytes:
        """Return main.cf as bytes."""
        return "".join(f"{name} = {value}\n" for name, value in self.main_cf.items()).encode()

    def _talk(self, pid: int, *texts: str) -> tuple[str, ...]:
        """Return what a process logs of a dialogue: nothing unless it is verbose."""
        return texts if pid in self.verbose else ()

    def _write(self, pid: int, *texts: str) -> None:
        stamp = datetime.fromtimestamp(self.now, UTC).isoformat()
        self.log += [(f"{stamp} mx1 postfix/smtpd[{pid}]: {text}\n".encode(), pid) for text in texts]

    def _apply(self, leases: Sequence[FakeLease]) -> None:
        """Write what the leases want together over the baseline: all peers, the highest levels."""
        wanted = dict(self._baseline or {})
        peers = [peer for lease in leases for peer in lease.arguments["peer"]]
        wanted["debug_peer_list"] = " ".join(dict.fromkeys(filter(None, [wanted.get("debug_peer_list"), *peers])))
        for parameter, key in LEVELS.items():
            if values := [int(value) for lease in leases for value in lease.arguments.get(key, ())]:
                wanted[parameter] = str(max(values))
        self.main_cf, self._written = dict(wanted), wanted

    def _restore(self, lease: FakeLease) -> None:
        baseline, written = self._baseline or {}, self._written
        if self.main_cf == written:
            self.main_cf, lease.restored = dict(baseline), "bytes"
        else:
            lease.restored = "params"
            for name in PARAMETERS:
                self._put_back(lease, name, written.get(name), baseline.get(name))
        self._baseline = None

    def _put_back(self, lease: FakeLease, name: str, ours: str | None, before: str | None) -> None:
        theirs = self.main_cf.get(name)
        if ours == before:
            return
        if theirs != ours:
            lease.conflicts.append(f"{name} ours={quote(ours or '')} theirs={quote(theirs or '')}")
        elif before is None:
            self.main_cf.pop(name)
        else:
            self.main_cf[name] = before

    # The verbs.

    def answer(self, verb: str, arguments: Arguments) -> tuple[int, bytes]:
        """Do one verb and return the exit status and the reply."""
        answer = Answer()
        self.active()
        try:
            {
                "probe": self._probe,
                "arm": self._arm,
                "extend": self._extend,
                "status": self._status,
                "revert": self._revert,
                "collect": self._collect,
                "tail": self._tail,
                "forget": self._forget,
                "restore": self._restore_over,
                "history": self._history,
            }[verb](answer, arguments)
        except Refusal as refusal:
            answer.say(refusal.outcome, refusal)
            return {"refused": 3, "failed": 4}[refusal.outcome], answer.end(refusal.outcome)
        return 0, answer.end()

    def _probe(self, answer: Answer, _arguments: Arguments) -> None:
        facts = {
            "uid": 0,
            "host": self.name,
            "time": f"{self.time.epoch() + self.skew:.3f}",
            "utc_offset": "+0000",
            "version": "3.7.11",
            "config_directory": "/etc/postfix",
            "main_cf": "/etc/postfix/main.cf",
            "running": "yes" if self.running else "no",
            "log": "file:/var/log/mail.log",
            "guards": self.guards,
            "parent_domain": "yes",
        }
        for key, value in facts.items():
            answer.say(key, value)
        for name in PARAMETERS:
            value = self.main_cf.get(name)
            answer.say("param", f"{name} absent " if value is None else f"{name} present {value}")
            answer.say("effective", f"{name} {value or DEFAULTS.get(name, '0')}")
        for text in self.unexplained:
            answer.say("unexplained", text)
        for lease in self.leases.values():
            self._say_lease(answer, lease)

    def _arm(self, answer: Answer, arguments: Arguments) -> None:
        if not self.running:
            raise Refusal("postfix-stopped Postfix is not running for /etc/postfix, there is nothing to debug")
        (name,), (seconds,) = arguments["lease"], arguments["seconds"]
        if name in self.leases:
            raise Refusal(f"lease-exists lease {name} exists already on this host")
        lease = FakeLease(
            name,
            arguments,
            since=self.now,
            deadline=self.now + int(seconds),
            ends=self.time.monotonic() + int(seconds),
            before=self.render(),
            first_line=len(self.log),
        )
        known = (self.main_cf, self._baseline, self._written)
        self._baseline = dict(self.main_cf) if self._baseline is None else self._baseline
        self._found = self._found or dict(self._baseline)
        self._apply([*self.active(), lease])
        lease.during = self.render()
        if "check" not in arguments:
            self.leases[name] = lease
            self._say_lease(answer, lease)
            self._say_time(answer)
            answer.say("predating", self.predating)
        for parameter in PARAMETERS:
            answer.say("value", f"{parameter} {self.main_cf.get(parameter, DEFAULTS.get(parameter, '0'))}")
        if "check" in arguments:
            self.main_cf, self._baseline, self._written = known
        answer.payload("main.cf.before", lease.before)
        answer.payload("main.cf.during", lease.during)

    def _extend(self, answer: Answer, arguments: Arguments) -> None:
        lease, seconds = self._find(arguments), int(arguments["seconds"][0])
        if not lease.active:
            raise Refusal(f"lease-over lease {lease.id} is over already")
        lease.deadline, lease.ends = self.now + seconds, self.time.monotonic() + seconds
        lease.extended = next(iter(arguments.get("owner", ())), "")
        self._say_lease(answer, lease)
        self._say_time(answer)

    def _status(self, answer: Answer, arguments: Arguments) -> None:
        leases = [self._find(arguments)] if "lease" in arguments else list(self.leases.values())
        for lease in leases:
            self._say_lease(answer, lease)
            if lease.active:
                answer.say("lease.guard_alive", "yes" if self.guard_alive else "no")
        self._say_time(answer)
        self._say_clean(answer)

    def _revert(self, answer: Answer, arguments: Arguments) -> None:
        every = arguments["lease"] == ["all"]
        leases = self.active() if every else [self._find(arguments)]
        for lease in leases:
            if lease.active:
                self.end(lease, arguments["why"][0])
        self._drain(int(arguments["drain"][0]))
        for lease in leases:
            self._settle(lease)
            self._say_lease(answer, lease)
        self._say_time(answer)
        self._say_clean(answer)
        if leases:
            answer.payload("main.cf.after", leases[-1].after)

    def _collect(self, answer: Answer, arguments: Arguments) -> None:
        lease = self._find(arguments)
        self.told_missing = list(self.missing)
        self._settle(lease)
        self._say_lease(answer, lease)
        self._say_time(answer)
        answer.say("utc_offset", "+0000")
        answer.say("source", "file:/var/log/mail.log")
        for text in self.missing:
            answer.say("missing", text)
        answer.say("complete", "no" if self.missing else "yes")
        lines = [] if self.missing else self._lines(lease)
        answer.payload("evidence", gzip.compress(b"".join(lines)), "gzip")
        for moment in ("before", "during", "after"):
            answer.payload(f"main.cf.{moment}", getattr(lease, moment))

    def _tail(self, answer: Answer, arguments: Arguments) -> None:
        lease = self._find(arguments)
        begin = int(arguments.get("position", ["0"])[0])
        lines = self._lines(lease)
        end = min(len(lines), begin + self.tail_limit)
        self._say_lease(answer, lease)
        self._say_time(answer)
        answer.say("utc_offset", self.utc_offset)
        answer.say("more", "yes" if end < len(lines) else "no")
        answer.say("position", end)
        if self.gap:
            answer.say("gap", "yes")
        answer.payload("lines", b"".join(lines[begin:end]))

    def _forget(self, _answer: Answer, arguments: Arguments) -> None:
        lease = self._find(arguments)
        if lease.active:
            raise Refusal(f"lease-active lease {lease.id} is still active")
        del self.leases[lease.id]

    def _restore_over(self, answer: Answer, arguments: Arguments) -> None:
        lease, before = self._find(arguments), dict(self.main_cf)
        answer.payload("main.cf.before", self.render())
        self.main_cf = {name: value for name, value in before.items() if name not in PARAMETERS}
        self.main_cf |= {name: value for name, value in self._found.items() if name in PARAMETERS}
        answer.payload("main.cf.after", self.render())
        if "check" in arguments:
            self.main_cf = before
        else:
            lease.conflicts = []
        self._say_lease(answer, lease)
        self._say_time(answer)
        self._say_clean(answer)

    def _history(self, answer: Answer, _arguments: Arguments) -> None:
        for lease in self.leases.values():
            answer.say("history", f"armed lease={lease.id} owner={lease.one('owner')}")

    def _find(self, arguments: Arguments) -> FakeLease:
        (name,) = arguments["lease"]
        if name not in self.leases:
            raise Refusal(f"unknown-lease there is no lease {name} on this host")
        return self.leases[name]

    def _lines(self, lease: FakeLease) -> list[bytes]:
        """Return what the processes logged that had a session of the lease's peers in its window."""
        window = self.log[lease.first_line : lease.last_line]
        mine = {pid for line, pid in window if any(f"[{peer}]".encode() in line for peer in lease.arguments["peer"])}
        return [line for line, pid in self.log[lease.first_line :] if pid in mine]

    def _drain(self, seconds: int) -> None:
        until = self.time.monotonic() + seconds
        while self.verbose and not self.active() and self.time.monotonic() < until:
            self.time.sleep(0.5)

    def _settle(self, lease: FakeLease) -> None:
        if not lease.active:
            lease.drained = "no" if self.verbose and not self.active() else "yes"

    def _say_lease(self, answer: Answer, lease: FakeLease) -> None:
        answer.say("lease", lease.id)
        shown = {
            "state": self._name_state(lease),
            **{key: lease.one(key) for key in ("owner", "from", "reason")},
            **({"extended": lease.extended} if lease.extended else {}),
            "since": lease.since,
            "deadline": lease.deadline,
            "left": max(0, lease.deadline - self.now) if lease.active else 0,
            **{key: lease.one(key) for key in LEVELS.values() if key in lease.arguments},
            "guard": self.guards.split()[0],
            "sessions": lease.sessions,
            "bytes": sum(len(line) for line, _ in self.log[lease.first_line :]),
            "connects": lease.connects,
            "predating": self.predating,
        }
        for key, value in shown.items():
            answer.say(f"lease.{key}", value)
        for peer in lease.arguments["peer"]:
            answer.say("lease.peer", peer)
        if not lease.active:
            self._say_end(answer, lease)

    def _name_state(self, lease: FakeLease) -> str:
        if lease.active:
            return "armed" if self.time.monotonic() >= lease.armed_at else "arming"
        return "aborted" if lease.why == "arm-failed" else "reverted"

    def _say_end(self, answer: Answer, lease: FakeLease) -> None:
        for key in ("why", "ended", "restored", "drained"):
            if value := getattr(lease, key):
                answer.say(f"lease.{key}", value)
        answer.say("lease.reload", "seen")
        for conflict in lease.conflicts:
            answer.say("lease.conflict", conflict)
        for pid in self.verbose:
            answer.say("lease.verbose", f"{pid} smtpd")
        answer.say("lease.evidence", len(b"".join(self._lines(lease))))

    def _say_time(self, answer: Answer) -> None:
        answer.say("time", self.now)
        for text in self.warnings:
            answer.say("warning", text)

    def _say_clean(self, answer: Answer) -> None:
        dirt = [*self.dirt, *(f"lease {lease.id} is active" for lease in self.active())]
        if not self.active():
            dirt += [f"process {pid} (smtpd) is still verbose" for pid in self.verbose]
        for text in dirt:
            answer.say("dirty", text)
        for text in self.unexplained:
            answer.say("unexplained", text)
        for text in self.elsewhere:
            answer.say("elsewhere", text)
        answer.say("clean", "no" if dirt else "yes")
