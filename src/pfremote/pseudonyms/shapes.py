"""What users, hosts and addresses look like in a Postfix log, and where they stand without any look of their own.

Pure."""

from __future__ import annotations

import re

from pfremote.maillog.redact.vocabulary import COMMON_WORDS

#: Names that are the same on every mail host.
KEPT_USERS = frozenset(
    (
        "",
        "postmaster",
        "mailer-daemon",
        "double-bounce",
        "root",
        "nobody",
        "postfix",
        "abuse",
        "hostmaster",
        "(unknown)",
    )
)
KEPT_HOSTS = frozenset(("localhost", "unknown", "none", "local", "localdomain", "in-addr.arpa", "ip6.arpa", "noaddr"))
#: Words that are replaced where they stand for a user, and left alone in running text.
COMMON = COMMON_WORDS | frozenset(
    """aborted accepted armed arming bounced cram data debug deferred digest dovecot etrn expired expn external
    finished gssapi invalid journal lhlo main md5 mx ntlm oauthbearer plain reverted scram sendmail sha sha1
    sha256 starttls systemd touched untouched vrfy xoauth2""".split()  # noqa: SIM905
)

_V4 = r"(?:\d{1,3}\.){3}\d{1,3}(?!\d|\.\d)"
_V6 = r"(?:[0-9A-Fa-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{0,4})(?![\w:])"
_LABEL = r"[\w*](?:[\w-]*\w)?"
_TOP = r"(?:xn--[a-z0-9-]+|[^\W\d_]{2,24})"
_ATOM = r'[^\s<>()\[\],;:"\'`?@/\\|]'
_LOCAL = rf'(?:"[^"]{{1,64}}"|{_ATOM}+(?:(?<=\w)\'(?=\w){_ATOM}+)*)'

#: One pattern for all that has a look of its own; the name of the outer group says what was found.
SHAPES = re.compile(
    rf"""(?P<print>\b(?:[0-9A-F]{{2}}:){{15,63}}[0-9A-F]{{2}}\b)
    | (?P<naming>(?<=[/,\ ])(?:O|OU|L|ST|street|emailAddress)=[^/,=]+
        |(?:(?<=[/,\ ])CN|\b(?:subject|issuer)_CN|(?<=,\ )issuer)=(?!/)(?=[^/,=]*\ |[^/,.=]+(?:[/,]|\Z))[^/,=]+)
    | (?P<header>:\ header\ [!-9;-~]{{1,100}}:\ (?=\S).+?(?=\ from\ \S+\[[^\]]*\];|\Z))
    | (?P<id>(?i:message-id(?:=|:\ ))<(?P<left>[^<>@\s]*)@(?P<right>[^<>\s]*)>)
    | (?P<mail>(?P<local>{_LOCAL})@(?P<domain>\[[^\]\s]+\]|\w(?:[\w.-]*\w)?))
    | (?P<reversed>(?<![\w.])(?P<octets>(?:\d{{1,3}}\.){{3}}\d{{1,3}})\.(?P<zone>(?:{_LABEL}\.)+{_TOP})(?![\w-]))
    | (?P<ip>(?P<label>(?:IPv6:)?)(?P<address>(?<![\w.]){_V4}|(?:(?<=IPv6:)|(?<![\w:.])){_V6})
        (?P<length>\]?/\d{{1,3}}(?![\w.])|))
    | (?P<name>(?<![\w-])\.?(?:{_LABEL}\.)+{_TOP}\.?(?![\w-]))""",
    re.VERBOSE | re.IGNORECASE,
)
#: A word of running text that may be a user or a host met elsewhere.
WORDS = re.compile(r"[^\W_](?:[\w.+=-]*\w)?")

