"""``--follow``: the sessions of a window on the screen as they happen, many hosts merged."""

from __future__ import annotations

from pfremote.follow.follower import Follower
from pfremote.follow.keys import read_keys

__all__ = ["Follower", "read_keys"]
