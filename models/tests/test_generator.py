import numpy as np
import pytest
import torch

from leadline_models.dataset import Pool
from leadline_models.generator.camera_track import CameraTrack, camera_axes
from leadline_models.generator.clip import COMPOSERS, DARK, MAX_DARK_SHARE, film_scene, generate_clip
from leadline_models.generator.pack import FIRST_PLACE, FIRST_VERSION_PLACES, PARKED_M, pack_clip
from leadline_models.generator.people import limbed_person
from leadline_models.generator.render import render
from leadline_models.generator.scene import (
    BOX,
    CYLINDER,
    ELLIPSOID,
    NUM_PATTERNED,
    NUM_TEXTURES,
    NUM_WHITE,
    Placement,
    Scene,
    Sheet,
)
from leadline_models.generator.textures import TEXELS, build_atlas
from leadline_models.pool import main

SIZE_HW = (30, 40)


@pytest.fixture(scope="module")
def atlas() -> torch.Tensor:
    few = build_atlas(seed=1, count=4)
    white = torch.full((NUM_WHITE * TEXELS, 3), 0.9)
    return torch.cat([few.repeat(NUM_PATTERNED // 4, 1), white])  # full length, quickly


def large_room() -> Scene:
    scene = Scene(np.random.default_rng(0))
    scene.room_low, scene.room_high = np.array([-5.0, 0, -5]), np.array([5.0, 4, 10])
    scene.faces = [scene.material() for _ in range(6)]
    return scene


def film(scene: Scene) -> tuple[torch.Tensor, torch.Tensor]:
    """Colour and inverse depth seen from (0, 1, 0) along +z."""
    track = CameraTrack(np.zeros(1), np.array([[0.0, 1, 0]]), camera_axes(0, 0, 0)[None], half_width_tan=0.5)
    atlas = torch.full((NUM_TEXTURES * TEXELS, 3), 0.5)
    color, inverse_depth = render(pack_clip(scene, track), atlas, *SIZE_HW)
    return color[0], inverse_depth[0]


def look_at(*things) -> torch.Tensor:
    """Inverse depth in a large room with the given primitives."""
    scene = large_room()
    for thing in things:
        scene.add(*thing)
    return film(scene)[1]


def test_depth_is_measured_along_the_optical_axis():
    wall = look_at()
    torch.testing.assert_close(wall[14:16, 18:22], torch.full((2, 4), 1 / 10))
    box = look_at((BOX, (0, 1, 4), (3, 0.2, 1)))
    torch.testing.assert_close(box[15, 5:35], torch.full((30,), 1 / 3))  # its front, flat at 3 m


@pytest.mark.parametrize("shape", [ELLIPSOID, CYLINDER])
def test_a_round_thing_is_nearest_in_its_middle(shape):
    inverse_depth = look_at((shape, (0, 1, 4), (1, 1, 1)))
    assert inverse_depth[15, 20] == pytest.approx(1 / 3, rel=1e-2)
    assert inverse_depth[15, 13] < inverse_depth[15, 20]


def test_the_floor_comes_nearer_towards_the_lower_edge():
    lower_half = look_at()[15:, 20]
    assert (lower_half.diff() >= 0).all() and lower_half[-1] > 3 * lower_half[0]


def test_a_seed_fixes_the_clip(atlas):
    first, second = (generate_clip(np.random.default_rng(5), 2, SIZE_HW, atlas) for _ in range(2))
    assert (first.frames == second.frames).all()
    assert (first.inverse_depth == second.inverse_depth).all()


def test_clips_have_the_promised_types_and_ranges(atlas):
    clip = generate_clip(np.random.default_rng(6), 3, SIZE_HW, atlas)
    assert clip.frames.shape == (3, *SIZE_HW, 3) and clip.frames.dtype == np.uint8
    assert clip.inverse_depth.shape == (3, *SIZE_HW)
    assert np.isfinite(clip.inverse_depth).all() and (clip.inverse_depth >= 0).all()
    identity = clip.track.rotations @ clip.track.rotations.transpose(0, 2, 1)
    np.testing.assert_allclose(identity, np.tile(np.eye(3), (3, 1, 1)), atol=1e-9)


def test_views_of_one_scene_differ_in_place_and_texture(atlas):
    views = list(film_scene(np.random.default_rng(5), 4, 2, SIZE_HW, atlas))
    assert len(views) >= 2
    starts = np.stack([view.track.positions[0] for view in views])
    assert (np.linalg.norm(starts[1:] - starts[0], axis=1) > 0.01).all()
    assert all((view.frames != views[0].frames).any() for view in views[1:])


def test_glass_mirrors_and_keeps_the_depth_of_what_lies_behind():
    axes = np.eye(3)  # right, up, and a normal along the view
    plain, glazed = large_room(), large_room()
    glazed.sheet = Sheet(np.array([0.0, 1, 2]), axes, np.array([0.4, 0.3]), strength=1.0)
    (before, wall), (after, through) = film(plain), film(glazed)
    assert torch.equal(wall, through)
    changed = (after - before).abs().amax(-1) > 1e-4
    assert changed[15, 20] and not changed[0].any() and not changed[:, 0].any()  # 0.4 m at 2 m is within the picture


def test_a_person_stands_on_the_ground_and_has_limbs():
    scene = large_room()
    limbed_person(Placement(scene, 0, 3, np.pi))
    shapes = [primitive.shape for primitive in scene.primitives]
    assert shapes.count(CYLINDER) == 8 and shapes.count(ELLIPSOID) == 2
    assert min(primitive.center[1] for primitive in scene.primitives) > 0
    assert film(scene)[1].max() > 0.3  # it is seen, at 3 m


@pytest.mark.parametrize("compose", COMPOSERS)
def test_every_kind_of_scene_shows_something_that_is_not_dark(atlas, monkeypatch, compose):
    monkeypatch.setattr("leadline_models.generator.clip.COMPOSERS", {compose: 1})
    frames = generate_clip(np.random.default_rng(3), 1, SIZE_HW, atlas).frames
    assert (frames.max(-1) < DARK).mean() <= MAX_DARK_SHARE


def test_the_first_version_of_the_generator_can_still_be_had(atlas, monkeypatch):
    """The hold-out is of it: what is added later takes no draw from its random numbers."""

    def pixels() -> np.ndarray:
        return generate_clip(np.random.default_rng(5), 1, SIZE_HW, atlas, is_varied=False).frames

    before = pixels()
    monkeypatch.setattr("leadline_models.generator.clip.COMPOSERS", {})
    assert (pixels() == before).all()
    scene = Scene(np.random.default_rng(5), is_varied=False)
    for _ in range(12):
        scene.add(CYLINDER, (0, 1, 5), (0.1, 1, 0.1))
    track = CameraTrack(np.zeros(1), np.zeros((1, 3)), np.eye(3)[None], half_width_tan=0.5)
    scene.faces = [scene.material() for _ in range(6)]
    shown = pack_clip(scene, track)["center"][0, FIRST_PLACE[CYLINDER] :, 2] > PARKED_M
    assert shown.sum() == FIRST_VERSION_PLACES[CYLINDER]


def test_a_pool_is_the_same_from_one_process_and_from_two(tmp_path):
    arguments = ["--kind", "clips", "--size", "14x28", "--frames", "2", "--views-per-scene", "3"]
    for name, workers in (("one", "1"), ("two", "2")):
        main(
            [*arguments, "--out", str(tmp_path / name), "--shards", "2", "--seed", "7", "--workers", workers, "--eager"]
        )
    one, two = Pool(tmp_path / "one"), Pool(tmp_path / "two")
    assert one.count("clips") == two.count("clips") == 32
    for name, shard in one.shards["clips"].items():
        assert (shard.rgb == two.shards["clips"][name].rgb).all()
        assert shard.num_frames == 2


def test_a_pool_leaves_the_seeds_of_the_holdout_alone(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["--kind", "stills", "--out", str(tmp_path), "--seed", "899999", "--shards", "2"])
    assert "belong to the hold-out" in capsys.readouterr().err
