"""What all drawing apps share, in real windows: looks, keys, settings, start and end; and tkRecogIndv.py."""
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("tkinter", reason="Python's tkinter is missing")

from windows import LIVE, MODELS, MODELS_PATH, launch, letters, needs_xdotool, opened

from apps import commands, jobs, memory, page, strokes
from apps.theme import THEMES
from apps.toolkit import filedialog, tk
from common import alphabets, glyph, runs, settings
from tools import ui_driver
from training import corrections_store

# ---- what all apps share

def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2, from 1 to 21."""
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
        assert script != "tkRecogIndv" or driver.app.entry.winfo_ismapped() and (
            driver.app.entry.winfo_rooty() + driver.app.entry.winfo_height() < driver.app.status.winfo_rooty())
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
    assert commands.pressed("p", 0x8, 33) == "Alt-p", "which opens a menu"


def test_a_wheel_that_turns_by_parts_of_a_step_scrolls(live):
    pad = live.app.pad
    live.stroke([(100, 100), (300, 300)])
    pad.show_page(4.0, (0, 0))
    top = pad.canvasy(0)
    pad._wheel(SimpleNamespace(state=0, x=9, y=9), -0.1)
    assert pad.canvasy(0) > top
    live.press("Control-0")


MANAGED = """
import subprocess
from tools import ui_driver
manager = subprocess.Popen(["openbox"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
app = ui_driver.start(SCRIPT, models_path=MODELS)
driver = ui_driver.Driver(app)
driver.ready()
driver.write("Hello then", 40, 120)

def by_hand(*commands):
    tool = subprocess.Popen(["xdotool", *map(str, commands)])
    driver.wait(lambda: tool.poll() is not None, "xdotool's end")
    driver.rest(0.3)

def focus():
    found = app.root.focus_get()
    return found and found.winfo_class()

driver.wait(lambda: app.root.winfo_rooty() > 10, "the window manager's frame")
by_hand("key", "Return")      # reads, or corrects nothing
driver.read()
left, top, right, bottom = app.pad.bbox("read1")
by_hand("mousemove", app.pad.winfo_rootx() + left + 4, app.pad.winfo_rooty() + top + 4, "click", 1)
print(focus())
by_hand("type", "a")
by_hand("key", "Return")
print(app.field.text, focus())
by_hand("key", "Right", "F2", "r", "BackSpace", "BackSpace", "Return")      # the l of Hallo, and the a before it
print(app.field.text, focus())
by_hand("key", "Right", "Right", "F2", "End", "s", "Home", "BackSpace", "Return")      # the t of then
print(app.field.text)
by_hand("key", "F2", "Home", "Right", "space", "Return")
print(app.field.text)
by_hand("key", "F2", "ctrl+a", "o", "h", "Escape")
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
@pytest.mark.parametrize("script", ["textrecog_ui", "tkRecogAll"])
def test_words_are_corrected_by_hand_and_the_focus_is_where_people_expect_it(script):
    with ui_driver.display(always=True) as name:
        done = launch(code=MANAGED.replace("MODELS", repr(MODELS_PATH)).replace("SCRIPT", repr(script)), DISPLAY=name)
    assert done.stdout.splitlines() == [
        "TEntry", "Hallo then Canvas", "Hlo then Canvas", "Hlothens", "H lothens", "H lothens Canvas", "Toplevel",
        "Canvas 1080"], done.stderr


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
    assert "a.xyz is not a picture's name" in live.app.banner.cget("text") and not (tmp_path / "a.xyz").exists()
    live.app.files.save_file(str(tmp_path / name))
    assert not live.app.banner.winfo_ismapped(), "what no longer holds goes away"


def test_keys_save_open_and_export_what_the_dialog_names(live, tmp_path, monkeypatch):
    ink, text = str(tmp_path / "a.json"), tmp_path / "a.txt"
    monkeypatch.setattr(filedialog, "asksaveasfilename", lambda **_: ink)
    monkeypatch.setattr(filedialog, "askopenfilenames", lambda **_: [ink])
    live.write("Hello", 40, 120)
    count = len(live.app.pad.drawing.strokes)
    live.press("Control-s")
    live.press("Delete")
    assert not live.app.pad.drawing
    live.press("Control-o")
    assert len(live.app.pad.drawing.strokes) == count
    live.read()
    monkeypatch.setattr(filedialog, "asksaveasfilename", lambda **_: str(text))
    live.press("Control-e")
    assert text.read_text().strip() == "Hello"


def test_ink_and_window_fit_a_smaller_display_than_they_were_kept_on(display, tmp_path):
    drawing = strokes.Drawing()
    drawing.add(strokes.Stroke(np.float32([(200, 200), (400, 200)]), 10.0))
    strokes.save(drawing, tmp_path / "textrecog_ui-ink.json", scale=2.0)
    (tmp_path / "textrecog_ui-settings.json").write_text('{"geometry": "9000x5000+0+0"}')
    with opened("textrecog_ui", state_path=str(tmp_path)) as driver:
        app = driver.app
        app.begin()
        driver.rest(0.1)
        assert app.root.winfo_width() <= app.root.winfo_screenwidth()
        assert app.root.winfo_height() <= app.root.winfo_screenheight()
        scale, stroke = app.looks.scale / 2, app.pad.drawing.strokes[0]
        assert stroke.points.tolist() == [[200 * scale, 200 * scale], [400 * scale, 200 * scale]]
        assert stroke.width == 10 * scale


def test_what_cannot_be_opened_at_the_start_is_said_beside_the_ink_that_is_put_by(display, tmp_path):
    with opened("textrecog_ui", state_path=str(tmp_path)) as driver:
        driver.stroke([(100, 100), (200, 100)])
    with opened("textrecog_ui", state_path=str(tmp_path)) as driver:
        driver.app.begin([str(tmp_path / "missing.png")])
        said = driver.app.banner.cget("text")
        assert "missing.png cannot be read" in said and "among the recent files" in said


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
        app.session.choose_language("french")
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
        app.begin()
        driver.ready()
        driver.read()
        assert app.session.model == MODELS[0] and "is here again" in app.banner.cget("text")
        assert app.field.text == "Yellow" and app.session.language == "french"
        assert app.root.geometry() == "900x600+30+40"
        app.keep()     # as the app does now and then
        app.files.save_file(str(tmp_path / "mine.json"))
    with opened("textrecog_ui", **kept, theme="light", unixTime="") as driver:
        driver.app.begin()
        driver.ready()
        assert driver.app.session.model == runs.DEFAULT
        assert driver.app.looks.name == "light", "what is named goes before what is remembered"
        assert not driver.app.pad.drawing, "what was saved is not brought back"
    with opened("textrecog_ui", **kept) as driver, opened("textrecog_ui", **kept) as other:
        driver.stroke([(100, 100), (200, 100)])
        other.stroke([(100, 100), (200, 100), (200, 200)])
    assert len(list(tmp_path.glob("textrecog_ui-ink*.json"))) == 2, "two windows keep their ink apart"
    with opened("textrecog_ui", **kept) as driver:
        driver.app.begin([str(tmp_path / "mine.json")])
        assert "among the recent files" in driver.app.banner.cget("text")
        assert driver.app.memory.recent[0] in (tmp_path / "textrecog_ui-settings.json").read_text(), "at once"
        driver.app.files.open_file(driver.app.memory.recent[0])
        assert len(driver.app.pad.drawing.strokes) == 1, "nothing is lost where a file is opened at the start"
        driver.press("Delete")
        driver.app.keep()
    with opened("textrecog_ui", **kept) as driver:
        driver.stroke([(100, 100), (200, 100)])
    with opened("textrecog_ui", **kept) as driver:
        driver.app.begin()
        assert driver.app.pad.drawing
        driver.press("Delete")
    with opened("textrecog_ui", **kept) as driver:
        driver.app.begin()
        assert not driver.app.pad.drawing, "what was cleared at once does not come back"
    with opened("textrecog_ui", **kept, reset=True) as driver:
        assert driver.app.looks.name == "light" and driver.app.toolbar.pen.get() == 5
        assert not driver.app.memory.recent and not list(tmp_path.glob("textrecog_ui-*.json"))


def test_ink_of_any_window_is_restored_and_what_cannot_be_kept_is_tried_again(tmp_path, monkeypatch):
    drawing = strokes.Drawing()
    drawing.replace(strokes.State((strokes.Stroke(np.float32([(1, 2), (3, 4)]), 5.0),)))
    first, second = memory.Memory(tmp_path, "app"), memory.Memory(tmp_path, "app")
    with monkeypatch.context() as full:
        full.setattr(strokes, "save", lambda *_: os.write(-1, b""))
        with pytest.raises(OSError):
            second.keep_ink(drawing, strokes.EMPTY, 1.0)
    second.keep_ink(drawing, strokes.EMPTY, 1.0)
    first.close()
    second.close()
    assert len(memory.Memory(tmp_path, "app").ink(1.0).strokes) == 1
    (tmp_path / "file").touch()
    nowhere = memory.Memory(tmp_path / "file" / "folder", "app")
    assert str(tmp_path) in nowhere.problem
    nowhere.keep({"pen": 3})
    nowhere.keep_ink(drawing, strokes.EMPTY, 1.0)


@pytest.mark.parametrize("content", [
    "[" * 100_000, '{"strokes": [[0, 0, 2e9, 0]], "widths": [5]}', '{"strokes": [[0, 0]], "widths": [0]}',
    '{"strokes": [[0, 0]], "widths": [5], "corrections": [{"text": "a", "ends": true, "box": [0, 0, 1, 1], '
    '"origins": [0], "ink": Infinity}]}'])
def test_damaged_strokes_are_refused(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(strokes.DrawingError, match="holds no strokes"):
        strokes.load(tmp_path / "a.json")


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
def test_one_character_is_read_with_its_alternatives_while_it_is_drawn(single, character, tmp_path, monkeypatch):
    app = single.app
    monkeypatch.setattr(app.config, "corrections_path", str(tmp_path))
    monkeypatch.setattr(app, "remember", tk.BooleanVar(app.root, True))
    app.pad.clear()
    single.character(character, 100, 100, 1.4)
    single.read()
    assert app.letter.cget("text") == character
    texts = [text.cget("text") for text, *_ in app.bars]
    assert texts[0] == character and len(set(texts)) == 5
    assert all(re.fullmatch(r"\d+\.\d %", chance.cget("text")) for *_, chance in app.bars)
    ink = 255 - page.picture_of(app.pad.drawing.strokes, None, alone=True).pixels
    shown = np.array([[app.picture.get(x * app.zoom, y * app.zoom)[0] for x in range(28)] for y in range(28)])
    assert np.abs(shown - glyph.glyph(ink).astype(int)).mean() < 4  # found again in the picture, so slightly different
    app.bars[1][1].event_generate("<Button-1>", x=5, y=5)
    assert app.letter.cget("text") == texts[1], "the second bar"
    assert [alphabets.CHARACTERS[label] for label in corrections_store.read_corrections(tmp_path)[1]] == [texts[1]]
    single.press("F2")
    app.entry.insert(0, "Q")
    assert app.root.focus_get() is app.entry
    app.entry.event_generate("<Return>")
    assert app.letter.cget("text") == "Q"
    single.press("Control-z")
    single.press("Control-z")
    assert app.letter.cget("text") == character and not len(corrections_store.read_corrections(tmp_path)[1])
    app.pad.clear()
    assert app.letter.cget("text") == ""


# ---- start and end

def test_all_is_twice_as_large_on_a_display_of_twice_the_resolution(display):
    """In a separate process, because Tk ends it with the display."""
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
    with opened("textrecog_ui", unixTime="1700000000") as driver:
        driver.ready()
        driver.app.session.choose_language("french")
        driver.ready()
        assert driver.app.session.model == runs.DEFAULT, "the usual one, where there is none yet"
    with pytest.raises(settings.SettingsError, match="there is no language 'English'; there are: english"):
        ui_driver.start("textrecog_ui", language="English")


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
        os.killpg(window.pid, end)  # like a terminal's Ctrl-C
        assert window.wait(10) == status and children
        limit = time.monotonic() + 20
        while (left := [child for child in children if Path(f"/proc/{child}").exists()]) and time.monotonic() < limit:
            time.sleep(0.02)
        assert not left and window.stderr.read() == ""
        window.stderr.close()
