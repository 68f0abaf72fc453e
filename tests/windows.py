"""What the tests of the drawing apps share: opened windows, a pointer that drags, other programs."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from common import runs
from tools import ui_driver
from tools.ui_driver import Driver

ROOT = Path(__file__).resolve().parents[1]
MODELS_PATH = str(ROOT / "Models")
MODELS = runs.list_runs(MODELS_PATH)
LIVE = [sys.executable, str(ROOT / "textrecog_ui.py"), "--state_path=none"]
X11 = sys.platform not in ("win32", "darwin")
OWN_DISPLAY = X11 and bool(shutil.which("Xvfb"))   # leaves a person's pointer and clipboard alone
needs_xdotool = pytest.mark.skipif(not (OWN_DISPLAY and shutil.which("xdotool")), reason="needs Xvfb and xdotool")


def opened(script: str, **config):
    """A Driver on a new app with the shipped networks, which is closed afterwards."""
    return ui_driver.opened(script, **{"models_path": MODELS_PATH} | config)


class Dragging:
    """tests/apps/drag_source.py and the pointer, on an app's display."""

    def __init__(self, driver: Driver, kind: str, *data: str):
        self.driver = driver
        self.source = subprocess.Popen([sys.executable, str(ROOT / "tests/apps/drag_source.py"), kind, *data],
                                       stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        assert self.source.stdout.readline() == "ready\n"
        self.pointer("mousemove", 1220, 40, "mousedown", 1, "mousemove", 1230, 50, "mousemove", 1220, 100)
        return self

    def pointer(self, *commands) -> None:
        """Move the pointer with xdotool's commands while the window runs."""
        tool = subprocess.Popen(["xdotool", *map(str, commands)])
        self.driver.wait(lambda: tool.poll() is not None, "xdotool's end", 10)

    def over(self, x: int, y: int) -> None:
        """Drag to a place in the window."""
        root = self.driver.app.root
        self.pointer("mousemove", root.winfo_rootx() + x, root.winfo_rooty() + y, "mousemove_relative", 1, 1)
        self.driver.wait(lambda: self.driver.app.pad.find_withtag("drop"), "the frame", 10)

    def outside(self) -> None:
        """Drag to where there is no window."""
        self.pointer("mousemove", 1270, 790)
        self.driver.wait(lambda: not self.driver.app.pad.find_withtag("drop"), "a pad without a frame", 10)

    def drop(self) -> None:
        """Let go; the source must be told to leave its file where it is."""
        self.pointer("mouseup", 1)
        self.driver.wait(lambda: not self.driver.app.pad.find_withtag("drop"), "a pad without a frame", 10)
        assert self.source.stdout.readline() == "copy\n"

    def __exit__(self, *error):
        self.source.kill()
        self.source.wait()
        self.source.stdout.close()
        self.pointer("mouseup", 1)


def drop(driver: Driver, *data: str | Path, kind: str = "text/uri-list") -> None:
    """Drag files, or other data, over the pad, and let go."""
    with Dragging(driver, kind, *(item.as_uri() if isinstance(item, Path) else item for item in data)) as dragging:
        dragging.over(300, 300)
        dragging.drop()


def recogscript(picture: Path) -> str:
    """What recogScript.py prints for a picture."""
    done = subprocess.run([sys.executable, str(ROOT / "recogScript.py"), str(picture)], capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.removesuffix("\n")


def letters(text: str) -> str:
    """A text without spaces or newlines."""
    return "".join(text.split())


def zigzag(box, inset: float = 0) -> list[tuple[float, float]]:
    """A path that covers a box."""
    return [(x, y) for y in np.arange(box.y, box.bottom + 8, 8) for x in (box.x + inset, box.right - inset)]


def click_character(live: Driver, number: int) -> None:
    left, top, right, bottom = live.app.pad.bbox(f"read{number}")
    live.click((left + right) / 2, (top + bottom) / 2)


def type_in(live: Driver, text: str, word: bool = False) -> None:
    """Type into the popup, replacing the clicked character or the whole word."""
    entry = live.app.popup.entry
    if word:
        entry.selection_range(0, "end")
    entry.delete("sel.first", "sel.last")
    entry.insert("insert", text)
    entry.event_generate("<Return>")
    live.app.root.update()


def edit(live: Driver, number: int, cursor: int | str, *keys: str) -> None:
    """Click a character, put the cursor into the popup's word, and press keys."""
    click_character(live, number)
    live.app.popup.entry.selection_clear()
    live.app.popup.entry.icursor(cursor)
    for key in keys:
        live.app.root.update()
        live.app.popup.entry.event_generate(f"<{key}>")
    live.app.root.update()


def clipboard_elsewhere(driver: Driver) -> str:
    """The text on the clipboard, as another program sees it."""
    code = "import sys, tkinter; sys.stdout.buffer.write(tkinter.Tk().clipboard_get().encode())"
    return output_of(driver, sys.executable, "-c", code)


def output_of(driver: Driver, *command: str) -> str:
    """What another program prints while the window, which it may query, keeps running."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          env=os.environ | {"DISPLAY": driver.app.root.winfo_screen()}) as other:
        driver.wait(lambda: other.poll() is not None, "the other program's end")
        return other.stdout.read().decode()


def launch(*arguments: str, code: str = "", **environment) -> subprocess.CompletedProcess:
    command = ["-c", code, *arguments] if code else [str(ROOT / arguments[0]), *arguments[1:]]
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=60, cwd=ROOT,
                          env=kept | environment)
