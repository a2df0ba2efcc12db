"""What one SASL response gives away, however it was written."""

from __future__ import annotations

import pytest

from pfremote.maillog.redact.sasl import read_response


@pytest.mark.parametrize("behind", ["", " ", "?", "\x01", "\x7f?", "\r"])
def test_what_follows_the_base64_hides_no_secret(behind: str) -> None:
    found = read_response("PLAIN", "AGFsaWNlAFMzY3JldFBX" + behind)
    assert (found.account, found.secrets) == ("alice", ("S3cretPW",))
