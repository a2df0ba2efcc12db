"""Inputs that went wrong once, each with what is said of them now; nobody is contacted but a closed port of loopback."""

from __future__ import annotations

import gc
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pfremote import cli
from pfremote.inventory import load_inventory

CASES = Path(__file__).parents[2] / "fixtures" / "cases" / "inventory"
#: Folders without ansible-inventory.
SYSTEM_PATH = "/usr/bin:/bin"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run pfremote in a copy of one case; return exit code, stdout and stderr, the copy's own path taken off."""
    monkeypatch.setenv("PATH", SYSTEM_PATH)

    def call(case: str, *words: str) -> tuple[int, str, str]:
        folder = tmp_path / case
        if not folder.exists():
            shutil.copytree(CASES / case, folder)
            if (folder / "pw").exists():
                (folder / "pw").chmod(0o600)
        monkeypatch.chdir(folder)
        code = cli.main([*words])
        shown = capsys.readouterr()
        return code, shown.out, shown.err.replace(f"{folder}/", "")

    return call


def hosts(out: str) -> list[str]:
    return out.split()


def test_hosts_are_listed_without_their_passwords(run: Run) -> None:
    for case in ("become-password-vault", "become-password-from-vault-file"):
        assert run(case, "status", "-i", "hosts.yml", "mx", "--list-hosts") == (0, "mx1\nmx2\n", "")


@pytest.mark.parametrize("case", ["become-password-vault", "become-password-from-vault-file"])
@pytest.mark.parametrize(
    "words",
    [
        ("status", "mx", "--become-password-file", "pw"),
        ("check", "mx", "--peer", "192.0.2.4", "--become-password-file", "pw"),
        ("check", "mx", "--peer", "192.0.2.4", "-e", "ansible_become_password=w"),
        ("check", "mx", "--peer", "192.0.2.4", "-e", "ansible_become_pass=w"),
    ],
)
def test_a_password_that_is_given_goes_before_an_encrypted_one(case: str, words: tuple[str, ...], run: Run) -> None:
    code, *shown = run(case, *words, "-T", "2", "-i", "hosts.yml")
    said = "".join(shown)
    assert code == 4
    assert "connection refused" in said and "cannot be rendered" not in said


def test_an_encrypted_password_without_a_vault_password_names_its_place(run: Run) -> None:
    code, _, err = run("become-password-vault", "status", "-i", "hosts.yml", "mx")
    assert code == 2
    assert err.startswith("error: group_vars/mx.yml:3: ansible_become_password: ")
    assert "-J" in err and "-K" in err


def test_a_variable_that_is_missing_may_be_in_the_encrypted_file(run: Run) -> None:
    code, _, err = run("become-password-from-vault-file", "status", "-i", "hosts.yml", "mx")
    assert code == 2
    assert err.startswith("error: group_vars/mx/vars.yml:3: ansible_become_password: ")
    assert "vault_sudo is not set; it may be in the encrypted" in err
    assert "group_vars/mx/vault.yml" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "a.yml", "-i", "mx1,", "--check"), "a.yml:3: there is a control character (U+0000)"),
        (("run", "b.yml", "-i", "mx1,", "--check"), "b.yml:1: there is a control character (U+001B)"),
        (("run", "t.yml", "-i", "mx1,", "--check"), "t.yml:2: this is not YAML: a tab stands where YAML wants blanks"),
        (("run", "two.yml", "-i", "mx1,", "--check"), "two.yml:3: this is not YAML: there is a second document"),
        (("inventory", "-i", "bom", "--graph"), "bom:1: this file begins with a byte order mark"),
    ],
)
def test_odd_characters_are_said_with_their_line(words: tuple[str, ...], said: str, run: Run) -> None:
    code, _, err = run("control-character-without-a-line", *words)
    assert code == 2
    assert err.startswith(f"error: {said}")


def test_group_vars_beside_the_playbook_count(run: Run) -> None:
    code, _, err = run(
        "group-vars-beside-the-playbook", "run", "site.yml", "-i", "inventory/hosts", "--check", "-T", "2"
    )
    assert code == 2
    assert "site.yml:2: [0].debug.minutes: mx1 is debugged for 5m at most, and 1h30m is asked for" in err
    assert "Write minutes: 5" in err


def test_group_vars_where_the_operator_stands_count_as_with_ansible(run: Run) -> None:
    words = ("debug", "mx", "--peer", "192.0.2.4", "--minutes", "90", "-i", "inventory/hosts")
    code, _, err = run("group-vars-beside-the-playbook", *words)
    assert code == 2
    assert "mx1 is debugged for 5m at most" in err


