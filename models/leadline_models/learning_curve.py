"""How good the network was after so much training: one JSON line per checkpoint, and the curve of them.

    python -m leadline_models.learning_curve --rows curve.jsonl --plot curve.svg --holdout HOLDOUT --rgbd FOLDER \
        --weights RUNS/7/weights-*.pt

`train --keep-every N` leaves such weights. Those that have a row already are passed by; without `--weights`
the rows are only drawn.
"""

import argparse
import json
from pathlib import Path

import torch

from .architecture import PRESETS
from .chart import Line, write_chart
from .evaluate import evaluate_rgbd, evaluate_stills, evaluate_videos, load_network
from .holdout import holdout
from .resolution import LOWER_BOUND
from .run import read_record

WINDOW = 16  # frames; what clips are streamed with here
MODE = f"ovda-c{WINDOW}"


def effort(weights: Path) -> dict:
    """Images seen and CPU minutes spent by these weights, all runs since the random or foreign start."""
    record = read_record(weights)
    if record is None:
        raise ValueError(f"{weights}: no training record in it or beside it; was it written by leadline_models.train?")
    return {
        "images": sum(run["images"] for run in record["runs"]),
        "cpuMinutes": round(sum(run["cpuMinutes"] for run in record["runs"]), 1),
    }


def measure(weights: Path, arch: str, data: dict, rgbd: Path | None, lower_bound: int) -> dict:
    """Fit per frame on stills, global fit on streamed videos."""
    network = load_network(weights, arch)
    clips = evaluate_videos(network, data["clips_rgb"], data["clips_inv"], lower_bound, [WINDOW])
    stills, edges = evaluate_stills(network, data, lower_bound)
    row = {
        "weights": f"{weights.parent.name}/{weights.name}",
        **effort(weights),
        "lowerBound": lower_bound,
        "stills": stills,
        "edges": edges,
        "clips": clips[MODE]["global"],
        "gap": clips[MODE]["gap"],
        "flicker": clips[MODE]["flicker"],
        "flickerConstant": clips["constant"]["flicker"],
    }
    if rgbd:
        row["rgbd"] = evaluate_rgbd(network, rgbd, lower_bound, [WINDOW])[MODE]["global"]
    return row


def read_rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def draw(rows: list[dict], path: Path) -> None:
    """AbsRel and delta1 against images seen."""
    rows = sorted(rows, key=lambda row: row["images"])
    lines = [
        Line(f"{part} {figure}", [(row["images"], row[part][figure]) for row in rows if part in row])
        for figure in ("absRel", "delta1")
        for part in ("stills", "clips", "rgbd")
    ]
    write_chart(path, "hold-out and RGB-D", "images seen", [line for line in lines if line.points], marks=True)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True, help="JSON lines, appended to")
    parser.add_argument("--plot", type=Path, help="SVG to write")
    parser.add_argument("--weights", type=Path, nargs="*", default=[])
    parser.add_argument("--arch", choices=PRESETS, default="conv")
    parser.add_argument("--holdout", type=Path)
    parser.add_argument("--rgbd", type=Path)
    parser.add_argument("--lower-bound", type=int, default=LOWER_BOUND)
    parser.add_argument("--threads", type=int)
    options = parser.parse_args(arguments)

    if options.weights and not options.holdout:
        parser.error("--weights are measured on a hold-out: give --holdout")
    if options.threads:
        torch.set_num_threads(options.threads)
    data = holdout(options.holdout) if options.weights else {}
    for weights in options.weights:
        known = {(row["weights"], row["lowerBound"]) for row in read_rows(options.rows)}
        if (f"{weights.parent.name}/{weights.name}", options.lower_bound) in known:
            continue
        row = json.dumps(measure(weights, options.arch, data, options.rgbd, options.lower_bound))
        print(row, flush=True)
        with options.rows.open("a") as file:
            file.write(row + "\n")
    if options.plot:
        draw(read_rows(options.rows), options.plot)


if __name__ == "__main__":
    main()
