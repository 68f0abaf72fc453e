"""textrecog_ui.py in a real window: strokes drawn by mouse events, buttons pressed, and what then appears."""
import importlib
import importlib.util
import itertools
import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

pytest.importorskip("tkinter", reason="Python's tkinter is missing")

from windows import (
    MODELS,
    ROOT,
    X11,
    click_character,
    edit,
    letters,
    needs_xdotool,
    opened,
    recogscript,
    type_in,
    zigzag,
)

from apps import corrections, stillness, strokes, widgets, worker
from apps.boxes import Box, around
from apps.theme import THEMES
from apps.toolkit import ttk
from common import alphabets, runs
from reading.readings import Character, Line, Reading, Word
from tools import benchmark_apps
from training import corrections_store


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
    app.field.event_generate("<F1>")
    keys = [window for window in app.root.winfo_children() if window.winfo_class() == "Toplevel"]
    assert [window.title() for window in keys] == ["Shortcuts"]
    keys[0].destroy()
    bar, = (part for part in app.field.master.winfo_children() if part is not app.field)
    line = app.reading.lines[0]
    for count, there in ((20, True), (1, False)):
        app.field.show([line] * count)
        app.root.update()
        assert bar.winfo_ismapped() == there, "a scroll bar while not all is seen"
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
    live.write("the", 40, 320)
    live.read()
    assert live.app.field.text == "Hello then 25\nthe"
    kept = live.app.reading.lines[0].words[0]
    assert [one is other for one, other in zip(kept.characters, word.characters)] == [True] * 5, "not read again"
    live.click(900, 400)
    live.read()
    assert len(live.app.pad.drawing.strokes) and live.app.field.text == "Hello then 25\nthe", "a dot far away is none"
    live.rest(2.3)
    together = live.app.reading.lines[0].words[0].characters[0]
    assert together is not word.characters[0], "the pen rests: all is read together"
    live.stroke([(60, 60), (64, 110)])
    live.read()
    assert live.app.reading.lines[0].words[0].characters[0] is not word.characters[0], "its ink has changed"


def test_a_word_stands_still_though_the_next_ones_first_stroke_was_read_with_it():
    def reading(text: str, *places: Box) -> Reading:
        characters = [Character(one, 1.0, [], place) for one, place in zip(text, places, strict=True)]
        word, glyphs = Word(text, around(places), 1.0, characters, []), [np.zeros((28, 28))] * len(text)
        return Reading([Line(text, word.box, [word])], lambda: glyphs, [True] * len(text))

    ink = [strokes.Stroke(np.float32([(x, 50), (x, 100)]), 5.0) for x in (0, 30, 60, 90, 125, 135)]
    *when, _, _ = places = [stroke.box for stroke in ink]   # four letters; the last two strokes begin the next word
    first = reading("when", *when[:3], around(places[3:5]))  # the first of them is read as a part of the n
    assert stillness.settled(reading("when", *when), ink[:4], first, ink[:5]).text == "when", "wide gaps do not part it"
    shown = stillness.settled(first, ink[:5], reading("whom!", *when, around(places[4:])), ink)
    assert [word.text for word in shown.lines[0].words] == ["when", "!"]


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
    live.stroke([(x[row % 2], box.y + box.height * row / 3) for row in range(4)])
    assert drawing.strokes[:-1] == before, "a Z is no scratching"
    live.press("Control-z")
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
        after = live.app.pad.ink.cover[:300, :500]  # drawn again in one go: soft edges may differ a little
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

    strokes.save(pad.drawing, tmp_path / "half.json", 0.25)     # as from a display with a quarter of the resolution
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
    line = live.app.reading.lines[0].box
    live.stroke([(line.x, line.bottom + 12), (line.x + 100, line.bottom + 14), (line.right, line.bottom + 13)])
    live.click(1000, 380)
    live.read()
    live.rest(2.3)
    live.app.files.save_file(str(tmp_path / "a.png"))
    underlined = live.app.field.text
    assert underlined == recogscript(tmp_path / "a.png") and underlined.startswith("Hello then 25"), "a dot, too"
    (tmp_path / "b.json").write_text('{"strokes": [[1]]}')
    live.app.files.open_file(str(tmp_path / "b.json"))
    assert "holds no strokes" in live.app.banner.cget("text") and live.app.field.text == underlined


