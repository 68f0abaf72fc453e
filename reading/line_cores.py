"""A page network's map of cores -> the lines of a page.

The core of a line is the band between the baseline and the top of small letters.  A connected core is a line, as in
Gruening et al. 2019 (ARU-Net, arXiv 1802.03345); cores that touch are separated, and those that continue each other
are joined.
"""
from dataclasses import dataclass

import cv2
import numpy as np

from reading.text_lines import weighted_median

CORE = 0.5                 # probability from which a pixel belongs to a core
SEED = 0.8                 # probability in the middle of a core: it separates cores that touch
STACKED = 2.5              # times its height: a core with two rows of SEEDs over more than this length is two lines
SURE = 0.7                 # mean probability: cores below this are edges, grain or drawings
DOUBTFUL, LOW = 0.8, 0.4   # cores less sure than the first and lower than the second times the usual are bits of rules
LEAST_CORE = 2.0           # px of a half-size map: a core is at least this tall ...
LEAST_LENGTH = 0.6         # times its own height: ... and at least this long
BRIDGE = 2.2               # x-heights: a gap narrower than this between two cores at one level is within a line
JUMP = 1.0                 # x-heights: a line rises or falls by less than this at a gap, ...
OVERLAP = 1.0              # x-heights: ... and its continuation starts less than this before its end


@dataclass
class Core:
    """The core of a text line: where it runs, in px of the picture that the network saw."""
    left: int
    right: int
    middle: np.ndarray     # float (right - left,): y of its middle
    x_height: float
    confidence: float      # mean probability of its pixels


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
    usual = usual_x_height(whole)
    kept = [core.confidence >= DOUBTFUL or core.x_height >= LOW * usual for core in whole]
    joined = (np.cumsum(kept) * kept)[joined - 1] if cores else joined
    whole = [core for core, keep in zip(whole, kept) if keep]
    numbers = np.concatenate([[0], joined])[numbers].astype(np.int32)
    return whole, cv2.resize(numbers[labels], shape[::-1], interpolation=cv2.INTER_NEAREST)


def usual_x_height(cores: list[Core]) -> float:
    """The median x-height, weighted by length; 0 without cores."""
    if not cores:
        return 0.0
    widths, heights = np.array([(core.right - core.left, core.x_height) for core in cores]).T
    return weighted_median(heights, widths)


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
            _, nearest = nearest_label(cv2.connectedComponents(seeded[1:].astype(np.uint8))[1])
            edge = mine & (cv2.dilate(nearest.astype(np.float32), np.ones((3, 3))) > nearest)
            mask[there][edge] = 0
    return cv2.connectedComponentsWithStats(mask, connectivity=4)


def nearest_label(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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
    lefts, rights, heights = np.array([(core.left, core.right, core.x_height) for core in cores]).reshape(-1, 3).T
    last = np.arange(len(cores))   # of the cores that continue each one, the one at the end
    for place in np.argsort(-rights):
        a, found = cores[place], []
        gaps, usual = lefts - a.right, (heights + a.x_height) / 2
        ahead = (-OVERLAP * usual < gaps) & (gaps < BRIDGE * usual) & (rights > a.right)
        alike = np.maximum(heights, a.x_height) <= 2.2 * np.minimum(heights, a.x_height)
        for other in np.flatnonzero(ahead & alike).tolist():
            gap = float(gaps[other])
            jump = abs(_ahead(a, gap / 2, True) - _ahead(cores[other], gap / 2, False))
            if jump < JUMP * usual[other]:
                found.append((max(gap, 0) + 2 * jump, other))
        if found:
            last[place] = last[min(found)[1]]
    ends, numbers = np.unique(last, return_inverse=True)
    order = np.argsort(lefts, kind="stable")
    return [_together([cores[place] for place in order[last[order] == end]]) for end in ends], numbers + 1


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
