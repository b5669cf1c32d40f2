"""The state of a background training as text."""

import json
from pathlib import Path

from .home import Home

ROWS_SHOWN = 12


def describe(home: Home) -> str:
    owner = home.owner()
    lines = [f"{home.folder}: " + (f"process {owner} trains" if owner else "nothing runs"), *phase_lines(home)]
    for kind in ("stills", "clips"):
        shards = list(home.pool.glob(f"{kind}_*_rgb.npy"))
        lines.append(
            f"{kind}: {len(shards)} shards, {sum(path.stat().st_size for path in shards) / 1e9:.1f} GB of pixels"
        )
    rows = home.read_rows()
    if rows:
        best = min(rows, key=lambda row: row["score"])
        lines += [
            "",
            "time                    images  core min    score  stills      clips       gap    flicker  edges F1",
        ]
        lines += [describe_row(row) + (" <- best" if row is best else "") for row in rows[-ROWS_SHOWN:]]
        if best not in rows[-ROWS_SHOWN:]:
            lines.append("best: " + describe_row(best))
        lines.append(f"score: mean AbsRel of stills and streamed clips, and half of the flicker; lower is better; curve: {home.picture}")
    else:
        lines.append("not measured yet: the first row comes half an hour after the first step")
    return "\n".join(lines)


def describe_row(row: dict) -> str:
    stills, clips = (f"{row[part]['absRel']:.3f}/{row[part]['delta1']:.3f}" for part in ("stills", "clips"))
    effort = f"{row['images']:>9,} {row['cpuMinutes']:>9.0f}"
    motion = f"{row['gap']['absRel']:+.3f}  {row['flicker']:.3f}"
    return f"{row['time']} {effort}   {row['score']:.4f}  {stills} {clips} {motion}    {row['edges']['f1']:.3f}"


def phase_lines(home: Home) -> list[str]:
    folders = sorted(home.runs.glob("*"))
    return [f"phase {folders[-1].name}: {progress(folders[-1])}"] if folders else ["no phase begun"]


def progress(folder: Path) -> str:
    """As of the last save."""
    steps = json.loads((folder / "config.json").read_text())["config"]["steps"]
    record = folder / "record.json"
    done = json.loads(record.read_text())["runs"][-1]["steps"] if record.exists() else 0
    return f"step {done:,} of {steps:,} at the last save"
