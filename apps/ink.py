"""The ink of a drawing on a canvas.

common/pen_strokes.py draws it into one array, with soft edges, which Tk's own lines do not have everywhere; changes are
shown once per frame.  So an event costs the same however long a stroke is.
"""
import io

import numpy as np
from PIL import ExifTags, Image

from apps import boxes
from apps.boxes import Box
from apps.strokes import Drawing, Underlay
from apps.theme import Colours
from apps.toolkit import tk
from common import pen_strokes
from reading import binarize

STEP = 128                    # px: the array grows by multiples of this
FRAME = 12                    # ms between two frames while the pen moves
PEN_ON_PICTURES = "#173cbe"   # in every theme: blue stands out from a picture's own ink


class Ink:
    """Shows the strokes of a drawing, and the picture under them."""

    def __init__(self, canvas: tk.Canvas, drawing: Drawing):
        self.canvas, self.drawing = canvas, drawing
        self.cover = np.zeros((STEP, STEP), np.uint8)     # ink on the whole canvas
        self._photo = tk.PhotoImage(master=canvas)        # ... as it is shown
        self._item = canvas.create_image(0, 0, image=self._photo, anchor="nw")
        self.zoom, self.origin = 1.0, (0.0, 0.0)          # of the visible part of the page
        self._changed = self.box
        self._frame: str | None = None                    # timer of the next frame
        self._image: Underlay | None = None
        self._preview: Image.Image | None = None          # the picture, reduced
        self.image_box: Box | None = None                 # where it lies on the page

    @property
    def box(self) -> Box:
        """The whole array."""
        return Box(0, 0, *self.cover.shape[::-1])

    @property
    def colour(self) -> str:
        """The colour of the pen."""
        return PEN_ON_PICTURES if self._image else self._colours.ink

    def recolour(self, colours: Colours) -> None:
        """Show everything in other colours."""
        self._colours = colours
        self._change(self.box)

    def resize(self, width: int, height: int) -> None:
        """Let the array grow to the size of the canvas; what lies outside stays in the drawing."""
        shape = tuple(max(-(-side // STEP) * STEP, before) for side, before in zip((height, width), self.cover.shape))
        if shape != self.cover.shape:
            self.cover = np.zeros(shape, np.uint8)
            self.view(self.zoom, self.origin)

    def view(self, zoom: float, origin: tuple[float, float]) -> None:
        """Show the page `zoom` times as large, with `origin`, in px at that size, in the top left corner."""
        self.zoom, self.origin = zoom, origin
        self.canvas.coords(self._item, *origin)
        self.redraw(Box(*origin, *self.cover.shape[::-1]).scaled(1 / zoom))
        self.show()                   # at once: Tk has already moved the old picture

    def redraw(self, box: Box) -> None:
        """Draw the ink in a box of the page from the strokes."""
        shown = self.on_screen(box).grown(2)
        left, top, right, bottom = self._pixels(shown)
        part = self.cover[top:bottom, left:right]
        part[:] = 0
        for stroke in self.drawing.strokes if part.size else ():
            if stroke.box.touches(box):
                points = stroke.curve * self.zoom - self.origin - (left, top)
                pen_strokes.trace(part, [points.astype(np.float32)], stroke.width * self.zoom)
        self._change(shown)

    def trace(self, points: np.ndarray, width: float) -> None:
        """Add a piece of a line that is still being drawn: points (n, 2) of the page."""
        left, top, right, bottom = pen_strokes.trace(self.cover, [points * self.zoom - self.origin], width * self.zoom)
        self._change(Box(left, top, right - left, bottom - top))

    def on_screen(self, box: Box) -> Box:
        """A box of the page in px of the canvas, and so of the array."""
        return box.scaled(self.zoom).moved(-self.origin[0], -self.origin[1])

    def show_image(self, image: Underlay | None) -> None:
        """Show another picture under the ink, or none."""
        if image is not self._image:
            self._image = image
            self._preview = image and Image.open(io.BytesIO(image.preview)).convert("RGB")
            self.image_box = image and _box_of(image)
            self._change(self.box)

    def _change(self, box: Box) -> None:
        """Have a box of the array shown with the next frame."""
        self._changed = box if self._frame is None else boxes.around([self._changed, box])
        if self._frame is None:
            self._frame = self.canvas.after(FRAME, self.show)

    def show(self) -> None:
        """Show what has changed."""
        self._frame = None
        left, top, right, bottom = self._pixels(self._changed)
        cover = self.cover[top:bottom, left:right]
        if self._preview or cover.any():
            paper = Image.new("RGB", (right - left, bottom - top), self._colours.paper)
            if self._preview:
                self._paste_preview(paper, left, top)
            shown = Image.composite(Image.new("RGB", paper.size, self.colour), paper, Image.fromarray(cover))
            self._photo.put(b"P6 %d %d 255 " % shown.size + shown.tobytes(), to=(left, top))
        elif cover.size:
            self._photo.put(self._colours.paper, to=(left, top, right, bottom))

    def _paste_preview(self, paper: Image.Image, left: int, top: int) -> None:
        """Paste the picture where it lies into the part of the array that begins at left and top."""
        whole = self.on_screen(self.image_box)
        place = whole.cut(Box(left, top, *paper.size))
        if place.area >= 1:
            unit = self._preview.width / whole.width          # px of the preview per px of the array
            part = place.moved(-whole.x, -whole.y).scaled(unit)
            end = min(part.right, self._preview.width), min(part.bottom, self._preview.height)
            shown = self._preview.resize((max(1, round(place.width)), max(1, round(place.height))),
                                         Image.Resampling.BILINEAR, (part.x, part.y, *end))
            paper.paste(shown, (round(place.x) - left, round(place.y) - top))

    def _pixels(self, box: Box) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of the array's pixels that a box covers."""
        part = box.cut(self.box)
        return int(part.x), int(part.y), -int(-part.right // 1), -int(-part.bottom // 1)


def _box_of(image: Underlay) -> Box:
    with binarize.open_image(io.BytesIO(image.data), "the picture") as opened:
        turned = opened.getexif().get(ExifTags.Base.Orientation, 1) > 4
        width, height = opened.size[::-1] if turned else opened.size
    return Box(image.x, image.y, width * image.zoom, height * image.zoom)
