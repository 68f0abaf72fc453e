"""A page's ink -> the ink of each line: each connected stroke belongs to the line whose core it touches.

A stroke that touches the cores of several lines is cut half-way between them.
"""
import math

import cv2
import numpy as np

from reading import text_lines
from reading.line_cores import Core, nearest_label
from reading.text_lines import StraightLine

NEAR = 1.6                 # x-heights: ink farther than this from every core is not writing
SPECK = 0.6                # x-heights: anything no larger is a dot or a speck, ...
BELOW, BEFORE = 0.6, 1.0   # x-heights: ... and a speck if it lies this far below a core or before its start
MOSTLY = 0.6               # of a stroke: if more than this is a rule, all of it is
AHEAD = 1.5                # x-heights: a core counts as longer by this at both ends
GATE, ON_RULE = 64, 150    # of 255: coverage from which there may be ink, and the same on rules
AROUND = 25                # px at half size: the paper's brightness is the median of a square of this side
FULL = 230.0               # of 255: a line's strokes are made about this dark, ...
FAINT = 36                 # ... and what is then fainter than this is paper


def line_inks(ink: np.ndarray, seen: np.ndarray, rule: np.ndarray, labels: np.ndarray,
              cores: list[Core]) -> tuple[list[StraightLine | None], np.ndarray]:
    """The ink of each line alone, straight and upright, None for a line without any; and the ink of all lines.

    ink: uint8 (height, width).  seen, rule: what the network sees, as in page_network.Maps.
    labels: int32 (height, width): each core's number, from 1.
    """
    if not cores:
        return [], np.zeros_like(ink)
    distance, nearest = nearest_label(_longer(labels, cores))
    ink = _as_dark(ink, labels, nearest, seen, len(cores))
    owners = owners_of(ink, cv2.resize(rule, ink.shape[::-1]) > 0.5, labels, nearest, distance, cores)
    found = []
    for number, core in enumerate(cores, 1):
        y, x = _pixels(owners, number, core)
        if not len(y):
            found.append(None)
            continue
        top, left = max(0, y.min() - 2), max(0, x.min() - 2)
        crop, mine = (each[top:y.max() + 3, left:x.max() + 3] for each in (ink, owners))
        line = text_lines.with_edges(crop, mine == number, mine == 0)
        straight = text_lines.straight_line(line, left, top, text_lines.components(line)[1])
        found.append(straight._replace(confidence=core.confidence))
    return found, text_lines.with_edges(ink, owners > 0, ink < text_lines.INK)


def _longer(labels: np.ndarray, cores: list[Core]) -> np.ndarray:
    """Labels with each core lengthened at both ends, so that digits far apart belong to their line."""
    ends = np.zeros_like(labels)
    for number, core in enumerate(cores, 1):
        for x, y, out in ((core.left, core.middle[0], -1), (core.right, core.middle[-1], 1)):
            cv2.line(ends, (int(x), int(y)), (int(x + out * AHEAD * core.x_height), int(y)), number)
    return np.where(labels > 0, labels, ends)


def _pixels(owners: np.ndarray, number: int, core: Core) -> tuple[np.ndarray, np.ndarray]:
    """y and x of a line's pixels, searched only around its core."""
    reach = int(6 * core.x_height)
    top, left = max(0, int(core.middle.min()) - reach), max(0, core.left - reach)
    y, x = np.nonzero(owners[top:int(core.middle.max()) + reach, left:core.right + reach] == number)
    return y + top, x + left


def owners_of(ink: np.ndarray, rule: np.ndarray, labels: np.ndarray, nearest: np.ndarray, distance: np.ndarray,
              cores: list[Core]) -> np.ndarray:
    """The number of the line, from 1, that each pixel of ink belongs to: int32 (height, width), 0 for none.

    rule: bool (height, width), where rules, boxes and drawings are: strokes that lie mostly there are not writing.
    nearest, distance: for each pixel, the number of the nearest core and its distance in px.
    """
    strokes, inside = (ink >= text_lines.INK).view(np.uint8), labels > 0
    heights = np.array([1.0, *(core.x_height for core in cores)], np.float32)
    count, parts, stats, middles = cv2.connectedComponentsWithStats(strokes, connectivity=8)
    printed = np.bincount(parts[rule], minlength=count) > MOSTLY * stats[:, cv2.CC_STAT_AREA]
    strokes[printed[parts]] = 0
    part, line = np.divmod(np.unique(parts[inside].astype(np.int64) * len(heights) + labels[inside]), len(heights))
    part, line = part[part > 0], line[part > 0]
    touched = np.bincount(part, minlength=count).clip(max=2).astype(np.uint8)   # no core, one or several
    owner = np.zeros(count, np.int32)
    owner[part] = line
    touching = touched[parts]
    owners = np.where(touching == 1, owner[parts], nearest)
    loose = (touching == 0) & (strokes > 0)
    far = np.zeros(count, bool)        # a stroke that touches no core and reaches far is not writing
    far[parts[loose & (distance > NEAR * heights[nearest])]] = True
    x, y = middles.T.astype(int)
    number = nearest[y, x]
    small = stats[:, 2:4].max(axis=1) <= SPECK * heights[number]
    for side in (parts[0], parts[-1]):          # cut off there: part of a line beyond
        far[side] = True
    for side in (parts[:, 0], parts[:, -1]):    # part of a column beyond, or a full stop
        far[side] |= ~small[side]
    far |= _astray(x, y, number, cores, heights) & small
    loose &= ~far[parts]
    owners[loose] = _majority(parts, nearest, loose, count, len(heights))[parts[loose]]
    owners[(strokes == 0) | (touching == 0) & ~loose] = 0
    return owners


