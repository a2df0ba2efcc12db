"""Tell people what the events say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pfremote.console import Console
from pfremote.errors import Reason
from pfremote.events import Kind
from pfremote.folding import Fold, Folds
from pfremote.postfix.quantities import render_duration

RESTORED = {
    "bytes": "main.cf is back byte for byte",
    "params": "main.cf was edited meanwhile, only our parameters went back",
    "recomputed": "our part of main.cf is gone, other leases remain",
    "none": "main.cf was not touched",
}

Details = Mapping[str, Any]


def clock(moment: str) -> str:
    """Return an event's time as the operator's wall clock shows it."""
    return datetime.fromisoformat(moment).astimezone().strftime("%H:%M:%S")


def plural(number: int, noun: str) -> str:
    """Return ``number`` and ``noun``, in the plural where that is due.

    >>> plural(1, "session"), plural(2, "session")
    ('1 session', '2 sessions')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


class Narrator:
    """An event sink that talks; ``plans`` True shows every plan, not only with ``-v``."""

    def __init__(self, console: Console, *, plans: bool = False) -> None:
        self._console = console
        self._plans = plans
        self._folds = Folds()
        self._lock = threading.Lock()
        self._tellers: dict[Kind, Callable[[str, str, Details], None]] = {
            "plan": self._plan,
            "armed": self._armed,
            "session": self._session,
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
                self._console.show(f"{host}: {name} = {value}")
            else:
                self._console.detail(f"sets {name} = {value}", host=host)
        self._diff(host, details)

    def _armed(self, host: str, lease: str, details: Details) -> None:
        lasting = render_duration(int(details["seconds"]))
        until = f"until {clock(details['deadline'])} ({lasting})"
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
            self._console.detail(f"{plural(int(details['seen']), 'matching session')} so far", host=host)

    def _warning(self, host: str, _lease: str, details: Details) -> None:
        reason = Reason(details["code"], details["message"], details.get("hint", ""))
        if not self._is_folded("warning", host, reason):
            self._console.warn(reason, host=host)

    def _is_folded(self, word: str, host: str, reason: Reason) -> bool:
        """Tell whether another host said the same, so that it will be said once for all in the end."""
        if not host or not self._console.folds:
            return False
        with self._lock:
            return self._folds.add(word, host, reason)

    def list_folded(self, *words: str) -> list[Fold]:
        """Return the messages of several hosts, of which people have seen only the first."""
        with self._lock:
            return [fold for fold in self._folds if fold.word in words and len(fold.hosts) > 1]

    def _reverted(self, host: str, _lease: str, details: Details) -> None:
        restored = RESTORED.get(details["restored"], details["restored"])
        drained = "drained" if details["drained"] else "not drained"
        clean = "clean" if details["clean"] else "not clean"
        style = "green" if details["clean"] else "red"
        self._console.say(f"reverted ({details['why']}): {restored}, {drained}, {clean}", host=host, style=style)
        for text in details["conflicts"]:
            hint = "compare main.cf.before and main.cf.after in the run folder, and set it by hand"
            self._console.warn(
                Reason("conflict", f"someone else changed it meanwhile, left alone: {text}", hint), host=host
            )

    def _collected(self, host: str, _lease: str, details: Details) -> None:
        amount = f"{plural(details['sessions'], 'session')}, {plural(details['lines'], 'line')}"
        if details.get("cut"):
            amount += f" ({details['cut']} cut)"
        whole = "complete" if details["complete"] else "not complete"
        self._console.say(f"{amount}, {whole}: {details['out']}", host=host)
        for item in details["missing"]:
            self._console.warn(Reason(item["code"], item["message"], item.get("hint", "")), host=host)

    def _failed(self, host: str, _lease: str, details: Details) -> None:
        word = "refused" if details.get("refused") else "error"
        if self._is_folded(word, host, Reason(details["code"], details["message"], details.get("hint", ""))):
            return
        self._console.say(f"{word}: {details['message']}", host=host, style="red")
        self._console.hint(details.get("hint", ""), host=host)
