"""Draws pen strokes as ink: uint8 images, ink bright on dark.

A stroke is what a pen writes between touching the paper and leaving it: an
array of points, x to the right and y down.  The training data made from pen
strokes and the drawing apps use this one pen, so that both look the same.
"""
from collections.abc import Sequence

import cv2
import numpy as np

_SHIFT = 4  # OpenCV takes coordinates in 1/16 px


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
    for stroke in strokes:
        trace(image, stroke + offset, pen_width)
    return image


def trace(image: np.ndarray, stroke: np.ndarray, pen_width: float) -> None:
    """Draw one stroke, points (n, 2) in px of the image, into a uint8 image; what lies outside is cut off."""
    thickness = max(1, round(pen_width))
    fixed = np.round(stroke * (1 << _SHIFT)).astype(np.int32)
    if len(fixed) == 1:  # a tap leaves a dot
        cv2.circle(image, fixed[0], int(thickness * (1 << _SHIFT) / 2), 255, cv2.FILLED, cv2.LINE_AA, _SHIFT)
    else:
        cv2.polylines(image, [fixed], False, 255, thickness, cv2.LINE_AA, _SHIFT)
