"""What Postfix finds around it: whether it runs at all, its folders and caches, the host's protocols, DNS of others."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.rule import SIGN, Rule

RULES = (
    Rule(
        "process.not-running",
        r"(?P<what>[Mm]ail system is down|warning: unable to look up public/\w+: .*|fatal: the Postfix mail system is not running)",
        "Postfix does not run, and a program wanted it to",
        "{what}. Mail that programs on this host hand in lies in maildrop until it runs; nothing is lost.",
        "postfix status; postfix start, or systemctl start postfix; if it does not stay, the fatal: lines of master say why.",
    ),
    Rule(
        "process.cache",
        r"(?:fatal|error): (?:open|close|lock) (?:database |lock file )?(?P<file>\S*(?:scache|postscreen_cache|verify_cache|_cache|prng_exch)\S*): (?P<why>.*)|warning: (?P<cache>\S*(?:scache|postscreen_cache|verify_cache)\S*) is unavailable\. (?!unsupported dictionary)(?P<reason>.*)",
        "a cache of Postfix cannot be opened",
        "{file}{cache}: {why}{reason}. The daemon that keeps it (tlsmgr, postscreen, verify) ends, and what needs that daemon waits.",
        "Postfix makes the file itself: see that data_directory is there, belongs to the user postfix and has room; remove a damaged cache, never postmap it.",
        only=frozenset(("tlsmgr", "postscreen", "verify")),
    ),
    Rule(
        "config.cache-folder",
        r"warning: (?:request to update (?P<what>table \S+|file \S+|\S+ \S+) in non-\w+ directory (?P<folder>\S+)|redirecting the request to \w+-owned data_directory (?P<data>\S+))",
        "a cache is named in a folder that is not Postfix's",
        "{what} {folder} {data}: Postfix keeps it in data_directory instead, and says so each time.",
        "Name it as ${{data_directory}}/NAME in main.cf (smtpd_tls_session_cache_database and the like).",
        group="note",
    ),
    Rule(
        "config.no-ipv6",
        r"warning: \S+: disabling (?P<family>IPv[46]) name/address support: (?P<why>.*)",
        "this host has no {family}, and inet_protocols asks for it",
        "{why}. Postfix goes on without it.",
        "Set inet_protocols to the family that the host has (ipv4), and the line goes away; addresses of the other one in inet_interfaces or mynetworks must go too.",
        group="note",
    ),
    Rule(
        "process.chroot-stale",
        r"warning: (?P<copy>/\S+) and (?P<file>/\S+) differ",
        "a file in the chroot is not what it is outside",
        "{copy} is an old copy of {file}: chrooted daemons use the old one, for names and addresses among others.",
        "cp {file} {copy}, or postfix restart, which copies it on Debian; then postfix reload.",
        group="note",
    ),
    Rule(
        "process.symlink",
        r"warning: symlink (?:leaves directory|has moved): (?P<file>\S+)",
        "postfix check found a link that leads out of its folder",
        "{file}. With makedefs.out it is the package's own link, and harmless.",
        "ls -l {file}; nothing is to be done where the package made it.",
        group="note",
    ),
    Rule(
        "process.message-gone",
        r"warning: (?:open (?:active|incoming|deferred) (?P<id>\w+): No such file or directory|qmgr_active_\w+: (?:remove|save corrupt file queue \w+ id) (?P<gone>\w+)(?: from \w+)?: No such file or directory)",
        "a message was taken out of the queue while it was being delivered",
        "{id}{gone} is no longer there: it was deleted by hand (postsuper -d), or two Postfix share this queue.",
        "Look for postsuper in the lines around; see that no second Postfix or container uses the same queue_directory.",
    ),
    Rule(
        "policy.name-server-data",
        r"warning: (?P<what>(?:malformed|numeric) domain name in resource data of \w+ record for (?P<domain>\S+?):.*)",
        "DNS has a malformed record of another's domain",
        "{what} The domain of a sender, a client or a recipient, not ours.",
        "dig MX {domain} and dig NS {domain}; its owner must correct it. Postfix leaves the record out.",
        group="note",
    ),
    Rule(
        "policy.name-server-unknown",
        r"warning: Unable to look up (?P<kind>MX|NS|\w+) host (?P<what>.*)",
        "a mail server or name server of another's domain could not be looked up",
        "{what}. check_*_mx_access or check_*_ns_access wanted its address, and went on without it.",
        "dig A of that name on the mail host; if others work, it is the other domain's fault.",
        group="note",
    ),
    Rule(
        "tls.reported",
        r"TLSRPT: status=failure, domain=(?P<domain>[^,]+), receiving_mx=(?P<mx>[^,]+), failure_type=(?P<what>[\w-]+)(?:, failure_reason=(?P<why>.*))?",
        "TLS with a destination failed, and its domain is told so (TLSRPT)",
        "{mx} of {domain}: {what} {why}.",
        "The lines of the same delivery say more; posttls-finger {domain}.",
        side="out",
        weight=SIGN,
    ),
)
