"""What one training step works on, a pure function of the run's config and the step's number."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from .dataset import Pool, draw


@dataclass
class Batch:
    images: Tensor  # normalised, (B, T, 3, H, W)
    truth: Tensor  # inverse depth, (B, T, H, W)
    cache_size: int  # L, in frames

    @property
    def num_frames(self) -> int:
        return self.images.shape[1]


def draw_batch(config: dict, pool: Pool, step: int, device: str) -> Batch:
    """A step's draw depends on its number alone, so a resumed run sees what an unbroken one would."""
    rng = np.random.default_rng([config["seed"], step])
    shares = np.array([b["share"] for b in config["batches"]], float)
    plan = config["batches"][rng.choice(len(shares), p=shares / shares.sum())]
    num_frames = int(rng.choice(plan["frames"]))
    images, truth = draw(pool, plan["kind"], plan["batch"], num_frames, tuple(plan["size"]), rng, device)
    low, high = config["windows"]
    return Batch(images, truth, int(rng.integers(low, high + 1)))


class BatchReader:
    """Draws the batches of the next steps while the device works on this one. `ahead` 0 draws on demand.

    Reading on threads pays on a GPU, which otherwise waits for the host's memory; on a CPU it only competes.
    """

    def __init__(self, config: dict, pool: Pool, first_step: int, device: str, ahead: int):
        self.config, self.pool, self.device, self.ahead = config, pool, device, ahead
        self.next_step = first_step
        self.threads = ThreadPoolExecutor(ahead) if ahead else None
        self.waiting: list[Future[Batch]] = []

    def __enter__(self) -> "BatchReader":
        return self

    def __exit__(self, *_) -> None:
        if self.threads:
            self.threads.shutdown(cancel_futures=True)

    def take(self) -> Batch:
        """The batches in order of their steps."""
        if not self.threads:
            self.next_step += 1
            return draw_batch(self.config, self.pool, self.next_step - 1, self.device)
        while len(self.waiting) < self.ahead and self.next_step < self.config["steps"]:
            self.waiting.append(self.threads.submit(draw_batch, self.config, self.pool, self.next_step, self.device))
            self.next_step += 1
        return self.waiting.pop(0).result()
