"""The drawing apps, in real windows: strokes drawn by mouse events, buttons pressed, and what is then to be seen."""
import contextlib
import gc
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageGrab

pytest.importorskip("tkinter", reason="Python's tkinter is missing")

from apps import corrections, drawing, window, worker
from common import alphabets, glyph, runs
from tools import benchmark_apps, ui_driver
from tools.ui_driver import Hand, letters
from training import corrections_store

ROOT = Path(__file__).resolve().parents[2]
X11 = sys.platform not in ("win32", "darwin")
OWN_DISPLAY = X11 and bool(shutil.which("Xvfb"))   # where a person works, the pointer and the clipboard are theirs
MODELS = runs.list_runs(str(ROOT / "Models"))


@pytest.fixture(autouse=True)
def windows_are_freed(all_windows_are_freed):
    """Free closed windows here: Tcl aborts the process if the collector runs in another thread and does it there."""
    yield
    gc.collect()


@pytest.fixture(scope="module", autouse=True)
def all_windows_are_freed():
    """The same when those that serve several tests are closed: this is set up first, so it ends last."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def display():
    try:
        with ui_driver.display(always=OWN_DISPLAY) as name:
            yield name
    except ui_driver.RobotError as error:
        pytest.skip(str(error))


def hand_on(script: str, **config):
    app = ui_driver.start(script, models_path=str(ROOT / "Models"), **config)
    hand = Hand(app)
    try:
        hand.ready()
        yield hand
    finally:
        app.close()


@pytest.fixture(scope="module")
def live_app(display, tmp_path_factory):
    yield from hand_on("textrecog_ui", corrections_path=str(tmp_path_factory.mktemp("kept")))


@pytest.fixture
def live(live_app):
    """textrecog_ui with an empty pad."""
    app = live_app.app
    app.clear()
    app.choose("pen")
    app.remember.set(False)
    app.corrections = corrections.Corrections()
    return live_app


@pytest.fixture(scope="module")
def everything(display):
    yield from hand_on("tkRecogAll")


@pytest.fixture(scope="module")
def single(display):
    yield from hand_on("tkRecogIndv")


@pytest.fixture
def dropping(everything):
    """tkRecogAll with an empty pad, above the other windows."""
    if not OWN_DISPLAY:
        pytest.skip("moves the pointer, as programs on X do, and there is no Xvfb")
    app = everything.app
    app.root.lift()
    app.clear()
    app.message("")
    yield everything
    app.clear()


class Neighbour:
    """tests/neighbour.py on the display of an app."""

    def __init__(self, hand: Hand, folder: Path, selection: str, **offers: bytes | str):
        """offers: data by their type, written with _ for /."""
        self.hand, self.heard, arguments = hand, b"", []
        for number, (kind, data) in enumerate(offers.items()):
            file = folder / f"offer{number}"
            file.write_bytes(data if isinstance(data, bytes) else data.encode())
            arguments += [kind.replace("_", "/", 1), str(file)]
        self.process = subprocess.Popen([sys.executable, str(ROOT / "tests/apps/neighbour.py"), selection, *arguments],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                                        env=os.environ | {"DISPLAY": hand.app.root.winfo_screen()})
        os.set_blocking(self.process.stdout.fileno(), False)

    def __enter__(self):
        self.hears("ready")
        return self

    def hears(self, answer: str) -> None:
        """Let the window work until the other program has got an answer."""
        def seen():
            self.heard += self.process.stdout.read() or b""
            return answer in self.heard.decode().splitlines()
        self.hand.wait(seen, f"the answer {answer!r}", 10)

    def do(self, command: str, answer: str = "") -> None:
        """Have it move the pointer to a place in the window or let go, and wait for the app's answer."""
        if command.startswith("to "):
            root, (x, y) = self.hand.app.root, map(int, command[3:].split())
            command = f"to {root.winfo_rootx() + x} {root.winfo_rooty() + y}"
        self.heard = b""
        self.process.stdin.write(f"{command}\n".encode())
        if answer:
            self.hears(answer)

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def drop(hand: Hand, folder: Path, *files: Path, **offers: str) -> None:
    """Drag files, or what else is offered, over the pad, and let go."""
    if files:
        offers = {"text_uri-list": "".join(f"{file.as_uri()}\r\n" for file in files)} | offers
    with Neighbour(hand, folder, "XdndSelection", **offers) as other:
        other.do("to 300 300", "accepts")
        assert hand.app.pad.find_withtag("drop")
        other.do("drop", "taken")
    assert not hand.app.pad.find_withtag("drop")


