"""What was drawn: pen strokes over a picture, with undo, redo and an eraser, independent of any window.

Strokes are in px of the pad they were drawn on, x to the right and y down.
"""
import base64
import functools
import io
import itertools
import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from apps import boxes, curve
from common import errors, files
from reading import binarize

UNDO_LIMIT = 1000        # steps that can be undone
KEPT = 0.5               # share of a corrected character's ink that must still be there
FARTHEST, WIDEST = 1e5, 1e3   # px: no point of a saved drawing is farther out, and no stroke is as wide

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
        # With the curve, which the window has computed: otherwise the reading process would do so for each reading.
        return Stroke, (self.points, self.width, self.origin), {"curve": self.curve}

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

    def parts(self, kept: np.ndarray) -> list["Stroke"]:
        """What is left of it when only some points of its curve, bool (m,), are kept."""
        borders = np.flatnonzero(np.diff(np.concatenate([[False], kept, [False]])))
        return [Stroke(self.curve[start:end], self.width, self.origin) for start, end in borders.reshape(-1, 2)]


class Underlay(NamedTuple):
    """A picture under the ink: its file's bytes, and where its top left corner lies on the pad."""
    data: bytes
    x: float
    y: float
    zoom: float         # px of the pad per px of the picture
    preview: bytes      # the file of a reduced picture, to be shown


class Correction(NamedTuple):
    """A text that replaces a character that was read, and the ink it belongs to."""
    text: str
    ends: bool | None                    # whether a word ends after it; None: as it is read
    box: boxes.Box
    origins: frozenset[int]              # of the strokes in the box
    ink: int                             # points of their curves in the box; 0: it is in a picture

    def holds(self, drawing: "Drawing") -> bool:
        """Whether its ink is still there; ink written in its place later does not count."""
        return sum(stroke.points_in(self.box) for stroke in drawing.strokes
                   if stroke.origin in self.origins) >= KEPT * self.ink


class State(NamedTuple):
    """Everything on a pad at one moment."""
    strokes: tuple[Stroke, ...] = ()     # in the order they were drawn
    image: Underlay | None = None        # under them
    corrections: tuple[Correction, ...] = ()


EMPTY = State()


class Drawing:
    """Strokes, a picture under them, and corrections of what was read in them, with their history.

    watch(changed) is called after each change with the strokes that were removed or added.
    """

    def __init__(self, watch: Callable[[set[Stroke]], None] = lambda changed: None):
        self.now, self.watch = EMPTY, watch
        self.before: deque[State] = deque(maxlen=UNDO_LIMIT)   # what Undo brings back
        self.undone: deque[State] = deque()                    # ... and Redo

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """The strokes."""
        return self.now.strokes

    @property
    def image(self) -> Underlay | None:
        """The picture under them."""
        return self.now.image

    def __bool__(self) -> bool:
        return bool(self.strokes or self.image)

    def add(self, *strokes: Stroke) -> None:
        """Add strokes as one step."""
        self._do(self.now._replace(strokes=(*self.strokes, *strokes)))

    def correct(self, corrections: Iterable[Correction]) -> None:
        """Replace all corrections with these, as one step, unless they are the same."""
        if (corrections := tuple(corrections)) != self.now.corrections:
            self._do(self.now._replace(corrections=corrections))

    def replace(self, after: State = EMPTY) -> None:
        """Replace everything, as one step; by default with nothing."""
        if self or any(after):
            self._do(after)

    def remove(self, strokes: Iterable[Stroke]) -> None:
        """Remove strokes as one step."""
        gone = set(strokes)
        self._do(self.now._replace(strokes=tuple(stroke for stroke in self.strokes if stroke not in gone)))

    def move(self, strokes: Iterable[Stroke], by: tuple[float, float], goes_on: bool = False) -> list[Stroke]:
        """Move strokes and the corrections in them; returns the strokes as they are now.  goes_on: as for `erase`."""
        moved = {stroke: replace(stroke, points=stroke.points + np.float32(by)) for stroke in strokes}
        origins = {stroke.origin for stroke in moved}
        corrections = tuple(one._replace(box=one.box.moved(*by)) if one.origins and one.origins <= origins else one
                            for one in self.now.corrections)
        self._do(self.now._replace(strokes=tuple(moved.get(stroke, stroke) for stroke in self.strokes),
                                   corrections=corrections), goes_on)
        return list(moved.values())

    def erase(self, start, end, radius: float, whole: bool = False, goes_on: bool = False) -> bool:
        """Erase the ink within `radius` px of the straight line from start to end; returns whether there was any.

        whole: remove each stroke that is touched as a whole.
        goes_on: whether this belongs to the same undo step as the previous change.
        """
        reached = boxes.between(start, end).grown(radius)
        left = []
        for stroke in self.strokes:
            gone = np.False_
            if stroke.box.touches(reached):
                gone = curve.distance(stroke.curve, start, end) < radius + stroke.width / 2
            left += ([] if whole else stroke.parts(~gone)) if gone.any() else [stroke]
        erased = tuple(left) != self.strokes
        if erased:
            self._do(self.now._replace(strokes=tuple(left)), goes_on)
        return erased

    def undo(self) -> None:
        """Undo the last step, if there is one."""
        self._swap(self.before, self.undone)

    def redo(self) -> None:
        """Redo the step that was undone last, if there is one."""
        self._swap(self.undone, self.before)

    def _swap(self, taken: deque[State], left: deque[State]) -> None:
        if taken:
            left.append(self.now)
            self._become(taken.pop())

    def _do(self, after: State, goes_on: bool = False) -> None:
        self.undone.clear()
        if not goes_on:
            self.before.append(self.now)
        self._become(after)

    def _become(self, after: State) -> None:
        before, self.now = self.now, after
        self.watch(set(before.strokes) ^ set(after.strokes))


