"""Draws pen strokes as ink: uint8 images, bright on dark.

A stroke is what a pen writes between touching the paper and leaving it: an array of points, x to the right and y down.
Training data made from pen strokes and the drawing apps share this pen, so that both look the same.
"""
from collections.abc import Sequence

import cv2
import numpy as np

_SHIFT = 4  # OpenCV takes coordinates in 1/16 px
FINE = 5         # ink is drawn this many times larger and then reduced, ...
MOST = 1 << 25   # ... in parts of about this many of these px


def as_points(stroke) -> np.ndarray:
    """A stroke, flat [x, y, x, y, ...] or (n, 2), as float32 (n, 2)."""
    return np.asarray(stroke, np.float32).reshape(-1, 2)


def scale_strokes(strokes: Sequence, scale: float) -> list[np.ndarray]:
    """The strokes as float32 (n, 2) arrays, multiplied by `scale`."""
    return [as_points(stroke) * np.float32(scale) for stroke in strokes]


def draw_strokes(strokes: Sequence, pen_width: float, margin: int = 4) -> np.ndarray:
    """Draw strokes with a round pen, anti-aliased.

    strokes: each flat [x, y, x, y, ...] or (n, 2), in px.
    pen_width: diameter of the pen in px, at least 1.
    margin: empty px around the ink.
    Returns a uint8 image (height, width) just large enough for the ink.
    Raises ValueError when there is no point to draw.
    """
    strokes = [as_points(stroke) for stroke in strokes if len(stroke)]
    if not strokes:
        raise ValueError("there are no strokes to draw: draw something first")
    points = np.concatenate(strokes)
    border = margin + pen_width / 2
    offset = border - points.min(axis=0)
    width, height = np.ceil(np.ptp(points, axis=0) + 2 * border).astype(int) + 1
    image = np.zeros((height, width), np.uint8)
    trace(image, [stroke + offset for stroke in strokes], pen_width)
    return image


def trace(image: np.ndarray, strokes: Sequence[np.ndarray], pen_width: float) -> tuple[int, int, int, int]:
    """Draw strokes, each points (n, 2) in px of the image, into a uint8 image; what lies outside is cut off.

    OpenCV's own anti-aliased lines are up to 2.4 px too wide, so strokes are drawn FINE times larger and reduced.
    Returns the box (left, top, right, bottom) that may have changed; if it is empty, nothing has.
    """
    points, reach = np.concatenate(strokes), pen_width / 2 + 2
    left, top = np.maximum(np.floor(points.min(axis=0) - reach), 0).astype(int).tolist()
    right, bottom = np.minimum(np.ceil(points.max(axis=0) + reach), image.shape[::-1]).astype(int).tolist()
    if left < right and top < bottom:
        rows = max(1, MOST // ((right - left) * FINE * FINE))
        for first in range(top, bottom, rows):
            _add(image[first:min(first + rows, bottom), left:right], [stroke - (left, first) for stroke in strokes],
                 pen_width)
    return left, top, right, bottom


def _add(part: np.ndarray, strokes: list[np.ndarray], pen_width: float) -> None:
    """Draw strokes into a part of an image, points in px of the part."""
    fine = np.zeros((part.shape[0] * FINE, part.shape[1] * FINE), np.uint8)
    # Whole numbers are the centres of pixels.
    moved = [np.round(((stroke + 0.5) * FINE - 0.5) * (1 << _SHIFT)).astype(np.int32) for stroke in strokes]
    even = max(1, int(pen_width * FINE / 2) * 2)  # OpenCV's lines are an odd number of px wide: this plus 1
    cv2.polylines(fine, [points for points in moved if len(points) > 1], False, 255, even, cv2.LINE_8, _SHIFT)
    for points in moved:
        if len(points) == 1:  # a tap leaves a dot
            radius = round(pen_width * FINE / 2 * (1 << _SHIFT))
            cv2.circle(fine, points[0], radius, 255, cv2.FILLED, cv2.LINE_8, _SHIFT)
    np.maximum(part, cv2.resize(fine, part.shape[::-1], interpolation=cv2.INTER_AREA), out=part)