def recogscript(picture: Path) -> str:
    """What recogScript.py prints for a picture."""
    done = subprocess.run([sys.executable, str(ROOT / "recogScript.py"), str(picture)], capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.removesuffix("\n")


def zigzag(box, inset: float = 0) -> list[tuple[float, float]]:
    """A way over all of a box."""
    left, top, right, bottom = box
    return [(x, y) for y in np.arange(top, bottom + 8, 8) for x in (left + inset, right - inset)]


# ---- textrecog_ui

def test_text_appears_as_it_is_written(live):
    live.write("Hello", 40, 120)
    live.read()
    assert live.app.field.text == "Hello"
    assert live.shown() == list("Hello")
    live.write("then 25", 340, 120)
    live.read()
    assert live.app.field.text == "Hello then 25"
    assert re.fullmatch(r"\d+ ms   ·   \d+ % sure", live.app.status.cget("text"))
    under = [live.app.pad.bbox(f"read{number}") for number in range(11)]
    ink = [one.box for one in live.app.shown]
    assert all(label[1] >= box[3] - 2 and abs(label[0] + label[2] - box[0] - box[2]) < 8
               for label, box in zip(under, ink))


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
    live.stroke(zigzag(live.app.shown[2].box, live.app.pad.eraser_radius))
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
    live.app.pad.show_ink()
    assert not live.app.pad._cover[195:205, 296:304].any() and live.app.pad._cover[200, 150] == 255
    live.press("Control-z")
    assert len(live.app.pad.drawing.strokes) == 1


def test_the_ink_stays_when_the_window_changes_its_size(live):
    root = live.app.root
    live.write("Hello", 40, 120)
    live.read()
    before = live.app.pad._cover[:300, :500].copy()
    for size in ("700x460", "1024x640", "1200x760"):
        root.geometry(size)
        live.wait(lambda size=size: f"{root.winfo_width()}x{root.winfo_height()}" == size, "the new size")
        live.rest(0.1)
        after = live.app.pad._cover[:300, :500]  # drawn anew in one go: soft edges may differ a little
        assert before.any() and np.abs(after.astype(int) - before).max() < 128
        assert live.app.pad.winfo_height() > 200 and live.app.status.winfo_ismapped()
        assert live.app.field.winfo_rooty() + live.app.field.winfo_height() <= root.winfo_rooty() + root.winfo_height()
    live.stroke([(1000, 300), (1100, 300)])  # where there was no pad before
    assert live.app.pad._cover[300, 1050] == 255


def test_a_saved_drawing_can_be_opened_and_recogscript_reads_the_same_in_it(live, tmp_path):
    live.write("Hello then 25\nread lines", 40, 120)
    live.read()
    text = live.app.field.text
    assert text == "Hello then 25\nread lines"
    live.app.save_file(str(tmp_path / "a.json"))
    live.app.save_file(str(tmp_path / "a.png"))
    live.press("Delete")
    live.app.open_file(str(tmp_path / "a.json"))
    live.read()
    assert live.app.field.text == text
    assert recogscript(tmp_path / "a.png") == text
    (tmp_path / "b.json").write_text('{"strokes": [[1]]}')
    live.app.open_file(str(tmp_path / "b.json"))
    assert "holds no strokes" in live.app.banner.cget("text") and live.app.field.text == text


def test_another_network_of_the_menu_reads_from_then_on(live):
    live.write("Hello", 40, 120)
    live.read()
    first = live.app.model
    menu = live.app.models_popup
    live.app._fill_models(menu)
    labels = [menu.entrycget(row, "label") for row in range(menu.index("end") + 1)]
    assert [label.strip("● ") for label in labels] == [runs.describe(live.app.models_path, name) for name in MODELS]
    assert all(re.search(r"\w+, \d\d\.\d %, \d+", label) for label in labels)
    other = next(name for name in MODELS if name != first)
    menu.invoke(MODELS.index(other))
    live.wait(lambda: live.app.model == other and live.app.answer.request.model == other, "the other network's reading")
    assert live.app.field.text and other in live.app.model_button.cget("text")
    live.app._load(first)
    live.wait(lambda: live.app.model == first and live.app.answer.request.model == first, "the first network's reading")
    assert live.app.field.text == "Hello"


def click_character(live: Hand, number: int) -> None:
    left, top, right, bottom = live.app.pad.bbox(f"read{number}")
    live.click((left + right) / 2, (top + bottom) / 2)


def test_a_click_offers_alternatives_and_a_correction_stays_until_its_ink_goes(live):
    live.write("Hello", 40, 120)
    live.read()
    strokes = len(live.app.pad.drawing.strokes)
    click_character(live, 1)
    assert len(live.app.pad.drawing.strokes) == strokes, "a click on a character leaves no dot"
    offered = [button.cget("text").split() for button in live.app.popup.buttons]
    assert offered[0][0] == "e" and len(offered) == 5
    live.app.popup.buttons[2].invoke()
    chosen = offered[2][0]
    assert live.app.field.text == f"H{chosen}llo" and live.app.popup is None
    live.write("then", 340, 120)
    live.read()
    assert live.app.field.text == f"H{chosen}llo then"

    click_character(live, 8)
    live.app.popup.entry.insert(0, "m")
    live.app.popup.entry.event_generate("<Return>")
    assert live.app.field.text == f"H{chosen}llo them"
    live.press("Control-c")
    assert live.app.root.clipboard_get() == f"H{chosen}llo them"

    left = live.app.shown[1].box[0]
    live.stroke(zigzag(live.app.shown[1].box, 8), button=3)
    live.read()
    assert not live.app.shown[1].corrected, "the ink of the correction has been rubbed out"
    live.write("e", left - 4, 120)
    live.read()
    assert not live.app.shown[1].corrected, "other ink in its place is read as it is"
    assert live.app.field.text.endswith("them")


@pytest.mark.parametrize("text", ["minimum", "little", "hello world"])
def test_joined_writing_is_read(live, text):
    live.write(text, 40, 160, height=90, joined=True)
    live.read()
    assert live.app.field.text == text
    assert live.shown() == list(text.replace(" ", "")), "each letter is shown under its ink"
    lefts = [character.box[0] for character in live.app.shown]
    assert lefts == sorted(lefts)


def test_corrections_are_kept_only_when_switched_on_and_as_the_network_saw_them(live):
    folder = live.app.config["corrections_path"]
    live.write("Hello", 40, 120)
    live.read()
    click_character(live, 1)
    live.app.popup.entry.insert(0, "c")
    live.app.popup.entry.event_generate("<Return>")
    assert len(corrections_store.read_corrections(folder)[1]) == 0
    live.press("Control-r")
    for number, text in ((0, "N"), (4, "0"), (4, "O")):  # the last was a slip: its label changes
        click_character(live, number)
        live.app.popup.entry.insert(0, text)
        live.app.popup.entry.event_generate("<Return>")
    images, labels = corrections_store.read_corrections(folder)
    assert [alphabets.CHARACTERS[label] for label in labels] == ["N", "O"]
    assert np.array_equal(images, [live.app.shown[0].glyph, live.app.shown[4].glyph])
    stored = (Path(folder) / "corrections-images-idx3-ubyte").read_bytes()
    assert stored[:16] == bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28])
    assert stored[16:16 + 784] == images[0].T.tobytes(), "transposed, as EMNIST's own"
    assert live.app.status.cget("text") == "Remembered: 1 word, 2 characters"


