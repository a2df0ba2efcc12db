"""Why a process of Postfix does not come up or does not go on: one setting, one file, one socket, named in its last words."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.rule import Rule

RULES = (
    Rule(
        "config.table-file",
        r"fatal: (?P<file>/\S+): bad string length \d+ < \d+: (?P<name>\w+) =",
        "the settings file of a table lacks a value",
        "{file} has no value for {name}, and each process that opens this table dies.",
        "Write {name} = ... into {file} (mysql_table(5), pgsql_table(5), ldap_table(5)), readable for Postfix; postmap -q KEY TYPE:{file} tries it.",
        each=True,
    ),
    Rule(
        "config.yes-or-no",
        r"fatal: bad boolean configuration: (?P<name>\S+) = (?P<value>.*)",
        "a setting wants yes or no and has another value",
        'The value of {name} is "{value}". Every process that reads it dies until it is corrected.',
        "postconf -e '{name} = yes' or '{name} = no', then postfix reload; a line that lost its line break looks like this.",
    ),
    Rule(
        "config.relay-door",
        r"fatal: (?:in )?parameter \"?(?P<name>smtpd_\w+)\"?[^,:]*[,:] specify at least one working instance of",
        "smtpd starts only with a rule that keeps it from being an open relay",
        "Neither smtpd_relay_restrictions nor smtpd_recipient_restrictions has a rule that refuses mail for domains of others, so smtpd takes no client.",
        "postconf -e 'smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination', then postfix reload.",
    ),
    Rule(
        "config.restriction-class",
        r"fatal: restriction class `(?P<name>[^']+)' needs a definition",
        "a restriction class is listed and never defined",
        "smtpd_restriction_classes names {name}, and main.cf has no parameter of that name.",
        "Define it in main.cf ({name} = check_client_access ...), or take it out of smtpd_restriction_classes.",
    ),
    Rule(
        "config.interface",
        r"fatal: parameter (?P<name>\w+): no local interface found for (?P<address>\S+)",
        "{name} names an address that this host does not have",
        "No interface of this host has {address}. Where it is ::1, IPv6 is off and localhost still has an IPv6 address in /etc/hosts.",
        "ip address shows what the host has; for ::1 postconf -e 'inet_protocols = ipv4', or take ::1 localhost out of /etc/hosts; else correct {name}. Then postfix start.",
    ),
    Rule(
        "config.service-name",
        r"fatal: (?P<where>\S*):(?P<service>[\w-]+): Servname not supported",
        "master.cf names a service that this system does not know",
        "{service} is in no line of /etc/services, so master cannot tell the port.",
        "getent services {service}; write the number instead of the name in master.cf (smtp 25, submission 587, smtps and submissions 465), or add the line to /etc/services.",
    ),
    Rule(
        "config.next-hop",
        r"fatal: (?P<why>[^:]*) in server description: (?P<what>.*)",
        "a next hop is no name of a host",
        'relayhost, transport_maps or another next hop has "{what}": {why}. Its mail waits in the queue until it is corrected.',
        "postconf relayhost default_transport relay_transport transport_maps; an empty relayhost has nothing behind the =.",
    ),
    Rule(
        "process.socket-file",
        r"fatal: f?chmod socket (?P<file>\S+): (?P<why>.*)",
        "Postfix cannot make its sockets",
        "{file}: {why}. The file system of queue_directory takes no Unix sockets, or no change of their mode: a folder of a Windows or macOS host, CIFS or NFS do that.",
        "findmnt -T queue_directory; put the queue onto a local file system or a named volume of the container engine.",
    ),
    Rule(
        "process.folder-missing",
        r"fatal: open lock file (?P<file>\S+?): [^:]*: No such file or directory",
        "a folder of Postfix is missing",
        "{file} could not be made, because the folder that it belongs into does not exist (below queue_directory or data_directory).",
        "postfix check makes the folders of the queue; mkdir and chown those of data_directory (postconf data_directory mail_owner), then postfix start.",
    ),
    Rule(
        "process.log-file",
        r"fatal: open logfile '(?P<file>[^']*)': (?P<why>.*)",
        "Postfix cannot write to its own log file",
        "{file}: {why}. maillog_file names it, and postlogd(8) ends.",
        "postconf maillog_file maillog_file_prefixes; /dev/stdout works only with postfix start-fg, and needs a container that lets the user postfix write there (run it without tty: true, or with a pipe).",
    ),
    Rule(
        "process.watchdog",
        r"fatal: watchdog timeout",
        "a process waited too long for one thing and ended itself",
        "It was stuck for hours (daemon_timeout) or, as a trigger service, for its own limit: a database, DNS, a file system or another service of Postfix did not answer.",
        "Look at what the lines before it wait for, and at the throttling lines of other services; a slow NFS or database shows in ps as state D.",
    ),
    Rule(
        "process.wakeup",
        r"warning: master_wakeup_timer_event: service (?P<name>\S+)\((?P<socket>\S+)\): (?P<why>(?!Permission denied|Operation not permitted|Read-only file system).*)",
        "master cannot reach one of its own services",
        "{socket}: {why}. {name} is not woken, so mail that waits for it lies there.",
        "postfix stop; postfix check; postfix start makes the sockets anew; ls -l of public/ in queue_directory, which must be a local file system and belong to one Postfix only.",
        each=True,
    ),
    Rule(
        "process.queue-shared",
        r"fatal: (?:cannot get )?(?:shared|exclusive) lock (?:on )?(?P<file>\S+?): (?P<why>.*)",
        "a queue file cannot be locked",
        "{file}: {why}. Two Postfix use this queue, or its file system knows no locks (NFS, cluster file systems).",
        "See that one Postfix or container only has this queue_directory (docker service scale, a second instance), on a local disk.",
    ),
    Rule(
        "process.queue-date",
        r"warning: \w+: message (?:\S+ )?has been queued for (?P<days>\d+) days",
        "a message is dated {days} days back",
        "Its file in maildrop is older than maximal_queue_lifetime: the clock was wrong when it came or is wrong now, or Postfix did not run for so long.",
        "timedatectl; mailq. Old mail that nothing is to come of goes with postsuper -d QUEUE_ID.",
        group="note",
    ),
    Rule(
        "tls.random-reopened",
        r"exiting to reopen external entropy source (?P<source>.*)",
        "tlsmgr could not open its source of randomness at its start",
        "{source}: tlsmgr(8) ends and begins anew to try again; as long as the line comes back, TLS has no seed from there.",
        "postconf tls_random_source: it is dev:/dev/urandom without a slash before dev:, and the device must be there (also in the chroot of tlsmgr).",
        group="note",
    ),
)
