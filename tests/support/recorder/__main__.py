"""Record all scenes, or those named: ``unshare -n -m python -m tests.support.recorder DIR [SCENE…]``.

``RECORDER_TREE=/var/cache/pfremote-lab/trixie-…`` records that Debian release's Postfix and Dovecot.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.recorder import scenes
from tests.support.recorder.dns import start_dns
from tests.support.recorder.instance import TREE, Instance, run

QUIET = 1.0


def prepare_namespace(root: Path) -> None:
    """Addresses on loopback, a route that swallows packets, and our own resolver files."""
    if len([line for line in run("ip", "-o", "link").stdout.splitlines() if "veth" in line or "eth0" in line]):
        raise SystemExit("not in a network namespace of its own; run under: unshare -n -m")
    run("ip", "link", "set", "lo", "up")
    for last in (1, 10, 11, 12, 13, 20):
        run("ip", "addr", "add", f"192.0.2.{last}/32", "dev", "lo")
    run("ip", "link", "add", "hole0", "type", "veth", "peer", "name", "hole1")
    run("ip", "addr", "add", "203.0.113.1/24", "dev", "hole0")
    run("ip", "link", "set", "hole0", "up")
    run("ip", "link", "set", "hole1", "up")
    run("ip", "neigh", "add", "203.0.113.9", "lladdr", "02:00:00:00:00:09", "dev", "hole0")
    for name, text in (
        ("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"),
        ("nsswitch.conf", "hosts: files dns\npasswd: files\ngroup: files\nservices: files\n"),
        ("hosts", "127.0.0.1 localhost\n"),
    ):
        (root / name).write_text(text)
        run("mount", "--bind", str(root / name), f"/etc/{name}")
        if TREE:
            (Path(TREE) / "etc" / name).unlink(missing_ok=True)
            (Path(TREE) / "etc" / name).write_text(text)


def enter_tree() -> None:
    """Lay a writable layer over the tree (this mount namespace alone sees it), and share /srv and /dev."""
    layer = Path("/srv/layer")
    for part in ("upper", "work"):
        (layer / part).mkdir(parents=True)
    options = f"lowerdir={TREE},upperdir={layer}/upper,workdir={layer}/work"
    run("mount", "-t", "overlay", "overlay", "-o", options, TREE)
    run("mount", "--rbind", "/srv", f"{TREE}/srv")
    run("mount", "--rbind", "/dev", f"{TREE}/dev")
    run("mount", "-t", "proc", "proc", f"{TREE}/proc")


def main(argv: list[str]) -> None:
    out, wanted = Path(argv[0]), argv[1:] or list(scenes.SCENES)
    root = Path("/srv/recorder")  # the same in every recording, since Postfix logs paths
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/srv")
    root.mkdir()
    if TREE:
        enter_tree()
    prepare_namespace(root)
    start_dns()
    instance = Instance(root, scenes.service_lines(), scenes.TRANSPORT)
    scenes.start_servers(root)
    version = ".".join(map(str, instance.version))
    instance.start()
    try:
        for name in wanted:
            before = instance.log.stat().st_size
            scenes.SCENES[name](root)
            instance.settle(QUIET if not name.startswith("outbound") else 2.5)
            with instance.log.open("rb") as log:
                log.seek(before)
                (out / f"{name}-postfix-{version}.log").write_bytes(log.read())
    finally:
        instance.stop()


main(sys.argv[1:])
