"""Picture of a page -> its lines of writing, found by a network: ink without rules, lines in reading order.

    found = shipped().find(picture)
    texts = reader.read_lines([line.ink for line in found.lines])

The network (training/networks.py: page) tells for each pixel how much of it writing covers, and whether it lies in the
core of a line, between baseline and the top of small letters.  A connected core is a line, as in Gruening et al. 2019
(ARU-Net, arXiv 1802.03345); each connected stroke of ink belongs to the line whose core it touches, and one that
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
PIXELS = 1_000_000         # a picture is reduced to so many for a first look, ...
FINE_PIXELS = 3_000_000    # ... and to so many at most for the last, ...
X_HEIGHTS = 15.0, 28.0     # px: ... if its small letters are lower or taller than this, ...
USUAL = 22.0               # px: ... at which they are about so tall
SMALLER = 1.0, 2.5, 6.25   # times: so much smaller a picture is also looked at ...
HOLDS = 0.8                # of the strokes: ... if fewer touch a core, ...
SEES_MORE = 2.5            # times: ... and is better seen if cores hold so much more ink ...
LARGEST = 45.0             # px: ... with letters no taller than this
UPRIGHT, IN_DOUBT = 0.6, 0.1   # cosine of a page that is surely upright; lead of another way up that is taken
FEW_WORDS = 20.0           # x-heights: less writing is not turned upside down
ENLARGED = 3.0             # times: a picture is made no larger
CORE = 0.5                 # probability from which a pixel belongs to a core
SEED = 0.8                 # probability in the middle of a core: cores that touch are parted by it
STACKED = 2.5              # times its height: over such a length a core that is two lines has two rows of SEEDs
SURE = 0.7                 # mean probability: less sure cores are edges, grain or drawings
DOUBTFUL, LOW = 0.8, 0.4   # less sure ones that are so much lower than usual are pieces of rules
LEAST_CORE = 2.0           # px of a half-size map: a core is at least so tall ...
LEAST_LENGTH = 0.6         # ... and so long, in its own height
NEAR = 1.6                 # x-heights: ink farther than this from every core is no writing
SPECK = 0.6                # x-heights: what is no larger is a dot or a speck, ...
BELOW, BEFORE = 0.6, 1.0   # x-heights: ... and a speck if it lies so far below a core or before its begin
MOSTLY = 0.6               # of a stroke: if so much is a rule it is one
AHEAD = 1.5                # x-heights: so far ahead of a core it counts as if it were longer
BRIDGE = 2.2               # x-heights: so wide a gap between two cores of one height is within a line
JUMP = 1.0                 # x-heights: by so much at most a line rises or falls at a gap, ...
OVERLAP = 1.0              # x-heights: ... and by so much at most what continues it begins before its end
GATE, ON_RULE = 64, 150    # of 255: coverage from which there may be ink, and where there are rules
AROUND = 25                # px of half the size: the paper's brightness is the median of so large a square
FULL = 230.0               # the middle of a line's strokes is made so dark, ...
FAINT = 36                 # ... and what is fainter than this then is paper


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
    ink: np.ndarray        # uint8 (height, width): how much of a pixel is covered
    core: np.ndarray       # float32 (height / 2, width / 2): probability
    rule: np.ndarray       # the same, of printed rules, boxes and drawings
    upright: float         # the reading direction's cosine, its median over all cores

    @property
    def seen(self) -> bool:
        """Whether there is writing, be it turned."""
        return bool((self.core > CORE).any())


@dataclass
class FoundPage:
    """The lines of a page in reading order."""
    ink: np.ndarray              # uint8 (height, width): that of the lines, as the picture lies
    lines: list[StraightLine]    # to_page leads to px of the ink
    cores: list[Core]            # of the same lines, in px of the ink when it is turned upright
    scale: float                 # px of the picture in a px of the ink
    turns: int                   # quarter turns to the left that make the picture upright


@functools.cache
def shipped(threads: int = THREADS) -> "PageNetwork":
    """The page network that is shipped, opened once."""
    return PageNetwork(Network(runs.models_folder("Models"), runs.DEFAULT_PAGES, threads))


class PageNetwork:
    """Finds the writing on pages with one network."""

    def __init__(self, network: Network):
        self._network = network

    def maps(self, picture: np.ndarray) -> Maps:
        """What is where in a picture, uint8 (height, width, 3), RGB."""
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
        if not cores:   # better unsure than nothing
            cores, labels = find_cores(look.maps.core, ink.shape, sure=0.0)
        inks, ink = line_inks(sharp_ink(look.picture, ink, look.maps.rule), look.maps, labels, cores)
        order = [place for place in reading_order(cores) if inks[place] is not None]
        return FoundPage(np.ascontiguousarray(np.rot90(ink, -turns)),
                         [_turned_back(inks[place], turns, ink.shape) for place in order],
                         [cores[place] for place in order], 1 / look.scale, turns)

    def _upright(self, picture: np.ndarray) -> tuple[int, "Look"]:
        """How many quarter turns to the left make a picture upright, and what the network sees in it then.

        It knows upright pages, but not which way others are turned; and upside down, digits look like digits.  One
        look at each of the others tells which is the likeliest.
        """
        scale = _scale_to(PIXELS, 1.0, picture)
        first = self._seen(picture, scale)
        look = self._look(picture, first)
        if look.maps.upright >= UPRIGHT or not look.ink and first.held < HOLDS:   # no lines hold specks and noise
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
        """What is where in a picture, at the scale at which the network sees its letters best; first: its first look.

        Letters much larger than those that it knows look like many small strokes, and their cores are scraps: a
        picture is looked at ever smaller until cores hold most strokes, or always.
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
            # In steps, lest a speck change it, and with it every pixel of the page.
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
    scale: float           # px that it sees in a px of the picture
    maps: Maps
    cores: list[Core]      # of which it is sure
    labels: np.ndarray     # int32 (height, width): the number of each core, from 1
    ink: float             # in cores, in px of the picture
    x_height: float        # px that it sees: of half the writing letters are no taller
    length: float          # of all lines, in x-heights
    held: float            # share of the ink in strokes that touch a core


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    """The logistic function, in place; logits are next to each other in memory, else NumPy 2 gives wrong values."""
    np.exp(np.negative(logits, out=logits), out=logits)
    logits += 1
    return np.reciprocal(logits, out=logits)


