"""Ink of a word or line -> the line image that a network reads: what common/glyph.py is for one character.

This module alone decides what a line image looks like, in training and in reading alike.  People write large and small,
wide and narrow; line images all have the same height, about the same x-height and about the same width per letter:

- The height follows the ink's spread about its middle, not its bounding box, which one long tail would double
  (moment-based normalisation: Kozielski, Doetsch and Ney 2013, "Improvements in RWTH's system for off-line handwriting
  recognition").
- A long line that rises, falls or bends is first levelled, by following its middle from left to right.
- The width follows the number of strokes that cross the middle, about two per letter, so that widely spaced print and
  tight cursive become about equally wide.
"""
import math

import cv2
import numpy as np

from common import glyph

HEIGHT = 32          # px of a line image
STEP = 4             # px of width in one step of a network
WIDTH_STEP = 32      # px: batches are padded to a multiple of this width
MARGIN = 6           # px of paper on the left and right
SPREAD = 5.0         # px, standard deviation of the ink's height about its middle
FULL, CUT = 30, 1.15 # px: ink is made at most FULL * CUT high; tails that stick out are cut off
THICK = 5.0          # px: strokes are made no thicker than this, so that a full stop stays small
CROSSING = 9.5       # px of width for each stroke that crosses the middle, ...
LONG_CROSSING = 13.0 # ... and in long lines, where people write smaller and letters run together
LONG = 48.0          # times the spread: a line at least this wide is long
REACH = 12.0         # times the spread: standard deviation of the window over which a long line's middle is averaged
FOLLOW = 0.8         # exponent of the change of width: 0 would keep the writer's own proportions
STRETCH = 0.7, 3.0   # least and most change of width
DARK = 96            # brightness from which a pixel counts as a stroke here


def normalize(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The line image of one straight line of text.

    ink: uint8 (height, width), bright ink on dark, any size, with or without margin.
    Returns uint8 (HEIGHT, width) and the affine map float (2, 3) from its px to px of the ink; for a long line, y is in
    the levelled ink.  Raises ValueError when there is no ink.
    """
    box = glyph.ink_box(ink)
    if box is None:
        raise ValueError("there is no ink in the picture: draw or choose one with writing")
    left, top, width, height = box
    crop = ink[top:top + height, left:left + width]
    middle, spread = _rows(crop)
    long = width >= LONG * spread
    if long:
        crop = _levelled(crop, middle, spread)
        _, first, _, height = glyph.ink_box(crop)
        crop, top = crop[first:first + height], top + first
        middle, spread = _rows(crop)
    scale = min(SPREAD / max(spread, 0.3), CUT * FULL / height, THICK / glyph.stroke_width(crop))
    core = crop[max(0, round(middle - spread)):round(middle + spread) + 1]
    stretch = _stretch(core, width * scale, LONG_CROSSING if long else CROSSING)
    size = max(1, round(width * scale * stretch)), max(1, round(height * scale))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)

    # The middle of the ink goes to the middle of the image, unless the ink would stick out.
    above = round(HEIGHT / 2 - middle * size[1] / height)
    above = min(max(above, 1), HEIGHT - 1 - size[1]) if size[1] <= HEIGHT - 2 else (HEIGHT - size[1]) // 2
    image = np.zeros((HEIGHT, size[0] + 2 * MARGIN), np.uint8)
    first, last = max(above, 0), min(above + size[1], HEIGHT)
    image[first:last, MARGIN:MARGIN + size[0]] = small[first - above:last - above]
    across, down = width / size[0], height / size[1]
    return image, np.array([[across, 0, left - across * MARGIN], [0, down, top - down * above]])


def _rows(ink: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation, in px, of the ink's y."""
    mass = cv2.reduce(ink, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32F)[:, 0]
    rows = np.arange(len(ink)) + 0.5
    middle = float(mass @ rows / mass.sum())
    return middle, float(np.sqrt(mass @ (rows - middle) ** 2 / mass.sum()))


def _levelled(ink: np.ndarray, middle: float, spread: float) -> np.ndarray:
    """A line of ink (height, width) with each column shifted so that the middle of the ink around it is at `middle`."""
    height, width = ink.shape
    mass = cv2.reduce(ink, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F)[0]
    moment = (np.arange(height, dtype=np.float32) + 0.5) @ ink.astype(np.float32)
    sigma = max(1.0, REACH * spread)
    reach = round(4 * sigma)
    window = np.exp(-0.5 * (np.arange(-reach, reach + 1, dtype=np.float32) / np.float32(sigma)) ** 2)
    mass, moment = (np.convolve(each, window / window.sum())[reach:reach + width] for each in (mass, moment))
    off = moment / np.maximum(mass, 1e-3) - middle
    above = max(0, math.ceil(off.max()))
    x, y = np.meshgrid(np.arange(width, dtype=np.float32),
                       np.arange(-above, height + max(0, math.ceil(-off.min())), dtype=np.float32))
    return cv2.remap(ink, x, y + off.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


def _stretch(core: np.ndarray, width: float, crossing: float) -> float:
    """The change of width for a line `width` px wide whose middle rows are `core` (rows, width).

    crossing: px for each stroke that crosses them.
    """
    dark = core >= DARK
    crossings = np.count_nonzero(dark[:, 1:] & ~dark[:, :-1], axis=1) + dark[:, 0]
    wanted = crossing * max(1.0, float(crossings.mean()))
    return float(np.clip((wanted / width) ** FOLLOW, *STRETCH))


def to_batch(images) -> np.ndarray:
    """Line images uint8 (height, width) as one batch (n, height, width); narrower ones are padded with paper."""
    width = max(image.shape[1] for image in images)
    batch = np.zeros((len(images), HEIGHT, width + -width % WIDTH_STEP), np.uint8)
    for row, image in enumerate(images):
        batch[row, :, :image.shape[1]] = image
    return batch
