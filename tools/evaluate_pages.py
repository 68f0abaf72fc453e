"""Measures how well pages are read: wrong characters end to end, and lines found as one.

    python -m tools.evaluate_pages --pages=FOLDER            folders of pictures with labels.json
    python -m tools.evaluate_pages --copiste=FOLDER          real pages with known lines

labels.json maps each picture's name to its text.  CER is without case; line breaks count as spaces.
"""
import json
import time
import unicodedata
from pathlib import Path

import cv2
import numpy as np
from rapidfuzz.distance import Levenshtein

from common import settings
from reading import page_network, recognizer, text_lines
from reading.binarize import ImageError, Picture, decode

# ---- settings: change them here or on the command line, as --name=value
pages = ""                       # folder with folders of pictures
only = ""                        # of these folders, with commas between them; all without
copiste = ""                     # folder with pages.jsonl
split = "val"                    # of its pages
count = 0                        # of its pages, 0 for all
out = ""                         # folder for pictures of what was found
verbose = False                  # print each text
# ---- end of settings


PLAIN = str.maketrans({"«": '"', "»": '"', "’": "'", "‘": "'", "“": '"', "”": '"', "œ": "oe", "Œ": "OE", "æ": "ae",
                       "ß": "ss", "–": "-", "—": "-"})


def error(read: str, truth: str, accents: bool = True) -> tuple[int, int]:
    """Wrong characters without case, and how many there are; without `accents` é is as good as e."""
    read, truth = (" ".join(text.split()).lower() for text in (read, truth))
    if not accents:
        read, truth = ("".join(character for character in unicodedata.normalize("NFKD", text.translate(PLAIN))
                               if not unicodedata.combining(character)) for text in (read, truth))
    return Levenshtein.distance(read, truth), len(truth)


def read(reader: recognizer.Recognizer, lines: list) -> list[str]:
    """The texts of straight lines."""
    return [text.text for text in reader.pages.read_lines([line.ink for line in lines])]


def show(picture: Picture, texts: list[str], path: Path) -> None:
    """Draw the ink, and around each line a frame in its own colour with its place in the reading order and text."""
    shown = cv2.cvtColor(255 - picture.ink, cv2.COLOR_GRAY2BGR)
    for number, (line, text) in enumerate(zip(text_lines.lines_of(picture), texts)):
        colour = [int(each) for each in np.random.default_rng(number).integers(0, 200, 3)]
        height, width = line.ink.shape
        corners = np.array([(0, 0, 1), (width, 0, 1), (width, height, 1), (0, height, 1)]) @ line.to_page.T
        cv2.polylines(shown, [np.round(corners).astype(np.int32)], True, colour, 1)
        cv2.putText(shown, f"{number + 1} {line.confidence:.2f} {text}", np.round(corners[0]).astype(int).tolist(),
                    cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), shown)


def folders(config, reader: recognizer.Recognizer) -> None:
    """Print the share of wrong characters of each folder."""
    names = config.only.split(",") if config.only else sorted(
        path.parent.name for path in Path(config.pages).glob("*/labels.json"))
    for name in names:
        labels = json.loads(Path(config.pages, name, "labels.json").read_text())
        wrong, total, begun = 0, 0, time.process_time()
        for file, truth in labels.items():
            try:
                picture = reader.see(Path(config.pages, name, file))
                lines = read(reader, text_lines.lines_of(picture))
            except ImageError:
                picture, lines = None, []
            of_file = error(" ".join(lines), truth)
            wrong, total = wrong + of_file[0], total + of_file[1]
            if config.verbose:
                print(f"{name}/{file} {of_file[0]}/{of_file[1]} {' | '.join(lines)}")
            if picture and config.out:
                show(picture, lines, Path(config.out, f"{name}-{Path(file).stem}.png"))
        seconds = (time.process_time() - begun) / len(labels)
        print(f"{name:16s} {len(labels):3d} pictures  CER {wrong / total:.3f}  ({wrong} of {total})  "
              f"{seconds:.2f} s of one core each", flush=True)


# ---- pages with known lines

