"""Adds accents to letters as pen strokes, and makes characters that UNIPEN lacks from those it has."""
import unicodedata

import numpy as np

from common import alphabets, pen_strokes
from training.line_records import Writing
from training.line_rendering import NARROW

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


def parts(character: str) -> tuple[str, str]:
    """The character whose strokes a character is made from, and the mark on it, "" for none."""
    base, *mark = unicodedata.normalize("NFD", character)
    return MADE.get(base, (base,))[0], "".join(mark)


def complete(strokes: list[np.ndarray], character: str) -> list[np.ndarray]:
    """Turn the strokes of the character that `parts` names, each (n, 2), into those of a character of MADE."""
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


def put(writing: Writing, rng: np.random.Generator) -> Writing | None:
    """Put marks on one or two letters of a word, placed by usual letter widths and heights; None if it takes none."""
    label = writing.label
    places = [place for place, letter in enumerate(label) if letter in ACCENTED]
    if not places or len(label) > 12:
        return None
    widths = [0.5 if letter in NARROW else 1.6 if letter in "mwMW" else 1.0 for letter in label]
    starts = np.cumsum([0.0, *widths]) / sum(widths)
    tops, bottoms = zip(*(alphabets.EXTENTS.get(letter, (1, 0)) for letter in label), strict=True)
    low, high = writing.points.min(axis=0), writing.points.max(axis=0)
    scale = (high[1] - low[1]) / (max(tops) - min(bottoms))   # a capital's height
    baseline = high[1] + min(bottoms) * scale
    points, ends = [writing.points], [*writing.ends]
    for place in rng.choice(places, min(len(places), 1 + int(rng.random() < 0.3)), replace=False).tolist():
        accented = str(rng.choice(ACCENTED[label[place]]))
        x = low[0] + (starts[place] + starts[place + 1]) / 2 * (high[0] - low[0])
        for stroke in mark_strokes(parts(accented)[1], 0.0, -alphabets.EXTENTS.get(label[place], (1, 0))[0], rng):
            points.append(stroke * scale + (x, baseline))
            ends.append(ends[-1] + len(stroke))
        label = label[:place] + accented + label[place + 1:]
    return Writing(np.concatenate(points).astype(np.float32), np.array(ends), label)
