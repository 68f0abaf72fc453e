"""What was drawn: pen strokes with undo, redo and an eraser, kept apart from any window.

Strokes are in px of the pad they were drawn on, x to the right and y down.
common/pen_strokes.py draws them for the reader, with the pen that the networks have learned from.
"""
import base64
import io
import itertools
import json
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from common import files, pen_strokes

KNOT = 3.0               # px between the knots of a smooth curve, at least: nearer points shake by whole pixels,
KNOT_IN_PENS = 0.6       # which a wide pen makes more visible, so at least so many of its widths, too
STEP = 4.0               # px between the points of a smooth curve, at most
UNDO_LIMIT = 1000        # edits that can be taken back
LETTER = (40, 110)       # px: letters of such a height are read as they are, others are scaled ...
LETTER_SCALED = 64       # px: ... to this one
CHARACTER_SIDE = 128     # px: longest side of a character that stands alone
MAX_PIXELS = 2_900_000   # of the ink; reading/binarize.py reduces larger pages
MARGIN = 12              # px around the ink

_origins = itertools.count(1)


class DrawingError(ValueError):
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
        """The smooth line through the points, with no step longer than STEP: float32 (m, 2)."""
        return smooth(self.points, self.width)

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the ink."""
        low, high = self.curve.min(axis=0) - self.width / 2, self.curve.max(axis=0) + self.width / 2
        return (*low.tolist(), *high.tolist())


class Underlay(NamedTuple):
    """A picture under the ink: its file's bytes, and where its top left corner lies on the pad."""
    data: bytes
    x: float
    y: float
    zoom: float         # px of the pad in a px of the picture
    preview: bytes      # a PPM file of the size in which it is shown

    def pixels(self) -> np.ndarray:
        """The preview as uint8 (height, width, 3), RGB."""
        return np.asarray(Image.open(io.BytesIO(self.preview)).convert("RGB"))


class Edit(NamedTuple):
    """One step of undo."""
    removed: tuple[Stroke, ...]
    added: tuple[Stroke, ...]
    image_before: Underlay | None
    image_after: Underlay | None


class Drawing:
    """Strokes, and a picture under them, with their history.

    watch(removed, added) is called after each change with the strokes that went and came.
    """

    def __init__(self, watch=lambda removed, added: None):
        self._strokes: dict[Stroke, None] = {}   # in the order in which they were drawn
        self.image: Underlay | None = None
        self.watch = watch
        self._done: deque[Edit] = deque(maxlen=UNDO_LIMIT)
        self._undone: list[Edit] = []

    @property
    def strokes(self) -> list[Stroke]:
        return list(self._strokes)

    def __bool__(self) -> bool:
        return bool(self._strokes or self.image)

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    def add(self, *strokes: Stroke) -> None:
        """Add strokes as one step."""
        self._do(Edit((), strokes, self.image, self.image))

    def replace(self, strokes: Iterable[Stroke] = (), image: Underlay | None = None) -> None:
        """Put these in the place of everything, as one step; without any, clear."""
        edit = Edit(tuple(self._strokes), tuple(strokes), self.image, image)
        if any(edit):
            self._do(edit)

    def erase(self, start, end, radius: float, goes_on: bool = False) -> bool:
        """Rub out the ink within `radius` px of the straight way from start to end; whether there was any.

        goes_on: whether this belongs to the same step of undo as the erasing before.
        """
        low, high = np.minimum(start, end) - radius, np.maximum(start, end) + radius
        removed, added = [], []
        for stroke in self._strokes:
            left, top, right, bottom = stroke.box
            if left > high[0] or right < low[0] or top > high[1] or bottom < low[1]:
                continue
            reach = radius + stroke.width / 2  # the pen's line is as wide as its width
            gone = distance(stroke.curve, np.asarray(start, float), np.asarray(end, float)) < reach
            if gone.any():
                removed.append(stroke)
                added += [Stroke(part, stroke.width, stroke.origin) for part in _runs(stroke.curve, ~gone)]
        if removed:
            self._do(Edit(tuple(removed), tuple(added), self.image, self.image), goes_on)
        return bool(removed)

    def _do(self, edit: Edit, goes_on: bool = False) -> None:
        self._undone.clear()
        last = self._done.pop() if goes_on and self._done else None
        self._done.append(_joined(last, edit) if last else edit)
        self._apply(edit.removed, edit.added, edit.image_after)

    def undo(self) -> bool:
        """Take the last step back; False if there is none."""
        if not self._done:
            return False
        edit = self._done.pop()
        self._undone.append(edit)
        self._apply(edit.added, edit.removed, edit.image_before)
        return True

    def redo(self) -> bool:
        """Do again what was taken back last; False if there is none."""
        if not self._undone:
            return False
        edit = self._undone.pop()
        self._done.append(edit)
        self._apply(edit.removed, edit.added, edit.image_after)
        return True

    def _apply(self, removed: tuple[Stroke, ...], added: tuple[Stroke, ...], image: Underlay | None) -> None:
        for stroke in removed:
            del self._strokes[stroke]
        self._strokes.update(dict.fromkeys(added))
        self.image = image
        self.watch(removed, added)


