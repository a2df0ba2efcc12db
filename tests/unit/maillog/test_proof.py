"""The proof pass on its own: it knows nothing of the redactor, and fails closed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pfremote.maillog.proof.prove import Proof, Withheld, prove, withhold
from pfremote.maillog.redact import Redactor
from tests.support.maillines import RECORDED, find_spellings, make_records, read_records
from tests.support.redacting import redact_and_prove

HEAD = "Nov 24 02:13:49 mx postfix/smtpd[7]: "


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_logs_are_proven_without_loss(path: Path) -> None:
    capture = redact_and_prove(read_records(path))
    assert capture.withheld == ()
    shown = "".join(record.head + record.text for record in capture.records)
    assert [find_spellings(secret, shown) for secret in RECORDED[path]] == [[]] * len(RECORDED[path])


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_line_that_the_redactor_masks_is_withheld_without_it(path: Path) -> None:
    records = read_records(path)
    redactor = Redactor()
    masked = {record.number for record in records if redactor.redact(record).text != record.text}
    found = {item.number for item in prove((r.head + r.text for r in records), redactor.secrets).withheld}
    missed = [r.text for r in records if r.number in masked - found]
    # What plug-ins of libsasl say at level 2 holds no secret that is known; only the redactor masks it.
    assert [text for text in missed if not text.startswith("SASL authentication debug: ")] == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("< c[192.0.2.5]: AUTH PLAIN AGFsaWNl", "data after AUTH"),
        ("< c[192.0.2.5]: YWxpY2U=", "a line of the dialogue that is no command and no reply"),
        ("> c[192.0.2.5]: 334 PDEyMzQ1Ng==", "a line of the dialogue that is no command and no reply"),
        (
            "input attribute value: muW73le87jCMnr7d0j9xhlh2wVWnxJInpvHV50zNrF20",
            "a long value of unknown meaning",
        ),
        ("Read 8 chars: QUIT", "decrypted data"),
        ("0000 16 03 01 02                                      ....", "bytes of a TLS connection"),
        ("odd: static:user:hidden", "a password in a table name"),
        ("odd: ldap://cn:hidden@ldap.example.jp/", "a password in a URL"),
        ("odd: password=hidden", "a password"),
        ("odd: hunter2hunter", "a secret that another line gave away"),
        ("odd: aHVudGVyMmh1bnRlcg==", "a secret that another line gave away"),
    ],
)
def test_a_place_with_something_in_it_is_withheld(text: str, reason: str) -> None:
    assert prove(["ok", HEAD + text], ["hunter2hunter"]) == Proof(2, (Withheld(2, reason),))
    assert prove([text], ["hunter2hunter"]).withheld == (Withheld(1, reason),)


@pytest.mark.parametrize(
    "mark",
    [
        "[redacted: AGFsaWNlAFMzY3JldFBX]",
        "[redacted: password of AGF saWNl]",
        "[Redacted]",
        "[redacted: password",
    ],
)
def test_a_mark_that_is_not_ours_proves_nothing(mark: str) -> None:
    assert prove([f"{HEAD}< c[192.0.2.5]: {mark}"]).withheld


def test_a_secret_in_the_account_of_a_mark_is_found() -> None:
    line = f"{HEAD}< c[192.0.2.5]: [redacted: password of hunter2hunter]"
    assert prove([line]).withheld == ()
    assert [item.number for item in prove([line], ["hunter2hunter"]).withheld] == [1]


def test_a_word_counts_as_a_whole_word_only() -> None:
    assert prove([f"{HEAD}odd: sunshine.example.jp"], ["sunshine"]).withheld
    assert not prove([f"{HEAD}odd: sunshines"], ["sunshine"]).withheld


def test_numbers_run_on_over_many_lines_and_each_line_is_named_once() -> None:
    lines = [f"{HEAD}connect from c[192.0.2.5]"] * 5000
    lines[4999] = f"{HEAD}Read 3 chars: AUTH PLAIN AGFsaWNlAFMzY3JldFBX"
    proof = prove(lines)
    assert (proof.lines_checked, [item.number for item in proof.withheld]) == (5000, [5000])


def test_the_same_unprovable_text_is_withheld_wherever_it_stands() -> None:
    text = "new_function: password=hidden-in-a-new-place"
    records = make_records("connect from c[192.0.2.5]", text, "x", text)
    clean = redact_and_prove(records)
    assert clean.withheld == ()  # the redactor knows this one
    assert prove([record.text for record in records]).withheld == (
        Withheld(2, "a password"),
        Withheld(4, "a password"),
    )


def test_lower_case_that_is_longer_does_not_shift_places() -> None:
    lines = ["\u0130" * 40, f"{HEAD}< c[192.0.2.5]: YWxpY2U=", "\u0130"]
    assert [item.number for item in prove(lines).withheld] == [2]


def test_what_stands_for_a_line_is_itself_proven() -> None:
    assert prove([HEAD + withhold("data after AUTH")]).withheld == ()


DELIVERY = (
    "Nov 30 10:00:01 mx1 postfix/local[123]: 4F2A1C0: to=<bob@example.org>, relay=local, dsn=5.3.0, status=bounced (%s)"
)


@pytest.mark.parametrize(
    "path",
    [
        "/home/bob/Maildir/new/1732968123.12345_0.mx1.example.org",
        "/var/mail/vhosts/Example/bob/Maildir/tmp/1732968123.V801I1a2b3cM123456.mx1",
        "/var/lib/amavis/virusmails/A1/spam-AbCdEfGhIj12.gz",
        "/var/spool/postfix/deferred/4/4F2A1C0xYzWq7T",
    ],
)
def test_a_path_of_short_names_is_shown(path: str) -> None:
    assert path in show(DELIVERY % f"Command output: Couldn't create or write {path}")


@pytest.mark.parametrize("before", ["/home/bob/", "/home/bob", "/homes/bob/Maildir/new/", "home/bob/new/", "x /tmp/"])
def test_a_path_hides_no_secret(before: str) -> None:
    secret = "q7Lw2ZxN9pVb4KtR8sYc1MfHd6Ge" + "0Aa"
    for text in (before + secret, f"{secret[:9]}/{secret[9:]}"):
        assert secret[-14:] not in show(DELIVERY % text)


def show(line: str) -> str:
    """Return what is shown of a line: all of it, some, or nothing."""
    return "".join(record.head + record.text for record in redact_and_prove(make_records(line, daemon="local")).records)
