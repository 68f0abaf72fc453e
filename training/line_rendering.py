"""Draws pen strokes and scans as lines of ink, with random changes of hand, pen and paper.

Also adds accents to letters as pen strokes, and makes characters that UNIPEN lacks from those it has.
"""
import unicodedata

import cv2
import numpy as np

from common import alphabets, glyph, pen_strokes
from training.line_records import Writing

SIZES = 24, 60      # px: height at which a tall letter is drawn
PENS = 0.04, 0.17   # pen diameter, relative to that height

FLAT = {"-": 0.45, "_": 0.7, "~": 0.55, "=": 0.5, ".": 0.08}   # width in heights of a capital; their height says little
NARROW = "1Iijl|!()[]{}:;'"   # at most about as wide as they are tall

# Strokes of each mark around its centre, flat x, y with y downwards, in heights of a capital.
STROKES = {"\u0300": [[-.1, -.08, .08, .08]], "\u0301": [[.1, -.08, -.08, .08]],
           "\u0302": [[-.12, .08, 0, -.09, .12, .08]], "\u0303": [[-.16, .05, -.08, -.05, .08, .05, .16, -.05]],
           "\u0308": [[-.11, -.02, -.11, .03], [.11, -.02, .11, .03]],
           "\u0327": [[.02, -.1, 0, -.03, .08, .03, .05, .1, -.08, .1]]}
CEDILLA = "\u0327"
# Characters drawn from another one: that character, whether it is turned upside down, and the strokes added, as above
# but from the bottom left of the ink, in its width and height.
MADE = {"¿": ("?", True, []), "¡": ("!", True, []), "°": ("o", False, []), "«": ("<", False, []),
        "»": (">", False, []), "€": ("C", False, [[-.1, -.42, .7, -.42], [-.1, -.6, .7, -.6]]),
        "£": ("L", False, [[-.1, -.5, .6, -.5], [.2, -1, .9, -1]])}
DOUBLED = 0.55    # of its width: distance from the first stroke of « to the second
ACCENTED = {}     # letter -> its accented forms in the alphabet; without i and I: the dot of i is in the way
for _letter in alphabets.ALPHABET[len(alphabets.ASCII):]:
    _base, *_mark = unicodedata.normalize("NFD", _letter)
    if _mark and _base not in "iI":
        ACCENTED.setdefault(_base, []).append(_letter)


def change(writing: Writing, rng: np.random.Generator, variety: float = 1.0) -> np.ndarray:
    """The points of a writing, changed at random as if others had written it: float32 (n, 2).

    variety: strength of the changes, 0 for none.
    """
    points, ends = writing.points.copy(), writing.ends
    starts = np.concatenate([[0], ends[:-1]])
    lefts = np.minimum.reduceat(points[:, 0], starts)
    rights = np.maximum.reduceat(points[:, 0], starts)
    # Gaps between strokes widen or close, most of them together.
    order = np.argsort(lefts, kind="stable")
    reach = np.maximum.accumulate(rights[order])
    gaps = np.concatenate([[0], np.maximum(lefts[order][1:] - reach[:-1], 0)])
    longer = np.clip(np.exp(variety * rng.normal(0, 0.35)) - 1 + variety * rng.normal(0, 0.12, len(gaps)), -0.8, 1.5)
    moved = np.empty(len(ends), np.float32)
    moved[order] = np.cumsum(gaps * longer)
    shift = variety * rng.normal(0, 0.018, (len(ends), 2))
    shift[:, 0] += moved
    points += np.repeat(shift, ends - starts, axis=0)
    # Slow waves in both directions.
    for _ in range(2):
        wave = rng.normal(0, 1, (2, 2)) * [2.2, 1.6]
        phase = points @ wave.T + rng.uniform(0, 2 * np.pi, 2)
        points += (variety * rng.normal(0, 0.035, 2)) * np.sin(phase)
    width = np.exp(variety * rng.normal(0, 0.15))
    slant, slope = variety * rng.normal(0, 0.16), variety * rng.normal(0, 0.012)
    return (points @ np.array([[width, slope], [slant, 1]])).astype(np.float32)


