"""Runs a command in a terminal of its own: types what comes on stdin, prints what the command prints, closes the terminal
when stdin ends, and says at last how the command ended."""

import json
import os
import pty
import select
import sys

pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])

while True:
    readable, _, _ = select.select([0, terminal], [], [])
    if 0 in readable:
        typed = os.read(0, 1024)
        if not typed:
            break
        os.write(terminal, typed)
    if terminal in readable:
        try:
            os.write(1, os.read(terminal, 65536))
        except OSError:
            break
os.close(terminal)
_, status = os.waitpid(pid, 0)
ended = {"exitCode": os.WEXITSTATUS(status)} if os.WIFEXITED(status) else {"signal": os.WTERMSIG(status)}
print("\nended: " + json.dumps(ended), flush=True)
