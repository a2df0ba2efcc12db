"""The shapes of Postfix log text that several stages look for (Postfix source files named beside each)."""

from __future__ import annotations

import re

#: Queue ids, short and long (postconf(5) enable_long_queue_ids); the long alphabet has no vowels.
QUEUE_ID = re.compile(r"[0-9A-F]{6,}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{12,}")
#: The first word of a line, after ``warning:``, where it is one.
OF_MESSAGE = re.compile(rf"(?:warning: )?({QUEUE_ID.pattern}):(?: |\Z)")

#: ``name[address]`` and, for smtp and lmtp or with smtpd_client_port_logging, ``:port``.
PEER = re.compile(r"(?<![^\s\[\]])(?P<name>[^\s\[\]]+)\[(?P<address>[^\]\s]*)\](?::(?P<port>\d+))?")

#: A line of the dialogue (smtpd/smtpd_chat.c, smtp/smtp_chat.c): ``< peer: text`` is received, ``> peer:
#: text`` sent.
DIALOGUE = re.compile(r"(?P<way>[<>]) (?P<peer>[^\s\[\]]+\[[^\]\s]*\](?::\d+)?): ?(?P<said>.*)", re.DOTALL)

#: First words of lines that exist only while msg_verbose > 0; the bulk of every debug log.
CHATTER = frozenset(
    """
    send input report trigger lookup begin end pref before after event: reply: name_mask: trying: fsspace:
    public/cleanup private/rewrite private/tlsmgr private/anvil private/bounce private/defer private/trace
    private/policy private/scache private/proxymap private/verify auto_clnt_open: auto_clnt_close:
    match_hostname: match_hostaddr: match_list_match: match_string: maps_find: mail_addr_find: mail_addr_map:
    vstream_tweak_tcp: vstream_buf_get_ready: vstream_fflush_some: rec_put: rec_get: rec_put_fd: smtp_get:
    watchdog_pat: watchdog_create: watchdog_start: watchdog_stop: watchdog_destroy: ctable_locate:
    event_enable_read: event_disable_readwrite: event_request_timer: event_cancel_timer: smtp_stream_setup:
    rewrite_clnt: resolve_clnt: extract_addr: smtpd_check_addr: smtpd_check_rewrite: smtpd_check_queue:
    smtpd_acl_permit: permit_mynetworks: permit_inet_interfaces: permit_auth_destination: sasl_mech_filter:
    xsasl_dovecot_server_connect: xsasl_dovecot_server_create: xsasl_dovecot_server_mech_filter:
    xsasl_dovecot_server_first: milter_macro_lookup: milter8_connect: dict_proxy_lookup: dict_update:
    dict_eval: dict_lookup: dns_query: dns_get_answer: smtp_addr_one: flush_add:
    """.split()  # noqa: SIM905 (seventy quoted words would be harder to read)
)

#: master/master_spawn.c: how a dead child is told.
CHILD_DIED = re.compile(
    r"warning: process \S+/(?P<daemon>smtpd|smtp|lmtp) pid (?P<pid>\d+) "
    r"(?:killed by signal \d+|exit status \d+)"
)

_NON_DELIVERY = re.compile(r"(?:sender|postmaster) (?:non-)?deliver\w*(?: status| delay)? notification: (\S+)")


def queue_id(word: str) -> str:
    """Return the queue id of a line whose first word is ``word`` (with its colon), or ``""``."""
    return word[:-1] if word[-1:] == ":" and QUEUE_ID.fullmatch(word, 0, len(word) - 1) else ""


def notified_as(text: str) -> str:
    """Return the queue id of the bounce message that a line of ``bounce`` announces, or ``""``."""
    found = _NON_DELIVERY.search(text)
    return found[1] if found else ""
