"""Lookup tables that cannot be read: the file, the database or the service behind them."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.rule import FAILURE, SIGN, Rule

RULES = (
    Rule(
        "table.type-missing",
        r"(?P<what>unsupported dictionary type: (?P<type>\w+)|.*Is the postfix-(?P<package>\S+) package installed)",
        "a table type is not supported here",
        "{what}: the package with that table type is not installed, or an address without brackets was taken for a table.",
        "postconf -m lists the types; install postfix-mysql, postfix-ldap, postfix-pcre, postfix-lmdb or the like.",
    ),
    Rule(
        "table.stale",
        r"database (?P<file>\S+) is older than source file (?P<source>\S+)",
        "a table was edited and not rebuilt",
        "{file} is older than {source}, so Postfix still uses the old entries.",
        "postmap {source} (postalias for aliases); no reload is needed.",
        group="note",
    ),
    Rule(
        "table.type-leaving",
        r"warning: (?P<file>\S+): hash/btree support is deprecated",
        "a table is of a type that will go",
        "{file} is a hash: or btree: table. It still works in this Postfix of Debian, which will have no Berkeley DB one day.",
        "Make it lmdb: or cdb:, see https://www.postfix.org/NON_BERKELEYDB_README.html; postconf -n shows which settings name it.",
        group="note",
    ),
    Rule(
        "table.unavailable",
        r"(?:error|fatal): open (?:database )?(?P<file>(?!\S*/(?:main|master)\.cf:)\S+): (?P<why>.+)|warning: (?P<table>\w+:\S+) is unavailable\. (?P<reason>.+)",
        "a table cannot be opened",
        "{file}{table}: {why}{reason}. Until it can, Postfix puts off what needs it (451 4.3.0, from a restriction 451 4.3.5).",
        "postmap the source file (lmdb:, hash: and cdb: need their database file); see owner and mode, and postconf for the parameter that names it.",
    ),
    Rule(
        "table.sql",
        r"(?:connect to (?:mysql|pgsql) server (?P<server>\S+?): (?P<why>.+)|(?P<map>\S*(?:mysql|pgsql|sqlite)\S*?):? ?(?:query failed: |query failed|SQL (?:prepare|step|finalize) failed)(?P<query>.*)|dict[ _](?:mysql|pgsql|sqlite)\w*:(?P<other>.*))",
        "a database table cannot be asked",
        "{server}{map}: {why}{query}{other}. Until it answers, Postfix puts off what needs it.",
        "postmap -q KEY TYPE:FILE on the mail host, as root; look at hosts, user, dbname and query in that file and at the database's log.",
    ),
    Rule(
        "table.ldap-entry",
        r"warning: dict_ldap_\w+(?:\[\d+\])?: DN (?P<entry>.*?) not found, skipping",
        "an LDAP entry names another one that does not exist",
        "{entry}: Postfix leaves it out and uses the rest of the answer.",
        "Take the name from the group, or from what special_result_attribute reads; ldapsearch -s base -b NAME shows that it is gone.",
        group="note",
    ),
    Rule(
        "table.accounts",
        r"warning: cannot access UNIX password database: (?P<why>.*)",
        "the system's accounts cannot be asked",
        "{why}. Until they can, Postfix puts off mail to local recipients (451 4.3.0).",
        "getent passwd NAME on the mail host; local_recipient_maps must name proxy:unix:passwd.byname, and proxymap must not be chrooted (master.cf) where nsswitch.conf needs sockets.",
    ),
    Rule(
        "table.ldap",
        r"warning: dict_ldap_\w+(?:\[\d+\])?: (?!DN .* not found, skipping)(?P<why>.*)",
        "an LDAP table cannot be asked",
        "{why}. Until it answers, Postfix puts off what needs it.",
        "postmap -q KEY ldap:FILE on the mail host; look at server_host, bind_dn, search_base and the TLS settings in that file.",
    ),
    Rule(
        "table.socketmap",
        r"socketmap server (?P<what>.+) error|TCP map (?:reply from )?(?P<tcp>\S+?)[:,]|warning: table (?:socketmap|tcp):(?P<name>\S+) lookup error|memcache server reply|database memcache:(?P<cache>.*)",
        "the service behind a table failed",
        "{what}{tcp}{name}{cache}",
        "Start the service that the table names; postmap -q KEY TYPE:NAME shows its answer.",
    ),
    Rule(
        "table.socketmap",
        r"warning: (?:problem talking to server|connect to) (?P<name>(?:/|inet:|unix:|[\w.-]+:\d)\S*): (?P<why>.+)",
        "the service behind a table failed",
        "{name}: {why}",
        "Start the service that the table names; postmap -q KEY TYPE:NAME shows its answer.",
        only=frozenset(("trivial-rewrite", "cleanup", "proxymap", "local", "virtual", "pipe", "verify")),
    ),
    Rule(
        "table.proxymap",
        r"request for unapproved table: \"(?P<table>[^\"]+)\"|to approve this table for|dict_proxy_\w+: service (?P<service>\S+): (?P<why>.*)|service is not configured for table \"(?P<name>[^\"]+)\"|(?:problem talking to|connect (?:#\d+ )?to) (?:server|subsystem) private/proxy(?:map|write)",
        "proxymap does not serve a table",
        "{table}{name}{service} {why}",
        "Add the parameter that names the table to proxy_read_maps (or proxy_write_maps), and see the proxymap line in master.cf.",
    ),
    Rule(
        "table.pattern-mistake",
        r"(?:pcre|regexp|cidr) (?:map|file) (?P<file>\S+), line (?P<line>\d+): (?P<why>.*)",
        "a table of patterns has a mistake",
        "{file} line {line}: {why}",
        "Correct that line; postmap -q KEY pcre:{file} tries it.",
    ),
    Rule(
        "table.line-mistake",
        r"warning: (?P<file>/\S+), line (?P<line>[\d-]+): (?P<why>(?:expected format|duplicate entry|record is in|non-UTF-8|unbalanced|overriding|logical line|#comment|.*ignoring this|.*skipping this).*)",
        "a table or settings file has a mistake",
        "{file} line {line}: {why}",
        "Correct that line; for an indexed table run postmap again.",
    ),
    Rule(
        "table.bad-result",
        r"(?P<what>\S+ (?:lookup of \S+ returns (?:an empty string|non-address result)|should return NO RESULT)|bad (?:FILTER|PREPEND|REPLACE|REDIRECT|BCC) [^:]*|unknown smtpd restriction: \S+|unsupported command in \S+ map|(?:missing|empty) \S+ command argument in \S+ map|\S+ action without text in \S+ map|ignoring null lookup result|multi-valued \S+ (?:entry|result)|unreasonable \S+ (?:map|result)|lookup result \"[^\"]*\" is not allowed|empty lookup result)(?P<rest>.*)",
        "a table answers with something that Postfix cannot use",
        "{what}{rest}",
        "postmap -q KEY on that table; compare with access(5), header_checks(5) or transport(5).",
    ),
    Rule(
        "table.rewrite",
        r"(?:problem talking to service|connect to subsystem|problem talking to server) (?:private/)?rewrite(?P<why>.*)|warning: (?:virtual_alias_domains|virtual_mailbox_domains|relay_domains|mydestination|transport_maps|relocated_maps|canonical_maps)\S* lookup failure",
        "trivial-rewrite cannot tell where an address belongs",
        "A table that it needs cannot be read, or the service itself died{why}.",
        "Look at trivial-rewrite's lines of the same seconds: they name the table.",
        weight=SIGN,
    ),
    Rule(
        "table.conversion",
        r"Non-Berkeley-DB migration|non-Berkeley-DB (?:mapped )?type|reindex",
        "tables of Berkeley DB are to be converted",
        "This Postfix has no hash: and btree: any more and maps them to lmdb or cdb (NON_BERKELEYDB_README).",
        "postfix non-bdb status; postmap the tables named, in the new type.",
    ),
    Rule(
        "table.lookup-problem",
        r"warning: \S+: (?P<map>\w+) map lookup problem|warning: (?P<table>.*?): (?:(?:table|map) lookup problem|lookup of '[^']*' failed)|(?P<what>(?<!\S)(?!Temporary)\S+ lookup (?:error|failure)(?: for)?.*)|lookup error for|(?:table|map) lookup (?:error|problem)",
        "a table could not be read",
        "{map}{table}{what}: Postfix puts off what needs it (451 4.3.0, from a restriction 451 4.3.5).",
        "postmap -q KEY on that table, as root; the cause stands in the lines of the same seconds.",
        weight=SIGN,
    ),
    Rule(
        "table.temporary",
        r"4\d\d 4\.3\.0 .*(?:Temporary lookup failure|Server local (?:data )?error|[Tt]emporary lookup)|(?:Temporary lookup (?:error|failure))|^421 4\.3\.0 ",
        "a table could not be read, and the session does not say which",
        "Postfix could not look something up and puts the mail off with 451 4.3.0.",
        'Look for "table lookup problem", mysql, ldap or proxymap in the whole log near this second; or try postmap -q KEY on the tables of the restriction that decided.',
        "unknown",
        weight=FAILURE,
    ),
)
