"""How the windows look: colours, sizes and the style of Tk's widgets, the same on every system."""
import contextlib
from collections.abc import Callable
from typing import NamedTuple

from apps import icons
from apps.toolkit import font, tk, ttk
from common import settings

TEXT_SIZES = (70, 220)           # %
LEAST = 640, 420                 # px at 96 dpi: the smallest window, ...
LARGER = 0.55                    # ... times this share of the text size, where that is more


# Tk's own file dialog, on X11: its list gets the theme's colours in place of its own.
DIALOG = """
auto_load ::tk::IconList
foreach {method own themed} {
    Create {white} {[ttk::style lookup TEntry -fieldbackground]}
    Create {set fill black} {set fill [ttk::style lookup . -foreground]}
    DrawSelection {-fill black} {-fill $fill}
} {
    set body [lindex [info class definition ::tk::IconList $method] 1]
    oo::define ::tk::IconList method $method {} [string map [list $own $themed] $body]
}
"""


class Colours(NamedTuple):
    """Colours of the pad."""
    paper: str
    ink: str
    text: str            # characters that were read
    unsure: str          # ... with little confidence
    corrected: str       # ... by hand
    box: str             # frames, brackets, the eraser
    faint: str           # doubtful lines, and what an empty pad says


class Theme(NamedTuple):
    """One palette, from which everything takes its colours."""
    window: str
    raised: str          # fields, buttons under the pointer
    line: str            # borders
    text: str
    muted: str
    accent: str
    on_accent: str
    warning: str         # background of messages
    pad: Colours


THEMES = {
    "light": Theme("#f3f4f6", "#ffffff", "#d5d9e0", "#1d2433", "#626b7b", "#3556d4", "#ffffff", "#fdecc8",
                   Colours("#ffffff", "#17213f", "#3556d4", "#c05406", "#1f8343", "#4f69d8", "#626b7b")),
    "dark": Theme("#171a21", "#262b36", "#39404e", "#e7eaf0", "#9aa4b5", "#8aa5ff", "#10131a", "#4a3812",
                  Colours("#1f232d", "#f2f4fa", "#94adff", "#ffb066", "#77d797", "#7389d8", "#9aa4b5")),
}


class Looks:
    """The theme and the text size of a window, which can change while it is open."""

    def __init__(self, root: tk.Tk, theme: str, text_size: int):
        """text_size: % of the system's.  Raises settings.SettingsError if there is no such theme."""
        settings.one_of("theme", theme, THEMES)
        self._root, self.name = root, theme
        self.text_size = min(max(text_size, TEXT_SIZES[0]), TEXT_SIZES[1])
        self.parts: list = []      # of the window; each has restyle(), which applies the colours and the text size
        with contextlib.suppress(tk.TclError):   # another system's dialog, or another version of Tk
            root.tk.eval(DIALOG)
        self.scale = max(1.0, root.winfo_fpixels("1i") / 96)   # px of this display per px at 96 dpi
        self.icons = icons.Icons(root, self.px(20))
        self._fonts = {name: font.nametofont(name).actual()["size"] for name in font.names(root)
                       if name.startswith("Tk")}

    @property
    def theme(self) -> Theme:
        """The palette in use."""
        return THEMES[self.name]

    def px(self, number: float) -> int:
        """Px of this display for a number of px at 96 dpi."""
        return round(number * self.scale)

    def font(self, points: float) -> tuple[str, int]:
        """The font that has this size at the usual text size."""
        return "TkDefaultFont", round(points * self.text_size / 100)

    def switch_theme(self) -> None:
        """Switch between light and dark."""
        self.name = "dark" if self.name == "light" else "light"
        self.apply()

    def set_text_size(self, percent: int) -> None:
        """Make all text larger or smaller."""
        self.text_size = min(max(percent, TEXT_SIZES[0]), TEXT_SIZES[1])
        self.apply()

    def apply(self) -> None:
        """Show the window in this theme and text size."""
        theme = self.theme
        for name, size in self._fonts.items():
            font.nametofont(name).configure(size=round(size * self.text_size / 100))
        self.icons.paint(theme.text, theme.accent, theme.line)
        self._root.configure(background=theme.window)
        self._root.minsize(*(self.px(side * max(1.0, LARGER * self.text_size / 100)) for side in LEAST))
        style = ttk.Style(self._root)
        style.theme_use("clam")
        for name, options in widgets(theme, self.px).items():
            style.configure(name, **options)
        for name, options in states(theme).items():
            style.map(name, **options)
        if "Round.slider" not in style.element_names():  # clam's own slider is a bevelled box
            style.element_create("Round.slider", "image", self.icons["knob"])
            style.element_create("Round.trough", "image", self.icons["groove"], border=(self.px(6), 0), sticky="ew")
        style.layout("Horizontal.TScale", [("Round.trough", {"sticky": "ew", "children": [
            ("Round.slider", {"side": "left", "sticky": ""})]})])
        for part in self.parts:
            part.restyle()


