"""What a pad shows over the ink: the characters that were read, frames and hints."""
import itertools

from apps.boxes import Box
from apps.corrections import Corrected, Place, places
from apps.theme import Looks
from apps.toolkit import tk
from reading.readings import Character, Reading

SURE = 0.5               # confidence below which a character has another colour


class Overlay:
    """Draws on a canvas, in the theme's colours."""

    def __init__(self, canvas: tk.Canvas, looks: Looks):
        self.canvas, self.looks = canvas, looks

    def clear(self) -> None:
        """Take away what was read."""
        self.canvas.delete("read")

    def _colour(self, one: Character) -> str:
        colours = self.looks.theme.pad
        if isinstance(one, Corrected):
            return colours.corrected
        return colours.text if one.confidence >= SURE else colours.unsure

    def show_under(self, found: list[Place], size: int) -> None:
        """Write each character under its ink; size: of the letters in px."""
        self.clear()
        for number, place in enumerate(found):
            box = place.character.box
            below = max(place.line.box.bottom, box.bottom) + 4 * self.looks.scale
            self.canvas.create_text(box.x + box.width / 2, below, text=place.character.text, anchor="n",
                                    fill=self._colour(place.character), font=("TkDefaultFont", -size),
                                    tags=("read", f"read{number}"))

    def read_at(self, x: float, y: float) -> int | None:
        """The number of the character that is shown at a place."""
        reach = 3 * self.looks.scale
        for item in reversed(self.canvas.find_overlapping(x - reach, y - reach, x + reach, y + reach)):
            for tag in self.canvas.gettags(item):
                if tag.startswith("read") and tag[4:].isdigit():
                    return int(tag[4:])
        return None

    def mark(self, number: int | None) -> None:
        """Draw a frame around one of the characters shown."""
        self.canvas.delete("mark")
        if number is not None and (box := self.canvas.bbox(f"read{number}")):
            pad = 2 * self.looks.scale
            self.canvas.create_rectangle(box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad,
                                         outline=self.looks.theme.pad.box, tags=("read", "mark"),
                                         width=max(1, round(1.5 * self.looks.scale)))

    def show_boxes(self, reading: Reading) -> None:
        """Draw a box around each character, its text above the line, and a bracket under each gap between words."""
        self.clear()
        low = 5 * self.looks.scale
        for line, _, one, *_ in places(reading):
            colour, box = self._colour(one), one.box
            self.canvas.create_rectangle(*_corners(box.grown(2)), outline=colour, tags="read")
            self.canvas.create_text(box.x + box.width / 2, line.box.y - low, text=one.text, anchor="s", fill=colour,
                                    font=self.looks.font(11), tags="read")
        for line in reading.lines:
            for before, after in itertools.pairwise(line.words):
                start, end, y = before.box.right + 3, after.box.x - 3, line.box.bottom
                self.canvas.create_line(start, y - low, start, y + low, end, y + low, end, y - low,
                                        width=3 * self.looks.scale, joinstyle="miter", tags=("read", "gap"),
                                        fill=self.looks.theme.pad.gap)

    def show_eraser(self, x: float, y: float, radius: float) -> None:
        """Draw the eraser's outline."""
        self.canvas.delete("eraser")
        self.canvas.create_oval(x - radius, y - radius, x + radius, y + radius, outline=self.looks.theme.pad.box,
                                tags="eraser")

    def show_hint(self, text: str) -> None:
        """Say in the middle what can be done; "" says nothing."""
        self.canvas.delete("hint")
        if text:
            self.canvas.create_text(self.canvas.winfo_width() / 2, self.canvas.winfo_height() / 2, text=text,
                                    fill=self.looks.theme.pad.hint, font=self.looks.font(14), justify="center",
                                    tags="hint")

    def show_drop(self, text: str) -> None:
        """Show that what is dragged over the canvas can be dropped here, or with "" no longer."""
        self.canvas.delete("drop")
        if not text:
            return
        canvas, unit, colours = self.canvas, self.looks.scale, self.looks.theme.pad
        width, height, inset = canvas.winfo_width(), canvas.winfo_height(), 10 * unit
        canvas.create_rectangle(inset, inset, width - inset, height - inset, outline=colours.text, tags="drop",
                                width=round(3 * unit), dash=(round(10 * unit), round(7 * unit)))
        label = canvas.create_text(width / 2, height / 2, text=text, fill=colours.paper, font=self.looks.font(14),
                                   tags="drop")
        left, top, right, bottom = canvas.bbox(label)
        # A line as thick as the label is high has round ends.
        canvas.create_line(left, height / 2, right, height / 2, width=bottom - top + round(18 * unit), tags="drop",
                           fill=colours.text, capstyle=tk.ROUND)
        canvas.tag_raise(label)


def _corners(box: Box) -> tuple[float, float, float, float]:
    return box.x, box.y, box.right, box.bottom