def test_the_hint_for_a_plugin_names_what_was_given(run: Run) -> None:
    code, _, err = run("hint-for-a-plugin-in-a-folder", "status", "-i", "inv", "all", "--list-hosts")
    assert code == 2
    assert "ansible-inventory -i inv --list > hosts.json" in err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a", ("a.yml:2: [0].debug.minutes: ", "Write minutes: 120")),
        ("b", ("b.yml:2: [0].debug.level: ", "Write level: 2, or add allow_content: true")),
        ("c", ("c.yml:3: [0].vars.peer: peer is encrypted", "-e peer=VALUE")),
        ("d", ("-e NAME=VALUE", "ansible_user", "d.yml:5: [0].tags")),
        ("e", ("e.yml:1: this playbook is encrypted",)),
    ],
)
def test_hints_speak_the_playbooks_language(name: str, said: tuple[str, ...], run: Run) -> None:
    case = "hints-of-the-command-line-in-a-playbook"
    code, _, err = run(case, "run", f"{name}.yml", "-i", "hosts.yml", "--check", "-T", "2")
    assert code == 2
    assert [words for words in said if words not in err] == []
    assert "--minutes" not in err and "--level" not in err and "--allow-content" not in err


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ hostvars['b'].nothing }}", "that host has no variable nothing"),
        ("{{ hostvars['nowhere'].x }}", "nowhere is no host of the inventory"),
        ("{{ groups['nowhere'][0] }}", "nowhere is no group of the inventory"),
    ],
)
def test_what_hostvars_and_groups_lack_is_said_in_words(
    template: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hosts.yml").write_text(f'all: {{hosts: {{a: {{ansible_host: "{template}"}}, b: }}}}\n')
    assert cli.main(["status", "-i", str(tmp_path / "hosts.yml"), "a"]) == 2
    assert f"ansible_host cannot be rendered: {said}\n" in capsys.readouterr().err


def test_hostvars_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    inventory = load_inventory([CASES / "hostvars-in-proxyjump" / "hosts.yml"])
    assert inventory.target("mx1").ssh_common_args == ("-o", "ProxyJump=192.0.2.9")
    assert inventory.target("mx2").ssh_common_args == ("-J", "b1")


def test_a_filter_of_ansible_is_said_in_one_line(run: Run) -> None:
    code, _, err = run("hostvars-in-proxyjump", "status", "-i", "hosts.yml", "mx3")
    assert code == 2
    assert "No filter named 'regex_replace'" in err
    assert "introspection" not in err and "\\x0a" not in err


def test_many_hosts_in_one_group_take_time_by_their_number(tmp_path: Path) -> None:
    line = (CASES / "many-hosts-in-one-group" / "hosts").read_text()

    def measure(number: int) -> float:
        (tmp_path / "hosts").write_text(line.replace("40000", str(number)))
        gc.collect()
        begin = time.process_time()
        assert len(load_inventory([tmp_path / "hosts"]).choose("all")) == number
        return time.process_time() - begin

    gc.disable()  # it looks at all that other tests left
    try:
        measure(10000)
        assert measure(40000) < 12 * measure(10000)  # 16 times and more where it grows with the square
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (("run", "play.yml", "-i", "mx1,", "--check"), "play.yml:3: [0].debug: "),
        (("inventory", "-i", "hosts.yml", "--list"), "hosts.yml:4: all.hosts.mx1: "),
        (("inventory", "-i", "gv/hosts", "--list"), "gv/group_vars/all.yml:1: "),
    ],
)
def test_a_merge_key_that_is_no_mapping_is_said_with_its_line(words: tuple[str, ...], place: str, run: Run) -> None:
    code, _, err = run("merge-key-that-is-no-mapping", *words)
    assert code == 2
    assert err.startswith(f"error: {place}what stands behind << is no mapping\nhint: ")


