"""Picture of a page -> its lines of writing, found by a network: ink without rules, lines in reading order.

    finder = PageNetwork("page.onnx")
    page = finder.find(colours("photo.jpg"))
    texts = reader.read([line.ink for line in page.lines])

The network (training/page_networks.py) tells for each pixel how much of it writing covers, and whether it lies in the
core of a line, between baseline and the top of small letters.  A connected core is a line, as in Gruening et al. 2019
(ARU-Net, arXiv 1802.03345); each connected stroke of ink belongs to the line whose core it touches, and one that
touches several is cut half-way between them.
"""
import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from reading import binarize, text_lines

STRIDE = 32                # px: the network takes sides that are multiples of this
PIXELS = 1_000_000         # a picture is reduced to so many for a first look, ...
FINE_PIXELS = 4_000_000    # ... and to so many at most for the second, ...
X_HEIGHTS = 15.0, 27.0     # px: ... if its small letters are lower or taller than this, ...
USUAL = 20.0               # px: ... at which they are so tall
SMALLER = 1.0, 2.5, 6.25   # times: so much smaller a picture is also looked at ...
COVERS_MORE = 2.0          # times: ... and is better seen if cores cover so much more of it ...
LARGEST = 34.0             # px: ... with letters no taller than this
LINE_LIKE = 2.5            # times its height: only a core so long counts for that
ENLARGED = 3.0             # times: a picture is made no larger
CORE = 0.5                 # probability from which a pixel belongs to a core
SURE = 0.7                 # mean probability: less sure cores are edges, grain or drawings
LEAST_CORE = 2.0           # px of a half-size map: a core is at least so tall ...
LEAST_LENGTH = 0.6         # ... and so long, in its own height
NEAR = 1.6                 # x-heights: ink farther than this from every core is no writing
BRIDGE = 2.2               # x-heights: so wide a gap between two cores of one height is within a line


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
    across: float          # the reading direction, averaged over all cores: its cosine ...
    down: float            # ... and sine, y downwards

    @property
    def turns(self) -> int:
        """How many quarter turns to the left make the picture upright."""
        return round(math.atan2(self.down, self.across) / (math.pi / 2)) % 4


@dataclass
class FoundPage:
    """The lines of a page in reading order."""
    ink: np.ndarray                           # uint8 (height, width): all writing
    lines: list[text_lines.StraightLine]
    cores: list[Core]                         # of the same lines
    scale: float                              # px of the picture, turned upright, in a px of the ink
    turns: int                                # quarter turns to the left that made the picture upright


def colours(image: binarize.Source, name: str = "") -> np.ndarray:
    """A picture's colours, uint8 (height, width, 3), upright by its EXIF tag; transparent parts unlike what is drawn.

    Raises binarize.ImageError, as binarize.decode does.
    """
    name = name or (str(image) if isinstance(image, (str, Path)) else "the picture")
    if isinstance(image, np.ndarray):
        image = binarize._from_array(image, name)
    elif not isinstance(image, Image.Image):
        image = binarize._open(image, name)
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):
        image = Image.fromarray(binarize._to_8_bits(np.asarray(image)))
    if not image.has_transparency_data:
        return np.asarray(image.convert("RGB"))
    image = image.convert("RGBA")
    pixels = np.asarray(image)
    drawn = pixels[..., 3] > 127
    bright = drawn.any() and not drawn.all() and pixels[..., :3][drawn].mean() > 170
    ground = Image.new("RGBA", image.size, (0, 0, 0, 255) if bright else (255, 255, 255, 255))
    return np.asarray(Image.alpha_composite(ground, image).convert("RGB"))


