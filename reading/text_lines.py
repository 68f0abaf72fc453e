"""Ink -> text lines: groups connected components of a drawing into lines, deskews and deslants each line.

    lines = straight_lines(ink)       from top to bottom, each one upright, with an affine map back to the page
"""
import functools
import math
from typing import NamedTuple

import cv2
import numpy as np

from common import glyph

INK = 96                # brightness from which a pixel belongs to a connected component

# The usual height is the weighted median of all components' heights, about the x-height.
BODY = 0.45             # usual heights: smaller components are dots, bars and specks
DOT = 0.75              # usual heights: largest size of a dot, and its largest distance from a letter
ASIDE, ABOVE = 2.0, 0.3 # usual heights: largest distance of a mark from a letter, across and down
SPARSE = 0.5            # of its width: a group of marks that fills less is not a line of text
LINE_OVERLAP = 0.35     # of the smaller height: least overlap of a component with the line beside it
FEW_OVERLAP = 0.2       # of the smaller height: least overlap of two groups if one has only one or two components
COVERED = 0.42          # of a group's width: the most under or over letters of a line that it belongs to
FREE = 0.15             # of the same: a group with less stands in the line's gaps or beside it, ...
RAISED = 0.3            # of its height: ... and, if as small as quotes, may lie this far above or below letters

SEVERAL = 2.5           # usual heights: ink no taller than this is one line

LETTER = 56             # px: lines are reduced to this usual height ...
THIN = 2.0              # px: ... unless strokes would become thinner than this
MAX_SLOPE = 0.36        # of a line, rise over run
MAX_SLANT = 0.8         # of letters, run over rise


class StraightLine(NamedTuple):
    """One line of text, deskewed and deslanted."""
    ink: np.ndarray         # uint8 (height, width), bright on dark
    to_page: np.ndarray     # float (2, 3): affine, from px of the line to px of the page
    confidence: float = 1.0 # how sure it is that this is a line of text, 0..1


def straight_lines(ink: np.ndarray) -> list[StraightLine]:
    """The text lines of a page, from top to bottom.

    ink: uint8 (height, width), bright on dark.
    """
    labels, boxes = components(ink)
    if not len(boxes):
        return []
    slope = 0.0
    if boxes[:, 3].max() - boxes[:, 1].min() > SEVERAL * usual_height(boxes):   # for a single line it tells nothing
        slope = _sharpest(*_points(ink, 5000), MAX_SLOPE, 0.02, 1.03)
    level = boxes - np.outer(slope * boxes[:, [0, 2]].mean(axis=1), (0, 1, 0, 1))
    return [straight_line(*_crop_line(ink, labels, boxes, members), boxes[members]) for members in group_lines(level)]


def components(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The connected components of ink, uint8 (height, width).

    Returns labels int32 (height, width), 0 on paper, and boxes int (n, 4): left, top, right, bottom.
    """
    mask = (ink >= INK).view(np.uint8)
    labels = np.zeros(mask.shape, np.int32)
    x, y, width, height = cv2.boundingRect(mask)
    if not width:
        return labels, np.empty((0, 4), int)
    there = np.s_[y:y + height, x:x + width]   # the rest, often most, is paper
    _, labels[there], stats, _ = cv2.connectedComponentsWithStats(mask[there], connectivity=8)
    boxes = stats[1:, :4].astype(int)
    boxes[:, 2:] += boxes[:, :2]
    return labels, boxes + (x, y, x, y)


def with_edges(ink: np.ndarray, mine: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The ink, uint8 (height, width), where `mine` is, with the soft edge around it, which is `free`: both bool."""
    near = cv2.dilate(mine.view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.where(mine | near & free, ink, np.uint8(0))


@functools.cache
def _chances() -> np.ndarray:
    """A random number, 0 to 1, for each pixel of a tile of paper, so that no pattern favours a slope."""
    return np.random.default_rng(0).random((257, 263), dtype=np.float32)


def _points(ink: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """y and x of about `count` pixels of the ink, or of all if there are fewer: float32 (n,).

    The choice depends only on their positions, so that a speck affects nothing but itself.
    """
    y, x = np.divmod(np.flatnonzero(ink >= INK).astype(np.int32), np.int32(ink.shape[1]))
    share = 2 ** round(math.log2(max(1.0, len(y) / count)))
    if share > 1:
        chance = _chances()
        kept = chance[y % chance.shape[0], x % chance.shape[1]] * share < 1
        y, x = y[kept], x[kept]
    return y.astype(np.float32), x.astype(np.float32)


def lines_of(picture) -> list[StraightLine]:
    """The lines of a binarize.Picture, in reading order."""
    return straight_lines(picture.ink) if picture.lines is None else picture.lines


# ---- components -> lines

def group_lines(boxes: np.ndarray) -> list[np.ndarray]:
    """Group components into text lines.

    Each line is followed from left to right by a running mean of its components' height and centre, so it may rise,
    fall and bend.
    boxes: (n, 4): left, top, right, bottom.
    Returns the rows of `boxes` in each line, lines from top to bottom.
    """
    heights = boxes[:, 3] - boxes[:, 1]
    usual = usual_height(boxes)
    bodies = np.flatnonzero(heights >= BODY * usual)
    lines = []  # each [members, centre, height]
    for row in bodies[np.argsort(boxes[bodies, 0], kind="stable")]:
        _, top, _, bottom = boxes[row]
        overlaps = [(min(bottom, centre + height / 2) - max(top, centre - height / 2)) / min(bottom - top, height)
                    for _, centre, height in lines]
        if max(overlaps, default=0) < LINE_OVERLAP:
            lines.append([[row], (top + bottom) / 2, bottom - top])
            continue
        line = lines[int(np.argmax(overlaps))]
        members, centre, height = line
        members.append(row)
        line[1:] = [centre + 0.35 * ((top + bottom) / 2 - centre), height + 0.35 * (bottom - top - height)]
    groups = _merge_lines([members for members, _, _ in lines], boxes, usual)
    dots = _only_dots(groups, boxes, usual)
    groups = [group for group in groups if group not in dots]
    _add_small(groups, np.concatenate([np.flatnonzero(heights < BODY * usual), *dots]).astype(int), boxes)
    return sorted(map(np.array, groups), key=lambda group: np.median(boxes[group, 1] + boxes[group, 3]))


def usual_height(boxes: np.ndarray) -> float:
    """Median height of the components, each weighted by its size because there are many specks."""
    heights = boxes[:, 3] - boxes[:, 1]
    sizes = np.maximum(heights, boxes[:, 2] - boxes[:, 0])
    return weighted_median(heights, sizes)


def weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """The median of values (n,), n > 0, each counted as often as its weight says."""
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)])


