"""Whole videos on a Leadline server: `ClipsClient`, or `AsyncClipsClient` for asyncio."""

from ..errors import LeadlineError
from .aio import AsyncClipsClient
from .client import ClipPage, ClipsClient
from .clip import Clip
from .depth import ClipDepth, read_depth

__all__ = ["AsyncClipsClient", "Clip", "ClipDepth", "ClipPage", "ClipsClient", "LeadlineError", "read_depth"]