class PageNetwork:
    """Finds the writing on pages with one network, which is loaded once."""

    def __init__(self, path: str | Path, threads: int = 0):
        """path: the network as ONNX.  threads: 0 takes all cores."""
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name

    def maps(self, picture: np.ndarray) -> Maps:
        """What is where in a picture, uint8 (height, width, 3), RGB."""
        height, width = picture.shape[:2]
        padded = cv2.copyMakeBorder(picture, 0, -height % STRIDE, 0, -width % STRIDE, cv2.BORDER_REPLICATE)
        ink, marks = self.session.run(None, {self.input: padded[None]})
        ink = _sigmoid(ink[0, :height, :width, 0])
        core = _sigmoid(marks[0, :(height + 1) // 2, :(width + 1) // 2, 0])
        sure = core > CORE
        across, down = marks[0, :core.shape[0], :core.shape[1], 2:][sure].mean(axis=0) if sure.any() else (1, 0)
        return Maps(cv2.convertScaleAbs(ink, alpha=255), core, float(across), float(down))

    def find(self, picture: np.ndarray) -> FoundPage:
        """The lines of a picture, uint8 (height, width, 3), RGB; there may be none."""
        scale, maps = self._look(picture)
        turns = maps.turns
        if turns:
            picture = np.ascontiguousarray(np.rot90(picture, turns))
            scale, maps = self._look(picture)
        cores, labels = find_cores(maps.core, maps.ink.shape)
        if not cores:   # better unsure than nothing
            cores, labels = find_cores(maps.core, maps.ink.shape, sure=0.0)
        order = reading_order(cores)
        inks = line_inks(maps.ink, labels, cores)
        lines = [(inks[place], cores[place]) for place in order if inks[place] is not None]
        return FoundPage(maps.ink, [line for line, _ in lines], [core for _, core in lines], 1 / scale, turns)

    def _look(self, picture: np.ndarray) -> tuple[float, Maps]:
        """What is where in a picture, at the scale at which the network sees its letters best, and that scale.

        Letters much larger than those that it knows look like many small strokes, and their cores are scraps: a
        picture is looked at ever smaller as long as this makes cores larger.
        """
        most = math.sqrt(FINE_PIXELS / (picture.shape[0] * picture.shape[1]))
        best, scale = None, min(1.0, math.sqrt(PIXELS / (picture.shape[0] * picture.shape[1])))
        for smaller in SMALLER:
            look = self._seen(picture, scale / smaller)
            if best is None or look.covers > COVERS_MORE * best.covers and look.x_height <= LARGEST:
                best = look
        if not best.covers:   # tiny letters
            best = self._seen(picture, min(ENLARGED, most))
        if best.covers and not X_HEIGHTS[0] <= best.x_height <= X_HEIGHTS[1]:
            best = self._seen(picture, min(ENLARGED, max(best.scale, most), best.scale * USUAL / best.x_height))
        return best.scale, best.maps

    def _seen(self, picture: np.ndarray, scale: float) -> "Look":
        maps = self.maps(_resized(picture, scale))
        cores, _ = find_cores(maps.core, maps.ink.shape)
        widths = np.array([core.right - core.left for core in cores])
        heights = np.array([core.x_height for core in cores])
        if not len(cores):
            return Look(scale, maps, 0.0, 0.0)
        long = widths > LINE_LIKE * heights
        order = np.argsort(heights)
        usual = heights[order][np.searchsorted(np.cumsum(widths[order]), widths.sum() / 2)]
        return Look(scale, maps, float(widths[long].sum() * usual) / scale ** 2, float(usual))   # merged cores are tall


@dataclass
class Look:
    """What the network sees in a picture at one scale."""
    scale: float           # px that it sees in a px of the picture
    maps: Maps
    covers: float          # px of the picture: lines' lengths times their usual height
    x_height: float        # px that it sees: of half the writing letters are no taller


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


def _resized(picture: np.ndarray, scale: float) -> np.ndarray:
    if scale == 1:
        return picture
    size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


# ---- cores -> lines

def find_cores(probability: np.ndarray, shape: tuple[int, int], sure: float = SURE) -> tuple[list[Core], np.ndarray]:
    """The text lines in a map of cores, half as large as a picture of `shape`.

    Returns them, and a map int32 of `shape` with each core's number, from 1.
    """
    mask = (probability > CORE).view(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    cores, numbers = [], np.zeros(count, np.int32)
    for part in range(1, count):
        left, top, width, height, area = stats[part]
        tall = area / width
        if tall < LEAST_CORE or width < LEAST_LENGTH * tall:
            continue
        mine = labels[top:top + height, left:left + width] == part
        confidence = float(probability[top:top + height, left:left + width][mine].mean())
        if confidence < sure:
            continue
        columns = mine.sum(axis=0)
        rows = np.arange(height) @ mine / np.maximum(columns, 1) + top
        x = np.arange(width)
        rows = np.interp(x, x[columns > 0], rows[columns > 0])
        smooth = max(1, int(2 * tall)) * 2 + 1
        rows = cv2.blur(rows[None].astype(np.float32), (smooth, 1), borderType=cv2.BORDER_REPLICATE)[0]
        cores.append(Core(2 * left, 2 * (left + width), np.repeat(2 * rows + 1, 2), 2.0 * np.median(columns),
                          confidence))
        numbers[part] = len(cores)
    whole, joined = _joined(cores)
    numbers = np.concatenate([[0], joined])[numbers].astype(np.int32)
    large = cv2.resize(numbers[labels], shape[::-1], interpolation=cv2.INTER_NEAREST)
    return whole, large


def _joined(cores: list[Core]) -> tuple[list[Core], np.ndarray]:
    """Cores of which those that continue each other are one; and the number, from 1, that each has now."""
    parent = list(range(len(cores)))

    def root(place: int) -> int:
        while parent[place] != place:
            place = parent[place]
        return place

    order = sorted(range(len(cores)), key=lambda place: cores[place].left)
    for place in order:
        a, best = cores[place], None
        for other in order:
            b = cores[other]
            gap, height = b.left - a.right, (a.x_height + b.x_height) / 2
            if other == place or not -0.5 * height < gap < BRIDGE * height or b.right <= a.right:
                continue
            if abs(_ahead(a, gap / 2, True) - _ahead(b, gap / 2, False)) > 0.45 * height \
                    or max(a.x_height, b.x_height) > 2.2 * min(a.x_height, b.x_height):
                continue
            if best is None or gap < cores[best].left - a.right:
                best = other
        if best is not None and root(best) != root(place):
            parent[root(best)] = root(place)
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

    def one_row(core: Core, last: Core) -> bool:
        first, second = (last, core) if core.left >= last.right else (core, last)
        return first.right <= second.left and abs(level(first, -1) - level(second, 0)) < 0.6 * max(
            first.x_height, second.x_height)

    rows = []
    for place in sorted(places, key=lambda place: level(cores[place], 0) + level(cores[place], -1)):
        row = next((row for row in rows[-3:] if any(one_row(cores[place], cores[other]) for other in row)
                    and all(cores[place].left >= cores[other].right or cores[place].right <= cores[other].left
                            for other in row)), None)
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

def line_inks(ink: np.ndarray, labels: np.ndarray, cores: list[Core]) -> list[text_lines.StraightLine | None]:
    """Each line's ink alone, straight and upright; None for a line without any.

    ink: uint8 (height, width).  labels: int32 (height, width): each core's number.
    """
    owners = owners_of(ink, labels, cores)
    found = []
    for number in range(1, len(cores) + 1):
        y, x = np.nonzero(owners == number) if len(cores) == 1 else _pixels(owners, number, cores[number - 1])
        if not len(y):
            found.append(None)
            continue
        top, left = max(0, y.min() - 2), max(0, x.min() - 2)
        crop, mine = (each[top:y.max() + 3, left:x.max() + 3] for each in (ink, owners))
        near = cv2.dilate((mine == number).view(np.uint8), np.ones((3, 3), np.uint8)) > 0
        line = np.where(near & ((mine == number) | (mine == 0)), crop, 0).astype(np.uint8)
        boxes = text_lines._components((line >= text_lines.INK).view(np.uint8))[1]
        found.append(text_lines.straight_line(line, left, top, boxes) if len(boxes) else None)
    return found


def _pixels(owners: np.ndarray, number: int, core: Core) -> tuple[np.ndarray, np.ndarray]:
    """y and x of a line's pixels, looked for around its core alone."""
    reach = int(6 * core.x_height)
    top, left = max(0, int(core.middle.min()) - reach), max(0, core.left - reach)
    y, x = np.nonzero(owners[top:int(core.middle.max()) + reach, left:core.right + reach] == number)
    return y + top, x + left


def owners_of(ink: np.ndarray, labels: np.ndarray, cores: list[Core]) -> np.ndarray:
    """The number of the line, from 1, that each pixel of ink belongs to: int32 (height, width), 0 for none."""
    strokes = (ink >= text_lines.INK).view(np.uint8)
    if not cores:
        return np.zeros(ink.shape, np.int32)
    distance, nearest = cv2.distanceTransformWithLabels((labels == 0).view(np.uint8), cv2.DIST_L2, 3,
                                                        labelType=cv2.DIST_LABEL_PIXEL)
    # The labels that OpenCV gives are its own: which core each stands for tell the pixels of the cores.
    of_label = np.zeros(nearest.max() + 1, np.int32)
    inside = labels > 0
    of_label[nearest[inside]] = labels[inside]
    nearest = of_label[nearest]
    heights = np.concatenate([[1.0], [core.x_height for core in cores]]).astype(np.float32)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(strokes, connectivity=8)
    touched = np.unique(parts[inside].astype(np.int64) * (len(cores) + 1) + labels[inside])
    part, line = np.divmod(touched, len(cores) + 1)
    line = line[part > 0]
    part = part[part > 0]
    alone = np.bincount(part, minlength=count)      # how many cores each stroke touches
    owner = np.zeros(count, np.int32)
    owner[part] = line
    owners = np.where(alone[parts] == 1, owner[parts], nearest)
    far = distance > NEAR * heights[nearest]
    near_part = np.full(count, True)
    loose = alone[parts] == 0
    near_part[np.unique(parts[loose & far])] = False       # a stroke beside all lines that reaches far is no writing
    keep = (strokes > 0) & ((alone[parts] > 0) | near_part[parts])
    loose_owner = _majority(parts, nearest, keep & loose, count, len(cores) + 1)
    owners = np.where(keep & loose, loose_owner[parts], owners)
    return np.where(keep, owners, 0).astype(np.int32)


def _majority(parts: np.ndarray, values: np.ndarray, where: np.ndarray, count: int, most: int) -> np.ndarray:
    """For each part the value that most of its pixels have: int32 (count,)."""
    found = np.zeros(count, np.int32)
    keys, sizes = np.unique(parts[where].astype(np.int64) * most + values[where], return_counts=True)
    for place in np.argsort(sizes, kind="stable"):
        found[keys[place] // most] = keys[place] % most
    return found
