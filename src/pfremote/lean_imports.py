"""Let Fabric and Paramiko load without what they import and a login never uses: that waits until it is used.

Only pfremote's own process asks for it (``__main__.py``); who imports pfremote as a library gets Fabric as it is.
Nothing is taken away: what waits is loaded at its first use, and a version of theirs that imports something else
is loaded as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from pfremote.paths import exists

#: While the module on the left is executed, it finds a stand-in for the one on the right.
_STOOD_IN_FOR = {
    "invoke.context": "unittest.mock",  # for MockContext, a help for tests; it loads asyncio, and this ssl
    "paramiko": "importlib.metadata",  # for Paramiko's version; it loads email
}
#: Loaded when it is used: to read configuration files in YAML.
_LAZY = "invoke.vendor.yaml"


def load_leanly() -> None:
    """From now on load Fabric and Paramiko without what they do not use."""
    if _LeanFinder not in sys.meta_path:
        sys.meta_path.insert(0, _LeanFinder)


class _LeanFinder:
    """Finds the modules named above as Python does, and changes how they are executed."""

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != _LAZY and name not in _STOOD_IN_FOR:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        if name == _LAZY:
            # Not needed before Fabric is.
            from importlib.util import LazyLoader

            spec.loader = LazyLoader(spec.loader)
        elif _STOOD_IN_FOR[name] not in sys.modules:
            run, absent = spec.loader.exec_module, _STOOD_IN_FOR[name]
            spec.loader.exec_module = lambda module: _run_without(absent, run, module)  # type: ignore[method-assign]
        return spec


def _run_without(absent: str, run: Callable[[ModuleType], None], module: ModuleType) -> None:
    with _standing_in(absent):
        run(module)


@contextmanager
def _standing_in(name: str) -> Iterator[None]:
    stand_in = sys.modules[name] = _StandIn(name)
    try:
        yield
    finally:
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]


class _StandIn(ModuleType):
    """Has the one name that is imported from it; for any other it makes way for the real module."""

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):  # what Python's import asks of each module
            raise AttributeError(attribute)
        own = _OWN.get(f"{self.__name__}.{attribute}")
        return own or getattr(_load_real(self.__name__), attribute)


def _load_real(name: str) -> ModuleType:
    # Not needed where nothing asks for more.
    from importlib import import_module

    if isinstance(sys.modules.get(name), _StandIn):
        del sys.modules[name]
    return import_module(name)


def _make_mock(*args: Any, **kwargs: Any) -> Any:
    return _load_real("unittest.mock").Mock(*args, **kwargs)


def _read_version(package: str) -> str:
    """Return the version in the name of the package's ``dist-info``, where it lies beside the package alone."""
    for place in map(Path, sys.path):
        if exists(place / package / "__init__.py"):
            found = [folder.stem.split("-") for folder in place.glob(f"{package}-*.dist-info")]
            if len(found) == 1 and len(found[0]) == 2:
                return found[0][1]
            break
    return str(_load_real("importlib.metadata").version(package))


_OWN: dict[str, Callable[..., Any]] = {
    "unittest.mock.Mock": _make_mock,
    "importlib.metadata.version": _read_version,
}
