"""What is told of a log beside what its sessions are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from pfremote.maillog.parse.record import Record
from pfremote.maillog.programs import is_of_postfix


@dataclass(slots=True)
class Survey:
    """What a log has, beside its sessions: hosts, its first and last time, and whether there is a line of Postfix.

    ``strange`` are the first lines that fit no layout, ``strange_lines`` counts these, ``bare`` the empty ones too.
    """

    first_lines: int
    hosts: set[str] = field(default_factory=set)
    of_postfix: bool = False
    strange: list[str] = field(default_factory=list)
    strange_lines: int = 0
    bare: int = 0
    begins: datetime | None = None
    ends: datetime | None = None

    def take(self, records: Iterable[Record]) -> None:
        """Take the next lines, as they may be shown."""
        for record in records:
            self.hosts.add(record.host)
            if record.time is not None:
                self.begins, self.ends = self.begins or record.time, record.time
            if record.tag:
                self.of_postfix = self.of_postfix or is_of_postfix(record)
                continue
            self.bare += 1
            if record.text.strip():
                self.strange_lines += 1
                if len(self.strange) < self.first_lines:
                    self.strange.append(record.text)