def _merge_lines(groups: list[list[int]], boxes: np.ndarray, usual: float) -> list[list[int]]:
    """Join groups that form one line: beside each other, or one in the gaps of the other."""
    merged = []
    for group in groups:
        while (other := next((other for other in merged if _beside(boxes[other], boxes[group])), None)) is not None:
            merged.remove(other)
            group = other + group
        merged.append(group)
    whole = []
    for group in sorted(merged, key=len, reverse=True):
        line = next((line for line in whole if _interleaved(boxes[line], boxes[group], usual)), None)
        if line:
            line += group
        else:
            whole.append(group)
    return whole


def _beside(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two groups of boxes form one line: where they are nearest, they overlap in height."""
    if a[:, 3].max() <= b[:, 1].min() or b[:, 3].max() <= a[:, 1].min():
        return False   # most pairs
    if len(b) > len(a):
        a, b = b, a
    middle = (b[:, 0].min() + b[:, 2].max()) / 2
    near = a[np.argsort(np.abs((a[:, 0] + a[:, 2]) / 2 - middle))[:3]]
    few = len(b) <= 2   # a question mark or quote may stand high, beside a tall letter
    top, bottom = (near[:, 1].min() if few else np.median(near[:, 1])), np.median(near[:, 3])
    overlap = min(bottom, b[:, 3].max()) - max(top, b[:, 1].min())
    return overlap > (FEW_OVERLAP if few else 0.5) * min(bottom - top, b[:, 3].max() - b[:, 1].min())


def _interleaved(line: np.ndarray, group: np.ndarray, usual: float) -> bool:
    """Whether a group of boxes, no more than the line has, stands in the line's gaps or beside it.

    Quotes, exponents and words written higher or lower do; the words of the next line lie under letters.
    """
    top, bottom = group[:, 1].min(), group[:, 3].max()
    if max(line[:, 1].min() - bottom, top - line[:, 3].max()) > RAISED * (bottom - top):
        return False   # most pairs
    across = np.minimum(line[:, 2], group[:, None, 2]) - np.maximum(line[:, 0], group[:, None, 0])
    covered = np.maximum(across, 0).max(axis=1).sum() / (group[:, 2] - group[:, 0]).sum()
    if covered > COVERED:
        return False
    near = np.argsort(-across, axis=1)[:, :2]
    top, bottom = line[near, 1].min(axis=1), line[near, 3].max(axis=1)
    heights = group[:, 3] - group[:, 1]
    shared = (np.minimum(bottom, group[:, 3]) - np.maximum(top, group[:, 1])) / np.minimum(heights, bottom - top)
    if covered > FREE:
        least = 0.1
    else:
        least = -RAISED if heights.max() <= DOT * usual else 0.0
    return np.median(shared) > least


def _only_dots(groups: list[list[int]], boxes: np.ndarray, usual: float) -> list[list[int]]:
    """The groups that are only large dots and quotes of other lines: small, sparse and near letters."""
    dots = []
    for group in groups:
        others = [row for other in groups if other is not group for row in other]
        sizes = boxes[group, 2:] - boxes[group, :2]
        if not others or sizes.max() > DOT * usual:
            continue
        span = boxes[group, 2].max() - boxes[group, 0].min()
        if len(group) > 3 and sizes[:, 0].sum() > SPARSE * span:
            continue
        apart = np.maximum(boxes[group, None, :2] - boxes[others, 2:], boxes[others, :2] - boxes[group, None, 2:])
        across, down = np.maximum(apart, 0).transpose(2, 0, 1)
        near = (across + down < DOT * usual) | (across < ASIDE * usual) & (down < ABOVE * usual)
        if near.any(axis=1).all():
            dots.append(group)
    return dots


def _add_small(groups: list[list[int]], small: np.ndarray, boxes: np.ndarray) -> None:
    """Add each dot, bar and accent to the line of the nearest letter; letters below it count as nearer."""
    bodies = boxes[[row for group in groups for row in group]]
    owners = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    for row in small:
        left, top, right, bottom = boxes[row]
        dx = np.maximum(0, np.maximum(bodies[:, 0] - right, left - bodies[:, 2]))
        below = np.maximum(0, bodies[:, 1] - bottom)
        above = np.maximum(0, top - bodies[:, 3])
        groups[owners[np.argmin(dx ** 2 + (0.6 * below + above) ** 2)]].append(row)


def _crop_line(ink: np.ndarray, labels: np.ndarray, boxes: np.ndarray,
               members: np.ndarray) -> tuple[np.ndarray, int, int]:
    """The ink of one line alone, and the x and y of its top left corner on the page."""
    left, top = np.maximum(boxes[members, :2].min(axis=0) - 2, 0)
    right, bottom = boxes[members, 2:].max(axis=0) + 2
    crop, there = ink[top:bottom, left:right], labels[top:bottom, left:right]
    if len(members) == len(boxes):
        return crop, left, top
    mine = np.zeros(len(boxes) + 1, bool)
    mine[members + 1] = True
    return with_edges(crop, mine[there], there == 0), left, top


# ---- deskewing and deslanting

def straight_line(ink: np.ndarray, left: int, top: int, boxes: np.ndarray) -> StraightLine:
    """Deskew and deslant a line, and reduce a larger one to the usual height LETTER.

    ink: uint8 (height, width), of the line alone; its top left corner lies at (left, top) on the page.
    boxes: (n, 4), of its components.
    """
    usual, (height, width) = usual_height(boxes), ink.shape
    if usual > LETTER:   # smaller lines are read equally well, and faster
        ink = glyph.resize(ink, min(1.0, max(LETTER / usual, THIN / glyph.stroke_width(ink))))
    reduce = np.diag((ink.shape[1] / width, ink.shape[0] / height, 1))
    ink, forward = straighten(ink)
    to_page = cv2.invertAffineTransform(forward @ reduce)
    to_page[:, 2] += (left, top)
    return StraightLine(ink, to_page)


def straighten(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Remove the slope and slant of a line; returns the new ink and the affine map float (2, 3) from old to new px."""
    y, x = _points(ink, 2500)
    slope, slant = shears(y, x)
    if not slope and not slant:
        return ink, np.eye(2, 3)
    forward = np.array([[1 + slant * slope, -slant, 0], [-slope, 1, 0]])
    corners = np.array([[0, 0, 1], [ink.shape[1], 0, 1], [0, ink.shape[0], 1], [*ink.shape[::-1], 1]]) @ forward.T
    forward[:, 2] = -corners.min(axis=0)
    size = np.ceil(np.ptp(corners, axis=0)).astype(int)
    moved = cv2.warpAffine(ink, forward, size.tolist(), flags=cv2.INTER_LINEAR)
    x, y, width, height = cv2.boundingRect((moved >= glyph.INK).view(np.uint8))
    x, y = max(0, x - 2), max(0, y - 2)
    forward[:, 2] -= (x, y)
    return np.ascontiguousarray(moved[y:y + height + 4, x:x + width + 4]), forward


def shears(y: np.ndarray, x: np.ndarray) -> tuple[float, float]:
    """Slope (rise over run) of a line and slant (run over rise) of its letters, from y and x (n,) of its ink in px."""
    width, height = np.ptp(x) + 1, np.ptp(y) + 1
    slope = _sharpest(y, x, MAX_SLOPE, 0.02, 1.03) if width > 2.5 * height else 0.0
    return slope, _sharpest(x, y - slope * x, MAX_SLANT, 0.05, 1.1)


def _sharpest(values: np.ndarray, along: np.ndarray, limit: float, step: float, gain: float) -> float:
    """The shear t, from -limit to limit, for which the projection profile of values - t * along is sharpest.

    Sharpness is the profile's sum of squares.  Returns 0 unless it exceeds `gain` times that without shear.
    """
    shears = np.arange(-limit, limit + step / 2, step, dtype=np.float32)
    moved = values - shears[:, None] * along
    bins = (moved - moved.min(axis=1, keepdims=True)).astype(np.int32)
    size = bins.max() + 1
    bins += size * np.arange(len(shears), dtype=np.int32)[:, None]
    counts = np.bincount(bins.ravel(), minlength=len(shears) * size).reshape(len(shears), size)
    sharpness = (counts.astype(float) ** 2).sum(axis=1)
    best = int(np.argmax(sharpness))
    return float(shears[best]) if sharpness[best] > gain * sharpness[len(shears) // 2] else 0.0
