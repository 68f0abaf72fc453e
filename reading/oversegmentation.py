"""Ink -> text lines -> pieces of letters, and the ways they can be joined to characters.

The classical way of reading without knowing where one letter ends: cut the ink
at every place that might be a boundary, and let the classifier decide which
neighbouring pieces belong together (Casey and Lecolinet 1996, "A survey of
methods and strategies in character segmentation").  Nothing here knows the
letters; recogScript.py does.

Distances are px of the ink unless they are said to be in x-heights or pens.
"""
import math
from dataclasses import dataclass, field

import cv2
import numpy as np

from common import glyph
from reading import text_lines

MAX_CUT = 3.0           # pens: longer cuts run along a stroke or through a letter's middle
MAX_NOTCH = 5.0         # pens: length of a cut between two notches
MIN_NOTCH = 0.25        # pens: depth of such a notch
MAX_LEAN = 1.5          # pens: of a cut between two notches
LEANING = 0.35          # px of ink that a cut goes through rather than to the next column
MIN_PIECE = 0.18        # x-heights between two cuts
MAX_PIECES = 6          # of one character
MAX_WIDTH = 2.3         # x-heights: width of a character
MAX_GAP = 0.32          # x-heights between two strokes of one character
WIDE = 0.42             # x-heights: strokes so wide, with paper between them, are no parts of one character


@dataclass(frozen=True)
class TextLine:
    """One line of text, made straight and upright, cut into pieces."""
    ink: np.ndarray         # uint8 (height, width), bright on dark
    pieces: np.ndarray      # int32 (height, width): 0 paper, k the k-th piece from the left, from 1
    boxes: np.ndarray       # int (n, 4): left, top, right, bottom of each piece
    cuts: np.ndarray        # float32 (n + 1,): length in pens of the cut before each piece, 0 where there is a gap
    gaps: np.ndarray        # float32 (n + 1,): px of paper before each piece, negative where they overlap
    distances: np.ndarray   # float32 (n + 1, 2): px from the ink before to that behind in rows of the core: least, mean
    top: float              # y of the upper edge of small letters, about
    base: float             # y of the baseline, about
    pen: float              # px, stroke width
    to_page: np.ndarray = field(repr=False)   # float (2, 3): affine, from px of the line to px of the page

    @property
    def x_height(self) -> float:
        """Height of small letters in px."""
        return self.base - self.top

    def corners(self, first: int, behind: int) -> tuple[float, float, float, float]:
        """Left, top, right, bottom on the page of the ink of the pieces [first, behind)."""
        left, top, right, bottom = box_of(self, first, behind)
        y, x = np.nonzero(ink_of_pieces(self, first, behind) >= text_lines.INK)
        return text_lines.StraightLine(self.ink, self.to_page).corners(y + top, x + left)


def find_lines(ink: np.ndarray) -> list[TextLine]:
    """The text lines of a page, from top to bottom.

    ink: uint8 (height, width), bright on dark.
    """
    return [cut_line(line) for line in text_lines.straight_lines(ink)]


def cut_line(line: text_lines.StraightLine) -> TextLine:
    """Cut a line into pieces."""
    ink, to_page, _ = line
    pen = glyph.stroke_width(ink)
    core_top, base = core(ink, pen)
    pieces, lengths = cut(ink, core_top, base, pen)
    pieces, boxes, cuts = _in_order(pieces, lengths, core_top, base)
    gaps, distances = _gaps(pieces, boxes, cuts, core_top, base, pen)
    return TextLine(ink, pieces, boxes, cuts, gaps, distances, core_top, base, pen, to_page)


