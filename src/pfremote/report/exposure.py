"""What stands in a log where a credential could, and what to do about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pfremote.maillog.redact.masks import COMMAND, EMPTY, HEADER, TICKET_KEY, TLS_SESSION, UNKNOWN

#: What to do about a credential in a log: change it, judge whether it is a real one, or nothing.
Verdict = Literal["change", "judge", "nothing"]
#: What is no user's password: tlsmgr(8) makes new ones when Postfix is reloaded, as at the end of a window.
TLS_KINDS = frozenset({TICKET_KEY, TLS_SESSION})
#: What is no credential: nothing was sent where one belongs, or something else.
_NO_CREDENTIALS = TLS_KINDS | {EMPTY, HEADER}


@dataclass(frozen=True, slots=True)
class ExposureView:
    """A credential that stands in clear in the host's own log.

    ``where`` is that log, ``shape`` the kind of line in it, ``kind`` what it is (password, bearer token, …).
    ``refused``: the server judged it and said no.
    """

    host: str
    account: str
    time: datetime | None
    mechanism: str
    kind: str
    shape: str
    where: str
    refused: bool = False

    @property
    def is_named(self) -> bool:
        """Tell whether the log says whose it is."""
        return self.account not in ("", UNKNOWN)

    @property
    def verdict(self) -> Verdict:
        """What to do about it. A refused password may still be a real one, mistyped or of another account."""
        if self.kind in _NO_CREDENTIALS:
            return "nothing"
        return "judge" if self.refused or self.kind == COMMAND else "change"
