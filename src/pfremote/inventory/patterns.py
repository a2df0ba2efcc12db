"""Host patterns: ``mx:&prod:!mx3``, ``~regex``, ``*``, ``group[0]``, ``@file``; as in Ansible."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

from pfremote.errors import ConfigError, UsageError
from pfremote.inventory.graph import LOCALHOST, Graph
from pfremote.inventory.ranges import expand_ranges, has_range, is_address, is_ipv6, split_login
from pfremote.inventory.reader import read_text
from pfremote.model.typed import TYPED

_SUBSCRIPT = re.compile(r"(?P<body>.+)\[(?:(?P<index>-?[0-9]+)|(?P<first>[0-9]+)[:-](?P<last>[0-9]*))\]\Z")
#: A port behind one host name, with or without a user before it.
_LOGIN = re.compile(r"(?:[^@:\[\]]+@)?(?:\[[^\[\]]+\]|[^:&!~*?\[\]]+):[0-9]+\Z|[^@:\[\]]+@.+\Z")
_COMMA, _BLANK, _COLON = (re.compile(separator) for separator in (",", r"\s", ":"))
_SPECIAL = frozenset(".?*[")
#: What looks like a slice, whatever is in it.
_SLICE = re.compile(r"(?P<body>.+)\[(?P<cut>[^\[\]]*:[^\[\]]*)\]\Z")
#: Names that a slip is compared with at most.
_MANY = 2000


def split_pattern(text: str) -> list[str]:
    """Split at commas or else blanks, and at colons that are part of no IPv6 address, port, range or login.

    >>> split_pattern("mx:&prod:!mx3,ops@relay:2222")
    ['mx', '&prod', '!mx3', 'ops@relay:2222']
    """
    terms: list[str] = []
    listed = "," in text
    for part in [text.strip()] if text.startswith("@") and not listed else _split(text, _COMMA if listed else _BLANK):
        bare = part.lstrip("&!")
        # In a list with commas Ansible takes a colon for part of the term; there it is still a colon in a regex.
        if part.startswith("@") or is_ipv6(bare) or _LOGIN.match(bare) or (listed and bare.startswith("~")):
            terms.append(part)
        else:
            terms.extend(_split(part, _COLON))
    return terms


def _split(text: str, separator: re.Pattern[str]) -> list[str]:
    parts = [""]
    depth = 0
    for char in text:
        depth = max(0, depth + (char == "[") - (char == "]"))
        if separator.match(char) and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts if part.strip()]


def read_term_files(terms: Iterable[str]) -> list[str]:
    """Replace each ``@file`` by the lines of that file (blank lines and lines with # are passed over).

    Raises:
        UsageError: the file cannot be read.
    """
    found: list[str] = []
    for term in terms:
        if not term.startswith("@"):
            found.append(term)
            continue
        try:
            text = read_text(Path(term[1:]).expanduser())
        except ConfigError as exc:
            raise UsageError(f"{term}: {exc.message}", hint="Give the path of a file with one pattern a line.") from exc
        for line in (raw.strip() for raw in text.splitlines()):
            if line and not line.startswith("#"):
                found.extend(split_pattern(line))
    return found


class Selector:
    """Chooses host names out of a graph; ``adhoc`` collects plain host names that are in no inventory.

    With ``strict`` such a name is refused, since it may be a misspelt group; an address is not.
    """

    def __init__(self, graph: Graph, adhoc: dict[str, None] | None = None, *, strict: bool = False) -> None:
        self._graph = graph
        self._strict = strict
        self.adhoc: dict[str, None] = {} if adhoc is None else adhoc

    def select(self, text: str, *, allow_adhoc: bool = True) -> list[str]:
        """Return the names that the pattern chooses, in Ansible's order.

        Raises:
            UsageError: a part matches nothing, or is no pattern.
        """
        terms = read_term_files(split_pattern(text))
        plain = [term for term in terms if term[0] not in "&!"]
        required = [term[1:] for term in terms if term[0] == "&"]
        excluded = [term[1:] for term in terms if term[0] == "!"]
        if not plain and (required or excluded):
            plain = ["all"]
        chosen: dict[str, None] = {}
        for term in plain:
            chosen.update(dict.fromkeys(self._match(term, allow_adhoc=allow_adhoc)))
        for keep, group in ((True, required), (False, excluded)):
            for term in group:
                names = set(self._match(term, allow_adhoc=False, group_first=True))
                chosen = {name: None for name in chosen if (name in names) is keep}
        return list(chosen)

    def _match(self, term: str, *, allow_adhoc: bool, group_first: bool = False) -> Sequence[str]:
        """Where a group and a host have the name, it is the host's, but behind & and ! the group's, as in Ansible."""
        if not term:
            raise UsageError(
                "a pattern of only & or ! names nothing", hint="Write the name right after it, as in !mx3."
            )
        if term in self.adhoc or (term in self._graph.hosts and not (group_first and term in self._graph.groups)):
            return [term]
        self._refuse_slice(term)
        if (names := self._match_inventory(term)) is not None:
            return names
        if term in LOCALHOST:
            return self._match_localhost(term)
        if not term.startswith("~") and has_range(term) and (names := self._match_range(term, allow_adhoc)):
            return names
        login = split_login(term) if allow_adhoc else None
        if login is not None and not (self._strict and self._is_stranger(login[1])):
            self.adhoc[term] = None
            return [term]
        raise self._explain(term, stranger=login is not None)

    def _is_stranger(self, host: str) -> bool:
        return host not in self._graph.hosts and host not in LOCALHOST and not is_address(host)

    def _explain(self, term: str, *, stranger: bool) -> UsageError:
        known = {name.lower(): name for name in self._similar(term)}
        close = get_close_matches(term.rstrip(".").lower(), known, n=1, cutoff=0.75)
        hint = f"Did you mean {known[close[0]]}? " if close else ""
        if stranger:
            hint += "For a host that is in no inventory add --no-inventory-check, or type its address."
            hint += "" if close else f"\nSee what there is with: {TYPED.show_inventory()}"
            return UsageError(f"{term} is in no inventory", hint=hint)
        hint += f"See what there is with: {TYPED.show_inventory()}"
        return UsageError(f"{term} matches no host and no group", hint=hint)

    def _similar(self, term: str) -> list[str]:
        """Names of about the same length; comparing each of 40,000 with a slip would take seconds."""
        names = [name for name in (*self._graph.groups, *self._graph.hosts) if abs(len(name) - len(term)) <= 2]
        return (
            names if len(names) <= _MANY else [name for name in names if name[:2].lower() == term[:2].lower()][:_MANY]
        )

    def _refuse_slice(self, term: str) -> None:
        """``relay[:2]`` where relay is a group: Ansible has no such slice, and a range of host names is not meant."""
        match = None if term.startswith("~") or _SUBSCRIPT.match(term) else _SLICE.match(term)
        if match is None:
            return
        body = match["body"]
        if any(map(_make_matcher(body, term), self._graph.groups)):
            hint = (
                f"Write {body}[0:1] for the first two hosts, {body}[1:] for all but the first, {body}[-1] for the last."
            )
            raise UsageError(f"{body} is a group, and [{match['cut']}] is no slice of it", hint=hint)

    def _match_range(self, term: str, allow_adhoc: bool) -> list[str]:
        """``mx[01:03]`` where mx is no group: hosts of these names (Ansible has this in inventories only)."""
        try:
            names = expand_ranges(term)
        except ValueError:
            return []
        return [name for text in names for name in self._match(text, allow_adhoc=allow_adhoc)]

    def _match_localhost(self, term: str) -> list[str]:
        """The inventory's own localhost under whatever name it has, else the implicit one."""
        for name in self._graph.hosts:
            if name in LOCALHOST:
                return [name]
        self.adhoc[term] = None
        return [term]

    def _match_inventory(self, term: str) -> list[str] | None:
        """Return what a name, glob, regex or subscript matches; None where that is no group and no host."""
        body, cut = _split_subscript(term)
        plain = not body.startswith("~") and not _SPECIAL & set(body)
        matches = _make_matcher(body, term)
        if plain:  # one look instead of one for each name
            groups = [body] if body in self._graph.groups else []
        else:
            groups = [name for name in self._graph.groups if matches(name)]
        names = [host for group in groups for host in self._graph.members(group)]
        if plain and not groups:
            names = [body] if body in self._graph.hosts or body in self.adhoc else []
        elif not plain:
            names += [host for host in [*self._graph.hosts, *self.adhoc] if matches(host)]
        if not groups and not names:
            return None
        if cut is None or not names:
            return names
        try:
            return cut(names)
        except IndexError as exc:
            raise UsageError(f"{term}: {body} has only {len(names)} hosts", hint="Count from 0.") from exc


def _split_subscript(term: str) -> tuple[str, Callable[[list[str]], list[str]] | None]:
    match = None if term.startswith("~") else _SUBSCRIPT.match(term)
    if match is None:
        return term, None
    if match["index"] is not None:
        index = int(match["index"])
        return match["body"], lambda names: [names[index]]
    first, last = int(match["first"]), int(match["last"] or -1)
    if last == 0:  # Ansible reads [n:0] as [n]
        return match["body"], lambda names: [names[first]]
    return match["body"], lambda names: names[first:] if last == -1 else names[first : last + 1]


def _make_matcher(body: str, term: str) -> Callable[[str], bool]:
    try:
        pattern = re.compile(body[1:] if body.startswith("~") else fnmatch.translate(body))
    except re.error as exc:
        raise UsageError(f"{term} is no regular expression: {exc}", hint="Check the text after the ~.") from exc
    return lambda name: pattern.match(name) is not None
