"""What the pen does while it is down: it writes, scratches out, erases, selects or moves; pad: a canvas.Pad."""
from collections.abc import Sequence

import numpy as np

from apps import boxes, curve
from apps.strokes import Stroke
from apps.toolkit import tk

PEN_WIDTHS = (2, 24)     # px at 96 dpi
TAP = 5                  # px at 96 dpi: moving the pen less than this is a tap
TURNS, BACK = 5, 0.5     # a stroke that goes back and forth so often, each time over this share of its extent, ...
FLAT = 0.15              # ... and is not flatter than this, scratches out ...
UNDER = 0.7              # ... the strokes that lie under it by at least this share


class Writing:
    """A stroke while the pen is down, shown as curve.smooth() will shape it, a piece at a time."""

    def __init__(self, pad, x: float, y: float):
        self.pad, self.width = pad, pad.pen_width
        self.points = [(x, y)]
        self.knots = [(x, y)]     # of the curve; once there are two, an extra one precedes the first
        self.tip = pad.create_line(*2 * (x * pad.zoom, y * pad.zoom), width=self.width * pad.zoom, capstyle=tk.ROUND,
                                   fill=pad.ink.colour)
        pad.ink.trace(np.array(self.points, float), self.width)

    def move(self, x: float, y: float) -> None:
        """The pen has moved."""
        self.points.append((x, y))
        if curve.is_knot(self.knots[-1], (x, y), self.width):
            self._knot((x, y))
        tip = np.array([self.knots[max(0, len(self.knots) - 2)], self.knots[-1], (x, y)]) * self.pad.zoom
        self.pad.coords(self.tip, *tip.ravel().tolist())

    def _knot(self, point: tuple[float, float]) -> None:
        if len(self.knots) == 1:
            self.knots.insert(0, _mirrored(point, self.knots[0]))
        self.knots.append(point)
        if len(self.knots) > 3:   # the previous piece is smooth only once the knot after it is known
            last = self.knots[-4:]
            self.pad.ink.trace(np.vstack([last[1], curve.through(last)]), self.width)

    def end(self, x: float, y: float) -> None:
        """The pen is lifted."""
        if (x, y) != self.points[-1]:
            self.move(x, y)
        tapped = max(np.ptp(self.points, axis=0)) * self.pad.zoom < TAP * self.pad.looks.scale
        if tapped and self.pad.on_tap(*self.points[0]):
            self.discard()
            return
        self.pad.delete(self.tip)
        if self.points[-1] != self.knots[-1]:
            self._knot(self.points[-1])
        if len(self.knots) > 1:
            self._knot(_mirrored(*self.knots[-2:]))
        stroke = self._stroke()
        if under := scratched_out(stroke, self.pad.drawing.strokes):
            self.discard()
            self.pad.drawing.remove(under)
        else:
            self.pad.take(stroke)

    def discard(self) -> None:
        """Remove what was drawn of it."""
        self.pad.delete(self.tip)
        self.pad.ink.redraw(self._stroke().box)

    def _stroke(self) -> Stroke:
        return Stroke(np.array(self.points, np.float32), self.width)


class Erasing:
    """The eraser's path while it is down."""

    def __init__(self, pad, x: float, y: float):
        self.pad, self.last, self.goes_on = pad, (x, y), False
        self.reach = boxes.Box(x, y, 0, 0)    # where ink can have changed

    def move(self, x: float, y: float) -> None:
        """The pen has moved."""
        widest = PEN_WIDTHS[1] * self.pad.looks.scale
        self.reach = boxes.between(self.last, (x, y)).grown(self.pad.eraser_radius + 2 * widest)
        self.goes_on |= self.pad.drawing.erase(self.last, (x, y), self.pad.eraser_radius, self.pad.whole, self.goes_on)
        self.last = (x, y)
        self.pad.overlay.show_eraser(x, y, self.pad.eraser_radius)

    def end(self, x: float, y: float) -> None:
        """The pen is lifted."""
        self.move(x, y)
        self.discard()

    def discard(self) -> None:
        """End it; what was erased stays erased."""
        self.pad.delete("eraser")


class Selecting:
    """A frame that selects strokes or, if the pen begins inside the selection's frame, moves the selection."""

    def __init__(self, pad, x: float, y: float):
        self.pad, self.start, self.goes_on = pad, (x, y), False   # start: of the frame, or of the next move
        box = pad.selected_box
        self.moves = box is not None and box.touches(boxes.Box(x, y, 0, 0))
        if not self.moves:
            pad.select(())

    def move(self, x: float, y: float) -> None:
        """The pen has moved."""
        if self.moves:
            by = x - self.start[0], y - self.start[1]
            moved = self.pad.drawing.move(self.pad.selected, by, self.goes_on)
            self.start, self.goes_on = (x, y), True
            self.pad.select(moved)
        else:
            self.pad.overlay.show_selection(boxes.between(self.start, (x, y)))

    def end(self, x: float, y: float) -> None:
        """The pen is lifted."""
        if not self.moves:
            frame = boxes.between(self.start, (x, y))
            self.pad.select(stroke for stroke in self.pad.drawing.strokes
                            if 2 * stroke.points_in(frame) > len(stroke.curve))

    def discard(self) -> None:
        """End it with nothing selected."""
        self.pad.select(())


def scratched_out(stroke: Stroke, others: Sequence[Stroke]) -> list[Stroke]:
    """The strokes that are scratched out by one that goes back and forth over them; none if it does not."""
    extent = np.ptp(stroke.curve, axis=0)
    span = max(extent)
    if min(extent) < FLAT * span:       # going over a line again is meant to thicken it
        return []
    along = stroke.curve[:, int(np.argmax(extent))]
    turns, way, low, high = 0, 0, along[0], along[0]
    for place in along.tolist():
        low, high = min(low, place), max(high, place)
        turned = -1 if high - place >= BACK * span else 1 if place - low >= BACK * span else way
        if turned != way:
            turns, way, low, high = turns + 1, turned, place, place
    if turns < TURNS:
        return []
    return [other for other in others if other.points_in(stroke.box) >= UNDER * len(other.curve)]


def _mirrored(point: tuple[float, float], centre: tuple[float, float]) -> tuple[float, float]:
    return 2 * centre[0] - point[0], 2 * centre[1] - point[1]
