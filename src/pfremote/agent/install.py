"""The agent as an installed program: the file, its sudoers line, and the steps that install and remove both."""

from __future__ import annotations

import re

from pfremote.agent import load_agent
from pfremote.errors import UsageError

#: Where the helper goes unless told otherwise; sudo's own secure_path has it.
HELPER_PLACE = "/usr/local/sbin/pfremote-agent"

#: Run as root with the helper on stdin: PATH of the helper, and the sudoers line or nothing. A file in sudoers.d whose
#: name has a dot is not read by sudo (sudoers(5), "Including other files"), so the new one is checked before it counts.
INSTALL_SCRIPT = r"""
set -eu
umask 022
PATH=/usr/sbin:/usr/bin:/sbin:/bin
new=$1.new.$$
line=$2
rules=/etc/sudoers.d/pfremote
trap 'rm -f -- "$new" "$rules.new"' EXIT
mkdir -p -- "${1%/*}"
cat >"$new"
sh -n "$new"
chown 0:0 "$new"
chmod 0755 "$new"
mv -f -- "$new" "$1"
echo "agent $1"
[ -n "$line" ] || exit 0
{ cat "$rules" 2>/dev/null || true; } | grep -vxF -- "$line" >"$rules.new" || true
printf '%s\n' "$line" >>"$rules.new"
chown 0:0 "$rules.new"
chmod 0440 "$rules.new"
visudo -cqf "$rules.new"
mv -f -- "$rules.new" "$rules"
echo "sudoers line $rules"
"""

#: Run as root: PATH of the agent, and the sudoers line. It undoes what the script above did: the line first, and the
#: agent only where it is ours and no sudoers file names it any more.
REMOVE_SCRIPT = r"""
set -eu
umask 022
PATH=/usr/sbin:/usr/bin:/sbin:/bin
line=$2
rules=/etc/sudoers.d/pfremote
trap 'rm -f -- "$rules.new"' EXIT
if [ -f "$rules" ] && grep -qxF -- "$line" "$rules"; then
	grep -vxF -- "$line" "$rules" >"$rules.new" || true
	if grep -q '[^[:space:]]' "$rules.new"; then
		chown 0:0 "$rules.new"
		chmod 0440 "$rules.new"
		visudo -cqf "$rules.new"
		mv -f -- "$rules.new" "$rules"
	else
		rm -f -- "$rules"
	fi
	echo "removed the sudoers line: $rules"
fi
[ -f "$1" ] || exit 0
if ! head -n 5 -- "$1" | grep -qx 'PFREMOTE_INSTALLED=yes'; then
	echo "left alone, it is not the agent: $1"
	exit 0
fi
for file in /etc/sudoers /etc/sudoers.d/*; do
	if grep -v '^[[:space:]]*#' "$file" 2>/dev/null | grep -qF -- "$1"; then
		echo "left the agent, $file still names it: $1"
		exit 0
	fi
done
rm -f -- "$1"
echo "removed the agent: $1"
"""


def render_sudoers(user: str, path: str) -> str:
    """Return the one sudoers line (sudoers(5)). The agent checks every argument itself, so any may be given.

    Raises:
        UsageError: a name or path that sudoers would read as something else.
    """
    if not re.fullmatch(r"[%+]?[A-Za-z_][A-Za-z0-9_.-]*\$?", user):
        raise UsageError(f"{user!r} is no user or group name", hint="Type for example: --for %postfix-debug")
    check_helper_path(path)
    return f"{user} ALL=(root) NOPASSWD: {path}"


def check_helper_path(path: str) -> None:
    """Raise UsageError unless ``path`` is a plain absolute path that sudoers and sh read alike."""
    if not re.fullmatch(r"(/[A-Za-z0-9_.-]+)+", path) or "/../" in path:
        raise UsageError(f"{path!r} is no plain absolute path", hint=f"Type for example: --path {HELPER_PLACE}")


def make_helper() -> bytes:
    """Return the agent as a program of its own, which knows that it is a privilege boundary."""
    # Not every sudoers has secure_path: the caller's PATH must not choose even the first program.
    head = b"#!/bin/sh\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\nPFREMOTE_INSTALLED=yes\n"
    return head + load_agent()
