"""Whether the programs that a play's hooks name are there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from pfremote.errors import ConfigError, UsageError
from pfremote.playbook import Play, PlaySource

_EVENTS = ("start", "finish", "failure")


def check_hooks(source: PlaySource, play: Play) -> Iterator[ConfigError]:
    """Yield an error for each hook whose program cannot be run here."""
    for event in _EVENTS:
        for number, hook in enumerate(getattr(play.notify, event)):
            if hook.command and shutil.which(hook.command[0]) is None:
                missing = UsageError(
                    f"there is no program {hook.command[0]} to run", hint="Write its path, or install it."
                )
                yield source.error(missing, "notify", event, number, "command")
