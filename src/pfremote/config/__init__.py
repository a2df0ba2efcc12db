"""Settings that stand in files and in the environment: ansible.cfg as Ansible finds it, and pfremote's own."""

from __future__ import annotations

from pfremote.config.settings import NO_SETTINGS, Setting, Settings, load_settings

__all__ = ["NO_SETTINGS", "Setting", "Settings", "load_settings"]
