"""Draws pen strokes and scans as lines of ink, with random changes of hand, pen and paper."""
import cv2
import numpy as np

from common import alphabets, glyph, pen_strokes
from training.line_records import Writing

SIZES = 24, 60      # px: height at which a tall letter is drawn
PENS = 0.04, 0.17   # pen diameter, relative to that height

FLAT = {"-": 0.45, "_": 0.7, "~": 0.55, "=": 0.5, ".": 0.08}   # width in heights of a capital; their height says little
NARROW = "1Iijl|!()[]{}:;'"   # at most about as wide as they are tall


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


def place(strokes: list[np.ndarray], character: str, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Put the strokes of a character on the baseline y = 0, a little unevenly, starting at x = 0.

    Returns the points of all strokes, float (n, 2), y downwards, and their width, in heights of a capital.
    """
    points = np.concatenate(strokes)
    low, span = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1e-3)
    top, bottom = alphabets.EXTENTS.get(character, (1, 0))
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
    top, bottom = alphabets.EXTENTS.get(character, (1, 0))
    scale = min((top - bottom) * size * rng.normal(1, 0.04) / height, 1.5 * size / width)
    picture = cv2.resize(scan, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    baseline = (1.8 - bottom + rng.normal(0, 0.02)) * size
    y, x = round(baseline - (above + height) * scale), round(x - left * scale)
    part = paper[y:y + picture.shape[0], x:x + picture.shape[1]]
    np.maximum(part, picture[:part.shape[0], :part.shape[1]], out=part)   # the soft edges of neighbours may overlap
    return round(width * scale)
