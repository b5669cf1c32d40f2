"""The process that `start` leaves behind: it keeps a trainer and some generators running, and ends them with itself."""

import argparse
import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

from .home import Home
from .priority import make_way

RESTART_S, LOOK_S = 30, 2
END_S = 40  # for a step and a save; then a process is killed, which costs what came after the last save


def wanted_by(parent: int) -> Callable[[], bool]:
    """Whether the supervisor still runs: children of a killed one end by themselves."""
    return lambda: os.getppid() == parent and not stopping


stopping: list[int] = []  # signals received


def note_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: stopping.append(received))


def generate(folder: Path, parent: int) -> None:
    from .ring import fill_ring, torch

    note_signals()
    torch.set_num_threads(1)
    fill_ring(Home(folder).pool, wanted_by(parent))


def train(folder: Path, options: argparse.Namespace, threads: int, parent: int) -> None:
    import torch

    from .plan import read_plan
    from .trainer import Interrupted, Recipe, train_phases

    note_signals()
    torch.set_num_threads(threads)
    recipe = Recipe(read_plan(options.plan), options.lower_bound, options.init)
    home = Home(folder)
    try:
        with home.training():
            train_phases(home, recipe, wanted_by(parent))
    except Interrupted:
        print("saved", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--plan", type=Path, required=True)
    parser.add_argument("--init", type=Path)
    parser.add_argument("--lower-bound", type=int, required=True)
    parser.add_argument("--cores", type=int, required=True)
    options = parser.parse_args()

    home = Home(options.home)
    make_way()
    note_signals()
    spawn = multiprocessing.get_context("spawn")
    generators = max(1, options.cores // 2)
    trainer_threads = max(1, options.cores - generators)
    me = os.getpid()
    with home.owned():
        from .ring import sweep

        home.pool.mkdir(parents=True, exist_ok=True)
        sweep(home.pool)
        jobs = [(train, (options.home, options, trainer_threads, me))]
        jobs += [(generate, (options.home, me))] * generators
        supervise(lambda job: spawn.Process(target=job[0], args=job[1]), jobs)


def supervise(make: Callable[[tuple], BaseProcess], jobs: list[tuple]) -> None:
    """Starts what is not running, at most every half minute, until a signal asks for the end."""
    processes: list[BaseProcess | None] = [None] * len(jobs)
    started = [-RESTART_S] * len(jobs)
    while not stopping:
        for index, job in enumerate(jobs):
            process = processes[index]
            is_running = process is not None and process.is_alive()
            if not is_running and time.monotonic() - started[index] > RESTART_S:
                if process is not None:
                    print(f"{job[0].__name__} ended with {process.exitcode}; starting it again", flush=True)
                try:
                    processes[index] = make(job)
                    processes[index].start()
                except OSError:
                    traceback.print_exc()
                started[index] = time.monotonic()
        time.sleep(LOOK_S)
    running = [process for process in processes if process is not None and process.is_alive()]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + END_S
    for process in running:
        process.join(max(0, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()


if __name__ == "__main__":
    main()
