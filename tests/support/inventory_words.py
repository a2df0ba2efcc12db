"""What generated inventories and patterns are made of, simplest first: what Ansible's documents show, then what is odd.

``RISKY`` words are an error for Ansible or make one likely; most generated inventories have none of them.
"""

from __future__ import annotations

from itertools import product

# fmt: off
#: a-1 is a host too.
GROUPS = ("mx", "db", "web", "eu", "site-a", "prod_1", "é", "a-1")
HOSTS = ("h1", "h2", "mx1.example.jp", "mx02.example.jp", "a-1", "b_2", "UPPER", "10.0.0.7", "localhost", "127.0.0.1")
VARIABLES = ("a", "b", "c_1", "ansible_x", "groups")

_RANGES = ("[1:3]", "[a:c]", "[01:10:3]", "[8:11]", "[A:C]", "[x:C:7]", "[:2]", "[3:1]", "[0:1:02]", "[007:009]", "[z:A]")
RISKY_RANGES = ("[1:]", "[01:9]", "[c:a]", "[1:b]", "[08:f]", "[1:3:0]", "[1:3:-1]", "[1:2:]", "[1]", "[ab:cd]", "[1:2:3:4]")


def _host_words(ranges: tuple[str, ...]) -> tuple[str, ...]:
    stems = (
        "h{}",
        "mx{}.example.jp",
        "{}",
        "{}-x",
        "x_{}",
        "10.0.0.{}",
        "h{}-[1:2]",
        "h{}.[a:b]",
        "h{}_",
        "2001:db8::{}",
    )
    ranged = (stem.format(part) + port for port, part, stem in product(("", ":2222"), ranges, stems))
    return (*ranged, *(f"[2001:db8::{part}]:22" for part in ranges))


HOST_WORDS = (
    *(host + port for port in ("", ":22", ":022") for host in HOSTS),
    *("[h3]:22", "[2001:db8::1]:2022", "2001:db8::2", "[10.0.0.7]:9", "::1", "h3:0", "日本", "h-", "x_:22", "h.:22", ".h", "h--1"),
    *("::ffff:192.0.2.1", "1:2", "22", ":22", "h:22:23", "a@b", "a@b:22", "h/1", "h*", "h:\uff12\uff12"),
    *_host_words(_RANGES),
)
RISKY_HOST_WORDS = (*_host_words(RISKY_RANGES), "[h]", "h[", "h]1:2[", "---", "h:", "[2001:db8::1]", "h[1:2")

#: What stands behind the = in a host's line; the shell's quotes are taken off.
INI_WORDS = (
    *("1", "-1", "+1", "1.5", "1e3", "012", "0x1F", "1_000", "0o17", "1j", "True", "true", "yes", "None", "null", "~", "..."),
    *("text", "a=b", "'two words'", '"double"', "\"'both'\"", "'\"both\"'", "[1,2]", "\"[1, 'a', [None]]\"", "(1,2)", "1,2"),
    *("\"{'k': [1, True]}\"", "'{\"k\": 1.50}'", '{"k":1}', "\"{1: 'x', None: 2}\"", "a;b", '"a#b"', "{{x}}", '"{{ x }}"', "{%x%}"),
    *(
        "\\'x",
        "\\\\",
        "a\\ b",
        "'it'\"'\"'s'",
        '""',
        "",
        "b'x'",
        "\"b'x'\"",
        "\"u'x'\"",
        "\"r'\\d'\"",
        "é",
        '"日 本"',
        "\"'\\u00e9'\"",
    ),
    *("https://x/?a=1&b=2", "$HOME", "%d", "-J\\ x", '"a\\"b"', "'a\\nb'", "\"'a\\nb'\"", "1+2j", "__x__", "--", '" 1"', '"1 # x"'),
    *('\'"a" "b"\'', "\"'a' 'b'\"", "1__0", "0777", "1e400", '"-1 "', "[]", "{}", "()", "''", "\"''\"", "!x", "*", "&a", "@x"),
)
#: How a line may end, and what may stand between two lines.
INI_ENDS = ("", " ", " # comment", " #", "\t# a=1", "#x")
INI_NOISE = ("", "   ", "# comment", "; comment", "  # indented", "\t; tab", "#[mx]", "#é'")
VARS_LINES = (
    *("a = 1", "a=two words", "a =  ' x '", "b= # no comment", "b = x # no comment", "b=x ; neither", "c_1=[1, 2, 'x']"),
    *("c_1={'a': {'b': (1, 2)}}", "b=1, 2", "b=", "b==", 'b="a" "b"', "b=a = b", "ansible_x= ops", "a b=1", "=1", "a=["),
    *("a='''x'''", "a={{ b }}", "a=[{{ b }}]", "a=0o17", "a=1 # 2", "a=[1, # x]", "a=True # yes", 'a="{{ b }}"', "a='\\n'"),
    *("ansible_group_priority=5", "ansible_group_priority=-1", "ansible_group_priority='07'", "ansible_group_priority=1.5"),
    *("group_names=x", "a=\\", "a='", "a: b=1", "a[0]=1", "'a'=1", "a=é", "a=-J x@y -o 'a=b'", "a=None", "a=nan", "a=-0.0"),
)
RISKY_INI_WORDS = ("a' b", "'", '"', "\\", "x y", "x ;", "{{ 22 }}", '"{{ 22 }}"', '"{[1]: 2}"', "x ; y=1", "x =1")
RISKY_VARS_LINES = ("a", "a: 1", "a={{ 22 }}", "a={{1}: 2}", "ansible_group_priority=x", "[a]", "ansible_group_priority=")

