"""The seam to the hosts: ssh through Fabric, the system's own ssh, and this machine itself."""
