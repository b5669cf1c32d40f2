"""Data sets that people have on disk, each in the folder layout in which it is published."""

from .irs import irs
from .point_odyssey import point_odyssey
from .sequence import LayoutError, Sequence
from .tartanair import tartanair
from .virtual_kitti import virtual_kitti

LAYOUTS = {
    "tartanair": tartanair,
    "virtual-kitti": virtual_kitti,
    "point-odyssey": point_odyssey,
    "irs": irs,
}

__all__ = ["LAYOUTS", "LayoutError", "Sequence"]
