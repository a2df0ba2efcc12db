"""Inventories become targets; what is wrong in them is said with file, line and path."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfremote.errors import ConfigError, UsageError
from pfremote.inventory import Inventory, load_inventory
from pfremote.inventory.patterns import split_pattern
from pfremote.inventory.ranges import expand_ranges, split_login, split_port
from pfremote.model.secret import Secret
from pfremote.model.target import Target

EXAMPLES = Path(__file__).parents[3] / "inventories"

Load = Callable[..., Inventory]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load_files(text: str, name: str = "hosts.yml", **others: str) -> Inventory:
        for other, content in {name: text, **others}.items():
            path = tmp_path / other
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return load_inventory([tmp_path / name])

    return load_files


def one(inventory: Inventory, pattern: str) -> Target:
    (target,) = inventory.select(pattern)
    return target


def names(inventory: Inventory, pattern: str, limit: str | None = None) -> list[str]:
    return [target.name for target in inventory.select(pattern, limit)]


def test_every_connection_variable_reaches_the_target(load: Load) -> None:
    inventory = load("""
all:
  hosts:
    h1:
      ansible_host: 192.0.2.1
      ansible_port: "2222"
      ansible_user: ops
      ansible_connection: ansible.builtin.ssh
      ansible_ssh_private_key_file: ~/.ssh/k
      ansible_ssh_common_args: -o ProxyJump='b 1'
      ansible_ssh_extra_args: -4
      ansible_become: "no"
      ansible_become_user: mail
      ansible_become_method: ansible.builtin.sudo
      ansible_become_password: S3cret
      pfremote_instance: /etc/postfix-out
      rack: 7
""")
    target = one(inventory, "h1")
    assert (target.host, target.port, target.user, target.connection) == ("192.0.2.1", 2222, "ops", "ssh")
    assert target.private_key == "~/.ssh/k"
    assert target.ssh_common_args == ("-o", "ProxyJump=b 1", "-4")
    assert (target.become, target.become_user, target.become_method) == (False, "mail", "sudo")
    assert target.become_password is not None
    assert target.become_password.reveal() == "S3cret"
    assert target.instance == "/etc/postfix-out"
    assert target.vars["rack"] == 7
    assert isinstance(target.vars["ansible_become_password"], Secret)
    assert "S3cret" not in repr(target)
    assert "S3cret" not in json.dumps(inventory.as_listing())


def test_a_bare_host_leaves_everything_to_ssh_config(load: Load) -> None:
    assert one(load("all: {hosts: {h1: }}"), "h1") == Target(name="h1", host="h1")


def test_our_variables_are_checked_and_converted(load: Load) -> None:
    target = one(
        load("""
all:
  hosts:
    h1:
      pfremote_max_minutes: 1h
      pfremote_min_free: 20%
      pfremote_max_log: 1G
      pfremote_drain: 30
      pfremote_log: /var/log/mail.log
      pfremote_guard: cron
      pfremote_helper: /usr/local/sbin/pfremote-agent
      pfremote_host_key_checking: no
