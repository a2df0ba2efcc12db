"""TLS handshakes that failed, and TLS that was wanted and not there."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.rule import Rule

RULES = (
    Rule(
        "tls.no-shared-cipher",
        r"no shared cipher",
        "no cipher in common",
        "The client's ciphers and ours do not overlap; with TLS 1.2 a client that accepts only ECDSA fails against an RSA certificate in the same way.",
        "Compare the client's list (smtpd_tls_loglevel = 2) with smtpd_tls_ciphers, smtpd_tls_exclude_ciphers and the certificate's key type.",
    ),
    Rule(
        "tls.version",
        r"unsupported protocol|alert protocol version|fatal:protocol version|wrong ssl version|version too low|no protocols available",
        "no TLS version in common",
        "One side offers only TLS versions that the other does not take (TLS 1.0 and 1.1 are off in current OpenSSL).",
        "Update the older side, or look at smtpd_tls_protocols / smtp_tls_protocols and OpenSSL's MinProtocol.",
    ),
    Rule(
        "tls.unknown-ca",
        r"alert unknown ca|read:fatal:unknown CA",
        "the other side does not trust our certificate",
        "The peer sent the alert unknown_ca: the issuer of our certificate is not among its trusted ones, or the chain is incomplete.",
        "See that smtpd_tls_chain_files (or smtpd_tls_cert_file) has the intermediate certificates, leaf first.",
    ),
    Rule(
        "tls.certificate-expired",
        r"alert certificate expired|certificate has expired|fatal:certificate expired",
        "a certificate has expired",
        "The alert comes from the side that looked at the certificate; a wrong clock there has the same effect.",
        "openssl x509 -enddate -noout -in CERTIFICATE on the server; after renewing, postfix reload.",
    ),
    Rule(
        "tls.bad-certificate",
        r"alert bad certificate|read:fatal:bad certificate",
        "the other side refused our certificate",
        "The peer sent bad_certificate: most often the name that it expects is not in the certificate.",
        "Compare the name the client is configured with and the certificate's subjectAltName.",
        certainty="likely",
    ),
    Rule(
        "tls.plaintext",
        r"wrong version number|:http request|unknown protocol|packet length too long",
        "plain text arrived where TLS was expected",
        "The first bytes are not TLS: plain SMTP on a port with TLS from the start, a server that answers STARTTLS and does not mean it, or a middlebox between.",
        "Inbound: STARTTLS on 587 or 25, TLS from the start on 465 only. Outbound: openssl s_client -starttls smtp from here.",
    ),
    Rule(
        "tls.to-plain-port",
        r"(?:improper command pipelining|non-SMTP command) after CONNECT from \S+: \\026\\003|after CONNECT from \S+: \?\?\?",
        "TLS arrived where plain SMTP was expected",
        "The client began with a TLS hello on a port that starts in clear text (smtpd_tls_wrappermode = no).",
        "Set the client to STARTTLS here, or to port 465.",
    ),
    Rule(
        "tls.hung-up",
        r"SSL_(?:accept|connect) error (?:from|to) (?P<peer>\S+?): (?:lost connection|Connection reset by peer|Broken pipe|0\b)|lost connection with \S+ while performing (?:the )?TLS",
        "the peer hung up in the middle of the TLS handshake",
        "{peer} closed the connection without a TLS alert: it did not like what it saw and does not say what, or a firewall cut in.",
        "Look at the peer's own log; try openssl s_client -starttls smtp from the same network.",
        certainty="likely",
    ),
    Rule(
        "tls.timeout",
        r"SSL_(?:accept|connect) error (?:from|to) (?P<peer>\S+?): Connection timed out",
        "the TLS handshake timed out",
        "{peer} stopped sending in the middle of the handshake (path MTU trouble looks like this too).",
        "Look at the path: MTU, firewalls with TLS inspection, load on the peer.",
        certainty="likely",
    ),
    Rule(
        "tls.required",
        r"^530 5\.7\.0 Must issue a STARTTLS command first",
        "the client did not start TLS, and this service requires it",
        "smtpd_tls_security_level = encrypt is set for this service.",
        "Set the client to use STARTTLS.",
    ),
    Rule(
        "tls.not-offered",
        r"TLS is required, but (?:was not offered by host (?P<peer>\S+?)|our TLS engine is unavailable|host \S+ refused to start TLS)(?:\)|:|$)",
        "TLS is required for this destination and was not available",
        "Our policy (smtp_tls_security_level, smtp_tls_policy_maps, DANE or MTA-STS) demands TLS; {peer} has no STARTTLS in its reply.",
        "posttls-finger DESTINATION shows what the server offers; a middlebox that removes STARTTLS looks the same.",
    ),
    Rule(
        "tls.name-mismatch",
        r"(?:server )?certificate verification failed for (?P<peer>\S+?): (?:num=62:)?[hH]ost ?name mismatch",
        "the server's certificate has another name",
        "None of the names that our policy accepts is in the certificate of {peer}.",
        "openssl s_client -starttls smtp shows its names; set match= in smtp_tls_policy_maps, or smtp_tls_secure_cert_match.",
    ),
    Rule(
        "tls.untrusted",
        r"certificate verification failed for (?P<peer>\S+?): (?:num=\d+:)?(?P<reason>self[- ]signed.*|untrusted issuer.*|unable to get.*)",
        "the server's certificate is not trusted",
        "{peer}: {reason}.",
        "Set smtp_tls_CAfile or smtp_tls_CApath to the issuer, or use level may/encrypt/dane for this destination.",
    ),
    Rule(
        # smtp/smtp_proto.c says "not trusted" of an untrusted chain, so here only the name is left.
        "tls.name-mismatch",
        r"Server certificate not verified",
        "the server's certificate has another name",
        "Its chain is trusted; before Postfix 3.6 the log does not say which names it has.",
        "openssl s_client -starttls smtp shows its names; set match= in smtp_tls_policy_maps, or smtp_tls_secure_cert_match.",
        certainty="likely",
        fallback=True,
    ),
    Rule(
        "tls.failed",
        r"SSL_(?:accept|connect) error|Cannot start TLS|TLS library problem|Server certificate not (?:verified|trusted)",
        "the TLS handshake failed",
        "The log has no cause that is known here.",
        "Take the session again with smtpd_tls_loglevel (or smtp_tls_loglevel) 2, and read the lines around the failure.",
        certainty="unknown",
        fallback=True,
    ),
)
