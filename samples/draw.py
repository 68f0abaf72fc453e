"""Draws the sample pictures beside this script: one handwritten character each, named by its first letter.

    python samples/draw.py
"""
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from scipy.interpolate import CubicSpline

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import ink  # noqa: E402

# Each character is a list of strokes, each stroke the points a pen passes: x to the right, y down, in px.
STROKES = {
    "a": [[(141, 62), (112, 50), (78, 63), (55, 100), (52, 141), (72, 165), (105, 150), (131, 112), (144, 66),
           (139, 101), (135, 137), (144, 162), (164, 160), (180, 145)]],
    "R": [[(62, 32), (59, 78), (61, 131), (56, 189)],
          [(38, 43), (72, 27), (113, 26), (137, 46), (131, 80), (99, 101), (63, 105)],
          [(85, 104), (108, 133), (131, 166), (161, 190)]],
    "5": [[(75, 41), (70, 71), (66, 99)],
          [(66, 99), (96, 90), (127, 103), (138, 137), (123, 172), (88, 187), (52, 177)],
          [(73, 42), (103, 40), (141, 34)]],
    "g": [[(139, 57), (113, 40), (79, 51), (58, 84), (66, 116), (95, 118), (123, 92), (141, 55),
           (140, 104), (133, 161), (117, 203), (85, 218), (56, 205), (55, 180), (87, 164), (128, 148), (165, 129)]],
    "k": [[(67, 20), (62, 74), (59, 131), (57, 188)],
          [(124, 95), (103, 112), (81, 129), (62, 139)],
          [(77, 131), (93, 152), (112, 174), (139, 187)]],
    "e": [[(62, 117), (97, 112), (131, 96), (134, 68), (108, 54), (77, 70), (58, 106), (62, 149), (92, 169),
           (127, 161), (157, 139)]],
}


def write(character: str, pen: float, seed: int, tremor: float = 1.2) -> np.ndarray:
    """Ink of one character as uint8 (height, width), bright on dark; tremor: unevenness of the hand in px."""
    random = np.random.default_rng(seed)
    return ink.draw_strokes([curve(np.array(points, float), tremor, random) for points in STROKES[character]],
                            pen, margin=32)


def curve(points: np.ndarray, tremor: float, random: np.random.Generator) -> np.ndarray:
    """A smooth, slightly uneven line through points (n, 2), a point per px."""
    length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    along = np.arange(0, length[-1], 1.0)
    knots = np.linspace(0, length[-1], 2 + int(length[-1] / 30))
    shake = CubicSpline(knots, random.normal(0, tremor, (len(knots), 2)))
    return CubicSpline(length, points)(along) + shake(along)


def photograph(drawn: np.ndarray, seed: int) -> Image.Image:
    """Ink as blue pen on grayish paper, lit from one corner, slightly out of focus and noisy; RGB."""
    random = np.random.default_rng(seed)
    drawn = np.pad(drawn, ((22, 48), (60, 34)))
    height, width = drawn.shape
    y, x = np.mgrid[0:1:height * 1j, 0:1:width * 1j]
    light = 1.0 - 0.30 * x - 0.22 * y - 0.12 * (x - 0.4) ** 2
    paper, pen = np.array([206, 203, 194]), np.array([52, 66, 138])
    pressure = 0.86 + 0.12 * np.sin(7 * x + 4 * y)
    cover = (drawn / 255 * pressure)[..., None]
    picture = (paper * (1 - cover) + pen * cover) * light[..., None]
    grain = soften(random.normal(128, 34, (height, width)), 0.8) - 128.0
    return soften(picture + grain[..., None] * 0.45, 0.9, as_image=True)


def soften(picture: np.ndarray, radius: float, as_image: bool = False):
    """The picture, clipped to uint8 and blurred by a Gaussian with sigma `radius` px."""
    blurred = Image.fromarray(picture.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(radius))
    return blurred if as_image else np.asarray(blurred)


def main() -> None:
    """Write all samples."""
    for character, pen, seed in (("a", 7, 1), ("R", 6, 2), ("5", 9, 3), ("g", 5, 4)):
        Image.fromarray(255 - write(character, pen, seed)).save(HERE / f"{character}.png", optimize=True)
    light_on_dark = 28 + (write("k", 6, 5) * 0.8).astype(np.uint8)
    Image.fromarray(light_on_dark).save(HERE / "k_on_dark.png", optimize=True)
    photograph(write("e", 6, 6), 7).save(HERE / "e_photo.jpg", quality=80)


if __name__ == "__main__":
    main()
