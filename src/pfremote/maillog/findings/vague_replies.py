"""Replies that have several causes, and what only tells that a delivery failed."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.reply_words import ANY_WORDS, SAID_LATER, TO_THE_END
from pfremote.maillog.findings.rule import FAILURE, QUOTED, SIGN, Rule

RULES = (
    Rule(
        "delivery.sender-refused",
        r"said: (?P<reply>5\d\d" + ANY_WORDS + r") \(in reply to MAIL FROM",
        "the remote server refused the message as soon as it had our sender address",
        "It answered MAIL FROM with: {reply}. It knew our address, our name and the sender then, and does not say which of them it minds.",
        "See the address in the from= line of this queue id, and try another one; look our address up at block lists.",
        "likely",
        side="out",
        weight=SIGN,
    ),
    Rule(
        "delivery.recipient-refused",
        r"said: (?P<reply>5\d\d"
        + ANY_WORDS
        + r"(?i:recipient (?:address )?rejected|address rejected|mailbox unavailable)"
        + QUOTED
        + ")",
        "the remote server refuses the recipient",
        "It answered: {reply}. Most often it does not know the address; a rule of its own gets the same words.",
        "Look at the address; if it is right, ask the other side.",
        "likely",
        side="out",
        weight=SIGN,
    ),
    Rule(
        "delivery.put-off",
        SAID_LATER
        + r"(?i:4\.3\.2\b|(?:try|come back|retry) (?:again )?later|service (?:currently |temporarily )?(?:unavailable|not available)|temporarily (?:rejected|unavailable|deferred))"
        + TO_THE_END,
        "the remote server puts us off",
        "It answered: {reply}. That is greylisting, a test of new clients (postscreen), or a server that is busy; it does not say which.",
        "Wait for the next attempt: look for status=sent of the same queue id.",
        "likely",
        side="out",
        weight=SIGN,
    ),
    Rule(
        "delivery.policy",
        r"said: (?P<reply>5\d\d[ -]5\.7\."
        + ANY_WORDS
        + r"|5\d\d"
        + ANY_WORDS
        + r"(?i:denied by policy|policy (?:violation|reasons|restrictions))"
        + ANY_WORDS
        + r"|554[ -]"
        + QUOTED
        + ")",
        "the remote server refuses for reasons of its own policy",
        "It answered: {reply}",
        "Read the reply; its postmaster can tell more. Our address, sender and content are what it can have judged.",
        side="out",
        weight=SIGN,
    ),
    Rule(
        "delivery.bounced",
        r"status=(?:bounced|SOFTBOUNCE) \((?P<why>.*)\)",
        "the message was returned to its sender",
        "A permanent failure: {why}",
        "Read the reply of the server; the address or the content must change before sending again.",
        weight=FAILURE,
    ),
    Rule(
        "delivery.deferred",
        r"status=deferred \((?P<why>.*)\)",
        "delivery was put off",
        "A temporary failure: {why}. Postfix tries again until maximal_queue_lifetime.",
        "postqueue -p shows the next attempts; postqueue -i QUEUE_ID tries at once.",
        weight=FAILURE,
    ),
    Rule(
        "delivery.reply",
        r"^said: (?P<reply>[45]\d\d[ -].*)",
        "the remote server refused a command",
        "It answered: {reply}. The session's last lines, with the status, are not in the log.",
        "Look for the queue id's status line (to=, status=) of the same process.",
        "unknown",
        side="out",
        weight=FAILURE,
    ),
)
