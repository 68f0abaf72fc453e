"""Reading pictures: every kind of picture gives the same ink, and the command line survives bad ones."""
import contextlib
import io
import json
import os
import subprocess
import sys
import time
import zlib
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pages
import pytest
from PIL import Image

from common import glyph
from reading import binarize, recognizer

HERE = Path(__file__).resolve().parents[2]
SAMPLES = sorted(path for path in (HERE / "samples").iterdir() if path.suffix in (".png", ".jpg"))
LETTER = HERE / "samples" / "R.png"


def run(*arguments, stdin: bytes = b"", stdout=subprocess.PIPE) -> subprocess.CompletedProcess:
    command = [sys.executable, str(HERE / "recogScript.py"), *map(str, arguments)]
    done = subprocess.run(command, input=stdin, stdout=stdout, stderr=subprocess.PIPE, timeout=120)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done


def complaints(done: subprocess.CompletedProcess) -> list[str]:
    """The complaints that the script wrote to stderr."""
    return [line for line in done.stderr.decode().splitlines() if line.startswith("recogScript.py: ")]


def dark(path: Path = LETTER) -> np.ndarray:
    """The ink of a clean dark-on-white sample: its plain negative."""
    return 255 - np.asarray(Image.open(path).convert("L"))


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two inks."""
    return ((a >= 128) & (b >= 128)).sum() / ((a >= 128) | (b >= 128)).sum()


def reopened(image: Image.Image, kind: str, **options) -> Image.Image:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return Image.open(io.BytesIO(file.getvalue()))


def transparent(ink: np.ndarray) -> np.ndarray:
    return np.dstack([np.zeros_like(ink)] * 3 + [ink])  # the paper is black but invisible


def rotated(ink: np.ndarray) -> Image.Image:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    return reopened(Image.fromarray(255 - ink).rotate(90, expand=True), "PNG", exif=exif)


def animated(ink: np.ndarray) -> Image.Image:
    return reopened(Image.fromarray(255 - ink), "GIF", save_all=True, append_images=[Image.fromarray(ink[::-1])])


KINDS = {
    "path": lambda ink: LETTER,
    "gray array": lambda ink: 255 - ink,
    "light on dark": lambda ink: ink,
    "RGB array": lambda ink: np.dstack([255 - ink] * 3),
    "low contrast": lambda ink: (190 - ink * 0.2).astype(np.uint8),
    "transparent": transparent,
    "palette": lambda ink: Image.fromarray(255 - ink).convert("P"),
    "bilevel": lambda ink: Image.fromarray(255 - ink).convert("1", dither=Image.Dither.NONE),
    "16 bits": lambda ink: reopened(Image.fromarray((255 - ink).astype(np.uint16) * 257), "PNG"),
    "CMYK": lambda ink: reopened(Image.fromarray(255 - ink).convert("CMYK"), "JPEG", quality=95),
    "animated": animated,
    "turned by EXIF": rotated,
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_picture_gives_its_ink(kind):
    ink = binarize.read_picture(KINDS[kind](dark())).ink
    assert ink.dtype == np.uint8 and ink.shape == dark().shape
    assert overlap(ink, dark()) > 0.97
    assert ink[dark() == 0].mean() < 1, "paper is black"


@pytest.mark.parametrize("light_paper", [True, False])
def test_uneven_light_and_noise_do_not_matter(light_paper):
    ink = np.pad(dark(), 60)
    y, x = np.mgrid[0:1:ink.shape[0] * 1j, 0:1:ink.shape[1] * 1j]
    light = (1 - 0.35 * x - 0.3 * y) * (1 - 0.3 / (1 + np.exp(-40 * (x + 0.3 * y - 0.6))))  # and a shadow's edge
    paper = 220 - 0.55 * ink if light_paper else 30 + 0.7 * ink
    noise = np.random.default_rng(0).normal(0, 5, ink.shape)
    found = binarize.read_picture(np.clip(paper * light + noise, 0, 255).astype(np.uint8))
    assert overlap(found.ink, ink) > 0.9
    assert np.abs(np.subtract(found.box, glyph.ink_box(ink))).max() <= 2


def test_specks_go_but_dots_stay():
    ink = np.zeros((200, 120), np.uint8)
    ink[70:170, 56:64] = 255
    ink[40:48, 56:64] = 255     # the dot of an i
    clean = ink.copy()
    ink[[10, 30, 180, 100], [10, 100, 20, 110]] = 255
    np.testing.assert_array_equal(binarize.read_picture(255 - ink).ink, clean)


def test_box_of_a_large_picture_is_in_its_own_pixels():
    page = np.full((2400, 3200), 235, np.uint8)
    page[1500:1500 + dark().shape[0], 700:700 + dark().shape[1]] -= (dark() * 0.7).astype(np.uint8)
    found = binarize.read_picture(page)
    x, y, width, height = glyph.ink_box(dark())
    assert max(found.ink.shape) == 1000
    assert np.abs(np.subtract(found.box, (700 + x, 1500 + y, width, height))).max() <= 7


@pytest.mark.parametrize("noise", [0, 4, 12])
def test_blank_paper_holds_no_ink(noise):
    light = np.linspace(230, 130, 400)[None] - np.linspace(0, 40, 300)[:, None]
    paper = light + np.random.default_rng(noise).normal(0, noise, light.shape)
    with pytest.raises(ValueError, match="no ink"):
        binarize.read_picture(paper.clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("size, share, answer", [(3, 0.02, None), (12, 0.2, "no writing is found in the picture")])
def test_a_photo_full_of_dots_is_read_or_refused_in_seconds(size, share, answer):
    dots = np.random.default_rng(0).random((4000 // size, 3000 // size)) < share
    page, begun = np.where(dots.repeat(size, 0).repeat(size, 1), 0, 255).astype(np.uint8), time.process_time()
    with pytest.raises(binarize.ImageError, match=answer) if answer else contextlib.nullcontext():
        recognizer.Recognizer().recog(page)
    assert time.process_time() - begun < 10, "usually 1; it was minutes once"


@pytest.mark.parametrize("array", [np.zeros((5, 5)), np.zeros((0, 5), np.uint8), np.zeros((5, 5, 2), np.uint8)])
def test_an_array_of_another_kind_is_refused(array):
    with pytest.raises(binarize.ImageError, match="array|0 pixels"):
        binarize.read_picture(array)


@pytest.mark.parametrize("arguments, answer", [
    (["--unixTime=1", LETTER], "runs in"), (["--model=1", LETTER], "runs in"),
    (["--colour=red", LETTER], "there is no setting"), ([], "name a picture"),
    (["--models_path=nowhere", LETTER], "nowhere"), ([HERE / "tests"], "no pictures"),
])
def test_a_wrong_command_line_is_explained(arguments, answer):
    done = run(*arguments)
    assert done.returncode == 2 and done.stdout == b"" and answer in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("options", [[], ["--characters"]])
def test_samples_are_read_right(options):
    done = run(*options, HERE / "samples")
    assert done.returncode == 0 and not complaints(done), done.stderr.decode()
    assert done.stdout.decode().splitlines() == [f"{path}: {path.name[0]}" for path in SAMPLES]


def png_header(width: int, height: int) -> bytes:
    """The beginning of a PNG file that declares a size, with a correct checksum but without pixels."""
    file = io.BytesIO()
    Image.new("L", (1, 1)).save(file, "PNG")
    size = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + file.getvalue()[24:29]
    return file.getvalue()[:12] + size + zlib.crc32(size).to_bytes(4, "big") + file.getvalue()[33:]


def test_bad_pictures_are_named_and_the_good_ones_read(tmp_path):
    photo = (HERE / "samples" / "e_photo.jpg").read_bytes()
    bad = {"empty.png": b"", "text.png": b"not a picture", "cut.jpg": photo[:len(photo) // 2],
           "cut.png": LETTER.read_bytes()[:1500], "large.png": png_header(20000, 6000),
           "huge.png": png_header(60000, 60000)}
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
    Image.new("RGB", (90, 60), "white").save(tmp_path / "blank.png")
    names = [*bad, "blank.png", "missing.png"]
    done = run("--json", "--characters", *(tmp_path / name for name in names), "-", LETTER, stdin=LETTER.read_bytes())
    assert done.returncode == 2
    messages = complaints(done)
    assert len(messages) == len(names)
    for name, message in zip(names, messages, strict=True):
        assert str(tmp_path / name) in message and ": " in message
    piped, named = map(json.loads, done.stdout.splitlines())
    assert (piped["file"], named["file"]) == ("-", str(LETTER))
    assert piped["text"] == named["text"] == "R"
    check_fields(named)


def check_fields(fields: dict) -> None:
    assert list(fields) == ["version", "file", "text", "confidence", "alternatives", "box", "seconds"]
    likely = [probability for _, probability in fields["alternatives"]]
    assert fields["alternatives"][0] == [fields["text"], fields["confidence"]]
    assert len(likely) == 5 and likely == sorted(likely, reverse=True) and 0.3 < likely[0] and sum(likely) <= 1.0001
    assert np.abs(np.subtract(fields["box"], glyph.ink_box(dark()))).max() <= 2
    assert 0 < fields["seconds"] < 30


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
def test_a_reader_that_has_enough_is_no_error():
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = run(LETTER, stdout=writing)
        assert done.returncode == 0 and not complaints(done) and b"Exception" not in done.stderr
    finally:
        os.close(writing)


def pictures_of_all_kinds() -> list[bytes]:
    """A small word as files of every format, some with unusual kinds of pixels."""
    word = Image.fromarray(pages.draw_page("cat", size=1, pen=2, gap=4, margin=10, pitch=50).image)
    kinds = [("PNG", "L"), ("PNG", "P"), ("PNG", "1"), ("PNG", "RGBA"), ("PNG", "I;16"), ("JPEG", "CMYK"),
             ("JPEG", "L"), ("GIF", "L"), ("BMP", "RGB"), ("TIFF", "L"), ("WEBP", "RGB"), ("PPM", "L")]
    files = []
    for kind, mode in kinds:
        image = Image.fromarray(np.asarray(word).astype(np.uint16) * 257) if mode == "I;16" else word.convert(mode)
        file = io.BytesIO()
        more = {"save_all": True, "append_images": [word.rotate(90)]} if kind == "GIF" else {}
        image.save(file, kind, **more)
        files.append(file.getvalue())
    return files


def test_words_are_read_from_every_kind_of_file():
    reader = recognizer.Recognizer()
    assert [reader.recog(io.BytesIO(file)).text for file in pictures_of_all_kinds()] == ["cat"] * 12
    word = pages.draw_page("cat", size=1, pen=2, gap=4, margin=10, pitch=50).image
    file = io.BytesIO()
    Image.fromarray(word.astype(np.uint16) * 16).save(file, "PNG")
    assert reader.recog(file).text == "cat", "12 bits"
    x, y, width, height = glyph.ink_box(255 - word)
    line, = reader.recog(np.ascontiguousarray(word[y:y + height, x:x + width])).lines
    assert min(min(one.box) for one in line.words[0].characters) >= 0, "nothing lies outside"
    assert line.box[0] + line.box[2] <= width and line.box[1] + line.box[3] <= height


def mutated(file: bytes, rng: np.random.Generator) -> bytes:
    """A file with some bytes changed, and sometimes with its end missing or a piece repeated."""
    data = bytearray(file)
    for place in rng.integers(0, len(data), rng.integers(1, 12)):
        data[place] = rng.integers(256)
    start, end = sorted(rng.integers(0, len(data), 2))
    kind = rng.integers(4)
    return bytes(data[:end] if kind == 0 else data[:end] + data[start:] if kind == 1 else data)


def test_damaged_files_give_text_or_one_clear_sentence():
    reader, rng = recognizer.Recognizer(), np.random.default_rng(0)
    files = pictures_of_all_kinds()
    texts = 0
    for number in range(200):
        start = time.perf_counter()
        try:
            texts += bool(reader.recog(io.BytesIO(mutated(files[number % len(files)], rng))).text)
        except binarize.ImageError as error:
            assert "\n" not in str(error) and ":" in str(error)
        assert time.perf_counter() - start < 10
    assert 20 < texts < 200


def drawn_pages(*texts: str) -> list[Image.Image]:
    return [Image.fromarray(pages.draw_page(text).image) for text in texts]


def test_all_pages_of_a_file_are_read(tmp_path):
    first, *more = drawn_pages("garden", "paper\nwindow", " ")
    first.save(tmp_path / "several.tif", save_all=True, append_images=more)
    read = json.loads(run("--json", "--show", tmp_path / "several.tif").stdout)
    assert list(read) == ["version", "file", "text", "seconds", "pages"]
    assert read["text"] == "garden\n\npaper\nwindow\n\n"
    assert [page["text"] for page in read["pages"]] == ["garden", "paper\nwindow", ""]
    assert {path.name for path in tmp_path.glob("*.read.png")} == {"several.read.png", "several.2.read.png"}
    data = (tmp_path / "several.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(data[:len(data) * 2 // 3])
    done = run(tmp_path / "cut.tif")
    assert done.returncode == 2 and "cut.tif is damaged" in complaints(done)[0] and len(complaints(done)) == 1
    first.save(tmp_path / "packed.tif", save_all=True, append_images=more, compression="tiff_lzw")
    data = bytearray((tmp_path / "packed.tif").read_bytes())
    place = Image.open(tmp_path / "packed.tif").tag_v2[273][0]
    data[place:place + 200] = 200 * b"\xff"
    (tmp_path / "packed.tif").write_bytes(data)
    done = run("--json", tmp_path / "packed.tif")
    assert done.returncode == 2 and "page 1: " in complaints(done)[0] and "damaged" in complaints(done)[0]
    assert [page["text"] for page in json.loads(done.stdout)["pages"]] == ["", "paper\nwindow", ""]
    if find_spec("pypdfium2"):
        first.save(tmp_path / "several.pdf", save_all=True, append_images=more)
        assert run(tmp_path / "several.pdf").stdout.decode().split() == ["garden", "paper", "window"]


def test_a_picture_from_a_phone_is_read_or_the_package_named(tmp_path):
    try:
        import pillow_heif
    except ImportError:
        (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic")
        assert "pip install pillow-heif" in run(tmp_path / "a.heic").stderr.decode()
        return
    pillow_heif.from_pillow(drawn_pages("garden")[0].convert("RGB")).save(tmp_path / "a.heic")
    assert run(tmp_path / "a.heic").stdout.decode() == "garden\n"


def test_doubtful_lines_can_be_left_out(tmp_path):
    drawn_pages("garden")[0].save(tmp_path / "a.png")
    line, = json.loads(run("--json", tmp_path / "a.png").stdout)["lines"]
    assert line["confidence"] == line["words"][0]["confidence"] > 0.5
    page = pages.draw_page("garden\n\nsummer").image
    turns = np.linspace(0, 60, 400)   # curls between two lines
    curls = np.stack([50 + 3 * turns + 20 * np.cos(2 * turns), 200 + 20 * np.sin(2 * turns)], axis=1)
    Image.fromarray(cv2.polylines(page, [curls.astype(np.int32)], False, 0, 5, cv2.LINE_AA)).save(tmp_path / "b.png")
    whole, sure = (json.loads(run("--json", least, tmp_path / "b.png").stdout)
                   for least in ("--min_confidence=0", "--min_confidence=0.8"))
    assert len(whole["lines"]) == 3 and whole["lines"][1]["confidence"] < 0.8
    assert sure["text"] == "garden\nsummer" and sure["lines"] == whole["lines"][::2]


@pytest.mark.parametrize("kind", ["white on transparent", "framed", "light on dark"])
def test_what_a_person_can_read_is_not_refused(kind):
    ink = 255 - pages.draw_page("garden").image
    picture = {"white on transparent": np.dstack([np.full_like(ink, 255)] * 3 + [ink]), "light on dark": ink,
               "framed": np.pad(255 - ink, 30, constant_values=0)}[kind]
    assert recognizer.recog(picture) == "garden"


def test_words_on_the_command_line(tmp_path):
    for name, text in {"one.png": "garden", "two.png": "paper\nwindow"}.items():
        Image.fromarray(pages.draw_page(text).image).save(tmp_path / name)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    done = run("--json", "--show", tmp_path)
    assert done.returncode == 2
    complaint, = complaints(done)
    assert "bad.png" in complaint
    one, two = map(json.loads, done.stdout.splitlines())
    assert (one["text"], two["text"]) == ("garden", "paper\nwindow")
    assert list(one) == ["version", "file", "text", "seconds", "lines"] and [line["text"] for line in two["lines"]] == [
        "paper", "window"]
    word, = one["lines"][0]["words"]
    assert set(word) == {"text", "box", "confidence", "characters", "alternatives"}
    assert [set(character) for character in word["characters"]] == [{"text", "box", "confidence", "alternatives"}] * 6
    shown = Image.open(tmp_path / "one.read.png")
    assert shown.size == Image.open(tmp_path / "one.png").size
    assert Image.open(tmp_path / "one.glyphs.png").size[1] < 100
    assert run(tmp_path / "two.png").stdout.decode() == "paper\nwindow\n"
