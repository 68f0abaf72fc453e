"""The drawing pad of all apps: ink that feels like ink, an eraser, and what was read shown over it.

The pad shows a drawing.Drawing.  Its ink is drawn by common/pen_strokes.py, with soft edges that
Tk's own lines do not have everywhere, into one array; tiles of it that changed
are shown once per frame.  So an event costs the same however long a stroke is.
"""
import tkinter as tk
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageColor, ImageTk

from apps.drawing import Drawing, Stroke, Underlay, around, is_knot, segment
from common import pen_strokes

TILE = 128               # px
FRAME = 12               # ms between two pictures of what the pen does
PEN_ON_PICTURES = "#173cbe"   # whatever the theme: blue is told from a picture's own ink
PEN_WIDTHS = (2, 24)     # px at 96 dpi
TAP = 5                  # px: who moves the pen less has tapped


class Colours(NamedTuple):
    """Colours of the pad."""
    paper: str
    ink: str
    text: str            # characters that were read
    unsure: str          # ... with little confidence
    corrected: str       # ... by hand
    box: str
    gap: str             # between words


class Pad(tk.Canvas):
    """Takes pen strokes by mouse, touchpad or pen.

    on_change() is called after each change of the drawing, on_pen(down) when the pen touches
    and leaves the paper, on_tap(x, y) when it only tapped: if that returns True the tap
    leaves no dot.
    """

    def __init__(self, parent, colours: Colours, scale: float = 1.0, on_change: Callable[[], None] = lambda: None,
                 on_pen: Callable[[bool], None] = lambda down: None,
                 on_tap: Callable[[float, float], bool] = lambda x, y: False, **options):
        """scale: px of this display in a px at 96 dpi."""
        super().__init__(parent, highlightthickness=0, borderwidth=0, takefocus=True, **options)
        self.drawing = Drawing(self._watch)
        self.scale_factor = scale
        self.pen_width = 5 * scale
        self.tool = "pen"
        self.on_change, self.on_pen, self.on_tap = on_change, on_pen, on_tap
        self._cover = np.zeros((TILE, TILE), np.uint8)    # ink on the whole pad
        self._tiles: dict[tuple[int, int], tuple[ImageTk.PhotoImage, int]] = {}   # (row, column) -> picture, its item
        self._changed: set[tuple[int, int]] = set()       # tiles to be shown anew
        self._frame: str | None = None                    # timer of the next showing
        self._shown: Stroke | None = None                 # is on the pad, but not in the drawing yet
        self._paper: np.ndarray | None = None             # RGB, the picture under the ink
        self._photo: tuple[Underlay, tk.PhotoImage] | None = None
        self._gesture: _Writing | _Erasing | None = None
        self._button = 0
        self.recolour(colours)
        self._listen()

    def _listen(self) -> None:
        for button in (1, 2, 3):  # the other buttons always rub out
            self.bind(f"<ButtonPress-{button}>", lambda event, number=button: self._press(event, number))
            self.bind(f"<B{button}-Motion>", self._move)
            self.bind(f"<ButtonRelease-{button}>", lambda event, number=button: self._release(event, number))
        self.bind("<Motion>", self._hover)
        self.bind("<Leave>", lambda event: self.delete("eraser"))
        self.bind("<Configure>", self._resize)

    # ---- what the pen does

    def _press(self, event, button: int) -> None:
        self.focus_set()
        if self._gesture is not None:
            return
        erasing = button > 1 or self.tool == "eraser"
        self._button = button
        self._gesture = _Erasing(self, event.x, event.y) if erasing else _Writing(self, event.x, event.y)
        self.on_pen(True)
        if erasing:
            self._gesture.move(event.x, event.y)

    def _move(self, event) -> None:
        if self._gesture is not None:
            self._gesture.move(event.x, event.y)

    def _release(self, event, button: int) -> None:
        if self._gesture is None or button != self._button:
            return
        self._gesture.end(event.x, event.y)
        self._gesture = None
        self.on_pen(False)

    def cancel(self) -> None:
        """Forget the stroke that is being drawn."""
        if isinstance(self._gesture, _Writing):
            self._gesture.discard()
        self._gesture = None

    @property
    def pen_down(self) -> bool:
        return self._gesture is not None

    def _hover(self, event) -> None:
        if self.tool == "eraser":
            self.show_eraser(event.x, event.y)

    def show_eraser(self, x: float, y: float) -> None:
        """Draw the eraser's outline."""
        reach = self.eraser_radius
        self.delete("eraser")
        self.create_oval(x - reach, y - reach, x + reach, y + reach, outline=self.colours.box, width=1, tags="eraser")

    @property
    def eraser_radius(self) -> float:
        return 1.2 * self.pen_width + 5 * self.scale_factor

    def choose(self, tool: str) -> None:
        """Take the pen or the eraser."""
        self.tool = tool
        self.delete("eraser")
        self.configure(cursor="pencil" if tool == "pen" else "circle")

    # ---- ink

    def recolour(self, colours: Colours) -> None:
        """Show everything in other colours."""
        self.colours = colours
        self.configure(background=colours.paper)
        self._paint = self._shades(colours.paper, colours.ink)
        self._changed |= self._tiles.keys()
        self._show_later()
        self.choose(self.tool)

    def _shades(self, paper: str, pen: str) -> np.ndarray:
        """Colours from paper to ink: uint8 (256, 3)."""
        first, last = (np.array(ImageColor.getrgb(colour)) for colour in (paper, pen))
        return np.round(first + np.linspace(0, 1, 256)[:, None] * (last - first)).astype(np.uint8)

    def _watch(self, removed: tuple[Stroke, ...], added: tuple[Stroke, ...]) -> None:
        """The drawing has changed: show it."""
        if added != (self._shown,):
            boxes = [stroke.box for stroke in (*removed, *added)]
            for box in [around(boxes)] if len(boxes) > 8 else boxes:
                self.redraw(box)
        self._show_image(self.drawing.image)
        self.on_change()

    def redraw(self, box: tuple[float, float, float, float]) -> None:
        """Draw the ink in a box anew, or as much of it as the eraser can have met."""
        height, width = self._cover.shape
        limit = self._gesture.reach if isinstance(self._gesture, _Erasing) else (0, 0, width, height)
        left, top = (max(0, int(max(box[side], limit[side])) - 2) for side in (0, 1))
        right, bottom = (min(most, int(min(box[side], limit[side])) + 3) for side, most in ((2, width), (3, height)))
        if left >= right or top >= bottom:
            return
        now = np.zeros((bottom - top, right - left), np.uint8)
        for stroke in self.drawing.strokes:
            there = stroke.box
            if there[0] < right and there[2] > left and there[1] < bottom and there[3] > top:
                pen_strokes.trace(now, [stroke.curve - (left, top)], stroke.width)
        before = self._cover[top:bottom, left:right]
        rows, columns = np.nonzero(now != before)
        before[:] = now
        self._changed.update(zip(((rows + top) // TILE).tolist(), ((columns + left) // TILE).tolist()))
        self._show_later()

    def trace(self, points: np.ndarray, width: float) -> None:
        """Add a piece of a line that is still being drawn."""
        left, top, right, bottom = pen_strokes.trace(self._cover, [points], width)
        self._changed.update((row, column) for row in range(top // TILE, bottom // TILE + 1)
                             for column in range(left // TILE, right // TILE + 1))
        self._show_later()

    def take(self, stroke: Stroke) -> None:
        """Take a stroke whose line has been traced already."""
        self._shown = stroke
        self.drawing.add(stroke)
        self._shown = None

    def _resize(self, event=None) -> None:
        """Let the ink's array be as large as the pad; what lies outside stays in the drawing."""
        size = tuple(-(-side // TILE) * TILE for side in (self.winfo_height(), self.winfo_width()))
        if size[0] > self._cover.shape[0] or size[1] > self._cover.shape[1]:
            self._cover = np.zeros(np.maximum(size, self._cover.shape), np.uint8)
            self.redraw((0, 0, *self._cover.shape[::-1]))

    def _show_later(self) -> None:
        if self._frame is None:
            self._frame = self.after(FRAME, self.show_ink)

    def show_ink(self) -> None:
        """Show the tiles that have changed."""
        self._frame = None
        for row, column in self._changed:
            y, x = row * TILE, column * TILE
            cover = self._cover[max(0, y):y + TILE, max(0, x):x + TILE]
            if min(row, column) < 0 or cover.size < TILE * TILE:
                continue  # outside
            if (row, column) not in self._tiles:
                photo = ImageTk.PhotoImage("RGB", (TILE, TILE), master=self)
                self._tiles[row, column] = photo, self.create_image(x, y, image=photo, anchor="nw", tags="ink")
                self.tag_lower("ink")
                self.tag_lower("image")
            photo, item = self._tiles[row, column]
            if cover.any():
                photo.paste(Image.fromarray(self._coloured(cover, x, y)))
                self.itemconfigure(item, state="normal")
            else:
                self.itemconfigure(item, state="hidden")
        self._changed.clear()

    def _coloured(self, cover: np.ndarray, x: int, y: int) -> np.ndarray:
        """RGB of a tile of ink, on paper or on the picture under it."""
        if self._paper is None:
            return np.take(self._paint, cover, axis=0)
        paper = np.full((TILE, TILE, 3), self._paint[0], np.uint8)
        left, top = round(self._photo[0].x), round(self._photo[0].y)
        part = self._paper[max(0, y - top):max(0, y + TILE - top), max(0, x - left):max(0, x + TILE - left)]
        paper[max(0, top - y):, max(0, left - x):][:part.shape[0], :part.shape[1]] = part
        share = cover[..., None].astype(np.uint16)
        pen = np.array(ImageColor.getrgb(PEN_ON_PICTURES), np.uint16)
        return ((paper * (255 - share) + pen * share) // 255).astype(np.uint8)

    def _show_image(self, image: Underlay | None) -> None:
        if image is (self._photo and self._photo[0]):
            return
        self.delete("image")
        self._photo = self._paper = None
        if image:
            self._photo = image, tk.PhotoImage(master=self, data=image.preview, format="ppm")
            self._paper = image.pixels()
            self.create_image(round(image.x), round(image.y), image=self._photo[1], anchor="nw", tags="image")
            self.tag_lower("image")
        self._changed |= self._tiles.keys()
        self._show_later()

    # ---- what is dragged over it

    def show_drop(self, text: str, font: tuple[str, int]) -> None:
        """Show that what is dragged can be dropped here."""
        self.hide_drop()
        width, height, unit = self.winfo_width(), self.winfo_height(), self.scale_factor
        colour, inset = self.colours.text, 10 * unit
        self.create_rectangle(inset, inset, width - inset, height - inset, outline=colour, width=round(3 * unit),
                              dash=(round(10 * unit), round(7 * unit)), tags="drop")
        label = self.create_text(width / 2, height / 2, text=text, fill=self.colours.paper, font=font, tags="drop")
        left, top, right, bottom = self.bbox(label)
        # A line as thick as the label is high has round ends.
        self.create_line(left, height / 2, right, height / 2, width=bottom - top + round(18 * unit), fill=colour,
                         capstyle=tk.ROUND, tags="drop")
        self.tag_raise(label)

    def hide_drop(self) -> None:
        self.delete("drop")

    # ---- what was read

    def show_under(self, characters, size: int, font: str, minimum: float = 0.5) -> None:
        """Write each character under its ink."""
        self.delete("read")
        for number, one in enumerate(characters):
            left, _, right, bottom = one.box
            colour = (self.colours.corrected if one.corrected else
                      self.colours.text if one.confidence >= minimum else self.colours.unsure)
            below = max(one.below, bottom) + 4 * self.scale_factor
            self.create_text((left + right) / 2, below, text=one.text, anchor="n", fill=colour, font=(font, size),
                             tags=("read", f"read{number}"))

    def read_at(self, x: float, y: float) -> int | None:
        """The number of the character that is shown at a place."""
        reach = 3 * self.scale_factor
        for item in reversed(self.find_overlapping(x - reach, y - reach, x + reach, y + reach)):
            for tag in self.gettags(item):
                if tag.startswith("read") and tag[4:].isdigit():
                    return int(tag[4:])
        return None

    def mark(self, number: int | None) -> None:
        """Draw a frame around one of the characters shown."""
        self.delete("mark")
        if number is not None and (box := self.bbox(f"read{number}")):
            pad = 2 * self.scale_factor
            self.create_rectangle(box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad, outline=self.colours.box,
                                  width=max(1, round(1.5 * self.scale_factor)), tags=("read", "mark"))

    def show_boxes(self, characters, size: int, font: str) -> None:
        """Draw a box around each character, its text above the line, and a bracket under each gap between words."""
        self.delete("read")
        tops: dict[int, float] = {}
        for one in characters:
            tops[one.word[0]] = min(tops.get(one.word[0], one.box[1]), one.box[1])
        before, heavy, low = None, 3 * self.scale_factor, 5 * self.scale_factor
        for one in characters:
            left, top, right, bottom = one.box
            if before is not None and one.word[0] == before.word[0] and one.word != before.word:
                start, y = before.box[2] + 3, before.below
                self.create_line(start, y - low, start, y + low, left - 3, y + low, left - 3, y - low, width=heavy,
                                 joinstyle="miter", fill=self.colours.gap, tags=("read", "gap"))
            colour = self.colours.text if one.confidence >= 0.5 else self.colours.unsure
            self.create_rectangle(left - 2, top - 2, right + 2, bottom + 2, outline=colour, tags="read")
            self.create_text((left + right) / 2, tops[one.word[0]] - low, text=one.text, anchor="s", fill=colour,
                             font=(font, size), tags="read")
            before = one


class _Writing:
    """A stroke while the pen is down; drawn as drawing.smooth() will draw it, a piece at a time."""

    def __init__(self, pad: Pad, x: float, y: float):
        self.pad, self.width = pad, pad.pen_width
        self.points = [(x, y)]
        self.knots = [(x, y)]
        colour = PEN_ON_PICTURES if pad.drawing.image else pad.colours.ink
        self.tip = pad.create_line(x, y, x, y, width=self.width, capstyle=tk.ROUND, fill=colour)
        pad.trace(np.array(self.points, float), self.width)

    def move(self, x: float, y: float) -> None:
        self.points.append((x, y))
        if is_knot(self.knots[-1], (x, y), self.width):
            self._knot((x, y))
        self.pad.coords(self.tip, *self.knots[max(0, len(self.knots) - 2)], *self.knots[-1], x, y)

    def _knot(self, point: tuple[float, float]) -> None:
        self.knots.append(point)
        if len(self.knots) > 2:  # the piece before is smooth only now that the knot after it is known
            self._trace(*self.knots[-4:])

    def _trace(self, *last) -> None:
        """Draw the piece from the last knot but two to the last but one; smooth() too continues a stroke so."""
        before, start, end, after = last if len(last) > 3 else (_mirrored(last[1], last[0]), *last)
        self.pad.trace(np.vstack([start, segment(before, start, end, after)]), self.width)

    def end(self, x: float, y: float) -> None:
        if (x, y) != self.points[-1]:
            self.move(x, y)
        xs, ys = zip(*self.points)
        if max(max(xs) - min(xs), max(ys) - min(ys)) < TAP * self.pad.scale_factor and self.pad.on_tap(*self.points[0]):
            self.discard()
            return
        self.pad.delete(self.tip)
        if self.points[-1] != self.knots[-1]:
            self._knot(self.points[-1])
        if len(self.knots) > 1:
            self._trace(*self.knots[-3:], _mirrored(*self.knots[-2:]))
        self.pad.take(self._stroke())

    def discard(self) -> None:
        """Take away what was drawn of it."""
        self.pad.delete(self.tip)
        self.pad.redraw(self._stroke().box)

    def _stroke(self) -> Stroke:
        return Stroke(np.array(self.points, np.float32), self.width)


class _Erasing:
    """The eraser's way while it is down."""

    def __init__(self, pad: Pad, x: float, y: float):
        self.pad, self.last, self.goes_on = pad, (x, y), False
        self.reach = x, y, x, y           # box in which ink can have changed

    def move(self, x: float, y: float) -> None:
        margin = self.pad.eraser_radius + 2 * PEN_WIDTHS[1] * self.pad.scale_factor
        low, high = np.minimum(self.last, (x, y)) - margin, np.maximum(self.last, (x, y)) + margin
        self.reach = *low.tolist(), *high.tolist()
        self.goes_on |= self.pad.drawing.erase(self.last, (x, y), self.pad.eraser_radius, self.goes_on)
        self.last = (x, y)
        self.pad.show_eraser(x, y)

    def end(self, x: float, y: float) -> None:
        self.move(x, y)
        self.pad.delete("eraser")


def _mirrored(point: tuple[float, float], centre: tuple[float, float]) -> tuple[float, float]:
    return 2 * centre[0] - point[0], 2 * centre[1] - point[1]
