"""What a remote server answered: limits, trouble, its mailboxes."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.reply_words import ANY_WORDS, ELSEWHERE, FULL, SAID, TO_THE_END, TROUBLE
from pfremote.maillog.findings.rule import Rule

RULES = (
    Rule(
        "delivery.sending-limit",
        SAID
        + r"(?i:(?:daily|hourly) (?:\w+ ){1,3}(?:limit|quota)\b|sending (?:limit|quota)\b|\bsend limit|unusual sending activity)"
        + TO_THE_END,
        "the provider takes no more mail from this account or host for now",
        "It answered: {reply}. What may be sent in an hour or a day is used up, or looked unusual.",
        "Look at the account's limits at the provider, and for what sends so much (mailq, pfremote explain --failed); after a 4xx the mail waits, after a 5xx it must be sent again.",
        side="out",
    ),
    Rule(
        "delivery.account-restricted",
        SAID
        + r"(?i:sending (?:is )?paused|smtp account is not|\bfree accounts? (?:is|are)\b|for test purposes only)"
        + TO_THE_END,
        "the provider does not let this account send",
        "It answered: {reply}. The account is new, paused or only for tests; the message itself was not judged.",
        "Log in at the provider: activate or upgrade the account, see why it is paused, or add the recipient to those that it may write to.",
        side="out",
    ),
    Rule(
        "limit.size",
        r"said: (?P<reply>5(?:52[ -](?:5\.[23]\.[34]\b|"
        + ANY_WORDS
        + r"(?i:too (?:large|big)|size|maximum))|\d\d[ -]5\.3\.4\b)"
        + TO_THE_END,
        "the message is larger than the remote server takes",
        "It answered: {reply}",
        "Send it in parts, or another way; the server's SIZE stands in its EHLO reply.",
        side="out",
        group="delivery",
    ),
    Rule(
        "limit.hops",
        r"said: (?P<reply>5\d\d"
        + ANY_WORDS
        + r"(?i:too many hops|hop count|loop(?:s|ing)? (?:back|detected)|5\.4\.6\b)"
        + TO_THE_END,
        "the message goes in circles",
        "The remote server answered: {reply}",
        "Read the Received: headers (postcat -q QUEUE_ID): two hosts send it to each other.",
        side="out",
        group="delivery",
    ),
    Rule(
        "delivery.mailbox-server-trouble",
        r"host (?P<server>\S+\[(?:[^\]\s]*/[^\]\s]*|127\.[\d.]+|::1)\]) " + SAID + TROUBLE + TO_THE_END,
        "the server on this host that takes the mail has trouble of its own",
        "{server} answered: {reply}",
        "Look at that server's own log at this second (doveadm log errors, journalctl -u dovecot): permissions, quota, a Sieve script, a full disk.",
        side="out",
    ),
    Rule(
        "delivery.remote-trouble",
        SAID + TROUBLE + TO_THE_END,
        "the remote server has trouble of its own",
        "It answered: {reply}. The failure is over there.",
        "Wait for the next attempt (postqueue -p); tell its postmaster if it lasts.",
        side="out",
    ),
    Rule(
        "delivery.relay-denied",
        SAID
        + r"(?i:relay(?:ing)? (?:access )?(?:denied|not (?:permitted|allowed)|is prohibited|prohibited)|unable to relay|not permitted to relay|do not relay|relay not|not configured to relay|list of allowed rcpthosts)"
        + TO_THE_END,
        "the remote server does not relay for us",
        "It answered: {reply}. Either we did not log in there, or it is not the server for this domain.",
        "dig MX of the recipient's domain and compare with transport_maps and relayhost; a relay that wants a login needs smtp_sasl_auth_enable = yes and an entry in smtp_sasl_password_maps.",
        side="out",
    ),
    Rule(
        "delivery.mailbox-full",
        r"host \S+\["
        + ELSEWHERE
        + r"\S*\] said: (?P<reply>[45]\d\d(?:[ -][45]\.2\.2\b|"
        + ANY_WORDS
        + FULL
        + r")"
        + TO_THE_END,
        "the recipient's mailbox is full",
        "The server that keeps the mailbox answered: {reply}",
        "Tell the recipient by another way: only there room can be made. A 4xx is tried again until maximal_queue_lifetime; after a 5xx the sender has it back.",
        only=frozenset(("smtp", "error", "retry", "qmgr")),
    ),
    Rule(
        "delivery.mailbox-full",
        r"said: (?P<reply>[45]\d\d"
        + ANY_WORDS
        + FULL
        + TO_THE_END
        + r"|dsn=[45]\.2\.2\b|(?i:disk quota exceeded|UserDisk quota|DomainDisk quota|maildir over quota|quota exceeded while writing)",
        "the recipient's mailbox is full",
        "The server that keeps the mailbox says so.",
        "Raise the quota or empty the mailbox; a 4xx is tried again by itself.",
    ),
    Rule(
        "delivery.greylisted",
        r"said: 4\d\d .*(?i:gr[ae]y-?list|try again in \d)",
        "the remote server greylists us",
        "It puts the first attempt off; Postfix tries again by itself.",
        "Wait for the next attempt (minimal_backoff_time); look for status=sent of the same queue id.",
        "likely",
        side="out",
    ),
    Rule(
        "delivery.recipient-busy",
        r"said: (?P<reply>[45]\d\d" + ANY_WORDS + r"(?i:receiving mail (?:at a rate|too quickly))" + TO_THE_END,
        "the recipient gets more mail than the server takes for it",
        "It answered: {reply}",
        "Wait for the next attempt, or send again later after a 5xx; look for what sends this recipient so much.",
        side="out",
    ),
    Rule(
        "delivery.message-form",
        r"said: (?P<reply>[45]\d\d"
        + ANY_WORDS
        + r"(?i:NUL characters|duplicate (?:\S+ )?header|multiple (?:\d{3} [\d.]+ )?(?:addresses|\S+ headers)|missing (?:a )?(?:valid )?(?:message-id|from|date)|(?:from|date|message-id):? header (?:is |are )?(?:missing|invalid)|not (?:RFC|compliant with RFC) ?[2578]\d+)"
        + TO_THE_END,
        "the remote server does not take the form of the message",
        "It answered: {reply}",
        "Look at what the reply names (postcat -q QUEUE_ID; headers most often); correct the program that wrote the message, or what adds headers on the way.",
        side="out",
    ),
    Rule(
        "delivery.too-many-recipients",
        r"said: (?P<reply>[45]\d\d" + ANY_WORDS + r"(?i:too many recipients)" + TO_THE_END,
        "too many recipients in one message for the remote server",
        "It answered: {reply}. After a 4xx Postfix sends the rest in another transaction.",
        "Lower smtp_destination_recipient_limit for it, in a transport of its own.",
        side="out",
    ),
)
