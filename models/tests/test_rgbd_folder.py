import numpy as np
import pytest
from PIL import Image

from leadline_models.generator.clip import generate_clip
from leadline_models.generator.scene import NUM_TEXTURES
from leadline_models.generator.textures import build_atlas
from leadline_models.rgbd_folder import write_holdout

SIZE_HW = (48, 64)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A generated clip, the same backwards, and its first frame as a still."""
    clip = generate_clip(np.random.default_rng(4), 3, SIZE_HW, build_atlas(1, NUM_TEXTURES))
    data = {
        "stills_rgb": clip.frames[None, :1],
        "stills_inv": clip.inverse_depth[None, :1],
        "clips_rgb": np.stack([clip.frames, clip.frames[::-1]]),
        "clips_inv": np.stack([clip.inverse_depth, clip.inverse_depth[::-1]]),
        "clips_positions": np.stack([clip.track.positions, clip.track.positions[::-1]]),
        "clips_rotations": np.stack([clip.track.rotations, clip.track.rotations[::-1]]),
        "clips_half_width_tan": np.full(2, clip.track.half_width_tan),
    }
    out = tmp_path_factory.mktemp("rgbd")
    write_holdout(data, out)
    return out, data


def read_depth_m(path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(float) / 1000


def test_frames_and_millimetres_survive(folder):
    out, data = folder
    sequence = out / "holdout-clips" / "00"
    assert (np.asarray(Image.open(sequence / "color" / "001.png")) == data["clips_rgb"][0, 1]).all()
    depth, inverse = read_depth_m(sequence / "depth" / "001.png"), data["clips_inv"][0, 1]
    is_known = depth > 0
    assert is_known.any()
    assert np.abs(depth[is_known] - 1 / inverse[is_known]).max() < 6e-4
    assert (inverse[~is_known] < 1 / 65).all()
    assert len(list((out / "holdout-stills" / "000" / "color").iterdir())) == 1


def test_two_clips_follow_each_other_with_a_cut(folder):
    out, data = folder
    colors = sorted((out / "holdout-cuts" / "00" / "color").iterdir())
    assert len(colors) == 6 and not (out / "holdout-cuts" / "00" / "pose").exists()
    assert (np.asarray(Image.open(colors[3])) == data["clips_rgb"][1, 0]).all()


def test_poses_carry_the_depth_of_one_frame_onto_the_next(folder):
    sequence = folder[0] / "holdout-clips" / "00"
    intrinsics = np.loadtxt(sequence / "intrinsics.txt")
    poses = [np.loadtxt(sequence / "pose" / f"{i:03d}.txt") for i in range(2)]
    assert all(np.linalg.det(pose) == pytest.approx(1, abs=1e-9) for pose in poses)
    before, after = (read_depth_m(sequence / "depth" / f"{i:03d}.png") for i in range(2))
    y, x = np.nonzero(before)
    rays = np.linalg.inv(intrinsics) @ np.stack([x, y, np.ones_like(x)])
    points = np.concatenate([rays * before[y, x], np.ones((1, len(x)))])
    moved = (np.linalg.inv(poses[1]) @ poses[0] @ points)[:3]
    column, row, _ = np.round(intrinsics @ moved / moved[2]).astype(int)
    inside = (moved[2] > 0) & (column >= 0) & (column < SIZE_HW[1]) & (row >= 0) & (row < SIZE_HW[0])
    seen = after[row[inside], column[inside]]
    error = np.abs(seen - moved[2, inside])[seen > 0] / seen[seen > 0]
    assert np.median(error) < 0.01 and len(error) > 500