def test_another_network_of_the_menu_reads_from_then_on(live):
    session, menu = live.app.session, live.app.status.networks
    live.write("Hello", 40, 120)
    live.read()
    first = session.model
    live.app.status.fill_networks()
    labels = [menu.entrycget(row, "label") for row in range(menu.index("end") + 1)]
    assert [label.removesuffix(" (the default)") for label in labels] == [
        runs.describe(session.models_path, name) for name in MODELS]
    default, = (label for label in labels if "(the default)" in label)
    assert re.fullmatch(rf"line: words, lines and pages, \d+.\d % of UNIPEN's words, {runs.DEFAULT} \(the default\)",
                        default)
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


def test_an_answer_that_nobody_can_use_is_no_end_of_the_process():
    def fail(answer, error):
        raise OSError("what was done with the answer has failed")

    ended = []
    one = worker.Worker(ended.append)
    one.ask("any", len, "abc", then=fail)
    with pytest.raises(OSError, match="has failed"):
        for _ in range(500):
            one.poll()
            time.sleep(0.02)
    assert one.process.is_alive() and not ended
    one.close()


def test_the_popup_covers_no_other_line_where_there_is_room(live):
    live.write("Hello\nthen", 40, 160, height=50)
    live.read()
    for number, above in ((1, True), (6, False)):   # the usual place, below, would be on the second line
        click_character(live, number)
        popup, line = live.app.popup, live.app.shown[number].line
        box = Box(popup.winfo_x(), popup.winfo_y(), popup.winfo_width(), popup.winfo_height())
        assert not any(box.cut(other.box).area for other in live.app.reading.lines if other is not line)
        assert (box.bottom <= line.box.y) == above
        live.press("Escape")


def test_an_alternative_is_taken_by_its_button_or_its_number(live):
    live.write("Hello", 40, 120)
    live.read()
    click_character(live, 1)
    assert len(live.app.popup.buttons) > 1
    text = live.app.popup.buttons[1].cget("text").split()[0]
    live.app.popup.buttons[1].invoke()
    assert live.app.field.text == text != "Hello" and live.app.popup is None
    click_character(live, 1)
    number = next(number for number, button in enumerate(live.app.popup.buttons, 1)
                  if button.cget("text").split()[0] == "Hello")
    live.app.popup.entry.focus_force()
    live.app.popup.entry.event_generate(f"<Alt-Key-{number}>")
    assert live.app.field.text == "Hello" and live.app.popup is None
    click_character(live, 1)
    french = SimpleNamespace(keysym="eacute", keycode=11)   # on X11, with the digit 2 on Shift
    assert live.app.popup._by_number(french) == "break" and live.app.field.text != "Hello"


