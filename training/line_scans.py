"""Lines as scans show them: random paper, pens and scanners, and the line image that reading makes of a line.

    image = line_scans.line_image_of(line_scans.age(gray, rng))
"""
import functools

import cv2
import numpy as np

from common import glyph, line_image
from reading import line_inks, page_network, text_lines
from training import page_writing, paper

ROOM = 10            # px of paper added around a scanned line, for letters that reach out once they are bent
FONT_X_HEIGHT = 20   # px


def line_image_of(picture: np.ndarray) -> np.ndarray | None:
    """The line image, uint8 (height, width), that reading makes of an RGB picture of a line; None without ink."""
    maps = page_network.shipped(1).maps(picture)
    strokes = maps.ink >= text_lines.INK
    if not strokes.any():
        return None
    ink = line_inks.sharp_ink(picture, maps.ink, maps.rule)
    ink = line_inks.amplify(ink, line_inks.gain_of(ink[strokes]))
    ink, _ = text_lines.straighten(ink)
    return line_image.normalize(ink)[0] if glyph.ink_box(ink) else None


def in_font(path: str, text: str, rng: np.random.Generator) -> np.ndarray | None:
    """A text in a font: uint8 (height, width), dark on white; None if the font lacks a character."""
    if not letters_of(path) >= set(text):
        return None
    return 255 - page_writing.FontWriter(path, [], rng).word(FONT_X_HEIGHT, text).ink


@functools.cache
def letters_of(path: str) -> set[str]:
    """The characters that a font's file can write."""
    from fontTools.ttLib import TTFont
    return {*map(chr, TTFont(path, lazy=True).getBestCmap())}


def age(gray: np.ndarray, rng: np.random.Generator, neighbour: np.ndarray | None = None) -> np.ndarray:
    """A scanned line, uint8 (height, width), dark on bright, as another writer, pen and camera would make it: RGB.

    neighbour: another line, whose tails reach into this one.
    """
    white = int(np.percentile(gray, 90))
    gray = _bend(cv2.copyMakeBorder(gray, ROOM, ROOM, ROOM, ROOM, cv2.BORDER_CONSTANT, value=white), white, rng)
    if neighbour is not None:
        _add_tails(gray, neighbour, rng)
    if rng.random() < 0.15:
        _add_rules(gray, white, rng)
    if rng.random() < 0.25:   # a thicker or a thinner pen
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2, 2) if rng.random() < 0.6 else (3, 3))
        gray = (cv2.erode if rng.random() < 0.7 else cv2.dilate)(gray, kernel)
    if rng.random() < 0.5:    # a faint pencil
        faint = rng.uniform(0.25, 1.0)
        gray = cv2.convertScaleAbs(gray, alpha=faint, beta=(1 - faint) * white)
    picture = paper.sensor(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB).astype(np.float32), rng)
    return paper.poor(picture, rng) if rng.random() < 0.2 else picture


def _bend(gray: np.ndarray, white: int, rng: np.random.Generator) -> np.ndarray:
    """Change slant, slope, width and waviness."""
    height, width = gray.shape
    wide, slant, slope = float(np.exp(rng.normal(0, 0.12))), rng.normal(0, 0.15), rng.normal(0, 0.008)
    x, y = np.arange(round(width * wide), dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    from_x, from_y = x / wide + slant * (y - height / 2), y + slope * (x - width * wide / 2)
    for _ in range(2):
        along_x, along_y = rng.normal(0, 0.03), rng.normal(0, 0.05)
        # Sines and cosines of rows and columns give those of all pixels, which would take most of the time.
        row, column = along_y * y + rng.uniform(0, 2 * np.pi), along_x * x
        rows, sine, cosine = np.hstack([np.cos(row), np.sin(row)]), np.sin(column), np.cos(column)
        from_x += rng.normal(0, 1.2) * (rows @ np.stack([sine, cosine]))
        from_y += rng.normal(0, 1.0) * (rows @ np.stack([cosine, -sine]))
    return cv2.remap(gray, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=white)


def _add_tails(gray: np.ndarray, neighbour: np.ndarray, rng: np.random.Generator) -> None:
    """Let the lowest ink of the line above reach in, and the highest of the line below."""
    width = min(gray.shape[1], neighbour.shape[1])
    above, below = rng.integers(0, 10, 2)
    for there, tails in ((gray[:above, :width], neighbour[len(neighbour) - above:, :width]),
                         (gray[len(gray) - below:, :width], neighbour[:below, :width])):
        np.minimum(there, tails, out=there)


def _add_rules(gray: np.ndarray, white: int, rng: np.random.Generator) -> None:
    """Print a rule under the writing, solid, dotted or dashed, sometimes with the columns of a grid."""
    level, thick = int(white * rng.uniform(0.4, 0.95)), int(rng.integers(1, 3))
    y = round(len(gray) * rng.uniform(0.62, 0.85))
    dash = int(rng.choice((gray.shape[1], 2, 3, 6)))
    drawn = np.where(np.arange(gray.shape[1]) // dash % 2 == 0, level, 255).astype(np.uint8)
    gray[y:y + thick] = np.minimum(gray[y:y + thick], drawn)
    if rng.random() < 0.1:
        columns = gray[:, rng.integers(0, 20)::int(rng.integers(16, 36))]
        np.minimum(columns, level, out=columns)
