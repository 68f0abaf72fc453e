"""What was drawn: pen strokes over a picture, with undo, redo and an eraser, apart from any window.

Strokes are in px of the pad they were drawn on, x to the right and y down.
"""
import base64
import itertools
import json
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from apps import boxes, curve
from common import errors, files

UNDO_LIMIT = 1000        # steps that can be taken back

_origins = itertools.count(1)


class DrawingError(errors.UserError):
    """A file of strokes that cannot be used; the message names it and the remedy."""


@dataclass(frozen=True, eq=False)
class Stroke:
    """What the pen wrote between touching the paper and leaving it.

    points: float32 (n, 2), as the pen reported them.  width: of the pen in px.
    origin: the same for all parts of a stroke that the eraser has split.
    """
    points: np.ndarray
    width: float
    origin: int = field(default_factory=lambda: next(_origins))

    def __reduce__(self):
        return Stroke, (self.points, self.width, self.origin)  # without what was worked out from them

    @cached_property
    def curve(self) -> np.ndarray:
        """The smooth line through the points: float32 (m, 2)."""
        return curve.smooth(self.points, self.width)

    @cached_property
    def box(self) -> boxes.Box:
        """The box of the ink."""
        return boxes.between(self.curve.min(axis=0), self.curve.max(axis=0)).grown(self.width / 2)

    def points_in(self, box: boxes.Box) -> int:
        """How many points of the curve lie in a box."""
        return int(box.contains(self.curve).sum()) if self.box.touches(box) else 0


class Underlay(NamedTuple):
    """A picture under the ink: its file's bytes, and where its top left corner lies on the pad."""
    data: bytes
    x: float
    y: float
    zoom: float         # px of the pad in a px of the picture
    preview: bytes      # a PPM file of the size in which it is shown


class Drawing:
    """Strokes, in the order in which they were drawn, and a picture under them, with their history.

    watch(changed) is called after each change with the strokes that went or came.
    """

    def __init__(self, watch: Callable[[set[Stroke]], None] = lambda changed: None):
        self.strokes: tuple[Stroke, ...] = ()
        self.image: Underlay | None = None
        self.watch = watch
        self._before: deque[tuple] = deque(maxlen=UNDO_LIMIT)   # strokes and pictures
        self._undone: list[tuple] = []

    def __bool__(self) -> bool:
        return bool(self.strokes or self.image)

    def add(self, *strokes: Stroke) -> None:
        """Add strokes as one step."""
        self._do((*self.strokes, *strokes), self.image)

    def replace(self, strokes: Iterable[Stroke] = (), image: Underlay | None = None) -> None:
        """Put these in the place of everything, as one step; without any, clear."""
        strokes = tuple(strokes)
        if self or strokes or image:
            self._do(strokes, image)

    def erase(self, start, end, radius: float, goes_on: bool = False) -> bool:
        """Rub out the ink within `radius` px of the straight line from start to end; whether there was any.

        goes_on: whether this belongs to the same step of undo as the erasing before.
        """
        reached = boxes.between(np.minimum(start, end), np.maximum(start, end)).grown(radius)
        left = []
        for stroke in self.strokes:
            left.append(stroke)
            if stroke.box.touches(reached):
                gone = curve.distance(stroke.curve, start, end) < radius + stroke.width / 2
                if gone.any():
                    left[-1:] = [Stroke(part, stroke.width, stroke.origin) for part in _runs(stroke.curve, ~gone)]
        erased = tuple(left) != self.strokes
        if erased:
            self._do(tuple(left), self.image, goes_on)
        return erased

    def undo(self) -> None:
        """Take the last step back, if there is one."""
        if self._before:
            self._undone.append((self.strokes, self.image))
            self._become(*self._before.pop())

    def redo(self) -> None:
        """Do again what was taken back last, if there is anything."""
        if self._undone:
            self._before.append((self.strokes, self.image))
            self._become(*self._undone.pop())

    def _do(self, strokes: tuple[Stroke, ...], image: Underlay | None, goes_on: bool = False) -> None:
        self._undone.clear()
        if not goes_on:
            self._before.append((self.strokes, self.image))
        self._become(strokes, image)

    def _become(self, strokes: tuple[Stroke, ...], image: Underlay | None) -> None:
        changed = set(self.strokes) ^ set(strokes)
        self.strokes, self.image = strokes, image
        self.watch(changed)


def _runs(points: np.ndarray, kept: np.ndarray) -> list[np.ndarray]:
    """The unbroken runs of the points that are kept."""
    borders = np.flatnonzero(np.diff(np.concatenate([[False], kept, [False]])))
    return [points[start:end] for start, end in borders.reshape(-1, 2)]


# ---- files

def save(drawing: Drawing, path: str | Path) -> None:
    """Write the strokes, with the picture under them, as JSON; strokes are flat [x, y, ...], as in Dataset/UNIPEN."""
    image = drawing.image
    content = {
        "strokes": [stroke.points.astype(float).round(1).ravel().tolist() for stroke in drawing.strokes],
        "widths": [stroke.width for stroke in drawing.strokes],
        "image": image and image._asdict() | {name: base64.b64encode(getattr(image, name)).decode()
                                              for name in ("data", "preview")},
    }
    files.write_atomically(Path(path), lambda temporary: temporary.write_text(json.dumps(content)))


def load(path: str | Path) -> tuple[list[Stroke], Underlay | None]:
    """Read what `save` has written; DrawingError if it is something else, OSError if it cannot be read."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        strokes = [Stroke(np.array(points, np.float32).reshape(-1, 2), float(width))
                   for points, width in zip(content["strokes"], content["widths"], strict=True)]
        if not all(len(stroke.points) and np.isfinite(stroke.points).all() for stroke in strokes):
            raise ValueError("a stroke without points")
        image = content.get("image")
        return strokes, image and Underlay(**image | {name: base64.b64decode(image[name])
                                                      for name in ("data", "preview")})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DrawingError(f"{path} holds no strokes: choose a file that was saved here") from error
