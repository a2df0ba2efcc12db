"""One private mail host on loopback: real Postfix, real sshd, nothing of the machine's own touched.

Used by ``pfremote demo`` and by the tests::

    with LoopbackHost() as host:
        traffic.fail_auth_over_starttls(host)
        print(host.maillog.read_text())
"""

from pfremote.loopback.host import LoopbackHost
from pfremote.loopback.requirements import missing_requirements

__all__ = ["LoopbackHost", "missing_requirements"]
