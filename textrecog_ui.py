"""Write, and see the text while you write; click a character to put it right.

    python textrecog_ui.py                       with the shipped network
    python textrecog_ui.py --model=1700000000    with another one of Models/
    python textrecog_ui.py --theme=dark          light letters on dark paper
    python textrecog_ui.py --remember=True       keeps corrections, for model.py --finetune
"""
import statistics
import tkinter as tk
from tkinter import ttk

from apps import corrections, window
from common import alphabets

# ---- settings: change them here or on the command line, as --name=value
model = ""                 # unixTime of the network that reads; without one, the shipped network
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

    def build(self, frame):
        side = self.pad_and_text(frame, lines=3)
        self.copy_button(side).pack(fill="x")
        self.remember = tk.BooleanVar(value=self.config["remember"])
        switch = ttk.Checkbutton(side, text="Remember my writing", variable=self.remember)
        switch.pack(pady=(self.px(4), 0))
        window.tooltip(self, switch, f"Keeps what you correct in {self.config['corrections_path']}")
        self.corrections = corrections.Corrections()
        self.shown: list = []            # worker.Character, as they stand under the ink
        self.chosen: int | None = None   # the one with the frame
        self.popup: Alternatives | None = None

    def actions(self):
        return [window.Action("Read", "Next character", ("Right",), lambda: self.choose_character(1)),
                window.Action("Read", "Character before", ("Left",), lambda: self.choose_character(-1)),
                window.Action("Read", "Correct the character", ("Return",), self.correct_chosen),
                window.Action("Read", "Remember my writing", (f"{window.CONTROL}-r",),
                              lambda: self.remember.set(not self.remember.get()), "", True)]

    def hint_text(self):
        return "Write here; the text appears as you write.\nClick a character that was read wrongly."

    def text(self):
        return corrections.text_of(self.shown)

    def show(self, answer):
        self.shown = self.corrections.apply(answer.characters, self.pad.drawing) if answer else []
        self.field.show(self.text())
        self.show_labels()

    def restyle(self):
        self.field.restyle()
        self.show_labels()

    def show_labels(self) -> None:
        """Show each character under its ink, in a size that suits the writing."""
        low, high = (self.px(side) for side in LABELS)
        heights = [one.box[3] - one.box[1] for one in self.shown]
        size = min(max(0.42 * statistics.median(heights), low), high) if heights else low
        self.pad.show_under(self.shown, -round(size * self.text_size / 100), "TkDefaultFont")
        self.mark(self.chosen)

    # ---- corrections

    def mark(self, number: int | None) -> None:
        """Frame a character, as the one that keys mean."""
        self.chosen = number if number is not None and number < len(self.shown) else None
        self.pad.mark(self.chosen)

    def choose_character(self, by: int) -> None:
        """Frame the next character, or the one before."""
        if self.shown:
            start = self.chosen if self.chosen is not None else (-1 if by > 0 else 0)
            self.mark((start + by) % len(self.shown))

    def tapped(self, x, y):
        number = self.pad.read_at(x, y)
        if number is None or number >= len(self.shown):
            return False
        self.mark(number)
        self.correct_chosen()
        return True

    def correct_chosen(self) -> None:
        """Offer the alternatives of the character with the frame."""
        if self.chosen is not None:
            self.close_popup()
            self.popup = Alternatives(self, self.shown[self.chosen])

    def close_popup(self) -> None:
        if self.popup:
            self.popup.destroy()
            self.popup = None
            self.pad.focus_set()

    def correct(self, character, text: str) -> None:
        """Read the ink of a character as `text` from now on; "" means as the network does."""
        self.close_popup()
        if text:
            self.corrections.add(character, text, self.pad.drawing)
        else:
            self.corrections.remove(character)
        self.show(self.answer)
        if self.remember.get():
            self._keep(character, text)

    def _keep(self, character, text: str) -> None:
        """Keep a corrected character for networks that read characters, and its word for those that read lines."""
        from training import corrections_store  # late: the window need not wait for it
        folder, page = self.config["corrections_path"], self.pad.drawing
        try:
            if character.alone and len(text) < 2 and text in alphabets.CHARACTERS:   # as "" is, which forgets it
                characters = corrections_store.remember(folder, character.glyph, text)
            else:
                characters = len(corrections_store.read_corrections(folder)[1])
            if page.image is None:
                word = [one for one in self.shown if one.word == character.word]
                strokes = corrections.strokes_of(character.word, self.shown, page)
                words = corrections_store.remember_word(
                    folder, [stroke.curve for stroke in strokes],
                    "".join(one.text for one in word) if any(one.corrected for one in word) else "")
            else:
                words = len(corrections_store.read_corrected_words(folder))
            self.set_status(f"Remembered: {words} word{'s' * (words != 1)}, "
                            f"{characters} character{'s' * (characters != 1)}")
        except (OSError, ValueError) as error:
            self.message(f"The correction is shown but not remembered: {error}")

    def drawing_changed(self):
        self.close_popup()
        self.read()

    def escape(self):
        self.close_popup()
        self.mark(None)
        super().escape()


class Alternatives(ttk.Frame):
    """What else a character might be, above the pad and beside its ink."""

    def __init__(self, app: Live, character):
        super().__init__(app.pad, style="Card.TFrame", padding=app.px(6))
        self.app, self.character = app, character
        self.entry = ttk.Entry(self, width=4, justify="center", font=("TkDefaultFont", app.font_size(14)))
        self.buttons = []
        for number, (text, probability) in enumerate(character.alternatives, 1):
            button = ttk.Button(self, text=f"{text}\n{100 * probability:.0f} %", style="Alternative.TButton",
                                command=lambda text=text: self.take(text))
            self.entry.bind(f"<Alt-Key-{number}>", lambda event, text=text: self.take(text))
            window.tooltip(app, button, f"Alt+{number}")
            self.buttons.append(button)
        more = [ttk.Button(self, text="Set", command=lambda: self.take(self.entry.get()))]
        if character.corrected:
            more.append(ttk.Button(self, text="As read", command=lambda: app.correct(character, "")))
        for part in (*self.buttons, self.entry, *more):
            part.pack(side="left", fill="y", padx=app.px(1))
        self.entry.bind("<Return>", lambda event: self.take(self.entry.get()))
        self._place()
        self.entry.focus_set()

    def take(self, text: str):
        """Put a text in the character's place."""
        if text.strip():
            self.app.correct(self.character, text.strip())
        return "break"

    def _place(self) -> None:
        """Below the character where there is room, else above it."""
        self.update_idletasks()
        width, height = self.winfo_reqwidth(), self.winfo_reqheight()
        left, top, right, bottom = self.character.box
        pad, gap = self.app.pad, self.app.px(8)
        x = min(max(gap, (left + right - width) / 2), pad.winfo_width() - width - gap)
        y = max(self.character.below, bottom) + self.app.px(34)
        if y + height + gap > pad.winfo_height():
            y = max(gap, min(top - height - gap, pad.winfo_height() - height - gap))
        self.place(x=x, y=y)


if __name__ == "__main__":
    window.run(Live, __file__, globals())
