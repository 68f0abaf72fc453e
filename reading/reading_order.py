"""The order in which people read the lines of a page: column by column, row by row."""
import numpy as np

from reading.line_cores import JUMP, OVERLAP, Core
from reading.text_lines import weighted_median

MANY = 3            # lines: a column has at least this many ...
LONG = 9.0          # x-heights: ... and at least half of them are longer than this
GUTTER = 1.5        # x-heights: least gap between columns


def reading_order(cores: list[Core], places: list[int] | None = None) -> list[int]:
    """The order in which people read lines, or those at some places: columns of text one after the other, in each
    the rows from top to bottom, and their parts from left to right."""
    places = list(range(len(cores))) if places is None else places
    gutter = _gutter([cores[place] for place in places])
    if gutter is None:
        return _by_rows(cores, places)
    before = [place for place in places if cores[place].left < gutter]
    behind = [place for place in places if cores[place].left >= gutter]
    return reading_order(cores, before) + reading_order(cores, behind)


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
    return weighted_median(slopes, widths)
