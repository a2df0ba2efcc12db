"""Repositories of inventories in the shapes that public ones have, written anew: where files stand, and how they say it.

Each shape is a function of names, so that one shape is several inventories. ``VAULTED`` files are encrypted on the way
to the disk, with :data:`PASSWORD`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from binascii import hexlify
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

PASSWORD = "the vault word"


@dataclass(frozen=True, slots=True)
class Words:
    """The names in one repository."""

    site: str
    front: str
    back: str
    domain: str
    number: int


@dataclass(frozen=True, slots=True)
class Shape:
    """Files by name, the sources below the folder, and where the playbook would stand."""

    files: dict[str, str]
    sources: tuple[str, ...]
    beside: str = "."


WORDS = tuple(
    Words(site, front, back, domain, number)
    for number, (site, front, back, domain) in enumerate(
        (
            ("production", "mx", "relay", "example.jp"),
            ("staging", "submission", "imap", "mail.example.org"),
            ("dev", "edge", "store", "lab.example.net"),
            ("tokyo", "inbound", "outbound", "example.com"),
            ("osaka", "postfix", "dovecot", "corp.example.jp"),
            ("site_a", "gateway", "lmtp", "example.net"),
            ("live", "smtp", "filter", "m.example.jp"),
            ("blue", "mta", "mda", "example.org"),
        ),
        1,
    )
)


def encrypt(text: str, salt: bytes) -> str:
    """Return ``text`` as ansible-vault encrypts it."""
    keys = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), salt, 10_000, dklen=80)
    data = text.encode()
    data += bytes([16 - len(data) % 16]) * (16 - len(data) % 16)
    encryptor = Cipher(AES(keys[:32]), CTR(keys[64:])).encryptor()
    body = encryptor.update(data) + encryptor.finalize()
    mac = hmac.new(keys[32:64], body, "sha256").digest()
    digits = hexlify(b"\n".join(map(hexlify, (salt, mac, body)))).decode()
    lines = [digits[at : at + 80] for at in range(0, len(digits), 80)]
    return "\n".join(["$ANSIBLE_VAULT;1.1;AES256", *lines, ""])


def _value(text: str, w: Words) -> str:
    return "!vault |\n" + "".join(f"  {line}\n" for line in encrypt(text, w.domain.encode()).splitlines())


def environments(w: Words) -> Shape:
    """``inventories/ENVIRONMENT/hosts.yml``, with plain and encrypted variables side by side."""
    here = f"inventories/{w.site}"
    return Shape(
        {
            f"{here}/hosts.yml": f"""---
all:
  children:
    {w.front}:
      hosts:
        {w.front}[1:{w.number + 1}].{w.domain}:
    {w.back}:
      hosts:
        {w.back}1.{w.domain}: {{ansible_port: 22{w.number:02d}}}
    {w.site}:
      children:
        {w.front}:
        {w.back}:
""",
            f"{here}/group_vars/all/vars.yml": (
                'ansible_user: deploy\nansible_become_password: "{{ vault_become }}"\nsite: ' + w.site + "\n"
            ),
            f"{here}/group_vars/all/vault.yml": encrypt(f"vault_become: sudo-{w.site}\n", w.site.encode()),
            f"{here}/group_vars/{w.back}.yml": f"ansible_user: {w.back}\npfremote_max_minutes: {w.number + 4}\n",
        },
        (f"{here}/hosts.yml",),
    )


def root_ini(w: Words) -> Shape:
    """``hosts.ini``, ``group_vars`` and ``host_vars`` at the root, beside the playbook."""
    return Shape(
        {
            "hosts.ini": f"""# mail
[{w.front}]
{w.front}0[1:3].{w.domain} ansible_port=2{w.number}22
[{w.back}]
{w.back}-a ansible_host=10.0.{w.number}.5 weight=5
{w.back}-b ansible_host=10.0.{w.number}.6 flags="['x', 'y']"

[mail:children]
{w.front}
{w.back}

