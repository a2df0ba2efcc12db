"""Values that are not plain data: where they were written, and the two marks that Ansible puts on text. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from pfremote.errors import ConfigError


class HostConfigError(ConfigError):
    """The inventory says something of one host that pfremote cannot follow. The other hosts are served."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was written: file, line (1-based; None where the format has none), path inside.

    ``secret`` is set where the whole file is encrypted: no value of it is shown.
    """

    file: str
    line: int | None = None
    path: str = ""
    secret: bool = False

    def fail(self, message: str, hint: str = "") -> ConfigError:
        """Return (not raise) an error about this value."""
        return ConfigError(message, file=self.file, line=self.line, path=self.path, hint=hint)

    def refuse(self, message: str, hint: str = "") -> HostConfigError:
        """Return (not raise) an error that keeps one host from being served, and no other."""
        return HostConfigError(message, file=self.file, line=self.line, path=self.path, hint=hint)


@dataclass(frozen=True, slots=True, repr=False)
class Encrypted:
    """A text that ansible-vault encrypted; opened only when its value is needed."""

    ciphertext: str

    def __repr__(self) -> str:
        return "Encrypted(****)"


class Unsafe(str):
    """A text marked ``!unsafe``: braces in it are not a template."""

    __slots__ = ()


#: The first bytes of a file that ansible-vault encrypted as a whole.
VAULT_HEADER = "$ANSIBLE_VAULT"

#: Variables that hold a password; they are kept as a Secret, and masked wherever they would be shown.
PASSWORD_VARIABLES = frozenset(
    {
        *("ansible_become_password", "ansible_become_pass", "ansible_sudo_pass", "ansible_su_pass"),
        *("ansible_password", "ansible_ssh_pass", "ansible_ssh_password"),
    }
)


def convert_marks(value: object) -> object:
    """Return ``value`` with Ansible's JSON marks (``__ansible_vault``, ``__ansible_unsafe``) as classes."""
    if isinstance(value, dict):
        if len(value) == 1:
            if isinstance(text := value.get("__ansible_vault"), str):
                return Encrypted(text)
            if isinstance(text := value.get("__ansible_unsafe"), str):
                return Unsafe(text)
        return {key: convert_marks(item) for key, item in value.items()}
    if isinstance(value, list):
        return [convert_marks(item) for item in value]
    return value