_NO_MAIL = r"(?![^\s<>]*@)"
_USER = r"(?P<user>[^\s,?;\"'<>\])@=]+)"
#: Where a user or a host stands as a bare word. Each entry has the words (lower case) that the line must hold before
#: the pattern is tried, and the pattern, which has one group, ``user`` or ``host``.
PLACES = tuple(
    (triggers, re.compile(pattern, re.IGNORECASE))
    for triggers, pattern in (
        (  # which may have blanks in it: a comma or the end of the line follows (smtpd/smtpd.c)
            ("sasl_username=",),
            rf"\bsasl_username={_NO_MAIL}(?P<user>[^\s,;<>\])@=]+(?: [^\s,;<>\])@=]+)+)(?=,|\Z)",
        ),
        (
            ("=",),
            rf"(?:\b(?:sasl_username|sasl_sender|original_user|auth_user|auth_login|authzid|authid|user|username|login)"
            rf"|\{{(?:auth_authen|auth_author|mail_addr|rcpt_addr)\}})=<?{_NO_MAIL}{_USER}",
        ),
        (
            ("send attr ",),
            rf"send attr (?:sasl_username|sasl_sender|sender|recipient|address|orig_rcpt) = {_NO_MAIL}{_USER}",
        ),
        (
            ("<",),
            r"(?:\bFROM: ?|\bTO: ?|\bfrom=|\bto=|\borig_to=|sender=|recipient=|in: |out: |result: |login=)"
            r"<(?P<user>[^<>@\s\[]+)>",
        ),
        (
            (" address",),
            r"<(?P<user>[^<>@\s\[]+)>: (?:Sender|Recipient) address",
        ),
        (
            ("unknown user", "for user", "/home/", "ident="),
            r"(?:\bunknown user: \"|\bfor user |/home/|\bIDENT=)(?P<user>[^\s,;\"'<>\])@=/\[]+)",
        ),
        (
            ("%40",),
            r"(?P<user>[\w.+-]+)%40(?=[\w-]+\.)",
        ),
        (
            (" <",),
            r"[ (]2\d\d 2\.\d\.\d <(?P<user>[^<>@\s\[]+)>",
        ),
        (
            ("etrn ", "sni hostname: ", "realm="),
            r"(?:\bETRN [#@]?|\bSNI hostname: |\brealm=)(?P<host>[\w-]+)(?=$|[\s,])",
        ),
        (
            ("relay=",),
            r"\brelay=(?P<host>[\w-]+)(?=\[(?:private)?/)",
        ),
        (
            ("/tmp/", "/new/", "/cur/", "/maildir"),  # noqa: S108 - of a Maildir
            r"/(?P<user>[^\s/]+)/(?:Maildir\b|(?:tmp|new|cur)/)",
        ),
        (
            ("vrfy ", "expn "),
            r"\b(?:VRFY|EXPN) (?P<user>[^\s<>@]+)",
        ),
        (
            ("[redacted: ",),
            r"\[redacted: [A-Za-z ]+ of (?P<user>[^\s@\]]+)\]",
        ),
        (
            ("smtp_sasl_passwd_lookup",),
            r"smtp_sasl_passwd_lookup: host `[^']*' user `(?P<user>[^'@]+)'",
        ),
        (
            ("_client_get_user",),
            r"xsasl_cyrus_client_get_user: (?P<user>[^\s@\[]+)$",
        ),
        (
            ("helo", "ehlo", "lhlo"),
            r"(?:[<>] \S+: (?:EHLO|HELO|LHLO)|helo=|proto=\S+ helo=) ?<?(?P<host>[^\s<>\[\].]+)(?=>|$|\s)",
        ),
        (
            ("send attr ",),
            r"send attr (?:helo_name|client_name|reverse_client_name|myhostname|server_name) = (?P<host>[^\s\[\].]+)$",
        ),
        (
            ("name=", "helo="),
            r"\b(?:NAME|HELO)=(?P<host>[^\s<>\[\].]+)(?=\s|$)",
        ),
        (
            ("[",),
            r"(?<![\w./-])(?P<host>[\w-]+)\[(?=[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*\])",
        ),
        (
            (": 220", ": 250"),
            r"[<>] \S+: 2[25]0[ -](?P<host>[\w-]+)(?= ESMTP| Hello)",
        ),
    )
)

#: Endings of files. Those that are also top-level domains count as endings in a path only.
_FILES = frozenset(
    [
        "conf",
        "db",
        "log",
        "pem",
        "key",
        "crt",
        "cer",
        "csr",
        "cert",
        "sock",
        "socket",
        "service",
        "timer",
        "mount",
        "target",
        "map",
        "maps",
        "texthash",
        "txt",
        "gz",
        "xz",
        "zst",
        "lmdb",
        "cdb",
        "dir",
        "pag",
        "cidr",
        "pcre",
        "regexp",
        "json",
        "html",
        "dist",
        "proto",
        "default",
        "sample",
        "orig",
        "bak",
        "before",
        "during",
        "after",
        "part",
        "old",
        "tmp",
        "hash",
        "btree",
        "lock",
        "pid",
        "yml",
        "yaml",
        "ini",
        "cfg",
        "toml",
    ]
)
_FILES_IN_PATHS = frozenset(("cf", "py", "sh", "pl", "so", "pm", "md", "rs", "cc"))
_OWN_FILES = frozenset(("main.cf", "master.cf", "dynamicmaps.cf", "bounce.cf", "report.md", "libc.so"))
_LOCAL_KEYS = re.compile(r"(?:\{?(?:[a-z_]*[a-z_]|LOGIN|AUTH|NAME|ADDR|HELO|ORCPT)\}?=)+")


def split_host_name(text: str, *, in_path: bool = False) -> tuple[str, str]:
    """Split a dotted name into what is a host's and what is left over; the first is empty for a file's name.

    >>> split_host_name("mx.example.jp"), split_host_name("mail.example.jp.pem"), split_host_name("main.cf")
    (('mx.example.jp', ''), ('mail.example.jp', '.pem'), ('', 'main.cf'))
    """
    folded = text.casefold().strip(".")
    last = folded.rpartition(".")[2]
    if folded in _OWN_FILES or any(folded.startswith(f"{name}.") for name in _OWN_FILES):
        return "", text
    if last not in _FILES and not (in_path and last in _FILES_IN_PATHS):
        return text, ""
    stem, _, ending = text.rstrip(".").rpartition(".")
    top = stem.rpartition(".")[2].casefold()
    if "." not in stem.strip(".") or top in _FILES or not re.fullmatch(_TOP, top):
        return "", text
    return stem, f".{ending}"


def split_local_part(text: str) -> tuple[str, str]:
    """Split what stands before ``@`` into keys (``sasl_username=``) and the local part.

    >>> split_local_part("sasl_username=alice"), split_local_part("SRS0=xy=zz=d.example=bob")
    (('sasl_username=', 'alice'), ('', 'SRS0=xy=zz=d.example=bob'))
    """
    found = _LOCAL_KEYS.match(text)
    keys = found[0] if found else ""
    return keys, text[len(keys) :]