def test_words_are_read_where_the_network_for_characters_is_missing(display, tmp_path):
    shutil.copytree(ROOT / "Models" / runs.DEFAULT, tmp_path / runs.DEFAULT)
    app = ui_driver.start("textrecog_ui", models_path=str(tmp_path))
    hand = Hand(app)
    try:
        hand.ready()
        process = app.worker.pid
        hand.write("Hello world", 40, 120)
        hand.read()
        assert app.field.text == "Hello world" and app.worker.pid == process
    finally:
        app.close()


def test_a_correction_leaves_a_neighbour_alone_in_whose_box_it_lies():
    """As an r under the bar of an f."""
    page = drawing.Drawing()
    page.add(drawing.Stroke(np.float32([[20, 0], [5, 50], [0, 100], [60, 30]]), 4.0),
             drawing.Stroke(np.float32([[40, 60], [48, 40], [58, 42]]), 4.0))
    blank = np.zeros((28, 28), np.uint8)
    read = [worker.Character(text, 0.9, [], box, blank, (0, 0), 100.0)
            for text, box in (("f", (0.0, 0.0, 60.0, 100.0)), ("r", (38.0, 38.0, 59.0, 62.0)))]
    kept = corrections.Corrections()

    def shown() -> list[str]:
        return [one.text for one in kept.apply(read, page)]

    kept.add(kept.apply(read, page)[1], "e", page)
    assert shown() == ["f", "e"]
    kept.add(kept.apply(read, page)[0], "t", page)
    assert shown() == ["t", "e"]
    kept.add(kept.apply(read, page)[0], "k", page)
    assert shown() == ["k", "e"]
    kept.remove(kept.apply(read, page)[0])
    assert shown() == ["f", "e"]
    both = [read[0]._replace(text="m")]   # with more ink around, both are read as one
    assert [one.text for one in kept.apply(both, page)] == ["e"]


