"""A popup beside a word that offers alternatives, and takes what is typed."""
from collections.abc import Callable

from apps import boxes
from apps.commands import PLACES
from apps.corrections import Corrected, Place
from apps.toolkit import ttk
from apps.widgets import percent, tooltip

MOST, LIKELY = 5, 0.01     # most alternatives offered, and the least probability of one


class Alternatives(ttk.Frame):
    """The alternatives of a word, over the pad and beside its ink; app: a window.App."""

    def __init__(self, app, place: Place):
        """place: the chosen character."""
        super().__init__(app.pad, style="Card.TFrame", padding=app.px(6))
        self.app, self._words = app, place.line.words
        self._first = self._words.index(place.word)
        self._behind = self._first + 1
        self.entry = ttk.Entry(self, justify="center", font=app.looks.font(14))
        self._insert(0, place.word.text)
        self.buttons = [self._button(f"{text}\n{percent(chance)}", f"Alt+{number}", lambda text=text: self.take(text))
                        for number, (text, chance) in enumerate(alternatives(place), 1)]
        more = [self._button("Set", "Enter", lambda: self.take(self.entry.get()))]
        if any(isinstance(one, Corrected) for one in place.word.characters):
            more += [self._button("As read", "Forget the correction", lambda: app.correct([place.word], ""))]
        for part in (*self.buttons, self.entry, *more):
            part.pack(side="left", fill="y", padx=app.px(1))
        for key, do in (("Alt-Key", self._by_number), ("Return", lambda event: self.take(self.entry.get())),
                        ("BackSpace", lambda event: self._at_edge(0, self._first - 1)),
                        ("Delete", lambda event: self._at_edge("end", self._behind))):
            self.entry.bind(f"<{key}>", do)
        self._place(place)
        self._select(place)

    def _insert(self, where: int | str, text: str) -> None:
        self.entry.insert(where, text)
        self.entry.configure(width=max(8, len(self.entry.get()) + 2))

    def _button(self, text: str, hint: str, do: Callable[[], object]) -> ttk.Button:
        button = ttk.Button(self, text=text, style="Alternative.TButton", command=do)
        tooltip(self.app, button, hint)
        return button

    def take(self, text: str) -> str:
        """Replace the word with a text, unless that is empty."""
        if text.strip():
            self.app.correct(self._words[self._first:self._behind], " ".join(text.split()))
        return "break"

    def _by_number(self, event) -> str | None:
        """Take the alternative with a digit key's number; some keyboards type digits only with Shift."""
        digit = event.keysym if event.keysym.isdigit() else PLACES.get(event.keycode, "")
        if digit.isdigit() and 1 <= int(digit) <= len(self.buttons):
            self.buttons[int(digit) - 1].invoke()
            return "break"
        return None

    def _at_edge(self, edge: int | str, neighbour: int) -> str | None:
        """Join a neighbouring word, as in any text, when the space between the two would be deleted."""
        if self.entry.selection_present() or self.entry.index("insert") != self.entry.index(edge):
            return None
        if 0 <= neighbour < len(self._words):
            self._first, self._behind = min(self._first, neighbour), max(self._behind, neighbour + 1)
            text = self._words[neighbour].text
            self._insert(edge, text)
            self.entry.icursor(len(text) if edge == 0 else self.entry.index("end") - len(text))
            for button in self.buttons:       # they are for one word
                button.pack_forget()
        return "break"

    def _select(self, place: Place) -> None:
        """Select the chosen character, so that typing replaces it."""
        start = sum(len(one.text) for one in before(place))
        self.entry.selection_range(start, start + len(place.character.text))
        self.entry.icursor(start + len(place.character.text))
        self.entry.focus_set()

    def _place(self, place: Place) -> None:
        """Place the popup below or above the word, where there is room and no other line."""
        self.update_idletasks()
        width, height = self.winfo_reqwidth(), self.winfo_reqheight()
        pad, gap = self.app.pad, self.app.px(8)
        shown = [pad.ink.on_screen(line.box) for line in self.app.reading.lines if line is not place.line]
        box = pad.ink.on_screen(place.word.box)
        x = min(max(gap, box.x + (box.width - width) / 2), pad.winfo_width() - width - gap)
        rows = [boxes.Box(x, y, width, height) for y in (box.bottom + self.app.px(34), box.y - height - gap)]
        inside = [row for row in rows if row.y >= 0 and row.bottom <= pad.winfo_height()] or rows
        best = min(inside, key=lambda row: sum(row.cut(line).area for line in shown))
        self.place(x=best.x, y=max(0, min(max(gap, best.y), pad.winfo_height() - height - gap)))
        self.update_idletasks()   # Tk gives the focus only to mapped widgets: keys typed at once would go astray


def before(place: Place) -> list:
    """The characters before this one in its word."""
    return place.word.characters[:place.word.characters.index(place.character)]


def alternatives(place: Place) -> list[tuple[str, float]]:
    """A word's alternatives with probabilities: the reader's, and those with another character in this place."""
    start = len(before(place))
    texts = [one.text for one in place.word.characters]
    found = {"".join([*texts[:start], text, *texts[start + 1:]]): chance for text, chance in
             place.character.alternatives}
    found |= dict(place.word.alternatives)
    likely = sorted((item for item in found.items() if item[1] >= LIKELY), key=lambda item: -item[1])
    return likely[:MOST]
