"""``groups`` and ``hostvars`` in templates: looked up when asked for, so that one host does not cost all. Pure."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping

from pfremote.inventory.graph import Graph
from pfremote.inventory.templates import Renderer


class Members(dict[str, list[str]]):
    """``groups``: the members of a group."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self._graph = graph

    def __missing__(self, name: str) -> list[str]:
        if name not in self._graph.groups:
            raise KeyError(name)
        return self._graph.members(name)


class HostVars(dict[str, "OneHost"]):
    """``hostvars``: the variables of any host of the inventory."""

    def __init__(self, hosts: Container[str], render: Callable[[str], Renderer]) -> None:
        super().__init__()
        self._hosts = hosts
        self._render = render

    def __missing__(self, name: str) -> OneHost:
        if name not in self._hosts:
            raise KeyError(f"{name} is no host of the inventory")
        self[name] = OneHost(self._render(name))
        return self[name]


class OneHost(Mapping[str, object]):
    """The variables of one host, each rendered when asked for."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def __getitem__(self, name: str) -> object:
        return self._renderer.value(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._renderer.has(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._renderer.names())

    def __len__(self) -> int:
        return len(self._renderer.names())