def test_the_word_around_a_correction_is_kept_with_its_strokes_and_no_others(live, tmp_path, monkeypatch):
    folder = str(tmp_path / "kept")
    monkeypatch.setitem(live.app.config, "corrections_path", folder)
    live.write("Hello", 40, 120)
    first = len(live.app.pad.drawing.strokes)
    live.write("minimum", 420, 160, height=90, joined=True)
    live.read()
    assert live.app.field.text == "Hello minimum"
    live.press("Control-r")

    def correct(number: int, text: str) -> list[dict]:
        click_character(live, number)
        live.app.popup.entry.insert(0, text)
        live.app.popup.entry.event_generate("<Return>")
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
    assert (len(corrections_store.read_corrected_words(folder)), len(corrections_store.read_corrections(folder)[1])) == (1, 0)
    assert [word["label"] for word in corrections_store.read_corrected_words(folder)] == ["mynzmum"], "taken back"

    stored = Path(folder, corrections_store.WORDS)
    stored.write_bytes(stored.read_bytes()[:-20])
    damaged = stored.read_bytes()
    click_character(live, 1)
    live.app.popup.take("c")
    assert "words.jsonl.gz is damaged" in live.app.banner.cget("text"), "shown, and why it is not kept"
    assert live.app.field.text == "Hcllo mynzmum" and stored.read_bytes() == damaged


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
    live.app.pad.show_ink()
    assert live.app.pad.cget("background") == window.THEMES["dark"].pad.paper
    assert window.ttk.Style().lookup(".", "background") == window.THEMES["dark"].window
    live.press("Control-t")
    assert live.app.pad.cget("background") == window.THEMES["light"].pad.paper


def test_no_point_is_lost_and_no_event_is_held_up_while_recognition_runs(live, monkeypatch):
    """The processor time of each handler counts, so that a busy machine does not decide the test."""
    live.write("Hello then 25", 40, 120)
    slowest = [0.0]

    class Timed(window.tk.CallWrapper):
        def __call__(self, *args):
            began = time.thread_time()
            try:
                return super().__call__(*args)
            finally:
                slowest[0] = max(slowest[0], time.thread_time() - began)

    pad = live.app.pad
    with monkeypatch.context() as patch:
        patch.setattr(window.tk, "CallWrapper", Timed)
        pad._listen()
    along = np.linspace(0, 12 * np.pi, 1000)
    points = np.stack([100 + 20 * along + 30 * np.cos(along), 320 + 60 * np.sin(along)], axis=1).round()
    pad.event_generate("<ButtonPress-1>", x=100, y=320)
    for number, (x, y) in enumerate(points):
        pad.event_generate("<B1-Motion>", x=int(x), y=int(y))
        if number % 10 == 0:
            live.app.root.update()
            live.app.read()
    pad.event_generate("<ButtonRelease-1>", x=int(x), y=int(y))
    assert np.array_equal(pad.drawing.strokes[-1].points[1:], points)
    assert slowest[0] < 0.016
    live.read()


