"""Record real Postfix logs of one failure each.

``unshare -n -m python -m tests.support.recorder DIR`` starts a private Postfix and Dovecot in a network
namespace of its own (no route to anywhere), makes each scene happen and writes
``CAUSE-postfix-VERSION.log``. It runs by hand, when a scene is added or another Postfix version is to be
covered; the tests read the files.
"""
