"""What the report says of credentials in a log: whose, what, when, where they lie, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from pfremote.maillog.redact.masks import COMMAND, HEADER
from pfremote.report.exposure import Verdict
from pfremote.report.groups import ExposureGroup, group_exposures
from pfremote.report.model import Report
from pfremote.report.words import describe_log, show_time
from pfremote.text.grouping import join_hosts

_NO_ACCOUNT = "an account that the log does not name"
#: What is hidden because it can be a password, and may be none.
_SAYS_MORE = {
    COMMAND: "a command that smtpd did not know: perhaps a password, sent at the wrong moment",
    HEADER: "a header of a message, sent where a command belongs",
}
_NO_ACCOUNTS = "no account: keys of TLS connections (nothing to change, Postfix makes new ones)"
TO_CHANGE = "Credentials to change"
#: The parts of the list of credentials, each with its title and what to do.
CREDENTIALS: tuple[tuple[Verdict, str, str], ...] = (
    (
        "change",
        TO_CHANGE,
        "Change these passwords and revoke these tokens. "
        "Their clear text is still in the host's own log, which pfremote does not edit.",
    ),
    (
        "judge",
        "Credentials to judge",
        "The server refused these, or did not know them as commands. Change the password of an account if this is it, "
        "or close to it, here or elsewhere: it stands in clear in the host's own log as well.",
    ),
    ("nothing", "Nothing to change", "These stand where a credential could, and are none that you have to change."),
)


def list_credentials(report: Report) -> Iterator[tuple[str, str, list[ExposureGroup]]]:
    """Yield the parts of the list of credentials that hold any: title, what to do, and the credentials."""
    groups = group_exposures(report.exposures)
    for verdict, title, what in CREDENTIALS:
        if found := [group for group in groups if group.verdict == verdict]:
            yield title, what, found


def describe_times(group: ExposureGroup) -> str:
    """Return when a credential was logged: once, or from when to when and how often."""
    logged = sorted(item.time for item in (group.first, *group.more) if item.time)
    if len(logged) < 2:
        return show_time(logged[0] if logged else None)
    first, last = show_time(logged[0]), show_time(logged[-1])
    return f"{len(logged)} times, {first} to {last}" if first != last else f"{len(logged)} times, {last}"


def name_account(group: ExposureGroup) -> str:
    """Return whose credentials these are."""
    if group.is_tls:
        return _NO_ACCOUNTS
    return group.first.account if group.first.is_named else _NO_ACCOUNT


def describe_credential(group: ExposureGroup) -> str:
    """Return what was exposed, by which mechanisms, and in which kinds of lines."""
    items = (group.first, *group.more)
    kinds, mechanisms, shapes = (
        ", ".join(dict.fromkeys(_SAYS_MORE.get(word, word) for word in words if word))
        for words in zip(*((item.kind, item.mechanism, item.shape) for item in items), strict=True)
    )
    by = f" by {mechanisms}" if mechanisms else ""
    by += ", refused by the server" if all(item.refused for item in items) else ""
    return f"{kinds}{by} (in: {shapes})" if shapes else f"{kinds}{by}"


def summarise_exposures(report: Report) -> Iterator[tuple[str, str]]:
    """Yield, for each credential to change or to judge, its hosts and a sentence: whose, what, when, where it lies.

    Hosts on which that is the same but for the time share one.
    """
    alike: dict[Hashable, list[ExposureGroup]] = {}
    listed = [group for _, _, groups in list_credentials(report) for group in groups if group.verdict != "nothing"]
    for group in listed:
        same = group.verdict, group.first.account, describe_credential(group), group.first.where
        alike.setdefault(same, []).append(group)
    places = {host.name: place for place, host in enumerate(report.hosts)}
    for groups in alike.values():
        hosts = sorted((group.first.host for group in groups), key=lambda name: places.get(name, len(places)))
        first, *more = [item for group in groups for item in (group.first, *group.more)]
        everywhere = ExposureGroup(first, tuple(more), groups[0].verdict)
        condition = " if it is a real one" if everywhere.verdict == "judge" else ""
        what = f"{describe_credential(everywhere)}, logged {describe_times(everywhere)}"
        place = f"still in {describe_log(first.where)}"
        text = f"change the credential of {name_account(everywhere)}{condition}: {what}, {place}"
        yield join_hosts(dict.fromkeys(hosts)), text