def _scale_to(pixels: int, most: float, picture: np.ndarray) -> float:
    """What gives a picture so many pixels, but at most `most`."""
    return min(most, math.sqrt(pixels / (picture.shape[0] * picture.shape[1])))


def _resized(picture: np.ndarray, scale: float) -> np.ndarray:
    if scale == 1:
        return picture
    size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def _turned_back(line: StraightLine, turns: int, shape: tuple[int, int]) -> StraightLine:
    """A line of a picture of `shape` that was turned to the left so many times, for the picture as it lies."""
    height, width = shape
    back = {0: ((1, 0, 0), (0, 1, 0)), 1: ((0, -1, height - 1), (1, 0, 0)),
            2: ((-1, 0, width - 1), (0, -1, height - 1)), 3: ((0, 1, 0), (-1, 0, width - 1))}[turns]
    return line._replace(to_page=np.array(back, float) @ np.vstack([line.to_page, (0, 0, 1)]))


# ---- cores -> lines

def find_cores(probability: np.ndarray, shape: tuple[int, int], sure: float = SURE) -> tuple[list[Core], np.ndarray]:
    """The text lines in a map of cores, half as large as a picture of `shape`.

    sure: least mean probability.  Returns them, and a map int32 of `shape` with each core's number, from 1.
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
    """The x-height of which half of all writing is no taller, by its length; 0 without any."""
    if not cores:
        return 0.0
    widths, heights = np.array([(core.right - core.left, core.x_height) for core in cores]).T
    order = np.argsort(heights)
    return float(heights[order][np.searchsorted(np.cumsum(widths[order]), widths.sum() / 2)])


def _parted(probability: np.ndarray) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """Connected cores as OpenCV gives components; those of tight lines that touch are parted by their SEEDs."""
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
    """For each pixel the distance in px to the nearest labelled one, float32, and its label, int32."""
    distance, nearest = cv2.distanceTransformWithLabels((labels == 0).view(np.uint8), cv2.DIST_L2, 3,
                                                        labelType=cv2.DIST_LABEL_PIXEL)
    # The labels that OpenCV gives are its own: which one each stands for tell the labelled pixels.
    of_label = np.zeros(nearest.max() + 1, np.int32)
    inside = labels > 0
    of_label[nearest[inside]] = labels[inside]
    return distance, of_label[nearest]


def _core_of(mine: np.ndarray, left: int, top: int, confidence: float) -> Core:
    """The core that a mask (height, width) shows, its corner at left, top of the half-size map."""
    columns = mine.sum(axis=0)
    rows = np.arange(len(mine)) @ mine / np.maximum(columns, 1) + top
    x = np.arange(len(columns))
    rows = np.interp(x, x[columns > 0], rows[columns > 0])
    smooth = max(1, int(2 * columns.mean())) * 2 + 1
    rows = cv2.blur(rows[None].astype(np.float32), (smooth, 1), borderType=cv2.BORDER_REPLICATE)[0]
    columns = np.sort(columns[columns > 0])
    usual = columns[len(columns) // 4:len(columns) - len(columns) // 4]   # a mean, as a speck moves a median by a px
    return Core(2 * left, 2 * (left + len(rows)), np.repeat(2 * rows + 1, 2), 2.0 * float(usual.mean()), confidence)


def _joined(cores: list[Core]) -> tuple[list[Core], np.ndarray]:
    """Cores of which those that continue each other are one; and the number, from 1, that each has now."""
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


MANY = 3            # lines: so many at least make a column ...
LONG = 9.0          # x-heights: ... and most of them are so long
GUTTER = 1.5        # x-heights: so much room is between columns


def _gutter(cores: list[Core]) -> float | None:
    """An x at which lines part into two columns of text, None if there is none."""
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
    """Lines by their height on the page, as if it were level; those at one height from left to right."""
    slope = _slope([cores[place] for place in places])

    def level(core: Core, place: int) -> float:
        """Height of one end, 0 or -1, of a core."""
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
    """How steeply long lines fall: the median of all of which each px of their length counts as one."""
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
    """Each line's ink alone, straight and upright, None for a line without any; and the ink of all lines.

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
    """Labels with each core longer at both ends: digits that stand far apart belong to their line."""
    ends = np.zeros_like(labels)
    for number, core in enumerate(cores, 1):
        for x, y, out in ((core.left, core.middle[0], -1), (core.right, core.middle[-1], 1)):
            cv2.line(ends, (int(x), int(y)), (int(x + out * AHEAD * core.x_height), int(y)), number)
    return np.where(labels > 0, labels, ends)


