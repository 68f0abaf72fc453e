"""Ink of a character -> the 28x28 picture that a network reads.

This module alone decides what that picture looks like, in training on pen strokes and in reading alike.  It follows the
geometry of EMNIST (Cohen et al. 2017, arXiv 1702.05373): blur, crop to the ink's bounding box, centre in a square that
keeps the aspect ratio, leave a border of 2 px, reduce to 28x28.  Before that, strokes are brought to a width usual in
EMNIST, so that thin and thick pens give nearly the same picture; widths that occur there are kept, since they tell the
size of the writing.
"""
import cv2
import numpy as np

from common import pen_strokes

SIZE = 28            # px, side of a glyph
EXTENT = 22.8        # px, longest side before the blur; 23.8 px of it are brighter than 16 after, as in EMNIST
# px: stroke widths from stroke_width(), and what they become.  EMNIST's median is 3; a hairline tells nothing of size.
STROKES = (1.2, 2.0, 2.45, 3.4), (3.0, 2.45, 2.45, 3.4)
BLUR = 1.2           # px of the fine picture, sigma, like EMNIST's of 1 px in a 128 px scan
FINE = 4             # the work is done in a picture this many times larger
INK = 64             # brightness from which a pixel counts as ink


def ink_box(ink: np.ndarray) -> tuple[int, int, int, int] | None:
    """Bounding box (x, y, width, height) in px of the ink in a uint8 image; None if there is none."""
    x, y, width, height = cv2.boundingRect((ink >= INK).view(np.uint8))
    return (x, y, width, height) if width and height else None


def stroke_width(ink: np.ndarray) -> float:
    """Mean stroke width in px of the ink (uint8): four times its mean distance to the background.

    In a band of width w that distance runs from 0 to w/2; measured between pixel centres it is half a px more.
    """
    padded = cv2.copyMakeBorder((ink >= 128).view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, 3)
    return max(1.0, 4 * float(distance.sum()) / max(1, np.count_nonzero(padded)) - 2)


def glyph(ink: np.ndarray) -> np.ndarray:
    """The picture of one character, uint8 (28, 28).

    ink: uint8 (height, width), bright ink on dark, any size, with or without margin.
    Raises ValueError when the image is of another kind or holds no ink.
    """
    if ink.dtype != np.uint8 or ink.ndim != 2:
        raise ValueError(f"a glyph is made from a uint8 image (height, width), not {ink.dtype} {ink.shape}")
    box = ink_box(ink)
    if box is None:
        raise ValueError("there is no ink in the picture: draw or choose one with a character")
    x, y, width, height = box
    fine = _fit_stroke(ink[y:y + height, x:x + width])
    square = _centre(fine, SIZE * FINE)
    small = cv2.resize(cv2.GaussianBlur(square, (0, 0), BLUR), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return cv2.convertScaleAbs(small, alpha=255 / max(1, int(small.max())))


def _fit_stroke(crop: np.ndarray) -> np.ndarray:
    """Scale a crop so that its longest side fills the inner square once the strokes have their final width."""
    inner = EXTENT * FINE
    scale = inner / max(crop.shape)
    width = min(stroke_width(resize(crop, scale)), inner / 2)
    wanted = FINE * float(np.interp(width / FINE, *STROKES))
    # The middle line of the strokes spans inner - width; it has to span inner - wanted.
    scale *= (inner - wanted) / (inner - width)
    width *= (inner - wanted) / (inner - width)
    return _widen(resize(crop, scale), (wanted - width) / 2)


def resize(image: np.ndarray, scale: float) -> np.ndarray:
    """A gray image, or ink, made `scale` times as large."""
    height, width = (max(1, round(side * scale)) for side in image.shape)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def _widen(image: np.ndarray, by: float) -> np.ndarray:
    """Move the edge of the ink outward by `by` px (inward if negative)."""
    if abs(by) < 0.25:
        return image
    grow = max(0, int(np.ceil(by)))
    image = cv2.copyMakeBorder(image, grow, grow, grow, grow, cv2.BORDER_CONSTANT, value=0)
    mask = (image >= 128).view(np.uint8)
    if by > 0:
        outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
        soft = by + 1 - outside
    else:
        padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        inside = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
        # A hairline that would vanish keeps a core one pixel wide.
        soft = np.maximum(inside + by, 0) if inside.max() + by >= 1 else inside - inside.max() + 1
    return (np.clip(soft, 0, 1) * 255).astype(np.uint8)


def _centre(image: np.ndarray, side: int) -> np.ndarray:
    """The ink's bounding box in the middle of a dark square of `side` px."""
    x, y, width, height = ink_box(image) or (0, 0, image.shape[1], image.shape[0])
    image = image[y:y + height, x:x + width]
    square = np.zeros((side, side), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top:top + height, left:left + width] = image
    return square


def draw_glyph(strokes, pen_width: float, height: float = 100) -> np.ndarray:
    """The glyph of one character drawn with a round pen: its longest side is `height` px, pen_width is in px."""
    size = max(float(np.ptp(np.concatenate([pen_strokes.as_points(stroke) for stroke in strokes]), axis=0).max()), 1.0)
    return glyph(pen_strokes.draw_strokes(pen_strokes.scale_strokes(strokes, height / size), pen_width))
