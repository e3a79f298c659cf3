"""Whether two pictures look alike: a difference hash (Krawetz, "Kind of Like That", 2013) of each colour channel.

The plain hash keeps the sign of 64 brightness steps, which finds copies of photographs. A plot is thin lines on white:
this one keeps 6,144 steps with their size, so that a line's flickering edge is no difference and a moved bar is one.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Iterator

from PIL import Image, UnidentifiedImageError

_SIDE = 32
_MARGIN = 32
"""By how much of 255 a step must differ to count: antialiasing and JPEG stay below it."""
_ALIKE = 0.0004
"""The share of steps that may differ: plots drawn anew had 0.0003 at most, plots of other data 0.0005 at least."""
_RESIZED = 0.05
"""By how much of a side the sizes may differ: another font makes other margins."""

_BROKEN = (binascii.Error, UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError)


def picture_difference(before: str, after: str) -> str:
    """One line on how two pictures in base64 differ; '' if they look alike. Of data that are no picture, the bytes."""
    if before.strip() == after.strip():
        return ""
    try:
        one, other = _load(before), _load(after)
    except _BROKEN:
        return "the picture’s data differ"
    if any(abs(a - b) > _RESIZED * max(a, b) for a, b in zip(one.size, other.size, strict=True)):
        return f"the picture was {one.width} × {one.height} pixels, is {other.width} × {other.height}"
    return "the picture looks different" if hash_distance(one, other) > _ALIKE else ""


def hash_distance(one: Image.Image, other: Image.Image) -> float:
    """The share of the brightness steps that clearly differ, 0 to 1."""
    steps = [abs(a - b) > _MARGIN for a, b in zip(_steps(one), _steps(other), strict=True)]
    return sum(steps) / len(steps)


def _load(data: str) -> Image.Image:
    return _on_white(Image.open(io.BytesIO(base64.b64decode(data))))


def _on_white(picture: Image.Image) -> Image.Image:
    layer = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def _steps(picture: Image.Image) -> Iterator[int]:
    """From each of 32 × 32 places to its right and to below, in each channel."""
    width = _SIDE + 1
    small = picture.resize((width, width), Image.Resampling.BOX)
    for channel in small.split():
        values = channel.tobytes()
        for at in (row * width + column for row in range(_SIDE) for column in range(_SIDE)):
            yield values[at + 1] - values[at]
            yield values[at + width] - values[at]
