"""Draws the figures of docs/: what each step of reading makes of pages that tools/draw_samples.py draws from its font.

    python docs/figures.py                      all; real-writing.png needs the pen strokes, see docs/data.md
    python docs/figures.py --pen_path=FOLDER    with the pen strokes in another folder
"""
import itertools
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import cv2
import numpy as np
from matplotlib.figure import Figure
from rapidfuzz.distance import Levenshtein

from common import alphabets, line_image, pen_strokes, runs, settings
from reading import character_boxes, page_network, recognizer, segmenting_reader, text_lines
from reading.binarize import read_picture
from tools import draw_samples, evaluate_pages
from training import line_records, line_rendering, unipen

# ---- settings: change them here or on the command line, as --name=value
pen_path = "Dataset/UNIPEN"    # folder with the pen strokes; if it is missing, real-writing.png stays as it is
# ---- end of settings

COLOURS = np.array([(31, 119, 180), (214, 96, 20), (44, 140, 60), (150, 80, 170), (190, 150, 20)], np.uint8)
BLANK = "#cccccc"
PEN_BLUE, WRONG = np.array((32, 60, 140)), "#c0392b"
LINES_SHOWN = 10             # of real writing, one per writer
TALL, WIDE = 44, 33          # px: approximate height of a tall letter and width of a character in them


def main(arguments: list[str]) -> None:
    """Draw all figures."""
    config, _ = settings.configure(globals(), arguments)
    page = read_picture(255 - draw_samples.write_lines(draw_samples.LINES, 60, 5, 8), page=True)
    figures = {"page": page_figure(), "letters": letters_figure(page), "line": line_figure("little world"),
               "written": written_figure()}
    figures = {f"how-{name}": figure for name, figure in figures.items()}
    if Path(config.pen_path, "lines.jsonl.gz").is_file():
        figures["real-writing"] = real_writing_figure(config.pen_path)
    for name, figure in figures.items():
        path = HERE / f"{name}.png"
        figure.savefig(path, dpi=80)
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def page_figure() -> Figure:
    """A photo of ruled paper on a table, what the page network sees in it, and its lines in order."""
    paper = draw_samples.write_lines(draw_samples.LINES, 60, 5, 8)
    for y in range(12, len(paper), 48):
        cv2.line(paper, (0, y), (paper.shape[1], y), 110, 2, cv2.LINE_AA)
    photo = cv2.copyMakeBorder(np.asarray(draw_samples.photograph(paper, 7)), 30, 0, 40, 0, cv2.BORDER_CONSTANT,
                               value=(70, 50, 40))
    found, maps = page_network.shipped().find(photo), page_network.shipped().maps(photo)
    core = cv2.resize(maps.core, photo.shape[1::-1])[..., None]
    seen = np.minimum(255 - core * (255, 90, 255), 255 - maps.ink[..., None]).astype(np.uint8)
    figure = Figure(figsize=(9, 1.9), layout="constrained")
    for axes, image, title in zip(figure.subplots(1, 3), (photo, seen, 255 - found.ink),
                                  ("photo", "ink and cores", "lines")):
        axes.imshow(image, cmap="gray", vmin=0, vmax=255)
        axes.set_title(title, fontsize=10)
        axes.set_axis_off()
    for number, (line, colour) in enumerate(zip(found.lines, itertools.cycle(COLOURS / 255)), 1):
        corners = evaluate_pages.frame(line)
        axes.plot(*corners[[0, 1, 2, 3, 0]].T, color=colour, linewidth=1)
        axes.text(*corners[0], number, color=colour, fontsize=9, ha="right", va="top")
    return figure


