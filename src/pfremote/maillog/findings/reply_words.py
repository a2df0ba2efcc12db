"""The parts of which the expressions about a remote server's reply are made."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

#: The reply ends where smtp(8) says what it answered.
ANY_WORDS = r"(?:(?! \(in reply to).)*"
SAID = r"(?:said|refused to talk to me): (?P<reply>[45]\d\d" + ANY_WORDS
SAID_LATER = r"(?:said|refused to talk to me): (?P<reply>4\d\d" + ANY_WORDS
TO_THE_END = ANY_WORDS + r")"
TROUBLE = r"(?i:insufficient system storage|temporary lookup failure|server configuration (?:error|problem)|local (?:data )?error|internal (?:server )?error|4\.3\.[015]\b|resources temporarily unavailable|queue file write error)"
#: An address that is neither this host's nor of a private network, where the mailboxes may be our own.
ELSEWHERE = r"(?!127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|::1\]|f[cd][\da-f]{2}:|[^\]\s]*/)"
FULL = r"(?i:mailbox (?:is )?full|quota (?:is )?(?:exceeded|full)|(?:over|out of) ?quota|exceeded .*quota|insufficient (?:mailbox )?storage|out of storage)"
#: What is said of an address that does not exist. A reply to MAIL FROM, and what names the sender, is about the sender.
NOT_THE_SENDER = r"(?!5\d\d[ -]5\.1\.[78]\b)(?!.*\(in reply to MAIL FROM)(?!(?i:.*\bsender\b.*(?:not exist|rejected|denied|verify fail)))"
NO_SUCH_ADDRESS = r"(?i:user unknown|unknown (?:user|recipient|mailbox|address)|no such (?:user|recipient|mailbox|address|person)|(?:does not|doesn't) exist|(?:user|recipient|mailbox|account|address) (?:was )?not (?:found|known)|no mailbox (?:here )?by that name|is not a (?:known|valid) (?:user|recipient|mailbox|address)|not in my validrcptto|invalid (?:recipient|mailbox)|unrouteable)"
