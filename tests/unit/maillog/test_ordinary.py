"""A line that is passed over as ordinary teaches nothing, whatever stands in the rest of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pfremote.maillog.ordinary import find_others, find_quoted
from pfremote.maillog.parse.lines import parse_line
from pfremote.maillog.redact import Redactor

NOW = datetime(2026, 11, 30, tzinfo=UTC)
BEGINNINGS = (
    "3A1B2C3D4E: client=",
    "3A1B2C3D4E: message-id=",
    "3A1B2C3D4E: from=<",
    "3A1B2C3D4E: to=<",
    "3A1B2C3D4E: uid=0 ",
    "3A1B2C3D4E: removed",
    "3A1B2C3D4E: sender ",
    "connect from ",
    "disconnect from ",
    "statistics: max ",
    "lost connection after ",
    "timeout after ",
    "NOQUEUE: reject: ",
    "SSL_accept error from ",
    "warning: hostname ",
    "warning: TLS library problem: ",
    "warning: a[192.0.2.1]: SASL PLAIN authentication failed: ",
    "Trusted TLS connection established ",
)
RESTS = (
    'a[192.0.2.1]: replacing command "AUTH PLAIN AGFsaWNlAFMzY3JldFBX" with "NOOP"',
    ': replacing server reply "334 UzNjcmV0UFc=" with "250 OK"',
    "private/anvil: wanted attribute: value",
    "proxymap socket: wanted attribute: value: AGFsaWNlAFMzY3JldFBX",
)


@pytest.mark.parametrize("beginning", BEGINNINGS)
@pytest.mark.parametrize("daemon", ["smtpd", "smtp", "qmgr"])
def test_it_teaches_nothing(beginning: str, daemon: str) -> None:
    for rest in RESTS:
        line = f"Nov 24 10:00:00 mx postfix/{daemon}[7]: {beginning}{rest}"
        raw = f"{line}\n".encode()
        assert list(find_others(raw, {"mx"})) == []
        redactor = Redactor()
        redactor.redact(parse_line(line, 1, now=NOW))
        redactor.settle()
        assert (redactor.exposures, redactor.secrets) == ((), {})


def test_what_is_quoted_as_a_table_shows_its_result_is_looked_at() -> None:
    lines = (b'a: "b" = "c"\n', b'say "no"\n', b'"x"\n', b'b" = "c\n')
    places = [0, *(sum(map(len, lines[: at + 1])) for at in range(len(lines)))]
    found = {max(at for at, start in enumerate(places) if start <= place) for place in find_quoted(b"".join(lines))}
    assert found == {0, 3}