def test_memory_stays_flat_and_nothing_is_complained_about(display):
    """A short piece of what `tools/benchmark.py apps --part=hour` measures."""
    done = benchmark_apps.use(rounds=4, changes=2)
    assert done["strokes"] == 160 and done["readings"] == 24 and done["switches"] == 2
    assert done["grown"] < 100 and done["stderr"] == 0


# ---- tkRecogAll

def test_lines_are_read_with_enter_and_shown_on_the_ink(everything, monkeypatch):
    hand, app = everything, everything.app
    hand.write("Hello there\nread 25 lines", 60, 120)
    hand.rest(0.3)
    assert app.field.text == "" and hand.shown() == []
    hand.press("Return")
    hand.read()
    assert app.field.text == "Hello there\nread 25 lines"
    assert hand.shown() == list("Hellothereread25lines")
    assert len(app.pad.find_withtag("gap")) == 1 + 2
    hand.press("Control-b")
    assert hand.shown() == [] and app.field.text
    hand.press("Control-b")
    assert hand.shown()
    hand.press("Control-c")
    assert clipboard_elsewhere(hand) == app.field.text
    if X11:
        monkeypatch.setattr(ImageGrab, "grabclipboard", lambda: pytest.fail("xclip and the window wait for each other"))
    hand.press("Control-v")
    assert "no picture on the clipboard" in app.banner.cget("text")


def clipboard_elsewhere(hand: Hand) -> str:
    """The text on the clipboard, as another program gets it."""
    code = "import sys, tkinter; sys.stdout.buffer.write(tkinter.Tk().clipboard_get().encode())"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE,
                          env=os.environ | {"DISPLAY": hand.app.root.winfo_screen()}) as other:
        hand.wait(lambda: other.poll() is not None, "the other program's end")
        return other.stdout.read().decode()


def test_a_picture_is_opened_under_the_ink_and_read_in_place(everything, tmp_path):
    hand, app = everything, everything.app
    app.open_file(str(ROOT / "samples/pages/lines.png"))
    hand.wait(lambda: app.pad.drawing.image, "the picture")
    hand.read()
    assert app.field.text == "Hello world\nread the lines in order\nthen 25 and more"
    image = app.pad.drawing.image
    boxes = np.array([one.box for one in app.answer.characters])
    assert (boxes[:, :2] >= (image.x, image.y)).all() and (boxes[:, 2:] <= (app.pad.winfo_width(),
                                                                            app.pad.winfo_height())).all()
    left, _, right, bottom = app.answer.characters[-1].box
    hand.write("25", right + 60 * image.zoom, bottom, 60 * image.zoom)
    hand.press("Return")
    hand.read()
    assert app.field.text.endswith("and more 25")
    hand.write("then", image.x, image.y + image.zoom * 350 + 60, 50)
    hand.press("Return")
    hand.read()
    assert app.field.text.endswith("and more 25\nthen"), "ink beside the picture is read as well"
    app.save_file(str(tmp_path / "both.png"))
    assert recogscript(tmp_path / "both.png") == app.field.text
    (tmp_path / "no.png").write_bytes(b"no picture")
    app.open_file(str(tmp_path / "no.png"))
    hand.wait(lambda: "not a picture" in app.banner.cget("text"), "the message")
    hand.press("Delete")
    assert not app.pad.drawing and app.field.text == ""


def test_a_picture_comes_from_the_clipboard(everything, tmp_path, monkeypatch):
    """On X from another program; only where there is no xclip to fetch it, as ever on other systems, that is played."""
    hand, app = everything, everything.app
    line, file = Image.open(ROOT / "samples/pages/lines.png").crop((0, 0, 746, 130)), io.BytesIO()
    line.save(file, "PNG")
    if not (X11 and shutil.which("xclip")) or "WAYLAND_DISPLAY" in os.environ:
        held = [line, None]
        monkeypatch.setattr(ImageGrab, "grabclipboard", lambda: held.pop(0))
    with Neighbour(hand, tmp_path, "CLIPBOARD", image_png=file.getvalue()) if X11 else contextlib.nullcontext():
        hand.press("Control-v")
        hand.wait(lambda: app.pad.drawing.image, "the picture")
    hand.read()
    assert app.field.text.lower() == "hello world"
    hand.press("Control-v")
    assert "no picture on the clipboard" in app.banner.cget("text")
    app.clear()


