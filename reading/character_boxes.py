"""Assigns a line's ink to its characters, once a line reader knows roughly where each one is: boxes and glyphs."""
from typing import NamedTuple

import cv2
import numpy as np

from common import glyph
from reading import text_lines
from reading.binarize import Picture
from reading.readings import box_of

MINE = 0.75      # of a connected component: if a character's columns hold this share, it is all the character's

# What a cut between two characters costs; crossing one stroke costs 1.
REACH = 0.6      # of the usual distance of two centres: cuts lie no farther beyond their two centres
BEYOND = 3.0     # for each such distance by which a cut lies beyond its two centres
OFF_CENTRE = 0.1 # for lying at a centre instead of half-way between
EMPTY = 3.0      # for leaving a character without ink, ...
LEAST_INK = 0.4  # ... or with less than this share of the squared pen width: a dot has more


class Shape(NamedTuple):
    """The ink of one character in a line."""
    ink: np.ndarray      # uint8 (height, width), the line's
    y: np.ndarray        # int (n,): of its pixels
    x: np.ndarray
    alone: bool          # whether it touches no other character
    seen: bool           # False for a character without ink, whose pixels are then the ends of its column


def shapes(ink: np.ndarray, centres: list[float]) -> list[Shape]:
    """The ink of each character of a line, uint8 (height, width), from left to right.

    centres: where the network sees the characters, px, ascending, at least one.  Joined letters are cut apart between
    them, where there is the least ink.
    """
    mask = ink >= text_lines.INK
    _, components = cv2.connectedComponents(mask.view(np.uint8), connectivity=8)
    y, x = np.divmod(np.flatnonzero(mask), ink.shape[1])   # faster than np.nonzero
    part, owner = components[y, x], np.searchsorted(_edges(mask, centres), x, side="right")
    counts = np.bincount(part * len(centres) + owner, minlength=(components.max() + 1) * len(centres))
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
        else:   # the network saw it in the ink of another
            column = min(max(0, round(centre)), ink.shape[1] - 1)
            found.append(Shape(ink, np.array([0, len(ink) - 1]), np.full(2, column), False, False))
    return found


def _edges(mask: np.ndarray, centres: list[float]) -> list[int]:
    """The cuts between the characters: for each pair of neighbours, the first column of the second.

    mask: bool (height, width), where there is ink.  centres: ascending.
    Dynamic programming finds the cuts with the least total cost, which separate characters that stand apart even where
    the network sees one early or late, in the ink of its neighbour.
    """
    ink = np.count_nonzero(mask, axis=0)
    pen = glyph.stroke_width(mask.view(np.uint8) * np.uint8(255))
    crossed, least = ink / pen, LEAST_INK * pen ** 2
    before = np.concatenate([[0], np.cumsum(ink)])   # ink before each column
    spacing = max(1.0, float(np.median(np.diff(centres)))) if len(centres) > 1 else 1.0
    off = OFF_CENTRE + BEYOND, OFF_CENTRE, 0, OFF_CENTRE, OFF_CENTRE + BEYOND   # cost at the five places below
    places, costs, steps = np.zeros(1, int), np.zeros(1), []
    for left, right in zip(centres, centres[1:]):
        first = min(max(0, round(left - REACH * spacing)), len(ink) - 1)
        cuts = np.arange(first, max(first + 1, min(round(right + REACH * spacing) + 1, len(ink))))
        at = left - spacing, left, (left + right) / 2, right, right + spacing
        # Of the earlier places, `ahead` lie before each cut, and `inky` leave enough ink in between.
        ahead = places.searchsorted(cuts, side="right")
        inky = (before[places] + least).searchsorted(before[cuts], side="right")
        lowest = np.concatenate([[np.inf], np.minimum.accumulate(costs)])   # of the first 0, 1, 2, ... places
        full, empty = lowest[inky], lowest[ahead] + EMPTY
        steps.append((places, costs, np.where(full <= empty, inky, ahead)))
        places, costs = cuts, np.minimum(full, empty) + crossed[cuts] + np.interp(cuts, at, off)
    place = int((costs + EMPTY * (before[places] + least > before[-1])).argmin())
    edges = []
    for earlier, costs, counts in reversed(steps):
        edges.append(int(places[place]))
        places, place = earlier, int(costs[:counts[place]].argmin())
    return edges[::-1]


def boxes(line: text_lines.StraightLine, found: list[Shape], page: Picture) -> list[list[int]]:
    """The boxes [x, y, width, height] of a line's characters, of which there is at least one.

    page: what line.to_page maps to.
    """
    x, y = (np.concatenate([getattr(shape, axis) for shape in found]) for axis in "xy")
    firsts = np.cumsum([0] + [len(shape.x) for shape in found[:-1]])
    on_page = np.stack([x, y, np.ones_like(x)], axis=1) @ line.to_page.T
    least, most = np.minimum.reduceat(on_page, firsts), np.maximum.reduceat(on_page, firsts)
    most += np.abs(line.to_page[:, :2]).sum(axis=1)   # a pixel extends from its index to the next
    corners = np.hstack([least, most]).clip(0, 2 * page.ink.shape[::-1])   # straightening puts an edge a pixel outside
    return [box_of(each, page.scale) for each in corners.tolist()]


def glyphs(found: list[Shape]) -> list[np.ndarray]:
    """The glyph of each character, uint8 (28, 28): its pixels with the soft edge around them."""
    return [_glyph(shape) if shape.seen else np.zeros((28, 28), np.uint8) for shape in found]


def _glyph(shape: Shape) -> np.ndarray:
    top, left = max(0, shape.y.min() - 1), max(0, shape.x.min() - 1)
    block = shape.ink[top:shape.y.max() + 2, left:shape.x.max() + 2]
    mine = np.zeros(block.shape, bool)
    mine[shape.y - top, shape.x - left] = True
    return glyph.glyph(text_lines.with_edges(block, mine, block < text_lines.INK))
