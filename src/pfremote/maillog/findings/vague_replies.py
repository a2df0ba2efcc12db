"""Replies that have several causes, and what only tells that a delivery failed."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.reply_words import ANY_WORDS, SAID_LATER, TO_THE_END
from pfremote.maillog.findings.rule import FAILURE, SIGN, Rule

RULES = (
    Rule(
        "delivery.busy",
        r"refused to talk to me: (?P<reply>4\d\d"
        + ANY_WORDS
        + r"(?i:\bbusy\b|overload|out of connection slots|resources (?:temporarily )?unavailable|service (?:is )?(?:currently |temporarily )?(?:not available|unavailable)|temporarily (?:unavailable|not available)|(?:try|come back|retry) (?:again )?later|not accepting)"
        + TO_THE_END,
        "the remote server has no room for our connection now",
        "It answered our connection with: {reply}. Such a server most often takes no client at all at this moment; it names no block list.",
        "Wait: Postfix tries the domain's other servers and comes again by itself (postqueue -p). If it lasts for hours, lower smtp_destination_concurrency_limit for it and ask its postmaster.",
        "likely",
        side="out",
    ),
    Rule(
        "delivery.remote-timeout",
        SAID_LATER
        + r"(?i:4\.4\.2\b.*time|time-?out exceeded|timed out waiting|idle (?:for )?too long|read data from client error)"
        + TO_THE_END,
        "the remote server waited for us in vain",
        "It answered: {reply}. What we sent did not reach it in time: a firewall or tunnel that loses large packets (path MTU) or a slow line does that, or the server is slow itself.",
        "See in delays= which stage took long, and send a message of one line; ping -M do -s 1472 HOST tells whether large packets pass.",
        "likely",
        side="out",
    ),
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
        + r"(?i:recipient (?:address(?:es)? )?rejected|address rejected|mailbox unavailable|invalid rcpt|recipient (?:verif|validation))"
        + TO_THE_END,
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
        "delivery.recipient-refused",
        r"said: (?P<reply>4\d\d"
        + ANY_WORDS
        + r"(?i:unverified address|(?:recipient|account|mailbox|user)\b.{0,40}\b(?:unavailable|disabled|inactive|rejected))"
        + TO_THE_END,
        "the remote server does not take this recipient for now",
        "It answered: {reply}. The mailbox may be switched off, full, or not yet looked up; it does not say which.",
        "Wait for the next attempt; if it stays so, look at the address and ask the other side.",
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
        + r")",
        "the remote server refuses for reasons of its own policy",
        "It answered: {reply}",
        "Read the reply; its postmaster can tell more. Our address, sender and content are what it can have judged.",
        side="out",
        weight=SIGN,
    ),
    Rule(
        "delivery.sequence",
        r"said: (?P<reply>503[ -]"
        + ANY_WORDS
        + r"(?i:need (?:a )?(?:valid )?mail|bad sequence|out of (?:order|sequence))"
        + TO_THE_END,
        "the remote server lost the order of the commands",
        "It answered: {reply}. For it there was no MAIL FROM before, or it had refused that one; Postfix had sent it. With PIPELINING several commands go out at once, and some servers and filters between do not follow.",
        "Try a transport of its own with smtp_discard_ehlo_keywords = pipelining for this destination; the reply may say what was wrong with MAIL FROM.",
        "likely",
        side="out",
        weight=SIGN,
    ),
    Rule(
        "delivery.recipient-refused",
        r"said: (?P<reply>5\d\d" + ANY_WORDS + r") \(in reply to RCPT TO",
        "the remote server refused the message when it had heard the recipient",
        "It answered RCPT TO with: {reply}. It knew our address, our name, the sender and the recipient then, and does not say which of them it minds.",
        "Look at the address, and try another one of that domain; look our address up at block lists.",
        "likely",
        side="out",
        weight=SIGN,
    ),
    Rule(
        "delivery.policy",
        r"said: (?P<reply>554[ -]" + TO_THE_END,
        "the remote server does not want the message",
        "It answered: {reply}. The number alone gives no reason.",
        "Read the reply; its postmaster can tell more. Our address, sender and content are what it can have judged.",
        "likely",
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
        r"^(?:\w+: host \S+ )?said: (?P<reply>[45]\d\d[ -].*)",
        "the remote server refused a command",
        "It answered: {reply}. The session's last lines, with the status, are not in the log.",
        "Look for the queue id's status line (to=, status=) of the same process.",
        "unknown",
        side="out",
        weight=FAILURE,
        unless=r" status=",
    ),
)
