"""What textrecog_ui.py and tkRecogAll.py have in common: a pad for lines, the text below it, words to correct."""
import itertools
import statistics

from apps import alternatives, window
from apps.commands import CONTROL, Action
from apps.toolkit import tk, ttk
from apps.widgets import TextField, action_button, scrolled, switch

LABELS = 14, 44            # px at 96 dpi: smallest and largest height of the characters under the ink
PAD = 160                  # px at 96 dpi: least height of the pad


class TextApp(window.App):
    """A pad that shows what was read under its ink, and the text below the pad."""
    live = True                      # read while the pen writes; otherwise on Enter
    lines = 3                        # of the text field
    image = None                     # under the ink at its last change
    asked = False                    # to read before the network was ready
    chosen: int | None = None        # the number of the framed character
    popup: alternatives.Alternatives | None = None

    def build(self, frame):
        """Lay out the pad and, below it, the text with buttons beside it."""
        gap = self.px(8)
        frame.columnconfigure(0, weight=1)
        frame.rowconfigure(0, weight=1000, minsize=self.px(PAD))   # where room is short, the text gets less
        frame.rowconfigure(1, weight=1)
        self.make_pad(frame).grid(row=0, column=0, columnspan=2, sticky="nsew")
        below = ttk.Frame(frame)
        below.grid(row=1, column=0, sticky="nsew", pady=(gap, 0))
        self.field = TextField(self, below, self.lines)
        self.field.bind("<ButtonRelease-1>", self._text_clicked)
        self.field.configure(yscrollcommand=scrolled(self.field, "y")["y"].set)
        side = ttk.Frame(frame)
        side.grid(row=1, column=1, sticky="n", padx=(self.px(12), 0), pady=(gap, 0))
        if not self.live:
            action_button(self, side, "Recognise", "Recognise", style="Accent.TButton").pack(fill="x", pady=(0, gap))
        action_button(self, side, "Copy text", "Copy text").pack(fill="x")
        for label in ("Remember my writing", "Show on the ink"):
            switch(self, side, label)

    def actions(self):
        """Reading, and choosing and correcting words."""
        self.labels = tk.BooleanVar(value=getattr(self.config, "boxes", True))
        reads = [] if self.live else [Action("Read", "Recognise", ("Return", "KP_Enter"), self.recognise, "", True)]
        return reads + [
            Action("Read", "Next character", ("Right",), lambda: self.choose_character(1)),
            Action("Read", "Character before", ("Left",), lambda: self.choose_character(-1)),
            Action("Read", "Correct the word", ("F2", *["Return"] * self.live), self.correct_chosen),
            Action("Read", "Show on the ink", (f"{CONTROL}-b",), self.show_labels, "", True, self.labels)]

    def recognise(self) -> None:
        """Read everything on the pad."""
        self.asked = not self.session.model
        self.set_status("write something first" if not self.pad.drawing else
                        "will be read as soon as the network is ready" if self.asked else "reading…")
        self.read()

    def show_reading(self):
        """Show the text and the characters."""
        self.field.show(self.reading.lines if self.reading else ())
        self.show_labels()

    def show_labels(self) -> None:
        """Show each character under its ink, in a size that suits the writing."""
        low, high = (self.px(side) for side in LABELS)
        heights = [self.pad.zoom * place.character.box.height for place in self.shown]
        size = min(max(0.42 * statistics.median(heights), low), high) if heights else low
        shown = self.shown if self.labels.get() else []
        self.pad.overlay.show(shown, round(size * self.looks.text_size / 100), boxes=not self.live)
        self.mark(self.chosen)

    def restyle(self):
        """Apply the theme's colours and the text size."""
        self.field.restyle()
        self.show_labels()

    def ink_changed(self):
        """Read at once if live or if the picture changed; otherwise drop the outdated reading."""
        self.close_popup()
        image, self.image = self.image, self.pad.drawing.image
        if self.live or not self.pad.drawing or self.image is not image:
            self.read()
        elif not self.session.recall(self.pad.drawing):   # Undo may have brought it back
            self.session.forget()
            self.set_status("Enter reads")

    def network_ready(self):
        """Read what was waiting for a network, or was read by another one."""
        if self.live or self.asked or self.reading or self.image:
            self.read()

    # ---- corrections

    def mark(self, number: int | None) -> None:
        """Frame a character, the one that keys act on."""
        self.chosen = number if number is not None and number < len(self.shown) else None
        self.pad.overlay.mark(self.chosen)

    def choose_character(self, by: int) -> None:
        """Frame the next character, or the previous one."""
        if self.shown:
            start = self.chosen if self.chosen is not None else (-1 if by > 0 else 0)
            self.mark((start + by) % len(self.shown))

    def tapped(self, x, y):
        """Offer alternatives for a tapped character; a tap elsewhere closes an open popup."""
        number = self.pad.overlay.read_at(x, y)
        if number is None or number >= len(self.shown):
            return self.close_popup()
        self.mark(number)
        self.correct_chosen()
        return True

    def _text_clicked(self, event) -> None:
        """Offer alternatives for the word clicked in the text, unless part of the text is selected."""
        if self.reading and not self.field.tag_ranges("sel"):
            line, column = map(int, self.field.index(f"@{event.x},{event.y}").split("."))
            words = self.reading.lines[min(line, len(self.reading.lines)) - 1].words
            ends = itertools.accumulate(len(word.text) + 1 for word in words)
            word = next((word for word, end in zip(words, ends) if column < end), words[-1])
            self.mark(next(number for number, place in enumerate(self.shown) if place.word is word))
            self.correct_chosen()

    def correct_chosen(self) -> None:
        """Offer alternatives for the word with the framed character."""
        if self.chosen is not None:
            self.close_popup()
            self.popup = alternatives.Alternatives(self, self.shown[self.chosen])

    def close_popup(self) -> bool:
        """Close the alternatives; returns whether they were open."""
        popup, self.popup = self.popup, None
        if popup:
            popup.destroy()
            self.pad.focus_set()
        return popup is not None

    def correct(self, words, text):
        """Close the alternatives, and correct."""
        self.close_popup()
        super().correct(words, text)

    def escape(self):
        """Close the alternatives too."""
        self.close_popup()
        self.mark(None)
        super().escape()
