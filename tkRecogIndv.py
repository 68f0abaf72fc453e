"""Draw one character and see it read while you draw.

    python tkRecogIndv.py                       with the shipped network
    python tkRecogIndv.py --model=1700000000    with another one of Models/
    python tkRecogIndv.py a.png                 opens a picture, or strokes that were saved
"""
import tkinter as tk
from tkinter import ttk

from apps import window

# ---- settings: change them here or on the command line, as --name=value
model = ""                 # unixTime of the network that reads; without one, the shipped network
models_path = "Models"     # where networks are kept
theme = "light"            # or dark
text_size = 100            # % of the system's
# ---- end of settings

BARS = 5


class Indv(window.App):
    """A square pad, the character, the five likeliest, and the picture that the network saw."""
    title = "Draw a character"
    kind = "character"
    size = (870, 660)

    def build(self, frame):
        frame.columnconfigure(0, weight=1)
        frame.rowconfigure(0, weight=1)
        field = ttk.Frame(frame)
        field.grid(row=0, column=0, sticky="nsew")
        self.make_pad(field)
        self.set_pen(12)
        field.bind("<Configure>", self._square)
        side = ttk.Frame(frame, style="Card.TFrame", padding=self.px(16))
        side.grid(row=0, column=1, sticky="ns", padx=(self.px(12), 0))
        self.letter = ttk.Label(side, style="Card.TLabel", anchor="center", width=2)
        self.letter.pack()
        self.bars = tk.Canvas(side, width=self.px(240), height=self.px(36 * BARS), highlightthickness=0)
        self.bars.pack(pady=self.px(10))
        ttk.Label(side, text="What the network saw", style="Muted.Card.TLabel").pack(pady=(self.px(4), self.px(4)))
        self.zoom = max(1, self.px(4.5))
        self.picture = tk.PhotoImage(master=self.root, width=28 * self.zoom, height=28 * self.zoom)
        tk.Label(side, image=self.picture, borderwidth=0).pack()

    def hint_text(self):
        return "Draw one character here\n0–9, A–Z, a–z"

    def _square(self, event) -> None:
        side = min(event.width, event.height)
        self.pad_frame.place(x=(event.width - side) // 2, y=(event.height - side) // 2, width=side, height=side)

    def show(self, answer):
        if answer is None:
            self.set_status("")
        self.letter.configure(text=answer.text if answer else "")
        self.picture.blank()
        if answer:
            glyph = answer.characters[0].glyph.repeat(self.zoom, 0).repeat(self.zoom, 1)
            self.picture.configure(data=b"P5 %d %d 255 " % glyph.shape + glyph.tobytes(), format="ppm")
        self._show_bars(answer.characters[0].alternatives[:BARS] if answer else [])

    def _show_bars(self, alternatives: list[tuple[str, float]]) -> None:
        self.bars.delete("all")
        left, right, step = self.px(34), self.px(184), self.px(36)
        for row, (text, probability) in enumerate(alternatives):
            middle, half = step * (row + 0.5), self.px(7)
            font = "TkDefaultFont", self.font_size(13)
            self.bars.create_text(self.px(10), middle, text=text, anchor="w", fill=self.theme.text, font=font)
            self.bars.create_rectangle(left, middle - half, right, middle + half, width=0, fill=self.theme.line)
            self.bars.create_rectangle(left, middle - half, left + (right - left) * probability, middle + half, width=0,
                                       fill=self.theme.accent if row == 0 else self.theme.pad.box)
            self.bars.create_text(self.px(238), middle, text=f"{100 * probability:.1f} %", anchor="e",
                                  fill=self.theme.muted, font=("TkDefaultFont", self.font_size(10)))

    def restyle(self):
        self.letter.configure(font=("TkDefaultFont", self.font_size(72)), foreground=self.theme.text)
        self.bars.configure(background=self.theme.raised)
        self.show(self.answer)


if __name__ == "__main__":
    window.run(Indv, __file__, globals())
