"""What each part of the temporal training is worth: short fine-tunings from one start, one thing changed in each.

    python -m leadline_models.ablate --pool POOL --init RUNS/7/checkpoint.pt --holdout HOLDOUT --out ABLATION \
        --steps 200

All rows see the same batches in the same order. Each is then streamed with windows of 4, 8 and 16 frames.
`OUT/rows.jsonl` has one line per row, `OUT/table.md` the table. A row that is done is passed by, one that was
cut short goes on from its checkpoint. Clips of 16 frames must be in the pool.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch

from .config import check, load_config
from .dataset import Pool
from .evaluate import evaluate_stills, evaluate_videos
from .holdout import holdout
from .network import VideoDepthNetwork
from .run import Run
from .train import train

CONFIG = Path(__file__).parents[1] / "configs" / "ablation.json"
WINDOWS = (4, 8, 16)
LOWER_BOUND = 112  # pixels; a quarter of the cost of the service's 196, and differences are what counts

# name of a row -> what differs from the config. "start" is not trained further.
ROWS = {
    "start": None,
    "base: mask, SaSCon A, L 4..16": {},
    "mask off": {"causalMask": False},
    "SaSCon none": {"sascon": "none"},
    "SaSCon B": {"sascon": "parameter"},
    "L 4": {"windows": [4, 4]},
    "L 8": {"windows": [8, 8]},
    "L 16": {"windows": [16, 16]},
}
COLUMNS = ["trained", "streamed", "stills", "clips, global", "clips, first", "gap", "flicker"]


def run_row(changes: dict | None, config: dict, init: Path, pool: Pool, out: Path, device: str) -> VideoDepthNetwork:
    """Fine-tunes under `out`, or goes on there, and returns the averaged network."""
    run = Run({**config, **(changes or {})}, init, device)
    if changes is not None:
        out.mkdir(parents=True, exist_ok=True)
        if (out / "checkpoint.pt").exists():
            run.restore(out / "checkpoint.pt")
        train(run, pool, out, CONFIG.name)
    run.network.load_state_dict(run.ema.weights)
    return run.network.cpu().eval()


def measure(network: VideoDepthNetwork, data: dict[str, np.ndarray], lower_bound: int) -> dict:
    return {
        "stills": evaluate_stills(network, data, lower_bound)[0],
        **evaluate_videos(network, data["clips_rgb"], data["clips_inv"], lower_bound, WINDOWS),
    }


def table(rows: list[dict]) -> str:
    """AbsRel / delta1; the gap is that of AbsRel, first minus global."""

    def both(scores: dict) -> str:
        return f"{scores['absRel']:.3f} / {scores['delta1']:.3f}"

    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    for row in rows:
        modes = [("per frame", row["single"]), *((f"c{window}", row[f"ovda-c{window}"]) for window in WINDOWS)]
        for mode, video in modes:
            gap, flicker = f"{video['gap']['absRel']:+.3f}", f"{video['flicker']:.3f}"
            stills = both(row["stills"]) if mode == "per frame" else ""
            cells = [row["row"], mode, stills, both(video["global"]), both(video["first"]), gap, flicker]
            lines.append("| " + " | ".join(cells) + " |")
    constant = rows[0]["constant"]["flicker"] if rows else 0
    return "\n".join(lines) + f"\n\nA constant flickers {constant:.3f}: the true motion.\n"


def read_done(path: Path, start: dict) -> list[dict]:
    """Rows done so far. Rows of another start, length or hold-out in the same folder would not compare."""
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    for row in rows:
        if row["start"] != start:
            raise ValueError(f"{path} has rows of {row['start']}, not of {start}: give another --out")
    return rows


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--init", type=Path, required=True, help="checkpoint that every row starts from")
    parser.add_argument("--holdout", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--steps", type=int, help="fine-tuning steps per row (default: the config's)")
    parser.add_argument("--rows", nargs="*", choices=ROWS, default=list(ROWS), help="only these")
    parser.add_argument("--stills", type=int, default=80, help="hold-out stills used, the first ones")
    parser.add_argument("--clips", type=int, default=16, help="hold-out clips used, the first ones")
    parser.add_argument("--lower-bound", type=int, default=LOWER_BOUND)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args(arguments)

    if options.threads:
        torch.set_num_threads(options.threads)
    config = load_config(options.config, options.steps)
    start = {
        "init": hashlib.sha256(options.init.read_bytes()).hexdigest(),
        "steps": config["steps"],
        "stills": options.stills,
        "clips": options.clips,
        "lowerBound": options.lower_bound,
    }
    options.out.mkdir(parents=True, exist_ok=True)
    done = read_done(options.out / "rows.jsonl", start)
    pool, data = Pool(options.pool), holdout(options.holdout)
    data = {
        name: array[: options.stills if name.startswith("stills") else options.clips] for name, array in data.items()
    }
    for name in options.rows:
        if name in [row["row"] for row in done]:
            continue
        check({**config, **(ROWS[name] or {})})
        folder = options.out / name.split(":")[0].replace(" ", "-")
        network = run_row(ROWS[name], config, options.init, pool, folder, options.device)
        done.append({"row": name, "start": start, **measure(network, data, options.lower_bound)})
        with (options.out / "rows.jsonl").open("a") as file:
            file.write(json.dumps(done[-1]) + "\n")
        (options.out / "table.md").write_text(table(done))
        print(table(done[-1:]), flush=True)


if __name__ == "__main__":
    main()
