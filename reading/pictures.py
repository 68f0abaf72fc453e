"""A picture -> its writing in straight lines: by the page network or, in clean drawings, by connected parts alone."""
import cv2
import numpy as np

from common import glyph
from reading import binarize, page_network, text_lines
from reading.binarize import Picture, Source
from reading.network import THREADS

SOFT = 0.1       # of an edge's pixels: a drawing's edges are soft, a black and white scan's are not
STRAY = 0.002    # of the same: so many may lie beside strokes
RULE = 3.0       # pens: a long stroke that is no higher is a rule or an underline


def read_page(image: Source, name: str = "", threads: int = THREADS) -> Picture:
    """The writing in a picture of words, lines or a page; name: what messages call it.

    Raises binarize.ImageError when it cannot be read or nothing is there.
    """
    name = name or binarize.name_of(image)
    picture = binarize.decode(image, name)
    gray = np.asarray(picture.convert("L"))
    if not is_drawn(gray):
        found = page_network.shipped(threads).find(np.asarray(picture.convert("RGB")))
        if found.lines:
            return Picture(found.ink, found.scale, found.lines)
    return binarize.picture_of(gray, name, page=True)


def is_drawn(gray: np.ndarray) -> bool:
    """Whether brightness uint8 (height, width) is a drawing: soft strokes on one colour, no rules and boxes."""
    ground = int(np.bincount(gray.ravel(), minlength=256).argmax())
    contrast = cv2.absdiff(gray, np.full_like(gray, ground))
    strokes = (contrast > contrast.max() / 2).view(np.uint8)
    edge = np.count_nonzero(strokes > cv2.erode(strokes, np.ones((3, 3), np.uint8)))
    stray = (contrast > 0) & (cv2.dilate(strokes, np.ones((5, 5), np.uint8)) == 0)
    soft = (contrast > contrast.max() / 10) & (contrast < 0.9 * contrast.max())
    if np.count_nonzero(stray) > STRAY * edge or np.count_nonzero(soft) < SOFT * edge or not edge:
        return False
    boxes = text_lines.components(strokes)[1]
    width, height = (boxes[:, 2:] - boxes[:, :2]).T
    usual = text_lines.usual_height(boxes)
    rules = (width > 8 * usual) & (height <= RULE * glyph.stroke_width(255 * strokes))
    return not (rules.any() or _has_boxes(strokes, usual / 2))


def _has_boxes(strokes: np.ndarray, least: float) -> bool:
    """Whether strokes, 0 or 1, are closed around others that are at least so many px high."""
    contours, tree = cv2.findContours(strokes, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    parents = tree[0][:, 3] if len(contours) else ()
    inside = [place for place, parent in enumerate(parents) if parent >= 0 and parents[parent] >= 0]
    return any(cv2.boundingRect(contours[place])[3] >= least for place in inside)
