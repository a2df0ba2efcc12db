"""Log in as OpenSSH would, and remember what was tried, so that a failure can name it."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator

import paramiko
from paramiko.auth_strategy import AuthSource, AuthStrategy
from paramiko.config import SSHConfig

from pfremote.errors import AuthFailed, HostError, Unreachable
from pfremote.model.secret import Secret
from pfremote.transport.algorithms import allowed_methods
from pfremote.transport.keys import KeyAgent, find_agent_socket, list_identities
from pfremote.transport.sshconfig import HostConfig


class Login(AuthStrategy):
    """Keys of agent and files, then the password; every attempt is kept in ``tried`` (names only)."""

    def __init__(self, config: HostConfig, password: Secret | None, place: str, timeout: float) -> None:
        super().__init__(ssh_config=SSHConfig())
        self._config = config
        self._password = password
        self._place = place
        self._timeout = timeout
        self._deadline = 0.0
        self._refused = 0
        self.tried: list[str] = []

    def get_sources(self) -> Iterator[AuthSource]:
        """Return nothing: :meth:`authenticate` decides step by step what comes next."""
        return iter(())

    # Paramiko calls this with its transport once the host key has been accepted.
    def authenticate(self, transport: paramiko.Transport) -> list[str]:  # type: ignore[override]
        """Try one after the other until the server is content.

        Raises:
            AuthFailed: nothing was accepted; names what was tried.
            Unreachable: the connection was lost before the server refused anything.
            TimeoutError: the server stopped answering.
        """
        self._deadline = time.monotonic() + self._timeout
        path = find_agent_socket(self._config)
        agent = KeyAgent(path, self._timeout) if path else None
        try:
            if self._with_keys(transport, agent) or self._with_password(transport):
                return []
        finally:
            if agent:
                agent.close()
        raise self._failure()

    def _with_keys(self, transport: paramiko.Transport, agent: KeyAgent | None) -> bool:
        if not self._config.is_yes("pubkeyauthentication", default=True):
            return False
        if "publickey" not in allowed_methods(self._config):
            return False
        for identity in list_identities(self._config, agent):
            if identity.key is None:
                self.tried.append(f"{identity.label} ({identity.problem})")
                continue
            self.tried.append(identity.label)
            try:
                wanted = transport.auth_publickey(self._config.user, identity.key)
            except paramiko.BadAuthenticationType:
                return False  # the server takes no keys at all
            except paramiko.AuthenticationException as exc:
                if not transport.is_active():
                    raise self._lost(transport) from exc
                if time.monotonic() > self._deadline:
                    raise TimeoutError("authentication") from exc
                self._refused += 1
                continue
            return not wanted or self._with_password(transport)
        return False

    def _with_password(self, transport: paramiko.Transport) -> bool:
        allowed = self._config.is_yes("passwordauthentication", default=True)
        allowed = allowed and "password" in allowed_methods(self._config)
        if self._password is None or not allowed or "password" in self.tried:
            return False
        self.tried.append("password")
        try:
            return not transport.auth_password(self._config.user, self._password.reveal())
        except paramiko.AuthenticationException as exc:
            if not transport.is_active():
                raise self._lost(transport) from exc
            return False

    def _lost(self, transport: paramiko.Transport) -> HostError:
        """Return why the connection went: a server that counts tries ends it (MaxAuthTries), and a cable may break."""
        if self._refused or getattr(transport, "said_goodbye", False):
            return self._failure("it closed the connection after too many keys")
        return Unreachable(
            f"cannot connect to {self._place}: the connection was lost during the login",
            hint="See whether plain ssh gets through, with: ssh -v HOST true",
        )

    def _failure(self, reason: str = "") -> AuthFailed:
        tried = ", ".join(self.tried) or "nothing, there was no key to try"
        hints = ["Set IdentitiesOnly yes and one IdentityFile for this host in ssh_config."] if reason else []
        encrypted = [name.removesuffix(" (encrypted)") for name in self.tried if name.endswith(" (encrypted)")]
        if encrypted:
            hints.append(f"Unlock the key in ssh-agent with: ssh-add {shlex.quote(encrypted[0])}")
        hints.append("Use --private-key FILE or -u USER; see what the server accepts with: ssh -v HOST true")
        because = f": {reason}" if reason else ""
        message = f"{self._place} did not let {self._config.user} in{because}; tried: {tried}"
        return AuthFailed(message, hint="\n".join(hints))