def test_a_picture_that_is_dropped_is_read_and_the_pad_shows_that_it_can_be(dropping, tmp_path):
    hand, app = dropping, dropping.app
    picture = tmp_path / "drei Zeilen für 100%25.png"
    shutil.copy(ROOT / "samples/pages/lines.png", picture)
    with Neighbour(hand, tmp_path, "XdndSelection", **{"text_uri-list": f"{picture.as_uri()}\r\n"}) as other:
        other.do("to 2000 2000", "nothing here")
        other.do("to 300 300", "accepts")
        assert app.pad.find_withtag("drop") and app.pad.itemcget(app.hint, "state") == "hidden"
        other.do("to 320 310", "accepts")
        other.do("to 2000 2000", "nothing here")
        hand.wait(lambda: not app.pad.find_withtag("drop"), "a pad without a frame")
        assert app.pad.itemcget(app.hint, "state") == "normal" and not app.pad.drawing
        other.do(f"to 100 {app.root.winfo_height() - 20}", "accepts")  # anywhere on the window
        other.do("drop", "taken")
    assert not app.pad.find_withtag("drop") and app.banner.cget("text") == ""
    hand.wait(lambda: app.pad.drawing.image, "the picture")
    hand.read()
    assert app.field.text == "Hello world\nread the lines in order\nthen 25 and more"
    assert app.pad.drawing.image.data == picture.read_bytes()


def test_what_is_dropped_and_cannot_be_opened_is_a_message_and_the_ink_stays(dropping, tmp_path, capsys):
    hand, app = dropping, dropping.app
    with Neighbour(hand, tmp_path, "XdndSelection", **{"text_uri-list": "file:///a.png"}) as other:
        other.do("to 300 300", "accepts")  # and then it dies
    hand.write("25", 60, 120)
    assert not app.pad.find_withtag("drop")
    app.save_file(str(tmp_path / "ein ö.json"))
    ink, text = app.pad.drawing.strokes, tmp_path / "no picture.png"
    text.write_bytes(b"no picture")
    drop(hand, tmp_path, text)
    hand.wait(lambda: "not a picture that can be read" in app.banner.cget("text"), "the message")
    for offers, message in (({"text_uri-list": "https://example.org/a.png"}, "https://example.org/a.png is no file"),
                            ({"text_plain;charset=utf-8": "grüne Wörter"}, "grüne Wörter is no file"),
                            ({"text_uri-list": (tmp_path / "gone.png").as_uri()}, "gone.png cannot be read"),
                            ({"text_uri-list": tmp_path.as_uri()}, f"{tmp_path} cannot be read")):
        drop(hand, tmp_path, **offers)
        assert message in app.banner.cget("text")
    assert app.pad.drawing.strokes == ink and capsys.readouterr().err == ""

    app.clear()
    drop(hand, tmp_path, tmp_path / "ein ö.json", text)
    assert len(app.pad.drawing.strokes) == len(ink)
    assert "ein ö.json was opened, the first of 2 files" in app.banner.cget("text")
    app.clear()
    drop(hand, tmp_path, **{"text_plain;charset=utf-8": (tmp_path / "ein ö.json").as_uri()})
    assert len(app.pad.drawing.strokes) == len(ink) and app.banner.cget("text") == ""


@pytest.mark.parametrize("missing", ["the package", "its binary"])
def test_without_drag_and_drop_the_rest_works(display, monkeypatch, missing):
    if missing == "the package":
        monkeypatch.setitem(sys.modules, "tkinterdnd2", None)
    else:
        monkeypatch.setattr("platform.system", lambda: "Plan 9")
    app = ui_driver.start("tkRecogAll", models_path=str(ROOT / "Models"))
    try:
        hand = Hand(app)
        hand.stroke([(100, 100), (200, 100)])
        hand.press("F1")
        hand.rest(0.2)
        assert not app.takes_drops and len(app.pad.drawing.strokes) == 1 and app.banner.cget("text") == ""
    finally:
        app.close()


# ---- tkRecogIndv

