"""What the events of a run say to people, line by line."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pfremote.errors import Reason
from pfremote.model.event import NO_MATCH_YET, Kind
from pfremote.output.console import Console
from pfremote.output.evidence_lines import HostEvidence, render_findings, render_sessions
from pfremote.text.grouping import Fold, Folds
from pfremote.text.quantities import plural, render_duration
from pfremote.text.times import show_clock

RESTORED = {
    "bytes": "main.cf is back byte for byte",
    "params": "main.cf was edited meanwhile, only our parameters went back",
    "recomputed": "our part of main.cf is gone, other leases remain",
    "none": "main.cf was not touched",
}

#: Codes of warnings that are told each time they come, also in the same words: each is about another moment.
OF_A_MOMENT = frozenset(
    {"in-sight", "straggler", "unreachable", "deadline", "auth", "host-key", "become", "cut-off", "protocol"}
)
Details = Mapping[str, Any]


class Messages:
    """An event sink that talks; ``plans`` True shows every plan, not only with ``-v``."""

    def __init__(self, console: Console, *, plans: bool = False) -> None:
        self._console = console
        self._plans = plans
        self._folds = Folds()
        self._lock = threading.Lock()
        self._evidence: dict[str, HostEvidence] = {}
        self._told: set[tuple[str, Reason]] = set()
        self._not_followed: set[str] = set()
        #: Why a host was not served is data, shown in the end (``check``, ``status``), and not told when it comes.
        self.failures_are_data = False
        #: Sessions are shown while they happen (``--follow``), so they are not told again at the end.
        self.sessions_are_shown = False
        self._tellers: dict[Kind, Callable[[str, str, Details], None]] = {
            "plan": self._plan,
            "armed": self._armed,
            "session": self._session,
            "finding": self._finding,
            "warning": self._warning,
            "reverted": self._reverted,
            "collected": self._collected,
            "failed": self._failed,
        }

    def __call__(self, kind: Kind, host: str = "", lease: str = "", /, **details: object) -> None:
        """Tell one event."""
        self._tellers[kind](host, lease, details)

    def _plan(self, host: str, _lease: str, details: Details) -> None:
        for name, value in details.get("changes", {}).items():
            if self._plans:
                self._console.tell(f"{name} = {value}", host=host)
            else:
                self._console.detail(f"sets {name} = {value}", host=host)
        self._diff(host, details)

    def _armed(self, host: str, lease: str, details: Details) -> None:
        lasting = render_duration(int(details["seconds"]))
        until = f"until {show_clock(datetime.fromisoformat(details['deadline']))} UTC ({lasting})"
        text = f"armed {until}, guard {details['guard']}, lease {lease}"
        if details["predating"]:
            number = plural(int(details["predating"]), "session")
            text += f"; {number} began before and will not be seen"
        self._console.say(text, host=host, style="green")
        for name, value in details["in_force"].items():
            self._console.detail(f"in force: {name} = {value}", host=host)
        self._diff(host, details)

    def _diff(self, host: str, details: Details) -> None:
        for line in details.get("diff", ()):
            if self._plans:
                self._console.show(f"{host}: {line}")
            else:
                self._console.say(line, host=host)

    def _session(self, host: str, _lease: str, details: Details) -> None:
        if "seen" in details:
            seen = plural(int(details["seen"]), "matching session")
            if self._take_back(host):
                self._console.say(f"{seen} so far: what was said of no match is over", host=host)
            else:
                self._console.detail(f"{seen} so far", host=host)
        else:
            self._keep(host).sessions.append(details)

    def _finding(self, host: str, _lease: str, details: Details) -> None:
        self._keep(host).findings.append(details)

    def _keep(self, host: str) -> HostEvidence:
        with self._lock:
            return self._evidence.setdefault(host, HostEvidence())

    def _take_back(self, host: str) -> bool:
        """Forget that no session had matched, and return whether that was said."""
        with self._lock:
            return self._folds.drop("warning", host, NO_MATCH_YET)

    def _warning(self, host: str, _lease: str, details: Details) -> None:
        reason = Reason(details["code"], details["message"], details.get("hint", ""))
        if reason.code == "skipped" and self._are_data(host):
            return
        if reason.code == "not-followed":
            self._not_followed.add(host)
        if not self._is_told(host, reason) and not self._is_folded("warning", host, reason):
            self._console.warn(reason, host=host)

    def _is_told(self, host: str, reason: Reason) -> bool:
        """Tell whether exactly this was said of the host before."""
        with self._lock:
            if reason.code in OF_A_MOMENT or (host, reason) not in self._told:
                self._told.add((host, reason))
                return False
            return True

    def _is_folded(self, word: str, host: str, reason: Reason) -> bool:
        """Tell whether another host said the same, so that it will be said once for all in the end."""
        if not host:
            return False
        with self._lock:
            return self._folds.add(word, host, reason) and self._console.folds

    def list_folded(self, *words: str) -> list[Fold]:
        """Return the messages of several hosts, of which people have seen only the first: with the other hosts."""
        with self._lock:
            folds = [fold for fold in self._folds if fold.word in words and fold.others]
            return [fold.leave_out_told() for fold in folds] if self._console.folds else []

    def _are_data(self, host: str) -> bool:
        """Tell whether it is shown in the end, in the host's place, why nothing was done there."""
        return bool(host) and self.failures_are_data and self._console.data

    def _reverted(self, host: str, _lease: str, details: Details) -> None:
        restored = RESTORED.get(details["restored"], details["restored"])
        drained = "drained" if details["drained"] else "not drained"
        clean = "clean" if details["clean"] else "not clean"
        if details["clean"] and details.get("by_hand"):
            clean = "as it was before: with debugging by hand"
        style = "green" if details["clean"] else "red"
        self._console.say(f"reverted ({details['why']}): {restored}, {drained}, {clean}", host=host, style=style)
        for text in details["conflicts"]:
            hint = "Compare main.cf.before and main.cf.after in the run folder, and set it by hand."
            self._console.warn(
                Reason("conflict", f"another user changed it meanwhile, left alone: {text}", hint), host=host
            )

    def _collected(self, host: str, _lease: str, details: Details) -> None:
        amount = f"{plural(details['sessions'], 'session')}, {plural(details['lines'], 'line')}"
        if details.get("cut"):
            amount += f" ({details['cut']} cut)"
        whole = "complete" if details["complete"] else "not complete"
        if details["sessions"]:
            self._take_back(host)
        self._tell_evidence(host, details["out"])
        self._console.say(f"{amount}, {whole}: {details['out']}", host=host)
        for item in details["missing"]:
            self._console.warn(Reason(item["code"], item["message"], item.get("hint", "")), host=host)

    def _tell_evidence(self, host: str, out: str) -> None:
        """Say what the host's log shows, as soon as it is known: most people read no report."""
        with self._lock:
            evidence = self._evidence.pop(host, HostEvidence())
        for text, style in render_findings(evidence.findings, out):
            self._console.tell(text, host=host, style=style)
        if not self.sessions_are_shown or host in self._not_followed:
            for text in render_sessions(evidence.sessions, out):
                self._console.tell(text, host=host)

    def _failed(self, host: str, _lease: str, details: Details) -> None:
        if self._are_data(host):
            return
        word = "refused" if details.get("refused") else "error"
        if self._is_folded(word, host, Reason(details["code"], details["message"], details.get("hint", ""))):
            return
        self._console.say(f"{word}: {details['message']}", host=host, style="red")
        self._console.hint(details.get("hint", ""), host=host)