[mail:vars]
ansible_user=ops
domain={w.domain}
""",
            "group_vars/mail.yml": "ansible_become: true\nlevel: mail\n",
            f"group_vars/{w.front}.yml": "level: front\n",
            f"host_vars/{w.back}-a.yml": 'ansible_host: "{{ inventory_hostname }}.{{ domain }}"\n',
        },
        ("hosts.ini",),
    )


def vars_beside_the_playbook(w: Words) -> Shape:
    """The hosts in a folder of their own, the variables beside the playbook, and some in both places."""
    return Shape(
        {
            "inventory/hosts": f"[{w.front}]\n{w.front}1 level=host\n{w.front}2\n[{w.back}]\n{w.back}1\n",
            "inventory/group_vars/all.yml": "where: inventory-all\nonly_here: 1\n",
            f"inventory/group_vars/{w.front}.yml": "where: inventory-front\n",
            f"inventory/host_vars/{w.front}2.yml": "where: inventory-host\n",
            "play/group_vars/all.yml": f"where: play-all\nansible_user: {w.site}\n",
            f"play/group_vars/{w.front}/a.yml": "where: play-front\nlevel: play\n",
            f"play/group_vars/{w.front}/b.yaml": "more: [1, 2]\n",
            f"play/host_vars/{w.front}2/x.yml": "where: play-host\n",
        },
        ("inventory/hosts",),
        "play",
    )


def nested_groups(w: Words) -> Shape:
    """Groups of groups of groups, one host in several of them, with priorities."""
    return Shape(
        {
            "hosts.yaml": f"""all:
  vars: {{tie: all, ansible_user: root}}
  children:
    {w.site}:
      vars: {{tie: site}}
      children:
        {w.site}_mail:
          vars: {{tie: mail, deep: mail}}
          children:
            {w.front}: {{vars: {{tie: front, ansible_group_priority: {w.number}}}, hosts: {{n1: , n2: }}}}
            {w.back}: {{vars: {{tie: back, ansible_group_priority: 4}}, hosts: {{n2: , n3: {{tie: host}}}}}}
    maintenance: {{hosts: {{n3: }}, vars: {{deep: maintenance}}}}
    empty:
""",
            "group_vars/maintenance.yml": "ansible_user: repair\n",
        },
        ("hosts.yaml",),
    )


def services(w: Words) -> Shape:
    """One long INI file with a group for each service, each made of groups."""
    services = [f"service_{name}" for name in ("postfix", "dovecot", "rspamd", "unbound")]
    blocks = [
        f"[{name}:children]\n{w.front}\n" if at % 2 else f"[{name}]\n{w.back}1\n" for at, name in enumerate(services)
    ]
    return Shape(
        {
            "ansible/inventory/hosts": f"[all_hosts]\n{w.front}1 ansible_host={w.front}1.{w.domain}\n{w.back}1\nadmin ansible_connection=local\n\n"
            f"[{w.front}]\n{w.front}1\n\n" + "\n".join(blocks),
            "ansible/inventory/group_vars/all_hosts/main.yml": f"---\nntp: [a.{w.domain}, b.{w.domain}]\nansible_port: '2{w.number}'\n",
            "ansible/inventory/host_vars/admin/main.yml": "note: here\n",
        },
        ("ansible/inventory",),
        "ansible/playbooks",
    )


def two_sources(w: Words) -> Shape:
    """What is common in one source, what belongs to a site in another; the last wins."""
    return Shape(
        {
            "common/hosts.yml": f"mail: {{children: {{{w.front}: {{hosts: {{s1: {{a: common}}}}}}}}, vars: {{ansible_user: common}}}}\n",
            "common/group_vars/mail.yml": "b: common\nc: common\n",
            f"{w.site}/hosts": f"[{w.front}]\ns1 a={w.site}\ns2\n[{w.site}:children]\n{w.front}\n",
            f"{w.site}/group_vars/mail.yml": f"b: {w.site}\n",
            f"{w.site}/group_vars/{w.site}": f"ansible_user: {w.site}\n",
        },
        ("common", w.site),
    )


def bastion(w: Words) -> Shape:
    """A jump host that the other hosts' arguments look up."""
    return Shape(
        {
            "hosts.yml": f"""all:
  vars:
    jump: "{{{{ groups['bastion'][0] }}}}"
  children:
    bastion: {{hosts: {{door: {{ansible_host: door.{w.domain}, ansible_user: jump}}}}}}
    {w.front}:
      hosts: {{p1: , p2: {{ansible_ssh_common_args: ""}}}}
      vars:
        ansible_ssh_common_args: "-o ProxyJump={{{{ hostvars['door']['ansible_user'] }}}}@{{{{ hostvars[jump].ansible_host }}}}"
        ansible_host: "{{{{ inventory_hostname }}}}.{w.back}.{w.domain}"
"""
        },
        ("hosts.yml",),
    )