@pytest.mark.parametrize("character", "Rk5")
def test_one_character_is_read_with_its_alternatives_while_it_is_drawn(single, character):
    app = single.app
    app.clear()
    single.character(character, 100, 100, 1.4)
    single.read()
    assert app.letter.cget("text") == character
    texts = [app.bars.itemcget(item, "text") for item in app.bars.find_all() if app.bars.type(item) == "text"]
    assert texts[0] == character and len(texts) == 10 and re.fullmatch(r"\d+\.\d %", texts[1])
    ink = drawing.render(app.pad.drawing.strokes, alone=True).ink
    shown = np.array([[app.picture.get(x * app.zoom, y * app.zoom)[0] for x in range(28)] for y in range(28)])
    assert np.abs(shown - glyph.glyph(ink).astype(int)).mean() < 4  # found again in the picture, so not quite the same
    app.clear()
    assert app.letter.cget("text") == ""


# ---- start and end

def launch(*arguments: str, code: str = "", **environment) -> subprocess.CompletedProcess:
    command = ["-c", code, *arguments] if code else [str(ROOT / arguments[0]), *arguments[1:]]
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=60, cwd=ROOT,
                          env=kept | environment)


def test_all_is_twice_as_large_on_a_display_of_twice_the_resolution(display):
    code = """
from tools import ui_driver
with ui_driver.display("3840x2160", 192, always=True):
    app = ui_driver.start("textrecog_ui")
    hand = ui_driver.Hand(app)
    root = app.root
    hand.wait(lambda: root.winfo_width() > 1000, "the window")
    hand.rest(0.2)
    height = window.font.nametofont("TkDefaultFont").metrics("linespace")
    outside = [part for part in root.winfo_children() if part.winfo_ismapped() and not (
        0 <= part.winfo_x() and part.winfo_x() + part.winfo_reqwidth() <= root.winfo_width()
        and 0 <= part.winfo_y() and part.winfo_y() + part.winfo_height() <= root.winfo_height())]
    print(root.winfo_width(), root.winfo_height(), app.pad.pen_width, height > 25, outside)
    app.close()
"""
    done = launch(code="from apps import window" + code)
    assert done.stdout == "2160 1360 10.0 True []\n", done.stdout + done.stderr


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there is always a display")
def test_without_a_display_one_sentence_says_so():
    done = launch("textrecog_ui.py")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "DISPLAY" in done.stderr


def test_without_tkinter_one_sentence_says_what_to_install():
    done = launch(code="import sys; sys.modules['tkinter'] = None; import runpy; "
                       "runpy.run_path('tkRecogIndv.py', run_name='__main__')")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "python3-tk" in done.stderr


def test_a_network_that_is_not_there_is_a_message_in_the_window(display, capsys):
    app = ui_driver.start("textrecog_ui", model="1700000000", models_path=str(ROOT / "Models"))
    try:
        hand = Hand(app)
        hand.write("Hello", 40, 120)
        hand.wait(lambda: "1700000000" in app.banner.cget("text"), "the message")
        assert all(name in app.banner.cget("text") for name in MODELS)
        assert "1700000000" in capsys.readouterr().err
        app._load(MODELS[0])
        hand.read()
        hand.wait(lambda: letters(app.field.text), "text")
    finally:
        app.close()


def test_closing_while_the_network_loads_ends_at_once(display):
    app = ui_driver.start("tkRecogIndv", models_path=str(ROOT / "Models"))
    app.root.update()
    process = app.worker._process
    assert not app.model
    began = time.perf_counter()
    app.close()
    assert time.perf_counter() - began < 1 and process.poll() is not None


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
@pytest.mark.parametrize("end, status", [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_the_reading_process_ends_with_the_window(display, end, status):
    window = subprocess.Popen([sys.executable, str(ROOT / "textrecog_ui.py")], stderr=subprocess.PIPE, text=True,
                              start_new_session=True)
    children = Path(f"/proc/{window.pid}/task/{window.pid}/children")
    limit = time.monotonic() + 20
    while not (found := children.read_text().split()) and time.monotonic() < limit:
        time.sleep(0.05)
    time.sleep(1)  # both are busy with what they import
    os.killpg(window.pid, end)  # as a terminal's Ctrl-C
    assert window.wait(10) == status
    while Path(f"/proc/{found[0]}").exists() and time.monotonic() < limit:
        time.sleep(0.05)
    assert not Path(f"/proc/{found[0]}").exists()
    assert window.stderr.read() == ""
    window.stderr.close()
