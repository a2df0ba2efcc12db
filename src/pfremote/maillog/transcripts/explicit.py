"""Tells what Postfix says of its own accord from what only debugging makes it say.

Debug lines begin with the name of a function, a service or a stream and a colon, or with one of a few phrases; all else
is shown. So a sentence that is unknown here is shown rather than lost.
"""

# ruff: noqa: E501 (whole patterns on one line can be searched for)

from __future__ import annotations

import re

from pfremote.maillog.transcripts.turns import Topic

#: What is said about a session, by its beginning: the topic that it is shown under.
_SAID: tuple[tuple[Topic, str], ...] = (
    (
        "connection",
        r"connect (?:from|to) \S+\[|disconnect from |(?:\w+: )?(?:lost connection|timeout|too many errors"
        r"|improper command pipelining) after |SMTPS wrappermode ",
    ),
    (
        "tls",
        r"SSL3 alert |SSL_(?:accept|connect) error |(?:\w+ )?(?:\w+ )?certificate verification failed |warning: TLS "
        r"|warning: cannot (?:get|load) |warning: .*(?:TLS|TLSA|DANE|certificate|private key)"
        r"|Host offered STARTTLS|TLSRPT: |\S+: re-using session with untrusted ",
    ),
    ("sasl", r"warning: (?:SASL|xsasl|\S+: SASL)|error: SASL"),
    ("warning", r"(?:warning|error|fatal|panic): "),
    (
        "note",
        r"\S+: replacing (?:command|server reply) |proxy-\w+: |table \S+ has changed|(?:\w+:)+\S* lookup: \"|(?:inline|static):\{",
    ),
)
_TOPICS = tuple((topic, re.compile(pattern)) for topic, pattern in _SAID)
#: Lines of debug_peer_level and *_tls_loglevel that begin with no function's name.
_DEBUG = re.compile(
    r"""[0-9a-f]{4}\ (?:[0-9a-f]{2}\b|-\ <)  # a dump (tls_misc.c)
      | [<>]+\ |SSL_(?:accept|connect):|Read\ \d|Write\ \d|(?:read\ from|write\ to)\ [0-9A-F]+\ \[
      | (?:save|looking\ for|removing?|reloaded|delete|[Rr]e-?using)\ (?:the\ )?(?:old\ )?session\b|Issuing\ session\ ticket
      | (?:put|delete|read|write|open|close)\ \S+\ (?:session\ id=|TLS\ cache)|(?:cannot\ )?(?:read|seek)\ .*entropy\ file
      | (?:subject|issuer|fingerprint)\w*=|server\ features:|initializing\ the\ |setting\ up\ TLS
      | starting\ new\ SASL|disposing\ SASL|SASL\ authentication\ (?:debug|info|pass|trace):|\S+\ TLS\ level(?::|\Z)
      | connecting\ to\ \S+\ (?:port|service)|connect\ to\ subsystem|using\ DANE\ RR|trying\.\.\.|(?:abort|free|create)\ (?:all\ )?milter|\w+\ event\ to\ all\ milters
      | Using\ \S+\ PIPELINING|Connection\ refused\Z|frag_len=|\S+\ (?:\S+\ )?CommonName\ |\S+\ asciified\ to
      | (?:inspect\ content|query\ milter\ states)|receive\ \d+\ milters|override\ \S+\ macro|skipping\ (?:event|reply|non-protocol|address)
      | host\ name\ lookup\ methods|v6_target=|(?:origin|source)=\S*\ (?:name|address)=|MX\ name\ '|expanded\ and\ quoted
      | \S+\ (?:got|read|write):?\ |\S*\ ?(?:PUSH|POP)\ boundary|garbage\ in\ |\S+\ stream\ disconnect|.*response\ that\ is\ DNSSEC
      | (?:master\ disconnect|time\ to\ retire|got\ sigchld|spawn\ command|start\ conditional|throttl|daemon\ started)
      | timeout\Z|\(end\)|chroot\ |pausing\ to\ let|loaded\ |Compiled\ against|sendmsg\ error|ni_lookup|myflock\(|open\ |fifo
      | process\ generation|connection\ (?:established|closed)|proxymap\ stream|input\ attribute|send\ attr|idle\ timeout
      | [a-z0-9]+_\w+(?:\ |\(|\Z)|\w+\(\w+=  # a function that reports on itself without a colon
      | \S+:(?:\ |\Z)  # the function, service, stream or peer that a debug line is about
    """,
    re.VERBOSE,
)


def topic_of(text: str) -> Topic | None:
    """Return the topic of a line that is to be shown, or None for a debug line.

    >>> topic_of("smtp_stream_setup: maxtime=300 enable_deadline=0"), topic_of("refreshing the table")
    (None, 'note')
    """
    word = text[: text.find(" ")]
    if word[-1:] == ":" and "_" in word and word[:-1].isidentifier():
        return None  # a function's name, the bulk of all debug lines
    for topic, pattern in _TOPICS:
        if pattern.match(text):
            return topic
    return None if not text or _DEBUG.match(text) else "note"
