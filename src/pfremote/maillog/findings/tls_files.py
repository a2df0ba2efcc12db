"""TLS that cannot work because of our own files and settings."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.rule import SIGN, Rule

RULES = (
    Rule(
        "tls.own-key-mismatch",
        r"private key in (?P<key>\S+) does not match public key in (?P<cert>\S+)|key at index \d+ in (?P<file>\S+) does not match|key values mismatch",
        "our certificate and private key do not belong together",
        "Postfix has no TLS until they do: {key} {cert} {file}",
        "Compare openssl x509 -noout -pubkey -in CERTIFICATE with openssl pkey -pubout -in KEY; after correcting, postfix reload.",
    ),
    Rule(
        "tls.own-key",
        r"cannot get \S+ private key from file \"?(?P<file>[^\":]+)|No private key found in (?P<other>\S+)|error loading private key \(PEM[^)]*\) from (?P<third>[^\s:]+)",
        "our private key cannot be read",
        "{file}{other}{third}: without it Postfix has no TLS.",
        "See that the file named in smtpd_tls_key_file (or smtpd_tls_chain_files) exists, is PEM, has no passphrase, and can be read by root.",
        yields=("tls.own-key-mismatch",),
    ),
    Rule(
        "tls.own-chain-order",
        r"error loading (?:certificate )?chain(?: from)?:? ?(?P<why>.*(?:key not first|not followed by a certificate|does not match).*)|No certs for key at index|ignoring 2nd key at index",
        "our chain file is in the wrong order",
        "{why}",
        "smtpd_tls_chain_files wants, for each key: private key, its certificate, then the intermediates.",
    ),
    Rule(
        "tls.own-certificate",
        r"cannot get \S+ certificate from file \"?(?P<file>[^\":]+)|error loading certificate \(PEM[^)]*\) from (?P<other>[^\s:]+)|error opening chain file: (?P<third>.+)|No PEM data in (?P<fourth>\S+)|(?P<none>No server certs available)",
        "our own certificate cannot be read",
        "{file}{other}{third}{fourth}{none}: without it smtpd answers STARTTLS with 454, or does not offer it.",
        "See that the file named in smtpd_tls_cert_file (or smtpd_tls_chain_files) exists and is PEM: openssl x509 -noout -subject -in FILE; then postfix reload.",
    ),
    Rule(
        "tls.own-pem",
        r"TLS library problem: .*?(?:PEM routines:\w*:(?P<why>[^:]+)|:PEM lib\b|SSL_CTX_use_\w+_file:)|cannot load (?:\S+ )?certificate and key data",
        "a certificate or key file of ours is damaged or cannot be used",
        "The TLS library could not read what a smtpd_tls or smtp_tls setting names: {why}. TLS is off or lacks these certificates in this process.",
        "postconf -n | grep -E 'tls_(cert|key|chain|CA|dcert|eccert)'; openssl x509 -noout -subject -in FILE and openssl pkey -noout -in KEY show which is not whole: lines missing, pasted together, or of another format.",
        weight=SIGN,
        yields=("tls.own-key", "tls.own-certificate", "tls.own-ca", "tls.own-chain-order", "tls.own-file"),
    ),
    Rule(
        "tls.own-ca",
        r"cannot load Certificat(?:ion|e) Authority data|error (?:loading|opening) trust.anchor|error opening trust anchor file: (?P<file>\S+)|error configuring local trust anchors",
        "our file of trusted issuers cannot be read",
        "CAfile or CApath is missing or not PEM. {file}",
        "See smtpd_tls_CAfile, smtp_tls_CAfile, smtp_tls_CApath and tls_append_default_CA; a chroot needs CAfile rather than CApath.",
        weight=SIGN,
    ),
    Rule(
        "tls.own-dh",
        r"cannot load (?:\d+-bit )?DH parameters from file (?P<file>[^\s:]+)",
        "the file of DH parameters cannot be read",
        "{file}: Postfix goes on with its built-in parameters.",
        "Leave smtpd_tls_dh1024_param_file empty; the built-in parameters are good.",
    ),
    Rule(
        "tls.own-protocols",
        r"(?P<what>Invalid TLS (?:protocol list|level|eecdh grade) \"[^\"]*\"|unsupported TLS level \"[^\"]*\"|invalid \S+ cipher \S+|unknown TLS policy '[^']*'|unknown smtpd?_tls_\w+ (?:value|keyword)?.*)",
        "a TLS setting has a value that Postfix does not understand",
        "{what}",
        "postconf -n | grep tls; compare with postconf(5) of this version.",
    ),
    Rule(
        "tls.own-policy",
        r"warning: (?P<what>[^:]*(?:\[[^\]]*\]:\d+[^:]*)?: (?:invalid (?:security level|empty policy|attribute name)|attribute \"[^\"]*\" (?:has|is|invalid)|malformed attribute|ignoring attribute|\S+ \"[^\"]*\": per-site table).*|nexthop domain \S+: configured at fingerprint.*)",
        "an entry of smtp_tls_policy_maps cannot be used",
        "{what}",
        'postmap -q DOMAIN on the table in smtp_tls_policy_maps; compare with TLS_README, "Client TLS security levels".',
    ),
    Rule(
        "tls.own-policy-unread",
        r"warning: (?P<what>[^:]*(?:\[[^\]]*\]:\d+[^:]*)?: policy table lookup error|TLS policy lookup (?:for|error).*)|(?P<status>client TLS configuration problem)",
        "the TLS policy for a destination could not be found out",
        "{what}{status}. The mail waits, because the policy may ask for more than it would get.",
        "The lines just before name the table or the entry; postmap -q DOMAIN on the table in smtp_tls_policy_maps; where it is a service (MTA-STS, DANE), see that it runs.",
        weight=SIGN,
    ),
    Rule(
        "tls.own-not-compiled",
        r"TLS (?:has been|is) selected, but TLS support is not compiled in|TLSRPT is selected, but|no DANE support",
        "this Postfix is built without that TLS feature",
        "The setting has no effect.",
        "Install the distribution's full package, or take the setting out.",
    ),
    Rule(
        "tls.own-random",
        r"cannot (?:open|read from) (?:entropy|EGD) (?:device|server|file) (?P<source>.*): (?P<why>.*)|bad external entropy (?:source|type):? ?(?P<bad>.*)",
        "tlsmgr cannot read its source of randomness",
        "{source}{bad}: {why}. tlsmgr(8) ends and begins anew, and TLS is late or fails meanwhile.",
        "postconf tls_random_source: dev:/dev/urandom, without anything behind it; a chroot of tlsmgr needs the device inside.",
    ),
    Rule(
        "tls.own-random",
        r"no entropy for TLS key generation|(?:problem talking to|connect to) (?:server|service|subsystem) private/tlsmgr|encryption keys etc\. may be predictable",
        "tlsmgr does not answer, so TLS has no random seed",
        "Without tlsmgr(8) there is no TLS.",
        "See that master.cf has the tlsmgr line, and that tls_random_source exists.",
    ),
    Rule(
        "tls.own-file",
        r"TLS library problem: .*(?:system library:(?:\w*:)?(?:fopen)?:?)(?P<why>No such file or directory|Permission denied).*?(?:\(?(?:calling )?fopen\('?(?P<file>[^,']+))?",
        "the TLS library cannot open one of our files",
        "{why}: {file}",
        "Look at the file named: path, owner, mode; Postfix opens certificates as root before it drops privileges.",
        weight=SIGN,
    ),
    Rule(
        "tls.own-unavailable",
        r"^454 4\.7\.0 TLS not available due to local problem|Wrapper-mode request dropped from|Refusing (?:TLS service|STARTTLS) request|our TLS engine is unavailable|TLS (?:client )?initialization failed|cannot allocate (?:client|server) SSL_CTX|disabling TLS support",
        "our own TLS is not available",
        "Postfix could not set TLS up when this process began; the line that says why stands at the process's start.",
        'Look further up in the log of this process for "disabling TLS support", or restart it with postfix reload and look again.',
        weight=SIGN,
    ),
    Rule(
        "tls.wrappermode-needed",
        r"SMTPS wrappermode \(TCP port 465\) requires setting",
        "port 465 wants TLS from the start, and we begin in clear text",
        "Postfix says so itself: smtp_tls_wrappermode is off for a server at port 465, so both sides wait until one gives up.",
        "Set smtp_tls_wrappermode = yes and smtp_tls_security_level = encrypt for this destination (a transport of its own in master.cf), or use port 587.",
        side="out",
    ),
    Rule(
        "tls.wrappermode-needed",
        r"relay=\S+:465, .*while receiving the initial server greeting",
        "port 465 wants TLS from the start, and we seem to begin in clear text",
        "No greeting came at port 465: so it looks when smtp_tls_wrappermode is off for such a server.",
        "Set smtp_tls_wrappermode = yes and smtp_tls_security_level = encrypt for this destination, or use port 587.",
        "likely",
        side="out",
    ),
)
