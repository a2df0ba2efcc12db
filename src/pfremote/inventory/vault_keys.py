"""The vault passwords of one run: where each comes from, and which of them opens a text.

A password is fetched (a file read, a program run, a question asked) when the first encrypted value is needed. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from pfremote.inventory.values import Origin
from pfremote.inventory.vault import Envelope, open_envelope, parse_envelope
from pfremote.model.secret import KNOWN_SECRETS, Secret

DEFAULT_LABEL = "default"
_NONE = "-J asks for the vault password, --vault-password-file FILE and --vault-id LABEL@SOURCE read it"


@dataclass(frozen=True, slots=True)
class VaultKey:
    """One vault password: its vault id, where it comes from in words, and how to get it."""

    label: str
    source: str
    fetch: Callable[[], Secret] = field(repr=False)


class VaultKeys:
    """Opens encrypted texts, each once. Without keys nothing is opened, and the error says which option helps.

    With ``match`` only the key whose id the text names is tried, as with Ansible's ``vault_id_match``.
    """

    def __init__(self, keys: Iterable[VaultKey] = (), *, match: bool = False) -> None:
        self._keys = tuple(keys)
        self._match = match
        self._passwords: dict[int, bytes] = {}
        self._opened: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._keys)

    def unlock(self, text: str, what: str, origin: Origin, instead: str = "") -> str:
        """Return what was encrypted. ``what`` names it in errors, ``instead`` is one more way for the hint.

        Raises:
            HostConfigError: there is no vault password at all.
            ConfigError: none of the passwords fits, or the text is damaged; with file and line.
        """
        if text not in self._opened:
            self._opened[text] = self._unlock(text, what, origin, instead)
        return self._opened[text]

    def _unlock(self, text: str, what: str, origin: Origin, instead: str) -> str:
        if not self._keys:
            hint = f"{_NONE}; {instead}." if instead else f"{_NONE}."
            raise origin.refuse(f"{what} is encrypted, and no vault password is given", hint)
        try:
            envelope = parse_envelope(text)
        except ValueError as exc:
            hint = "Encrypt it again, with encrypt_string or encrypt of ansible-vault."
            raise origin.fail(f"{what} cannot be decrypted: {exc}", hint) from exc
        plain = self._try_all(envelope)
        if plain is None:
            raise origin.fail(f"{what} cannot be decrypted: {self._explain(envelope)}", _give(envelope))
        return plain

    def _try_all(self, envelope: Envelope) -> str | None:
        for number in self._order(envelope.label):
            if number not in self._passwords:
                self._passwords[number] = self._keys[number].fetch().reveal().encode("utf-8", "surrogateescape")
            data = open_envelope(envelope, self._passwords[number])
            if data is not None:
                return data.decode("utf-8", "replace")
        return None

    def _order(self, label: str) -> Sequence[int]:
        """The keys of the text's own id first, then the others, in the order in which they were given."""
        every = range(len(self._keys))
        own = [number for number in every if self._keys[number].label == label]
        if self._match and label:
            return own
        return [*own, *(number for number in every if number not in own)]

    def _explain(self, envelope: Envelope) -> str:
        tried = ", ".join(self._keys[number].source for number in self._order(envelope.label))
        if not tried:
            return f"it is for the vault id {envelope.label}, and no password of that id is given"
        return f"the vault password is wrong ({tried})"


def _give(envelope: Envelope) -> str:
    label = envelope.label or DEFAULT_LABEL
    return f"Give the one that it was encrypted with: --vault-id {label}@FILE, or --vault-id {label}@prompt."


#: No password at all.
NO_KEYS = VaultKeys()


def note_secrets(value: object) -> None:
    """Let every text in a decrypted value be known as a secret, so that it is masked wherever it turns up."""
    if isinstance(value, str):
        KNOWN_SECRETS.add(value)
    elif isinstance(value, dict):
        for item in value.values():
            note_secrets(item)
    elif isinstance(value, list):
        for item in value:
            note_secrets(item)
