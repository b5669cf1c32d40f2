"""A service manager's socket at the path given: prints every message, a line each, from when it says "listening"."""

import socket
import sys

manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(sys.argv[1])
print("listening", flush=True)
while True:
    print(manager.recv(4096).decode(), flush=True)
