"""Picture of a page -> its lines of writing, found by a network: ink without rules, lines in reading order.

    found = shipped().find(picture)
    texts = reader.read_lines([line.ink for line in found.lines])

For each pixel the network (training/networks.py: page) says how much of it writing covers, and whether it lies in the
core of a line, between the baseline and the top of small letters.  A connected core is a line, as in Gruening et al.
2019 (ARU-Net, arXiv 1802.03345); each connected stroke of ink belongs to the line whose core it touches, and one that
touches several is cut half-way between them.
"""
import functools
import math
from dataclasses import dataclass

import cv2
import numpy as np

from common import runs
from reading import text_lines
from reading.network import THREADS, Network
from reading.text_lines import StraightLine

STRIDE = 32                # px: the network takes sides that are multiples of this
PIXELS = 1_000_000         # a picture is reduced to this many for a first look, ...
FINE_PIXELS = 3_000_000    # ... and to at most this many for the last, ...
X_HEIGHTS = 15.0, 28.0     # px: ... if its x-height is below or above these, ...
USUAL = 22.0               # px: ... at a scale where it is about this
SMALLER = 1.0, 2.5, 6.25   # times: the picture is also looked at this much smaller ...
HOLDS = 0.8                # of the ink: ... if strokes that touch a core hold less, ...
SEES_MORE = 2.5            # times: ... and that is better if cores hold this much more ink ...
LARGEST = 45.0             # px: ... and the x-height is no more than this
UPRIGHT, IN_DOUBT = 0.6, 0.1   # cosine of a surely upright page; by how much another way up must lead
FEW_WORDS = 20.0           # x-heights: a page with less writing is not turned upside down
ENLARGED = 3.0             # times: a picture is enlarged no more than this
CORE = 0.5                 # probability from which a pixel belongs to a core
SEED = 0.8                 # probability in the middle of a core: it separates cores that touch
STACKED = 2.5              # times its height: a core with two rows of SEEDs over more than this length is two lines
SURE = 0.7                 # mean probability: cores below this are edges, grain or drawings
DOUBTFUL, LOW = 0.8, 0.4   # cores less sure than the first and lower than the second times the usual are bits of rules
LEAST_CORE = 2.0           # px of a half-size map: a core is at least this tall ...
LEAST_LENGTH = 0.6         # times its own height: ... and at least this long
NEAR = 1.6                 # x-heights: ink farther than this from every core is not writing
SPECK = 0.6                # x-heights: anything no larger is a dot or a speck, ...
BELOW, BEFORE = 0.6, 1.0   # x-heights: ... and a speck if it lies this far below a core or before its start
MOSTLY = 0.6               # of a stroke: if more than this is a rule, all of it is
AHEAD = 1.5                # x-heights: a core counts as longer by this at both ends
BRIDGE = 2.2               # x-heights: a gap narrower than this between two cores at one level is within a line
JUMP = 1.0                 # x-heights: a line rises or falls by less than this at a gap, ...
OVERLAP = 1.0              # x-heights: ... and its continuation starts less than this before its end
GATE, ON_RULE = 64, 150    # of 255: coverage from which there may be ink, and the same on rules
AROUND = 25                # px at half size: the paper's brightness is the median of a square of this side
FULL = 230.0               # of 255: a line's strokes are made about this dark, ...
FAINT = 36                 # ... and what is then fainter than this is paper


@dataclass
class Core:
    """The core of a text line: where it runs, in px of the picture that the network saw."""
    left: int
    right: int
    middle: np.ndarray     # float (right - left,): y of its middle
    x_height: float
    confidence: float      # mean probability of its pixels


@dataclass
class Maps:
    """What the network sees in a picture."""
    ink: np.ndarray        # uint8 (height, width): how much of each pixel is covered
    core: np.ndarray       # float32 (height / 2, width / 2): probability
    rule: np.ndarray       # the same, for printed rules, boxes and drawings
    upright: float         # cosine of the reading direction, median over all cores

    @property
    def seen(self) -> bool:
        """Whether there is writing, upright or not."""
        return bool((self.core > CORE).any())


