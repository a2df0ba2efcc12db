"""The ssh command that reaches a host as pfremote does, and who logs in there, for hints that name them."""

from __future__ import annotations

import getpass
import re
import shlex

from pfremote.model.target import Target
from pfremote.transport.options import ConnectOptions
from pfremote.transport.route import make_query, read_config
from pfremote.transport.sshconfig import make_ssh_arguments

#: Where a hint names the user that logs in.
_USER = re.compile(r"(?<=--for )USER\b|(?<=Defaults:)USER\b")


def name_login(hint: str, target: Target, options: ConnectOptions) -> str:
    """Return a hint with the command for this host where it says ``: ssh HOST true``, and with its user for ``USER``.

    >>> name_login("Look with: ssh -v HOST true", Target("mx1", "10.0.0.1", port=2222), ConnectOptions(user="ops"))
    'Look with: ssh -v -p 2222 -l ops 10.0.0.1 true'
    >>> name_login("Type: pfremote sudoers --for USER", Target("mx1", "10.0.0.1", user="eve"), ConnectOptions())
    'Type: pfremote sudoers --for eve'
    """
    if _USER.search(hint):
        hint = _USER.sub(_find_user(target, options), hint)
    return hint if target.connection == "local" else _name_ssh(hint, target, options)


def _name_ssh(hint: str, target: Target, options: ConnectOptions) -> str:
    query = make_query(target, options)
    way = shlex.join((*make_ssh_arguments(query), query.name))
    # A hint about a host key has the name already.
    names = f"HOST|{re.escape(shlex.quote(query.name))}"
    command = re.compile(rf": ssh (?P<options>(?:-v |-o \S+ )?)(?:{names}) true$", re.MULTILINE)
    return command.sub(lambda found: f": ssh {found['options']}{way} true", hint)


def _find_user(target: Target, options: ConnectOptions) -> str:
    if target.connection == "local":
        return getpass.getuser()
    query = make_query(target, options)
    return query.user or read_config(query, options.connect_timeout).user
