"""The toolbar's pictures, drawn from strokes in the theme's colour at the display's resolution."""
import json
from pathlib import Path

import numpy as np
from PIL import Image

from apps.toolkit import ImageTk, tk
from common import pen_strokes

GRID = 24           # the strokes' unit is 1/GRID of a side
LINE = 1.9
APP_SIDE, APP_COLOUR = 64, "#3556d4"   # of the windows' icons

# The strokes of each icon, each a list of points [x, y].
STROKES = json.loads(Path(__file__).with_name("icons.json").read_text(encoding="utf-8"))


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


def app_icon(root: tk.Tk, name: str) -> ImageTk.PhotoImage:
    """An icon for a window: white in a coloured square, so that it shows on a bar of any colour."""
    picture = Image.new("RGB", (APP_SIDE, APP_SIDE), APP_COLOUR)
    picture.paste(drawn := draw(STROKES[name], APP_SIDE, "#ffffff", 2 * LINE), mask=drawn)
    return ImageTk.PhotoImage(picture, master=root)


def draw(strokes: list, side: int, colour: str, width: float = LINE) -> Image.Image:
    """Strokes as an RGBA picture of side x side px; width: of the line, in units of the grid."""
    cover = np.zeros((side, side), np.uint8)
    pen_strokes.trace(cover, [np.float32(points) * (side / GRID) for points in strokes], width * side / GRID)
    picture = Image.new("RGBA", (side, side), colour)
    picture.putalpha(Image.fromarray(cover))
    return picture
