"""Inventories and patterns for Hypothesis to vary; few draws each, so that hundreds take seconds."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from hypothesis import strategies as st

from tests.support import inventory_words as words

#: Any characters that mean something in INI, for values that nobody thought of.
_ROUGH = st.text("ab1 .,:;#=\"'\\[]{}()!&~*?@%|$é\t-_/", max_size=12)


@dataclass(frozen=True, slots=True)
class Case:
    """Files by name, which of them are sources, and what is to be chosen: patterns with their limits."""

    files: dict[str, str]
    sources: tuple[str, ...]
    choices: list[tuple[str, str | None]]


class _Words:
    """What one inventory may be made of; a risky one may have words that make it an error."""

    def __init__(self, *, risky: bool) -> None:
        def pick(safe: Sequence[str], dangerous: Sequence[str]) -> tuple[str, ...]:
            return (*safe, *dangerous) if risky else tuple(safe)

        self.risky = risky
        host = pick(words.HOST_WORDS, words.RISKY_HOST_WORDS)
        # Half of the hosts are plain ones, so that they meet each other in several groups.
        self.hosts = st.one_of(st.sampled_from(words.HOSTS), st.sampled_from(host))
        pairs = product(pick(words.INI_WORDS, words.RISKY_INI_WORDS), words.VARIABLES)
        self.ini_pairs = st.sampled_from([f"{name}={word}" for word, name in pairs])
        self.vars_lines = st.sampled_from(pick(words.VARS_LINES, words.RISKY_VARS_LINES))
        values = pick(words.YAML_VALUES, words.RISKY_YAML_VALUES)
        entries = [f"{name}: {value}" for value, name in product(values, words.VARIABLES)]
        self.yaml_entries = st.lists(
            st.sampled_from(entries), max_size=3, unique_by=lambda entry: entry.partition(":")[0]
        )
        priorities = pick(words.YAML_PRIORITIES, words.RISKY_YAML_PRIORITIES)
        self.yaml_priorities = st.sampled_from(("", "", "", *priorities))
        members = [
            f'"{name}": {value}'
            for value, name in product(pick(words.JSON_VALUES, words.RISKY_JSON_VALUES), words.VARIABLES)
        ]
        self.json_members = st.lists(st.sampled_from(members), max_size=3)
        self.ini_lines = st.builds(
            lambda indent, host, pairs, gap, end: indent + gap.join([host, *pairs]) + end,
            st.sampled_from(("", "", " ", "\t")),
            self.hosts,
            st.lists(self.ini_pairs, max_size=3),
            st.sampled_from((" ", "  ", "\t")),
            st.sampled_from(words.INI_ENDS),
        )


_WORDS = {risky: _Words(risky=risky) for risky in (False, True)}


def _draw_children(draw: st.DrawFn, groups: list[str], *, risky: bool) -> list[tuple[str, str]]:
    """Pairs of parent and child, without a ring unless risky."""
    pairs = [(a, b) for at, a in enumerate(groups) for b in groups[at + 1 :]]
    if risky and pairs:
        pairs += [(pairs[0][1], pairs[0][0]), (groups[0], "nowhere")]
    return draw(st.lists(st.sampled_from(pairs), max_size=6, unique=True)) if pairs else []


@st.composite
def ini_texts(draw: st.DrawFn, using: _Words) -> str:
    """A whole INI inventory, its sections in any order."""
    groups = draw(st.lists(st.sampled_from(words.GROUPS), max_size=5, unique=True))
    blocks = [
        [f"[{group}]{draw(st.sampled_from(words.INI_ENDS))}", *draw(st.lists(using.ini_lines, max_size=3))]
        for group in groups
    ]
    for parent, child in _draw_children(draw, groups, risky=using.risky):
        blocks.append([f"[{parent}:children]", child])
    if extra := draw(st.sampled_from(("", "", "all", "ungrouped"))):
        blocks.append([f"[{extra}]", *draw(st.lists(using.ini_lines, max_size=2))])
    for group in draw(st.lists(st.sampled_from(("all", "ungrouped", *groups)), max_size=3)):
        blocks.append([f"[{group}:vars]", *draw(st.lists(using.vars_lines, max_size=3))])
    blocks = [draw(st.lists(using.ini_lines, max_size=2)), *draw(st.permutations(blocks))]
    noise = draw(st.sampled_from(words.INI_NOISE))
    return draw(st.sampled_from(("\n", "\r\n"))).join([line for block in blocks for line in [*block, noise]])


@st.composite
def rough_ini_texts(draw: st.DrawFn, using: _Words) -> str:
    """Two variables of a host and two of a group, whose values are any characters."""
    lines = [
        "[mx]",
        f"h1 a={draw(_ROUGH)}",
        f"h2 a='{draw(_ROUGH)}'",
        "[mx:vars]",
        f"b={draw(_ROUGH)}",
        f"c={draw(_ROUGH)}",
    ]
    return "\n".join(lines if using.risky else [*lines[:1], "h1", *lines[3:]])


@st.composite
def yaml_texts(draw: st.DrawFn, using: _Words) -> str:
    """A whole YAML inventory; a group may stand below several others, and have something in each place."""
    groups = draw(st.lists(st.sampled_from(words.GROUPS), max_size=5, unique=True))
    pairs = _draw_children(draw, groups, risky=using.risky)
    lines = [draw(st.sampled_from(("---", "", "# comment", "%YAML 1.1\n---")))]
    for group in ["all", *groups, *draw(st.sampled_from(([], [], ["ungrouped"])))]:
        lines.append(f"{group}:")
        sections = {
            "hosts": [
                f"    {_quote(host)}:{_indent(draw(using.yaml_entries), 6)}" for host in _draw_hosts(draw, using)
            ],
            "vars": [line for line in _indent(draw(using.yaml_entries), 4).splitlines() if line],
            "children": [f"    {child}:" for parent, child in pairs if parent == group],
        }
        if priority := draw(using.yaml_priorities):
            sections["vars"].append(f"    ansible_group_priority: {priority}")
        for section in draw(st.permutations(("hosts", "vars", "children"))):
            lines += [f"  {section}:", *sections[section]] if sections[section] else []
    return "\n".join([*lines, ""])


def _draw_hosts(draw: st.DrawFn, using: _Words) -> list[str]:
    return draw(st.lists(using.hosts, max_size=3, unique=True))


def _quote(word: str) -> str:
    return word if word[0].isalpha() and not word.endswith(":") else f'"{word}"'


def _indent(entries: list[str], depth: int) -> str:
    return "".join(f"\n{' ' * depth}{entry}" for entry in entries)


@st.composite
def json_texts(draw: st.DrawFn, using: _Words) -> str:
    """A YAML-style inventory written as JSON."""
    gap = draw(st.sampled_from((" ", "\n", "\n\t", "")))

    def members() -> str:
        return "{" + gap + f",{gap}".join(draw(using.json_members)) + gap + "}"

    hosts = ", ".join(f'"{host}": {members()}' for host in _draw_hosts(draw, using))
    return f'{{"all": {{"vars": {members()}, "children": {{"mx": {{"hosts": {{{hosts}}}}}, "db": null}}}}}}'


@st.composite
def programs(draw: st.DrawFn, using: _Words) -> str:
    """A program that prints a listing; its hosts are taken as they are, without ranges and ports."""
    groups = draw(st.lists(st.sampled_from(words.GROUPS), max_size=4, unique=True))
    pairs = _draw_children(draw, groups, risky=using.risky)
    members: list[str] = []
    hosts: list[str] = []
    for group in [*groups, *draw(st.sampled_from((["all"], ["all", "ungrouped"])))]:
        own = _draw_hosts(draw, using)
        hosts += own
        children = [child for parent, child in pairs if parent == group]
        body = f'"hosts": {json.dumps(own)}, "vars": {{{", ".join(draw(using.json_members))}}}, "children": {json.dumps(children)}'
        members.append(f'"{group}": ' + draw(st.sampled_from((f"{{{body}}}", f"{{{body}}}", json.dumps(own)))))
    variables = ", ".join(f'"{host}": {{{", ".join(draw(using.json_members))}}}' for host in dict.fromkeys(hosts))
    members.append(f'"_meta": {{"hostvars": {{{variables}}}}}')
    return "#!/bin/sh\ncat <<'END'\n{" + ", ".join(draw(st.permutations(members))) + "}\nEND\n"


@st.composite
def vars_files(draw: st.DrawFn, using: _Words) -> dict[str, str]:
    """Files in group_vars and host_vars."""
    names = [
        *(f"group_vars/{name}" for name in ("all", "ungrouped", *words.GROUPS)),
        *(f"host_vars/{name}" for name in words.HOSTS),
    ]
    files: dict[str, str] = {}
    for name in draw(st.lists(st.sampled_from(names), max_size=4)):
        if draw(st.booleans()):
            text = _indent(draw(using.yaml_entries), 0)
        else:
            text = "{" + ",\n".join(draw(using.json_members)) + "}"
        files[name + draw(st.sampled_from(words.VARS_FILE_ENDS))] = text
    return files


def _make_terms(text: str) -> st.SearchStrategy[list[str]]:
    """Terms of a pattern that mostly name what is in the text."""
    known = [term for term in words.TERMS if (stem := re.search(r"[\w.-]*", term.lstrip("~^*?["))) and stem[0] in text]
    term = st.one_of(*[st.sampled_from(known)] * 5, st.sampled_from(words.TERMS))
    marked = st.builds(str.__add__, st.sampled_from(("", "", "", "!", "&")), term)
    return st.lists(marked, min_size=1, max_size=3)


_TEXTS = {"yml": yaml_texts, "ini": ini_texts, "json": json_texts, "rough.ini": rough_ini_texts, "sh": programs}


@st.composite
def cases(draw: st.DrawFn, kind: str) -> Case:
    """An inventory of one kind: an ending of a file name, or "several" sources."""
    using = _WORDS[draw(st.integers(0, 4)) == 4]
    files: dict[str, str] = {}
    sources: list[str] = []
    for number in range(draw(st.integers(2, 3)) if kind == "several" else 1):
        ending = draw(st.sampled_from(("yml", "ini", "json"))) if kind == "several" else kind
        folder = draw(st.sampled_from(("one", "two"))) if kind == "several" else "one"
        name = f"{folder}/{number}" + draw(st.sampled_from((f".{ending}", f".{ending}", "")))
        files[name] = draw(_TEXTS[ending](using))
        files |= {f"{folder}/{place}": text for place, text in draw(vars_files(using)).items()}
        sources.append(draw(st.sampled_from((name, name, folder))))
    if kind == "several" and draw(st.booleans()):
        sources.append(f"{','.join(_draw_hosts(draw, using))},")
    terms = _make_terms("\n".join(["all ungrouped", *files.values()]))
    patterns = st.builds(str.join, st.sampled_from(words.JOINTS), terms)
    files["limit"] = "\n".join(draw(terms))
    limits = st.one_of(st.none(), st.none(), patterns, st.sampled_from(("@limit", "@limit,!a-1")))
    choices = draw(st.lists(st.tuples(patterns, limits), max_size=6))
    return Case(_without_clashes(files), tuple(sources), [("all", None), *choices])


def _without_clashes(files: dict[str, str]) -> dict[str, str]:
    """A name cannot be a file and a folder; the first one stays."""
    kept: dict[str, str] = {}
    for place, text in files.items():
        if not any(f"{place}/".startswith(f"{other}/") or f"{other}/".startswith(f"{place}/") for other in kept):
            kept[place] = text
    return kept
