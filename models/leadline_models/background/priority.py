"""How a process makes way for every other one."""

import os
import resource
import shutil
import subprocess
from pathlib import Path

MEMORY_BYTES = 6 << 30  # of one process


def make_way() -> None:
    """Last for the processor and the disk, first to go when memory is short, and never beyond a bound of it.

    For the whole of the process and those it starts; cannot be taken back.
    """
    os.nice(19)
    # Linux weighs sessions of processes against each other first, and nice values only within one (man 7 sched, autogroup)
    autogroup = Path("/proc/self/autogroup")
    if autogroup.exists():
        autogroup.write_text("19")
    if shutil.which("ionice"):
        subprocess.run(["ionice", "-c", "3", "-p", str(os.getpid())], check=False)
    score = Path("/proc/self/oom_score_adj")
    if score.exists():
        score.write_text("1000")
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    bound = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (bound, hard))
    # threads that wait must sleep: by default they spin, which takes the core from those that have work
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