def letters_figure(page) -> Figure:
    """Each line with its characters in colours, and what they are to the network alone, with height, and with words."""
    reader = recognizer.Recognizer(runs.DEFAULT_CHARACTERS)
    lines = list(reader.pages.finder.find(page))
    figure = Figure(figsize=(9, 5.6), layout="constrained")
    for axes, line, words in zip(figure.subplots(len(lines), 1), lines, reader.pages.read(page).lines, strict=True):
        height, width = line.shapes[0].ink.shape
        axes.imshow(coloured(line.shapes), aspect="equal")
        scores = reader.characters.log_likelihoods(np.array(character_boxes.glyphs(line.shapes)))
        ends = np.array([(shape.y.min(), shape.y.max() + 1) for shape in line.shapes], float)
        tall = segmenting_reader.with_heights(segmenting_reader.NETWORK * scores, ends)
        read = "".join(words.text.split())
        rows = [("network", text_of(scores)), ("and height", text_of(tall)), ("and words", read)]
        for y, (name, text) in zip(itertools.count(height + 20, 22), rows):
            axes.text(-8, y, name, ha="right", va="center", fontsize=8, color="#666666")
            for shape, character, right in zip(line.shapes, text, read, strict=True):
                axes.text(shape.x.mean(), y, character, ha="center", va="center", fontsize=12, family="monospace",
                          color="black" if character == right else WRONG)
        axes.set(xlim=(-90, max(each.shapes[0].ink.shape[1] for each in lines) + 4), ylim=(height + 76, 0))
        axes.set_axis_off()
    return figure


def coloured(shapes: list[character_boxes.Shape]) -> np.ndarray:
    """The ink of a line on white, neighbouring characters in different colours: uint8 (height, width, 3)."""
    shown = np.full((*shapes[0].ink.shape, 3), 255, np.uint8)
    for colour, shape in zip(itertools.cycle(COLOURS), shapes):
        shown[shape.y, shape.x] = colour
    return shown


def text_of(scores: np.ndarray) -> str:
    """The most likely characters; scores: (n, 62)."""
    return "".join(alphabets.CHARACTERS[label] for label in scores.argmax(axis=1))


def line_figure(text: str) -> Figure:
    """Cursive writing, its line image, the network's output at each step, and which ink belongs to which character."""
    reader = recognizer.Recognizer()
    ink = pen_strokes.draw_strokes(draw_samples.cursive_strokes(text, 80, 2), 5, margin=24)
    picture = read_picture(255 - ink, page=True)
    line, = text_lines.straight_lines(picture.ink)
    seen, to_ink = line_image.normalize(line.ink)
    # Everything is drawn in px of the line image.
    height, width = line.ink.shape
    left, right = (np.array([0, width]) - to_ink[0, 2]) / to_ink[0, 0]
    place = {"aspect": "auto", "extent": (left, right, height, 0)}
    log_probs, = reader.pages.log_probs([seen])
    read, = reader.pages.read_lines([line.ink])
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    above, middle, below, parted = figure.subplots(4, 1, height_ratios=(3, 2, 3, 3))
    above.imshow(255 - line.ink, cmap="gray", vmin=0, vmax=255, **place)
    middle.imshow(seen, cmap="gray", vmin=0, vmax=255, aspect="auto", extent=(0, seen.shape[1], line_image.HEIGHT, 0))
    steps = (np.arange(len(log_probs)) + 0.5) * line_image.STEP
    chances = np.exp(log_probs)
    below.plot(steps, chances[:, 0], color=BLANK, linewidth=1)
    said = [label for label in np.unique(chances.argmax(axis=1)) if label]
    for colour, label in zip(itertools.cycle(COLOURS / 255), said):
        below.plot(steps, chances[:, label], color=colour, linewidth=1.5)
        says = chances.argmax(axis=1) == label
        for step in steps[says & ~np.roll(says, 1)]:
            text, size = ("space", 7) if label == alphabets.LABELS[" "] else (alphabets.ALPHABET[label - 1], 10)
            below.text(step, 1.04, text, ha="center", fontsize=size, color=colour)
    below.set(ylim=(0, 1.25), yticks=(0, 1), xticks=[])
    below.spines[["top", "right"]].set_visible(False)
    centres = [character.centre for word in read.words for character in word]
    parted.imshow(coloured(character_boxes.shapes(line.ink, centres)), **place)
    for axes, name in zip((above, middle, below, parted), ("line", "line image", "network", f"read: {read.text}")):
        axes.set_title(name, fontsize=9, loc="left", color="#666666")
        axes.set_xlim(0, seen.shape[1])
    for axes in (above, middle, parted):
        axes.set_axis_off()
    return figure


