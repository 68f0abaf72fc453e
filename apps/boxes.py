"""Boxes [x, y, width, height], like the recogniser's, in px of the pad."""
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np


class Box(NamedTuple):
    """A box on the pad."""
    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Its bottom edge."""
        return self.y + self.height

    @property
    def middle(self) -> float:
        """Half-way between left and right."""
        return self.x + self.width / 2

    @property
    def area(self) -> float:
        """Its area in px."""
        return self.width * self.height

    def cut(self, other: "Box") -> "Box":
        """Its overlap with another box; of no width or no height if there is none."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        return Box(x, y, max(0, min(self.right, other.right) - x), max(0, min(self.bottom, other.bottom) - y))

    def touches(self, other: "Box") -> bool:
        """Whether the boxes overlap, or meet at a border."""
        return (self.x <= other.right and other.x <= self.right
                and self.y <= other.bottom and other.y <= self.bottom)

    def grown(self, margin: float) -> "Box":
        """The box with a margin on all sides."""
        return Box(self.x - margin, self.y - margin, self.width + 2 * margin, self.height + 2 * margin)

    def scaled(self, scale: float) -> "Box":
        """The box with all its numbers multiplied by `scale`."""
        return Box(*(scale * number for number in self))

    def moved(self, x: float, y: float) -> "Box":
        """The box moved by x to the right and y down."""
        return self._replace(x=self.x + x, y=self.y + y)

    def contains(self, points: np.ndarray) -> np.ndarray:
        """Which of the points (n, 2) lie in it: bool (n,)."""
        x, y = np.asarray(points, float).T
        return (x >= self.x) & (x <= self.right) & (y >= self.y) & (y <= self.bottom)


def between(corner: Sequence[float], opposite: Sequence[float]) -> Box:
    """The box with these opposite corners."""
    low, high = np.minimum(corner, opposite), np.maximum(corner, opposite)
    return Box(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))


def around(boxes: Iterable[Box]) -> Box:
    """The smallest box that holds them all."""
    boxes = list(boxes)
    return between((min(box.x for box in boxes), min(box.y for box in boxes)),
                   (max(box.right for box in boxes), max(box.bottom for box in boxes)))