def _joined(first: Edit, second: Edit) -> Edit:
    """Two edits as one."""
    between = set(first.added)
    gone = set(second.removed)
    return Edit((*first.removed, *(stroke for stroke in second.removed if stroke not in between)),
                (*(stroke for stroke in first.added if stroke not in gone), *second.added),
                first.image_before, second.image_after)


# ---- geometry

def smooth(points: np.ndarray, width: float) -> np.ndarray:
    """A smooth line through points (n, 2) for a pen of a width, a point at least every STEP px: float32 (m, 2).

    A centripetal Catmull-Rom curve (Yuksel et al. 2011): it meets its knots, and has no
    loops or overshoots however far apart a fast pen's points lie.
    """
    points = np.array(knots(np.asarray(points, float).reshape(-1, 2).tolist(), width))
    if len(points) < 2:
        return points.astype(np.float32)
    ends = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    counts = np.ceil(np.hypot(*np.diff(points, axis=0).T) / STEP).astype(int)
    first = np.repeat(np.arange(len(counts)), counts)
    along = (np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts) + 1) / np.repeat(counts, counts)
    four = [ends[first + offset] for offset in range(4)]
    return np.vstack([points[:1], _catmull_rom(*four, along[:, None])]).astype(np.float32)


def knots(points: list, width: float) -> list:
    """The points of a stroke through which its curve goes: those away from the knot before, and the last."""
    found = [points[0]]
    for point in points[1:]:
        if is_knot(found[-1], point, width):
            found.append(point)
    if found[-1] != points[-1]:
        found.append(points[-1])
    return found


def is_knot(before, point, width: float) -> bool:
    """Whether a point is far enough from the knot before, for a pen of a width."""
    return (point[0] - before[0]) ** 2 + (point[1] - before[1]) ** 2 >= max(KNOT, KNOT_IN_PENS * width) ** 2


def segment(p0, p1, p2, p3) -> np.ndarray:
    """The part of smooth()'s line behind p1 up to p2, for one piece of a stroke that is still being drawn: (m, 2)."""
    count = int(np.ceil(np.hypot(p2[0] - p1[0], p2[1] - p1[1]) / STEP))
    along = np.arange(1, count + 1)[:, None] / max(1, count)
    return _catmull_rom(*(np.asarray([point], float) for point in (p0, p1, p2, p3)), along)


def _catmull_rom(p0, p1, p2, p3, along):
    """Points at `along`, 0..1, (n, 1), of the way from p1 to p2, each (n, 2), by Barry and Goldman's pyramid."""
    a, b, c = (np.sqrt(np.hypot(*(q - p).T))[:, None] for p, q in ((p0, p1), (p1, p2), (p2, p3)))
    a, c = np.where(a > 1e-6, a, b), np.where(c > 1e-6, c, b)
    t = along * b
    q1, q2, q3 = p1 + (p1 - p0) * t / a, p1 + (p2 - p1) * t / b, p2 + (p3 - p2) * (t - b) / c
    r1, r2 = (q1 * (b - t) + q2 * (t + a)) / (a + b), (q2 * (b + c - t) + q3 * t) / (b + c)
    return (r1 * (b - t) + r2 * t) / b


