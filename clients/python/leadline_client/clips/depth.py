"""The depth of a clip as arrays."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from ..errors import LeadlineError


@dataclass(frozen=True)
class ClipDepth:
    values: npt.NDArray[np.float32]
    """frames x height x width, in `quantity`."""
    times: npt.NDArray[np.float64]
    """Of each frame, in seconds from the start of the video."""
    epoch: npt.NDArray[np.integer[Any]]
    """Of each frame: the scale of relative depth holds within one."""
    quantity: str
    """`relative-inverse-depth`: larger is nearer, without a unit. `metric-depth`: metres."""


def read_depth(file: IO[bytes]) -> ClipDepth:
    """From the npz of a clip. Raises DATA_INVALID."""
    try:
        with np.load(file) as arrays:
            stored, scale, offset = arrays["depth"], arrays["scale"], arrays["offset"]
            values = stored.astype(np.float32, copy=False)
            if np.any(scale != 1) or np.any(offset != 0):
                values = (stored * scale[:, None, None] + offset[:, None, None]).astype(np.float32)
            return ClipDepth(values, arrays["times"], arrays["epoch"], str(arrays["quantity"]))
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise LeadlineError("DATA_INVALID", f"This is no npz of a clip: {error}") from error
