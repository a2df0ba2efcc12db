"""TLS alerts (RFC 8446 section 6, RFC 6066): the number says it, whatever text the library writes.

In ``SSL alert number N`` and ``SSL3 alert read`` the other side speaks to us. What we send (``alert write``) is told by
the library's own text, and counts only where nothing else does.
"""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.rule import SIGN, Certainty, Rule, Side

_CHAIN = "See that smtpd_tls_chain_files (or smtpd_tls_cert_file) has the intermediate certificates, leaf first: openssl s_client -starttls smtp -showcerts shows what clients get."
_OWN = "Look at smtp_tls_cert_file or smtp_tls_chain_files; leave them empty unless this server wants a client certificate."

#: number | name | code | certainty | title | meaning | next step where a client sent it
_ALERTS = """\
10 | unexpected message | tls.unexpected-message | proven | {who} got a TLS message that it did not expect | The handshake went out of step: a fault in one of the two libraries, or a middlebox. | Take the session again with loglevel 2 and compare the last state lines of both sides.
20 | bad record mac | tls.bad-record | proven | {who} received damaged TLS records | Bytes were changed on the way, or the keys differ: a middlebox, faulty network hardware, or a library's fault. | Try from another network; look for TLS inspection on the path.
21 | decryption failed | tls.bad-record | proven | {who} could not decrypt what we sent | Bytes were changed on the way, or the keys differ. | Try from another network; look for TLS inspection on the path.
22 | record overflow | tls.bad-record | proven | {who} got a TLS record that is too long | Most often plain text in the middle of TLS, or a middlebox. | Look for something on the path that changes bytes.
40 | handshake failure | tls.handshake-refused | proven | {who} found nothing acceptable in the handshake | It sent handshake_failure: no common cipher, signature algorithm or group, or a client certificate is wanted. | Compare ciphers and key types of both sides: openssl s_client -starttls smtp from the other's network, loglevel 2 here.
42 | bad certificate | tls.bad-certificate | likely | {who} refused our certificate | It sent bad_certificate: most often the name that it expects is not in the certificate. | Compare the name the other side is configured with and the certificate's subjectAltName.
43 | unsupported certificate | tls.unsupported-certificate | proven | {who} does not support our kind of certificate | It sent unsupported_certificate: key type, key usage or signature of ours is not taken. | openssl x509 -text -noout shows key type and extendedKeyUsage (serverAuth).
44 | certificate revoked | tls.certificate-revoked | proven | {who} says that our certificate is revoked | It sent certificate_revoked. | Ask the issuer; get a new certificate.
45 | certificate expired | tls.certificate-expired | proven | {who} says that our certificate has expired | It sent certificate_expired; a wrong clock there has the same effect. | openssl x509 -enddate -noout -in CERTIFICATE here; after renewing, postfix reload.
46 | certificate unknown | tls.certificate-unknown | proven | {who} does not accept our certificate | It sent certificate_unknown: it checked our certificate and did not like something that no other alert names, often the name or an unknown issuer. | Compare the name the other side is configured with and the certificate's subjectAltName, and its list of trusted issuers.
47 | illegal parameter | tls.illegal-parameter | proven | {who} found an illegal value in the handshake | It sent illegal_parameter: a fault in one of the two libraries, or a middlebox. | Update the older library; try without TLS 1.3 (protocols) to narrow it down.
48 | unknown ca | tls.unknown-ca | proven | {who} does not trust our certificate | It sent unknown_ca: the issuer of our certificate is not among its trusted ones, or the chain is incomplete. | @chain
49 | access denied | tls.access-denied | proven | {who} accepted our certificate and denies access | It sent access_denied: a rule of its own. | Ask the other side.
50 | decode error | tls.malformed | proven | {who} could not read a TLS message of ours | It sent decode_error. | Update the older library; look for a middlebox.
51 | decrypt error | tls.signature | proven | {who} could not verify a signature of ours | It sent decrypt_error: certificate and private key do not belong together, or the library is at fault. | Compare: openssl x509 -noout -pubkey and openssl pkey -pubout of our files.
70 | protocol version | tls.version | proven | no TLS version in common | {who} takes none of the TLS versions that we offer (TLS 1.0 and 1.1 are off in current OpenSSL). | Update the older side, or look at smtpd_tls_protocols / smtp_tls_protocols and OpenSSL's MinProtocol.
71 | insufficient security | tls.insufficient-security | proven | {who} wants stronger ciphers than ours | It sent insufficient_security. | See smtpd_tls_ciphers, smtp_tls_ciphers and OpenSSL's SECLEVEL on both sides.
80 | internal error | tls.internal-error | proven | {who} has an error of its own in TLS | It sent internal_error: its configuration or its library. | Look at its log at this second.
86 | inappropriate fallback | tls.fallback | proven | {who} saw us fall back to an older TLS version | A retry with a lower version was refused to prevent a downgrade (RFC 7507). | Find out why the first attempt failed; it stands before this session.
90 | user cancell?ed | tls.cancelled | proven | {who} cancelled the handshake | It sent user_canceled. | Look at the other side; a person or a program stopped it.
100 | no renegotiation | tls.renegotiation | proven | {who} refused to renegotiate | It sent no_renegotiation. | Leave renegotiation off on both sides.
109 | missing extension | tls.missing-extension | proven | {who} misses a TLS extension | It sent missing_extension, often for groups or signature algorithms of TLS 1.3. | Update the older side.
110 | unsupported extension | tls.missing-extension | proven | {who} refuses a TLS extension | It sent unsupported_extension. | Update the older side.
112 | unrecognized name | tls.unrecognized-name | proven | {who} does not know the server name that was asked for (SNI) | It sent unrecognized_name. | See smtp_tls_servername or the servername attribute of smtp_tls_policy_maps.
113 | bad certificate status | tls.status-response | proven | {who} refused our certificate's status (OCSP) | It sent bad_certificate_status_response. | Look for must-staple in the certificate; Postfix staples no OCSP response.
116 | certificate required | tls.certificate-required | proven | {who} wants a certificate from us | It sent certificate_required (TLS 1.3). | @own
120 | no application protocol | tls.alpn | proven | {who} and we have no ALPN protocol in common | It sent no_application_protocol. | The other side may expect HTTPS or another protocol on this port.
"""


