"""Times the eager streaming step in steady state: the figure that the serving engine's speed is compared with.

    python -m leadline_models.bench_eager --height 252 --width 448 --cache-size 16 --threads 1 --frames 20 --arch vits

Random weights, inference mode, cache full; prints one JSON line. One liberty is taken against the
official order of operations, in PyTorch's favour: see `FusionStage`.
"""

import argparse
import json
import statistics
import time

import torch

from .architecture import PRESETS
from .latent_cache import LatentCache
from .network import VideoDepthNetwork
from .weights import initialize

WARM_UP_FRAMES = 3  # after the cache is full
DTYPES = {"fp32": torch.float32, "fp16": torch.float16}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arch", choices=PRESETS, default="vits")
    parser.add_argument("--height", type=int, default=252)
    parser.add_argument("--width", type=int, default=448)
    parser.add_argument("--cache-size", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compile", action="store_true", help="through torch.compile")
    parser.add_argument("--precision", choices=DTYPES, default="fp32", help="fp16: weights, activations and caches")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    # fp32 is fp32: TF32 keeps 10 bits of 23, and is the default of convolutions on CUDA.
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    dtype = DTYPES[options.precision]
    network = VideoDepthNetwork(PRESETS[options.arch])
    generator = torch.Generator().manual_seed(0)
    initialize(network, generator)
    network = network.to(options.device, dtype).eval()
    step = torch.compile(network.step) if options.compile else network.step
    wait = torch.cuda.synchronize if torch.device(options.device).type == "cuda" else lambda: None
    cache = LatentCache(options.cache_size)
    times_ms = []
    cpu_times_ms = []
    with torch.inference_mode():
        for index in range(options.cache_size + WARM_UP_FRAMES + options.frames):
            frame = torch.randn(1, 3, options.height, options.width, generator=generator)
            wait()
            started, cpu_started = time.perf_counter(), time.process_time()
            # There and back, as a server would have it.
            depth, cache = step(frame.to(options.device, dtype), cache)
            depth.cpu()
            if index >= options.cache_size + WARM_UP_FRAMES:
                times_ms.append((time.perf_counter() - started) * 1e3)
                cpu_times_ms.append((time.process_time() - cpu_started) * 1e3)
    median = statistics.median(times_ms)
    print(
        json.dumps(
            {
                "ms_per_frame_median": round(median, 2),
                "cpu_ms_per_frame_median": round(statistics.median(cpu_times_ms), 2),
                "fps": round(1e3 / median, 3),
                "torch": torch.__version__,
                "arch": options.arch,
                "height": options.height,
                "width": options.width,
                "cache_size": options.cache_size,
                "threads": options.threads,
                "device": options.device,
                "precision": options.precision,
                "compiled": options.compile,
                "frames": options.frames,
            }
        )
    )


if __name__ == "__main__":
    main()
