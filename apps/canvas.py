"""The drawing pad of all apps: takes pen strokes, erases them, and shows over them what was read."""
import sys
from collections.abc import Callable, Iterable

from apps import boxes
from apps.gestures import Erasing, Selecting, Writing
from apps.ink import Ink
from apps.overlay import Overlay
from apps.strokes import Drawing, Stroke
from apps.theme import Looks
from apps.toolkit import tk
from apps.widgets import scrolled

CURSORS = {"pen": "pencil", "eraser": "circle", "select": "crosshair"}
SELECTED = 8             # px around the selection
ZOOMS, ZOOM_STEP = (0.1, 8.0), 1.2
WHEEL = 1 if sys.platform == "darwin" else 120   # an event's delta for one step of the wheel
FRAME = 40               # px at 96 dpi around the content of the page


class Pad(tk.Canvas):
    """Takes strokes from a mouse, touchpad or pen.

    on_change() is called after each change of the drawing, on_zoom() when the zoom changes, and on_tap(x, y) when the
    pen only taps: if that returns True, the tap leaves no dot.  Points are in px of the page, which can be zoomed and
    scrolled.
    """

    def __init__(self, parent, looks: Looks, hint: str, on_change: Callable[[], None],
                 on_tap: Callable[[float, float], bool], on_zoom: Callable[[], None]):
        """hint: what an empty pad says."""
        super().__init__(parent, highlightthickness=0, borderwidth=0, takefocus=True,
                         xscrollcommand=lambda *part: self._scrolled("x", *part),
                         yscrollcommand=lambda *part: self._scrolled("y", *part))
        self.bars = scrolled(self, "yx")
        self.zoom = 1.0                    # px of the widget per px of the page
        self.drawing = Drawing(self._watch)
        self.ink, self.overlay = Ink(self, self.drawing), Overlay(self, looks)
        self.looks, self.hint = looks, hint
        self.pen_width = 5 * looks.scale   # px
        self.tool, self.whole = "pen", False   # whole: the eraser removes whole strokes
        self.selected: tuple[Stroke, ...] = ()
        self.on_change, self.on_tap, self.on_zoom = on_change, on_tap, on_zoom
        self._traced: Stroke | None = None   # whose line is already shown
        self._gesture: Writing | Erasing | Selecting | None = None
        self._button = 0
        self.restyle()
        self._listen()

    def _listen(self) -> None:
        for button in (1, 2, 3):  # the other buttons always erase
            self.bind(f"<ButtonPress-{button}>", lambda event, number=button: self._press(event, number))
            self.bind(f"<B{button}-Motion>", self._move)
            self.bind(f"<ButtonRelease-{button}>", lambda event, number=button: self._release(event, number))
        for wheel, turn in (("<Button-4>", 1), ("<Button-5>", -1), ("<MouseWheel>", 0)):
            self.bind(wheel, lambda event, turn=turn: self._wheel(event, turn or event.delta / WHEEL))
        self.bind("<Motion>", self._hover)
        self.bind("<Leave>", lambda event: self.delete("eraser"))
        self.bind("<Configure>", self._resize)

    # ---- what the pen does

    def _press(self, event, button: int) -> None:
        self.focus_set()
        if self._gesture is not None:
            return
        self._button = button
        self.show_drop("")  # it is still there if the program that was dragging has died
        x, y = self.on_page(event.x, event.y)
        if button > 1 or self.tool == "eraser":
            self._gesture = Erasing(self, x, y)
            self._gesture.move(x, y)
        else:
            self._gesture = (Selecting if self.tool == "select" else Writing)(self, x, y)
        self.show_hint()

    def _move(self, event) -> None:
        if self._gesture is not None:
            self._gesture.move(*self.on_page(event.x, event.y))

    def _release(self, event, button: int) -> None:
        if self._gesture is None or button != self._button:
            return
        self._gesture.end(*self.on_page(event.x, event.y))
        self._gesture = None
        self.show_hint()

    def cancel(self) -> None:
        """Cancel the current gesture and clear the selection."""
        if self._gesture is not None:
            self._gesture.discard()
        self._gesture = None
        self.select(())

    def _hover(self, event) -> None:
        if self.tool == "eraser":
            self.overlay.show_eraser(*self.on_page(event.x, event.y), self.eraser_radius)

    @property
    def eraser_radius(self) -> float:
        """The eraser's radius in px."""
        return 1.2 * self.pen_width + 5 * self.looks.scale

    def choose(self, tool: str) -> None:
        """Take a tool: "pen", "eraser" or "select"."""
        self.tool = tool
        self.delete("eraser")
        self.select(())
        self.configure(cursor=CURSORS[tool])

    def select(self, strokes: Iterable[Stroke]) -> None:
        """Select and frame strokes, to be moved or deleted."""
        self.selected = tuple(strokes)
        self.overlay.show_selection(self.selected_box)

    @property
    def selected_box(self) -> boxes.Box | None:
        """The box around the selection."""
        return boxes.around(stroke.box for stroke in self.selected).grown(SELECTED) if self.selected else None

    # ---- the visible part of the page

    def on_page(self, x: float, y: float) -> tuple[float, float]:
        """The point of the page under a point of the widget."""
        return (x + self.ink.origin[0]) / self.zoom, (y + self.ink.origin[1]) / self.zoom

    def content(self) -> boxes.Box | None:
        """The box of everything on the page; None: it is empty."""
        found = [stroke.box for stroke in self.drawing.strokes] + [self.ink.image_box] * bool(self.drawing.image)
        return boxes.around(found) if found else None

    def _wheel(self, event, turn: float) -> None:
        if event.state & 0x4:      # Control
            self.show_page(self.zoom * ZOOM_STEP ** turn, (event.x, event.y))
        elif self._gesture is None:
            scroll = self.xview_scroll if event.state & 0x1 else self.yview_scroll
            scroll(round(-turn) or (-1 if turn > 0 else 1), "units")   # touchpads turn it by fractions of a step

    def show_page(self, zoom: float, at: tuple[float, float]) -> None:
        """Show the page at this zoom; the point at `at`, in px of the widget, stays in place."""
        x, y = self.on_page(*at)
        zoom = min(max(zoom, ZOOMS[0]), ZOOMS[1])
        if self._gesture is None and zoom != self.zoom:
            self.zoom = zoom
            self._set_region()
            left, top, right, bottom = map(float, self.cget("scrollregion").split())
            self.xview_moveto((x * zoom - at[0] - left) / (right - left))
            self.yview_moveto((y * zoom - at[1] - top) / (bottom - top))
            self.overlay.show_selection(self.selected_box)
            self.on_zoom()

    def _page(self) -> boxes.Box:
        """The box of the page from its corner, or from content beyond that, to the end of its content."""
        content, side = self.content() or boxes.Box(0, 0, 1, 1), self.looks.px(FRAME)
        return boxes.between([place - side if place < 0 else 0 for place in content[:2]],
                             (content.right + side, content.bottom + side))

    def fit(self) -> None:
        """Show the whole page, at its own size or smaller."""
        shown = self._page()
        width, height = (side - 2 for side in (self.master.winfo_width(), self.master.winfo_height()))   # without bars
        zoom = min(1.0, width / shown.width, height / shown.height)
        self.show_page(zoom, (0, 0))
        self._set_region()
        self.xview_moveto(0)
        self.yview_moveto(0)

    def _set_region(self) -> None:
        """Let the scroll region cover all content of the page, and at least the widget."""
        view = boxes.around([boxes.Box(0, 0, self.winfo_width(), self.winfo_height()), self._page().scaled(self.zoom)])
        self.configure(scrollregion=(view.x, view.y, view.right, view.bottom))

    def _scrolled(self, which: str, first: str, last: str) -> None:
        """Tk has scrolled: show the ink of the part that is visible now."""
        self.bars[which].set(first, last)
        seen = self.zoom, (self.canvasx(0), self.canvasy(0))
        if seen != (self.ink.zoom, self.ink.origin):
            self.ink.view(*seen)

    # ---- the drawing

    def undo(self) -> None:
        """Undo the last step."""
        self.cancel()
        self.drawing.undo()

    def clear(self) -> None:
        """Remove the selection, or everything if there is none."""
        selected = self.selected
        self.cancel()
        if selected:
            self.drawing.remove(selected)
        else:
            self.drawing.replace()

    def take(self, stroke: Stroke) -> None:
        """Add a stroke whose line is already traced."""
        self._traced = stroke
        self.drawing.add(stroke)
        self._traced = None

    def _watch(self, changed: set[Stroke]) -> None:
        """The drawing has changed: show it."""
        if isinstance(self._gesture, Erasing):
            self.ink.redraw(self._gesture.reach)
        elif changed - {self._traced}:
            self.ink.redraw(boxes.around(stroke.box for stroke in changed))
        if set(self.selected) - set(self.drawing.strokes) and not isinstance(self._gesture, Selecting):
            self.select(())
        self.ink.show_image(self.drawing.image)
        self.overlay.on_picture = self.drawing.image is not None
        self._set_region()
        self.show_hint()
        self.on_change()

    # ---- what is shown

    def restyle(self) -> None:
        """Apply the theme's colours and the text size."""
        self.configure(background=self.looks.theme.pad.paper)
        self.ink.recolour(self.looks.theme.pad)
        self.choose(self.tool)
        self.show_hint()

    def show_hint(self) -> None:
        """Show the hint if the pad is empty."""
        busy = self.drawing or self._gesture or self.find_withtag("drop")
        self.overlay.show_hint("" if busy else self.hint)

    def show_drop(self, text: str) -> None:
        """Show that what is dragged over the pad can be dropped here; "" ends that."""
        self.overlay.show_drop(text)
        self.show_hint()

    def _resize(self, event) -> None:
        self.ink.resize(event.width, event.height)
        self._set_region()
        self.show_hint()
