"""As much of OpenEXR as depth maps need: one part, scan lines, uncompressed or ZIP, half or float channels.

The format: openexr.com, "OpenEXR File Layout".
"""

import struct
import zlib
from pathlib import Path

import numpy as np

MAGIC = b"\x76\x2f\x31\x01"
NOT_ONE_FLAT_PART = 0x200 | 0x800 | 0x1000  # tiled, deep, several parts
LINES_PER_CHUNK = {0: 1, 2: 1, 3: 16}  # compression none, ZIPS, ZIP
COMPRESSIONS = ["none", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A", "DWAA", "DWAB"]
PIXEL_TYPES = {0: np.dtype("<u4"), 1: np.dtype("<f2"), 2: np.dtype("<f4")}


class ExrError(ValueError):
    """Not an OpenEXR file, or one of a kind that is not read here."""


def read_exr(path: Path) -> dict[str, np.ndarray]:
    """Channels by name, float32 (H, W) each."""
    content = path.read_bytes()
    if content[:4] != MAGIC:
        raise ExrError(f"{path} is not an OpenEXR file")
    if struct.unpack_from("<I", content, 4)[0] & NOT_ONE_FLAT_PART:
        raise ExrError(f"{path} is tiled, deep or of several parts, which is not read here")
    attributes, offset = read_header(content, 8)
    compression = attributes["compression"][0]
    if compression not in LINES_PER_CHUNK:
        name = COMPRESSIONS[compression] if compression < len(COMPRESSIONS) else compression
        raise ExrError(f"{path} has {name} compression; convert it, e.g. with oiiotool --compression zip")
    left, top, right, bottom = struct.unpack("<4i", attributes["dataWindow"])
    width, height = right - left + 1, bottom - top + 1
    channels = read_channels(attributes["channels"])
    planes = {name: np.empty((height, width), np.float32) for name, _ in channels}
    lines = LINES_PER_CHUNK[compression]
    for chunk in range(-(-height // lines)):
        (start,) = struct.unpack_from("<Q", content, offset + 8 * chunk)
        y, size = struct.unpack_from("<iI", content, start)
        rows = range(y - top, min(y - top + lines, height))
        line_bytes = sum(kind.itemsize for _, kind in channels) * width
        data = decompress(content[start + 8 : start + 8 + size], line_bytes * len(rows), compression)
        position = 0
        for row in rows:
            for name, kind in channels:
                planes[name][row] = np.frombuffer(data, kind, width, position)
                position += kind.itemsize * width
    return planes


def read_header(content: bytes, offset: int) -> tuple[dict[str, bytes], int]:
    """-> attributes by name, and where the chunk table begins."""
    attributes = {}
    while content[offset]:
        name, kind_start = read_name(content, offset)
        _, size_start = read_name(content, kind_start)
        (size,) = struct.unpack_from("<i", content, size_start)
        offset = size_start + 4 + size
        attributes[name] = content[size_start + 4 : offset]
    return attributes, offset + 1


def read_name(content: bytes, offset: int) -> tuple[str, int]:
    end = content.index(0, offset)
    return content[offset:end].decode("latin-1"), end + 1


def read_channels(attribute: bytes) -> list[tuple[str, np.dtype]]:
    """Name and pixel type, in the order in which a line holds them."""
    channels, offset = [], 0
    while attribute[offset]:
        name, offset = read_name(attribute, offset)
        kind, _linear, x_sampling, y_sampling = struct.unpack_from("<iIii", attribute, offset)
        if (x_sampling, y_sampling) != (1, 1):
            raise ExrError(f"channel {name} is subsampled, which is not read here")
        channels.append((name, PIXEL_TYPES[kind]))
        offset += 16
    return channels


def decompress(data: bytes, size: int, compression: int) -> bytes:
    """A chunk that would not have shrunk is stored as it is."""
    if compression == 0 or len(data) == size:
        return data
    differences = np.frombuffer(zlib.decompress(data), np.uint8).astype(np.int64)
    differences[1:] -= 128
    halves = np.cumsum(differences).astype(np.uint8)  # modulo 256
    result = np.empty_like(halves)
    middle = (len(halves) + 1) // 2
    result[0::2], result[1::2] = halves[:middle], halves[middle:]
    return result.tobytes()