"""),
        "h1",
    )
    assert target.vars == {
        "pfremote_max_minutes": 60,
        "pfremote_min_free": 20,
        "pfremote_max_log": 1 << 30,
        "pfremote_drain": 30,
        "pfremote_log": "file:/var/log/mail.log",
        "pfremote_guard": "cron",
        "pfremote_helper": "/usr/local/sbin/pfremote-agent",
        "pfremote_host_key_checking": False,
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pfremote_max_minutes", "0"),
        ("pfremote_min_free", "101%"),
        ("pfremote_max_log", "many"),
        ("pfremote_log", "syslog"),
        ("pfremote_guard", "timer"),
        ("pfremote_helper", "agent"),
        ("pfremote_host_key_checking", "maybe"),
        ("pfremote_drain", "-1"),
        ("ansible_port", "70000"),
        ("ansible_become", "perhaps"),
        ("ansible_connection", "docker"),
        ("ansible_host", "[a]"),
        ("ansible_ssh_common_args", "-o 'x"),
        ("ansible_host", "-oProxyCommand=x"),
        ("ansible_user", "-x"),
    ],
)
def test_wrong_value_is_said_with_its_place(name: str, value: str, load: Load) -> None:
    inventory = load(f"all:\n  hosts:\n    h1:\n      {name}: {value}\n")
    with pytest.raises(ConfigError) as caught:
        inventory.select("h1")
    assert caught.value.file.endswith("hosts.yml")
    assert caught.value.line == 4
    assert caught.value.path == f"all.hosts.h1.{name}"
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "line", "path", "hint"),
    [
        ("all:\n  host:\n    h1:\n", 2, "all.host", "hosts, vars and children"),
        (
            "all:\n  vars:\n    pfremote_max_minute: 5\n",
            3,
            "all.vars.pfremote_max_minute",
            "pfremote_max_minutes",
        ),
        ("all:\n  hosts:\n    h1: {pfremote_colour: 1}\n", 3, "all.hosts.h1.pfremote_colour", "pfremote_"),
        ("all:\n  hosts: [h1: {x: 1}]\n", 2, "all.hosts", "Write h1: without the dash"),
        ("all:\n  hosts: [h1]\n", 2, "all.hosts", "Write h1: instead of - h1."),
        ("all:\n  hosts:\n    h1: [a]\n", 3, "all.hosts.h1", "NAME:"),
        ("all:\n  hosts:\n    5:\n", 3, "all.hosts", '"5"'),
        (
            "all:\n  children:\n    a:\n      children:\n        a:\n",
            5,
            "all.children.a.children.a",
            "children",
        ),
        ("all:\n  hosts:\n    h[3:x]:\n", 3, "all.hosts.h[3:x]", "range"),
        ("- a\n", 1, "", "all:"),
        ("all: x\n", 1, "all", "hosts:"),
        ("plugin: aws_ec2\n", 1, "plugin", "ansible-inventory"),
        ("all: {\n", 2, "", "indentation"),
        ("all:\n  vars: {a: !nope x}\n", 2, "", "quotes"),
        ("$ANSIBLE_VAULT;1.1;AES256\n3161\n", 1, "", "--vault-password-file"),
        ("all:\n  vars:\n    ansible_group_priority: high\n", 3, "all.vars.ansible_group_priority", "number"),
    ],
)
def test_wrong_yaml_is_said_with_file_line_and_path(
    text: str, line: int, path: str, hint: str, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")  # no ansible-inventory
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert (caught.value.line, caught.value.path) == (line, path)
    assert caught.value.file.endswith("hosts.yml")
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("h1\n[g:hosts:x]\n", 2, "[group:vars]"),
        ("[g:kids]\na\n", 1, "[group:vars]"),
        ("[g:children]\nnone\n", 2, "[none]"),
        ("[g:vars]\na=1\n", 1, "[g]"),
        ("[g]\nh1\n[g:vars]\na\n", 4, "name=value"),
        ("h1 a\n", 1, "name=value"),
        ("h1 a='x\n", 1, "quotes"),
        ("h1 pfremote_maxlog=1\n", 1, "pfremote_max_log"),
        ("---\n", 1, ".yml"),
        ("h[1:2\n", 1, "range"),
        ("h1\n'' a=1\n", 2, ".yml"),
        ("h1 a={{1}}\n", 1, "quotes"),
        ("[g]\nh1\n[g:vars]\na={{ 22 }}\n", 4, "quotes"),
    ],
)
def test_wrong_ini_is_said_with_file_and_line(text: str, line: int, hint: str, load: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text, "hosts.ini")
    assert caught.value.line == line
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"_meta": {}, "g": {"hosts": "h"}}', "g.hosts"),
        ('{"_meta": {"hostvars": []}, "g": {"hosts": ["h"]}}', "_meta.hostvars"),
        ('{"_meta": {}, "g": {"hosts": ["h"], "var": {}}}', "g.var"),
        ('{"_meta": {"hostvars": {"h": {"pfremote_x": 1}}}, "g": ["h"]}', "_meta.hostvars.h.pfremote_x"),
    ],
)
def test_wrong_listing_is_said_with_its_path(text: str, path: str, load: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text, "hosts.json")
    assert caught.value.path == path


def test_missing_source_and_toml_are_refused(tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")  # no ansible-inventory
    with pytest.raises(ConfigError, match="no such inventory"):
        load_inventory([tmp_path / "none.yml"])
    with pytest.raises(ConfigError, match="TOML"):
        load("[mx]", "hosts.toml")


def test_failing_program_is_said_with_its_last_words(tmp_path: Path) -> None:
    program = tmp_path / "hosts.sh"
    program.write_text("#!/bin/sh\necho 'no cloud\x1b[0m today' >&2\nexit 7\n")
    program.chmod(0o755)
    with pytest.raises(ConfigError, match=r"status 7: no cloud\?\[0m today"):
        load_inventory([program])


def test_program_without_meta_is_asked_for_each_host(tmp_path: Path) -> None:
    program = tmp_path / "hosts.sh"
    program.write_text(
        '#!/bin/sh\n[ "$1" = --list ] && echo \'{"g": ["h1", "h2"]}\' && exit\n'
        'echo "{\\"ansible_host\\": \\"at-$2\\"}"\n'
    )
    program.chmod(0o755)
    assert [target.host for target in load_inventory([program]).select("g")] == ["at-h1", "at-h2"]


def test_templates_are_rendered_where_they_are_needed(load: Load) -> None:
    inventory = load("""