def distance(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Distance of points (n, 2) from the straight way from start to end: float (n,)."""
    way = end - start
    along = np.clip((points - start) @ way / max(float(way @ way), 1e-9), 0, 1)
    return np.hypot(*(points - start - along[:, None] * way).T)


def around(boxes: Iterable) -> tuple[float, float, float, float]:
    """The box around boxes, each left, top, right and bottom."""
    boxes = np.array(list(boxes))
    return (*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist())


def _runs(points: np.ndarray, kept: np.ndarray) -> list[np.ndarray]:
    """The unbroken runs of the points that are kept."""
    borders = np.flatnonzero(np.diff(np.concatenate([[False], kept, [False]])))
    return [points[start:end] for start, end in borders.reshape(-1, 2)]


# ---- drawing -> ink

class Rendered(NamedTuple):
    """Ink made of strokes: uint8 (height, width), bright on dark; a point p of the pad lies at p * scale + offset."""
    ink: np.ndarray
    scale: float
    offset: np.ndarray


def render(strokes: list[Stroke], alone: bool = False) -> Rendered:
    """Draw strokes for the reader, at a size that suits it; alone: they are one character."""
    scale = scale_for(strokes, alone)
    curves = [stroke.curve * scale for stroke in strokes]
    widths = [max(1.0, stroke.width * scale) for stroke in strokes]
    points, reach = np.concatenate(curves), MARGIN + max(widths) / 2
    offset = np.ceil(reach - points.min(axis=0))  # whole px: what is written later leaves these pixels as they are
    columns, rows = np.ceil(points.max(axis=0) + offset + reach).astype(int)
    page = np.zeros((rows, columns), np.uint8)
    for curve, width in zip(curves, widths):
        pen_strokes.trace(page, [curve + offset], width)
    return Rendered(page, scale, offset)


def scale_for(strokes: list[Stroke], alone: bool) -> float:
    """How much larger strokes are drawn for the reader than they are on the pad."""
    boxes = np.array([stroke.box for stroke in strokes])
    width, height = boxes[:, 2:].max(axis=0) - boxes[:, :2].min(axis=0)
    if alone:
        return CHARACTER_SIDE / max(width, height)
    letter = float(np.percentile(boxes[:, 3] - boxes[:, 1], 90))  # nine of ten strokes are no taller: see tools/evaluate.py
    # In steps: each change of size would change the pixels, and with them some doubtful character.
    scale = 1.0 if LETTER[0] <= letter <= LETTER[1] else 2.0 ** (round(2 * np.log2(LETTER_SCALED / max(letter, 8))) / 2)
    return min(scale, float(np.sqrt(MAX_PIXELS / ((width + 30) * (height + 30)))))


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
    """Read what `save` has written; DrawingError if it is something else."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        strokes = [Stroke(np.array(points, np.float32).reshape(-1, 2), float(width))
                   for points, width in zip(content["strokes"], content["widths"], strict=True)]
        if not all(len(stroke.points) and np.isfinite(stroke.points).all() for stroke in strokes):
            raise ValueError("a stroke without points")
        image = content.get("image")
        return strokes, image and Underlay(**image | {name: base64.b64decode(image[name])
                                                      for name in ("data", "preview")})
    except OSError as error:
        raise DrawingError(f"{path} cannot be read ({error.strerror}): check the name") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DrawingError(f"{path} holds no strokes: choose a file that was saved here") from error


def save_png(drawing: Drawing, path: str | Path, alone: bool = False) -> None:
    """Write the ink as the reader sees it, black on white, or on the picture under it; read again it gives the same."""
    image = drawing.image
    if image:
        paper = ImageOps.exif_transpose(Image.open(io.BytesIO(image.data))).convert("RGB")
        drawn, around = on_page(drawing.strokes, image, 1.0, paper.size[::-1])
        paper = np.pad(np.asarray(paper), (*around, (0, 0)), constant_values=255)
        picture = np.minimum(paper, 255 - drawn[..., None])
    else:
        picture = 255 - render(drawing.strokes, alone).ink
    files.write_atomically(Path(path), lambda temporary: Image.fromarray(picture).save(temporary, "PNG"))


def on_page(strokes: list[Stroke], image: Underlay, scale: float, shape: tuple[int, int]) -> tuple[np.ndarray, list]:
    """The ink of strokes over a picture, and how much larger than the picture it is, since ink may lie beside it.

    scale: px of the picture in a px of the ink.  shape: height and width in which the picture is wanted.
    Returns uint8 (height, width), and the rows above and below and the columns left and right of
    the picture, [(top, bottom), (left, right)], as np.pad takes them.
    """
    moved = [((stroke.curve - (image.x, image.y)) / (image.zoom * scale),
              max(1.0, stroke.width / (image.zoom * scale))) for stroke in strokes]
    ends = np.array([(0, 0), shape[::-1], *(points.min(axis=0) - width for points, width in moved),
                     *(points.max(axis=0) + width for points, width in moved)])
    left, top = np.ceil(-ends.min(axis=0)).astype(int).tolist()
    right, bottom = (np.ceil(ends.max(axis=0)).astype(int) - shape[::-1]).tolist()
    page = np.zeros((shape[0] + top + bottom, shape[1] + left + right), np.uint8)
    for points, width in moved:
        pen_strokes.trace(page, [points + (left, top)], width)
    return page, [(top, bottom), (left, right)]
