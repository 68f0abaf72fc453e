"""Draws the samples in samples/: pictures of one handwritten character each, named by its first letter;
in pages/, handwritten lines; and hello.json, strokes to open in the drawing apps.

    python -m tools.draw_samples
"""
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from scipy.interpolate import CubicSpline

from apps import strokes as drawing
from common import pen_strokes

HERE = Path(__file__).resolve().parents[1] / "samples"

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

# The letters of LINES, 100 px tall above the baseline at y = 100, x from 0.
LETTERS = {
    "H": [[(4, 2), (3, 50), (2, 100)], [(52, 0), (52, 50), (50, 100)], [(3, 52), (28, 50), (52, 49)]],
    "a": [[(40, 54), (26, 42), (8, 52), (2, 76), (12, 98), (28, 92), (40, 66)], [(41, 44), (40, 72), (44, 100)]],
    "d": [[(40, 58), (28, 43), (12, 50), (2, 74), (10, 96), (26, 97), (40, 78)], [(42, 0), (41, 50), (42, 100)]],
    "e": [[(2, 72), (20, 71), (36, 66), (34, 50), (20, 42), (6, 52), (1, 74), (10, 95), (26, 100), (42, 90)]],
    "h": [[(4, 0), (4, 50), (3, 100)], [(4, 70), (14, 50), (28, 44), (37, 56), (38, 80), (38, 100)]],
    "i": [[(4, 44), (4, 72), (5, 100)], [(5, 20), (6, 24)]],
    "l": [[(6, 0), (5, 50), (4, 98)]],
    "m": [[(3, 44), (4, 72), (3, 100)], [(4, 66), (14, 48), (26, 46), (30, 62), (30, 100)],
          [(30, 64), (42, 47), (54, 48), (58, 64), (58, 100)]],
    "n": [[(3, 44), (4, 72), (3, 100)], [(4, 66), (14, 48), (28, 43), (36, 56), (37, 80), (38, 100)]],
    "o": [[(22, 42), (6, 52), (1, 74), (12, 96), (28, 99), (41, 82), (40, 58), (26, 43), (18, 43)]],
    "r": [[(4, 43), (5, 70), (5, 100)], [(5, 68), (12, 50), (24, 42), (34, 46)]],
    "s": [[(34, 48), (20, 42), (7, 50), (10, 64), (26, 74), (34, 86), (24, 98), (4, 95)]],
    "t": [[(14, 12), (13, 50), (14, 88), (24, 99), (34, 96)], [(0, 42), (16, 40), (32, 39)]],
    "w": [[(0, 43), (6, 72), (14, 98), (24, 88), (30, 58)], [(30, 58), (34, 85), (44, 99), (54, 82), (60, 43)]],
    "2": [[(3, 20), (12, 4), (30, 2), (40, 18), (30, 46), (14, 74), (0, 98)], [(0, 98), (22, 97), (46, 98)]],
    "5": [[(6, 4), (4, 24), (3, 44)], [(3, 44), (24, 40), (42, 55), (38, 85), (20, 100), (0, 94)],
          [(6, 4), (24, 3), (44, 1)]],
}
# Letters of joined writing: the stroke that goes on from letter to letter, and what is added when the word is done.
JOINED = {
    "d": ([(0, 98), (18, 70), (32, 50), (22, 43), (8, 55), (4, 80), (14, 99), (28, 92), (38, 66), (42, 2), (40, 50),
           (41, 90), (48, 99), (58, 88)], []),
    "e": ([(0, 98), (14, 84), (28, 62), (25, 47), (15, 44), (7, 56), (5, 78), (14, 97), (28, 99), (42, 86)], []),
    "h": ([(0, 98), (15, 58), (24, 18), (19, 2), (12, 12), (10, 50), (9, 99), (12, 74), (20, 54), (30, 45), (38, 54),
           (38, 80), (42, 97), (50, 98), (60, 86)], []),
    "i": ([(0, 98), (11, 62), (15, 45), (15, 70), (17, 93), (24, 99), (34, 86)], [[(17, 21), (19, 24)]]),
    "l": ([(0, 98), (16, 60), (26, 20), (22, 2), (14, 10), (11, 40), (12, 74), (17, 95), (26, 99), (38, 86)], []),
    "m": ([(0, 98), (8, 70), (12, 46), (12, 75), (12, 99), (14, 72), (22, 51), (31, 45), (37, 55), (37, 78), (37, 99),
           (39, 72), (47, 51), (56, 45), (62, 55), (62, 80), (67, 97), (75, 98), (85, 86)], []),
    "n": ([(0, 98), (8, 70), (12, 46), (12, 75), (12, 99), (14, 72), (22, 51), (31, 45), (38, 55), (38, 80), (43, 97),
           (51, 98), (61, 86)], []),
    "o": ([(0, 98), (14, 70), (25, 47), (14, 45), (5, 62), (6, 86), (18, 99), (32, 90), (36, 66), (29, 48), (23, 46),
           (34, 54), (48, 52)], []),
    "r": ([(0, 98), (10, 66), (15, 40), (20, 49), (32, 50), (34, 60), (33, 86), (40, 98), (52, 87)], []),
    "t": ([(0, 98), (13, 56), (18, 12), (16, 50), (16, 84), (22, 98), (32, 97), (42, 86)], [[(2, 40), (34, 36)]]),
    "u": ([(0, 98), (10, 62), (13, 45), (12, 72), (18, 95), (28, 98), (40, 78), (44, 46), (43, 74), (46, 94), (54, 98),
           (64, 86)], []),
    "w": ([(0, 98), (8, 64), (10, 45), (10, 74), (16, 95), (26, 98), (36, 78), (38, 48), (38, 76), (46, 96), (56, 97),
           (66, 74), (65, 47), (74, 54), (86, 52)], []),
}
LINES = ["Hello world", "read the lines in order", "then 25 and more"]
HELLO = "Hello there", "the world in one minute", "lines and 25 letters"   # the second in joined writing