all:
  vars:
    domain: example.jp
    ansible_host: "{{ inventory_hostname_short }}.{{ zone }}.{{ domain }}"
    zone: "{{ 'tokyo' if 'mx' in group_names else 'osaka' }}"
    ansible_port: "{{ 2200 + 22 }}"
    pfremote_max_minutes: "{{ base | default(5) }}"
    foreign: "{{ lookup('file', '/etc/hostname') }}"
    plain: !unsafe "{{ not a template }}"
  children:
    mx: {hosts: {h1: }}
""")
    target = one(inventory, "h1")
    assert (target.host, target.port, target.vars["pfremote_max_minutes"]) == ("h1.tokyo.example.jp", 2222, 5)
    assert target.vars["foreign"] == "{{ lookup('file', '/etc/hostname') }}"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("{{ nowhere }}", "nowhere"),
        ("{{ ansible_host }}", "needs itself"),
        ("{{ 'a' | password_hash }}", "password_hash"),
        ("{{ ().__class__.__mro__[1].__subclasses__() }}", "unsafe"),
        ("{{ 1 / 0 }}", "division"),
    ],
)
def test_template_that_cannot_be_rendered_is_said(value: str, words: str, load: Load) -> None:
    inventory = load(f'all:\n  hosts:\n    h1:\n      ansible_host: "{value}"\n')
    with pytest.raises(ConfigError, match=words) as caught:
        inventory.select("h1")
    assert caught.value.line == 4


def test_encrypted_value_is_refused_only_where_it_is_needed(load: Load) -> None:
    vault = "!vault |\n        $ANSIBLE_VAULT;1.1;AES256\n        6162\n"
    assert one(load(f"all:\n  hosts:\n    h1:\n      api_token: {vault}"), "h1").host == "h1"
    with pytest.raises(ConfigError, match="vault") as caught:
        load(f"all:\n  hosts:\n    h1:\n      ansible_become_password: {vault}").select("h1")
    assert "-K" in caught.value.hint


def test_wholly_encrypted_variable_file_is_passed_over_and_said(load: Load) -> None:
    inventory = load("all: {hosts: {h1: }}", **{"host_vars/h1.yml": "$ANSIBLE_VAULT;1.1;AES256\n6162\n"})
    assert one(inventory, "h1").host == "h1"
    assert any("h1.yml" in warning for warning in inventory.warnings)


def test_variable_files_have_lines_too(load: Load) -> None:
    inventory = load("all: {hosts: {h1: }}", **{"group_vars/all.yml": "a: 1\nansible_port: x\n"})
    with pytest.raises(ConfigError) as caught:
        inventory.select("h1")
    assert (Path(caught.value.file).name, caught.value.line) == ("all.yml", 2)


def test_precedence_of_variables(load: Load) -> None:
    """Each variable is named after the layer that must win."""
    inventory = load(
        """
