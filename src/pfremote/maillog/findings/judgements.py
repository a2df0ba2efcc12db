"""What a remote server has against our address, our sender, the recipient or the message."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.reply_words import ANY_WORDS, NO_SUCH_ADDRESS, NOT_THE_SENDER, SAID, TO_THE_END
from pfremote.maillog.findings.rule import Rule

RULES = (
    Rule(
        "delivery.domain-blocked",
        SAID
        + r"(?i:(?:mail ?from|sender|envelope|from) (?:address )?domain \S{0,80} ?(?:is )?listed (?:at|in|by|on))"
        + TO_THE_END,
        "the remote server has our sender's domain on a block list",
        "It answered: {reply}",
        "Look the domain of the from= line up at the list that the reply names, and ask for removal there.",
        side="out",
    ),
    Rule(
        "delivery.reputation",
        SAID + r"(?i:(?:poor|bad|low) reputation|reputation of the sending)" + TO_THE_END,
        "the remote server has a low opinion of our address or domain",
        "It answered: {reply}",
        "Look for what sent spam from here (pfremote explain --failed, mailq); see the provider's postmaster page, and that SPF, DKIM, DMARC and the PTR are right.",
        side="out",
    ),
    Rule(
        "delivery.blocked",
        SAID
        + r"(?i:block ?list|blacklist|black list|blocked using|spamhaus|spamcop|barracuda|dnsbl|\brbl\b|listed (?:at|in|by|on)|5\.7\.6[0-4]\d\b|S3150|S3140|banned sending ip|ip address .*block|reputation service|blocked by .{0,60}(?:anti-?spam|reputation))"
        + TO_THE_END,
        "the remote server has our address on a block list",
        "It answered: {reply}",
        "Look our sending address up at the list that the reply names, stop what got it there, and ask for removal.",
        side="out",
    ),
    Rule(
        "delivery.our-rdns",
        SAID
        + r"(?i:5\.7\.25\b|reverse dns|\bptr\b|\brdns\b|cannot find your (?:reverse )?hostname|reverse hostname|does not resolve|unknown\[|no valid host ?name)"
        + TO_THE_END,
        "the remote server wants a valid PTR for our address",
        "It answered: {reply}",
        "dig -x OUR_ADDRESS and back; the owner of the address (the provider) sets the PTR, which must lead to smtp_helo_name.",
        side="out",
    ),
    Rule(
        "delivery.our-helo",
        SAID
        + r"(?i:helo command rejected|invalid (?:helo|ehlo)|(?:helo|ehlo) .*(?:invalid|reject|not accepted|mismatch)|(?:helo|ehlo)\b.{0,30}\b(?:must|fqdn|fully.qualified))"
        + TO_THE_END,
        "the remote server does not like our HELO name",
        "It answered: {reply}",
        "postconf smtp_helo_name myhostname: it must be a full host name that leads to our address.",
        side="out",
    ),
    Rule(
        "delivery.sender-authentication",
        SAID + r"(?:\bSPF\b|\bDMARC\b|\bDKIM\b|5\.7\.2[0-46]\b|5\.7\.515\b|550 5\.7\.1 .*authenticat)" + TO_THE_END,
        "the remote server misses SPF, DKIM or DMARC for our sender",
        "It answered: {reply}",
        "dig TXT of the sender's domain, and of _dmarc.DOMAIN; see that our address is in the SPF record and that opendkim or rspamd signs.",
        side="out",
    ),
    Rule(
        "delivery.rate-limited",
        r"(?:said|refused to talk to me): (?P<reply>(?:4\d\d"
        + ANY_WORDS
        + r"(?i:rate|too (?:many|much|fast)|throttl|(?<!timeout )exceed|4\.7\.28\b|unusual|temporarily deferred|4\.7\.650\b)|5\d\d"
        + ANY_WORDS
        + r"(?i:(?:retrying|sending|connecting) too (?:fast|often)|\brate ?limit|too many (?:open |concurrent |simultaneous )?(?:sessions|connections)))"
        + TO_THE_END,
        "the remote server takes mail from us only slowly",
        "It answered: {reply}",
        "Lower smtp_destination_concurrency_limit, set smtp_destination_rate_delay for it (a transport of its own), and look for what sends so much.",
        side="out",
    ),
    Rule(
        "delivery.sender-callout",
        SAID
        + r"(?i:sender (?:verify )?callout|verify callout for|sender address rejected: (?:unverified|undeliverable) address)"
        + TO_THE_END,
        "the remote server asked our own mail server for the sender's address, and was not content with the answer",
        "It answered: {reply}. It connects to the MX of the sender's domain and offers a message from the empty sender to that address.",
        "Look for that attempt in the log of the sender's MX: it must take MAIL FROM:<> for the address, and must not greylist or block the server that asks.",
        side="out",
    ),
    Rule(
        "delivery.no-subscription",
        SAID + r"(?i:no mail-enabled subscriptions)" + TO_THE_END,
        "the provider that the recipient's MX names has no mailboxes for the domain",
        "It answered: {reply}. The Microsoft 365 tenant of the domain has no licence with mail, or the mail should go elsewhere.",
        "Tell the recipient's administrator by another way: the licences of the tenant or the MX must change there. Nothing can be changed here.",
        side="out",
    ),
    Rule(
        "delivery.unknown-recipient",
        r"said: "
        + NOT_THE_SENDER
        + r"(?P<reply>55\d[ -]5\.1\.[1-6] .*|5\d\d"
        + ANY_WORDS
        + NO_SUCH_ADDRESS
        + TO_THE_END,
        "the remote server does not know the recipient",
        "A permanent answer from the server that is in charge of the domain.",
        "Correct the address; if it is right, ask the other side.",
        side="out",
    ),
    Rule(
        "delivery.unknown-recipient",
        r"said: " + NOT_THE_SENDER + r"(?P<reply>45\d" + ANY_WORDS + NO_SUCH_ADDRESS + TO_THE_END,
        "the remote server does not know the recipient, for now",
        "It answered: {reply}. With a 4xx the address may be new there, or a table of that server failed; Postfix tries again.",
        "Look at the address; if it is right and stays so, ask the other side.",
        "likely",
        side="out",
    ),
    Rule(
        "delivery.mailbox-disabled",
        r"said: (?P<reply>5\d\d[ -](?:5\.2\.1\b|"
        + ANY_WORDS
        + r"(?i:(?:account|mailbox|user) (?:is |has been |was )?(?:disabled|inactive|suspended|frozen|locked|deactivated|discontinued)))"
        + TO_THE_END,
        "the recipient's mailbox is switched off",
        "It answered: {reply}",
        "Ask the other side.",
        side="out",
    ),
    Rule(
        "delivery.sender-refused",
        r"said: (?P<reply>[45]\d\d"
        + ANY_WORDS
        + r"(?i:sender (?:address )?rejected|sender (?:denied|verify)|invalid sender|domain of sender|[45]\.1\.[78]\b|5\.7\.27\b|email address is not verified|not owned by|SendAsDenied|(?:permissions? to )send as\b|badmailfrom|envelope sender is|sender not verified|verified sender|invalid mail from|same as (?:the )?auth|sender address is not allowed|relaying disallowed as|blocked senders|return (?:e-?mail )?(?:domain|address|path) is|from address does not match|not authori[sz]ed to send)"
        + TO_THE_END,
        "the remote server refuses our sender address",
        "It answered: {reply}",
        "See the address in the from= line of this queue id; a relay with login wants the login's own address, or one that is verified there (sender_canonical_maps, smtp_generic_maps).",
        side="out",
    ),
    Rule(
        "delivery.content-refused",
        r"said: (?P<reply>5\d\d"
        + ANY_WORDS
        + r"(?i:(?<![\w./-])spam\b|unsolicited|virus|malware|phish|content (?:rejected|refused|not)|reject(?:ed)? content|prohibited content|attachment|\burls?\b)"
        + TO_THE_END,
        "the remote server refuses the content",
        "It answered: {reply}",
        "Compare with a plain test message; the reply's link or code says more.",
        side="out",
    ),
    Rule(
        "delivery.tls-wanted",
        r"said: (?P<reply>[45]\d\d"
        + ANY_WORDS
        + r"(?i:must issue a starttls|starttls (?:first|required)|tls (?:is )?required|encryption required)"
        + TO_THE_END,
        "the remote server takes mail only inside TLS",
        "It answered: {reply}",
        "Set smtp_tls_security_level = may (or encrypt for it in smtp_tls_policy_maps).",
        side="out",
    ),
    Rule(
        "delivery.line-too-long",
        r"said: (?P<reply>5\d\d"
        + ANY_WORDS
        + r"(?i:line (?:is )?too long|bare (?:lf|cr|newline)|lines? longer)"
        + TO_THE_END,
        "the remote server does not take the message's lines",
        "It answered: {reply}",
        "See smtp_line_length_limit and what wrote the message.",
        side="out",
    ),
)