def strokes_of(lines: list[str], height: float, seed: int, gap: float = 16, tremor: float = 0.5,
               pitch: float = 190) -> list[np.ndarray]:
    """The pen strokes of lines of text, each float (n, 2) in px, a point per px.

    height: of a capital, in px; gap between letters and pitch of the lines, in hundredths of it.
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


def joined_strokes(text: str, height: float, seed: int, tremor: float = 0.5) -> list[np.ndarray]:
    """The pen strokes of a line of joined writing, one for each word and those added to it; see strokes_of."""
    random = np.random.default_rng(seed)
    strokes, x = [], 0.0
    for word in text.split():
        way, added = [], []
        for character in word:
            points, more = JOINED[character]
            size, place = random.normal(1, 0.03), np.array([x, 0])
            first = bool(way)   # the stroke comes up from the letter before
            way += [(np.array(point) - (0, 100)) * size + place for point in points[first:]]
            added += [(np.array(stroke, float) - (0, 100)) * size + place for stroke in more]
            x += points[-1][0] * size + 4
        strokes += [curve(np.array(stroke, float) * height / 100, tremor, random) for stroke in (way, *added)]
        x += 60
    return strokes


def write_lines(lines: list[str], height: float, pen: float, seed: int, gap: float = 16) -> np.ndarray:
    """Ink of lines of text as uint8 (height, width), bright on dark; see strokes_of."""
    return pen_strokes.draw_strokes(strokes_of(lines, height, seed, gap), pen, margin=24)


def write(character: str, pen: float, seed: int, tremor: float = 1.2) -> np.ndarray:
    """Ink of one character as uint8 (height, width), bright on dark; tremor: unevenness of the hand in px."""
    random = np.random.default_rng(seed)
    return pen_strokes.draw_strokes([curve(np.array(points, float), tremor, random) for points in STROKES[character]],
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
    (HERE / "pages").mkdir(exist_ok=True)
    page = Image.fromarray(255 - write_lines(LINES, 60, 5, 8))
    page.save(HERE / "pages" / "lines.png", optimize=True)
    joined = Image.fromarray(255 - pen_strokes.draw_strokes(joined_strokes("hello little world", 80, 1), 5, margin=24))
    joined.save(HERE / "pages" / "joined.png", optimize=True)
    leaning = np.array([[1, 0], [-0.12, 1]])
    first, second, third = HELLO
    strokes = strokes_of([first, "", third], 64, 12, tremor=0.5, pitch=200)
    strokes += [stroke + (4, 128) for stroke in joined_strokes(second, 64, 5)]
    hello = drawing.Drawing()
    hello.add(*(drawing.Stroke((stroke[::4] @ leaning + (70, 110)).astype(np.float32), 4.5) for stroke in strokes))
    drawing.save(hello, HERE / "hello.json")
    photograph(write("e", 6, 6), 7).save(HERE / "e_photo.jpg", quality=80)


if __name__ == "__main__":
    main()