def draw(points: np.ndarray, ends: np.ndarray, rng: np.random.Generator, variety: float = 1.0) -> np.ndarray:
    """Draw strokes with a random pen at a random size, on paper that leaves its traces.

    points, ends: as in Writing.  variety: 0 for a typical pen and size on clean paper.
    Returns uint8 (height, width), ink bright on dark.
    """
    size = rng.uniform(*SIZES) if variety else 45.0
    pen = np.exp(rng.uniform(*np.log(PENS))) if variety else 0.08
    strokes = np.split(points * np.float32(size), ends[:-1])
    return on_paper(pen_strokes.draw_strokes(strokes, max(1.0, pen * size)), rng, variety)


def draw_plain(writing: Writing) -> np.ndarray:
    """A writing as it is, with a typical pen and size: uint8 (height, width), ink bright on dark."""
    return draw(writing.points, writing.ends, np.random.default_rng(0), 0)


def on_paper(image: np.ndarray, rng: np.random.Generator, variety: float = 1.0) -> np.ndarray:
    """What a scanner, a camera or a screen may make of ink (uint8): soft, ragged, thinner, with specks."""
    chance = rng.random()
    if chance < 0.25 * variety:      # ragged edges
        noise = cv2.GaussianBlur(rng.normal(0, 90, image.shape).astype(np.float32), (0, 0), 0.8)
        soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.1)) + noise
        image = cv2.convertScaleAbs(np.where(soft > rng.uniform(110, 170), np.clip(soft * 2, 160, 255), 0))
    elif chance < 0.45 * variety:    # soft edges
        image = cv2.convertScaleAbs(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.5)), alpha=rng.uniform(1, 1.5))
    elif chance < 0.6 * variety:     # black and white
        image = (image > rng.uniform(40, 200)).view(np.uint8) * np.uint8(255)
    if rng.random() < 0.06 * variety:
        for x, y in rng.integers(0, image.shape[::-1], (rng.integers(1, 5), 2)).tolist():
            cv2.circle(image, (x, y), 1, 255, cv2.FILLED)
    return image


def spacing(rng: np.random.Generator) -> tuple[float, float]:
    """The gap between characters, and what a space adds, in heights of a capital; some people space widely."""
    if rng.random() < 0.3:
        gap = rng.uniform(0.15, 0.7)
        return gap, 0.3 + gap * rng.uniform(0.3, 1.5)
    return rng.normal(0.14, 0.12), rng.uniform(0.45, 1.0)


def choose_strokes(records: list[dict], character: str, rng: np.random.Generator) -> list[np.ndarray]:
    """The strokes of a random record of a character, each float32 (n, 2).

    A record that is too wide for its character was cut badly: another is sampled, in up to four tries.
    """
    for _ in range(4):
        strokes = [pen_strokes.as_points(stroke) for stroke in records[rng.integers(len(records))]["strokes"]]
        width, height = np.ptp(np.concatenate(strokes), axis=0)
        if character in FLAT or width < (0.9 if character in NARROW else 2.2) * max(height, 1e-3):
            break
    return strokes


def extents(text: str) -> tuple[float, float]:
    """Where the ink of a text begins and ends above its baseline, in heights of a capital: top and bottom."""
    found = [alphabets.EXTENTS.get(character, (1, 0)) for character in text]
    return max(top for top, _ in found), min(bottom for _, bottom in found)


def on_baseline(points: np.ndarray, text: str) -> tuple[np.ndarray, float]:
    """Put the points (n, 2) of a word on the baseline y = 0, starting at x = 0; its letters tell how large it is.

    Returns the points and their width, in heights of a capital.
    """
    top, bottom = extents(text)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = float(np.clip((top - bottom) / max(high[1] - low[1], 0.05), 0.5, 2.0))
    return (points - (low[0], high[1])) * scale + (0, -bottom), (high[0] - low[0]) * scale


