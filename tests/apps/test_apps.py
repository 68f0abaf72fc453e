"""The drawing apps, in real windows: strokes drawn by mouse events, buttons pressed, and what is then to be seen."""
import contextlib
import importlib
import importlib.util
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image, ImageGrab

pytest.importorskip("tkinter", reason="Python's tkinter is missing")

from apps import commands, corrections, jobs, learning, page, strokes, widgets, worker
from apps.boxes import Box
from apps.theme import THEMES
from apps.toolkit import ttk
from common import alphabets, glyph, runs
from reading.readings import Character, Line, Reading, Word
from tools import benchmark_apps, draw_samples, ui_driver
from tools.ui_driver import Driver
from training import corrections_store

ROOT = Path(__file__).resolve().parents[2]
MODELS_PATH = str(ROOT / "Models")
MODELS = runs.list_runs(MODELS_PATH)
LIVE = [sys.executable, str(ROOT / "textrecog_ui.py"), "--state_path=none"]
X11 = sys.platform not in ("win32", "darwin")
OWN_DISPLAY = X11 and bool(shutil.which("Xvfb"))   # where a person works, the pointer and the clipboard are theirs


@pytest.fixture(scope="module")
def display():
    try:
        with ui_driver.display(always=OWN_DISPLAY) as name:
            yield name
    except ui_driver.DriverError as error:
        pytest.skip(str(error))


@contextlib.contextmanager
def opened(script: str, **config):
    """A Driver on an app of its own."""
    app = ui_driver.start(script, **{"models_path": MODELS_PATH} | config)
    try:
        yield Driver(app)
    finally:
        app.close()


@pytest.fixture(scope="module")
def live_app(display, tmp_path_factory):
    with opened("textrecog_ui", corrections_path=str(tmp_path_factory.mktemp("kept"))) as driver:
        driver.ready()
        yield driver


@pytest.fixture
def live(live_app):
    """textrecog_ui with an empty pad."""
    app = live_app.app
    app.pad.clear()
    app.toolbar.choose("pen")
    app.remember.set(False)
    app.escape()
    return live_app


@pytest.fixture(scope="module")
def everything_app(display):
    with opened("tkRecogAll") as driver:
        driver.ready()
        yield driver


@pytest.fixture
def everything(everything_app):
    """tkRecogAll with an empty pad, above the other windows."""
    app = everything_app.app
    app.root.lift()
    app.pad.clear()
    app.message("")
    return everything_app


@pytest.fixture(scope="module")
def single(display):
    with opened("tkRecogIndv") as driver:
        driver.ready()
        yield driver


