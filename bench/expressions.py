"""The worst time that an expression of the package takes on one line, each pumped by a text made for it.

    python bench/expressions.py [--limit MILLISECONDS]

Every compiled expression that a module of pfremote holds is taken apart. For each part that may repeat, texts are made
that lead to it and then repeat it, and what comes next, up to the longest line that is read. What takes longer than
the limit is named, and the exit code is 1: `make check` runs this.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import pkgutil
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from itertools import islice
from pathlib import Path

import pfremote
from pfremote.maillog.budget import LONGEST_READ

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # the parser of re has no public name
    parser = (
        importlib.import_module("re._parser") if sys.version_info >= (3, 11) else importlib.import_module("sre_parse")
    )

#: What a repetition is followed by, so that the whole does not match.
_TAILS = ("", "\0", " ", '"', "=x")
#: Rooms that read what a client, a server or a host wrote.
_FOREIGN = ("maillog", "agent", "pseudonyms", "transport", "follow", "report", "store", "text")
_MANY = 20
#: Seconds for one text from which on no slower one is looked for.
_ENOUGH = 0.05
_SAMPLES = 4


@dataclass(frozen=True)
class Worst:
    """One expression, and the slowest text that was found for it."""

    seconds: float
    name: str
    text: str


def find_expressions() -> dict[str, re.Pattern[str]]:
    """Return every compiled text expression in the package, by the name of where it stands."""
    found: dict[str, re.Pattern[str]] = {}
    for module in pkgutil.walk_packages(pfremote.__path__, "pfremote."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            for pattern in _dig(value, 0):
                if pattern not in found.values():
                    found[f"{module.name}.{name}:{len(found)}"] = pattern
    return found


def _dig(value: object, depth: int) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        if isinstance(value.pattern, str):
            yield value
        else:
            yield re.compile(value.pattern.decode("latin-1"), value.flags & ~re.UNICODE)
    elif depth < 4:
        parts: Sequence[object] = ()
        if isinstance(value, Mapping):
            parts = tuple(value.values())
        elif isinstance(value, tuple | list | frozenset | set):
            parts = tuple(value)
        elif is_dataclass(value) and not isinstance(value, type):
            parts = tuple(getattr(value, field.name) for field in fields(value))
        for part in parts:
            yield from _dig(part, depth + 1)


def _samples(tree: Sequence[tuple[object, object]]) -> list[str]:
    """Return a few texts that the parts of ``tree`` match, one after the other."""
    texts = [""]
    for part in tree:
        options = _samples_of(part) or [""]
        texts = [text + options[n % len(options)] for n, text in enumerate(texts * min(_SAMPLES, len(options)))][
            :_SAMPLES
        ]
    return texts


def _samples_of(part: tuple[object, object]) -> list[str]:
    kind, value = str(part[0]), part[1]
    if kind == "LITERAL":
        return [chr(value)]  # type: ignore[arg-type]
    if kind in ("NOT_LITERAL", "ANY"):
        return ["a", "0", " "] if kind == "ANY" or value != ord("a") else ["b"]
    if kind == "IN":
        return _members(value)  # type: ignore[arg-type]
    if kind == "BRANCH":
        return [text for branch in value[1] for text in _samples(branch)[:1]]  # type: ignore[index]
    if kind == "SUBPATTERN":
        return _samples(value[-1])  # type: ignore[index]
    if kind == "ATOMIC_GROUP":
        return _samples(value)  # type: ignore[arg-type]
    if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        least, _, body = value  # type: ignore[misc]
        return [text * max(least, 1) for text in _samples(body)]
    return [""]


def _members(parts: Sequence[tuple[object, object]]) -> list[str]:
    pattern = {str(kind) for kind, _ in parts}
    allowed = [chr(code) for code in range(1, 127)]
    if "NEGATE" in pattern:
        denied = {text for part in parts for text in _one(part)}
        return [text for text in ("a", "0", " ", "A", ":", "?", "=") if text not in denied and text in allowed] or ["~"]
    return [text for part in parts for text in _one(part)[:3]] or ["a"]


def _one(part: tuple[object, object]) -> list[str]:
    kind, value = str(part[0]), part[1]
    if kind == "LITERAL":
        return [chr(value)]  # type: ignore[arg-type]
    if kind == "RANGE":
        low, high = value  # type: ignore[misc]
        return [chr(code) for code in range(low, min(high, low + 94) + 1)]
    names = {
        "CATEGORY_SPACE": [" "],
        "CATEGORY_DIGIT": ["0"],
        "CATEGORY_WORD": ["a", "0", "A"],
        "CATEGORY_NOT_SPACE": ["a", ":", "="],
        "CATEGORY_NOT_WORD": [" ", ":"],
        "CATEGORY_NOT_DIGIT": ["a"],
    }
    return names.get(str(value), [])


def make_texts(pattern: re.Pattern[str]) -> Iterator[str]:
    """Yield texts that make the expression work hard."""
    tree = parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    for before, bodies in _repeats(list(tree), [""]):
        for lead in before[:2]:
            for body in bodies:
                for unit in (body, lead[-12:] + body):
                    if not unit:
                        continue
                    for tail in _TAILS:
                        yield (lead + unit * LONGEST_READ)[: LONGEST_READ - len(tail)] + tail


def _repeats(tree: Sequence[tuple[object, object]], before: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Yield what leads to each repetition, and what to repeat there: itself, and what may come next."""
    lead = before
    for at, part in enumerate(tree):
        kind, value = str(part[0]), part[1]
        inner: list[Sequence[tuple[object, object]]] = []
        if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            _, most, body = value  # type: ignore[misc]
            if int(most) > _MANY:
                following = _samples(tree[at + 1 : at + 3])
                ahead = [a + b for a in _samples(body)[:2] for b in following[:2]]
                yield lead, list(dict.fromkeys([*_samples(body), *following, *ahead]))
            inner = [body]
        elif kind == "SUBPATTERN":
            inner = [value[-1]]  # type: ignore[index]
        elif kind == "BRANCH":
            inner = list(value[1])  # type: ignore[index]
        elif kind in ("ASSERT", "ASSERT_NOT"):
            inner = [value[1]]  # type: ignore[index]
        for branch in inner:
            yield from _repeats(list(branch), lead)
        options = _samples_of(part) or [""]
        lead = [text + options[n % len(options)] for n, text in enumerate(lead * 2)][:2]


