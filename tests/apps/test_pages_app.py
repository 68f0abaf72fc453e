"""tkRecogAll.py in a real window: pages, pictures, the clipboard, drag and drop, and learning."""
import importlib
import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageGrab

pytest.importorskip("tkinter", reason="Python's tkinter is missing")

from windows import (
    MODELS,
    ROOT,
    X11,
    Dragging,
    clipboard_elsewhere,
    drop,
    needs_xdotool,
    opened,
    output_of,
    recogscript,
)

from apps import corrections, jobs, learning
from apps.theme import THEMES
from common import runs
from tools import draw_samples
from training import corrections_store


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
    driver.write("then", 60, 420)
    app.field.focus_force()
    app.field.event_generate("<Return>")
    driver.read()
    assert app.field.text == "Hello there\nread 25 lines\nthen", "Enter reads, where the text has the focus too"


def test_what_was_read_goes_when_more_is_written_and_comes_back_with_undo(everything, tmp_path, monkeypatch):
    driver, app = everything, everything.app
    monkeypatch.setattr(app.config, "corrections_path", str(tmp_path))
    copy, = app.commands.buttons["Copy text"]
    driver.write("Hello", 60, 120)
    driver.press("Return")
    driver.read()
    assert app.field.text == "Hello" and str(copy.cget("state")) == "normal" and "sure" in app.status.text.cget("text")
    app.remember.set(True)
    app.correct(app.reading.lines[0].words, "Yellow")
    assert [one["label"] for one in corrections_store.read_corrected_words(tmp_path)] == ["Yellow"]
    driver.stroke([(500, 60), (500, 120)])
    assert app.field.text == "" and driver.shown() == [] and str(copy.cget("state")) == "disabled"
    assert "sure" not in app.status.text.cget("text")
    driver.press("Control-z")
    assert app.field.text == "Yellow"
    driver.press("Control-z")
    assert app.field.text == "Hello" and not corrections_store.read_corrected_words(tmp_path)
    app.remember.set(False)
    app.files.open_file(str(ROOT / "samples/hello.json"))
    assert app.field.text == "" and driver.shown() == []


def test_text_is_only_shown_with_its_own_picture(everything, tmp_path, monkeypatch):
    driver, app = everything, everything.app
    lines = str(ROOT / "samples/pages/lines.png")
    blank, large = str(tmp_path / "blank.png"), str(tmp_path / "large.jpg")
    Image.new("L", (600, 400), 255).save(blank)
    Image.effect_noise((4000, 3000), 20).save(large)
    app.files.open_files([lines, blank])
    driver.read()
    image = app.pad.drawing.image
    monkeypatch.setattr(app.session, "read", lambda page: None)   # a slow one: its answer has not come
    app.files.turn(1)
    assert app.banner.cget("text").endswith("is 2 of 2 files: Page Up opens the previous one")
    driver.wait(lambda: app.pad.drawing.image is not image, "the second picture")
    driver.stroke([(500, 60), (500, 120)])
    driver.press("Control-z")
    assert app.field.text == "", "what was read in the first picture does not come back"
    monkeypatch.undo()
    app.files.open_file(lines)
    driver.read()
    app.files.open_file(blank)
    driver.wait(lambda: "no ink" in app.banner.cget("text"), "that there is nothing to read")
    assert app.field.text == "" and driver.shown() == [] and app.status.text.cget("text") == ""
    app.files.open_files([large, str(ROOT / "samples/hello.json")])
    app.files.turn(1)
    driver.wait(lambda: not app.session.worker.busy, "the large picture is decoded")
    assert app.pad.drawing.strokes and not app.pad.drawing.image, "it comes too late to replace the strokes"


def test_text_is_read_again_in_another_language_and_stays_meanwhile(everything):
    driver, app = everything, everything.app
    driver.write("Hello", 60, 120)
    driver.press("Return")
    driver.read()
    first = app.session.answer.reading
    app.session.choose_language("german")
    app.correct(app.reading.lines[0].words, "Hallo")
    assert app.field.text == "Hallo" and app.session.loading
    driver.ready()
    driver.wait(lambda: app.session.answer.model == app.session.model, "the text in German")
    assert app.field.text == "Hallo" and app.session.answer.reading is not first
    app.session.choose_language("english")
    driver.ready()


