"""Data sets that people have on disk, each in the folder layout in which it is published."""

from .irs import irs
from .point_odyssey import point_odyssey
from .sequence import LayoutError, Sequence
from .tartanair import tartanair
from .virtual_kitti import virtual_kitti

LAYOUTS = {
    "tartanair": tartanair,
    "virtualkitti": virtual_kitti,
    "pointodyssey": point_odyssey,
    "irs": irs,
}

# what the data sets' own terms leave open for weights trained on them
RESTRICTED = {
    "virtualkitti": "CC BY-NC-SA 3.0",
    "pointodyssey": "CC BY-NC-SA 4.0",
    "irs": "no licence stated",
}

__all__ = ["LAYOUTS", "RESTRICTED", "LayoutError", "Sequence"]
