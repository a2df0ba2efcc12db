"""The words and phrases that a Postfix log is made of: masking them would leave nothing to read."""

from __future__ import annotations

# Words that Postfix, SMTP and syslog lines are made of. A guesser's "password" or "postmaster" must not
# blank the log: such a secret is masked in credential positions only.
_TEXT_WORDS = """
abort accept access account active addr address admin alias aliases allow anonymous anvil attr
    attribute auth authenticate authentication authorized base64 before bounce body bytes cache canonical
    challenge channel chars check checks cipher class cleanup client close command commands common connect
    connected connection content count data daemon debug default defer deferred deny disconnect discard
    domain done double dunno duration ehlo empty encoded encryption ends engine entry envelope error ever
    exists expired extract failed failure false fatal file filter find finished flags flush format found
    from global greylist group hash header hello helo host hostname info initial input install instance
    invalid keep key keys level limit line lines list listen lmdb load local localhost lock login logged
    lookup lost lmtp mail mailbox main maps mask match master match_list mech mechanism member message
    method milter milters mode name names network none noop nrcpt null object open oper order other
    owner pass passwd password path peer permit pipe policy port postfix postmaster private process
    protocol proto proxy public pwd query queue queued quit rate rcpt read recipient regexp reject rejected
    relay removed reply request required reset resolve response restriction restrictions result root rule
    rset rsyslog sasl save secret send sender sent server service session setting size smtp smtpd socket
    spool stage start state starting static status stream string submission subject success support system
    table test text time timeout token tls trace transaction transport true trust trying type unix unknown
    update user username users valid value verify version virtual wait wanted warning webmaster with
    write xclient xforward
"""
#: Words that ordinary lines need, in lower case.
COMMON_WORDS = frozenset(_TEXT_WORDS.split())
#: What the log is written with. A client that offers a piece of it as a password could make it unreadable otherwise.
PHRASES = """
connect from unknown[ disconnect from ehlo=1 starttls=1 auth=0/1 mail=1 rcpt=1 data=1 quit=1 commands=
lost connection after timeout after noqueue: reject: rcpt from mail from:< rcpt to:< client= sasl_method=
sasl_username=
message-id=<> from=<> size= nrcpt= (queue active) to=<> orig_to=<> relay= delay= delays= dsn=2.0.0 status=sent (250
2.0.0 ok
status=deferred status=bounced; from=<> to=<> proto=esmtp helo=<> generic_checks: name=reject_ status=0 status=1
status=2
name=permit_ name=check_ >>> start client host restrictions <<< >>> end recipient address restrictions <<<
input attribute name: input attribute value: send attr request = wanted attribute: (list terminator)
match_hostname: match_hostaddr: match_list_match: match_string: maps_find: not found extract_addr: in: result:
name_mask: tls connection established from to with cipher (256/256 bits) sasl authentication failed: 454 4.7.1 <>:
relay
access denied 450 4.7.1 550 5.1.1 554 5.7.1 530 5.7.0 250 2.1.0 ok 250 2.1.5 ok 354 end data with <cr><lf>.<cr><lf>
220 esmtp postfix 250-pipelining 250-size 250-vrfy 250-etrn 250-starttls 250-auth 250-enhancedstatuscodes
250-8bitmime 250 dsn
535 5.7.8 error: authentication failed: 235 2.7.0 authentication successful 221 2.0.0 bye warning: hostname does not
resolve to address esmtps esmtpsa lmtp
"""
