"""Read a data set from disk into a pool of shards that training draws from.

    python -m leadline_models.import_clips --layout tartanair --root TARTANAIR --out POOL --kind clips --frames 32
    python -m leadline_models.import_clips --layout tartanair --root TARTANAIR --out POOL --kind stills --every 10

Frames keep their shape, with the shorter side at `--short-side`. Shards that are there already are passed by.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .readers import LAYOUTS, Sequence
from .shards import CLIPS_PER_SHARD, is_complete, save_shard, shard_stem

MIN_KNOWN = 0.5  # share of a clip's first frame whose depth must be known: it sets the scale


@dataclass(frozen=True)
class Cut:
    """Frames of one sequence that make a clip."""

    sequence: Sequence
    indices: range


def cuts(sequences: list[Sequence], num_frames: int, every: int) -> list[Cut]:
    """Every sequence in clips one after another, of every `every`-th frame; what is left over is left out."""
    span = num_frames * every
    return [
        Cut(sequence, range(start, start + span, every))
        for sequence in sequences
        for start in range(0, len(sequence.frames) - span + every, span)
    ]


def scaled_size(cut: Cut, short_side: int) -> tuple[int, int]:
    width, height = Image.open(cut.sequence.frames[0][0]).size
    scale = short_side / min(height, width)
    return round(height * scale), round(width * scale)


def plan_shards(all_cuts: list[Cut], kind: str, layout: str, short_side: int) -> dict[str, list[Cut]]:
    """Cuts of one frame size to a shard, by the shard's name. The same folder gives the same plan."""
    by_size: dict[tuple[int, int], list[Cut]] = {}
    for cut in all_cuts:
        by_size.setdefault(scaled_size(cut, short_side), []).append(cut)
    count = CLIPS_PER_SHARD[kind]
    return {
        shard_stem(kind, size, f"{layout}-{number:06d}"): group[start : start + count]
        for size, group in by_size.items()
        for number, start in enumerate(range(0, len(group), count))
    }


def read_cut(cut: Cut, size_hw: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """-> frames uint8 (T, H, W, 3) and inverse depth (T, H, W), the latter resampled without mixing depths."""
    size = size_hw[::-1]
    frames = [Image.fromarray(cut.sequence.image(i)).resize(size, Image.BICUBIC) for i in cut.indices]
    depths = [Image.fromarray(cut.sequence.inverse_depth(i)).resize(size, Image.NEAREST) for i in cut.indices]
    return np.stack([np.asarray(frame) for frame in frames]), np.stack([np.asarray(depth) for depth in depths])


def import_clips(
    layout: str, root: Path, out: Path, kind: str, num_frames: int, every: int, short_side: int, limit: int | None
) -> int:
    """-> shards written."""
    sequences = LAYOUTS[layout](root)
    all_cuts = cuts(sequences, num_frames, every)
    if not all_cuts:
        longest = max(len(sequence.frames) for sequence in sequences)
        raise ValueError(f"{root}: no {num_frames} frames {every} apart, the longest sequence has {longest}")
    plan = plan_shards(all_cuts, kind, layout, short_side)
    out.mkdir(parents=True, exist_ok=True)
    written = 0
    for stem in [stem for stem in plan if not is_complete(out, stem)][:limit]:
        size_hw = tuple(int(side) for side in stem.split("_")[1].split("x"))
        clips = [read_cut(cut, size_hw) for cut in plan[stem]]
        clips = [(rgb, inverse) for rgb, inverse in clips if (inverse[0] >= 0).mean() >= MIN_KNOWN]
        print(f"{stem}: {len(clips)} of {len(plan[stem])} {kind}", flush=True)
        if clips:
            save_shard(out, stem, [rgb for rgb, _ in clips], [inverse for _, inverse in clips])
            written += 1
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layout", choices=LAYOUTS, required=True)
    parser.add_argument("--root", type=Path, required=True, help="the data set's folder, or one of its parts")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kind", choices=CLIPS_PER_SHARD, required=True)
    parser.add_argument("--frames", type=int, default=32, help="frames per clip")
    parser.add_argument("--every", type=int, default=1, help="use every N-th frame")
    parser.add_argument("--short-side", type=int, default=252, help="pixels")
    parser.add_argument("--limit", type=int, help="write at most so many shards")
    options = parser.parse_args()
    num_frames = 1 if options.kind == "stills" else options.frames
    import_clips(
        options.layout, options.root, options.out, options.kind, num_frames,
        options.every, options.short_side, options.limit,
    )  # fmt: skip


if __name__ == "__main__":
    main()
