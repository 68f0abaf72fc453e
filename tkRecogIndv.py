"""Draw one character and see it read as you draw.

    python tkRecogIndv.py                          with the shipped network
    python tkRecogIndv.py --unixTime=1700000000    with another one of Models/
    python tkRecogIndv.py a.png                    opens a picture, or strokes that were saved
"""
from common import interrupt

interrupt.end_quietly(__name__)

import itertools

from apps import window
from apps.commands import Action
from apps.toolkit import tk, ttk
from apps.widgets import switch
from common import settings

# ---- settings: change them here or on the command line, as --name=value
unixTime = ""              # the network that reads; without one, the shipped network
models_path = "Models"     # where networks are kept
language = "english"       # language of the text; none: without a language model
theme = "light"            # or dark
text_size = 100            # % of the system's
remember = False           # keep corrected characters as training data
corrections_path = "Dataset/Corrections"   # where they are kept
state_path = ""            # where settings and unsaved ink are remembered; "": the system's own folder, none: nowhere
reset = False              # forget the remembered settings and ink
# ---- end of settings

BARS = 5


class Indv(window.App):
    """A square pad, the character, the five likeliest ones, and the picture the network saw."""
    title, icon = "Handwriting: one character", "letter"
    kind = "character"
    hint = "Draw one character here\n0–9, A–Z, a–z"
    size, pen_width = (960, 660), 12

    def build(self, frame):
        """Lay out the pad on the left and the character, its alternatives and the picture on the right."""
        frame.columnconfigure(0, weight=1)
        frame.rowconfigure(0, weight=1)
        field = ttk.Frame(frame)
        field.grid(row=0, column=0, sticky="nsew")
        self.paper = self.make_pad(field)
        field.bind("<Configure>", self._square)
        side = ttk.Frame(frame, style="Card.TFrame", padding=self.px(12))
        side.grid(row=0, column=1, sticky="ns", padx=(self.px(12), 0))
        remember = switch(self, side, "Remember my writing")
        remember.configure(style="Card.TCheckbutton")
        top, middle, below = (ttk.Frame(side, style="Bare.TFrame") for _ in range(3))
        for part, where in ((remember, "bottom"), (below, "bottom"), (top, "top"), (middle, "top")):
            part.pack(side=where, fill="x", pady=self.px(4))   # in a small window, the bars are cut off
        self._build_top(top)
        self.bars = [self._build_bar(middle, row) for row in range(BARS)]
        ttk.Label(below, text="Wrong? Click a bar, or type it:", style="Muted.Card.TLabel").pack(side="left")
        self.entry = ttk.Entry(below, width=3, justify="center", font=self.looks.font(14))
        self.entry.bind("<Return>", self._type)
        self.entry.pack(side="left", padx=self.px(8))

    def actions(self):
        """Correcting from the keyboard."""
        return [Action("Read", "Correct the character", ("F2",), lambda: self.entry.focus_set())]

    def _build_top(self, top: ttk.Frame) -> None:
        self.letter = ttk.Label(top, style="Card.TLabel", anchor="center", width=2)
        self.letter.pack(side="left")
        self.zoom = max(1, self.px(3))
        self.picture = tk.PhotoImage(master=self.root, width=28 * self.zoom, height=28 * self.zoom)
        ttk.Label(top, text="What the network saw", image=self.picture, compound="top",
                  style="Muted.Card.TLabel").pack(side="right")

    def _build_bar(self, middle: ttk.Frame, row: int) -> tuple[ttk.Label, ttk.Progressbar, ttk.Label]:
        """A character with its probability as a bar and as text; a click says that this is the right one."""
        parts = (ttk.Label(middle, style="Card.TLabel", width=2), ttk.Progressbar(middle, maximum=1),
                 ttk.Label(middle, style="Muted.Card.TLabel", anchor="e", width=7))
        middle.columnconfigure(1, weight=1)
        for column, part in enumerate(parts):
            part.grid(row=row, column=column, sticky="ew", pady=self.px(5))
            part.bind("<Button-1>", lambda event: self._is(parts[0].cget("text")))
        return parts

    def _is(self, text: str) -> None:
        """Correct the reading to this character."""
        if self.shown and text:
            self.correct(self.reading.lines[0].words, text)

    def _type(self, event) -> None:
        """Correct the reading to what is typed."""
        self._is(self.entry.get().strip())
        self.entry.delete(0, "end")
        self.pad.focus_set()

    def _square(self, event) -> None:
        side = min(event.width, event.height)
        self.paper.place(x=(event.width - side) // 2, y=(event.height - side) // 2, width=side, height=side)

    def show_reading(self):
        """Show the character, its glyph, and how likely it and its alternatives are."""
        self.letter.configure(text=self.reading.text if self.reading else "")
        self.picture.blank()
        if self.shown:
            glyph = self.shown[0].glyph.repeat(self.zoom, 0).repeat(self.zoom, 1)
            self.picture.configure(data=b"P5 %d %d 255 " % glyph.shape + glyph.tobytes(), format="ppm")
        found = self.shown[0].character.alternatives if self.shown else []
        for (text, bar, chance), one in itertools.zip_longest(self.bars, found[:BARS], fillvalue=("", 0.0)):
            text.configure(text=one[0])
            bar.configure(value=one[1])
            chance.configure(text=f"{int(1000 * one[1]) / 10:.1f} %" if one[0] else "")

    def restyle(self):
        """Apply the theme's colours and the text size."""
        self.letter.configure(font=self.looks.font(48))


if __name__ == "__main__":
    settings.run(Indv.main)
