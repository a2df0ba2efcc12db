"""What the TLS library says of a handshake that failed; exit codes last."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.rule import FAILURE, SIGN, Rule

_LOGLEVEL = (
    "Take the session again with smtpd_tls_loglevel (or smtp_tls_loglevel) 2, and read the lines around the failure."
)

#: The lines that have the library's words (tls_misc.c, tls_server.c, tls_client.c); elsewhere they may mean anything.
_LIBRARY = r"TLS library problem: |SSL_(?:accept|connect)[ :]|SSL3 alert |certificate verification failed for "

RULES = (
    Rule(
        "tls.no-shared-cipher",
        r"no shared cipher|no cipher match|no ciphers (?:available|specified)",
        "no cipher in common",
        "The client's ciphers and ours do not overlap; with TLS 1.2 a client that accepts only ECDSA fails against an RSA certificate in the same way.",
        "Compare the client's list (smtpd_tls_loglevel = 2) with smtpd_tls_ciphers, smtpd_tls_exclude_ciphers and the certificate's key type.",
        needs=_LIBRARY,
    ),
    Rule(
        "tls.no-protocols",
        r"no protocols available",
        "our own settings leave no TLS version",
        "The library found none that both Postfix's and OpenSSL's settings allow, so the handshake was over before a byte was sent.",
        "postconf smtp_tls_protocols smtp_tls_mandatory_protocols smtpd_tls_protocols, and MinProtocol and MaxProtocol in openssl.cnf.",
        needs=_LIBRARY,
    ),
    Rule(
        "tls.version",
        r"unsupported protocol|wrong ssl version|version too low|bad protocol version number|unknown ssl version|tlsv1 not supported",
        "no TLS version in common",
        "One side offers only TLS versions that the other does not take (TLS 1.0 and 1.1 are off in current OpenSSL).",
        "Update the older side, or look at smtpd_tls_protocols / smtp_tls_protocols and OpenSSL's MinProtocol.",
        needs=_LIBRARY,
    ),
    Rule(
        "tls.plaintext",
        r"wrong version number|:http request|:https proxy request|unknown protocol|packet length too long|record too (?:small|large)",
        "plain text arrived where TLS was expected",
        "The first bytes are not TLS: plain SMTP on a port with TLS from the start, a server that answers STARTTLS and does not mean it, or a middlebox between.",
        "Inbound: STARTTLS on 587 or 25, TLS from the start on 465 only. Outbound: openssl s_client -starttls smtp from here.",
        needs=_LIBRARY,
    ),
    Rule(
        "tls.to-plain-port",
        r"(?:improper command pipelining|non-SMTP command) after CONNECT from \S+: (?:\\026\\003|\\x16\\x03|\?\?\?)|non-SMTP command from \S+: (?:\\026\\003|\?\?\?)",
        "TLS arrived where plain SMTP was expected",
        "The client began with a TLS hello on a port that starts in clear text (smtpd_tls_wrappermode = no).",
        "Set the client to STARTTLS here, or to port 465.",
        side="in",
    ),
    Rule(
        "tls.weak-key",
        r"(?:dh|ee|ca|rsa)? ?key too small|(?:ca )?md too weak|bad (?:dh|ecc?) ?(?:value|parameter)",
        "a key or a signature is too weak for this TLS library",
        "OpenSSL's security level refuses short keys (DH below 2048 bit, RSA below 2048) and old digests (SHA-1).",
        "Renew the certificate or the DH parameters of the weaker side; or lower SECLEVEL in tls_config_file or openssl.cnf for it.",
        needs=_LIBRARY,
    ),
    Rule(
        "tls.legacy-renegotiation",
        r"unsafe legacy renegotiation disabled",
        "the other side knows only the old, unsafe renegotiation",
        "OpenSSL 3 refuses peers without RFC 5746.",
        "Update the other side; for one old peer see Options = UnsafeLegacyRenegotiation in openssl.cnf (tls_config_file).",
        needs=_LIBRARY,
    ),
    Rule(
        "tls.signature",
        r"no suitable signature algorithm|wrong signature (?:type|length)|legacy sigalg disallowed|bad signature|no shared signature|digest check failed",
        "no signature algorithm in common, or a signature that does not verify",
        "Certificate type and signature algorithms of the two sides do not fit together.",
        "Compare key type and digest of the certificate with what the other side offers (loglevel 2).",
        needs=_LIBRARY,
    ),
    Rule(
        "tls.no-group",
        r"no suitable key share|no shared group|no suitable groups|missing supported groups|no required digest|bad key share",
        "no key exchange group in common",
        "The curves or groups of the two sides do not overlap.",
        "See tls_eecdh_auto_curves, tls_ffdhe_auto_groups and smtpd_tls_eecdh_grade; auto is right today.",
        needs=_LIBRARY,
    ),
    Rule(
        "tls.client-certificate",
        r"peer did not return a certificate|Error: (?:Client certificate not trusted|No client certificate presented)|abort: TLS from \S+: (?P<why>.*)",
        "the client has no certificate that we accept",
        "smtpd_tls_req_ccert = yes demands one. {why}",
        "Give the client a certificate of an issuer in smtpd_tls_CAfile, or take smtpd_tls_req_ccert back to smtpd_tls_ask_ccert.",
        side="in",
    ),
    Rule(
        "tls.bad-record",
        r"decryption failed or bad record mac|bad decrypt|block cipher pad is wrong|data length too long",
        "damaged TLS records arrived",
        "Bytes were changed on the way, or the keys differ: a middlebox, faulty network hardware, or a library's fault.",
        "Try from another network; look for TLS inspection on the path.",
        needs=_LIBRARY,
    ),
    Rule(
        "tls.malformed",
        r"(?:length mismatch|bad (?:length|extension|packet)|extra data|excessive message size|invalid \w+ message|unexpected message|bad (?:handshake|hello)|decode error|inconsistent|unsolicited extension|ssl session id)",
        "a TLS message is malformed or out of order",
        "What arrived is not what the protocol allows at this point: a scanner, a broken library, or a middlebox.",
        _LOGLEVEL,
        needs=_LIBRARY,
    ),
    Rule(
        "tls.alpn",
        r"no application protocol",
        "the other side speaks another protocol (ALPN)",
        "It asked for a protocol that is not SMTP, often HTTPS.",
        "Look at what connects to this port: a web browser, a scanner or a health check.",
        needs=_LIBRARY,
    ),
    Rule(
        "tls.unsupported-algorithm",
        r"digital envelope routines::?(?:\w*:)?unsupported|unsupported algorithm|provider .*(?:not|fail)|fips|unknown (?:group|security bits)",
        "the TLS library does not support an algorithm that is asked for",
        "OpenSSL 3 keeps old ciphers and digests in the legacy provider; FIPS mode allows fewer.",
        "Look at openssl.cnf (tls_config_file, tls_config_name); convert old key files with openssl pkcs12 or pkey.",
        needs=_LIBRARY,
    ),
    Rule(
        "tls.library-memory",
        r"TLS library problem: .*malloc failure",
        "the TLS library got no memory",
        "The host or a limit of the service leaves too little memory.",
        "Look at the kernel log for the same second, and at the unit's MemoryMax.",
    ),
    Rule(
        "tls.verify",
        r"TLS library problem: .*certificate verify failed",
        "a certificate did not verify",
        "Our TLS library refused the other side's chain; the line does not say why.",
        "openssl s_client -starttls smtp -connect HOST:25 -CApath /etc/ssl/certs shows the reason.",
        weight=SIGN,
    ),
    Rule(
        "tls.hung-up",
        r"SSL_(?:accept|connect) error (?:from|to) (?P<peer>\S+?): (?:lost connection|Connection reset by peer|Broken pipe|0\b)|lost connection with (?P<server>\S+) while performing (?:the )?TLS|unexpected eof while reading",
        "the other side hung up in the middle of the TLS handshake",
        "{peer}{server} closed the connection without a TLS alert: it did not like what it saw and does not say what, or a firewall cut in.",
        "Look at the other side's own log; try openssl s_client -starttls smtp from the same network.",
        "likely",
        weight=SIGN,
    ),
    Rule(
        "tls.timeout",
        r"SSL_(?:accept|connect) error (?:from|to) (?P<peer>\S+?): Connection timed out",
        "the TLS handshake timed out",
        "{peer} stopped sending in the middle of the handshake (path MTU trouble looks like this too).",
        "Look at the path: MTU, firewalls with TLS inspection, load on the other side.",
        "likely",
        weight=SIGN,
    ),
    Rule(
        "tls.failed",
        r"SSL_(?:accept|connect) error|Cannot start TLS|TLS library problem|^TLS handshake failed for service=",
        "the TLS handshake failed",
        "The log has no cause that is known here.",
        _LOGLEVEL,
        "unknown",
        weight=FAILURE,
    ),
)