class Dragging:
    """tests/apps/drag_source.py and the pointer, on the display of an app."""

    def __init__(self, driver: Driver, kind: str, *data: str):
        self.driver = driver
        self.source = subprocess.Popen([sys.executable, str(ROOT / "tests/apps/drag_source.py"), kind, *data],
                                       stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        assert self.source.stdout.readline() == "ready\n"
        self.pointer("mousemove", 1220, 40, "mousedown", 1, "mousemove", 1230, 50, "mousemove", 1220, 100)
        return self

    def pointer(self, *commands) -> None:
        """Move the pointer, with xdotool's commands, while the window works."""
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
    """Drag files, or what else is offered, over the pad, and let go."""
    with Dragging(driver, kind, *(item.as_uri() if isinstance(item, Path) else item for item in data)) as dragging:
        dragging.over(300, 300)
        dragging.drop()


needs_xdotool = pytest.mark.skipif(not (OWN_DISPLAY and shutil.which("xdotool")), reason="needs Xvfb and xdotool")


def recogscript(picture: Path) -> str:
    """What recogScript.py prints for a picture."""
    done = subprocess.run([sys.executable, str(ROOT / "recogScript.py"), str(picture)], capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.removesuffix("\n")


def letters(text: str) -> str:
    """A text without spaces and newlines."""
    return "".join(text.split())


def zigzag(box, inset: float = 0) -> list[tuple[float, float]]:
    """A path over all of a box."""
    return [(x, y) for y in np.arange(box.y, box.bottom + 8, 8) for x in (box.x + inset, box.right - inset)]


# ---- textrecog_ui

def test_text_appears_as_it_is_written(live):
    live.write("Hello", 40, 120)
    live.read()
    assert live.app.field.text == "Hello"
    assert live.shown() == list("Hello")
    live.write("then 25", 340, 120)
    live.read()
    assert live.app.field.text == "Hello then 25"
    assert re.fullmatch(r"\d+ ms   ·   \d+ % sure", live.app.status.text.cget("text"))
    under = [live.app.pad.bbox(f"read{number}") for number in range(11)]
    ink = [place.character.box for place in live.app.shown]
    assert all(label[1] >= box.bottom - 2 and abs(label[0] + label[2] - box.x - box.right) < 8
               for label, box in zip(under, ink))


def test_the_text_can_be_selected_and_the_keys_work_there(live):
    app = live.app
    live.write("Hello", 40, 120)
    live.read()
    app.root.lift()
    app.field.focus_force()
    live.wait(lambda: app.root.focus_get() is app.field, "the focus", 5)
    for key in ("a", "Return", "BackSpace"):
        app.field.event_generate(f"<{key}>")
    assert app.field.text == "Hello"
    app.field.tag_add("sel", "1.0", "1.4")
    app.field.event_generate("<Control-c>")
    assert app.root.clipboard_get() == "Hell", "what is selected"
    app.field.event_generate("<Control-z>")
    assert len(app.pad.drawing.strokes) and app.pad.drawing.undone
    app.message("a message")
    app.field.event_generate("<Escape>")
    assert not app.banner.cget("text")
    app.field.event_generate("<Tab>")
    app.root.update()
    assert app.root.focus_get() is not app.field


def test_finished_words_stand_still_and_a_slip_of_the_pen_changes_nothing(live):
    live.write("Hello", 40, 120)
    live.read()
    live.write("then", 340, 120)
    live.read()
    word = live.app.reading.lines[0].words[0]   # finished, now that the next has begun
    live.write("25", 640, 120)
    live.read()
    assert live.app.field.text == "Hello then 25"
    kept = live.app.reading.lines[0].words[0]
    assert [one is other for one, other in zip(kept.characters, word.characters)] == [True] * 5, "not read again"
    live.click(900, 400)
    live.read()
    assert len(live.app.pad.drawing.strokes) and live.app.field.text == "Hello then 25", "a dot far away is no text"
    live.rest(2.3)
    together = live.app.reading.lines[0].words[0].characters[0]
    assert together is not word.characters[0], "the pen rests: all is read together"
    live.stroke([(60, 60), (64, 110)])
    live.read()
    assert live.app.reading.lines[0].words[0].characters[0] is not word.characters[0], "its ink has changed"


def test_undo_redo_erase_and_clear_change_the_text(live):
    live.write("tin", 40, 120)
    live.read()
    assert live.app.field.text == "tin"
    strokes = live.app.pad.drawing.strokes
    for key in ("Control-z", "Control-z"):  # n has two strokes
        live.press(key)
    live.read()
    assert live.app.field.text.startswith("t") and len(letters(live.app.field.text)) == 2
    live.press("Control-Shift-Z")
    live.press("Control-y")
    live.read()
    assert live.app.field.text == "tin" and live.app.pad.drawing.strokes == strokes

    live.press("e")
    live.stroke(zigzag(live.app.shown[2].character.box, live.app.pad.eraser_radius))
    live.read()
    assert len(letters(live.app.field.text)) == 2
    live.press("Control-z")
    assert set(live.app.pad.drawing.strokes) == set(strokes), "all that one movement rubbed out is one step"
    live.read()
    assert live.app.field.text == "tin"
    live.press("Delete")
    assert live.app.field.text == "" and live.shown() == [] and not live.app.pad.drawing
    live.press("Control-z")
    live.read()
    assert live.app.field.text == "tin"


def test_the_right_button_rubs_out_only_what_it_meets(live):
    live.stroke([(100, 200), (500, 200)])
    live.stroke([(300, 150), (300, 250)], button=3)
    left, right = live.app.pad.drawing.strokes
    assert left.curve[:, 0].max() < 295 and right.curve[:, 0].min() > 305
    live.app.root.update()
    live.app.pad.ink.show()
    assert not live.app.pad.ink.cover[195:205, 296:304].any() and live.app.pad.ink.cover[200, 150] == 255
    live.press("Control-z")
    assert len(live.app.pad.drawing.strokes) == 1


def test_ink_is_scratched_out_erased_by_strokes_selected_and_moved(live):
    drawing, pad = live.app.pad.drawing, live.app.pad
    live.write("Hello then", 40, 120)
    live.read()
    box, before = live.app.reading.lines[0].words[1].box, drawing.strokes
    x = [box.x - 5, box.right + 5]
    live.stroke([(x[row % 2], box.y + box.height * row / 7) for row in range(8)])
    live.read()
    assert live.app.field.text == "Hello", "scratched out"
    live.press("Control-z")
    assert drawing.strokes == before, "in one step"
    live.press("w")
    live.stroke(zigzag(box), button=3)
    live.read()
    assert live.app.field.text == "Hello", "whole strokes"
    live.press("w")
    live.press("Control-z")
    live.read()
    assert live.app.field.text == "Hello then"

    live.press("s")
    live.stroke([(box.x - 20, box.y - 20), (box.right, 100), (box.right + 20, box.bottom + 20)])
    assert pad.selected and pad.find_withtag("selection")
    live.stroke([(box.x + 20, 100), (box.x + 20, 200), (box.x + 20, 340)])
    live.read()
    assert live.app.field.text == "Hello\nthen", "moved to another line"
    live.press("Control-z")
    assert drawing.strokes == before
    live.stroke([(box.x - 20, box.y - 20), (box.right + 20, box.bottom + 20)])
    live.press("Delete")
    live.read()
    assert live.app.field.text == "Hello" and not pad.find_withtag("selection")
    live.press("p")
    live.stroke([(600, 100), (600, 200), (601, 100), (600, 200), (601, 100), (600, 200), (601, 100)])
    assert pad.drawing.strokes[-1].points[0][0] == 600, "who goes over a line again scratches nothing out"


def test_the_ink_stays_when_the_window_changes_its_size(live):
    root = live.app.root
    live.write("Hello", 40, 120)
    live.read()
    before = live.app.pad.ink.cover[:300, :500].copy()
    for size in ("700x460", "1024x640", "1200x760"):
        root.geometry(size)
        live.wait(lambda size=size: f"{root.winfo_width()}x{root.winfo_height()}" == size, "the new size")
        root.update()
        after = live.app.pad.ink.cover[:300, :500]  # drawn anew in one go: soft edges may differ a little
        assert before.any() and np.abs(after.astype(int) - before).max() < 128
        assert live.app.pad.winfo_height() > 200 and live.app.status.winfo_ismapped()
        assert live.app.field.winfo_rooty() + live.app.field.winfo_height() <= root.winfo_rooty() + root.winfo_height()
    live.stroke([(1000, 300), (1100, 300)])  # where there was no pad before
    assert live.app.pad.ink.cover[300, 1050] == 255


def test_the_page_is_scrolled_and_zoomed_and_shown_as_a_whole(live, tmp_path):
    app, pad = live.app, live.app.pad
    live.write("Hello then 25", 40, 120)
    live.read()
    text, curve = app.field.text, pad.drawing.strokes[0].curve
    pad.event_generate("<Button-4>", x=40, y=120, state=0x4)     # the wheel with Control, above the H
    live.rest(0.1)
    assert pad.zoom > 1.1
    x, y = curve[len(curve) // 2] * pad.zoom - pad.ink.origin
    assert pad.ink.cover[round(y), round(x)] == 255, "the ink is there, larger"
    left, top, right, bottom = pad.bbox("read0")
    assert abs((left + right) / 2 - app.shown[0].character.box.scaled(pad.zoom).x) < 60
    live.stroke([(600, 300), (700, 300)])
    assert np.allclose(pad.drawing.strokes[-1].points[0], pad.on_page(600, 300))
    live.press("Control-z")
    for _ in range(8):
        pad.event_generate("<Button-4>", x=40, y=120, state=0x4)
    live.rest(0.1)
    assert pad.bars["x"].winfo_ismapped() and pad.bars["y"].winfo_ismapped()
    before = pad.ink.origin
    pad.event_generate("<Button-5>", x=40, y=120)
    live.rest(0.1)
    assert pad.ink.origin[1] > before[1], "the wheel alone scrolls"
    live.press("Control-0")
    live.rest(0.1)
    assert pad.zoom == 1 and pad.ink.origin == (0, 0) and not pad.bars["x"].winfo_ismapped()
    live.read()
    assert app.field.text == text

    strokes.save(pad.drawing, tmp_path / "half.json", 0.25)     # as from a display of a quarter of the resolution
    app.files.open_file(str(tmp_path / "half.json"))
    live.read()
    assert app.field.text == text and pad.zoom < 0.7
    last = pad.drawing.strokes[-1].box.scaled(pad.zoom)
    assert pad.drawing.strokes[-1].box.right > pad.winfo_width() > last.right, "larger than the pad, and all is seen"
    app.pad.clear()
    live.press("Control-0")


def test_a_saved_drawing_can_be_opened_and_recogscript_reads_the_same_in_it(live, tmp_path):
    live.write("Hello then 25\nread lines", 40, 120)
    live.read()
    text = live.app.field.text
    assert text == "Hello then 25\nread lines"
    live.app.files.save_file(str(tmp_path / "a.json"))
    live.app.files.save_file(str(tmp_path / "a.png"))
    live.press("Delete")
    live.app.files.open_file(str(tmp_path / "a.json"))
    live.read()
    assert live.app.field.text == text
    assert recogscript(tmp_path / "a.png") == text
    (tmp_path / "b.json").write_text('{"strokes": [[1]]}')
    live.app.files.open_file(str(tmp_path / "b.json"))
    assert "holds no strokes" in live.app.banner.cget("text") and live.app.field.text == text


def test_another_network_of_the_menu_reads_from_then_on(live):
    session, menu = live.app.session, live.app.status.networks
    live.write("Hello", 40, 120)
    live.read()
    first = session.model
    live.app.status.fill_networks()
    labels = [menu.entrycget(row, "label") for row in range(menu.index("end") + 1)]
    assert [label.removesuffix(" (the default)") for label in labels] == [
        runs.describe(session.models_path, name) for name in MODELS]
    assert [label for label in labels if "(the default)" in label] == [
        f"line: words, lines and pages, {runs.DEFAULT} (the default)"]
    other = next(name for name in MODELS if name != first)
    menu.invoke(MODELS.index(other))
    live.wait(lambda: session.answer and session.model == session.answer.model == other, "the other network's reading")
    assert live.app.field.text and other in live.app.status.network.cget("text")
    session.load(first)
    live.wait(lambda: session.answer and session.model == session.answer.model == first, "the first network's reading")
    assert live.app.field.text == "Hello"


def test_a_reading_process_that_dies_is_replaced(live):
    worker, banner = live.app.session.worker, live.app.banner
    os.kill(worker.process.pid, signal.SIGKILL)
    live.wait(lambda: "was started again" in banner.cget("text"), "the message, though nobody had asked it anything", 2)
    live.write("Hello", 40, 120)
    live.read()
    assert live.app.field.text == "Hello" and not banner.winfo_ismapped()
    os.kill(worker.process.pid, signal.SIGSTOP)
    live.write("line", 340, 120)
    assert worker.busy
    os.kill(worker.process.pid, signal.SIGKILL)
    live.wait(lambda: "was started again" in banner.cget("text"), "the message", 2)
    live.read()
    assert live.app.field.text == "Hello line", "what was to be read is read though nothing more is written"
    live.wait(lambda: not banner.winfo_ismapped(), "a window without the message")


def test_a_reading_process_that_does_not_answer_is_replaced(live):
    live.wait(lambda: not live.app.session.worker.busy, "a process with nothing to do")
    stuck = live.app.session.worker.process.pid
    os.kill(stuck, signal.SIGSTOP)
    live.write("Hello", 40, 120)
    live.app.session.worker._until = 0   # as if half a minute had gone by
    live.wait(lambda: "did not answer in time" in live.app.banner.cget("text"), "the message", 5)
    live.read()
    assert live.app.field.text == "Hello" and not psutil.pid_exists(stuck)


@pytest.mark.parametrize("sent", [b"nonsense", b""])
def test_the_reading_process_ends_itself_on_any_error_of_its_pipe(sent):
    one = worker.Worker(print)
    one.start()
    process = one.process
    one._pipe.send_bytes(sent) if sent else one._pipe.close()
    process.join(20)
    assert process.exitcode == 1
    one.close()


def click_character(live: Driver, number: int) -> None:
    left, top, right, bottom = live.app.pad.bbox(f"read{number}")
    live.click((left + right) / 2, (top + bottom) / 2)


def type_in(live: Driver, text: str, word: bool = False) -> None:
    """Type into the popup, in the place of the character that was clicked or of the whole word."""
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


def test_the_popup_covers_no_other_line_where_there_is_room(live):
    live.write("Hello\n\nthen", 40, 160, height=50)
    live.read()
    for number in (1, 6):
        click_character(live, number)
        popup, others = live.app.popup, [line for line in live.app.reading.lines if line is not live.app.shown[
            number].line]
        box = Box(popup.winfo_x(), popup.winfo_y(), popup.winfo_width(), popup.winfo_height())
        assert not any(box.cut(line.box).area for line in others)
        live.press("Escape")


def test_a_click_offers_alternatives_and_a_correction_stays_until_its_ink_goes(live):
    live.write("Hello", 40, 120)
    live.read()
    strokes = len(live.app.pad.drawing.strokes)
    click_character(live, 1)
    assert len(live.app.pad.drawing.strokes) == strokes, "a click on a character leaves no dot"
    offered = [button.cget("text").split() for button in live.app.popup.buttons]
    assert offered[0][0] == "Hello" and all(int(chance) > 0 for _, chance, _ in offered), "nothing unlikely"
    live.click(600, 300)
    assert live.app.popup is None and len(live.app.pad.drawing.strokes) == strokes, "nor does a click that closes it"
    click_character(live, 1)
    type_in(live, "c")
    assert live.app.field.text == "Hcllo" and live.app.popup is None
    live.write("then", 340, 120)
    live.read()
    assert live.app.field.text == "Hcllo then"

    click_character(live, 8)
    type_in(live, "m")
    assert live.app.field.text == "Hcllo them"
    live.press("Control-c")
    assert live.app.root.clipboard_get() == "Hcllo them"

    def corrected() -> bool:
        return isinstance(live.app.shown[1].character, corrections.Corrected)

    assert corrected()
    box = live.app.shown[1].character.box
    live.stroke(zigzag(box, 8), button=3)
    live.read()
    assert not corrected(), "the ink of the correction has been rubbed out"
    live.write("e", box.x - 4, 120)
    live.read()
    assert not corrected(), "other ink in its place is read as it is"
    assert live.app.field.text.endswith("them")


@pytest.mark.parametrize("text", ["minimum", "little", "hello world"])
def test_cursive_is_read(live, text):
    live.write(text, 40, 160, height=90, cursive=True)
    live.read()
    assert live.app.field.text == text
    assert live.shown() == list(text.replace(" ", "")), "each letter is shown under its ink"
    labels = [live.app.pad.bbox(f"read{number}") for number in range(len(live.app.shown))]
    assert all(before[2] <= after[0] for before, after in itertools.pairwise(labels)), "side by side, in order"


def test_corrections_are_kept_only_when_switched_on_and_as_the_network_saw_them(live):
    folder = live.app.config.corrections_path
    live.write("Hello", 40, 120)
    live.read()
    click_character(live, 1)
    type_in(live, "c")
    assert len(corrections_store.read_corrections(folder)[1]) == 0
    live.press("Control-r")
    for number, text in ((0, "N"), (4, "0"), (4, "O")):  # the last was a slip: its label changes
        click_character(live, number)
        type_in(live, text)
    images, labels = corrections_store.read_corrections(folder)
    assert [alphabets.CHARACTERS[label] for label in labels] == ["N", "O"]
    assert np.array_equal(images, [live.app.shown[0].glyph, live.app.shown[4].glyph])
    assert live.app.status.text.cget("text") == "Remembered: 1 word, 2 characters"


def test_words_are_read_where_the_network_for_characters_is_missing(display, tmp_path):
    shutil.copytree(ROOT / "Models" / runs.DEFAULT, tmp_path / runs.DEFAULT)
    with opened("textrecog_ui", models_path=str(tmp_path)) as driver:
        process = driver.app.session.worker.process.pid
        driver.write("Hello world", 40, 120)
        driver.read()
        assert driver.app.field.text == "Hello world" and driver.app.session.worker.process.pid == process


def test_a_correction_leaves_a_neighbour_alone_in_whose_box_it_lies():
    """As an r under the bar of an f."""
    drawing = strokes.Drawing()
    drawing.add(strokes.Stroke(np.float32([[20, 0], [5, 50], [0, 100], [60, 30]]), 4.0),
                strokes.Stroke(np.float32([[40, 60], [48, 40], [58, 42]]), 4.0))

    def reading(*characters: tuple[str, Box]) -> Reading:
        """One word; its glyphs are numbered."""
        read = [Character(text, 0.9, [], box) for text, box in characters]
        word = Word("".join(one.text for one in read), Box(0, 0, 60, 100), 0.9, read, [])
        return Reading(word.text, [Line(word.text, word.box, [word])],
                       lambda: [np.full((28, 28), number) for number in range(len(read))], [True] * len(read))

    f, r = Box(0, 0, 60, 100), Box(38, 38, 21, 24)

    def shown(read: Reading) -> list[corrections.Place]:
        return corrections.places(corrections.apply(read, drawing))

    def correct(number: int, text: str) -> str:
        """The text after one character was corrected."""
        word = corrections.apply(reading(("f", f), ("r", r)), drawing).lines[0].words[0]
        one = replace(word, characters=[word.characters[number]])
        drawing.correct(corrections.retyped(drawing, [one], text))
        return corrections.apply(reading(("f", f), ("r", r)), drawing).text

    assert [correct(1, "e"), correct(0, "t"), correct(0, "k"), correct(0, "")] == ["fe", "te", "ke", "fe"]
    one, = shown(reading(("m", f)))
    assert one.character.text == "e" and one.alone, "with more ink around, both are read as one"
    one, other = shown(reading(("f", Box(38, 38, 10, 24)), ("r", Box(49, 38, 10, 24)), ("s", Box(70, 0, 9, 9))))
    assert one.character.text == "e" and one.character.box == r and not one.alone, "what was one is now read as two"
    assert other.character.text == "s" and (other.glyph == 2).all()


def test_a_word_is_typed_again_parted_joined_and_corrected_back(live):
    live.write("Hello then", 40, 120)
    live.read()

    def text() -> str:
        live.app.root.update()
        return live.app.field.text

    live.press("Right")
    live.press("F2")
    type_in(live, "yellow", word=True)
    assert text() == "yellow then"
    edit(live, 0, "end", "BackSpace", "Return")
    assert text() == "yello then"
    click_character(live, 0)
    type_in(live, "yel lo", word=True)
    assert text() == "yel lo then" and [word.text for word in live.app.reading.lines[0].words] == ["yel", "lo", "then"]
    edit(live, 0, "end", "Delete", "Return")
    assert text() == "yello then", "the space is deleted as in any text"
    edit(live, 5, 0, "x", "Left", "BackSpace", "Return")
    assert text() == "yelloxthen", "what was typed before stays"
    live.press("Control-z")
    edit(live, 0, 0, "BackSpace", "Delete", "BackSpace", "Return")
    assert text() == "ello then", "there is no word before the first"
    live.press("Control-z")
    edit(live, 5, 0, "BackSpace", "Return")
    assert text() == "yellothen"
    undone = []
    for _ in range(5):
        live.press("Control-z")
        undone.append(text())
    assert undone == ["yello then", "yel lo then", "yello then", "yellow then", "Hello then"]
    live.press("Control-y")
    assert text() == "yellow then"
    click_character(live, 0)
    next(button for button in live.app.popup.winfo_children() if button.cget("text") == "As read").invoke()
    assert text() == "Hello then"


def test_the_word_around_a_correction_is_kept_with_its_strokes_and_no_others(live, tmp_path, monkeypatch):
    folder = str(tmp_path / "kept")
    monkeypatch.setattr(live.app.config, "corrections_path", folder)
    live.write("Hello", 40, 120)
    first = len(live.app.pad.drawing.strokes)
    live.write("minimum", 420, 160, height=90, cursive=True)
    live.read()
    assert live.app.field.text == "Hello minimum"
    live.press("Control-r")

    def correct(number: int, text: str) -> list[dict]:
        click_character(live, number)
        type_in(live, text)
        return corrections_store.read_corrected_words(folder)

    word, = correct(6, "y")
    assert word["label"] == "mynimum", "a letter joined to others is no glyph, but its word is known"
    written = [stroke.curve for stroke in live.app.pad.drawing.strokes[first:]]
    assert len(word["strokes"]) == len(written)
    for stroke, points in zip(word["strokes"], written, strict=True):
        np.testing.assert_allclose(np.reshape(stroke, (-1, 2)) / corrections_store.UNITS, points, atol=0.06)
    word, = correct(8, "z")
    assert word["label"] == "mynzmum", "the same word, corrected twice"
    assert [word["label"] for word in correct(1, "a")] == ["mynzmum", "Hallo"]

    click_character(live, 1)
    next(button for button in live.app.popup.winfo_children() if button.cget("text") == "As read").invoke()
    assert live.app.field.text == "Hello mynzmum"
    assert len(corrections_store.read_corrections(folder)[1]) == 0
    assert [word["label"] for word in corrections_store.read_corrected_words(folder)] == ["mynzmum"], "taken back"

    stored = Path(folder, corrections_store.WORDS)
    stored.write_bytes(stored.read_bytes()[:-20])
    damaged = stored.read_bytes()
    click_character(live, 1)
    type_in(live, "c")
    assert "words.jsonl.gz is damaged" in live.app.banner.cget("text"), "it is told"
    aside, = Path(folder).glob(f"damaged-*-{corrections_store.WORDS}")
    assert live.app.field.text == "Hcllo mynzmum" and aside.read_bytes() == damaged


def test_the_theme_and_the_text_size_change_all_that_is_shown(live):
    live.write("Hello", 40, 120)
    live.read()
    label = live.app.pad.find_withtag("read0")[0]
    size = live.app.pad.bbox(label)
    live.press("Control-plus")
    live.press("Control-plus")
    bigger = live.app.pad.bbox(live.app.pad.find_withtag("read0")[0])
    assert bigger[3] - bigger[1] > size[3] - size[1]
    live.press("Control-0")
    live.press("Control-t")
    live.app.pad.ink.show()
    assert live.app.pad.cget("background") == THEMES["dark"].pad.paper
    assert ttk.Style().lookup(".", "background") == THEMES["dark"].window
    live.press("Control-t")
    assert live.app.pad.cget("background") == THEMES["light"].pad.paper


@pytest.mark.skipif(not X11, reason="other systems have dialogs of their own")
def test_the_theme_reaches_the_file_dialog_and_each_app_has_its_title(live):
    found, root = [], live.app.root

    def look() -> None:
        dialog, = (part for part in root.tk.splitlist(root.tk.call("winfo", "children", "."))
                   if root.tk.call("winfo", "class", part) == "TkFDialog")
        parts = [str(dialog)]
        for part in parts:
            parts += root.tk.splitlist(root.tk.call("winfo", "children", part))
        found.extend(root.tk.call(part, "cget", "-background") for part in parts
                     if root.tk.call("winfo", "class", part) == "Canvas")
        root.tk.call("set", "::tk::Priv(selectFilePath)", "")   # as Cancel does

    live.press("Control-t")
    root.after(300, look)
    live.app.files.open()
    live.press("Control-t")
    assert found == [THEMES["dark"].raised]
    scripts = [importlib.import_module(name) for name in ("textrecog_ui", "tkRecogAll", "tkRecogIndv")]
    apps = [scripts[0].Live, scripts[1].All, scripts[2].Indv]
    assert len({app.title for app in apps}) == len({app.icon for app in apps}) == 3 and root.title() == apps[0].title
    assert widgets.percent(0.995) == "99 %" and widgets.percent(1.0) == "100 %"


def test_no_point_is_lost_and_no_event_is_held_up_while_recognition_runs(live):
    """The processor time of each handler counts, so that a busy machine does not decide the test."""
    live.write("Hello then 25", 40, 120)
    pad, slowest = live.app.pad, 0.0
    along = np.linspace(0, 12 * np.pi, 1000)
    points = np.stack([100 + 20 * along + 30 * np.cos(along), 320 + 60 * np.sin(along)], axis=1).round().astype(int)
    pad.event_generate("<ButtonPress-1>", x=100, y=320)
    for number, (x, y) in enumerate(points):
        began = time.thread_time()
        pad.event_generate("<B1-Motion>", x=x, y=y)
        slowest = max(slowest, time.thread_time() - began)
        if number % 10 == 0:
            live.app.root.update()
            live.app.read()
    pad.event_generate("<ButtonRelease-1>", x=x, y=y)
    assert np.array_equal(pad.drawing.strokes[-1].points[1:], points)
    assert slowest < 0.016
    live.read()


def test_memory_stays_flat_and_nothing_is_complained_about(display, capfd):
    """A short piece of what `python -m tools.benchmark apps` measures."""
    done = benchmark_apps.use(rounds=4, switches=2)
    assert (done.strokes, done.readings, done.switches) == (160, 24, 2)
    assert done.grown < 100 and capfd.readouterr().err == ""


# ---- tkRecogAll

def test_lines_are_read_with_enter_and_shown_on_the_ink(everything, monkeypatch):
    driver, app = everything, everything.app
    driver.write("Hello there\nread 25 lines", 60, 120)
    app.root.update()
    assert not app.session.worker.busy and app.field.text == "" and driver.shown() == []
    driver.press("Return")
    driver.read()
    assert app.field.text == "Hello there\nread 25 lines"
    assert driver.shown() == list("Hellothereread25lines")
    assert len(app.pad.find_withtag("gap")) == 1 + 2
    driver.press("Control-b")
    assert driver.shown() == [] and app.field.text
    driver.press("Control-b")
    assert driver.shown()
    driver.press("Control-c")
    assert clipboard_elsewhere(driver) == app.field.text
    if X11:
        monkeypatch.setattr(ImageGrab, "grabclipboard", lambda: pytest.fail("xclip and the window wait for each other"))
    driver.press("Control-v")
    assert "no picture on the clipboard" in app.banner.cget("text")


def clipboard_elsewhere(driver: Driver) -> str:
    """The text on the clipboard, as another program gets it."""
    code = "import sys, tkinter; sys.stdout.buffer.write(tkinter.Tk().clipboard_get().encode())"
    return output_of(driver, sys.executable, "-c", code)


def output_of(driver: Driver, *command: str) -> str:
    """What another program prints while the window, which it may ask something, works."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          env=os.environ | {"DISPLAY": driver.app.root.winfo_screen()}) as other:
        driver.wait(lambda: other.poll() is not None, "the other program's end")
        return other.stdout.read().decode()


def test_a_picture_is_opened_under_the_ink_and_read_in_place(everything, tmp_path):
    driver, app = everything, everything.app
    app.files.open_file(str(ROOT / "samples/pages/lines.png"))
    driver.wait(lambda: app.pad.drawing.image, "the picture")
    driver.read()
    assert app.field.text == "Hello world\nread the lines in order\nthen 25 and more"
    image = app.pad.drawing.image
    label = app.pad.find_withtag("read0")[0]
    assert app.pad.itemcget(label, "fill") in THEMES["light"].pad, "on light ground in every theme"
    boxes = [place.character.box for place in corrections.places(app.session.answer.reading)]
    assert all(image.x <= box.x and image.y <= box.y and box.right <= app.pad.winfo_width()
               and box.bottom <= app.pad.winfo_height() for box in boxes)
    driver.write("25", boxes[-1].right + 60 * image.zoom, boxes[-1].bottom, 60 * image.zoom)
    driver.press("Return")
    driver.read()
    assert app.field.text.endswith("and more 25")
    driver.write("then", image.x, image.y + image.zoom * 350 + 60, 50)
    driver.press("Return")
    driver.read()
    assert app.field.text.endswith("and more 25\nthen"), "ink beside the picture is read as well"
    app.files.save_file(str(tmp_path / "both.png"))
    assert recogscript(tmp_path / "both.png") == app.field.text
    (tmp_path / "no.png").write_bytes(b"no picture")
    app.files.open_file(str(tmp_path / "no.png"))
    driver.wait(lambda: "not a picture" in app.banner.cget("text"), "the message")
    assert "no.png" in app.banner.cget("text") and "Error" not in app.banner.cget("text")
    driver.press("Delete")
    assert not app.pad.drawing and app.field.text == ""


def test_a_picture_comes_from_the_clipboard(everything, tmp_path, monkeypatch):
    """On X from another program; only where there is no xclip to fetch it, as ever on other systems, that is played."""
    driver, app = everything, everything.app
    line = Image.open(ROOT / "samples/pages/lines.png").crop((0, 0, 746, 130))
    line.save(tmp_path / "line.png")
    if X11 and shutil.which("xclip") and "WAYLAND_DISPLAY" not in os.environ:
        subprocess.run(["xclip", "-selection", "clipboard", "-t", "image/png", "-i", str(tmp_path / "line.png")],
                       check=True, stdout=subprocess.DEVNULL)
        driver.wait(lambda: "image/png" in output_of(driver, "xclip", "-selection", "clipboard", "-o", "-t", "TARGETS"),
                    "xclip's offer")
    else:
        held = [line, None]
        monkeypatch.setattr(ImageGrab, "grabclipboard", lambda: held.pop(0))
    driver.press("Control-v")
    driver.wait(lambda: app.pad.drawing.image, "the picture")
    driver.read()
    assert app.field.text.lower() == "hello world"
    if X11 and shutil.which("xclip"):
        subprocess.run(["xclip", "-selection", "clipboard", "-i"], input=b"text", check=True,
                       stdout=subprocess.DEVNULL)
        driver.wait(lambda: "STRING" in output_of(driver, "xclip", "-selection", "clipboard", "-o", "-t", "TARGETS"),
                    "xclip's offer")
        driver.press("Control-v")
        assert "no picture on the clipboard" in app.banner.cget("text"), "not that xclip is missing"
    app.root.clipboard_clear()
    app.root.clipboard_append("text")
    driver.press("Control-v")
    assert "no picture on the clipboard" in app.banner.cget("text")


@needs_xdotool
def test_a_picture_that_is_dropped_is_read_and_the_pad_shows_that_it_can_be(everything, tmp_path):
    driver, app = everything, everything.app
    picture = tmp_path / "drei Zeilen für 100%25.png"
    shutil.copy(ROOT / "samples/pages/lines.png", picture)
    with Dragging(driver, "text/uri-list", picture.as_uri()) as dragging:
        dragging.over(300, 300)
        assert not app.pad.find_withtag("hint")
        dragging.over(320, 310)
        dragging.outside()
        assert app.pad.find_withtag("hint") and not app.pad.drawing
        dragging.over(100, app.root.winfo_height() - 20)  # anywhere on the window
        dragging.drop()
    assert app.banner.cget("text") == ""
    driver.wait(lambda: app.pad.drawing.image, "the picture")
    driver.read()
    assert app.field.text == "Hello world\nread the lines in order\nthen 25 and more"
    assert app.pad.drawing.image.data == picture.read_bytes()


@needs_xdotool
def test_what_is_dropped_and_cannot_be_opened_is_a_message_and_the_ink_stays(everything, tmp_path, capsys):
    driver, app = everything, everything.app
    with Dragging(driver, "text/uri-list", "file:///a.png") as dragging:
        dragging.over(300, 300)  # and then the source dies
    driver.write("25", 60, 120)
    assert not app.pad.find_withtag("drop")
    app.files.save_file(str(tmp_path / "ein ö.json"))
    ink, text = app.pad.drawing.strokes, tmp_path / "no picture.png"
    text.write_bytes(b"no picture")
    drop(driver, text)
    driver.wait(lambda: "not a picture that can be read" in app.banner.cget("text"), "the message")
    drop(driver, "grüne Wörter", kind="text/plain;charset=utf-8")
    assert "grüne Wörter is no file" in app.banner.cget("text")
    for address, message in (("https://example.org/a.png", "https://example.org/a.png is no file"),
                             ((tmp_path / "gone.png").as_uri(), "gone.png cannot be read"),
                             (tmp_path.as_uri(), f"{tmp_path} cannot be read")):
        drop(driver, address)
        assert message in app.banner.cget("text")
    assert app.pad.drawing.strokes == ink and capsys.readouterr().err == ""

    app.pad.clear()
    drop(driver, tmp_path / "ein ö.json", text)
    assert len(app.pad.drawing.strokes) == len(ink)
    assert "ein ö.json is 1 of 2 files" in app.banner.cget("text")
    driver.press("Next")
    driver.wait(lambda: "not a picture that can be read" in app.banner.cget("text"), "the message about the second")
    driver.press("Prior")
    assert len(app.pad.drawing.strokes) == len(ink)
    app.pad.clear()
    drop(driver, (tmp_path / "ein ö.json").as_uri(), kind="text/plain;charset=utf-8")
    assert len(app.pad.drawing.strokes) == len(ink) and app.banner.cget("text") == ""


@pytest.mark.parametrize("missing", ["the package", "its binary"])
def test_without_drag_and_drop_the_rest_works(display, monkeypatch, missing):
    if missing == "the package":
        monkeypatch.setitem(sys.modules, "tkinterdnd2", None)
    else:
        monkeypatch.setattr("platform.system", lambda: "Plan 9")
    with opened("tkRecogAll") as driver:
        driver.stroke([(100, 100), (200, 100)])
        driver.press("F1")
        app = driver.app
        driver.wait(lambda: any(part.winfo_class() == "Toplevel" and part.winfo_ismapped()
                              for part in app.root.winfo_children()), "the shortcuts")
        assert not app.files.takes_drops and len(app.pad.drawing.strokes) == 1 and app.banner.cget("text") == ""


def test_the_text_is_exported_and_a_pdf_of_a_photograph_can_be_searched(everything, tmp_path):
    driver, app = everything, everything.app
    app.files.open_file(str(ROOT / "samples/pages/lines.png"))
    driver.wait(lambda: app.pad.drawing.image, "the picture")
    driver.read()
    app.files.save_file(str(tmp_path / "a.txt"))
    assert (tmp_path / "a.txt").read_text() == "Hello world\nread the lines in order\nthen 25 and more\n"
    app.files.save_file(str(tmp_path / "a.pdf"))
    content = (tmp_path / "a.pdf").read_bytes()
    page_text = zlib.decompress(content.split(b"/FlateDecode")[1].split(b"stream\n")[1]).decode("latin-1")
    assert re.findall(r"\((\S+) \) Tj", page_text) == app.reading.text.split()
    number = content.index(b"xref\n")
    assert content.endswith(b"startxref\n%d\n%%%%EOF\n" % number) and content.startswith(b"%PDF-1.4\n6 0 obj"[:9])
    with Image.open(ROOT / "samples/pages/lines.png") as picture:
        assert b"/Width %d /Height %d" % picture.size in content


def test_recent_files_and_the_language_are_in_the_menus(display, tmp_path):
    with opened("textrecog_ui", state_path=str(tmp_path)) as driver:
        app = driver.app
        app.files.open_files([str(ROOT / "samples/hello.json")])
        recent = app.commands.menus["Open recent"]
        app.files.fill_recent(recent)
        assert recent.entrycget(0, "label").endswith("hello.json")
        app.pad.clear()
        recent.invoke(0)
        assert app.pad.drawing.strokes
        driver.ready()
        languages = app.commands.menus["Language"]
        app.status.fill_languages(languages)
        assert languages.entrycget(0, "label") == "English"
        languages.invoke(languages.index("None"))
        driver.ready()
        driver.read()
        assert app.session.language == "none" and app.field.text


def test_two_networks_read_the_same_ink(live, single):
    others = live.app.commands.menus["Compare with"]
    live.write("Hello", 40, 120)
    live.read()
    live.app.status.fill_others(others)
    others.invoke(1 + MODELS.index(runs.DEFAULT_CHARACTERS))
    live.wait(lambda: live.app.other.winfo_ismapped(), "what the other reads", 30)
    assert re.match(r"resnet: \w+", live.app.other.cget("text")) and live.app.field.text == "Hello"
    others.invoke(0)
    live.app.root.update()
    assert not live.app.other.winfo_ismapped()

    single.app.pad.clear()
    single.character("R", 100, 100, 1.4)
    single.app.session.load(runs.DEFAULT)
    status = single.app.status.text
    single.wait(lambda: f"read by {runs.DEFAULT_CHARACTERS}" in status.cget("text"), "who has really read", 10)
    single.app.session.load(runs.DEFAULT_CHARACTERS)
    single.wait(lambda: single.app.session.answer.model == runs.DEFAULT_CHARACTERS, "its reading", 10)
    assert "read by" not in status.cget("text")
    single.app.pad.clear()


TRAINER = """
import json, pathlib, shutil, sys
given = dict(argument[2:].split("=", 1) for argument in sys.argv[1:])
print("12/60 a step", flush=True)
copy = pathlib.Path(shutil.copytree(given["models_path"] + "/" + given["finetune"],
                                    given["models_path"] + "/1900000000"))
config = json.loads((copy / "config.json").read_text())
config["decoding"]["bonus"] += BONUS
(copy / "config.json").write_text(json.dumps(config))
"""


@pytest.mark.parametrize("learns", [True, False])
def test_writing_is_listed_deleted_and_learned_unless_that_makes_it_worse(display, tmp_path, monkeypatch, learns):
    """In the place of model.py, which takes minutes, runs what copies the network, or makes of it one that is worse."""
    models, folder = tmp_path / "Models", str(tmp_path / "kept")
    shutil.copytree(ROOT / "Models" / runs.DEFAULT, models / runs.DEFAULT)
    trainer = tmp_path / "trainer.py"
    trainer.write_text(TRAINER.replace("BONUS", "0" if learns else "-30"))
    monkeypatch.setattr(learning, "TRAINING", [sys.executable, str(trainer)])
    for number, text in enumerate(["hello", "world", "little", "minimum", "minute", "one", "the", "not"]):
        draw = draw_samples.strokes_of([text], 60, number) if text == "not" else draw_samples.cursive_strokes(
            text, 90, number)
        corrections_store.remember_word(folder, draw, text)
    with opened("textrecog_ui", models_path=str(models), corrections_path=folder) as driver:
        driver.ready()
        window = learning.Learning(driver.app)
        driver.app.root.update()
        assert [window.list.item(row, "values")[0] for row in window.list.get_children()][-1] == "not"
        window.list.selection_set("7")
        window.delete()
        assert len(window.list.get_children()) == 7 and "7 words and 0 characters" in window.note.cget("text")
        monkeypatch.setattr(learning, "LEAST", 20)
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        monkeypatch.setattr(runs, "ROOT", tmp_path)   # where there are no data
        window.learn()
        assert all(part in window.note.cget("text") for part in (
            "at least 20", "pip install", "fetch_data)", "--archive=UNIPEN"))
        monkeypatch.undo()
        monkeypatch.setattr(learning, "TRAINING", [sys.executable, str(trainer)])
        monkeypatch.setattr(window, "missing", lambda usable: [])
        window.learn()
        driver.wait(lambda: "that were kept aside" in window.note.cget("text"), "the figures", 60)
        assert float(window.bar.cget("value")) == 12 / 60
        driver.ready()
        assert driver.app.session.model == ("1900000000" if learns else runs.DEFAULT), window.note.cget("text")


# ---- what all apps have

def contrast(one: str, other: str) -> float:
    """As WCAG 2 has it, 1 to 21."""
    lights = []
    for colour in (one, other):
        parts = np.array([int(colour[place:place + 2], 16) for place in (1, 3, 5)]) / 255
        parts = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        lights.append(float(parts @ (0.2126, 0.7152, 0.0722)) + 0.05)
    return max(lights) / min(lights)


@pytest.mark.parametrize("name", THEMES)
def test_all_that_is_shown_can_be_told_from_its_ground(name):
    theme = THEMES[name]
    pairs = {(colour, theme.pad.paper) for colour in theme.pad if colour != theme.pad.paper}
    pairs |= {(colour, ground) for colour in (theme.text, theme.muted, theme.accent)
              for ground in (theme.window, theme.raised)}
    pairs |= {(theme.text, theme.warning), (theme.on_accent, theme.accent), (theme.text, theme.line)}
    assert not [pair for pair in pairs if contrast(*pair) < 4.5]


@pytest.mark.parametrize("script", ["tkRecogIndv", "tkRecogAll", "textrecog_ui"])
@pytest.mark.parametrize("text_size, width, height", [(100, 640, 420), (5000, 800, 680)])
def test_in_a_small_window_and_in_large_letters_every_button_is_there(display, script, text_size, width, height):
    with opened(script, text_size=text_size) as driver:
        root = driver.app.root
        root.geometry(f"{width}x{height}")
        driver.wait(lambda: root.winfo_width() == width, "a small window")
        driver.rest(0.1)
        assert driver.app.looks.text_size <= 220
        hidden = [part for part in driver.app.toolbar.winfo_children() if not part.winfo_ismapped()
                  or part.winfo_rootx() + part.winfo_width() > root.winfo_rootx() + width
                  or part.winfo_rooty() + part.winfo_height() > driver.app.pad.winfo_rooty()]
        assert not hidden and driver.app.pad.winfo_height() > 100
        driver.press("F1")
        keys, = (part for part in root.winfo_children() if part.winfo_class() == "Toplevel" and part.winfo_children())
        root.update()
        assert keys.winfo_reqheight() < (768 if text_size == 100 else 1000)
        shown = " ".join(label.cget("text") for label in keys.winfo_children())
        assert "Undo Ctrl+Z" in shown and "KP" not in shown


def test_shortcuts_work_with_caps_lock_and_on_other_layouts(live):
    pad, drawing = live.app.pad, live.app.pad.drawing
    live.stroke([(100, 100), (200, 100)])
    live.app.root.focus_force()
    live.app.root.update()
    pad.event_generate("<Key>", keysym="Z", state=0x2 | 0x4)    # Lock and Control
    assert not drawing.strokes
    pad.event_generate("<Key>", keysym="z", state=0x1 | 0x2 | 0x4)
    assert drawing.strokes, "Shift as well: Redo"
    pad.event_generate("<Key>", keysym="E", state=0x2)
    assert pad.tool == "eraser"
    assert commands.pressed("Cyrillic_ya", 0x4, 52) == "Control-z" and commands.pressed("Greek_pi", 0, 33) == "p"


MANAGED = """
import subprocess
from tools import ui_driver
manager = subprocess.Popen(["openbox"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
app = ui_driver.start("textrecog_ui", models_path=MODELS)
driver = ui_driver.Driver(app)
driver.ready()
driver.write("Hello then", 40, 120)
driver.read()

def by_hand(*commands):
    tool = subprocess.Popen(["xdotool", *map(str, commands)])
    driver.wait(lambda: tool.poll() is not None, "xdotool's end")
    driver.rest(0.3)

def focus():
    found = app.root.focus_get()
    return found and found.winfo_class()

driver.wait(lambda: app.root.winfo_rooty() > 10, "the window manager's frame")
left, top, right, bottom = app.pad.bbox("read1")
by_hand("mousemove", app.pad.winfo_rootx() + left + 4, app.pad.winfo_rooty() + top + 4, "click", 1)
print(focus())
by_hand("type", "a")
by_hand("key", "Return")
print(app.field.text, focus())
by_hand("key", "F1")
print(focus())
by_hand("key", "Escape")
print(focus(), app.root.winfo_width())
by_hand("key", "alt+F4")
manager.kill()
"""


@needs_xdotool
@pytest.mark.skipif(not shutil.which("openbox"), reason="needs a window manager")
def test_the_focus_is_where_people_expect_it_under_a_window_manager():
    with ui_driver.display(always=True) as name:
        done = launch(code=MANAGED.replace("MODELS", repr(MODELS_PATH)), DISPLAY=name)
    assert done.stdout.splitlines() == ["TEntry", "Hallo then Canvas", "Toplevel", "Canvas 1080"], done.stderr


@needs_xdotool
@pytest.mark.skipif(not shutil.which("setxkbmap"), reason="changes the layout with setxkbmap")
def test_undo_is_where_it_was_on_a_russian_keyboard(display):
    with ui_driver.display(always=True) as name:
        environment = os.environ | {"DISPLAY": name}
        subprocess.run(["setxkbmap", "ru"], env=environment, check=True)
        done = launch(code=RUSSIAN, DISPLAY=name)
    assert done.stdout == "1 0\n", done.stdout + done.stderr


RUSSIAN = """
import subprocess
from tools import ui_driver
app = ui_driver.start("textrecog_ui")
driver = ui_driver.Driver(app)
driver.stroke([(100, 100), (200, 100)])
app.pad.focus_force()
driver.rest(0.3)
print(len(app.pad.drawing.strokes), end=" ")
subprocess.run(["xdotool", "keydown", "37", "key", "52", "keyup", "37"], check=True)   # codes of Control and of the Z
driver.rest(0.3)
print(len(app.pad.drawing.strokes))
app.close()
"""


def test_what_does_nothing_is_gray(live):
    app = live.app

    def states() -> list[str]:
        return ["gray" if str(app.commands.buttons[label][0].cget("state")) == "disabled" else "" for label in
                ("Undo", "Redo", "Clear", "Copy text")]

    app.pad.drawing.before.clear()
    app.pad.drawing.undone.clear()
    app.commands.refresh()
    assert states() == ["gray"] * 4
    live.write("l", 100, 120)
    live.read()
    assert states() == ["", "gray", "", ""]
    live.press("Control-z")
    assert states() == ["gray", "", "gray", "gray"]


def test_ready_means_that_both_networks_are_loaded():
    jobs.load(runs.DEFAULT, MODELS_PATH, "none")
    assert vars(jobs._reader(runs.DEFAULT, MODELS_PATH, "none")).keys() >= {"pages", "characters"}


@pytest.mark.parametrize("name, kind", [("a.jpg", "JPEG"), ("a.PNG", "PNG"), ("a.webp", "WEBP")])
def test_a_picture_is_saved_as_its_name_says(live, tmp_path, name, kind):
    live.write("Hello", 40, 120)
    live.app.files.save_file(str(tmp_path / name))
    assert Image.open(tmp_path / name).format == kind
    live.app.files.save_file(str(tmp_path / "a.xyz"))
    assert "a.xyz is no name of a picture" in live.app.banner.cget("text") and not (tmp_path / "a.xyz").exists()
    live.app.files.save_file(str(tmp_path / name))
    assert not live.app.banner.winfo_ismapped(), "what no longer holds goes away"


def test_settings_and_unsaved_ink_are_there_again_at_the_next_start(display, tmp_path):
    kept = {"state_path": str(tmp_path), "corrections_path": str(tmp_path / "kept")}
    with opened("textrecog_ui", **kept) as driver:
        app = driver.app
        driver.press("Control-t")
        driver.press("Control-plus")
        driver.press("bracketright")
        driver.press("Control-r")
        app.status.fill_networks()
        app.status.networks.invoke(0)
        driver.ready()
        app.root.geometry("900x600+30+40")
        driver.write("Hello", 40, 120)
        driver.read()
        app.correct(app.reading.lines[0].words, "Yellow")
        driver.wait(lambda: (tmp_path / "textrecog_ui-ink.json").exists(), "ink that is kept while one writes", 5)
        app.root.update()
    with opened("textrecog_ui", **kept) as driver:
        app = driver.app
        assert (app.looks.name, app.looks.text_size) == ("dark", 110)
        assert app.toolbar.pen.get() == 6 and app.remember.get()
        app.restore()
        driver.ready()
        driver.read()
        assert app.session.model == MODELS[0] and "is here again" in app.banner.cget("text")
        assert app.field.text == "Yellow" and app.root.winfo_width() == 900
        app.files.save_file(str(tmp_path / "mine.json"))
    with opened("textrecog_ui", **kept, theme="light") as driver:
        driver.app.restore()
        assert driver.app.looks.name == "light", "what is named goes before what is remembered"
        assert not driver.app.pad.drawing, "what was saved is not brought back"
    with opened("textrecog_ui", **kept, reset=True) as driver:
        assert driver.app.looks.name == "light" and driver.app.toolbar.pen.get() == 5


@needs_xdotool
@pytest.mark.parametrize("end", ["windowclose", "windowkill"])
def test_a_window_that_is_taken_away_from_outside_ends_without_a_traceback(end):
    with ui_driver.display(always=True):
        window = subprocess.Popen(LIVE, stderr=subprocess.PIPE, text=True)
        search = ["xdotool", "search", "--sync", "--onlyvisible", "--name", "^Handwriting"]
        subprocess.run([*search, end], check=True, timeout=20, stdout=subprocess.DEVNULL)
        window.wait(10)
        assert "Traceback" not in window.stderr.read()
        window.stderr.close()


# ---- tkRecogIndv

@pytest.mark.parametrize("character", "Rk5")
def test_one_character_is_read_with_its_alternatives_while_it_is_drawn(single, character):
    app = single.app
    app.pad.clear()
    single.character(character, 100, 100, 1.4)
    single.read()
    assert app.letter.cget("text") == character
    texts = [app.bars.itemcget(item, "text") for item in app.bars.find_all() if app.bars.type(item) == "text"]
    assert texts[0] == character and len(texts) == 10 and re.fullmatch(r"\d+\.\d %", texts[1])
    ink, *_ = page.render(app.pad.drawing.strokes, alone=True)
    shown = np.array([[app.picture.get(x * app.zoom, y * app.zoom)[0] for x in range(28)] for y in range(28)])
    assert np.abs(shown - glyph.glyph(ink).astype(int)).mean() < 4  # found again in the picture, so not quite the same
    app.bars.event_generate("<Button-1>", x=10, y=app.px(36 + 18))
    assert app.letter.cget("text") == texts[2], "the second bar"
    app.entry.insert(0, "Q")
    app.entry.event_generate("<Return>") if app.root.focus_get() is app.entry else app._type(None)
    assert app.letter.cget("text") == "Q"
    single.press("Control-z")
    single.press("Control-z")
    assert app.letter.cget("text") == character
    app.pad.clear()
    assert app.letter.cget("text") == ""


# ---- start and end

def launch(*arguments: str, code: str = "", **environment) -> subprocess.CompletedProcess:
    command = ["-c", code, *arguments] if code else [str(ROOT / arguments[0]), *arguments[1:]]
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=60, cwd=ROOT,
                          env=kept | environment)


def test_all_is_twice_as_large_on_a_display_of_twice_the_resolution(display):
    """In a process of its own: Tk ends it with the display."""
    code = """
from apps.toolkit import font
from tools import ui_driver
with ui_driver.display((3840, 2160), 192, always=True):
    app = ui_driver.start("textrecog_ui")
    root = app.root
    ui_driver.Driver(app).wait(lambda: root.winfo_width() > 2000 and root.winfo_height() > 1000, "the window")
    height = font.nametofont("TkDefaultFont").metrics("linespace")
    outside = [part for part in root.winfo_children() if part.winfo_ismapped() and not (
        0 <= part.winfo_x() and part.winfo_x() + part.winfo_reqwidth() <= root.winfo_width()
        and 0 <= part.winfo_y() and part.winfo_y() + part.winfo_height() <= root.winfo_height())]
    print(root.winfo_width(), root.winfo_height(), app.pad.pen_width, height > 25, outside)
    app.close()
"""
    done = launch(code=code)
    assert done.stdout == "2160 1360 10.0 True []\n", done.stdout + done.stderr


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there is always a display")
def test_without_a_display_one_sentence_says_so():
    done = launch("textrecog_ui.py")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "DISPLAY" in done.stderr


@pytest.mark.parametrize("script", ["tkRecogIndv", "tkRecogAll", "textrecog_ui"])
def test_without_tkinter_one_sentence_says_what_to_install(script):
    done = launch(code="import sys; sys.modules['tkinter'] = None; import runpy; "
                       f"runpy.run_path('{script}.py', run_name='__main__')")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "python3-tk" in done.stderr


def test_a_network_that_is_not_there_is_a_message_in_the_window(display, capsys):
    with opened("textrecog_ui", unixTime="1700000000") as driver:
        app = driver.app
        driver.write("Hello", 40, 120)
        driver.wait(lambda: "1700000000" in app.banner.cget("text"), "the message")
        assert all(name in app.banner.cget("text") for name in MODELS)
        assert "1700000000" in capsys.readouterr().err
        app.session.load(MODELS[0])
        driver.read()
        driver.wait(lambda: letters(app.field.text), "text")


def test_closing_while_the_network_loads_ends_at_once(display):
    with opened("tkRecogIndv") as driver:
        driver.app.root.update()
        process = Path(f"/proc/{driver.app.session.worker.process.pid}")
        assert not driver.app.session.model
        began = time.perf_counter()
    assert time.perf_counter() - began < 1 and not process.exists()


@needs_xdotool
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
@pytest.mark.parametrize("end, status", [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_the_reading_process_ends_with_the_window(end, status):
    with ui_driver.display(always=True):
        window = subprocess.Popen(LIVE, stderr=subprocess.PIPE, text=True,
                                  start_new_session=True)
        subprocess.run(["xdotool", "search", "--sync", "--onlyvisible", "--name", "^Handwriting"], check=True,
                       timeout=20, stdout=subprocess.DEVNULL)
        children = Path(f"/proc/{window.pid}/task/{window.pid}/children").read_text().split()
        os.killpg(window.pid, end)  # as a terminal's Ctrl-C
        assert window.wait(10) == status and children
        limit = time.monotonic() + 20
        while (left := [child for child in children if Path(f"/proc/{child}").exists()]) and time.monotonic() < limit:
            time.sleep(0.02)
        assert not left and window.stderr.read() == ""
        window.stderr.close()
