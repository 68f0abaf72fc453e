"""A popup beside a character that offers what else it might be."""
from collections.abc import Callable

from apps.corrections import Corrected, Place
from apps.toolkit import ttk
from apps.widgets import tooltip


class Alternatives(ttk.Frame):
    """What else a character might be, above the pad and beside its ink; app: a window.App."""

    def __init__(self, app, place: Place, take: Callable[[str], None]):
        """take(text) is called with what is chosen or typed, with "" for what was read at first."""
        super().__init__(app.pad, style="Card.TFrame", padding=app.px(6))
        self.app, self._take = app, take
        self.entry = ttk.Entry(self, width=4, justify="center", font=app.looks.font(14))
        self.buttons = []
        for number, (text, probability) in enumerate(place.character.alternatives, 1):
            button = ttk.Button(self, text=f"{text}\n{100 * probability:.0f} %", style="Alternative.TButton",
                                command=lambda text=text: self.take(text))
            self.entry.bind(f"<Alt-Key-{number}>", lambda event, text=text: self.take(text))
            tooltip(app, button, f"Alt+{number}")
            self.buttons.append(button)
        more = [ttk.Button(self, text="Set", command=lambda: self.take(self.entry.get()))]
        if isinstance(place.character, Corrected):
            more.append(ttk.Button(self, text="As read", command=lambda: take("")))
        for part in (*self.buttons, self.entry, *more):
            part.pack(side="left", fill="y", padx=app.px(1))
        self.entry.bind("<Return>", lambda event: self.take(self.entry.get()))
        self._place(place)
        self.entry.focus_set()

    def take(self, text: str) -> str:
        """Put a text in the character's place, unless it is empty."""
        if text.strip():
            self._take(text.strip())
        return "break"

    def _place(self, place: Place) -> None:
        """Below the character where there is room, else above it."""
        self.update_idletasks()
        width, height = self.winfo_reqwidth(), self.winfo_reqheight()
        box, pad, gap = place.character.box, self.app.pad, self.app.px(8)
        x = min(max(gap, box.x + (box.width - width) / 2), pad.winfo_width() - width - gap)
        y = max(place.line.box.bottom, box.bottom) + self.app.px(34)
        if y + height + gap > pad.winfo_height():
            y = max(gap, min(box.y - height - gap, pad.winfo_height() - height - gap))
        self.place(x=x, y=y)