def place(strokes: list[np.ndarray], character: str, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Put the strokes of a character on the baseline y = 0, a little unevenly, starting at x = 0.

    Returns the points of all strokes, float (n, 2), y downwards, and their width, in heights of a capital.
    """
    points = np.concatenate(strokes)
    low, span = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1e-3)
    top, bottom = extents(character)
    top, bottom = top * rng.normal(1, 0.06) + rng.normal(0, 0.02), bottom + rng.normal(0, 0.03)
    if character in FLAT:
        scale = FLAT[character] * rng.normal(1, 0.1) / max(span)
    else:
        scale = min((top - bottom) / span[1], 1.5 / span[0])
    return (points - (low + span * (0, 0.5))) * scale + (0, -(top + bottom) / 2), span[0] * scale


def paste(paper: np.ndarray, x: float, scan: np.ndarray, character: str, size: int, rng: np.random.Generator) -> int:
    """Paste a scan of a character at its proper height, its ink starting at x.

    paper: uint8 (3 * size, width), changed in place.  scan: uint8 (28, 28).  size: px, height of a capital.
    Returns the width of the ink in px.
    """
    left, above, width, height = glyph.ink_box(scan) or (0, 0, 28, 28)
    top, bottom = extents(character)
    scale = min((top - bottom) * size * rng.normal(1, 0.04) / height, 1.5 * size / width)
    picture = cv2.resize(scan, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    baseline = (1.8 - bottom + rng.normal(0, 0.02)) * size
    y, x = round(baseline - (above + height) * scale), round(x - left * scale)
    part = paper[y:y + picture.shape[0], x:x + picture.shape[1]]
    np.maximum(part, picture[:part.shape[0], :part.shape[1]], out=part)   # the soft edges of neighbours may overlap
    return round(width * scale)


# ---- accents, and characters that UNIPEN lacks

def base_and_mark(character: str) -> tuple[str, str]:
    """The character whose strokes a character is made from, and the mark on it, "" for none."""
    base, *mark = unicodedata.normalize("NFD", character)
    return MADE.get(base, (base,))[0], "".join(mark)


def complete(strokes: list[np.ndarray], character: str) -> list[np.ndarray]:
    """Turn the strokes of the character that `base_and_mark` names, each (n, 2), into those of a character of MADE."""
    if character not in MADE:
        return strokes
    _, turned, added = MADE[character]
    points = np.concatenate(strokes)
    low, span = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1e-3)
    if turned:
        return [2 * low + span - stroke for stroke in strokes]
    if character in "«»":
        return strokes + [stroke + (DOUBLED * span[0], 0) for stroke in strokes]
    return strokes + [(pen_strokes.as_points(stroke) * span + low + (0, span[1])).astype(np.float32)
                      for stroke in added]


def mark_strokes(mark: str, x: float, top: float, rng: np.random.Generator) -> list[np.ndarray]:
    """The strokes of a mark around x, above `top` or, for a cedilla, below the baseline y = 0: each float32 (n, 2)."""
    size, tilt = np.exp(rng.normal(0, 0.25)), rng.normal(0, 0.15)
    turn = size * np.array([[1, tilt], [-tilt, 1]])
    y = 0.08 if mark == CEDILLA else top - 0.09 * size - rng.uniform(0.03, 0.22)
    return [(pen_strokes.as_points(stroke) @ turn + rng.normal(0, 0.01, (len(stroke) // 2, 2))
             + (x + rng.normal(0, 0.04), y)).astype(np.float32) for stroke in STROKES[mark]]


def add_accents(writing: Writing, rng: np.random.Generator) -> Writing | None:
    """Put marks on one or two letters of a word, placed by usual letter widths and heights; None if it takes none."""
    label = writing.label
    places = [place for place, letter in enumerate(label) if letter in ACCENTED]
    if not places or len(label) > 12:
        return None
    widths = [0.5 if letter in NARROW else 1.6 if letter in "mwMW" else 1.0 for letter in label]
    starts = np.cumsum([0.0, *widths]) / sum(widths)
    top, bottom = extents(label)
    low, high = writing.points.min(axis=0), writing.points.max(axis=0)
    scale = (high[1] - low[1]) / (top - bottom)   # a capital's height
    baseline = high[1] + bottom * scale
    points, ends = [writing.points], [*writing.ends]
    for place in rng.choice(places, min(len(places), 1 + int(rng.random() < 0.3)), replace=False).tolist():
        accented = str(rng.choice(ACCENTED[label[place]]))
        x = low[0] + (starts[place] + starts[place + 1]) / 2 * (high[0] - low[0])
        for stroke in mark_strokes(base_and_mark(accented)[1], 0.0, -extents(label[place])[0], rng):
            points.append(stroke * scale + (x, baseline))
            ends.append(ends[-1] + len(stroke))
        label = label[:place] + accented + label[place + 1:]
    return Writing(np.concatenate(points).astype(np.float32), np.array(ends), label)