def _rules() -> list[Rule]:
    rules = []
    for row in _ALERTS.splitlines():
        number, name, code, certainty, title, meaning, step = row.split(" | ")
        next_step = {"@chain": _CHAIN, "@own": _OWN}.get(step, step)
        # What a server refuses is our client certificate, where we have one.
        own = _OWN if "certificate" in code or code == "tls.unknown-ca" else next_step
        theirs = title.replace("our certificate", "our client certificate")
        pattern = _pattern(number, name.replace(" ", "[ _]"))
        rules += [
            _rule("in", "the client", code, pattern, (title, meaning, next_step), certainty),
            _rule("out", "the remote server", code, pattern, (theirs, meaning, own), certainty),
        ]
    return rules


def _pattern(number: str, name: str) -> str:
    return (
        rf"alert number {number}\b|(?:ssl(?:v3)?|tlsv1\S*|ssl/tls) alert {name}\b"
        rf"|alert read:(?:fatal|warning):(?i:{name})\b"
    )


def _rule(side: Side, who: str, code: str, pattern: str, words: tuple[str, str, str], certainty: str) -> Rule:
    title, meaning, next_step = words
    said = meaning.replace("{who}", who[0].upper() + who[1:])
    certain: Certainty = "likely" if certainty == "likely" else "proven"
    return Rule(code, pattern, title.replace("{who}", who), said, next_step, certain, side=side)


RULES = (
    *_rules(),
    Rule(
        "tls.other-alert",
        r"SSL alert number (?P<number>\d+)|SSL3 alert read:fatal:(?P<name>.+)",
        "the other side ended the TLS handshake with alert {number}{name}",
        'The number is from the IANA registry "TLS Alerts".',
        "Look the number up; look at the other side's log at this second.",
    ),
    Rule(
        "tls.we-refused",
        r"SSL3 alert write:fatal:(?P<name>.+)",
        "we ended the TLS handshake: {name}",
        "Our TLS library sent this alert to the other side.",
        'Read the lines beside it: "TLS library problem" has the library\'s own words.',
        "likely",
        weight=SIGN,
    ),
)
