"""Draws the samples in samples/ from the stroke font beside this file, which imitates handwriting; nobody wrote them.

    python -m tools.draw_samples

The name of a picture of one character begins with that character; pages/ holds lines, and hello.json holds strokes to
open in the drawing apps.
"""
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from scipy.interpolate import CubicSpline

from apps import strokes as app_strokes
from common import pen_strokes, settings

# ---- settings: change them here or on the command line, as --name=value
folder = "samples"         # where the samples go
# ---- end of settings

# A character is a list of strokes, each a list of points [x, y] along the pen's path: x to the right, y down, in px.
FONT = json.loads(Path(__file__).with_name("stroke_font.json").read_text(encoding="utf-8"))
STROKES = FONT["characters"]   # for pictures of one character
LETTERS = FONT["letters"]      # for lines: 100 px tall above the baseline at y = 100, x from 0
CURSIVE = FONT["cursive"]      # the stroke that runs on from letter to letter, and those added after the word is done
LINES = ["Hello world", "read the lines in order", "then 25 and more"]
HELLO = "Hello there", "the world in one minute", "lines and 25 letters"   # the second is cursive


def strokes_of(lines: list[str], height: float, seed: int, gap: float = 16, tremor: float = 0.5,
               pitch: float = 190) -> list[np.ndarray]:
    """The pen strokes of lines of text, each float (n, 2) in px, one point per px.

    height: of a capital, in px; gap between letters and pitch of the lines: in hundredths of that height.
    """
    random = np.random.default_rng(seed)
    strokes, scale = [], height / 100
    for row, text in enumerate(lines):
        x, slope = random.uniform(0, 20), random.uniform(-0.02, 0.03)
        for character in text:
            if character == " ":
                x += 50 + random.uniform(0, 20)
                continue
            size = random.normal(1, 0.04)
            for points in LETTERS[character]:
                points = (np.array(points, float) - (0, 100)) * size + (x, pitch * row - slope * x)
                strokes.append(curve(points * scale, tremor, random))
            x += max(px for points in LETTERS[character] for px, _ in points) * size + gap + random.normal(0, 2)
    return strokes


def cursive_strokes(text: str, height: float, seed: int, tremor: float = 0.5) -> list[np.ndarray]:
    """The pen strokes of a line of cursive words: one for each word, plus those added to it; see strokes_of."""
    random = np.random.default_rng(seed)
    strokes, x = [], 0.0
    for word in text.split():
        path, added = [], []
        for character in word:
            points, more = CURSIVE[character]
            size, place = random.normal(1, 0.03), np.array([x, 0])
            first = bool(path)   # the stroke comes from the previous letter
            path += [(np.array(point) - (0, 100)) * size + place for point in points[first:]]
            added += [(np.array(stroke, float) - (0, 100)) * size + place for stroke in more]
            x += points[-1][0] * size + 4
        strokes += [curve(np.array(stroke, float) * height / 100, tremor, random) for stroke in (path, *added)]
        x += 60
    return strokes


def write_lines(lines: list[str], height: float, pen: float, seed: int) -> np.ndarray:
    """Ink of lines of text as uint8 (height, width), bright on dark; see strokes_of."""
    return pen_strokes.draw_strokes(strokes_of(lines, height, seed), pen, margin=24)


def write(character: str, pen: float, seed: int) -> np.ndarray:
    """Ink of one of STROKES as uint8 (height, width), bright on dark."""
    random = np.random.default_rng(seed)
    strokes = [curve(np.array(points, float), 1.2, random) for points in STROKES[character]]
    return pen_strokes.draw_strokes(strokes, pen, margin=32)


def curve(points: np.ndarray, tremor: float, random: np.random.Generator) -> np.ndarray:
    """A smooth line through points (n, 2), with one point per px; tremor: its unevenness in px."""
    length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    along = np.arange(0, length[-1], 1.0)
    knots = np.linspace(0, length[-1], 2 + int(length[-1] / 30))
    shake = CubicSpline(knots, random.normal(0, tremor, (len(knots), 2)))
    return CubicSpline(length, points)(along) + shake(along)


def photograph(drawn: np.ndarray, seed: int) -> Image.Image:
    """An RGB photo of ink, uint8 (height, width): blue pen on grayish paper, lit from a corner, blurred and noisy."""
    random = np.random.default_rng(seed)
    drawn = np.pad(drawn, ((22, 48), (60, 34)))
    height, width = drawn.shape
    y, x = np.mgrid[0:1:height * 1j, 0:1:width * 1j]
    light = 1.0 - 0.30 * x - 0.22 * y - 0.12 * (x - 0.4) ** 2
    paper, pen = np.array([206, 203, 194]), np.array([52, 66, 138])
    pressure = 0.86 + 0.12 * np.sin(7 * x + 4 * y)
    cover = (drawn / 255 * pressure)[..., None]
    picture = (paper * (1 - cover) + pen * cover) * light[..., None]
    grain = np.asarray(_soften(random.normal(128, 34, (height, width)), 0.8)) - 128.0
    return _soften(picture + grain[..., None] * 0.45, 0.9)


def _soften(picture: np.ndarray, radius: float) -> Image.Image:
    """The picture, clipped to uint8 and blurred by a Gaussian with sigma `radius` px."""
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(radius))


def make_hello() -> app_strokes.Drawing:
    """Three slightly slanted lines, as strokes of the drawing apps."""
    leaning = np.array([[1, 0], [-0.12, 1]])
    first, second, third = HELLO
    strokes = strokes_of([first, "", third], 64, 12, tremor=0.5, pitch=200)
    strokes += [stroke + (4, 128) for stroke in cursive_strokes(second, 64, 5)]
    hello = app_strokes.Drawing()
    hello.add(*(app_strokes.Stroke((stroke[::4] @ leaning + (70, 110)).astype(np.float32), 4.5) for stroke in strokes))
    return hello


def main(arguments: list[str]) -> None:
    """Draw all samples."""
    samples = Path(settings.configure(globals(), arguments)[0].folder)
    (samples / "pages").mkdir(parents=True, exist_ok=True)
    cursive = pen_strokes.draw_strokes(cursive_strokes("hello little world", 80, 1), 5, margin=24)
    pictures = {"a": 255 - write("a", 7, 1), "R": 255 - write("R", 6, 2), "5": 255 - write("5", 9, 3),
                "g": 255 - write("g", 5, 4), "k_on_dark": 28 + (write("k", 6, 5) * 0.8).astype(np.uint8),
                "pages/lines": 255 - write_lines(LINES, 60, 5, 8), "pages/joined": 255 - cursive}
    for name, picture in pictures.items():
        Image.fromarray(picture).save(samples / f"{name}.png", optimize=True)
    photograph(write("e", 6, 6), 7).save(samples / "e_photo.jpg", quality=80)
    app_strokes.save(make_hello(), samples / "hello.json")


if __name__ == "__main__":
    settings.run(main)
