"""The toolbar's pictures, drawn from strokes in the theme's colour at the display's resolution."""
from PIL import Image, ImageDraw

from apps.toolkit import ImageTk, tk

GRID = 24           # the strokes' unit is 1/GRID of a side
LINE = 1.9
FINE = 4            # drawn so much larger, then reduced: smooth edges

STROKES = {
    "pen": [[(4, 20), (5.5, 14.5), (15.5, 4.5), (19.5, 8.5), (9.5, 18.5), (4, 20)], [(13, 7), (17, 11)]],
    "eraser": [[(9, 20), (4, 15), (14, 5), (20, 11), (11, 20), (9, 20)], [(9, 10), (15, 16)], [(11, 20), (20, 20)]],
    "undo": [[(8, 5), (4, 9), (8, 13)], [(4, 9), (14, 9), (17.5, 10.2), (19.5, 13), (19.5, 15), (17.5, 17.8), (14, 19),
                                         (10, 19)]],
    "redo": [[(16, 5), (20, 9), (16, 13)], [(20, 9), (10, 9), (6.5, 10.2), (4.5, 13), (4.5, 15), (6.5, 17.8), (10, 19),
                                            (14, 19)]],
    "clear": [[(4, 7), (20, 7)], [(9, 7), (9, 4), (15, 4), (15, 7)], [(6, 7), (7, 20), (17, 20), (18, 7)],
              [(10, 11), (10, 16)], [(14, 11), (14, 16)]],
    "open": [[(3, 19), (3, 5), (9, 5), (11, 8), (19, 8), (19, 11)],
             [(3, 19), (6.5, 11), (22, 11), (18.5, 19), (3, 19)]],
    "save": [[(12, 4), (12, 15)], [(7, 10.5), (12, 15.5), (17, 10.5)], [(4, 16), (4, 20), (20, 20), (20, 16)]],
    "copy": [[(9, 9), (20, 9), (20, 20), (9, 20), (9, 9)], [(15, 9), (15, 4), (4, 4), (4, 15), (9, 15)]],
    "theme": [[(12, 3), (15.5, 4), (19, 7), (20.5, 10.5), (20.5, 13.5), (19, 17), (15.5, 20), (12, 21), (8.5, 20),
               (5, 17), (3.5, 13.5), (3.5, 10.5), (5, 7), (8.5, 4), (12, 3), (12, 21)], [(15, 7), (15, 17)],
              [(17.5, 9), (17.5, 15)]],
    "help": [[(8, 8.5), (8.6, 6), (10.5, 4.6), (13.5, 4.6), (15.5, 6.2), (16, 8.6), (15, 11), (12.4, 13), (12, 15.5)],
             [(12, 19.6), (12, 19.7)]],
}


class Icons:
    """Pictures by name; paint() changes the colour of all of them, wherever they are shown."""

    def __init__(self, root: tk.Tk, side: int):
        """side: of an icon in px."""
        self.side = side
        self._shown = {name: ImageTk.PhotoImage("RGBA", (side, side), master=root)
                       for name in (*STROKES, "knob", "groove")}

    def __getitem__(self, name: str) -> ImageTk.PhotoImage:
        return self._shown[name]

    def paint(self, colour: str, accent: str, line: str) -> None:
        """Colours: of the icons, of the slider's knob, of its groove."""
        for name, strokes in STROKES.items():
            self._shown[name].paste(draw(strokes, self.side, colour))
        self._shown["knob"].paste(draw([[(12, 12), (12, 12.1)]], self.side, accent, 17))
        self._shown["groove"].paste(draw([[(4, 12), (20, 12)]], self.side, line, 5))


def draw(strokes: list, side: int, colour: str, width: float = LINE) -> Image.Image:
    """Strokes as an RGBA picture of side x side px; width: of the line, in units of the grid."""
    unit = side * FINE / GRID
    mask = Image.new("L", (side * FINE, side * FINE))
    pencil, reach = ImageDraw.Draw(mask), width * unit / 2
    for stroke in strokes:
        points = [(x * unit, y * unit) for x, y in stroke]
        pencil.line(points, 255, round(width * unit), joint="curve")
        for x, y in (points[0], points[-1]):
            pencil.ellipse((x - reach, y - reach, x + reach, y + reach), 255)
    picture = Image.new("RGBA", mask.size, colour)
    picture.putalpha(mask)
    return picture.resize((side, side), Image.Resampling.LANCZOS)
