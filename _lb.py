import sys, time
from pathlib import Path
from pfremote.loopback import LoopbackHost
with LoopbackHost() as host:
    Path("/tmp/scr_host").write_text(f"{host.ssh_config}\n{host.config_directory}\n{host.smtp_port}\n{host.root}\n")
    print("up", flush=True)
    end=time.time()+2400
    while time.time()<end and not Path("/tmp/scr_stop").exists(): time.sleep(1)
