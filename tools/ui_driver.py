"""Uses the drawing apps as a person would: for the tests, the benchmark and the pictures in the README.

Events go through Tk as those of a mouse do; the writing comes from tools/draw_samples.py.
"""
import contextlib
import importlib
import os
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np

from apps import memory
from common import errors
from tools import draw_samples

SPACING = 5   # px between two events of a fast pen


class DriverError(errors.UserError):
    """What should have happened in a window did not, or no window can be opened."""


@contextlib.contextmanager
def display(size: tuple[int, int] = (1280, 800), dpi: int = 96, always: bool = False) -> Iterator[str | None]:
    """Provides a display: the existing one or, if there is none or if `always`, an Xvfb; yields its name."""
    if not always and (os.environ.get("DISPLAY") or sys.platform in ("win32", "darwin")):
        yield os.environ.get("DISPLAY")
        return
    import pyvirtualdisplay
    try:
        server = pyvirtualdisplay.Display(backend="xvfb", size=size, dpi=dpi)
    except FileNotFoundError:
        raise DriverError("there is no display, and Xvfb is not installed: sudo apt install xvfb") from None
    with server:
        yield f":{server.display}"


def start(script: str, **changed):
    """The app of a script, such as "textrecog_ui", with some of its settings changed."""
    module = importlib.import_module(script)
    app_class = next(found for found in vars(module).values()
                     if isinstance(found, type) and found.__module__ == script and hasattr(found, "build"))
    app = app_class(memory.configure(vars(module), {"state_path": memory.NOTHING} | changed))
    app.errors = []
    app.root.report_callback_exception = lambda kind, error, trace: app.errors.append(error)
    return app


@contextlib.contextmanager
def opened(script: str, **changed) -> Iterator["Driver"]:
    """A Driver on the app of a script, which is closed afterwards."""
    app = start(script, **changed)
    try:
        yield Driver(app)
    finally:
        app.close()


class Driver:
    """Writes, clicks and types in one app, and waits for results."""

    def __init__(self, app):
        self.app = app

    def wait(self, seen: Callable[[], object], what: str, seconds: float = 30) -> float:
        """Let the window run until seen() is true; returns the seconds that it took, or raises DriverError."""
        began = time.perf_counter()
        while not seen():
            if time.perf_counter() > began + seconds:
                raise DriverError(f"{what} did not appear within {seconds:g} s")
            self.app.root.update()
            if self.app.errors:
                raise DriverError("an event handler failed") from self.app.errors[0]
            time.sleep(0.001)
        return time.perf_counter() - began

    def rest(self, seconds: float) -> None:
        """Let the window run for a while."""
        end = time.perf_counter() + seconds
        self.wait(lambda: time.perf_counter() >= end, "the end of a pause", seconds + 30)

    def ready(self) -> None:
        """Wait for the network."""
        self.app.root.update()
        self.wait(lambda: not self.app.session.loading, "the network", 60)

    def read(self) -> None:
        """Wait until everything on the pad has been read."""
        self.wait(lambda: self.app.session.current or not self.app.pad.drawing, "a reading")

    def stroke(self, points, button: int = 1, between: Callable[[], object] = lambda: None) -> None:
        """Move the mouse along points with a button down; between() is called before each move."""
        points = [(round(float(x)), round(float(y))) for x, y in points]
        pad = self.app.pad
        pad.event_generate(f"<ButtonPress-{button}>", x=points[0][0], y=points[0][1])
        for x, y in points[1:]:
            between()
            pad.event_generate(f"<B{button}-Motion>", x=x, y=y)
        pad.event_generate(f"<ButtonRelease-{button}>", x=points[-1][0], y=points[-1][1])

    def write(self, text: str, x: float, y: float, height: float = 70, seed: int = 3, cursive: bool = False,
              slant: float = 0.0) -> None:
        """Write lines of text, or one cursive line, with the first baseline at y.  slant: to the right."""
        strokes = (draw_samples.cursive_strokes(text, height, seed) if cursive else
                   draw_samples.strokes_of(text.split("\n"), height, seed))
        for points in strokes:
            points = np.vstack([points[::SPACING], points[-1:]])
            self.stroke(points - np.outer(points[:, 1], (slant, 0)) + (x, y))   # y is negative above the first baseline

    def character(self, character: str, x: float, y: float, scale: float = 1.0, seed: int = 1) -> None:
        """Draw one of the samples' characters, about 150 px large."""
        random = np.random.default_rng(seed)
        for points in draw_samples.STROKES[character]:
            self.stroke(draw_samples.curve(np.array(points, float) * scale, 1.0, random)[::SPACING] + (x, y))

    def click(self, x: float, y: float) -> None:
        """Click on the pad."""
        self.stroke([(x, y)])
        self.app.root.update()

    def press(self, key: str) -> None:
        """Press a key, given by its Tk name, where the focus is."""
        self.app.root.focus_force()
        self.app.root.update()
        (self.app.root.focus_get() or self.app.root).event_generate(f"<{key}>")
        self.app.root.update()

    def shown(self) -> list[str]:
        """The characters shown on the pad."""
        pad = self.app.pad
        return [pad.itemcget(item, "text") for item in pad.find_withtag("read") if pad.type(item) == "text"]
