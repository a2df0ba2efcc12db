"""What ``-v`` to ``-vvvv`` show of our own work, as levels of the standard library's logging.

Nothing that is logged may hold a secret, whatever the level: passwords travel as
:class:`pfremote.model.secret.Secret` and are revealed only where they are written to sudo, and payloads (log lines,
main.cf) are counted, not logged.
"""

from __future__ import annotations

import logging

#: ``-v``: the way to a host, and why it is not the usual one.
ROUTE = logging.INFO
#: ``-vv``: each call of the agent, what it came to and how long it took.
CALL = 15
#: ``-vvv``: the lines of the agent's protocol.
PROTOCOL = logging.DEBUG
#: ``-vvvv``: what Paramiko and ssh(1) say of the connection.
TRANSPORT = 5

#: The number of v's at which a level is shown.
BY_VERBOSITY = {1: ROUTE, 2: CALL, 3: PROTOCOL, 4: TRANSPORT}
