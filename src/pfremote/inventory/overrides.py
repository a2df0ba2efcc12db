"""What the command line, and the settings below the inventory, say of every host of a run. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from pfremote.inventory.graph import Variables


@dataclass(frozen=True, slots=True)
class Fallbacks:
    """What holds where neither the command line nor the inventory says anything; ansible.cfg says such things."""

    user: str | None = None
    private_key: str | None = None
    become: bool | None = None
    become_user: str | None = None
    become_method: str | None = None
    ssh_args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Overrides:
    """What goes before the inventory, whose own value is then not looked at: not rendered, and not decrypted.

    ``has_become_password`` tells that the operator gives the sudo password in another way. ``extra`` are the
    variables of ``-e``, which go before the other options too, as in Ansible; ``above`` are those of a playbook's
    ``vars_files``, which go before the inventory alone.
    """

    user: str | None = None
    private_key: str | None = None
    become: bool | None = None
    become_user: str | None = None
    instance: str | None = None
    has_become_password: bool = False
    extra: Variables = field(default_factory=Variables)
    above: Variables = field(default_factory=Variables)
    fallbacks: Fallbacks = Fallbacks()


NO_OVERRIDES = Overrides()
