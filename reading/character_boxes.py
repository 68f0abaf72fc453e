"""Whose ink is whose: the pixels of each character that a line reader has read."""
from typing import NamedTuple

import cv2
import numpy as np

from common import glyph
from reading import text_lines
from reading.readings import box_of

# ---- whose ink is whose

BEYOND = 0.6     # of the usual distance of two centres: so far beyond them characters may be cut apart
FAR = 3.0        # strokes that a cut may cross rather than lie one such distance beyond
ASIDE = 0.2      # strokes that one at a centre may cross less than one in the middle, twice
EMPTY = 3.0      # strokes that are crossed rather than leaving a character without ink, ...
LEAST_INK = 0.4  # ... or with less than this share of the pen's width squared: a dot has more
MINE = 0.75      # of a connected part of the ink: so much in a character's columns makes all of it the character's


class Shape(NamedTuple):
    """The ink of one character in a line."""
    ink: np.ndarray      # uint8 (height, width), the line's
    y: np.ndarray        # int (n,): its pixels
    x: np.ndarray
    alone: bool          # whether it touches no other character
    seen: bool           # False of a character without ink of its own: its pixels are then those of its column

    @property
    def glyph(self) -> np.ndarray:
        """These pixels, with the soft edge around them: uint8 (28, 28)."""
        if not self.seen:
            return np.zeros((28, 28), np.uint8)
        top, left = max(0, self.y.min() - 1), max(0, self.x.min() - 1)
        block = self.ink[top:self.y.max() + 2, left:self.x.max() + 2]
        mine = np.zeros(block.shape, np.uint8)
        mine[self.y - top, self.x - left] = 1
        soft = (cv2.dilate(mine, np.ones((3, 3), np.uint8)) > mine) & (block < text_lines.INK)
        return glyph.glyph(np.where((mine > 0) | soft, block, 0).astype(np.uint8))


def glyphs(found: list[Shape]) -> list[np.ndarray]:
    """The glyphs of characters, each uint8 (28, 28)."""
    return [shape.glyph for shape in found]


def boxes(line: text_lines.StraightLine, found: list[Shape], scale: float) -> list[list[int]]:
    """The boxes of a line's characters, at least one, in px of the picture, of which a px of the page has `scale`."""
    x, y = (np.concatenate([getattr(shape, axis) for shape in found]) for axis in "xy")
    firsts = np.cumsum([0] + [len(shape.x) for shape in found[:-1]])
    on_page = np.stack([x, y, np.ones_like(x)], axis=1) @ line.to_page.T
    least, most = np.minimum.reduceat(on_page, firsts), np.maximum.reduceat(on_page, firsts)
    most += np.abs(line.to_page[:, :2]).sum(axis=1)   # a pixel reaches from its number to the next
    return [box_of(corners, scale) for corners in np.hstack([least, most]).tolist()]


def shapes(ink: np.ndarray, centres: list[float]) -> list[Shape]:
    """The ink of each character of a line, uint8 (height, width), from left to right.

    centres: where the network sees the characters, px, ascending.

    Where letters are joined they are parted where there is least ink between the
    places at which the network saw them.
    """
    if not centres:
        return []
    mask = ink >= text_lines.INK
    _, parts = cv2.connectedComponents(mask.view(np.uint8), connectivity=8)
    y, x = np.divmod(np.flatnonzero(mask), ink.shape[1])   # as np.nonzero, sooner
    owners = np.searchsorted(_edges(mask, centres), np.arange(ink.shape[1]), side="right")   # of the columns
    part, owner = parts[y, x], owners[x]
    counts = np.bincount(part * len(centres) + owner, minlength=(parts.max() + 1) * len(centres))
    counts = counts.reshape(-1, len(centres))
    whole = counts.max(axis=1) >= MINE * counts.sum(axis=1)
    owner = np.where(whole[part], counts.argmax(axis=1)[part], owner)
    order = np.argsort(owner, kind="stable")
    y, x, alone = y[order], x[order], whole[part[order]]
    ends = np.cumsum(np.bincount(owner, minlength=len(centres))).tolist()
    found = []
    for centre, first, behind in zip(centres, [0, *ends], ends):
        if first < behind:
            found.append(Shape(ink, y[first:behind], x[first:behind], bool(alone[first:behind].all()), True))
        else:  # the network saw it in another's ink
            columns = np.full(2, min(max(0, round(centre)), ink.shape[1] - 1))
            found.append(Shape(ink, np.array([0, len(ink) - 1]), columns, False, False))
    return found


def _edges(mask: np.ndarray, centres: list[float]) -> list[int]:
    """Between every two centres a column, the first that is the next character's: all that together cost least.

    mask: bool (height, width), where there is ink.  centres: ascending.

    A cut costs as many strokes as it crosses, a little for being nearer to one centre
    than to the other, and much for lying beyond either; a character without ink costs,
    too.  So letters that stand apart are told apart even where the network has seen one
    late, in the ink of the next, or early.
    """
    ink = np.count_nonzero(mask, axis=0)
    pen = glyph.stroke_width(mask.view(np.uint8) * np.uint8(255))
    crossed, least = ink / pen, LEAST_INK * pen ** 2
    before = np.concatenate([[0], np.cumsum(ink)])   # ink before each column
    spacing = max(1.0, float(np.median(np.diff(centres)))) if len(centres) > 1 else 1.0
    off = ASIDE / 2 + FAR, ASIDE / 2, 0, ASIDE / 2, ASIDE / 2 + FAR   # what the five places below cost
    places, costs, ways = np.zeros(1, int), np.zeros(1), []
    for left, right in zip(centres, centres[1:]):
        first = min(max(0, round(left - BEYOND * spacing)), len(ink) - 1)
        cuts = np.arange(first, max(first + 1, min(round(right + BEYOND * spacing) + 1, len(ink))))
        at = left - spacing, left, (left + right) / 2, right, right + spacing   # in between the cost changes evenly
        # Of the earlier places, so many are not behind each cut, and so many, the first, leave ink enough between.
        ahead = places.searchsorted(cuts, side="right")
        inky = (before[places] + least).searchsorted(before[cuts], side="right")
        lowest = np.concatenate([[np.inf], np.minimum.accumulate(costs)])   # cost of the first so many
        full, empty = lowest[inky], lowest[ahead] + EMPTY
        ways.append((places, costs, np.where(full <= empty, inky, ahead)))
        places, costs = cuts, np.minimum(full, empty) + crossed[cuts] + np.interp(cuts, at, off)
    place = int((costs + EMPTY * (before[places] + least > before[-1])).argmin())
    edges = []
    for earlier, costs, counts in reversed(ways):
        edges.append(int(places[place]))
        places, place = earlier, int(costs[:counts[place]].argmin())
    return edges[::-1]
