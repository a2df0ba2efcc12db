"""Hooks: tell a program or a web address that a play began or ended. Whatever they do, the run goes on."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from pfremote import __version__
from pfremote.errors import Reason
from pfremote.model.result import HostResult
from pfremote.playbook.schema import Hook
from pfremote.text.times import format_time

Warn = Callable[[Reason], None]


def describe_results(results: Iterable[HostResult]) -> dict[str, dict[str, object]]:
    """Return what a notice says of each host.

    No sentence of a host is in it, since its words may be wrong on purpose, and no path of this machine. Findings
    quote the log, redacted as everywhere.
    """
    return {result.host: _describe(result) for result in results}


def _describe(result: HostResult) -> dict[str, object]:
    reason = result.error or next(iter(result.refusals), None)
    shown = result.as_json()
    kept = ("state", "armed", "reverted", "drained", "complete", "sessions", "lines", "outcomes", "findings")
    return {
        **{name: shown[name] for name in kept},
        "skipped": bool(result.skipped),
        "error": reason.code if reason else None,
    }


def send_notice(hooks: Iterable[Hook], event: str, details: dict[str, object], warn: Warn) -> None:
    """Tell every hook, one after the other; what fails is handed to ``warn``."""
    notice = {"event": event, "time": format_time(datetime.now(UTC)), **details}
    body = json.dumps(notice, ensure_ascii=True).encode()
    for hook in hooks:
        if hook.command is not None:
            name, problem = f"command {hook.command[0]}", _run(hook.command, body, hook.timeout)
        else:
            address = hook.webhook or ""
            # The path of a webhook is often its password: only the host is named.
            name, problem = f"webhook at {urlsplit(address).hostname}", _post(address, body, hook.timeout)
        if problem:
            warn(Reason("notify", f"the {event} notice was not taken by the {name}: {problem}"))


def _run(argv: list[str], body: bytes, timeout: int) -> str:
    """Run a program in a session of its own (Ctrl-C is for us) and return what went wrong, or nothing."""
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as exc:
        return getattr(exc, "strerror", None) or str(exc)
    try:
        process.communicate(body, timeout=timeout)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return f"no end within {timeout} seconds"
    return "" if process.returncode == 0 else f"it ended with status {process.returncode}"


def _post(address: str, body: bytes, timeout: int) -> str:
    """Post and return what went wrong, or nothing. The time is for all of it, not for each packet."""
    said: list[str] = []
    worker = threading.Thread(target=lambda: said.append(_exchange(address, body, timeout)), daemon=True)
    worker.start()
    worker.join(timeout)
    return said[0] if said else f"no answer within {timeout} seconds"


def _exchange(address: str, body: bytes, timeout: int) -> str:
    headers = {"Content-Type": "application/json", "User-Agent": f"pfremote/{__version__}"}
    request = urllib.request.Request(address, body, headers, method="POST")  # noqa: S310  http and https only, by the schema
    try:
        with _make_opener().open(request, timeout=timeout):
            return ""
    except urllib.error.HTTPError as exc:
        exc.close()
        return f"it answered {exc.code}"
    except (OSError, http.client.HTTPException, ValueError) as exc:
        return str(getattr(exc, "reason", "") or exc or type(exc).__name__)


def _make_opener() -> urllib.request.OpenerDirector:
    """Return one that speaks http and https, and follows no redirect: it may lead anywhere."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener
