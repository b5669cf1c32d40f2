"""Train with what the machine has to spare: at the lowest priority, for as long as it is left to run.

    python -m leadline_models.background start --home DIR          # or goes on where it was, after any kill
    python -m leadline_models.background status --home DIR
    python -m leadline_models.background export --home DIR --out leadline-nano
    python -m leadline_models.background stop --home DIR

`start` returns at once. DIR, outside the repository, takes about 4 GB. See `--help` of each.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from .home import AlreadyRunning, Home
from .plan import CONFIGS

STOP_S = 60


def start(home: Home, options: argparse.Namespace) -> None:
    owner = home.owner()
    if owner:
        raise AlreadyRunning(f"{home.folder}: process {owner} trains here already")
    home.folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "leadline_models.background.supervisor", "--home", str(home.folder.resolve())]
    command += ["--plan", str(options.plan.resolve()), "--lower-bound", str(options.lower_bound)]
    command += ["--cores", str(options.cores)]
    command += ["--init", str(options.init.resolve())] if options.init else []
    package_root = Path(__file__).parents[2]
    with home.log.open("a") as log:
        process = subprocess.Popen(
            command, cwd=package_root, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    print(f"process {process.pid} trains in {home.folder}; it says so in {home.log}")


def stop(home: Home) -> None:
    owner = home.owner()
    if not owner:
        print("nothing runs")
        return
    os.kill(owner, signal.SIGTERM)
    deadline = time.monotonic() + STOP_S
    while home.owner() == owner and time.monotonic() < deadline:
        time.sleep(0.5)
    print("stopped" if home.owner() != owner else f"process {owner} is still saving")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    each = {name: commands.add_parser(name) for name in ("start", "status", "stop", "export")}
    for command in each.values():
        command.add_argument("--home", type=Path, required=True)
    each["start"].add_argument("--plan", type=Path, default=CONFIGS / "plans" / "background.json")
    each["start"].add_argument("--init", type=Path, help="where nothing is trained yet: a bundle's model.safetensors")
    each["start"].add_argument("--cores", type=int, default=os.cpu_count(), help="half of them render")
    each["start"].add_argument("--lower-bound", type=int, default=160, help="network's shorter side on the hold-out")
    each["export"].add_argument("--out", type=Path, required=True, help="the bundle; replaced only by a better one")
    each["export"].add_argument("--name", default="leadline-nano")
    each["export"].add_argument("--title", default="Leadline Nano: streaming relative depth, 5 M parameters")
    each["export"].add_argument("--lower-bound", type=int, default=160)
    each["export"].add_argument(
        "--cpu-precision",
        choices=["fp32", "int8"],
        default="int8",
        help="the encoder's arithmetic in service, on CPUs made for it",
    )
    each["export"].add_argument("--rgbd", type=Path, help="folder of RGB-D frames, for figures beside the hold-out's")
    options = parser.parse_args(arguments)

    home = Home(options.home)
    try:
        if options.command == "start":
            start(home, options)
        elif options.command == "stop":
            stop(home)
        elif options.command == "status":
            from .status import describe

            print(describe(home))
        else:
            from .export_best import export_best

            print(export_best(home, options))
    except AlreadyRunning as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
