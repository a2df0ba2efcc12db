"""Delivery on this host: local, virtual, pipe, error, bounce."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.rule import SIGN, Rule

#: Who delivers into mailboxes, and who repeats what these said. Other processes name other files.
_DELIVER = frozenset(("local", "virtual", "pipe", "error", "retry", "qmgr"))

RULES = (
    Rule(
        "local.unknown-user",
        r"status=[\w-]+ \((?:unknown user: \"?(?P<user>[^\")]*)|(?P<said>user unknown)\)|(?P<table>User unknown in [\w ]+ table)|(?P<relocated>[^)]*has moved to [^)]*))",
        "the recipient does not exist on this host",
        "This host has no such mailbox ({user}{table}{said}{relocated}).",
        "postmap -q ADDRESS on alias_maps, virtual_alias_maps, virtual_mailbox_maps; getent passwd NAME for local(8).",
        group="delivery",
    ),
    Rule(
        "local.command-failed",
        r"[Cc]ommand died with (?P<how>status|signal) (?P<code>\d+): \"(?P<command>.*?)\"(?:\. Command output: (?P<output>.*?)\s*\)|(?=\)|[^\"]*$))",
        "a delivery command failed ({how} {code})",
        "{command}: {output}. Status 75 puts off, others return the mail (sysexits.h); 126 and 127 mean that it could not be run.",
        "Run it by hand as the user that pipe(8) or local(8) uses (user= in master.cf, default_privs).",
        group="delivery",
    ),
    Rule(
        "local.command-slow",
        r"[Cc]ommand time limit exceeded: \"(?P<command>[^\"]*)\"|(?:child wait|read|write) time limit exceeded",
        "a delivery command took too long",
        "{command} was ended after command_time_limit (or TRANSPORT_time_limit).",
        "Find out what it waits for; raise the limit only then.",
        group="delivery",
    ),
    Rule(
        "local.command-said",
        r"status=\w+ \((?P<how>[\w' /]{4,40})\. Command output: (?P<output>.*?)\s*\)?$|status=\w+ \((?P<alone>temporary failure|command line usage error|data format error|cannot open input|host name unknown|service unavailable|internal software error|system resource problem|critical OS file missing|can't create user output file|input/output error|remote error in protocol|permission denied|local configuration error)\)",
        "a delivery command did not take the message ({how}{alone})",
        "Its exit status means: {how}{alone}. {output}",
        "Run the command of the pipe(8) line in master.cf by hand as its user; its own log says more.",
        group="delivery",
        weight=SIGN,
    ),
    Rule(
        "local.permission",
        r"(?P<what>(?:cannot|can't) (?:update|open|create|append|lock|access|chdir|find)[^)]*(?:Permission denied|Operation not permitted|Read-only file system)[^)]*|create maildir file [^)]*|maildir access problem for UID/GID=[^)]*|destination \S+ is not owned by recipient|mailbox \S+: [^)]*Permission denied)",
        "the mailbox cannot be written",
        "{what}",
        "ls -ld of the path and its parents; compare virtual_uid_maps, virtual_gid_maps, virtual_mailbox_base, mail_spool_directory; on SELinux ausearch -m avc.",
        group="delivery",
        only=_DELIVER,
    ),
    Rule(
        "local.restricted",
        r"(?P<what>mail to (?:file|command) is restricted|file is executable|bad recipient address syntax[^)]*|null username in[^)]*)",
        "local(8) does not deliver to this kind of recipient",
        "{what}",
        "See allow_mail_to_files and allow_mail_to_commands, and the alias or .forward entry.",
        group="delivery",
    ),
    Rule(
        "local.home",
        r"(?P<what>cannot access home directory [^:)]*|address resolver failure)(?P<why>[^)]*)",
        "local(8) could not look the recipient up",
        "{what}{why}",
        "ls -ld of the home directory (automounter?), and the lines of trivial-rewrite.",
        group="delivery",
    ),
    Rule(
        "local.lock",
        r"(?:unable to lock for exclusive access|cannot (?:get|create) lock|file lock|dotlock)",
        "the mailbox is locked by another program",
        "Delivery is tried again.",
        "See mailbox_delivery_lock, and what else writes that mailbox.",
        group="delivery",
    ),
    Rule(
        "local.too-large",
        r"status=\w+ \([^)]*(?:File too large|message size \d+ exceeds|mailbox_size_limit)",
        "the message does not fit into mailbox_size_limit",
        "mailbox_size_limit or virtual_mailbox_limit is smaller than the mailbox with this message.",
        "postconf mailbox_size_limit virtual_mailbox_limit message_size_limit: 0 means no limit.",
        group="delivery",
    ),
    Rule(
        "local.loop",
        r"mail forwarding loop for (?P<who>\S+?)\)|alias database loop|(?:recipient|:include:) nesting limit exceeded",
        "the message would be delivered to itself again",
        "{who}: what delivers it leads back to the same recipient; its Delivered-To: header has the address already, or an alias names itself.",
        "Look for a circle in alias_maps, virtual_alias_maps and .forward files.",
        group="delivery",
    ),
    Rule(
        "local.alias",
        r"(?P<what>alias database unavailable|cannot find alias database owner|unable to forward message|error reading forwarding file|required alias not found: .*|mailing list \"[^\"]*\" needs an \"owner-[^\"]*\" alias|no recipient in alias lookup result .*)",
        "the alias database has a gap",
        "{what}",
        "Complete /etc/aliases and run newaliases.",
        group="delivery",
    ),
    Rule(
        "local.forward-file",
        r"warning: (?P<what>(?:(?:file|:include: file) \S+ (?:has bad owner|is (?:not a regular|world writable))|:include:\S+ uses a relative|cannot open (?:file|include file) \S+: ).*)",
        "a .forward or :include: file is not used",
        "{what}",
        "It must be a regular file, owned by its user, not writable by others.",
        group="delivery",
    ),
    Rule(
        "local.no-account",
        r"warning: recipient (?P<who>\S+): (?P<what>not found in \S+|bad [ug]id \S+ in \S+|uid not found|destination .* is not a regular file)",
        "virtual(8) has no owner or place for the mailbox",
        "{who}: {what}",
        "postmap -q ADDRESS on virtual_uid_maps, virtual_gid_maps and virtual_mailbox_maps.",
        group="delivery",
    ),
    Rule(
        "local.account-lookup",
        r"warning: (?:error looking up passwd info for (?P<who>\S+): (?P<why>.*)|unknown home directory for: (?P<home>.*)|cannot find (?:username for uid|:include: file owner) ?(?P<uid>.*))",
        "the system's accounts cannot be asked",
        "{who}{home}{uid}: {why}. With LDAP, NIS or sssd behind nsswitch.conf it may be these that do not answer.",
        "getent passwd NAME on the mail host; look at sssd or nslcd.",
        group="delivery",
    ),
    Rule(
        "bounce.undeliverable",
        r"undeliverable postmaster notification discarded|(?:sender|postmaster) (?:notification|notice) failed",
        "a bounce could not be sent",
        "The sender is not told that the mail was lost.",
        "Look for the bounce's own queue id; the sender's address may not exist.",
    ),
    Rule(
        "local.own-settings",
        r"(?P<what>bad parameter value syntax|unknown macro name|flag `\w' requires \S+_destination_recipient_limit = 1)(?P<rest>.*)",
        "a setting of pipe(8) or local(8) is wrong",
        "{what}{rest}",
        "Compare the line in master.cf with pipe(8); flags D and O need TRANSPORT_destination_recipient_limit = 1.",
        group="delivery",
        weight=SIGN,
    ),
)