def sharp_ink(picture: np.ndarray, ink: np.ndarray, rule: np.ndarray) -> np.ndarray:
    """The ink by the picture's own contrast with the paper around, where the network sees any: uint8 (height, width).

    picture: uint8 (height, width, 3).  ink, rule: what the network sees in it, as in Maps.
    A speck anywhere changes all that the network gives a little, and a doubtful letter with it; it does not change the
    picture elsewhere.
    """
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    half = cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    paper = cv2.resize(cv2.medianBlur(half, AROUND), gray.shape[::-1], interpolation=cv2.INTER_LINEAR)
    rule = cv2.dilate(rule, np.ones((5, 5), np.uint8))   # its edges too
    gate = np.where(cv2.resize(rule, ink.shape[::-1]) > 0.5, np.uint8(ON_RULE), np.uint8(GATE))
    near = cv2.dilate((ink >= gate).view(np.uint8), np.ones((3, 3), np.uint8))
    contrast = paper.astype(np.int16) - gray
    if contrast[ink >= text_lines.INK].sum() < 0:   # bright on dark
        contrast = -contrast
    return np.where(near > 0, np.clip(contrast, 0, 255), 0).astype(np.uint8)


def _as_dark(ink: np.ndarray, labels: np.ndarray, nearest: np.ndarray, seen: np.ndarray, count: int) -> np.ndarray:
    """The ink with each line as dark as all others; seen: what the network sees, which tells where strokes are."""
    gains = np.ones(count + 1, np.float32)
    inside = (labels > 0) & (seen >= text_lines.INK)
    values, owners = ink[inside], labels[inside]
    order = np.argsort(owners, kind="stable")
    for number, of_line in enumerate(np.split(values[order], np.searchsorted(owners[order], np.arange(1, count + 1)))):
        if number and len(of_line):
            gains[number] = gain_of(of_line)
    return amplify(ink, gains[nearest])


