"""Draw one character and see it read while you draw.

    python tkRecogIndv.py                          with the shipped network
    python tkRecogIndv.py --unixTime=1700000000    with another one of Models/
    python tkRecogIndv.py a.png                    opens a picture, or strokes that were saved
"""
from apps import window
from apps.toolkit import tk, ttk
from apps.widgets import switch
from common import settings

# ---- settings: change them here or on the command line, as --name=value
unixTime = ""              # of the network that reads; without one, the shipped network
models_path = "Models"     # where networks are kept
language = "english"       # what the text may be in; none: without a language model
theme = "light"            # or dark
text_size = 100            # % of the system's
remember = False           # keep corrected characters as training data
corrections_path = "Dataset/Corrections"   # where they are kept
state_path = ""            # where settings and unsaved ink are remembered: "" the system's own folder, none nowhere
reset = False              # forget the settings and the ink that are remembered
# ---- end of settings

BARS = 5


class Indv(window.App):
    """A square pad, the character, the five likeliest, and the picture that the network saw."""
    title, icon = "Handwriting: one character", "letter"
    kind = "character"
    hint = "Draw one character here\n0–9, A–Z, a–z"
    size, pen_width = (960, 660), 12

    def build(self, frame):
        """The pad on the left; on the right the character, bars and the picture."""
        frame.columnconfigure(0, weight=1)
        frame.rowconfigure(0, weight=1)
        field = ttk.Frame(frame)
        field.grid(row=0, column=0, sticky="nsew")
        self.paper = self.make_pad(field)
        field.bind("<Configure>", self._square)
        side = ttk.Frame(frame, style="Card.TFrame", padding=self.px(16))
        side.grid(row=0, column=1, sticky="ns", padx=(self.px(12), 0))
        top, below = ttk.Frame(side, style="Bare.TFrame"), ttk.Frame(side, style="Bare.TFrame")
        self.letter = ttk.Label(top, style="Card.TLabel", anchor="center", width=2)
        self.letter.pack(side="left")
        seen = ttk.Frame(top, style="Bare.TFrame")
        seen.pack(side="right")
        self.zoom = max(1, self.px(4))
        self.picture = tk.PhotoImage(master=self.root, width=28 * self.zoom, height=28 * self.zoom)
        tk.Label(seen, image=self.picture, borderwidth=0).pack()
        ttk.Label(seen, text="What the network saw", style="Muted.Card.TLabel").pack(pady=self.px(4))
        self.bars = tk.Canvas(side, width=self.px(240), height=self.px(36 * BARS), highlightthickness=0)
        self.bars.bind("<Button-1>", self._correct)
        ttk.Label(below, text="Wrong? Click a bar, or type it:", style="Muted.Card.TLabel").pack(side="left")
        self.entry = ttk.Entry(below, width=3, justify="center", font=self.looks.font(14))
        self.entry.bind("<Return>", self._type)
        self.entry.pack(side="left", padx=self.px(8))
        for part in (top, self.bars, below):
            part.pack(fill="x", pady=self.px(6))
        switch(self, side, "Remember my writing").configure(style="Card.TCheckbutton")

    def _correct(self, event) -> None:
        """It was the character whose bar is clicked."""
        row = event.y // self.px(36)
        if self.shown and row < len(self.shown[0].character.alternatives):
            self.correct(self.reading.lines[0].words, self.shown[0].character.alternatives[row][0])

    def _type(self, event) -> None:
        """It was what is typed."""
        if self.shown and self.entry.get().strip():
            self.correct(self.reading.lines[0].words, self.entry.get().strip())
        self.entry.delete(0, "end")
        self.pad.focus_set()

    def _square(self, event) -> None:
        side = min(event.width, event.height)
        self.paper.place(x=(event.width - side) // 2, y=(event.height - side) // 2, width=side, height=side)

    def show_reading(self):
        """Show the character, how likely it and others are, and its glyph."""
        self.letter.configure(text=self.reading.text if self.reading else "")
        self.picture.blank()
        if self.shown:
            glyph = self.shown[0].glyph.repeat(self.zoom, 0).repeat(self.zoom, 1)
            self.picture.configure(data=b"P5 %d %d 255 " % glyph.shape + glyph.tobytes(), format="ppm")
        self._show_bars(self.shown[0].character.alternatives[:BARS] if self.shown else [])

    def _show_bars(self, alternatives: list[tuple[str, float]]) -> None:
        self.bars.delete("all")
        theme, draw = self.looks.theme, self.bars
        left, right, step, half = self.px(34), self.px(184), self.px(36), self.px(7)
        for row, (text, probability) in enumerate(alternatives):
            y, end = step * (row + 0.5), left + (right - left) * probability
            draw.create_text(self.px(10), y, text=text, anchor="w", fill=theme.text, font=self.looks.font(13))
            draw.create_rectangle(left, y - half, right, y + half, width=0, fill=theme.line)
            draw.create_rectangle(left, y - half, end, y + half, width=0, fill=theme.pad.box if row else theme.accent)
            draw.create_text(self.px(238), y, text=f"{100 * probability:.1f} %", anchor="e", fill=theme.muted,
                             font=self.looks.font(10))

    def restyle(self):
        """Take the theme's colours and the text size."""
        self.letter.configure(font=self.looks.font(72), foreground=self.looks.theme.text)
        self.bars.configure(background=self.looks.theme.raised)
        self.show_reading()


if __name__ == "__main__":
    settings.run(Indv.main)
