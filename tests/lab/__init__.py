"""Whole mail hosts to test on: systemd, journald, rsyslog, sshd, Postfix, Dovecot; power and cables too.

Each is a systemd-nspawn container with a disk (an overlay over a cached Debian tree) and a network namespace
of its own. The boot id changes with every boot, as on real hosts; /proc/uptime and the clock are those of the
outer machine::

    with Lab(machines=2) as lab:
        mx1 = lab.machines["mx1"]
        lab.client.fail_auth(mx1)
        lab.run(["ssh", "-F", str(lab.ssh_config), "mx1", "sudo", "postconf", "-n"])
        mx1.power_cut()
        mx1.boot()
"""

from tests.lab.client import Client
from tests.lab.lab import Lab
from tests.lab.machine import Machine
from tests.lab.requirements import LabUnavailableError, missing_lab_requirements

__all__ = ["Client", "Lab", "LabUnavailableError", "Machine", "missing_lab_requirements"]