def found_as_one(page: page_network.FoundPage, lines: list[dict]) -> int:
    """How many known lines have one core that covers most of their baseline, and no other line's."""
    baselines = [np.array(line["baseline"], float) / page.scale for line in lines]
    owners = np.zeros((len(baselines), len(page.cores)))
    for row, line in enumerate(baselines):
        x = np.arange(line[0, 0], line[-1, 0] + 1)
        y = np.interp(x, *line.T)
        for column, core in enumerate(page.cores):
            inside = (x >= core.left) & (x < core.right)
            if inside.any():
                middle = core.middle[(x[inside] - core.left).astype(int).clip(0, len(core.middle) - 1)]
                owners[row, column] = (np.abs(y[inside] - core.x_height / 2 - middle) < core.x_height).sum() / len(x)
    covers = owners > 0.2
    return int(sum(owners[row].max(initial=0) > 0.75 and covers[row].sum() == 1
                   and covers[:, owners[row].argmax()].sum() == 1 for row in range(len(lines))))


def real_pages(config, reader: recognizer.Recognizer) -> None:
    """Print how many lines of Copiste's pages are found as one, and the share of wrong characters."""
    with open(Path(config.copiste, "pages.jsonl"), encoding="utf-8") as lines:
        chosen = [page for page in map(json.loads, lines) if page["split"] == config.split and page["lines"]]
    one, known, wrong, total, cut = 0, 0, 0, 0, 0
    for page in chosen[:config.count or None]:
        name = str(Path(config.copiste, "pages", page["file"]))
        picture = without_print(np.asarray(decode(name, name).convert("RGB")), page)
        found = page_network.shipped().find(picture)
        lines = sorted(page["lines"], key=lambda line: float(np.mean(np.array(line["baseline"])[:, 1])))
        hits = found_as_one(found, lines)
        one, known = one + hits, known + len(lines)
        truth = " ".join(line["text"] for line in lines)
        of_page, of_cut = (error(" ".join(read(reader, each)), truth, False) for each in
                           (found.lines, cut_lines(found, lines)))
        wrong, total, cut = wrong + of_page[0], total + of_page[1], cut + of_cut[0]
        print(f"{page['file']} lines {hits} of {len(lines)}, found {len(found.lines)}, CER "
              f"{of_page[0] / of_page[1]:.3f}, cut by polygons {of_cut[0] / of_cut[1]:.3f}", flush=True)
        if config.out:
            show(Picture(found.ink, found.scale, found.lines), [""] * len(found.lines),
                 Path(config.out, page["file"].replace(".webp", ".png")))
    print(f"copiste: {one / known:.3f} of {known} lines found as one, CER {wrong / total:.3f}, "
          f"cut by polygons {cut / total:.3f}; accents aside")


def cut_lines(page: page_network.FoundPage, lines: list[dict]) -> list[text_lines.StraightLine]:
    """The page's ink in each known line's polygon, straight: how it would be read if lines were found without error."""
    found = []
    for line in lines:
        inside = np.zeros_like(page.ink)
        cv2.fillPoly(inside, [np.round(np.array(line["polygon"]) / page.scale).astype(np.int32)], 255)
        ink = cv2.min(page.ink, inside)
        boxes = text_lines.components((ink >= text_lines.INK).view(np.uint8))[1]
        if len(boxes):
            left, top = np.maximum(boxes[:, :2].min(axis=0) - 2, 0)
            right, bottom = boxes[:, 2:].max(axis=0) + 2
            boxes = boxes - (left, top, left, top)
            found.append(text_lines.straight_line(ink[top:bottom, left:right], left, top, boxes))
    return found


def without_print(picture: np.ndarray, page: dict) -> np.ndarray:
    """The page with the sentence that is printed at the top of some painted over."""
    if not page["file"].startswith("imp_"):
        return picture
    keep = np.zeros(picture.shape[:2], np.uint8)
    for line in page["lines"]:
        cv2.fillPoly(keep, [np.array(line["polygon"])], 255)
    keep = cv2.dilate(keep, np.ones((9, 9), np.uint8))
    top = int(0.09 * picture.shape[0])
    hidden = picture.copy()
    hidden[:top][keep[:top] == 0] = np.median(picture[:top].reshape(-1, 3), axis=0).astype(np.uint8)
    return hidden


def main(arguments: list[str]) -> None:
    """Measure what the settings name."""
    config, _ = settings.configure(globals(), arguments)
    reader = recognizer.Recognizer()
    if config.pages:
        folders(config, reader)
    if config.copiste:
        real_pages(config, reader)


if __name__ == "__main__":
    settings.run(main)
