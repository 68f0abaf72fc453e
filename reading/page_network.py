"""Picture of a page -> its lines of writing, found by a network: ink without rules, lines in reading order.

    found = shipped().find(picture)
    texts = reader.read_lines([line.ink for line in found.lines])

For each pixel the network (training/networks.py: page) says how much of it writing covers, and whether it lies in the
core of a line.  Cores become lines in line_cores.py, and strokes find their line in line_inks.py.
"""
import functools
import math
from dataclasses import dataclass

import cv2
import numpy as np

from common import runs
from reading import text_lines
from reading.line_cores import CORE, Core, find_cores, usual_x_height
from reading.line_inks import line_inks, sharp_ink
from reading.network import THREADS, Network
from reading.reading_order import reading_order
from reading.text_lines import StraightLine

STRIDE = 32                # px: the network takes sides that are multiples of this
PIXELS = 1_000_000         # a picture is reduced to this many for a first look, ...
FINE_PIXELS = 3_000_000    # ... and to at most this many for the last, ...
X_HEIGHTS = 15.0, 28.0     # px: ... if its x-height is below or above these, ...
USUAL = 22.0               # px: ... at a scale where it is about this
SMALLER = 2.5, 6.25        # times: the picture is also looked at this much smaller ...
HOLDS = 0.8                # of the ink: ... if strokes that touch a core hold less, ...
SEES_MORE = 2.5            # times: ... and that is better if cores hold this much more ink ...
LARGEST = 45.0             # px: ... and the x-height is no more than this
UPRIGHT, IN_DOUBT = 0.6, 0.1   # cosine of a surely upright page; by how much another way up must lead
FEW_WORDS = 20.0           # x-heights: a page with less writing is not turned upside down
ENLARGED = 3.0             # times: a picture is enlarged no more than this


@dataclass
class Maps:
    """What the network sees in a picture."""
    ink: np.ndarray        # uint8 (height, width): how much of each pixel is covered
    core: np.ndarray       # float32 (height / 2, width / 2): probability
    rule: np.ndarray       # the same, for printed rules, boxes and drawings
    upright: float         # cosine of the reading direction, median over all cores


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
    return PageNetwork(Network(runs.ROOT / "Models", runs.DEFAULT_PAGES, threads))


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
        inks, ink = line_inks(sharp_ink(look.picture, ink, look.maps.rule), ink, look.maps.rule, labels, cores)
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
        if max(first.maps.upright, look.maps.upright) >= UPRIGHT:
            return 0, look
        if not look.ink and first.held < HOLDS:   # specks and noise lie in no line
            return 0, look
        looks = ((turns, self._seen(np.ascontiguousarray(np.rot90(picture, turns)), scale)) for turns in (1, 2, 3))
        best, first = max(looks, key=lambda each: each[1].maps.upright)   # one by one, as each takes memory
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
        for smaller in SMALLER:
            if best.held >= HOLDS and best.cores and not always:
                break
            look = self._seen(picture, first.scale / smaller)
            if look.ink > SEES_MORE * best.ink and look.x_height <= LARGEST:
                best = look
        if not (best.maps.core > CORE).any():   # tiny letters
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
        return Look(picture, scale, maps, cores, labels, ink, usual_x_height(cores), length, held)


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