def test_a_name_that_is_in_no_inventory_is_refused_with_the_near_miss(run: Run) -> None:
    case = "name-that-is-in-no-inventory"
    for pattern in ("submision", "submision:submission"):
        code, _, err = run(case, "status", "-i", "hosts", pattern, "--list-hosts")
        assert code == 2
        assert "submision is in no inventory" in err and "Did you mean submission?" in err
    assert run(case, "status", "-i", "hosts", "192.0.2.7", "--list-hosts")[:2] == (0, "192.0.2.7\n")
    assert run(case, "status", "-i", "hosts", "root@[2001:db8::1]:22", "--list-hosts")[0] == 0
    assert run(case, "status", "-i", "hosts", "submision", "--no-inventory-check", "--list-hosts")[0] == 0
    assert run(case, "status", "mx1.example.jp.", "--list-hosts")[:2] == (0, "mx1.example.jp.\n")


@pytest.mark.parametrize(("name", "said"), [("a", "10.10: a part"), ("b", "3h20m is asked for")])
def test_a_number_is_taken_as_written(name: str, said: str, run: Run) -> None:
    code, _, err = run("number-is-not-as-written", "run", f"{name}.yml", "-i", "hosts.yml", "--check", "-T", "2")
    assert code == 2
    assert said in err
    assert name == "b" or "Type 10.10.0.0/16" in err


def test_a_foreign_connection_is_that_hosts_own_refusal(run: Run) -> None:
    case = "one-foreign-connection-stops-all"
    assert hosts(run(case, "status", "-i", "hosts.yml", "all", "--list-hosts")[1]) == ["mx1", "mx2", "box1", "pc1"]
    code, shown, _ = run(case, "status", "-i", "hosts.yml", "all:!mx2", "-T", "1")
    assert code == 4
    assert re.search(r"^box1 +refused: .*hosts.yml:7: ", shown, re.M) and re.search(
        r"^pc1 +refused: .*hosts.yml:10: ", shown, re.M
    )
    assert "'all:!box1:!pc1'" in shown
    assert re.search(r"^mx1 +unreachable: cannot connect", shown, re.M)
    code, _, err = run(case, "status", "-i", "hosts.yml", "box1:pc1")
    assert code == 2
    assert err.count("error: ") == 2


def test_the_configuration_of_a_plugin_is_known_by_what_is_in_it(run: Run) -> None:
    code, _, err = run("plugin-configuration-named-config", "inventory", "-i", "inv", "--graph")
    assert code == 2
    assert err.startswith("error: inv/zz.config:1: plugin: this is the configuration of an inventory plugin")


@pytest.mark.parametrize(
    "pattern", ["relay[:2]", "relay[0:1:2]", "relay[-2:]", "re*[:1]", "all:!relay[:1]", "all[a:c]"]
)
def test_a_slice_of_a_group_is_no_range_of_hosts(pattern: str, run: Run) -> None:
    code, out, err = run("slice-of-a-group-becomes-hosts", "status", "-i", "hosts", pattern, "--list-hosts")
    assert (code, out) == (2, "")
    assert "is a group" in err and "[0:1]" in err


@pytest.mark.parametrize("case", ["template-without-a-limit", "yaml-bomb"])
def test_what_would_take_all_memory_is_an_error_at_once(case: str, run: Run) -> None:
    begin = time.process_time()
    code, _, err = run(case, "run", "a.yml", "-i", "mx1,", "--check")
    assert code == 2
    assert err.startswith("error: a.yml:")
    assert time.process_time() - begin < 5


@pytest.mark.parametrize(("name", "text"), [("a", "{{ peer }}"), ("b", "{{ target }}")])
def test_a_template_without_quotes_is_shown_with_them(name: str, text: str, run: Run) -> None:
    code, _, err = run("unquoted-braces", "run", f"{name}.yml", "-i", "hosts.yml", "--check")
    assert code == 2
    assert f'Write it in quotes: "{text}".' in err


def test_all_plays_are_looked_at_before_the_first_contact(run: Run) -> None:
    code, out, err = run("wrong-peer-in-the-second-play", "run", "two.yml", "-i", "hosts.yml", "-T", "2")
    assert (code, out) == (2, "")
    assert err.startswith("error: two.yml:6: [1].debug.peers[0]: 192.0.2.300: this is not an IP address\nhint: ")


def test_a_list_of_hosts_is_shown_as_it_should_be(run: Run) -> None:
    code, _, err = run("yaml-list-of-hosts", "inventory", "-i", "hosts.yml", "--graph")
    assert code == 2
    assert err == "error: hosts.yml:3: mx.hosts: a mapping is wanted here\nhint: Write mx1: instead of - mx1.\n"


def test_every_case_has_a_test() -> None:
    text = Path(__file__).read_text()
    assert {path.name for path in CASES.iterdir() if f'"{path.name}"' not in text} == set()