def written_figure() -> Figure:
    """What a line reader learns from, here cursive words of the stroke font, changed at random and drawn."""
    rng = np.random.default_rng(3)
    strokes = [stroke.astype(np.float32) for stroke in draw_samples.cursive_strokes("hello world", 60, 1)]
    record = {"strokes": [stroke.ravel().tolist() for stroke in strokes], "label": "hello world"}
    writing = line_records.writing_of(record)
    figure = Figure(figsize=(9, 2.6), layout="constrained")
    for axes in figure.subplots(4, 3).ravel():
        image = line_rendering.draw(line_rendering.change(writing, rng), writing.ends, rng)
        axes.imshow(line_image.normalize(image)[0], cmap="gray", vmin=0, vmax=255)
        axes.set_axis_off()
    return figure


def real_writing_figure(pen_path: str) -> Figure:
    """A line of each of ten writers of UNIPEN's validation split, and below it what the reader makes of it."""
    reader = recognizer.Recognizer()
    figure = Figure(figsize=(12.5, 5.7))
    grid = {"left": 0.012, "right": 1, "top": 0.995, "bottom": 0, "hspace": 0.04, "wspace": 0.02}
    for axes, record in zip(figure.subplots(LINES_SHOWN // 2, 2, gridspec_kw=grid).ravel(), real_lines(pen_path),
                            strict=True):
        width = np.ptp(np.concatenate([stroke[::2] for stroke in record["strokes"]]))
        scale = (TALL / line_records.tall_letter(record["strokes"]) * WIDE * len(record["label"]) / width) ** 0.5
        strokes = pen_strokes.scale_strokes(record["strokes"], min(scale, 1000 / width))
        ink = pen_strokes.draw_strokes(strokes, 3.6, margin=8)
        cover = ink[..., None] / 255
        axes.imshow((255 * (1 - cover) + PEN_BLUE * cover).astype(np.uint8))
        axes.set(xlim=(0, 1030), ylim=(178, 0), anchor="NW", aspect="equal")
        axes.set_axis_off()
        show_text(axes, ink.shape[0] + 6, record["label"], reader.recog(255 - ink).text)
    return figure


def real_lines(pen_path: str) -> list[dict]:
    """One short line of words of each of ten people, sampled at random from UNIPEN's validation split."""
    by_writer = {}
    for record in unipen.read_strokes(Path(pen_path, "lines.jsonl.gz"), "val"):
        words = [word.strip(".,!?") for word in record["label"].split()]
        if 16 <= len(record["label"]) <= 28 and len(words) > 1 and all(map(str.isalpha, words)):
            by_writer.setdefault(record["writer"], []).append(record)
    rng = np.random.default_rng(0)
    return [by_writer[writer][rng.integers(len(by_writer[writer]))]
            for writer in rng.permutation(sorted(by_writer))[:LINES_SHOWN]]


def show_text(axes, y: float, truth: str, text: str) -> None:
    """Write what was read at y, with wrong characters in red and a _ where some are missing."""
    x = 8
    for edit in Levenshtein.opcodes(truth, " ".join(text.split())):
        part = "_" if edit.tag == "delete" else text[edit.dest_start:edit.dest_end]
        axes.text(x, y, part, family="monospace", fontsize=14, va="top",
                  color="#333333" if edit.tag == "equal" else WRONG)
        x += 19 * len(part)


if __name__ == "__main__":
    settings.run(main)
