"""What a pad shows over the ink: the characters that were read, frames and hints."""
import itertools

from apps.boxes import Box
from apps.corrections import Corrected, Place
from apps.theme import THEMES, Colours, Looks
from apps.toolkit import tk
from reading.readings import FAINT

SURE = 0.5               # confidence below which a character has another colour


class Overlay:
    """Draws on a canvas, in the theme's colours."""

    def __init__(self, canvas: tk.Canvas, looks: Looks):
        self.canvas, self.looks, self.on_picture = canvas, looks, False
        self._boxes: list[Box] = []    # of the characters, on the page, if they are shown
        self._widths: dict = {}        # of labels, by text and font, which Tk is slow to measure

    @property
    def _colours(self) -> Colours:
        """Over a picture, those of light paper: labels there have a light background in every theme."""
        return (THEMES["light"] if self.on_picture else self.looks.theme).pad

    def _colour(self, place: Place) -> str:
        one = place.character
        if isinstance(one, Corrected):
            return self._colours.corrected
        if place.line.confidence < FAINT:
            return self._colours.faint
        return self._colours.text if one.confidence >= SURE else self._colours.unsure

    def show(self, found: list[Place], size: int, boxes: bool) -> None:
        """Write each character under its ink, in reading order; size: of the letters in px.

        boxes: also draw a box around each, and a bracket under each gap between words.
        """
        self.canvas.delete("read")
        self._boxes = [place.character.box for place in found] if boxes else []
        zoom, font, free, line = self.canvas.zoom, ("TkDefaultFont", -size), 0.0, None
        for number, place in enumerate(found):
            box, tags = place.character.box.scaled(zoom), ("read", f"read{number}")
            free, line, colour = free if place.line is line else 0.0, place.line, self._colour(place)
            half = self._width(place.character.text, font) / 2
            x = max(box.middle, free + half)     # after the previous label, even if its ink lies above that
            free = x + half
            label = self.canvas.create_text(x, zoom * place.word.box.bottom + 4 * self.looks.scale, anchor="n",
                                            text=place.character.text, font=font, tags=tags, fill=colour)
            if self.on_picture:
                ground = self.canvas.create_rectangle(*self.canvas.bbox(label), width=0, tags="read",
                                                      fill=self._colours.paper)
                self.canvas.tag_lower(ground, label)
            if boxes:
                x, y, *_ = grown = box.grown(2)
                self._draw((x, y, grown.right, y, grown.right, grown.bottom, x, grown.bottom, x, y), colour, 1, tags,
                           dash=(2, 3) if line.confidence < FAINT else ())
        for before, after in itertools.pairwise(found if boxes else ()):
            if before.line is after.line and before.word is not after.word:
                self._bracket(before, after)

    def _width(self, text: str, font: tuple[str, int]) -> int:
        """The width of a label in px."""
        if (text, font) not in self._widths:
            self._widths[text, font] = int(self.canvas.tk.call("font", "measure", font, text)) + 1
        return self._widths[text, font]

    def _bracket(self, before: Place, after: Place) -> None:
        start, end, y = (self.canvas.zoom * side for side in (before.word.box.right + 3, after.word.box.x - 3,
                                                              before.line.box.bottom))
        low = 5 * self.looks.scale
        self._draw((start, y - low, start, y + low, end, y + low, end, y - low), self._colours.box,
                   3 * self.looks.scale, ("read", "gap"))

    def _draw(self, places: tuple[float, ...], colour: str, width: float, tags: tuple[str, ...], dash=()) -> None:
        """Draw a line through the points; over a picture, light edges set it off from any background."""
        if self.on_picture:
            self.canvas.create_line(*places, width=width + 2 * self.looks.scale, joinstyle="miter", tags="read",
                                    fill=self._colours.paper)
        self.canvas.create_line(*places, width=width, joinstyle="miter", tags=tags, fill=colour, dash=dash)

    def read_at(self, x: float, y: float) -> int | None:
        """The number of the character shown at a point of the page, or whose box is shown around it."""
        zoom, reach = self.canvas.zoom, 3 * self.looks.scale
        for item in reversed(self.canvas.find_overlapping(x * zoom - reach, y * zoom - reach, x * zoom + reach,
                                                          y * zoom + reach)):
            for tag in self.canvas.gettags(item):
                if tag.startswith("read") and tag[4:].isdigit():
                    return int(tag[4:])
        around = [number for number, box in enumerate(self._boxes) if box.touches(Box(x, y, 0, 0))]
        return min(around, key=lambda number: abs(self._boxes[number].middle - x), default=None)

    def mark(self, number: int | None) -> None:
        """Draw a frame around one of the characters shown."""
        self.canvas.delete("mark")
        if number is not None and (box := self.canvas.bbox(f"read{number}")):
            pad = 2 * self.looks.scale
            self.canvas.create_rectangle(box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad,
                                         outline=self._colours.box, tags=("read", "mark"),
                                         width=max(1, round(1.5 * self.looks.scale)))

    def show_eraser(self, x: float, y: float, radius: float) -> None:
        """Draw the eraser's outline."""
        self.canvas.delete("eraser")
        x, y, radius = (self.canvas.zoom * number for number in (x, y, radius))
        self.canvas.create_oval(x - radius, y - radius, x + radius, y + radius, outline=self._colours.box,
                                tags="eraser")

    def show_selection(self, box: Box | None) -> None:
        """Draw a frame around the selection."""
        self.canvas.delete("selection")
        if box:
            box = box.scaled(self.canvas.zoom)
            self.canvas.create_rectangle(box.x, box.y, box.right, box.bottom, outline=self._colours.box, dash=(6, 4),
                                         tags="selection")

    def show_hint(self, text: str) -> None:
        """Show a hint in the middle; "" shows none."""
        self.canvas.delete("hint")
        if text:
            self.canvas.create_text(*self._middle(), text=text,
                                    fill=self.looks.theme.pad.faint, font=self.looks.font(14), justify="center",
                                    tags="hint")

    def show_drop(self, text: str) -> None:
        """Show that what is dragged over the canvas can be dropped here; "" ends that."""
        canvas, colours, inset = self.canvas, self.looks.theme.pad, 10 * self.looks.scale
        canvas.delete("drop")
        if text:
            x, y = self._middle()
            right, below = canvas.winfo_width() / 2 - inset, canvas.winfo_height() / 2 - inset
            canvas.create_rectangle(x - right, y - below, x + right, y + below, outline=colours.text, width=inset / 3,
                                    dash=(10, 7), tags="drop")
            label = canvas.create_text(x, y, text=text, fill=colours.paper, font=self.looks.font(14), tags="drop")
            left, top, right, bottom = canvas.bbox(label)
            canvas.create_rectangle(left - inset, top - inset, right + inset, bottom + inset, tags="drop", width=0,
                                    fill=colours.text)
            canvas.tag_raise(label)

    def _middle(self) -> tuple[float, float]:
        """The middle of the visible part of the canvas."""
        return self.canvas.canvasx(self.canvas.winfo_width() / 2), self.canvas.canvasy(self.canvas.winfo_height() / 2)