# ---- files

def save(drawing: Drawing, path: str | Path, scale: float = 1.0) -> None:
    """Write everything on the pad as JSON; strokes are flat [x, y, ...], as in Dataset/UNIPEN.

    scale: px of this display per px at 96 dpi.
    """
    numbers = defaultdict(itertools.count(1).__next__)   # of origins, from 1 in each file
    content = {
        "scale": scale,
        "strokes": [stroke.points.astype(float).round(1).ravel().tolist() for stroke in drawing.strokes],
        "widths": [stroke.width for stroke in drawing.strokes],
        "origins": [numbers[stroke.origin] for stroke in drawing.strokes],
        "corrections": [one._asdict() | {"origins": [numbers[origin] for origin in sorted(one.origins)]}
                        for one in drawing.now.corrections],
    }
    text = f'{json.dumps(content)[:-1]}, "image": {_json_of(drawing.image)}}}'
    files.write_atomically(Path(path), lambda temporary: temporary.write_text(text))


@functools.lru_cache(maxsize=1)   # for a photo it takes 40 ms, and unsaved ink over it is kept every two seconds
def _json_of(image: Underlay | None) -> str:
    return json.dumps(image and image._asdict() | {name: base64.b64encode(getattr(image, name)).decode()
                                                   for name in ("data", "preview")})


def load(path: str | Path, scale: float = 1.0) -> State:
    """Read what `save` has written; raises DrawingError if it is something else, OSError if it cannot be read."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        scale /= float(content.get("scale", 1.0))
        origins = defaultdict(lambda: next(_origins))   # in the file -> here
        kept = content.get("origins") or range(len(content["strokes"]))
        strokes = tuple(Stroke(np.float32(scale) * np.array(points, np.float32).reshape(-1, 2), scale * float(width),
                               origins[origin])
                        for points, width, origin in zip(content["strokes"], content["widths"], kept, strict=True))
        if not all(len(stroke.points) and (np.abs(stroke.points) < FARTHEST).all() and 0 < stroke.width < WIDEST
                   for stroke in strokes):
            raise ValueError("a stroke without points, or far from any pad")
        image = content.get("image")
        if image:
            pictures = {name: base64.b64decode(image[name]) for name in ("data", "preview")}
            for name, picture in pictures.items():
                binarize.open_image(io.BytesIO(picture), name)   # refuses what is no picture
            image = Underlay(**image | pictures | {name: scale * image[name] for name in ("x", "y", "zoom")})
        return State(strokes, image, tuple(
            Correction(str(one["text"]), one["ends"], boxes.Box(*map(float, one["box"])).scaled(scale),
                       frozenset(origins[origin] for origin in one["origins"]), int(one["ink"]))
            for one in content.get("corrections", ())))
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise DrawingError(f"{path} holds no strokes: choose a file that was saved here") from error