def test_a_click_on_a_word_of_the_text_offers_its_alternatives_and_nothing_changed_is_no_step(live):
    live.write("Hello then", 40, 120)
    live.read()
    live.press("Control-z")   # something to redo
    live.read()
    app, text = live.app, live.app.field.text
    steps, undone = len(app.pad.drawing.before), len(app.pad.drawing.undone)
    x, y, width, height = app.field.bbox("1.7")
    app.field.event_generate("<Button-1>", x=x + 2, y=y + height // 2)
    app.field.event_generate("<ButtonRelease-1>", x=x + 2, y=y + height // 2)
    assert app.popup.entry.get() == app.reading.lines[0].words[1].text
    app.popup.entry.event_generate("<Return>")
    assert app.popup is None and app.field.text == text
    assert (len(app.pad.drawing.before), len(app.pad.drawing.undone)) == (steps, undone) and undone


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


@pytest.mark.parametrize("text, slant", [("minimum", 0.0), ("little", 0.0), ("hello world", 0.0), ("minimum", 0.4),
                                         ("hello", 0.4)])
def test_cursive_is_read(live, text, slant):
    live.write(text, 40, 160, height=90, cursive=True, slant=slant)
    live.read()
    assert live.app.field.text == text
    assert live.shown() == list(text.replace(" ", "")), "each letter is shown under its ink"
    labels = [live.app.pad.bbox(f"read{number}") for number in range(len(live.app.shown))]
    assert all(before[2] <= after[0] for before, after in itertools.pairwise(labels)), "side by side, in order"
    for (left, _, right, _), place in zip(labels, live.app.shown):
        box = place.character.box
        assert box.x - 12 <= (left + right) / 2 <= box.right + 12, "under its ink"


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
    """Like an r under the bar of an f."""
    drawing = strokes.Drawing()
    drawing.add(strokes.Stroke(np.float32([[20, 0], [5, 50], [0, 100], [60, 30]]), 4.0),
                strokes.Stroke(np.float32([[40, 60], [48, 40], [58, 42]]), 4.0))

    def reading(*characters: tuple[str, Box]) -> Reading:
        """One word; its glyphs are numbered."""
        read = [Character(text, 0.9, [], box) for text, box in characters]
        word = Word("".join(one.text for one in read), Box(0, 0, 60, 100), 0.9, read, [])
        return Reading([Line(word.text, word.box, [word])],
                       lambda: [np.full((28, 28), number) for number in range(len(read))], [True] * len(read))

    f, r = Box(0, 0, 60, 100), Box(38, 38, 21, 24)

    def shown(read: Reading) -> list[corrections.Place]:
        return corrections.places(corrections.apply(read, drawing))

    def correct(number: int, text: str) -> str:
        """The text after one character is corrected."""
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


@pytest.mark.parametrize("script", ["live", "everything"])
def test_a_word_is_typed_again_parted_joined_and_corrected_back(request, script):
    live = request.getfixturevalue(script)
    live.write("Hello then", 40, 120)
    live.press("Return")      # in textrecog_ui it corrects the chosen word: none
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


@pytest.mark.skipif(not X11, reason="other systems bring their dialogs")
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
    assert [widgets.percent(chance) for chance in (0.29, 0.57, 0.995, 1.0)] == ["29 %", "57 %", "99 %", "100 %"]


def test_no_point_is_lost_and_no_event_is_held_up_while_recognition_runs(live):
    """Measures the processor time of each handler, so that a busy machine does not decide the test."""
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


@needs_xdotool
def test_each_point_of_the_pen_arrives_however_long_the_window_is_held_up(live):
    app = live.app
    app.root.lift()
    live.rest(0.2)
    left, top = app.pad.winfo_rootx(), app.pad.winfo_rooty()
    points = [(100 + 2 * number, 300 + number % 7) for number in range(200)]
    moves = [["mousemove", left + x, top + y] for x, y in points]
    commands = [*moves[0], "mousedown", 1, *itertools.chain(*moves[1:]), "mouseup", 1]
    subprocess.run(["xdotool", *map(str, commands)], check=True)      # the window does nothing meanwhile
    live.wait(lambda: app.pad.drawing.strokes, "the stroke")
    assert np.array_equal(np.unique(app.pad.drawing.strokes[-1].points, axis=0), sorted(points))


def test_memory_stays_flat_and_nothing_is_complained_about(display, capfd):
    """A short version of what `python -m tools.benchmark apps` measures."""
    done = benchmark_apps.use(rounds=4, switches=2)
    assert (done.strokes, done.readings, done.switches) == (160, 24, 2)
    assert done.grown < 100 and capfd.readouterr().err == ""
