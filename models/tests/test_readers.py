"""Each layout as a tiny made-up folder, with the depth encodings of the real thing."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leadline_models.dataset import Pool, draw
from leadline_models.import_clips import cuts, import_clips
from leadline_models.readers import LAYOUTS, LayoutError
from leadline_models.readers.openexr import ExrError, read_exr

HEIGHT, WIDTH = 24, 32
FAR, UNKNOWN, AT_2_M = (0, 0), (0, 1), (5, 5)  # pixels


def save_image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def save_16_bit(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values.astype(np.uint16)).save(path)


def depth_map(two_metres: float, far: float, unknown: float) -> np.ndarray:
    values = np.full((HEIGHT, WIDTH), float(two_metres))
    values[FAR], values[UNKNOWN] = far, unknown
    return values


def write_exr(path: Path, plane: np.ndarray, compression: int, channel: str = "G") -> None:
    """One half-float channel. ZIP as the format has it: even and odd bytes apart, then differences plus 128."""
    height, width = plane.shape
    lines = {0: 1, 2: 1, 3: 16}.get(compression, 16)

    def attribute(name: str, kind: str, value: bytes) -> bytes:
        return name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value

    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    header = b"\x76\x2f\x31\x01" + struct.pack("<I", 2)
    header += attribute("channels", "chlist", channel.encode() + b"\0" + struct.pack("<iIii", 1, 0, 1, 1) + b"\0")
    header += attribute("compression", "compression", bytes([compression]))
    header += attribute("dataWindow", "box2i", window) + b"\0"
    chunks = []
    for y in range(0, height, lines):
        data = plane[y : y + lines].astype("<f2").tobytes()
        if compression:
            parts = np.frombuffer(data[0::2] + data[1::2], np.uint8).astype(int)
            packed = zlib.compress(np.concatenate([parts[:1], np.diff(parts) + 128]).astype(np.uint8).tobytes())
            data = packed if len(packed) < len(data) else data
        chunks.append(struct.pack("<iI", y, len(data)) + data)
    offsets, place = [], len(header) + 8 * len(chunks)
    for chunk in chunks:
        offsets.append(place)
        place += len(chunk)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header + struct.pack(f"<{len(offsets)}Q", *offsets) + b"".join(chunks))


def make_tartanair(root: Path, number: int) -> None:
    folder = root / "office" / "Easy" / "P001"
    save_image(folder / "image_left" / f"{number:06d}_left.png")
    (folder / "depth_left").mkdir(exist_ok=True)
    np.save(folder / "depth_left" / f"{number:06d}_left_depth.npy", depth_map(2, 10_000, 0).astype(np.float32))


def make_virtual_kitti(root: Path, number: int) -> None:
    frames = root / "Scene01" / "clone" / "frames"
    save_image(frames / "rgb" / "Camera_0" / f"rgb_{number:05d}.jpg")
    save_16_bit(frames / "depth" / "Camera_0" / f"depth_{number:05d}.png", depth_map(200, 65535, 0))


def make_point_odyssey(root: Path, number: int) -> None:
    scene = root / "train" / "ani"
    save_image(scene / "rgbs" / f"rgb_{number:05d}.jpg")
    save_16_bit(scene / "depths" / f"depth_{number:05d}.png", depth_map(2 / 1000 * 65535, 65535, 0))


def make_irs(root: Path, number: int) -> None:
    """Disparity of 24 pixels: 480 * 0.1 / 24 = 2 m. Nothing is infinitely far indoors: the pixel is just farther."""
    scene = root / "Home" / "ArchVizInterior03Data"
    save_image(scene / f"l_{number:05d}.png")
    write_exr(scene / f"d_{number:05d}.exr", depth_map(24, 0.01, 0), compression=3)


MAKERS = {
    "tartanair": make_tartanair,
    "virtualkitti": make_virtual_kitti,
    "pointodyssey": make_point_odyssey,
    "irs": make_irs,
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_gives_frames_and_inverse_depth_in_metres(tmp_path, layout):
    for number in (1, 2, 3, 7):
        MAKERS[layout](tmp_path, number)
    sequences = LAYOUTS[layout](tmp_path)
    assert [len(sequence.frames) for sequence in sequences] == [3, 1]  # a missing number cuts
    assert sequences[0].image(0).shape == (HEIGHT, WIDTH, 3)
    inverse = sequences[0].inverse_depth(0)
    assert inverse.dtype == np.float32 and inverse.shape == (HEIGHT, WIDTH)
    assert inverse[AT_2_M] == pytest.approx(0.5, rel=0.01)
    assert inverse[UNKNOWN] == -1
    assert inverse[FAR] == pytest.approx(0, abs=1e-3) and inverse[FAR] >= 0


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_wrong_folder_is_told_what_was_expected_and_found(tmp_path, layout):
    (tmp_path / "holiday").mkdir()
    with pytest.raises(LayoutError, match="expected .*found holiday"):
        LAYOUTS[layout](tmp_path)
    with pytest.raises(LayoutError, match="not a folder"):
        LAYOUTS[layout](tmp_path / "nowhere")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_image_without_depth_is_named(tmp_path, layout):
    MAKERS[layout](tmp_path, 1)
    for path in tmp_path.glob("**/*"):
        if path.is_file() and ("depth" in path.name or path.name.startswith("d_")):
            path.unlink()
    with pytest.raises(LayoutError, match="has no depth map, expected .*depth|has no depth map, expected .*d_00001"):
        LAYOUTS[layout](tmp_path)


def test_depth_of_another_size_than_its_image_is_refused(tmp_path):
    make_point_odyssey(tmp_path, 1)
    save_16_bit(tmp_path / "train" / "ani" / "depths" / "depth_00001.png", np.full((12, 16), 9))
    with pytest.raises(LayoutError, match="shape"):
        LAYOUTS["pointodyssey"](tmp_path)[0].inverse_depth(0)


@pytest.mark.parametrize("compression", [0, 2, 3])
def test_exr_is_read_to_the_last_half(tmp_path, compression):
    noise = np.random.default_rng(0).normal(size=(37, 21)).round(1).astype(np.float16)
    write_exr(tmp_path / "depth.exr", noise, compression)
    np.testing.assert_array_equal(read_exr(tmp_path / "depth.exr")["G"], noise.astype(np.float32))


def test_exr_of_another_kind_is_refused_with_the_way_out(tmp_path):
    write_exr(tmp_path / "depth.exr", np.zeros((4, 4)), compression=4)
    with pytest.raises(ExrError, match="PIZ.*oiiotool"):
        read_exr(tmp_path / "depth.exr")
    (tmp_path / "depth.exr").write_bytes(b"PNG")
    with pytest.raises(ExrError, match="not an OpenEXR"):
        read_exr(tmp_path / "depth.exr")


def test_a_sequence_is_cut_into_clips_one_after_another(tmp_path):
    for number in range(11):
        make_point_odyssey(tmp_path, number)
    sequences = LAYOUTS["pointodyssey"](tmp_path)
    assert [list(cut.indices) for cut in cuts(sequences, 2, every=3)] == [[0, 3], [6, 9]]
    assert [list(cut.indices) for cut in cuts(sequences, 1, every=5)] == [[0], [5], [10]]


def test_imported_clips_are_drawn_by_training_and_name_their_source(tmp_path):
    for number in range(6):
        make_point_odyssey(tmp_path / "data", number)
    arguments = ("pointodyssey", tmp_path / "data", tmp_path / "pool", "clips", 3, 1, 12, None)
    assert import_clips(*arguments) == 1
    assert import_clips(*arguments) == 0  # it is there already
    pool = Pool(tmp_path / "pool")
    assert pool.sources() == ["pointodyssey"] and pool.count("clips") == 2
    images, inverse = draw(pool, "clips", 2, 3, (14, 28), np.random.default_rng(0))
    assert images.shape == (2, 3, 3, 14, 28) and inverse.max() == pytest.approx(0.5, rel=0.01)
    with pytest.raises(ValueError, match="longest sequence has 6"):
        import_clips("pointodyssey", tmp_path / "data", tmp_path / "pool", "clips", 7, 1, 12, None)