def _astray(x: np.ndarray, y: np.ndarray, number: np.ndarray, cores: list[Core], heights: np.ndarray) -> np.ndarray:
    """Which points (n,) are too far below or before the core of their number, from 1, to be its dots: bool (n,)."""
    lefts, lengths = np.array([(core.left, len(core.middle)) for core in cores]).T
    ahead = x - lefts[number - 1]
    place = ahead.clip(0, lengths[number - 1] - 1) + (np.cumsum(lengths) - lengths)[number - 1]
    below = y - np.concatenate([core.middle for core in cores])[place]
    return (below > (0.5 + BELOW) * heights[number]) | (ahead < -BEFORE * heights[number])


def _majority(parts: np.ndarray, values: np.ndarray, where: np.ndarray, count: int, most: int) -> np.ndarray:
    """For each part, the most frequent value among its pixels: int32 (count,)."""
    found = np.zeros(count, np.int32)
    keys, sizes = np.unique(parts[where].astype(np.int64) * most + values[where], return_counts=True)
    order = np.argsort(sizes, kind="stable")
    found[keys[order] // most] = keys[order] % most
    return found


def sharp_ink(picture: np.ndarray, ink: np.ndarray, rule: np.ndarray) -> np.ndarray:
    """Ink from the picture's own contrast with the paper around, where the network sees any: uint8 (height, width).

    picture: uint8 (height, width, 3).  ink, rule: what the network sees in it, as in page_network.Maps.
    A speck anywhere slightly changes the network's whole output, and with it a doubtful letter; the picture does not
    change elsewhere.
    """
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    half = cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    paper = cv2.resize(cv2.medianBlur(half, AROUND), gray.shape[::-1], interpolation=cv2.INTER_LINEAR)
    rule = cv2.dilate(rule, np.ones((5, 5), np.uint8))   # including its edges
    gate = np.where(cv2.resize(rule, ink.shape[::-1]) > 0.5, np.uint8(ON_RULE), np.uint8(GATE))
    near = cv2.dilate((ink >= gate).view(np.uint8), np.ones((3, 3), np.uint8))
    contrast = paper.astype(np.int16) - gray
    if contrast[ink >= text_lines.INK].sum() < 0:   # bright on dark
        contrast = -contrast
    return np.where(near > 0, np.clip(contrast, 0, 255), 0).astype(np.uint8)


def _as_dark(ink: np.ndarray, labels: np.ndarray, nearest: np.ndarray, seen: np.ndarray, count: int) -> np.ndarray:
    """The ink with all lines equally dark; seen: what the network sees, which tells where strokes are."""
    gains = np.ones(count + 1, np.float32)
    inside = (labels > 0) & (seen >= text_lines.INK)
    values, owners = ink[inside], labels[inside]
    order = np.argsort(owners, kind="stable")
    for number, of_line in enumerate(np.split(values[order], np.searchsorted(owners[order], np.arange(1, count + 1)))):
        if number and len(of_line):
            gains[number] = gain_of(of_line)
    return amplify(ink, gains[nearest])


def amplify(ink: np.ndarray, gain: float | np.ndarray) -> np.ndarray:
    """Ink, uint8 (height, width), times its line's gain or a gain per pixel; what is then still faint becomes paper."""
    dark = np.clip(ink * gain, 0, 255).astype(np.uint8)
    return np.where(dark >= FAINT, dark, 0).astype(np.uint8)


def gain_of(strokes: np.ndarray) -> float:
    """The gain that makes a line's strokes, uint8 (n,), as dark as all others; in steps, so specks do not matter."""
    return 2 ** (round(8 * math.log2(FULL / max(8, np.percentile(strokes, 75)))) / 8)
