"""What is entered of a credential beside whose it is: whether there was one at all, and what the server made of it."""

from __future__ import annotations

import pytest

from tests.support.maillines import b64, make_login, make_records
from tests.support.redacting import redact_and_prove

PEER = "c[192.0.2.5]"
REFUSED = f"> {PEER}: 535 5.7.8 Error: authentication failed: (reason unavailable)"
ACCEPTED = f"> {PEER}: 235 2.7.0 Authentication successful"


def entered(*lines: str) -> list[tuple[str, bool]]:
    """Return what is listed of these lines of smtpd: kind, and whether the server refused it."""
    return [(item.kind, item.refused) for item in redact_and_prove(make_records(*lines)).exposures]


def plain(text: str) -> str:
    return f"< {PEER}: AUTH PLAIN {b64(text)}"


def login(response: str) -> list[str]:
    return make_login(PEER, response)


@pytest.mark.parametrize("reply", [REFUSED, ACCEPTED])
@pytest.mark.parametrize(
    "sent", [[plain("\0")], [plain("\0alice\0")], [plain("alice\0alice\0")], login("="), login("AA==")]
)
def test_an_empty_password_is_called_one(sent: list[str], reply: str) -> None:
    assert {kind for kind, _ in entered(*sent, reply)} == {"empty password"}


@pytest.mark.parametrize(
    "text", ["\0alice", "alice\0Gr4nite-77\0", "\0alice\0Gr4nite-77\0", "\0\0Gr4nite-77", "Gr4nite-77"]
)
def test_what_may_hold_a_password_is_no_empty_one(text: str) -> None:
    assert entered(plain(text), REFUSED) == [("password", True)]


@pytest.mark.parametrize("sent", [[plain("\0alice\0Gr4nite-77")], login(b64("Gr4nite-77")), login(b64("="))])
def test_what_the_server_made_of_it_is_entered(sent: list[str]) -> None:
    assert entered(*sent, REFUSED) == [("password", True)]
    assert entered(*sent, ACCEPTED) == [("password", False)]
    assert entered(*sent) == [("password", False)]


@pytest.mark.parametrize(
    "reply",
    [
        "454 4.7.0 Temporary authentication failure: Connection lost to authentication server",
        "535 5.7.8 Error: authentication failed: Invalid authentication mechanism: 'PLAIN'",
        "535 5.7.8 Error: authentication failed: Invalid base64 data in initial response",
        "535 5.7.139 Authentication unsuccessful, basic authentication is disabled",
        "534 5.7.9 Application-specific password required",
        "538 5.7.11 Encryption required for requested authentication mechanism",
        "503 5.5.1 Error: authentication not enabled",
    ],
)
def test_a_password_that_was_not_judged_was_not_refused(reply: str) -> None:
    assert entered(plain("\0alice\0Gr4nite-77"), f"> {PEER}: {reply}") == [("password", False)]


def test_a_second_password_is_not_refused_with_the_first() -> None:
    """Its AUTH line and what the server said of it are lost."""
    first = [plain("\0alice\0Gr4nite-77"), REFUSED]
    again = ["xsasl_dovecot_server_first: sasl_method PLAIN, init_response " + b64("\0alice\0Gr4nite-78")]
    assert entered(*first, *again) == [("password", True), ("password", False)]


def test_a_header_of_a_message_is_no_password() -> None:
    """A client whose mail was refused goes on to send it: what smtpd takes for a command is the first header."""
    assert entered(f"< {PEER}: Subject: x") == [("message header", False)]
    assert entered(f"< {PEER}: Gr4nite-77") == [("unrecognised command", False)]
    assert entered(f"< {PEER}: Gr4nite-77: x") == [("unrecognised command", False)]
