"""One host's debug window: look, plan, arm, wait, let the host revert, bring the evidence home.

A :class:`Window` is a job of short steps (see :mod:`pfremote.fleet.scheduler`). Each step opens a connection of its own
and closes it: nothing on the host depends on it, and a broken one is no more than a step to try again.
"""

from __future__ import annotations

from pfremote.window.state import Keep, Reach, WindowOptions
from pfremote.window.window import Window

__all__ = ["Keep", "Reach", "Window", "WindowOptions"]
