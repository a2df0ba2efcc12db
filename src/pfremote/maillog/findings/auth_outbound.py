"""Our own login at a remote server that failed (smtp and lmtp)."""

# ruff: noqa: E501 (whole sentences and whole patterns on one line can be searched for)

from __future__ import annotations

from pfremote.maillog.findings.rule import QUOTED, SIGN, Rule

_SAID = r"SASL authentication failed; server (?P<server>\S+) said: "
_ENTRY = (
    "Check the entry for this server in smtp_sasl_password_maps, run postmap on it, and try again with postqueue -i."
)

RULES = (
    Rule(
        "auth.relay-cached",
        r"SASL \[CACHED\] authentication failed; server (?P<server>\S+) said: (?P<reply>\d{3}" + QUOTED + ")",
        "the remote server refused our credentials before, and Postfix remembers it",
        "No new attempt was made: smtp_sasl_auth_cache_name holds the refusal of {server}: {reply}",
        "Correct smtp_sasl_password_maps; a changed password is tried at once, the same one after smtp_sasl_auth_cache_time.",
        side="out",
    ),
    Rule(
        "auth.relay-app-password",
        _SAID
        + r"(?P<reply>5\d\d[ -](?:5\.7\.9\b|[^()]*(?i:application-specific password|app password|second ?factor))"
        + QUOTED
        + ")",
        "the provider wants an application password",
        "{server} answered AUTH with {reply}: the account's own password is not taken from programs.",
        "Make an application password at the provider, and put that into smtp_sasl_password_maps.",
        side="out",
    ),
    Rule(
        "auth.relay-method-disabled",
        _SAID
        + r"(?P<reply>5\d\d[ -](?:5\.7\.139\b|[^()]*(?i:(?:basic|smtpclient) ?authentication is disabled|is disabled for the (?:tenant|mailbox)))"
        + QUOTED
        + ")",
        "the provider has switched this kind of login off",
        "{server} answered AUTH with {reply}: passwords over SMTP are not accepted for this account.",
        "Enable SMTP AUTH for the mailbox at the provider, or log in with XOAUTH2 (smtp_sasl_mechanism_filter, a SASL plug-in).",
        side="out",
    ),
    Rule(
        "auth.relay-web-login",
        _SAID + r"(?P<reply>(?:534[ -]|5\d\d[ -]5\.7\.14\b)" + QUOTED + ")",
        "the provider wants a login in a browser first, or another mechanism",
        "{server} answered AUTH with {reply}",
        "Log in to the account in a browser and look for a warning there; see the provider's rules for mail programs.",
        side="out",
    ),
    Rule(
        "auth.relay-quota",
        _SAID + r"(?P<reply>[45]\d\d[^()]*(?i:credits? exceeded|(?:quota|sending limit|daily limit)\b)" + QUOTED + ")",
        "the provider takes no more mail from this account for now",
        "{server} answered AUTH with {reply}: what the account may send is used up.",
        "Look at the account's plan and usage at the provider; the mail waits in the queue until it takes more.",
        side="out",
    ),
    Rule(
        "auth.relay-temporary",
        _SAID + r"(?P<reply>4\d\d" + QUOTED + ")",
        "the remote server could not check our credentials now",
        "{server} answered AUTH with {reply}: a temporary failure on its side, which says nothing about the password.",
        'Wait for the next attempt (postqueue -p); with "too many" in the reply, lower smtp_destination_concurrency_limit.',
        side="out",
    ),
    Rule(
        "auth.relay-protocol",
        _SAID + r"(?P<reply>50[0-4]" + QUOTED + ")",
        "the SASL exchange with the remote server went wrong",
        "{server} answered AUTH with {reply}: it did not understand what we sent, and judged no password.",
        "Leave that mechanism out with smtp_sasl_mechanism_filter, for example: !gssapi, !ntlm, static:all; see that the entry in smtp_sasl_password_maps is for this server.",
        side="out",
    ),
    Rule(
        "auth.relay-refused",
        _SAID + r"(?P<reply>\d{3}" + QUOTED + ")",
        "the remote server refused our credentials",
        "{server} answered AUTH with {reply}",
        _ENTRY,
        side="out",
    ),
    Rule(
        "auth.relay-no-mechanism",
        r"cannot authenticate to server (?P<server>\S+?): no mechanism available|No worthy mechs found|offered no (?:compatible authentication|supported AUTH) mechanisms",
        "no common SASL mechanism with the remote server",
        "What the server offers, what smtp_sasl_security_options permits and what the SASL library has do not overlap.",
        "Allow plaintext mechanisms inside TLS (smtp_sasl_tls_security_options = noanonymous); install the SASL plug-in packages (libsasl2-modules, cyrus-sasl-plain).",
        side="out",
    ),
    Rule(
        "auth.relay-blank-user",
        r"SASL authentication failure: All-whitespace username",
        "the entry for the remote server has no user name",
        "The SASL library does not send a user name that is empty or blank; that is what smtp_sasl_password_maps has before the colon.",
        "postmap -q NEXTHOP on smtp_sasl_password_maps must answer user:password; for a server that knows us by our address take the entry out, or set smtp_sasl_auth_enable = no.",
        side="out",
        only=frozenset(("smtp", "lmtp")),
    ),
    Rule(
        "auth.relay-library",
        r"SASL authentication failed; cannot authenticate to server (?P<server>\S+?): generic failure",
        "our own SASL library could not answer the remote server",
        "{server} refused no password: the mechanism failed on our side. With XOAUTH2 a token file cannot be read or a token was not renewed; with GSSAPI there is no ticket.",
        "Read the lines of the same process and second (sasl-xoauth2, SASL authentication failure:); sasl-xoauth2-tool test-token-refresh FILE, klist. Where smtp is chrooted in master.cf, the files must be inside.",
        side="out",
        yields=("auth.relay-blank-user",),
    ),
    Rule(
        "auth.relay-protocol",
        r"SASL authentication failed; (?:authentication protocol loop|non-empty initial \S+ challenge from|cannot (?:authenticate to|decode response from)) ?(?:with )?server (?P<server>\S+?)(?::| |\)|$)(?P<why>[^()]*)",
        "the SASL exchange with the remote server went wrong",
        "{server}: {why}",
        "Leave that mechanism out with smtp_sasl_mechanism_filter, for example: !gssapi, !login, static:all.",
        side="out",
    ),
    Rule(
        "auth.relay-maps",
        r"smtp_sasl_password_maps lookup error|warning: (?:SASL auth failure map|bad smtp_sasl_auth_cache) ?(?P<why>.*)",
        "smtp_sasl_password_maps cannot be read",
        "Postfix does not know whether it has credentials for this server, and puts the mail off.",
        "postmap -q NEXTHOP on the table in smtp_sasl_password_maps, as root; see the line before for the file.",
        side="out",
    ),
    Rule(
        "auth.relay-required",
        r"said: (?P<reply>530[ -](?!5\.7\.0 Must issue a STARTTLS)[^()]*|5\d\d[ -][^()]*(?i:not authenticated|authentication (?:is )?required|must (?:authenticate|log ?in)|requires authentication|unauthenticated (?:senders?|mail) (?:is |are )?not allowed|auth(?:entication)? first)[^()]*)",
        "we did not log in, and the remote server requires it",
        "It answered: {reply}",
        "Enter the next hop, spelled as in relayhost or transport_maps, into smtp_sasl_password_maps, set smtp_sasl_auth_enable = yes, and run postmap.",
        side="out",
        unless=r"^235 ",
    ),
    Rule(
        "auth.relay-starttls-first",
        r"said: 530 5\.7\.0 (?:[^()]*)STARTTLS",
        "the remote server takes no mail and no login without TLS",
        "It wants STARTTLS first, and we did not use it.",
        "Set smtp_tls_security_level = encrypt for it (or in smtp_tls_policy_maps).",
        side="out",
    ),
    Rule(
        "auth.relay-failed",
        r"^said: 535[ -](?P<reply>.*)",
        "the remote server refused our credentials",
        "It answered AUTH with 535 {reply}",
        _ENTRY,
        side="out",
        weight=SIGN,
    ),
)