def amplify(ink: np.ndarray, gain: float | np.ndarray) -> np.ndarray:
    """Ink, uint8 (height, width), times its line's gain or each pixel's own; what is faint even then is paper."""
    dark = np.clip(ink * gain, 0, 255).astype(np.uint8)
    return np.where(dark >= FAINT, dark, 0).astype(np.uint8)


def gain_of(strokes: np.ndarray) -> float:
    """What makes a line's strokes, uint8 (n,), as dark as those of all lines: in steps, lest a speck change it."""
    return 2 ** (round(8 * math.log2(FULL / max(8, np.percentile(strokes, 75)))) / 8)


def _pixels(owners: np.ndarray, number: int, core: Core) -> tuple[np.ndarray, np.ndarray]:
    """y and x of a line's pixels, looked for around its core alone."""
    reach = int(6 * core.x_height)
    top, left = max(0, int(core.middle.min()) - reach), max(0, core.left - reach)
    y, x = np.nonzero(owners[top:int(core.middle.max()) + reach, left:core.right + reach] == number)
    return y + top, x + left


def owners_of(ink: np.ndarray, rule: np.ndarray, labels: np.ndarray, nearest: np.ndarray, distance: np.ndarray,
              cores: list[Core]) -> np.ndarray:
    """The number of the line, from 1, that each pixel of ink belongs to: int32 (height, width), 0 for none.

    rule: bool (height, width), where rules, boxes and drawings are: strokes that are most of them are no writing.
    nearest, distance: of each pixel, the number of the nearest core and how far it is, in px.
    """
    strokes, inside = (ink >= text_lines.INK).view(np.uint8), labels > 0
    heights = np.array([1.0, *(core.x_height for core in cores)], np.float32)
    count, parts, stats, middles = cv2.connectedComponentsWithStats(strokes, connectivity=8)
    printed = np.bincount(parts[rule], minlength=count) > MOSTLY * stats[:, cv2.CC_STAT_AREA]
    strokes[printed[parts]] = 0
    part, line = np.divmod(np.unique(parts[inside].astype(np.int64) * len(heights) + labels[inside]), len(heights))
    part, line = part[part > 0], line[part > 0]
    touched = np.bincount(part, minlength=count).clip(max=2).astype(np.uint8)   # no, one or several cores
    owner = np.zeros(count, np.int32)
    owner[part] = line
    touching = touched[parts]
    owners = np.where(touching == 1, owner[parts], nearest)
    loose = (touching == 0) & (strokes > 0)
    far = np.zeros(count, bool)        # a stroke beside all lines that reaches far is no writing
    far[parts[loose & (distance > NEAR * heights[nearest])]] = True
    for side in (parts[0], parts[-1], parts[:, 0], parts[:, -1]):   # cut off there: of a line beyond
        far[side] = True
    x, y = middles.T.astype(int)
    number = nearest[y, x]
    far |= _astray(x, y, number, cores, heights) & (stats[:, 2:4].max(axis=1) <= SPECK * heights[number])
    loose &= ~far[parts]
    owners[loose] = _majority(parts, nearest, loose, count, len(heights))[parts[loose]]
    owners[(strokes == 0) | (touching == 0) & ~loose] = 0
    return owners


def _astray(x: np.ndarray, y: np.ndarray, number: np.ndarray, cores: list[Core], heights: np.ndarray) -> np.ndarray:
    """Which points (n,) lie where the core of a number, from 1, has no dots: too far below or before it: bool (n,)."""
    lefts, lengths = np.array([(core.left, len(core.middle)) for core in cores]).T
    ahead = x - lefts[number - 1]
    place = ahead.clip(0, lengths[number - 1] - 1) + (np.cumsum(lengths) - lengths)[number - 1]
    below = y - np.concatenate([core.middle for core in cores])[place]
    return (below > (0.5 + BELOW) * heights[number]) | (ahead < -BEFORE * heights[number])


def _majority(parts: np.ndarray, values: np.ndarray, where: np.ndarray, count: int, most: int) -> np.ndarray:
    """For each part the value that most of its pixels have: int32 (count,)."""
    found = np.zeros(count, np.int32)
    keys, sizes = np.unique(parts[where].astype(np.int64) * most + values[where], return_counts=True)
    order = np.argsort(sizes, kind="stable")
    found[keys[order] // most] = keys[order] % most
    return found
