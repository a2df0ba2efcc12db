"""What a remote server answered when it did not take our mail."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.rule import FAILURE, QUOTED, SIGN, Rule

#: The reply ends where smtp(8) says what it answered.
_ANY = r"(?:(?! \(in reply to).)*"
_SAID = r"(?:said|refused to talk to me): (?P<reply>[45]\d\d" + _ANY
_SAID_LATER = r"(?:said|refused to talk to me): (?P<reply>4\d\d" + _ANY
_END = _ANY + r")"
_TROUBLE = r"(?i:insufficient system storage|temporary lookup failure|server configuration (?:error|problem)|local (?:data )?error|internal (?:server )?error|4\.3\.[015]\b|resources temporarily unavailable|queue file write error)"
#: What is said of an address that nobody has. A reply to MAIL FROM, and what names the sender, is about the sender.
_NOT_THE_SENDER = (
    r"(?!5\d\d[ -]5\.1\.[78]\b)(?!.*\(in reply to MAIL FROM)(?!(?i:.*\bsender\b.*(?:not exist|rejected|denied)))"
)
_NOBODY = r"(?i:user unknown|unknown (?:user|recipient|mailbox|address)|no such (?:user|recipient|mailbox|address|person)|(?:does not|doesn't) exist|(?:user|recipient|mailbox|account|address) (?:was )?not (?:found|known)|no mailbox (?:here )?by that name|is not a (?:known|valid) (?:user|recipient|mailbox|address)|not in my validrcptto|invalid (?:recipient|mailbox)|unrouteable)"

RULES = (
    Rule(
        "limit.size",
        r"said: (?P<reply>5(?:52[ -](?:5\.[23]\.[34]|"
        + _ANY
        + r"(?i:too (?:large|big)|size|maximum))|\d\d[ -]5\.3\.4)"
        + QUOTED
        + ")",
        "the message is larger than the remote server takes",
        "It answered: {reply}",
        "Send it in parts, or another way; the server's SIZE stands in its EHLO reply.",
        side="out",
        group="delivery",
    ),
    Rule(
        "limit.hops",
        r"said: (?P<reply>5\d\d"
        + _ANY
        + r"(?i:too many hops|hop count|loop(?:s|ing)? (?:back|detected)|5\.4\.6)"
        + QUOTED
        + ")",
        "the message goes in circles",
        "The remote server answered: {reply}",
        "Read the Received: headers (postcat -q QUEUE_ID): two hosts send it to each other.",
        side="out",
        group="delivery",
    ),
    Rule(
        "delivery.mailbox-server-trouble",
        r"host (?P<server>\S+\[(?:[^\]\s]*/[^\]\s]*|127\.[\d.]+|::1)\]) " + _SAID + _TROUBLE + _END,
        "the server on this host that takes the mail has trouble of its own",
        "{server} answered: {reply}",
        "Look at that server's own log at this second (doveadm log errors, journalctl -u dovecot): permissions, quota, a Sieve script, a full disk.",
        side="out",
    ),
    Rule(
        "delivery.remote-trouble",
        _SAID + _TROUBLE + _END,
        "the remote server has trouble of its own",
        "It answered: {reply}. The failure is over there.",
        "Wait for the next attempt (postqueue -p); tell its postmaster if it lasts.",
        side="out",
    ),
    Rule(
        "delivery.relay-denied",
        _SAID
        + r"(?i:relay(?:ing)? (?:access )?(?:denied|not (?:permitted|allowed)|is prohibited|prohibited)|unable to relay|not permitted to relay|do not relay|relay not|not configured to relay)"
        + _END,
        "the remote server does not relay for us",
        "It answered: {reply}. Either we did not log in there, or it is not the server for this domain.",
        "dig MX of the recipient's domain and compare with transport_maps and relayhost; a relay that wants a login needs smtp_sasl_auth_enable = yes and an entry in smtp_sasl_password_maps.",
        side="out",
    ),
    Rule(
        "delivery.mailbox-full",
        r"said: (?P<reply>[45]\d\d"
        + _ANY
        + r"(?i:mailbox (?:is )?full|quota (?:exceeded|full)|over ?quota|exceeded .*quota|insufficient (?:mailbox )?storage|out of storage)"
        + QUOTED
        + r")|dsn=[45]\.2\.2|[Dd]isk quota exceeded",
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
        r"said: (?P<reply>[45]\d\d" + _ANY + r"(?i:receiving mail (?:at a rate|too quickly))" + _END,
        "the recipient gets more mail than the server takes for it",
        "It answered: {reply}",
        "Wait for the next attempt, or send again later after a 5xx; look for what sends this recipient so much.",
        side="out",
    ),
    Rule(
        "delivery.message-form",
        r"said: (?P<reply>[45]\d\d"
        + _ANY
        + r"(?i:duplicate (?:\S+ )?header|multiple (?:\d{3} [\d.]+ )?(?:addresses|\S+ headers)|missing (?:a )?(?:valid )?(?:message-id|from|date)|(?:from|date|message-id):? header (?:is |are )?(?:missing|invalid)|not (?:RFC|compliant with RFC) ?[2578]\d+)"
        + _END,
        "the remote server does not take the message's headers",
        "It answered: {reply}",
        "Look at the headers that the reply names (postcat -q QUEUE_ID); correct the program that wrote the message, or what adds headers on the way.",
        side="out",
    ),
    Rule(
        "delivery.too-many-recipients",
        r"said: (?P<reply>[45]\d\d" + _ANY + r"(?i:too many recipients)" + _END,
        "too many recipients in one message for the remote server",
        "It answered: {reply}. After a 4xx Postfix sends the rest in another transaction.",
        "Lower smtp_destination_recipient_limit for it, in a transport of its own.",
        side="out",
    ),
    Rule(
        "delivery.domain-blocked",
        _SAID
        + r"(?i:(?:mail ?from|sender|envelope|from) (?:address )?domain \S{0,80} ?(?:is )?listed (?:at|in|by|on))"
        + _END,
        "the remote server has our sender's domain on a block list",
        "It answered: {reply}",
        "Look the domain of the from= line up at the list that the reply names, and ask for removal there.",
        side="out",
    ),
    Rule(
        "delivery.reputation",
        _SAID + r"(?i:(?:poor|bad|low) reputation|reputation of the sending)" + _END,
        "the remote server has a low opinion of our address or domain",
        "It answered: {reply}",
        "Look for what sent spam from here (pfremote explain --failed, mailq); see the provider's postmaster page, and that SPF, DKIM, DMARC and the PTR are right.",
        side="out",
    ),
    Rule(
        "delivery.blocked",
        _SAID
        + r"(?i:block ?list|blacklist|black list|blocked using|spamhaus|spamcop|barracuda|dnsbl|\brbl\b|listed (?:at|in|by|on)|5\.7\.606|S3150|S3140|banned sending ip|ip address .*block)"
        + _END,
        "the remote server has our address on a block list",
        "It answered: {reply}",
        "Look our sending address up at the list that the reply names, stop what got it there, and ask for removal.",
        side="out",
    ),
    Rule(
        "delivery.our-rdns",
        _SAID
        + r"(?i:5\.7\.25\b|reverse dns|\bptr\b|\brdns\b|cannot find your (?:reverse )?hostname|reverse hostname|does not resolve|unknown\[|no valid host ?name)"
        + _END,
        "the remote server wants a valid PTR for our address",
        "It answered: {reply}",
        "dig -x OUR_ADDRESS and back; the owner of the address (the provider) sets the PTR, which must lead to smtp_helo_name.",
        side="out",
    ),
    Rule(
        "delivery.our-helo",
        _SAID
        + r"(?i:helo command rejected|invalid (?:helo|ehlo)|(?:helo|ehlo) .*(?:invalid|reject|not accepted|mismatch))"
        + _END,
        "the remote server does not like our HELO name",
        "It answered: {reply}",
        "postconf smtp_helo_name myhostname: it must be a full host name that leads to our address.",
        side="out",
    ),
    Rule(
        "delivery.sender-authentication",
        _SAID + r"(?:\bSPF\b|\bDMARC\b|\bDKIM\b|5\.7\.2[0-46]\b|550 5\.7\.1 .*authenticat)" + _END,
        "the remote server misses SPF, DKIM or DMARC for our sender",
        "It answered: {reply}",
        "dig TXT of the sender's domain, and of _dmarc.DOMAIN; see that our address is in the SPF record and that opendkim or rspamd signs.",
        side="out",
    ),
    Rule(
        "delivery.rate-limited",
        r"(?:said|refused to talk to me): (?P<reply>4\d\d"
        + _ANY
        + r"(?i:rate|too (?:many|much|fast)|throttl|exceed|4\.7\.28|unusual|temporarily deferred|4\.7\.650)"
        + QUOTED
        + ")",
        "the remote server takes mail from us only slowly",
        "It answered: {reply}",
        "Lower smtp_destination_concurrency_limit, set smtp_destination_rate_delay for it (a transport of its own), and look for what sends so much.",
        side="out",
    ),
    Rule(
        "delivery.unknown-recipient",
        r"said: " + _NOT_THE_SENDER + r"(?P<reply>55\d[ -]5\.1\.[1-6] .*|5\d\d" + _ANY + _NOBODY + QUOTED + ")",
        "the remote server does not know the recipient",
        "A permanent answer from the server that is in charge of the domain.",
        "Correct the address; if it is right, ask the other side.",
        side="out",
    ),
    Rule(
        "delivery.unknown-recipient",
        r"said: " + _NOT_THE_SENDER + r"(?P<reply>45\d" + _ANY + _NOBODY + _END,
        "the remote server does not know the recipient, for now",
        "It answered: {reply}. With a 4xx the address may be new there, or a table of that server failed; Postfix tries again.",
        "Look at the address; if it is right and stays so, ask the other side.",
        "likely",
        side="out",
    ),
    Rule(
        "delivery.mailbox-disabled",
        r"said: (?P<reply>5\d\d[ -](?:5\.2\.1|"
        + _ANY
        + r"(?i:(?:account|mailbox|user) (?:is |has been |was )?(?:disabled|inactive|suspended|frozen|locked|deactivated|discontinued)))"
        + QUOTED
        + ")",
        "the recipient's mailbox is switched off",
        "It answered: {reply}",
        "Ask the other side.",
        side="out",
    ),
    Rule(
        "delivery.sender-refused",
        r"said: (?P<reply>[45]\d\d"
        + _ANY
        + r"(?i:sender (?:address )?rejected|sender (?:denied|verify)|invalid sender|domain of sender|[45]\.1\.[78]\b|5\.7\.27\b|email address is not verified|not owned by|SendAsDenied|not authori[sz]ed to send)"
        + QUOTED
        + ")",
        "the remote server refuses our sender address",
        "It answered: {reply}",
        "See the address in the from= line of this queue id; a relay with login wants the login's own address, or one that is verified there (sender_canonical_maps, smtp_generic_maps).",
        side="out",
    ),
    Rule(
        "delivery.content-refused",
        r"said: (?P<reply>5\d\d"
        + _ANY
        + r"(?i:(?<![\w./-])spam\b|unsolicited|virus|malware|phish|content (?:rejected|refused|not)|prohibited content|attachment|\burls?\b)"
        + QUOTED
        + ")",
        "the remote server refuses the content",
        "It answered: {reply}",
        "Compare with a plain test message; the reply's link or code says more.",
        side="out",
    ),
    Rule(
        "delivery.tls-wanted",
        r"said: (?P<reply>[45]\d\d"
        + _ANY
        + r"(?i:must issue a starttls|starttls (?:first|required)|tls (?:is )?required|encryption required)"
        + QUOTED
        + ")",
        "the remote server takes mail only inside TLS",
        "It answered: {reply}",
        "Set smtp_tls_security_level = may (or encrypt for it in smtp_tls_policy_maps).",
        side="out",
    ),
    Rule(
        "delivery.line-too-long",
        r"said: (?P<reply>5\d\d"
        + _ANY
        + r"(?i:line (?:is )?too long|bare (?:lf|cr|newline)|lines? longer)"
        + QUOTED
        + ")",
        "the remote server does not take the message's lines",
        "It answered: {reply}",
        "See smtp_line_length_limit and what wrote the message.",
        side="out",
    ),
    Rule(
        "delivery.sender-refused",
        r"said: (?P<reply>5\d\d" + _ANY + r") \(in reply to MAIL FROM",
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
        + _ANY
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
        _SAID_LATER
        + r"(?i:4\.3\.2\b|(?:try|come back|retry) (?:again )?later|service (?:currently |temporarily )?(?:unavailable|not available)|temporarily (?:rejected|unavailable|deferred))"
        + _END,
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
        + _ANY
        + r"|5\d\d"
        + _ANY
        + r"(?i:denied by policy|policy (?:violation|reasons|restrictions))"
        + _ANY
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
