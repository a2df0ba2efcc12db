"""TLS of a server that we deliver to: verification, DANE, policy."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.rule import FAILURE, QUOTED, SIGN, Rule

_VERIFY = r"certificate verification failed for (?P<peer>\S+?): (?:num=\d+:)?"
_DEPTHS = "openssl s_client -starttls smtp -showcerts -connect HOST:25 shows its chain."

RULES = (
    Rule(
        "tls.dane-mismatch",
        _VERIFY + r"no matching DANE TLSA records|num=65\b",
        "no TLSA record matches the server's certificate",
        "DNS (with DNSSEC) publishes other keys than the server shows: it was renewed without its TLSA record, or another host stands between.",
        "posttls-finger -l dane -c DOMAIN; tell the other side's postmaster. Meanwhile a less strict level in smtp_tls_policy_maps delivers, unprotected.",
        side="out",
    ),
    Rule(
        "tls.dane-unusable",
        r"all TLSA records unusable|TLSA records unusable|(?:malformed|unsupported|truncated) .*TLSA",
        "the server's TLSA records cannot be used",
        "They have a form, usage or digest that Postfix does not take.",
        "dig TLSA _25._tcp.HOST; usages 2 and 3 with digest 1 or 2 are usable (RFC 7672).",
        side="out",
    ),
    Rule(
        "tls.dane-lookup",
        r"TLSA lookup error for (?P<what>[^\s()]+)|DANE TLSA lookup problem(?:.* name=_\d+\._tcp\.(?P<name>\S+))?|DNSSEC status lookup error for (?P<host>\S+)",
        "the TLSA records could not be looked up",
        "The resolver did not give them ({what}{name}{host}); with DANE the mail waits rather than goes unprotected.",
        "dig +dnssec TLSA _25._tcp.HOST on the mail host; look at its resolver.",
        side="out",
    ),
    Rule(
        "tls.dane-insecure",
        r"non DNSSEC destination|no TLSA records found|non-DNSSEC (?:MX|destination)",
        "dane-only was asked for, and the destination has no secure TLSA records",
        "The domain is not signed with DNSSEC, or publishes no TLSA record.",
        "Use level dane or encrypt for this destination in smtp_tls_policy_maps.",
        side="out",
    ),
    Rule(
        "tls.certificate-expired",
        r"certificate has expired|num=10\b",
        "the server's certificate has expired",
        "Our side looked at it; a wrong clock here has the same effect.",
        "openssl s_client -starttls smtp shows its dates; tell the other side's postmaster.",
        side="out",
    ),
    Rule(
        "tls.not-yet-valid",
        r"certificate is not yet valid|num=9\b",
        "the server's certificate is not valid yet",
        "Its first day lies ahead; a clock here that is behind has the same effect.",
        "timedatectl here; openssl s_client -starttls smtp shows its dates.",
    ),
    Rule(
        "tls.certificate-revoked",
        r"num=23\b|certificate revoked$",
        "the server's certificate is revoked",
        "Its issuer has taken it back.",
        "Tell the other side's postmaster.",
        side="out",
    ),
    Rule(
        "tls.weak-key",
        r"num=6[678]\b",
        "the server's certificate or its chain is too weak",
        "Our TLS library's security level refuses its key or digest.",
        _DEPTHS,
        side="out",
    ),
    Rule(
        "tls.name-mismatch",
        _VERIFY + r"[hH]ost ?name mismatch|num=62\b",
        "the server's certificate has another name",
        "None of the names that our policy accepts is in the certificate of {peer}.",
        "openssl s_client -starttls smtp shows its names; set match= in smtp_tls_policy_maps, or smtp_tls_secure_cert_match.",
        side="out",
    ),
    Rule(
        "tls.untrusted",
        _VERIFY
        + r"(?P<reason>self[- ]signed.*|untrusted issuer.*|unable to get.*|not trusted by local or TLSA policy.*|not designated for use.*|invalid CA.*|certificate chain too long.*|path length.*|unsupported certificate purpose.*|certificate (?:rejected|not trusted).*)",
        "the server's certificate is not trusted",
        "{peer}: {reason}.",
        "Set smtp_tls_CAfile or smtp_tls_CApath to the issuer, or use level may/encrypt/dane for this destination.",
        side="out",
    ),
    Rule(
        "tls.verification",
        _VERIFY + r"(?P<reason>.+)",
        "the server's certificate was not accepted",
        "{peer}: {reason}.",
        _DEPTHS,
        side="out",
        weight=SIGN,
    ),
    Rule(
        "tls.requiretls",
        r"(?:Sender requested REQUIRETLS, but|Sender requires verified TLS, +but|REQUIRETLS policy configuration error) ?(?P<why>[^)]*)",
        "the sender asked for REQUIRETLS, and this way cannot give it",
        "{why}",
        "See requiretls_enable and smtp_tls_security_level; without REQUIRETLS in MAIL FROM the message would go.",
    ),
    Rule(
        "tls.sts-mismatch",
        r"MX name '(?P<mx>[^']*)' does not match STS MX pattern for '(?P<domain>[^']*)'",
        "an MX is not in the domain's MTA-STS policy",
        "{domain} publishes a policy that does not name {mx}, so it is not used.",
        "Fetch https://mta-sts.{domain}/.well-known/mta-sts.txt and compare with dig MX {domain}.",
        side="out",
    ),
    Rule(
        "tls.refused-by-server",
        r"host (?P<peer>\S+) refused to start TLS: (?P<reply>" + QUOTED + ")",
        "the server offers STARTTLS and refuses it",
        "{peer} answered: {reply}",
        "posttls-finger DESTINATION; its own certificate may be missing. Tell the other side's postmaster.",
        side="out",
    ),
    Rule(
        "tls.not-offered",
        r"TLS is required, but (?:was not offered by host (?P<peer>\S+?)|unavailable)(?:\)|:|$)",
        "TLS is required for this destination and was not available",
        "Our policy (smtp_tls_security_level, smtp_tls_policy_maps, DANE or MTA-STS) demands TLS; {peer} has no STARTTLS in its reply.",
        "posttls-finger DESTINATION shows what the server offers; a middlebox that removes STARTTLS looks the same.",
        side="out",
    ),
    Rule(
        "tls.required",
        r"^530 5\.7\.0 Must issue a STARTTLS command first",
        "the client did not start TLS, and this service requires it",
        "smtpd_tls_security_level = encrypt is set for this service.",
        "Set the client to use STARTTLS.",
        side="in",
        unless=r"TLS connection established|^220 2\.0\.0 Ready to start TLS",
    ),
    Rule(
        # smtp/smtp_proto.c says "not trusted" of an untrusted chain, so here only the name is left.
        "tls.name-mismatch",
        r"Server certificate not verified",
        "the server's certificate has another name",
        "Its chain is trusted, and before Postfix 3.6 the log does not say which names it has; at level fingerprint it is another certificate than the one that was agreed on.",
        "openssl s_client -starttls smtp shows its names; set match= in smtp_tls_policy_maps, or smtp_tls_secure_cert_match.",
        "likely",
        side="out",
        weight=SIGN,
        unless=r"^(?:Untrusted|Anonymous) TLS connection|TLSA|[Ff]ingerprint",
    ),
    Rule(
        "tls.not-verified",
        r"Server certificate not (?:verified|trusted)",
        "the server's certificate did not pass our policy",
        "The log does not say whether issuer, name, fingerprint or TLSA record was wrong.",
        "Take the session again with smtp_tls_loglevel 2; posttls-finger DESTINATION shows the certificate.",
        "unknown",
        side="out",
        weight=FAILURE,
    ),
)