def widgets(theme: Theme, px: Callable[[float], int]) -> dict[str, dict]:
    """Options of ttk's widgets by style: flat, with room to breathe."""
    def filled(colour: str) -> dict:
        return dict(background=colour, lightcolor=colour, darkcolor=colour)

    button = dict(padding=(px(8), px(6)), borderwidth=1, width=0)
    tool = button | filled(theme.window) | dict(bordercolor=theme.window)
    return {
        ".": dict(filled(theme.window), foreground=theme.text, bordercolor=theme.line, troughcolor=theme.line,
                  focuscolor=theme.accent, relief="flat"),
        "Status.TLabel": dict(foreground=theme.muted),
        "Key.TLabel": dict(foreground=theme.accent),
        "Banner.TLabel": dict(background=theme.warning, padding=px(8)),
        "Tool.TButton": tool,
        "Tool.Toolbutton": tool,
        "Status.TMenubutton": tool | dict(padding=(px(6), px(3)), arrowcolor=theme.muted, arrowsize=px(4)),
        "TButton": button | filled(theme.raised),
        "Alternative.TButton": dict(justify="center", anchor="center", padding=(px(6), px(4))),
        "Accent.TButton": button | filled(theme.accent) | dict(foreground=theme.on_accent, bordercolor=theme.accent),
        "TCheckbutton": dict(indicatorbackground=theme.raised, indicatorforeground=theme.on_accent,
                             upperbordercolor=theme.muted, lowerbordercolor=theme.muted, indicatorsize=px(12),
                             padding=(px(6), px(4))),
        "TEntry": dict(fieldbackground=theme.raised, insertcolor=theme.text, padding=px(6),
                       selectbackground=theme.accent, selectforeground=theme.on_accent),
        "TProgressbar": filled(theme.accent) | dict(bordercolor=theme.line, thickness=px(12)),
        "TMenubutton": dict(arrowcolor=theme.text),
        "Treeview": filled(theme.raised) | dict(fieldbackground=theme.raised, foreground=theme.text, rowheight=px(36)),
        "Heading": filled(theme.window),
        "Line.TFrame": dict(background=theme.line),
        "TScrollbar": filled(theme.muted) | dict(troughcolor=theme.window, bordercolor=theme.window, gripcount=0,
                                                 arrowcolor=theme.muted, arrowsize=px(13)),
        "Card.TFrame": dict(background=theme.raised, bordercolor=theme.line, borderwidth=1, relief="solid"),
        "Bare.TFrame": dict(background=theme.raised),
        "Card.TLabel": dict(background=theme.raised),
        "Card.TCheckbutton": dict(background=theme.raised),
        "Muted.Card.TLabel": dict(foreground=theme.muted),
    }


def states(theme: Theme) -> dict[str, dict]:
    """Options of ttk's widgets by style while they are pressed, selected, focused or under the pointer."""
    filled = [("pressed", theme.line), ("active", theme.raised), ("selected", theme.raised)]
    button = dict(background=filled, lightcolor=filled, darkcolor=filled, foreground=[("disabled", theme.muted)],
                  bordercolor=[("selected", theme.accent), ("focus", theme.accent), ("active", theme.line)])
    lit = [("active", theme.pad.box)]
    focus = [("focus", theme.accent)]
    return {
        **dict.fromkeys(("Tool.TButton", "Tool.Toolbutton", "Status.TMenubutton", "TButton"), button),
        "Accent.TButton": dict(background=lit, lightcolor=lit, darkcolor=lit, foreground=[], bordercolor=[]),
        "TCheckbutton": dict(background=[("active", theme.window)], foreground=focus,
                             indicatorbackground=[("selected", theme.accent)]),
        "TEntry": dict(bordercolor=focus, lightcolor=focus),
        "Treeview": dict(background=[("selected", theme.accent)], foreground=[("selected", theme.on_accent)]),
        "Heading": dict(background=[("active", theme.raised)]),
        "TScrollbar": dict(background=[("disabled", theme.window)]),
    }