def anchors(w: Words) -> Shape:
    """Defaults once, merged into each host."""
    return Shape(
        {
            f"{w.site}.yml": f"""x_hosts: &usual
  vars: {{}}
all:
  vars: &defaults {{ansible_user: ops, weight: {w.number}}}
  hosts:
    k1: {{<<: *defaults, weight: 9}}
    k2: {{<<: [*defaults, {{port: 1}}], ansible_port: 2{w.number}00}}
  children:
    {w.front}: {{hosts: {{k1: , k3: *defaults}}}}
""".replace("x_hosts: &usual\n  vars: {}\n", "")
        },
        (f"{w.site}.yml",),
    )


def program(w: Words) -> Shape:
    """A program, with variable files beside it."""
    listing = {
        w.front: {"hosts": ["c1", "c2"], "vars": {"ansible_user": "cloud", "kind": w.front}},
        w.site: {"children": [w.front]},
        "_meta": {"hostvars": {"c1": {"ansible_host": f"192.0.2.{w.number}"}, "c2": {"tags": ["a", w.back]}}},
    }
    return Shape(
        {
            "inv/list.sh": f"#!/bin/sh\ncat <<'END'\n{json.dumps(listing)}\nEND\n",
            f"inv/group_vars/{w.site}.yml": "kind: file\nextra: {a: [1, {b: 2}]}\n",
        },
        ("inv/list.sh",),
    )


def templates(w: Words) -> Shape:
    """Values made of values, with defaults and conditions."""
    return Shape(
        {
            "hosts": f"""[{w.front}]
t1 rack=1
t2 rack=2 fqdn=other.{w.domain}
[{w.front}:vars]
domain={w.domain}
fqdn={{{{ inventory_hostname }}}}.{{{{ domain }}}}
ansible_host={{{{ fqdn | lower }}}}
""",
            "group_vars/all.yml": f"""ops_user: "{{{{ 'root' if rack | int > 1 else 'ops' }}}}"
ansible_user: "{{{{ ops_user }}}}"
ansible_port: "{{{{ base_port | default(22) | int + {w.number} }}}}"
""",
        },
        ("hosts",),
    )


def vaulted_values(w: Words) -> Shape:
    """Single encrypted values among plain ones."""
    return Shape(
        {
            "hosts.yml": f"{w.front}: {{hosts: {{v1: , v2: {{ansible_user: plain}}}}}}\n",
            f"group_vars/{w.front}.yml": f"ansible_user: {_value('hidden-' + w.site, w)}"
            f"ansible_become_password: {_value('{{ not a template }}', w)}open: 1\n",
        },
        ("hosts.yml",),
    )


def odd_corners(w: Words) -> Shape:
    """Names with ports, IPv6, upper case, quotes and numbers of all kinds."""
    return Shape(
        {
            "hosts": f"[{w.front}]\nUPPER.{w.domain}:22{w.number}\n[2001:db8::{w.number}]:2022 note='two words' # why\n10.9.8.{w.number} n=0x1F m=1_000\n"
            f"db-[a:c:2] t=True f=1.50 z=007 e=''\n[ungrouped]\nlone ansible_ssh_host=192.0.2.{w.number}\n"
        },
        ("hosts",),
    )


def json_files(w: Words) -> Shape:
    """JSON everywhere."""
    tree = {"all": {"children": {w.front: {"hosts": {"j1": {"n": 1.0}, "j2": None}, "vars": {"ansible_user": "json"}}}}}
    return Shape(
        {
            "hosts.json": json.dumps(tree),
            f"group_vars/{w.front}.json": json.dumps({"deep": {"a": [True, None]}, "w": w.number}),
        },
        ("hosts.json",),
    )


SHAPES: tuple[Callable[[Words], Shape], ...] = (
    *(environments, root_ini, vars_beside_the_playbook, nested_groups, services, two_sources, bastion, anchors),
    *(program, templates, vaulted_values, odd_corners, json_files),
)