def test_doubtful_lines_are_faint_on_the_ink_and_in_the_text(everything):
    driver, app = everything, everything.app
    driver.write("Hello there\nread 25 lines", 60, 120)
    driver.press("Return")
    driver.read()
    answer, faint = app.session.answer, THEMES[app.looks.name].pad.faint

    def colours() -> list[str]:
        return [app.pad.itemcget(item, "fill") for item in app.pad.find_withtag("read") if app.pad.type(item) == "text"]

    assert faint not in colours() and not app.field.tag_ranges("faint")
    first, second = answer.reading.lines
    app.show(answer._replace(reading=replace(answer.reading, lines=[first, replace(second, confidence=0.3)])))
    assert colours()[10:] == [faint] * 11 and faint not in colours()[:10]
    assert app.field.get(*app.field.tag_ranges("faint")) == "read 25 lines"
    app.show(answer)
    assert not app.field.tag_ranges("faint")


def test_a_picture_is_opened_under_the_ink_and_read_in_place(everything, tmp_path):
    driver, app = everything, everything.app
    app.files.open_file(str(ROOT / "samples/pages/lines.png"))
    driver.wait(lambda: app.pad.drawing.image, "the picture")
    driver.read()
    assert app.field.text == "Hello world\nread the lines in order\nthen 25 and more"
    image = app.pad.drawing.image
    driver.press("Control-t")
    assert app.looks.name == "dark"
    app.mark(0)
    for item, part in ((app.pad.find_withtag("read0")[0], "fill"), (app.pad.find_withtag("mark")[0], "outline")):
        assert app.pad.itemcget(item, part) in THEMES["light"].pad, "on light ground in every theme"
    driver.press("Control-t")
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
    """On X from another program; without xclip to fetch it, and always on other systems, the clipboard is simulated."""
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
    assert "grüne Wörter is not a file" in app.banner.cget("text")
    for address, message in (("https://example.org/a.png", "https://example.org/a.png is not a file"),
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
    app.files.open_files([str(ROOT / "samples/pages/lines.png"), str(text)])
    driver.wait(lambda: app.pad.drawing.image, "the picture")
    driver.read()
    assert "lines.png is 1 of 2 files" in app.banner.cget("text"), "said until something else is opened"
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
    pypdfium2 = pytest.importorskip("pypdfium2")
    sheet = pypdfium2.PdfDocument(tmp_path / "a.pdf")[0]
    with Image.open(ROOT / "samples/pages/lines.png") as picture:
        scale = picture.width / sheet.get_width()
        shown = np.asarray(sheet.render(scale=scale).to_pil().convert("L").resize(picture.size), int)
        ink = np.asarray(picture.convert("L"), int)
    assert np.abs(shown - ink).mean() < 3, "the text over the picture is not seen"
    layer = sheet.get_textpage()
    assert layer.get_text_range().split() == app.reading.text.split()
    for word in ("Hello", "world", "lines", "order", "25", "more"):
        first, count = layer.search(word, match_case=True, match_whole_word=True).get_next()
        boxes = np.array([layer.get_charbox(place, loose=True) for place in range(first, first + count)])
        left, right = boxes[:, 0].min() * scale, boxes[:, 2].max() * scale
        top, bottom = ((sheet.get_height() - side) * scale for side in (boxes[:, 3].max(), boxes[:, 1].min()))
        rows, columns = np.nonzero(ink[int(top) - 15:int(bottom) + 15, int(left) - 15:int(right) + 15] < 128)
        found = columns.min() + left - 15, columns.max() + left - 15, rows.min() + top - 15, rows.max() + top - 15
        assert np.allclose(found, (left, right, top, bottom), atol=6), f"{word} lies on its ink"


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


def test_several_pictures_are_opened_before_the_network_is_there(display):
    """The second is opened while the first is decoded, by a process other than the one that loads the network."""
    names = [str(ROOT / f"samples/pages/{name}.png") for name in ("lines", "joined")]
    with opened("tkRecogAll") as driver:
        driver.app.session.loading = "one that takes long"
        driver.app.files.open_files(names)
        driver.app.files.turn(1)
        driver.wait(lambda: driver.app.pad.drawing.image and not driver.app.session.decoder.process, "both", 10)
        assert driver.app.pad.drawing.image.data == Path(names[1]).read_bytes()


def test_what_is_shown_of_a_picture_is_what_is_read(tmp_path):
    """Bright ink on a transparent ground is read on a dark one, so it is shown that way."""
    picture = np.zeros((60, 80, 4), np.uint8)
    picture[20:40, 30:50] = 255
    Image.fromarray(picture).save(tmp_path / "a.png")
    preview = Image.open(io.BytesIO(jobs.prepare_picture((tmp_path / "a.png").read_bytes(), "a.png", (80, 60)).preview))
    assert np.ptp(np.asarray(preview.convert("L"))) > 200


def test_two_networks_read_the_same_ink(live, single):
    others = live.app.commands.menus["Compare with"]
    live.write("Hello", 40, 120)
    live.read()
    live.app.status.fill_others(others)
    others.invoke(1 + MODELS.index(runs.DEFAULT_CHARACTERS))
    live.wait(lambda: live.app.other.winfo_ismapped(), "what the other reads", 30)
    assert re.fullmatch(r"resnet, \d+ % sure: \w+", live.app.other.cget("text")) and live.app.field.text == "Hello"
    others.invoke(0)
    live.app.root.update()
    assert not live.app.other.winfo_ismapped()
    others.invoke(1 + MODELS.index(runs.DEFAULT_CHARACTERS))
    others.invoke(0)          # before it has read
    live.wait(lambda: not live.app.session.worker.busy, "its answer")
    assert not live.app.other.winfo_ismapped()

    single.app.pad.clear()
    single.character("R", 100, 100, 1.4)
    single.app.session.load(runs.DEFAULT)
    status = single.app.status.text
    single.wait(lambda: f"read by {runs.DEFAULT_CHARACTERS}" in status.cget("text"), "who has really read", 10)
    single.app.session.load(runs.DEFAULT_CHARACTERS)
    single.wait(lambda: single.app.session.answer.model == runs.DEFAULT_CHARACTERS, "its reading", 10)
    assert "read by" not in status.cget("text")
    single.app.session.compare(runs.DEFAULT)   # it reads single characters with the network for characters
    single.wait(lambda: single.app.other.winfo_ismapped(), "what the other reads", 30)
    assert single.app.other.cget("text").startswith("resnet, ")
    single.app.session.compare("")
    single.app.pad.clear()


TRAINER = """
import json, pathlib, shutil, sys
given = dict(argument[2:].split("=", 1) for argument in sys.argv[1:])
print("12/60 a step", flush=True)
copy = pathlib.Path(shutil.copytree(given["models_path"] + "/" + given["finetune"],
                                    given["models_path"] + "/1900000000"))
config = json.loads((copy / "config.json").read_text())
config["decoding"]["insertion_bonus"] += BONUS
(copy / "config.json").write_text(json.dumps(config))
"""


@pytest.mark.parametrize("learns", [True, False])
def test_writing_is_listed_deleted_and_learned_unless_that_makes_it_worse(display, tmp_path, monkeypatch, learns):
    """Instead of model.py, which takes minutes, a script runs that copies the network or makes a worse one."""
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
        driver.press("Control-l")
        driver.press("Control-l")
        window, = (part for part in driver.app.root.winfo_children() if isinstance(part, learning.Learning))
        assert [window.list.item(row, "values")[0] for row in window.list.get_children()][-1] == "not"
        window.list.selection_set("7")
        window.delete()
        assert len(window.list.get_children()) == 7 and "Words: 7, characters: 0" in window.note.cget("text")
        monkeypatch.setattr(learning, "LEAST", 20)
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        monkeypatch.setattr(runs, "ROOT", tmp_path)   # where there is no data
        window.learn()
        assert all(part in window.note.cget("text") for part in (
            "at least 20", "pip install", "fetch_data)", "--archive=UNIPEN"))
        monkeypatch.undo()
        monkeypatch.setattr(learning, "TRAINING", [sys.executable, str(trainer)])
        monkeypatch.setattr(window, "missing", lambda usable: [])
        window.learn()
        if learns:   # closed and opened again: the training ends, and nothing looks for it
            window.destroy()
            assert window.training.poll() is not None
            driver.rest(2 * learning.LOOK / 1000)
            window = learning.Learning(driver.app)
            monkeypatch.setattr(window, "missing", lambda usable: [])
            window.learn()
        driver.wait(lambda: "that were kept aside" in window.note.cget("text"), "the figures", 60)
        assert float(window.bar.cget("value")) == 12 / 60
        driver.ready()
        assert driver.app.session.model == ("1900000000" if learns else runs.DEFAULT), window.note.cget("text")
