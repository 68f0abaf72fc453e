"""A drawing as a page that the recogniser reads, through the same steps as a picture's file.

common/pen_strokes.py draws the ink, with the pen from which the networks have learned.
"""
import functools
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from apps import boxes
from apps.strokes import Stroke, Underlay
from common import files, pen_strokes
from reading import binarize

LETTER = (40, 110)       # px: letters of such a height are read as they are, others are scaled ...
LETTER_SCALED = 64       # px: ... to this one
CHARACTER_SIDE = 128     # px: longest side of a character that stands alone
MAX_PIXELS = 2_900_000   # of the ink; reading/binarize.py reduces larger pages
MARGIN = 12              # px around the ink


class Page(NamedTuple):
    """Ink to read; a point p of the pad lies at p * scale + offset in the picture whose boxes are told."""
    picture: binarize.Picture
    scale: float
    offset: np.ndarray

    def on_pad(self, box: Sequence[int]) -> boxes.Box:
        """A box of the picture on the pad."""
        x, y = ((box[:2] - self.offset) / self.scale).tolist()
        return boxes.Box(x, y, box[2] / self.scale, box[3] / self.scale)


def page_of(strokes: Sequence[Stroke], image: Underlay | None, alone: bool) -> Page:
    """The page of a drawing; alone: all ink is one character.

    Raises binarize.ImageError when there is no ink.
    """
    if image is None:
        ink, scale, offset = render(strokes, alone)
        return Page(binarize.read_picture(255 - ink, page=not alone), scale, offset)
    photo = _photo(image.data, alone)
    drawn, rim = on_picture(strokes, image, photo.scale, photo.ink.shape)
    corner = np.array([image.x, image.y]) / image.zoom - photo.scale * np.array([rim[1][0], rim[0][0]])
    ink = np.maximum(np.pad(photo.ink, rim), drawn)
    return Page(binarize.Picture(ink, photo.scale), 1 / image.zoom, -corner)


@functools.lru_cache(maxsize=2)
def _photo(data: bytes, alone: bool) -> binarize.Picture:
    return binarize.read_picture(io.BytesIO(data), "the picture", page=not alone)


def render(strokes: Sequence[Stroke], alone: bool = False) -> tuple[np.ndarray, float, np.ndarray]:
    """Draw strokes at a size that suits the reader; alone: they are one character.

    Returns the ink, uint8 (height, width), bright on dark, and the scale and the offset (x, y) by which a point p of
    the pad lies at p * scale + offset.
    """
    scale = _scale_for(strokes, alone)
    curves = [stroke.curve * scale for stroke in strokes]
    widths = [max(1.0, stroke.width * scale) for stroke in strokes]
    points, reach = np.concatenate(curves), MARGIN + max(widths) / 2
    offset = np.ceil(reach - points.min(axis=0))  # whole px: what is written later leaves these pixels as they are
    columns, rows = np.ceil(points.max(axis=0) + offset + reach).astype(int)
    ink = np.zeros((rows, columns), np.uint8)
    for points, width in zip(curves, widths):
        pen_strokes.trace(ink, [points + offset], width)
    return ink, scale, offset


def _scale_for(strokes: Sequence[Stroke], alone: bool) -> float:
    """How much larger strokes are drawn for the reader than they are on the pad."""
    whole = boxes.around(stroke.box for stroke in strokes)
    if alone:
        return CHARACTER_SIDE / max(whole.width, whole.height)
    letter = np.percentile([stroke.box.height for stroke in strokes], 90)   # nine of ten strokes are no taller
    # In steps: each change of size would change the pixels, and with them some doubtful character.
    scale = 1.0 if LETTER[0] <= letter <= LETTER[1] else 2.0 ** (round(2 * np.log2(LETTER_SCALED / max(letter, 8))) / 2)
    return min(scale, float(np.sqrt(MAX_PIXELS / ((whole.width + 30) * (whole.height + 30)))))


def on_picture(strokes: Sequence[Stroke], image: Underlay, scale: float,
               shape: tuple[int, int]) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """The ink of strokes over a picture, and the rim by which it is larger, since ink may lie beside the picture.

    scale: px of the picture in a px of the ink.  shape: height and width of the picture in px of the ink.
    Returns uint8 (height, width), and the rows above and below and the columns left and right of the picture,
    [(top, bottom), (left, right)], as np.pad takes them.
    """
    moved = [((stroke.curve - (image.x, image.y)) / (image.zoom * scale),
              max(1.0, stroke.width / (image.zoom * scale))) for stroke in strokes]
    ends = np.array([(0, 0), shape[::-1], *(points.min(axis=0) - width for points, width in moved),
                     *(points.max(axis=0) + width for points, width in moved)])
    left, top = np.ceil(-ends.min(axis=0)).astype(int).tolist()
    right, bottom = (np.ceil(ends.max(axis=0)).astype(int) - shape[::-1]).tolist()
    ink = np.zeros((shape[0] + top + bottom, shape[1] + left + right), np.uint8)
    for points, width in moved:
        pen_strokes.trace(ink, [points + (left, top)], width)
    return ink, [(top, bottom), (left, right)]


def save_png(strokes: Sequence[Stroke], image: Underlay | None, path: str | Path, alone: bool = False) -> None:
    """Write the ink as the reader sees it, black on white or on the picture; read again it gives the same text."""
    if image:
        paper = ImageOps.exif_transpose(Image.open(io.BytesIO(image.data))).convert("RGB")
        drawn, rim = on_picture(strokes, image, 1.0, paper.size[::-1])
        paper = np.pad(np.asarray(paper), (*rim, (0, 0)), constant_values=255)
        picture = np.minimum(paper, 255 - drawn[..., None])
    else:
        picture = 255 - render(strokes, alone)[0]
    files.write_atomically(Path(path), lambda temporary: Image.fromarray(picture).save(temporary, "PNG"))