def measure(name: str, pattern: re.Pattern[str], most: int, source: str) -> Worst:
    """Return the slowest text for one expression, as it is used: searched for, or matched at the beginning only."""
    variable = name.partition(":")[0].rpartition(".")[2]
    used = set(re.findall(rf"\b{re.escape(variable)}\.(\w+)\(", source))
    look = pattern.match if used and used <= {"match", "fullmatch"} else pattern.search
    worst = Worst(0.0, name, "")
    for text in islice(dict.fromkeys(make_texts(pattern)), most):
        seconds = _time(look, text)
        if seconds > worst.seconds:
            worst = Worst(min(seconds, _time(look, text)), name, text)
        if worst.seconds > _ENOUGH:
            break
    if worst.seconds > _ENOUGH:
        print(f"{worst.seconds * 1e3:8.2f} ms  {name}  {worst.text[:80]!r}", file=sys.stderr, flush=True)
    return worst


def _time(look: Callable[[str], object], text: str) -> float:
    began = time.process_time()
    look(text)
    return time.process_time() - began


def main() -> int:
    """Measure all and print the slowest."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--limit", type=float, default=20.0, help="milliseconds for one expression and one line")
    options.add_argument("--most", type=int, default=120, help="texts for one expression")
    options.add_argument("--show", type=int, default=5, help="how many to print")
    options.add_argument("--all", action="store_true", help="also of the rooms that read the operator's own files only")
    chosen = options.parse_args()
    gc.disable()
    expressions = {
        name: one for name, one in find_expressions().items() if name.split(".")[1] in _FOREIGN or chosen.all
    }
    source = "\n".join(path.read_text() for path in Path(pfremote.__path__[0]).rglob("*.py"))
    found = sorted(
        (measure(name, one, chosen.most, source) for name, one in expressions.items()), key=lambda one: -one.seconds
    )
    for worst in found[: chosen.show]:
        print(f"{worst.seconds * 1e3:8.2f} ms  {worst.name.partition(':')[0]}  {worst.text[:60]!r}")
    slow = [worst for worst in found if worst.seconds * 1e3 > chosen.limit]
    print(
        f"{len(found)} expressions on lines of {LONGEST_READ}: worst {found[0].seconds * 1e3:.2f} ms, {len(slow)} over the limit"
    )
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