all:
  vars: {all: 1, parent: 0, host: 0}
  children:
    parent:
      vars: {parent: 1, child: 0, host: 0}
      children:
        child: {vars: {child: 1, tie: child, all_file: 0}, hosts: {h1: {host: 1, host_file: 0}}}
    zebra: {vars: {tie: zebra, first: late}, hosts: {h1: }}
    aardvark: {vars: {tie: 0, first: early, ansible_group_priority: 9}, hosts: {h1: }}
""",
        **{
            "group_vars/all.yml": "{all_file: 1, group_file: 0, host: 0}",
            "group_vars/child/a.yml": "{group_file: 0, host: 0}",
            "group_vars/child/b.json": '{"group_file": 1}',
            "host_vars/h1": "host_file: 1",
        },
    )
    assert inventory.variables("h1") == {
        "all": 1,
        "parent": 1,
        "child": 1,
        "tie": "child",
        "first": "early",
        "all_file": 1,
        "group_file": 1,
        "host": 1,
        "host_file": 1,
    }


def test_folder_and_several_sources_are_one_inventory(tmp_path: Path) -> None:
    files = {
        "site/10.ini": "[mx]\nmx[1:2]\n",
        "site/20": "relay: {hosts: {r1: }}\n",
        "site/notes.txt": "not read",
        "site/group_vars/mx": "ansible_user: site\n",
        "more/hosts.json": '{"_meta": {"hostvars": {"mx3": {"ansible_port": 26}}}, "mx": {"hosts": ["mx3"]}}',
        "more/group_vars/mx": "ansible_user: more\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    inventory = load_inventory([tmp_path / "site", tmp_path / "more/hosts.json", "x1,x2"])
    assert inventory.hosts == ("mx1", "mx2", "r1", "mx3", "x1", "x2")
    assert [(t.name, t.user, t.port) for t in inventory.select("mx")] == [
        ("mx1", "more", None),
        ("mx2", "more", None),
        ("mx3", "more", 26),
    ]
    assert names(inventory, "ungrouped") == ["x1", "x2"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("all", "lone a1 a2 b1 b2"),
        ("b:a", "b1 b2 a2 a1"),
        ("a:&b", "a2"),
        ("a,!a1", "a2"),
        ("!a", "lone b1 b2"),
        ("~[ab]1", "a1 b1"),
        ("?2", "a2 b2"),
        ("both[1:2]", "a2 b1"),
        ("both[-1]", "b2"),
        ("a[1]:lone", "a2 lone"),
    ],
)
def test_patterns_choose_in_order(pattern: str, expected: str, load: Load) -> None:
    inventory = load(
        "all: {hosts: {lone: }, children: {a: {hosts: {a1: , a2: }}, b: {hosts: {b1: , b2: , a2: }}, "
        "both: {children: {a: , b: }}}}"
    )
    assert names(inventory, pattern) == expected.split()


def test_twice_the_same_key_is_said(load: Load) -> None:
    inventory = load("all:\n  hosts:\n    h1: {a: 1}\n    h1: {a: 2}\n")
    assert any("h1 is there twice" in warning for warning in inventory.warnings)
    assert inventory.variables("h1") == {"a": 2}


def test_any_name_that_ssh_knows_needs_no_inventory() -> None:
    inventory = load_inventory([])
    assert one(inventory, "mx1.example.jp") == Target(name="mx1.example.jp", host="mx1.example.jp")
    target = one(inventory, "ops@mx1.example.jp:2222")
    assert (target.name, target.host, target.port, target.user) == (
        "ops@mx1.example.jp:2222",
        "mx1.example.jp",
        2222,
        "ops",
    )
    assert one(inventory, "[2001:db8::1]:22").host == "2001:db8::1"
    assert one(inventory, "2001:db8::1").host == "2001:db8::1"
    assert names(inventory, "mx[01:03]") == ["mx01", "mx02", "mx03"]
    assert names(inventory, "all") == []


def test_name_outside_of_the_inventory_has_the_variables_of_all(load: Load) -> None:
    inventory = load(
        "all: {vars: {ansible_user: ops, pfremote_max_minutes: 5}, hosts: {h1: {ansible_host: 192.0.2.1}}}"
    )
    target = one(inventory, "other.example.jp")
    assert (target.user, target.vars["pfremote_max_minutes"]) == ("ops", 5)
    known = one(inventory, "root@h1:2200")
    assert (known.name, known.host, known.user, known.port) == ("h1", "192.0.2.1", "root", 2200)
    with pytest.raises(UsageError, match="twice"):
        inventory.select("h1,root@h1")


def test_localhost_is_local_unless_the_inventory_says_otherwise(load: Load) -> None:
    assert one(load_inventory([]), "localhost").connection == "local"
    inventory = load("all: {hosts: {127.0.0.1: {ansible_connection: ssh}}}")
    assert (one(inventory, "localhost").name, one(inventory, "localhost").connection) == ("127.0.0.1", "ssh")
    assert names(inventory, "all") == ["127.0.0.1"]


@pytest.mark.parametrize(
    "pattern", ["mx*", "~mx", "h1:!h9", "h1:&nowhere", "!", "h1[0]x[", "g[5]", "~(", "@/nowhere", "a[b"]
)
def test_pattern_that_matches_nothing_is_an_error(pattern: str, load: Load) -> None:
    inventory = load("all: {children: {g: {hosts: {h1: }}}}")
    with pytest.raises(UsageError) as caught:
        inventory.select(pattern)
    assert caught.value.hint


def test_limit_may_name_a_host_that_was_typed(load: Load) -> None:
    inventory = load("all: {hosts: {h1: , h2: }}")
    assert names(inventory, "h1,new.example.jp", "new.example.jp") == ["new.example.jp"]
    assert names(inventory, "all", "!h1") == ["h2"]
    with pytest.raises(UsageError):
        inventory.select("all", "h9")


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("a:b", ["a", "b"]),
        ("a,b", ["a", "b"]),
        ("mx:&prod,!mx3", ["mx", "&prod", "!mx3"]),
        ("h:22", ["h:22"]),
        ("mx[1:3]:db", ["mx[1:3]", "db"]),
        ("2001:db8::1", ["2001:db8::1"]),
        ("[2001:db8::1]:22", ["[2001:db8::1]:22"]),
        ("u@h:22,x", ["u@h:22", "x"]),
        ("a b : c", ["a", "b", "c"]),
        ("a b,~c:d", ["a b", "~c:d"]),
        (" , ", []),
    ],
)
def test_pattern_is_split(text: str, terms: list[str]) -> None:
    assert split_pattern(text) == terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("h", ["h"]),
        ("h[1:3]", ["h1", "h2", "h3"]),
        ("h[01:20:9]", ["h01", "h10", "h19"]),
        ("h[:2]", ["h0", "h1", "h2"]),
        ("[a:c]x[1:2]", ["ax1", "ax2", "bx1", "bx2", "cx1", "cx2"]),
        ("h[3:1]", []),
    ],
)
def test_range_is_expanded(text: str, expected: list[str]) -> None:
    assert expand_ranges(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "h[1]",
        "h[1:]",
        "h[01:100]",
        "h[c:a]",
        "h[1:b]",
        "h[1:2:0]",
        "h[1:2:x]",
        "h[1:2",
        "h]1:2[",
        "h[0:9999999]",
    ],
)
def test_wrong_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        expand_ranges(text)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(1, 9))
def test_range_counts_like_python(first: int, last: int, step: int) -> None:
    assert expand_ranges(f"h[{first}:{last}:{step}]") == [f"h{n}" for n in range(first, last + 1, step)]


@given(st.text(max_size=30))
def test_any_pattern_gives_targets_or_a_usage_error(text: str) -> None:
    try:
        chosen = load_inventory([]).select(text.replace("@", ""))
    except UsageError:
        return
    assert all(target.host for target in chosen)


def test_port_and_login_are_split() -> None:
    assert split_port("h:22") == ("h", 22)
    assert split_login("u@[2001:db8::1]:22") == ("u", "2001:db8::1", 22)
    assert split_login("-oProxyCommand=x") is None
    assert split_login("h:99999") is None


def test_examples_say_the_same_in_yaml_and_in_ini() -> None:
    yaml, ini = (load_inventory([EXAMPLES / f"example.{kind}"]) for kind in ("yml", "ini"))
    described = [
        {
            t.name: (t.host, t.port, t.user, t.private_key, t.instance, t.ssh_common_args, t.vars)
            for t in i.select("all")
        }
        for i in (yaml, ini)
    ]
    assert described[0] == described[1]
    assert len(described[0]) == 9
    assert names(yaml, "mx:&tokyo") == ["mx1.example.jp", "mx2.example.jp"]
    assert one(yaml, "imap").private_key == "~/.ssh/osaka_ed25519"
    assert one(yaml, "submit01.example.jp").vars["pfremote_max_minutes"] == 15
    assert "@outgoing:" in yaml.as_graph()
    with pytest.raises(UsageError):
        yaml.as_graph("nowhere")


def test_a_comment_may_be_in_any_encoding(tmp_path: Path) -> None:
    path = tmp_path / "hosts.ini"
    path.write_bytes("# メール\n[mx]\nh1\n".encode("euc-jp"))
    assert load_inventory([path]).hosts == ("h1",)
    path.write_bytes("h1 a=メール\n".encode("euc-jp"))
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_inventory([path])


def shown(inventory: Inventory, host: str = "h1") -> object:
    listing = inventory.as_listing()
    meta = listing["_meta"]
    assert isinstance(meta, dict)
    return meta["hostvars"].get(host, {})


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("all: {hosts: {h1: {a: !unsafe ['{{ x }}', 1]}}}", "hosts.yml", {"a": [{"__ansible_unsafe": "{{ x }}"}, 1]}),
        (
            "all: {hosts: {h1: {a: 2001-12-14 21:59:43, b: !!set {c}}}}",
            "hosts.yml",
            {"a": "2001-12-14T21:59:43", "b": ["c"]},
        ),
        ("all: {hosts: {h1: {a: 1, groups: x, playbook_dir: y}}}", "hosts.yml", {"a": 1}),
        ('{"all": {"hosts": {"h1": {"a": 1e3, "b": "\\ud83d\\ude00", "c": {"<<": {"d": 1}}}}}}', "hosts.json", None),
        ("h1 a=\"b'{{ x }}'\"", "hosts.ini", {"a": {"__ansible_unsafe": "{{ x }}"}}),
        ("h1:0", "hosts.ini", {}),
    ],
)
def test_values_are_shown_as_ansible_shows_them(text: str, name: str, expected: object, load: Load) -> None:
    emoji = {"a": 1000.0, "b": "\U0001f600", "c": {"<<": {"d": 1}}}
    assert shown(load(text, name)) == (emoji if expected is None else expected)


def test_wrong_value_in_json_has_its_line(load: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        load('{"all": {"hosts": {"h1": {\n"a": "[\\n{",\n  "pfremote_x": 1e3}}}}', "hosts.json")
    assert caught.value.line == 3


def test_group_used_before_it_is_declared_is_the_later_child(load: Load) -> None:
    inventory = load("[site:children]\nmx\ndb\n[mx]\nh1\n[db]\nh2\n[top:children]\nlate\nmx\n[late]\nh3\n", "hosts.ini")
    assert names(inventory, "site") == ["h1", "h2"]
    assert names(inventory, "top") == ["h1", "h3"]


def test_only_a_host_name_has_its_port_split_off(load: Load) -> None:
    inventory = load("h1:22\nx_:22\nmx[1:2]:22\n", "hosts.ini")
    assert inventory.hosts == ("h1", "x_:22", "mx1", "mx2")
    assert load_inventory(["mx[1:2]:22,h2:22,"]).hosts == ("mx[1:2]:22", "h2")


def test_folder_named_again_counts_last(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder / "group_vars").mkdir(parents=True)
        (tmp_path / folder / "a").write_text("h1\n")
        (tmp_path / folder / "b").write_text("h1\n")
        (tmp_path / folder / "group_vars" / "all").write_text(f"where: {folder}")
    inventory = load_inventory([tmp_path / "one/a", tmp_path / "two/a", tmp_path / "one/b"])
    assert inventory.variables("h1")["where"] == "one"


def test_name_of_a_host_and_a_group_is_the_host_but_not_behind_a_mark(load: Load) -> None:
    inventory = load("h1\n[h1]\nh2\n", "hosts.ini")
    assert names(inventory, "h1") == ["h1"]
    assert names(inventory, "all:!h1") == ["h1"]
    assert names(inventory, "all:&h1") == ["h2"]


def test_priority_may_be_a_number_of_any_kind(load: Load) -> None:
    inventory = load("[a]\nh1\n[b]\nh1\n[a:vars]\nansible_group_priority=2.5\nx=a\n[b:vars]\nx=b\n", "hosts.ini")
    assert inventory.variables("h1")["x"] == "a"


def test_only_yaml_and_json_in_a_folder_of_variables(load: Load) -> None:
    inventory = load("h1\n", "hosts.ini", **{"host_vars/h1/a.": "x: 1", "host_vars/h1/b.yml": "y: 1"})
    assert inventory.variables("h1") == {"y": 1}


def test_value_that_cannot_be_read_is_an_error_where_a_range_is_empty_too(load: Load) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load("all: {hosts: {'h[3:1]': {a: <<}}}")


def test_groups_nested_without_end_are_an_error_and_no_fault_of_ours(tmp_path: Path) -> None:
    chain = "".join(f"[g{number}:children]\ng{number + 1}\n" for number in range(5000))
    (tmp_path / "hosts").write_text(f"{chain}[g5000]\nmx1\n")
    with pytest.raises(ConfigError, match="nested more than 200 deep"):
        load_inventory([tmp_path / "hosts"])


def test_a_tree_that_is_far_larger_than_its_inventory_is_cut_off(tmp_path: Path) -> None:
    """Each group is under two parents: 40 levels make 2^40 lines."""
    levels = "".join(f"[{side}{n}:children]\na{n + 1}\nb{n + 1}\n" for n in range(40) for side in "ab")
    (tmp_path / "hosts").write_text(f"{levels}[a40]\nmx1\n[b40]\nmx1\n")
    inventory = load_inventory([tmp_path / "hosts"])
    assert names(inventory, "all") == ["mx1"]
    with pytest.raises(UsageError, match="more than 200000 lines"):
        inventory.as_graph()


def test_json_that_is_nested_without_end_is_no_json(tmp_path: Path) -> None:
    program = tmp_path / "hosts.sh"
    program.write_text("#!/bin/sh\nprintf '{\"all\": '\nhead -c 200000 /dev/zero | tr '\\0' '['\n")
    program.chmod(0o755)
    with pytest.raises(ConfigError, match="nested too deeply"):
        load_inventory([program])
