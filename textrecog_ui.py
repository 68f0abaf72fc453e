"""Write, and see the text while you write; click a character to correct it.

    python textrecog_ui.py                          with the shipped network
    python textrecog_ui.py --unixTime=1700000000    with another one of Models/
    python textrecog_ui.py --theme=dark             light letters on dark paper
    python textrecog_ui.py --remember=True          keeps corrections, for model.py --finetune
"""
import statistics

from apps import corrections, window
from apps.alternatives import Alternatives
from apps.commands import CONTROL, Action
from apps.toolkit import tk, ttk
from apps.widgets import action_button, tooltip
from common import settings

# ---- settings: change them here or on the command line, as --name=value
unixTime = ""              # of the network that reads; without one, the shipped network
models_path = "Models"     # where networks are kept
theme = "light"            # or dark
text_size = 100            # % of the system's
remember = False           # keep corrected characters and words as training data
corrections_path = "Dataset/Corrections"   # where they are kept
# ---- end of settings

LABELS = 14, 44            # px at 96 dpi: least and largest height of the characters under the ink


class Live(window.App):
    """A pad that shows each character under its ink, and the text below."""
    title = "Write"
    hint = "Write here; the text appears as you write.\nClick a character that was read wrongly."

    def build(self, frame):
        """The pad, below it the text with buttons beside it."""
        side = self.pad_and_text(frame, lines=3)
        action_button(self, side, "Copy text", "Copy").pack(fill="x")
        self.remember = tk.BooleanVar(value=self.config.remember)
        switch = ttk.Checkbutton(side, text="Remember my writing", variable=self.remember)
        switch.pack(pady=(self.px(4), 0))
        tooltip(self, switch, f"Keeps what you correct in {self.config.corrections_path}")
        self.corrections = corrections.Corrections()
        self.reading = None              # with corrections, as it is shown
        self.shown: list[corrections.Place] = []   # its characters
        self.chosen: int | None = None   # the number of the one with the frame
        self.popup: Alternatives | None = None

    def actions(self):
        """Choosing and correcting characters."""
        return [Action("Read", "Next character", ("Right",), lambda: self.choose_character(1)),
                Action("Read", "Character before", ("Left",), lambda: self.choose_character(-1)),
                Action("Read", "Correct the character", ("Return",), self.correct_chosen),
                Action("Read", "Remember my writing", (f"{CONTROL}-r",),
                       lambda: self.remember.set(not self.remember.get()), "", True)]

    def text(self):
        """The text with corrections."""
        return self.reading.text if self.reading else ""

    def show(self, answer):
        """Show the text and the characters, corrected."""
        self.reading = answer and self.corrections.apply(answer.reading, self.pad.drawing)
        self.shown = corrections.places(self.reading) if answer else []
        self.field.show(self.text())
        self.show_labels()

    def show_labels(self) -> None:
        """Show each character under its ink, in a size that suits the writing."""
        low, high = (self.px(side) for side in LABELS)
        heights = [place.character.box.height for place in self.shown]
        size = min(max(0.42 * statistics.median(heights), low), high) if heights else low
        self.pad.overlay.show_under(self.shown, round(size * self.looks.text_size / 100))
        self.mark(self.chosen)

    def restyle(self):
        """Take the theme's colours and the text size."""
        self.field.restyle()
        self.show_labels()

    def drawing_changed(self):
        """Read while the pen writes on."""
        self.close_popup()
        self.read()

    # ---- corrections

    def mark(self, number: int | None) -> None:
        """Frame a character, as the one that keys mean."""
        self.chosen = number if number is not None and number < len(self.shown) else None
        self.pad.overlay.mark(self.chosen)

    def choose_character(self, by: int) -> None:
        """Frame the next character, or the one before."""
        if self.shown:
            start = self.chosen if self.chosen is not None else (-1 if by > 0 else 0)
            self.mark((start + by) % len(self.shown))

    def tapped(self, x, y):
        """Offer alternatives where a character is shown."""
        number = self.pad.overlay.read_at(x, y)
        if number is None or number >= len(self.shown):
            return False
        self.mark(number)
        self.correct_chosen()
        return True

    def correct_chosen(self) -> None:
        """Offer the alternatives of the character with the frame."""
        if self.chosen is not None:
            self.close_popup()
            place = self.shown[self.chosen]
            self.popup = Alternatives(self, place, lambda text: self.correct(place, text))

    def close_popup(self) -> None:
        """Take the alternatives away."""
        if self.popup:
            self.popup.destroy()
            self.popup = None
            self.pad.focus_set()

    def correct(self, place: corrections.Place, text: str) -> None:
        """Read the ink of a character as `text` from now on; "" means as the network does."""
        self.close_popup()
        if text:
            self.corrections.add(place.character, text, self.pad.drawing)
        else:
            self.corrections.remove(place.character)
        self.show(self.session.answer)
        if self.remember.get() and (place := corrections.place_of(place.character.box, self.shown)):
            self._keep(place, text)

    def _keep(self, place: corrections.Place, text: str) -> None:
        try:
            kept = corrections.remember(self.config.corrections_path, place, text, self.reading, self.pad.drawing)
            self.set_status(f"Remembered: {kept}")
        except (OSError, ValueError) as error:
            self.message(f"The correction is shown but not remembered: {error}")

    def escape(self):
        """Close the alternatives too."""
        self.close_popup()
        self.mark(None)
        super().escape()


if __name__ == "__main__":
    settings.run(Live.main)