YAML_VALUES = (
    *("1", "-1", "+1", "1.5", "1e3", "1.0e+3", ".inf", ".nan", "017", "0o17", "0x1F", "0b11", "1_000", "12:30:45", "1.", ".5"),
    *("yes", "No", "on", "True", "y", "~", "null", "", "text", "two words", "'yes'", '"a\\u00e9\\n"', "'it''s'", "a # b", "a#b"),
    *('"# none"', "[1, two, 3.0, [yes]]", "[]", "{}", "{k: {d: [1]}, 2: x, yes: no}", '"{{ x }}"', "!unsafe '{{ x }}'"),
    *("!unsafe [a, 1]", "!!str 12", "!!int '12'", "!!float 1", "日本", "'%d'", "-", "<<", "{<<: {k: 1}, j: 2}", "{1.5: x, ~: y}"),
    *("{__ansible_unsafe: x}", "2001-12-14", "2001-12-14 21:59:43", "2001-12-14t21:59:43.10-05:00", "!!set {a}", "{a, b: 1}"),
    *(
        "|-\n                a\n                 b",
        "\n                - 1\n                - [x]",
        "'a\n\n                b'",
        "&x 1",
    ),
    *("[a, !unsafe b]", "{k: !unsafe b}", "{2001-12-14: 1}", "1:2", "a:b", "::", "0.1e1", "1e+3", "-.inf", "0", "-0", "00", "08"),
)
RISKY_YAML_VALUES = ("a: b", "@x", "- x", "!x y", "*unknown", "'", "{", "=", "{[1]: 2}", "!!int x", "!!omap [a: 1]", "? x", "%x")
YAML_PRIORITIES = ("5", "-2", "03", "yes", "2.5", "'4'")
RISKY_YAML_PRIORITIES = ("x", "", "[1]", "'2.5'", ".inf")

JSON_VALUES = (
    *("1", "-0", "1.5", "1e3", "1E+2", "1.0", "true", "null", '"yes"', '"a\\/b"', '"\\ud83d\\ude00"', '"\\u00e9"', '"\\u2028"'),
    *('"{{ x }}"', '"#"', "[1, [2], {}]", '{"a": {"b": 1}, "<<": {"c": 2}}', "NaN", "Infinity", '"12"', '"2001-12-14"', '"é"'),
    *(
        '{"__ansible_unsafe": "{{ x }}"}',
        '{"a": 1, "a": 2}',
        '"\\\\"',
        "[]",
        "{}",
        '""',
        '": , {"',
        "12345678901234567890",
        "-1e-3",
    ),
)
RISKY_JSON_VALUES = ('"\\ud800"', "'x'", "nan", '"\\x"')

VARS_FILE_ENDS = ("", ".yml", ".yaml", ".json", "/a.yml", "/b", "/c.json", "/d/e.yaml", "/f.txt", "/.g.yml", "/i.", "/j~", "/k.x/l")

TERMS = (
    *("all", "mx", "h1", "*", "ungrouped", *GROUPS, *HOSTS),
    *("mx*", "*.example.jp", "h?", "h[12]", "mx[!0]*", "[a-m]*", "*1*", "10.0.0.*", "e*", "?", "UP*", "up*", "h[1:2]-*"),
    *("~h[12]", "~mx", "~^.*1$", "~(?i)upper", "~(", "~(a|b)", "~", "~.*e.*", "~[hm]", "nosuch*", "2001:db8::2", "h2:22"),
    *("mx[0]", "mx[-1]", "mx[1:2]", "mx[0:0]", "mx[1:]", "all[0]", "all[-2]", "all[1:3]", "all[1-2]", "h*[0]", "mx[9]", "*[2:4]"),
    *("db[0:9]", "eu[0]", "[0]", "mx[a]", "h1[0]", "ungrouped[0]", "all[:2]", "all[-2:]", "~h[1]", "h?[1]", "web[00]", "[hm]*[1]"),
)
JOINTS = (":", ",", ", ", " : ", " ", "::", ",,", " ,\t", ": ")