@dataclass
class FoundPage:
    """The lines of a page in reading order."""
    ink: np.ndarray              # uint8 (height, width): ink of the lines, in the picture's own orientation
    lines: list[StraightLine]    # to_page maps to px of the ink
    cores: list[Core]            # of the same lines, in px of the ink turned upright
    scale: float                 # px of the picture per px of the ink
    turns: int                   # quarter turns to the left that make the picture upright


@functools.cache
def shipped(threads: int = THREADS) -> "PageNetwork":
    """The shipped page network, opened once."""
    return PageNetwork(Network(runs.models_folder("Models"), runs.DEFAULT_PAGES, threads))


class PageNetwork:
    """Finds the writing on pages with one network."""

    def __init__(self, network: Network):
        self._network = network

    def maps(self, picture: np.ndarray) -> Maps:
        """The maps of a picture, uint8 (height, width, 3), RGB."""
        height, width = picture.shape[:2]
        padded = cv2.copyMakeBorder(picture, 0, -height % STRIDE, 0, -width % STRIDE, cv2.BORDER_REPLICATE)
        ink, marks = self._network.outputs(padded[None])
        ink = _sigmoid(ink[0, :height, :width, 0])
        marks = marks[0, :(height + 1) // 2, :(width + 1) // 2]
        core, rule = (_sigmoid(marks[..., channel].copy()) for channel in (0, 1))
        sure = core > CORE
        upright = float(np.median(marks[sure, 2])) if sure.any() else 0.0
        return Maps(cv2.convertScaleAbs(ink, alpha=255), core, rule, upright)

    def find(self, picture: np.ndarray) -> FoundPage:
        """The lines of a picture, uint8 (height, width, 3), RGB; there may be none."""
        turns, look = self._upright(picture)
        ink, cores, labels = look.maps.ink, look.cores, look.labels
        if not cores:   # unsure lines are better than none
            cores, labels = find_cores(look.maps.core, ink.shape, sure=0.0)
        inks, ink = line_inks(sharp_ink(look.picture, ink, look.maps.rule), look.maps, labels, cores)
        order = [place for place in reading_order(cores) if inks[place] is not None]
        return FoundPage(np.ascontiguousarray(np.rot90(ink, -turns)),
                         [_turned_back(inks[place], turns, ink.shape) for place in order],
                         [cores[place] for place in order], 1 / look.scale, turns)

    def _upright(self, picture: np.ndarray) -> tuple[int, "Look"]:
        """How many quarter turns to the left make a picture upright, and what the network then sees in it.

        The network knows upright pages, but not which way others are turned, and digits upside down look like digits.
        One look at each other turn tells which is likeliest.
        """
        scale = _scale_to(PIXELS, 1.0, picture)
        first = self._seen(picture, scale)
        look = self._look(picture, first)
        if look.maps.upright >= UPRIGHT or not look.ink and first.held < HOLDS:   # specks and noise lie in no line
            return 0, look
        best = first = None
        for turns in (1, 2, 3):
            turned = self._seen(np.ascontiguousarray(np.rot90(picture, turns)), scale)
            if first is None or turned.maps.upright > first.maps.upright:
                best, first = turns, turned
        if not look.ink and not first.ink:   # a letter as large as the picture
            return 0, self._look(picture, self._seen(picture, scale), always=True)
        if first.maps.upright <= look.maps.upright or best == 2 and look.length <= FEW_WORDS:
            return 0, look
        turned = self._look(np.ascontiguousarray(np.rot90(picture, best)), first)
        return (best, turned) if turned.maps.upright > look.maps.upright + IN_DOUBT else (0, look)

    def _look(self, picture: np.ndarray, first: "Look", always: bool = False) -> "Look":
        """The look at a picture at the scale where the network sees its letters best; first: the first look.

        To the network, letters much larger than it knows are many small strokes, and their cores are scraps.  So it
        looks at smaller and smaller pictures until cores hold most strokes; if `always`, at all of them.
        """
        most = _scale_to(FINE_PIXELS, ENLARGED, picture)
        best = first
        for smaller in SMALLER[1:]:
            if best.held >= HOLDS and best.cores and not always:
                break
            look = self._seen(picture, first.scale / smaller)
            if look.ink > SEES_MORE * best.ink and look.x_height <= LARGEST:
                best = look
        if not best.maps.seen:   # tiny letters
            best = self._seen(picture, most)
        for _ in range(2):
            if not best.ink or X_HEIGHTS[0] <= best.x_height <= X_HEIGHTS[1]:
                break
            # In steps, so that a speck does not change the scale, and with it every pixel of the page.
            wanted = 2 ** (round(4 * math.log2(best.scale * USUAL / best.x_height)) / 4)
            wanted = min(wanted, max(best.scale, most))
            if wanted == best.scale:
                break
            best = self._seen(picture, wanted)
        return best

    def _seen(self, picture: np.ndarray, scale: float) -> "Look":
        picture = _resized(picture, scale)
        maps = self.maps(picture)
        cores, labels = find_cores(maps.core, maps.ink.shape)
        count, parts = cv2.connectedComponents((maps.ink >= text_lines.INK).view(np.uint8))
        touched = np.zeros(count, bool)
        touched[parts[cv2.resize((maps.core > CORE).view(np.uint8), parts.shape[::-1]) > 0]] = True
        touched[0] = False
        held = np.count_nonzero(touched[parts]) / max(1, np.count_nonzero(parts))
        length = sum((core.right - core.left) / core.x_height for core in cores)
        ink = float(maps.ink[labels > 0].sum(dtype=float)) / scale ** 2
        return Look(picture, scale, maps, cores, labels, ink, _usual(cores), length, held)


@dataclass
class Look:
    """What the network sees in a picture at one scale."""
    picture: np.ndarray    # at that scale
    scale: float           # px that it sees per px of the picture
    maps: Maps
    cores: list[Core]      # those that it is sure of
    labels: np.ndarray     # int32 (height, width): the number of each core, from 1
    ink: float             # amount inside cores: coverage, 255 per px of the picture
    x_height: float        # in px that it sees; the median over the writing's length
    length: float          # of all lines, in x-heights
    held: float            # share of the ink in strokes that touch a core


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    """The logistic function, in place; logits in a row must be adjacent in memory, or NumPy 2 gives wrong values."""
    np.exp(np.negative(logits, out=logits), out=logits)
    logits += 1
    return np.reciprocal(logits, out=logits)


def _scale_to(pixels: int, most: float, picture: np.ndarray) -> float:
    """The scale that gives a picture this many pixels, but at most `most`."""
    return min(most, math.sqrt(pixels / (picture.shape[0] * picture.shape[1])))


def _resized(picture: np.ndarray, scale: float) -> np.ndarray:
    if scale == 1:
        return picture
    size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def _turned_back(line: StraightLine, turns: int, shape: tuple[int, int]) -> StraightLine:
    """Map a line from a picture of `shape`, turned to the left this many times, back to the picture before turning."""
    height, width = shape
    back = {0: ((1, 0, 0), (0, 1, 0)), 1: ((0, -1, height - 1), (1, 0, 0)),
            2: ((-1, 0, width - 1), (0, -1, height - 1)), 3: ((0, 1, 0), (-1, 0, width - 1))}[turns]
    return line._replace(to_page=np.array(back, float) @ np.vstack([line.to_page, (0, 0, 1)]))


# ---- cores -> lines

def find_cores(probability: np.ndarray, shape: tuple[int, int], sure: float = SURE) -> tuple[list[Core], np.ndarray]:
    """The text lines in a map of cores at half the size of a picture of `shape`.

    sure: least mean probability.  Returns their cores, and a map int32 of `shape` with each core's number, from 1.
    """
    count, labels, stats, _ = _parted(probability)
    cores, numbers = [], np.zeros(count, np.int32)
    for part in range(1, count):
        left, top, width, height, area = stats[part]
        if area / max(width, 1) < LEAST_CORE or width < LEAST_LENGTH * area / width:
            continue
        there = np.s_[top:top + height, left:left + width]
        mine = labels[there] == part
        confidence = float(probability[there][mine].mean())
        if confidence >= sure:
            cores.append(_core_of(mine, left, top, confidence))
            numbers[part] = len(cores)
    whole, joined = _joined(cores)
    usual = _usual(whole)
    kept = [core.confidence >= DOUBTFUL or core.x_height >= LOW * usual for core in whole]
    joined = (np.cumsum(kept) * kept)[joined - 1] if cores else joined
    whole = [core for core, keep in zip(whole, kept) if keep]
    numbers = np.concatenate([[0], joined])[numbers].astype(np.int32)
    return whole, cv2.resize(numbers[labels], shape[::-1], interpolation=cv2.INTER_NEAREST)


def _usual(cores: list[Core]) -> float:
    """The median x-height, weighted by length; 0 without cores."""
    if not cores:
        return 0.0
    widths, heights = np.array([(core.right - core.left, core.x_height) for core in cores]).T
    order = np.argsort(heights)
    return float(heights[order][np.searchsorted(np.cumsum(widths[order]), widths.sum() / 2)])


def _parted(probability: np.ndarray) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """Connected cores as OpenCV returns components; touching cores of tight lines are separated by their SEEDs."""
    mask = (probability > CORE).view(np.uint8)
    seeds = ((probability > SEED) & (mask > 0)).view(np.uint8)
    found = cv2.connectedComponentsWithStats(mask, connectivity=8)
    for part, (left, top, width, height, area) in enumerate(found[2]):
        if not part or height < 4 * LEAST_CORE:
            continue
        there = np.s_[top:top + height, left:left + width]
        mine = found[1][there] == part
        seeded = np.pad(seeds[there] * mine, ((1, 0), (0, 0)))
        stacked = np.count_nonzero(np.diff(seeded.astype(np.int8), axis=0) == 1, axis=0) > 1
        if np.count_nonzero(stacked) > STACKED * area / width:
            _, nearest = _nearest(cv2.connectedComponents(seeded[1:].astype(np.uint8))[1])
            edge = mine & (cv2.dilate(nearest.astype(np.float32), np.ones((3, 3))) > nearest)
            mask[there][edge] = 0
    return cv2.connectedComponentsWithStats(mask, connectivity=4)


def _nearest(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each pixel, the distance in px to the nearest labelled one, float32, and its label, int32."""
    distance, nearest = cv2.distanceTransformWithLabels((labels == 0).view(np.uint8), cv2.DIST_L2, 3,
                                                        labelType=cv2.DIST_LABEL_PIXEL)
    # OpenCV returns labels of its own; the labelled pixels tell which label each of them stands for.
    of_label = np.zeros(nearest.max() + 1, np.int32)
    inside = labels > 0
    of_label[nearest[inside]] = labels[inside]
    return distance, of_label[nearest]


def _core_of(mine: np.ndarray, left: int, top: int, confidence: float) -> Core:
    """The core in a mask (height, width) whose corner is at left, top of the half-size map."""
    columns = mine.sum(axis=0)
    rows = np.arange(len(mine)) @ mine / np.maximum(columns, 1) + top
    x = np.arange(len(columns))
    rows = np.interp(x, x[columns > 0], rows[columns > 0])
    smooth = max(1, int(2 * columns.mean())) * 2 + 1
    rows = cv2.blur(rows[None].astype(np.float32), (smooth, 1), borderType=cv2.BORDER_REPLICATE)[0]
    columns = np.sort(columns[columns > 0])
    usual = columns[len(columns) // 4:len(columns) - len(columns) // 4]   # for a mean: a speck moves a median by 1 px
    return Core(2 * left, 2 * (left + len(rows)), np.repeat(2 * rows + 1, 2), 2.0 * float(usual.mean()), confidence)


def _joined(cores: list[Core]) -> tuple[list[Core], np.ndarray]:
    """Cores, merged where one continues another; and the new number of each given core, from 1."""
    parent = list(range(len(cores)))

    def root(place: int) -> int:
        while parent[place] != place:
            place = parent[place]
        return place

    order = sorted(range(len(cores)), key=lambda place: cores[place].left)
    lefts, rights, heights = np.array([(core.left, core.right, core.x_height) for core in cores]).reshape(-1, 3).T
    for place in order:
        a, found = cores[place], []
        gaps, usual = lefts - a.right, (heights + a.x_height) / 2
        ahead = (-OVERLAP * usual < gaps) & (gaps < BRIDGE * usual) & (rights > a.right)
        alike = np.maximum(heights, a.x_height) <= 2.2 * np.minimum(heights, a.x_height)
        for other in np.flatnonzero(ahead & alike).tolist():
            gap = float(gaps[other])
            jump = abs(_ahead(a, gap / 2, True) - _ahead(cores[other], gap / 2, False))
            if jump < JUMP * usual[other]:
                found.append((max(gap, 0) + 2 * jump, other))
        if found and root(min(found)[1]) != root(place):
            parent[root(min(found)[1])] = root(place)
    roots = sorted({root(place) for place in range(len(cores))})
    whole = [_together([cores[place] for place in order if root(place) == each]) for each in roots]
    return whole, np.array([roots.index(root(place)) + 1 for place in range(len(cores))], int)


def _ahead(core: Core, far: float, right: bool) -> float:
    """Where a core's middle would be `far` px beyond its end."""
    reach = int(min(len(core.middle), 6 * core.x_height))
    part = core.middle[-reach:] if right else core.middle[:reach][::-1]
    slope = (part[-1] - part[0]) / max(len(part), 1) if len(part) > 3 * core.x_height else 0.0
    return part[-1] + slope * far


def _together(parts: list[Core]) -> Core:
    if len(parts) == 1:
        return parts[0]
    left, right = min(part.left for part in parts), max(part.right for part in parts)
    x = np.concatenate([np.arange(part.left, part.right) for part in parts])
    y = np.concatenate([part.middle for part in parts])
    order = np.argsort(x, kind="stable")
    weights = [part.right - part.left for part in parts]
    x_height, confidence = np.average([(part.x_height, part.confidence) for part in parts], axis=0, weights=weights)
    return Core(left, right, np.interp(np.arange(left, right), x[order], y[order]), float(x_height), float(confidence))


def reading_order(cores: list[Core]) -> list[int]:
    """The order in which people read lines: rows from top to bottom, their parts from left to right, but columns
    of text one after the other."""
    def ordered(places: list[int]) -> list[int]:
        gutter = _gutter([cores[place] for place in places])
        if gutter is not None:
            sides = [[], []]
            for place in places:
                sides[int(cores[place].left >= gutter)].append(place)
            return ordered(sides[0]) + ordered(sides[1])
        return _by_rows(cores, places)

    return ordered(list(range(len(cores))))


MANY = 3            # lines: a column has at least this many ...
LONG = 9.0          # x-heights: ... and at least half of them are longer than this
GUTTER = 1.5        # x-heights: least gap between columns


def _gutter(cores: list[Core]) -> float | None:
    """An x that divides lines into two columns of text, None if there is none."""
    if len(cores) < 2 * MANY:
        return None
    height = float(np.median([core.x_height for core in cores]))
    lefts = np.array([core.left for core in cores])
    rights = np.array([core.right for core in cores])
    for x in np.unique(lefts)[1:]:
        before, behind = rights <= x - GUTTER * height, lefts >= x
        if not (before | behind).all() or min(before.sum(), behind.sum()) < MANY:
            continue
        if min(np.median((rights - lefts)[side]) for side in (before, behind)) > LONG * height:
            return float(x)
    return None


def _by_rows(cores: list[Core], places: list[int]) -> list[int]:
    """Lines from top to bottom, as if the page were level; those at the same height from left to right."""
    slope = _slope([cores[place] for place in places])

    def level(core: Core, place: int) -> float:
        """The y of one end, 0 or -1, of a core on the levelled page."""
        return float(core.middle[place]) - slope * (core.left if place == 0 else core.right)

    def beside(core: Core, last: Core) -> bool:
        return min(core.right, last.right) - max(core.left, last.left) < OVERLAP * max(core.x_height, last.x_height)

    def one_row(core: Core, last: Core) -> bool:
        first, second = (last, core) if core.left >= last.left else (core, last)
        return abs(level(first, -1) - level(second, 0)) < JUMP * max(first.x_height, second.x_height)

    rows = []
    for place in sorted(places, key=lambda place: level(cores[place], 0) + level(cores[place], -1)):
        row = next((row for row in rows[-3:] if any(one_row(cores[place], cores[other]) for other in row)
                    and all(beside(cores[place], cores[other]) for other in row)), None)
        if row is None:
            rows.append([place])
        else:
            row.append(place)
            row.sort(key=lambda each: cores[each].left)
    return [place for row in rows for place in row]


def _slope(cores: list[Core]) -> float:
    """How steeply long lines fall: the median slope, weighted by length."""
    long = [core for core in cores if core.right - core.left > 5 * core.x_height]
    if not long:
        return 0.0
    widths = np.array([core.right - core.left for core in long])
    slopes = np.array([core.middle[-1] - core.middle[0] for core in long]) / widths
    order = np.argsort(slopes)
    return float(slopes[order][np.searchsorted(np.cumsum(widths[order]), widths.sum() / 2)])


# ---- ink -> lines

def line_inks(ink: np.ndarray, maps: Maps, labels: np.ndarray,
              cores: list[Core]) -> tuple[list[StraightLine | None], np.ndarray]:
    """The ink of each line alone, straight and upright, None for a line without any; and the ink of all lines.

    ink: uint8 (height, width).  labels: int32 (height, width): each core's number.
    """
    if not cores:
        return [], np.zeros_like(ink)
    distance, nearest = _nearest(_longer(labels, cores))
    ink = _as_dark(ink, labels, nearest, maps.ink, len(cores))
    owners = owners_of(ink, cv2.resize(maps.rule, ink.shape[::-1]) > 0.5, labels, nearest, distance, cores)
    found = []
    for number, core in enumerate(cores, 1):
        y, x = _pixels(owners, number, core)
        if not len(y):
            found.append(None)
            continue
        top, left = max(0, y.min() - 2), max(0, x.min() - 2)
        crop, mine = (each[top:y.max() + 3, left:x.max() + 3] for each in (ink, owners))
        near = cv2.dilate((mine == number).view(np.uint8), np.ones((3, 3), np.uint8)) > 0
        line = np.where(near & ((mine == number) | (mine == 0)), crop, 0).astype(np.uint8)
        boxes = text_lines.components((line >= text_lines.INK).view(np.uint8))[1]
        straight = text_lines.straight_line(line, left, top, boxes)
        found.append(straight._replace(confidence=core.confidence))
    soft = cv2.dilate((owners > 0).view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return found, np.where(soft & ((owners > 0) | (ink < text_lines.INK)), ink, 0).astype(np.uint8)


def _longer(labels: np.ndarray, cores: list[Core]) -> np.ndarray:
    """Labels with each core lengthened at both ends, so that digits far apart belong to their line."""
    ends = np.zeros_like(labels)
    for number, core in enumerate(cores, 1):
        for x, y, out in ((core.left, core.middle[0], -1), (core.right, core.middle[-1], 1)):
            cv2.line(ends, (int(x), int(y)), (int(x + out * AHEAD * core.x_height), int(y)), number)
    return np.where(labels > 0, labels, ends)


def sharp_ink(picture: np.ndarray, ink: np.ndarray, rule: np.ndarray) -> np.ndarray:
    """Ink from the picture's own contrast with the paper around, where the network sees any: uint8 (height, width).

    picture: uint8 (height, width, 3).  ink, rule: what the network sees in it, as in Maps.
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
    for side in (parts[0], parts[-1], parts[:, 0], parts[:, -1]):   # cut off there: part of a line beyond
        far[side] = True
    x, y = middles.T.astype(int)
    number = nearest[y, x]
    far |= _astray(x, y, number, cores, heights) & (stats[:, 2:4].max(axis=1) <= SPECK * heights[number])
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
