"""A drawing as a picture, which the recogniser reads like a picture file.

common/pen_strokes.py draws the ink, with the pen that the networks were trained on.
"""
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from apps import boxes
from apps.strokes import Stroke, Underlay
from common import files, pen_strokes
from reading import binarize

LETTER = (40, 110)       # px: letters of a height between these are read as they are, others are scaled ...
LETTER_SCALED = 64       # px: ... to this height
CHARACTER_SIDE = 128     # px: longest side of a character that stands alone
MAX_PIXELS = 2_900_000   # of the ink; reading/binarize.py reduces larger pages
MARGIN = 12              # px around the ink
DOT = 2.5                # pen widths: a smaller stroke is a dot


class Picture(NamedTuple):
    """A drawing as a picture; a point p of the pad lies at p * scale + offset in it."""
    pixels: np.ndarray       # uint8 (height, width), or (height, width, 3) if there is a picture under the ink
    scale: float
    offset: np.ndarray

    def box(self, box: boxes.Box) -> boxes.Box:
        """A box of the pad in the picture."""
        return box.scaled(self.scale).moved(*self.offset.tolist())

    def on_pad(self, box: Sequence[int]) -> boxes.Box:
        """A box of the picture on the pad."""
        x, y = ((box[:2] - self.offset) / self.scale).tolist()
        return boxes.Box(x, y, box[2] / self.scale, box[3] / self.scale)


def picture_of(strokes: Sequence[Stroke], image: Underlay | None, alone: bool) -> Picture:
    """The ink, black on white or on the picture under it: what the reader sees, and what is saved as a picture.

    alone: all ink is one character.
    """
    strokes = strokes if alone else without_stray_dots(strokes)
    photo = np.asarray(binarize.decode(io.BytesIO(image.data), "the picture").convert("RGB")) if image else None
    scale = 1 / image.zoom if image else _scale_for(strokes, alone)
    offset = (-image.x * scale, -image.y * scale) if image else (0, 0)   # the photo's corner is at 0, 0
    curves = [stroke.curve * scale + offset for stroke in strokes]
    widths = [max(1.0, stroke.width * scale) for stroke in strokes]
    points = np.concatenate([*curves, [(0, 0), photo.shape[1::-1]]] if image else curves)
    reach = max(widths, default=0) / 2 + (0 if image else MARGIN)
    left, top = corner = np.ceil(reach - points.min(axis=0)).astype(int)   # whole px: the photo stays as it is
    columns, rows = np.ceil(points.max(axis=0) + corner + reach).astype(int)
    ink = np.zeros((rows, columns), np.uint8)
    for curve, width in zip(curves, widths):
        pen_strokes.trace(ink, [curve + corner], width)
    pixels = 255 - ink
    if image:
        pixels = np.stack([pixels] * 3, axis=2)
        under = pixels[top:top + photo.shape[0], left:left + photo.shape[1]]
        np.minimum(under, photo, out=under)
    return Picture(pixels, scale, offset + corner)


def without_stray_dots(strokes: Sequence[Stroke]) -> list[Stroke]:
    """The strokes without slips: dots outside any line, farther from all other strokes than those are high."""
    def is_dot(stroke: Stroke) -> bool:
        return max(stroke.box.width, stroke.box.height) < DOT * stroke.width

    others = [stroke for stroke in strokes if not is_dot(stroke)]
    if not others:
        return list(strokes)
    reach = float(np.median([stroke.box.height for stroke in others]))
    return [stroke for stroke in strokes if not is_dot(stroke)
            or any(stroke.box.grown(reach).touches(other.box) for other in others)]


def save_picture(picture: Picture, path: str | Path) -> None:
    """Write a picture in the format of the name's ending; raises ValueError if there is no such format."""
    files.write_atomically(Path(path),
                           lambda temporary: Image.fromarray(picture.pixels).save(temporary, quality=95))


def _scale_for(strokes: Sequence[Stroke], alone: bool) -> float:
    """How many times larger strokes are drawn for the reader than on the pad."""
    whole = boxes.around(stroke.box for stroke in strokes)
    if alone:
        return CHARACTER_SIDE / max(whole.width, whole.height)
    letter = np.percentile([stroke.box.height for stroke in strokes], 90)   # nine of ten strokes are no taller
    # In steps: any change of size changes the pixels, and with them some doubtful characters.
    scale = 1.0 if LETTER[0] <= letter <= LETTER[1] else 2.0 ** (round(2 * np.log2(LETTER_SCALED / max(letter, 8))) / 2)
    return min(scale, float(np.sqrt(MAX_PIXELS / ((whole.width + 30) * (whole.height + 30)))))