def core(ink: np.ndarray, pen: float) -> tuple[float, float]:
    """Top and bottom of the zone in which every letter has ink: x-height and baseline, roughly.

    Where the rows hold much more ink than the line's ascenders and descenders do.
    """
    rows = (ink >= text_lines.INK).sum(axis=1).astype(np.float32)
    width = max(1, round(pen))
    rows = cv2.blur(rows[:, None], (1, width), borderType=cv2.BORDER_CONSTANT)[:, 0]
    begins = np.diff((ink >= text_lines.INK).astype(np.int8), axis=1) == 1
    crossings = np.count_nonzero(begins, axis=1).astype(np.float32)
    crossings = cv2.blur(crossings[:, None], (1, width), borderType=cv2.BORDER_CONSTANT)[:, 0]
    profile = rows / max(1.0, rows.max()) + crossings / max(1.0, crossings.max())
    inside = np.flatnonzero(profile >= 0.4 * np.sort(profile)[-max(1, len(profile) // 8)])
    top, base = float(inside[0]), float(inside[-1] + 1)
    filled = np.flatnonzero(rows > 0)
    least = max(0.3 * np.ptp(filled), 2 * pen, 4)
    return (top, base) if base - top >= least else (float(filled[0]), float(filled[-1] + 1))


# ---- line -> pieces

def cut(ink: np.ndarray, top: float, base: float, pen: float) -> tuple[np.ndarray, dict[int, float]]:
    """Cut the ink of a line into pieces.

    Returns int32 (height, width), 0 on paper and another number in each piece;
    and the length in pens of the cut to the left of each piece that was cut off.
    """
    mask = (ink >= text_lines.INK).view(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    windows = [np.s_[y:y + height, x:x + width] for x, y, width, height, _ in stats.tolist()]
    x_height, middle = base - top, (top + base) / 2
    wide = [part for part in range(1, count) if stats[part, cv2.CC_STAT_WIDTH] > 0.75 * x_height
            and stats[part, cv2.CC_STAT_HEIGHT] > 0.4 * x_height]
    paths = dict(zip(wide, cut_paths(
        [np.where(labels[windows[part]] == part, ink[windows[part]], 0) for part in wide],
        [middle - stats[part, cv2.CC_STAT_TOP] for part in wide], pen, x_height), strict=True))
    pieces, lengths, last = np.zeros_like(labels), {}, 0
    for part in range(1, count):
        mine = labels[windows[part]] == part
        last += 1
        if part not in paths:
            pieces[windows[part]][mine] = last
            continue
        number = np.full(mine.shape, last, np.int32)
        columns = np.arange(mine.shape[1])
        for path, length in paths[part]:
            number += columns >= path[:, None]
            last += 1
            lengths[last] = length
        pieces[windows[part]][mine] = number[mine]
    return _grow(pieces, ink), lengths


def cut_paths(inks: list[np.ndarray], middles: list[float], pen: float,
              x_height: float) -> list[list[tuple[np.ndarray, float]]]:
    """The places at which components may be cut, from left to right.

    inks: uint8 (height, width) of each component alone.
    middles: y in each of the middle of small letters.
    Returns for each the cuts: their x in every row, int (height,), and their length through ink in pens.

    A cut runs from top to bottom along the way that crosses the least ink, found
    by dynamic programming (as in seam carving), so that it may lean and bend.
    """
    if not inks:
        return []
    # All components go through the dynamic program side by side, with their middle in one row and walls between them.
    rows = [int(np.clip(middle, 0, len(ink) - 1)) for middle, ink in zip(middles, inks, strict=True)]
    middle = max(rows)
    ends = np.cumsum([ink.shape[1] + 1 for ink in inks])
    cost = np.zeros((middle + max(len(ink) - row for ink, row in zip(inks, rows)), ends[-1]), np.float32)
    cost[:, ends - 1] = np.inf
    for ink, row, end in zip(inks, rows, ends):
        cost[middle - row:middle - row + len(ink), end - 1 - ink.shape[1]:end - 1] = ink
    cost = np.sqrt(cost / 255)
    above, up = _cheapest(cost[:middle + 1])
    below, down = _cheapest(cost[:middle - 1 if middle else None:-1])
    paper = np.isinf(cost[middle])
    total = np.where(paper, np.inf, above + below - np.where(paper, 0, cost[middle])) / pen
    found = []
    for ink, row, end in zip(inks, rows, ends):
        left = end - 1 - ink.shape[1]
        paths = []
        for x in _places(total[left:end - 1], pen, x_height):
            path = np.concatenate([_follow(up, left + x, row)[::-1], _follow(down, left + x, len(ink) - 1 - row)[1:]])
            paths.append((path - left, float(total[left + x])))
        paths += [notch for notch in _notches(ink, pen, x_height)
                  if all(abs(notch[0][row] - path[row]) >= _least(pen, x_height) for path, _ in paths)]
        paths.sort(key=lambda cut: cut[0][row])
        in_order = np.maximum.accumulate([path for path, _ in paths]) if paths else []  # cuts may meet, not cross
        found.append([(path, length) for path, (_, length) in zip(in_order, paths)])
    return found


def _notches(ink: np.ndarray, pen: float, x_height: float) -> list[tuple[np.ndarray, float]]:
    """Straight cuts from a notch in a component's upper outline to one below it, as where round letters touch.

    The least ink lies elsewhere then: through the hollow of an o.
    """
    mask = ink >= text_lines.INK
    height, width = mask.shape
    outlines = np.stack([mask.argmax(axis=0), mask[::-1].argmax(axis=0)])
    above, below = _deepest(outlines.astype(np.float32), pen, x_height)
    least, cuts = _least(pen, x_height), []
    for top in above[(above >= least) & (above <= width - least)]:
        for bottom in below[np.abs(below - top) <= MAX_LEAN * pen]:
            ends = outlines[0][top], height - 1 - outlines[1][bottom]
            length = math.hypot(ends[1] - ends[0] + 1, bottom - top) / pen
            if length <= MAX_NOTCH:
                cuts.append((np.rint(np.interp(np.arange(height), ends, (top, bottom))).astype(int), length))
    kept = []
    for cut in sorted(cuts, key=lambda cut: cut[1]):
        if all(abs(cut[0][height // 2] - other[0][height // 2]) >= least for other in kept):
            kept.append(cut)
    return kept


def _deepest(outlines: np.ndarray, pen: float, x_height: float) -> list[np.ndarray]:
    """The columns in which outlines, distances from one side, float32 (n, width), have notches: n times int (m,)."""
    reach = max(1, round(0.7 * x_height))
    aside = np.ones((1, reach + 1), np.uint8)
    left, right = cv2.erode(outlines, aside, anchor=(reach, 0)), cv2.erode(outlines, aside, anchor=(0, 0))
    near = cv2.dilate(outlines, np.ones((1, 2 * max(1, round(pen / 2)) + 1), np.uint8))
    deepest = np.zeros((len(outlines), outlines.shape[1] + 2), np.int8)
    deepest[:, 1:-1] = (outlines - np.maximum(left, right) >= MIN_NOTCH * pen) & (outlines == near)
    edges = [np.flatnonzero(row[1:] != row[:-1]) for row in deepest]
    return [(found[::2] + found[1::2] - 1) // 2 for found in edges]   # the middle of each run of columns


def _least(pen: float, x_height: float) -> float:
    """The least distance in px between two cuts."""
    return max(MIN_PIECE * x_height, 0.8 * pen)


def _places(lengths: np.ndarray, pen: float, x_height: float) -> list[int]:
    """The x of a component's cuts: where they are shortest, and not too close together."""
    smooth = cv2.GaussianBlur(lengths[None], (0, 0), max(0.5, pen / 4), borderType=cv2.BORDER_REPLICATE)[0]
    least = _least(pen, x_height)
    beside = np.pad(smooth, 1, mode="edge")
    low = smooth <= np.minimum(beside[:-2], beside[2:]) + 1e-6
    low[:math.ceil(least)] = low[math.floor(len(low) - least) + 1:] = False
    places = np.flatnonzero(low & (np.maximum(lengths, smooth) <= MAX_CUT))
    chosen = []
    for x in places[np.argsort(smooth[places], kind="stable")].tolist():
        if all(abs(x - other) >= least for other in chosen):
            chosen.append(x)
    return sorted(chosen)


def _cheapest(cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cheapest way from the first row to each pixel of the last, with steps of at most one column.

    Returns its cost (width,), and the steps int8 (height, width) back to the row before.
    """
    height, width = cost.shape
    steps = np.zeros((height, width), np.int8)
    total = np.full(width + 2, np.inf, np.float32)
    total[1:-1] = cost[0]
    for row in range(1, height):
        straight, left, right = total[1:-1], total[:-2] + LEANING, total[2:] + LEANING
        best = np.minimum(straight, np.minimum(left, right))
        steps[row] = np.where(best == straight, 0, np.where(best == left, -1, 1))
        total[1:-1] = best + cost[row]
    return total[1:-1], steps


def _follow(steps: np.ndarray, x: int, count: int) -> np.ndarray:
    """The way back from column x of the last row through `count` more rows: its column in each, last row first."""
    path = [x]
    for row in range(len(steps) - 1, len(steps) - 1 - count, -1):
        x += int(steps[row, x])
        path.append(x)
    return np.array(path)


def _grow(pieces: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """Give the soft edge of the ink to the piece beside it."""
    wide = cv2.dilate(pieces.astype(np.float32), np.ones((3, 3), np.uint8)).astype(np.int32)
    return np.where(pieces > 0, pieces, np.where(ink > 8, wide, 0))


def _in_order(pieces: np.ndarray, lengths: dict[int, float], top: float, base: float):
    """Number the pieces from left to right by their middle in the core."""
    count = int(pieces.max())
    boxes = np.empty((count + 1, 4), int)
    boxes[:, :2], boxes[:, 2:] = 1 << 30, -1
    number, y, left, right = _runs(pieces)
    np.minimum.at(boxes[:, 0], number, left)
    np.minimum.at(boxes[:, 1], number, y)
    np.maximum.at(boxes[:, 2], number, right)
    np.maximum.at(boxes[:, 3], number, y + 1)
    weight = np.where((y >= top) & (y < base), 1.0, 0.02) * (right - left)
    there = np.bincount(number, weight, count + 1)
    middle = np.bincount(number, weight * (left + right - 1) / 2, count + 1) / np.maximum(there, 1e-9)
    kept = np.flatnonzero(there[1:] > 0) + 1
    order = kept[np.argsort(middle[kept], kind="stable")]
    new = np.zeros(count + 1, np.int32)
    new[order] = np.arange(1, len(order) + 1)
    boxes = boxes[order]
    cuts = np.zeros(len(order) + 1, np.float32)
    for place in range(1, len(order)):
        if order[place] == order[place - 1] + 1:
            cuts[place] = lengths.get(int(order[place]), 0.0)
    return new[pieces], boxes, cuts


def _runs(pieces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """All horizontal runs of px of one piece: its number, y, left and right, each int (n,)."""
    edges = np.zeros((pieces.shape[0], pieces.shape[1] + 1), bool)
    edges[:, 1:-1] = pieces[:, 1:] != pieces[:, :-1]
    edges[:, [0, -1]] = True
    y, left = np.nonzero(edges[:, :-1] & (pieces > 0))
    right = np.nonzero(edges[:, 1:] & (pieces > 0))[1] + 1
    return pieces[y, left], y, left, right


def _gaps(pieces: np.ndarray, boxes: np.ndarray, cuts: np.ndarray, top: float, base: float, pen: float):
    """How far apart pieces stand, in px: the paper before each, float32 (n + 1,), and TextLine.distances.

    The first is the distance to the ink of all pieces before it, negative where they
    overlap.  What hangs below the baseline does not count: the tail of a y reaches
    under other letters.
    """
    number, y, start, end = _runs(pieces[:max(1, int(base + 0.15 * (base - top)))])
    number -= 1
    left, right = boxes[:, 0].copy(), boxes[:, 2].copy()
    there = np.unique(number)
    left[there], right[there] = pieces.shape[1], 0
    np.minimum.at(left, number, start)
    np.maximum.at(right, number, end)
    gaps, distances = np.zeros(len(boxes) + 1, np.float32), np.zeros((len(boxes) + 1, 2), np.float32)
    gaps[1:-1] = np.where(cuts[1:-1] > 0, 0, left[1:] - np.maximum.accumulate(right)[:-1])
    if len(boxes) < 2:
        return gaps, distances
    above = max(0, int(top))
    inside = (y >= above) & (y < base)
    number, y, start, end = number[inside], y[inside] - above, start[inside], end[inside]
    left = np.full((len(boxes), math.ceil(base) - above), pieces.shape[1], np.float32)
    right = np.zeros_like(left)
    np.minimum.at(left, (number, y), start)
    np.maximum.at(right, (number, y), end)
    near = np.ones((1, 2 * max(1, round(pen)) + 1), np.uint8)  # ink a pen higher or lower is beside it, too
    left = cv2.erode(np.minimum.accumulate(left[::-1], axis=0)[::-1][1:], near)
    right = cv2.dilate(np.maximum.accumulate(right, axis=0)[:-1], near)
    apart = np.clip(left - right, -2 * (base - top), 3 * (base - top))
    distances[1:-1] = np.stack([apart.min(axis=1), apart.mean(axis=1)], axis=1)
    return gaps, distances


# ---- pieces -> candidates for characters

def candidates(line: TextLine) -> np.ndarray:
    """The runs of pieces [first, behind) that might be one character: int (n, 2)."""
    found = []
    boxes, gaps = line.boxes / line.x_height, line.gaps / line.x_height
    widths = (boxes[:, 2] - boxes[:, 0]).tolist()
    for first in range(len(boxes)):
        left, right = boxes[first, 0], boxes[first, 2]
        widest = widths[first]
        before_gap = 0.0   # widest piece before the last gap
        for last in range(first, min(first + MAX_PIECES, len(boxes))):
            left, right = min(left, boxes[last, 0]), max(right, boxes[last, 2])
            if last > first:
                before_gap = widest if gaps[last] > 0.05 else before_gap
                if right - left > MAX_WIDTH or gaps[last] > MAX_GAP or min(before_gap, widths[last]) > WIDE:
                    break
                widest = max(widest, widths[last])
            found.append((first, last + 1))
    return np.array(found, int).reshape(-1, 2)


def box_of(line: TextLine, first: int, behind: int) -> np.ndarray:
    """Left, top, right, bottom of the pieces [first, behind)."""
    boxes = line.boxes[first:behind]
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def ink_of_pieces(line: TextLine, first: int, behind: int) -> np.ndarray:
    """The ink of the pieces [first, behind) alone: uint8, cropped."""
    left, top, right, bottom = box_of(line, first, behind)
    mine = cv2.inRange(line.pieces[top:bottom, left:right], int(first) + 1, int(behind))
    return cv2.bitwise_and(line.ink[top:bottom, left:right], mine)
