"""The hold-out: generated stills and clips that no training pool contains. Its seeds are fixed here, for good."""

from pathlib import Path

import numpy as np

from .generator.clip import Clip, compiled_render, generate_clip
from .generator.scene import NUM_TEXTURES
from .generator.textures import build_atlas

FIRST_HOLDOUT_SEED = 900_000  # pools refuse seeds from here on
TEXTURE_SEED, SCENE_SEED = 900_001, 900_002
SIZE_HW = (168, 224)
NUM_STILLS, NUM_CLIPS, CLIP_FRAMES = 160, 16, 24
FILE_NAME = "holdout-1.npz"  # the number changes with anything above


def holdout(folder: Path) -> dict[str, np.ndarray]:
    """Generated once and kept in `folder`: stills_rgb, stills_inv, clips_rgb, clips_inv as in a pool's shards,
    and the clips' camera tracks."""
    path = folder / FILE_NAME
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        atlas, rng = build_atlas(TEXTURE_SEED, NUM_TEXTURES), np.random.default_rng(SCENE_SEED)
        render_frames = compiled_render()

        def clip(num_frames: int) -> Clip:  # by the generator's first version, so that figures of all times compare
            return generate_clip(rng, num_frames, SIZE_HW, atlas, render_frames, is_varied=False)

        stills = [clip(1) for _ in range(NUM_STILLS)]
        clips = [clip(CLIP_FRAMES) for _ in range(NUM_CLIPS)]
        partial = path.with_name(f"partial-{FILE_NAME}")
        np.savez(
            partial,
            stills_rgb=np.stack([s.frames for s in stills]),
            stills_inv=np.stack([s.inverse_depth for s in stills]),
            clips_rgb=np.stack([c.frames for c in clips]),
            clips_inv=np.stack([c.inverse_depth for c in clips]),
            clips_positions=np.stack([c.track.positions for c in clips]),
            clips_rotations=np.stack([c.track.rotations for c in clips]),
            clips_half_width_tan=np.stack([c.track.half_width_tan for c in clips]),
        )
        partial.replace(path)
    with np.load(path) as arrays:
        return dict(arrays)
