"""Measures how well pages are read, for python -m tools.evaluate --pages: the lines found, and the text end to end."""
import itertools
import json
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import cv2
import numpy as np
from rapidfuzz.distance import Levenshtein
from tqdm import tqdm

from common import errors, files, settings
from reading import recognizer, text_lines
from reading.binarize import ImageError, Picture, decode
from reading.line_cores import Core
from reading.page_network import FoundPage, shipped
from tools.report import Result

COLUMNS = ("set", "as one", "split", "missed", "CER without case", "cut out", "dots", "ms", "n")
ONE, COVERED = 0.7, 0.2    # IoU above which a core is a known line; share of a line above which it is part of it
ABOUT = (f"as one: known lines that are found as one, with more than {ONE:.0%} of their length in common; split: as "
         "several; missed: not at all.\nCER: end to end; cut out: where lines are cut by their known outlines. Accents "
         "count only in folders of pictures.\ndots: share of dots that change a line they do not touch. ms: median for "
         "a page.")
SHOWN = 20                 # lines or pages in the picture of the worst ones
DOT = 2                    # px: radius of a dot on a page
BESIDE = 6.0               # px: a dot this close to a line's frame touches it
PLAIN = str.maketrans({"«": '"', "»": '"', "’": "'", "‘": "'", "“": '"', "”": '"', "œ": "oe", "Œ": "OE", "æ": "ae",
                       "ß": "ss", "–": "-", "—": "-"})


class Page(NamedTuple):
    """A picture with known text."""
    image: np.ndarray        # uint8 (height, width, 3), RGB
    truth: str
    lines: list[dict] = []   # from top to bottom, if known: text, baseline and polygon in px


# ---- pages

def pages_of(config: SimpleNamespace) -> dict[str, Iterator[Page]]:
    """The sets of pages to measure: real pages with known lines, or folders of pictures."""
    if not config.pictures:
        return {"copiste": real_pages(Path(config.paper_path, "copiste"), config.split)}
    names = sorted(path.parent.name for path in Path(config.pictures).glob("*/labels.json"))
    if not names:
        raise errors.DataError(f"{config.pictures} has no folders with labels.json: name another with --pictures=")
    wanted = names if config.sets == "all" else config.sets.split(",")
    for name in wanted:
        settings.one_of("set", name, names)
    return {name: labelled(Path(config.pictures, name)) for name in wanted}


def labelled(folder: Path) -> Iterator[Page]:
    """The pictures that a folder's labels.json maps to texts."""
    for name, truth in files.read_json(folder / "labels.json").items():
        if not (isinstance(truth, str) and truth.strip()):
            raise errors.DataError(f"{folder / 'labels.json'} holds no text for {name}: write what the picture shows")
        yield Page(np.asarray(decode(str(folder / name), name)), truth)


def real_pages(folder: Path, split: str) -> Iterator[Page]:
    """Copiste's pages of one split, see training/line_records.py."""
    listed = folder / "pages.jsonl"
    if not listed.is_file():
        raise errors.DataError(f"{listed} is missing: python -m tools.fetch_data --paper fetches it")
    for page in map(json.loads, listed.read_text(encoding="utf-8").splitlines()):
        if page["split"] == split and page["lines"]:
            name = str(folder / "pages" / page["file"])
            lines = sorted(page["lines"], key=lambda line: float(np.mean(np.array(line["baseline"])[:, 1])))
            yield Page(without_print(np.asarray(decode(name, name).convert("RGB")), page),
                       " ".join(line["text"] for line in lines), lines)


def without_print(picture: np.ndarray, page: dict) -> np.ndarray:
    """The page, with the sentence printed at the top of some pages painted over."""
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


# ---- figures

def rows(config: SimpleNamespace, reader: recognizer.Recognizer, results: dict) -> Iterator[dict]:
    """Read each set; yields a row of COLUMNS.

    results: gets what was read of each known line of a set or, if lines are unknown, of each page.
    """
    for name, pages in pages_of(config).items():
        total, seconds, results[name] = Counter(), [], []
        for number, page in enumerate(tqdm(itertools.islice(pages, config.number), name, leave=False)):
            begun = time.perf_counter()
            found, texts = find_and_read(page, reader)
            seconds.append(time.perf_counter() - begun)
            wrong, characters = error(" ".join(texts), page.truth, accents=not page.lines)
            total.update(pages=1, wrong=wrong, characters=characters)
            gray = cv2.cvtColor(page.image, cv2.COLOR_RGB2GRAY) if page.image.ndim == 3 else page.image
            if page.lines:
                results[name] += measure_lines(page, gray, found, texts, reader, total)
            else:
                results[name].append(Result(gray, page.truth, " ".join(texts)))
            if config.dots:
                total["dots"] += changed_by_dots(page.image, reader, config.dots, np.random.default_rng(number))
        if not seconds:
            raise errors.DataError(f"there are no pages in {name}: name another split or folder")
        row = {"set": name, "CER without case": total["wrong"] / total["characters"], "n": total["pages"],
               "ms": 1000 * float(np.median(seconds))}
        if total["known"]:
            row |= {key: total[key] / total["known"] for key in ("as one", "split", "missed")}
            row["cut out"] = total["cut"] / total["characters"]
        yield row | ({"dots": total["dots"] / (config.dots * total["pages"])} if config.dots else {})


def find_and_read(page: Page, reader: recognizer.Recognizer) -> tuple[FoundPage | Picture | None, list[str]]:
    """What is found on a page, and the texts of its lines; None and no texts where there is no writing."""
    try:
        found = shipped().find(page.image) if page.lines else reader.see(page.image)
        return found, read(reader, found.lines if page.lines else text_lines.lines_of(found))
    except ImageError:
        return None, []


def measure_lines(page: Page, gray: np.ndarray, found: FoundPage, texts: list[str], reader: recognizer.Recognizer,
                  total: Counter) -> list[Result]:
    """Add the counts of a page's known lines to `total`; returns what was read of each line."""
    union, share = shared([np.array(line["baseline"], float) / found.scale for line in page.lines], found.cores)
    parts = share > COVERED
    cut = error(" ".join(read(reader, cut_lines(found, page.lines))), page.truth, accents=False)[0]
    total.update({"known": len(page.lines), "as one": lines_as_one(union, share).sum(), "cut": cut,
                  "split": (parts.sum(axis=1) > 1).sum(), "missed": (~parts.any(axis=1)).sum()})
    results = []
    for line, of_line in zip(page.lines, parts):
        x, y, width, height = cv2.boundingRect(np.array(line["polygon"], np.int32))
        image = gray[max(0, y):y + height, max(0, x):x + width]
        results.append(Result(image, line["text"], " ".join(itertools.compress(texts, of_line))))
    return results


def shared(baselines: list[np.ndarray], cores: list[Core]) -> tuple[np.ndarray, np.ndarray]:
    """IoU, and share of the line, for each known line, given by its baseline (n, 2), and each core.

    Both are ratios of lengths: a core covers a line wherever its lower edge is near the baseline.
    """
    union, share = np.zeros((2, len(baselines), len(cores)))
    for row, line in enumerate(baselines):
        x = np.arange(line[0, 0], line[-1, 0] + 1)
        y = np.interp(x, *line.T)
        for column, core in enumerate(cores):
            inside = (x >= core.left) & (x < core.right)
            middle = core.middle[(x[inside] - core.left).astype(int).clip(0, len(core.middle) - 1)]
            both = np.count_nonzero(np.abs(y[inside] - core.x_height / 2 - middle) < core.x_height)
            share[row, column] = both / len(x)
            union[row, column] = both / (len(x) + core.right - core.left - both)
    return union, share


def lines_as_one(union: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Which known lines are exactly one core, which is part of no other line: bool (lines,); see `shared`."""
    parts = share > COVERED
    alone = (parts.sum(axis=1) == 1) & ~(parts & (parts.sum(axis=0) > 1)).any(axis=1)
    return alone & (union.max(axis=1, initial=0) > ONE)


def cut_lines(page: FoundPage, lines: list[dict]) -> list[text_lines.StraightLine]:
    """The page's ink in each known line's polygon, straightened, as if the lines were found without error."""
    found = []
    for line in lines:
        inside = np.zeros_like(page.ink)
        cv2.fillPoly(inside, [np.round(np.array(line["polygon"]) / page.scale).astype(np.int32)], 255)
        ink = cv2.min(page.ink, inside)
        boxes = text_lines.components(ink)[1]
        if len(boxes):
            left, top = np.maximum(boxes[:, :2].min(axis=0) - 2, 0)
            right, bottom = boxes[:, 2:].max(axis=0) + 2
            boxes = boxes - (left, top, left, top)
            found.append(text_lines.straight_line(ink[top:bottom, left:right], left, top, boxes))
    return found


def error(read: str, truth: str, accents: bool = True) -> tuple[int, int]:
    """How many characters are wrong, ignoring case, and how many there are; without `accents`, é counts as e."""
    read, truth = (" ".join(text.split()).lower() for text in (read, truth))
    if not accents:
        read, truth = ("".join(character for character in unicodedata.normalize("NFKD", text.translate(PLAIN))
                               if not unicodedata.combining(character)) for text in (read, truth))
    return Levenshtein.distance(read, truth), len(truth)


def read(reader: recognizer.Recognizer, lines: list) -> list[str]:
    """The texts of straight lines."""
    return [text.text for text in reader.pages.read_lines([line.ink for line in lines])]


# ---- dots

def changed_by_dots(image: np.ndarray, reader: recognizer.Recognizer, tries: int, rng: np.random.Generator) -> int:
    """How many of `tries` black dots, placed at random one at a time, change the text of a line they do not touch."""
    try:
        picture = reader.see(image)
    except ImageError:   # a blank page has no line to change
        return 0
    clean, texts = lines_and_texts(picture, reader, {})
    known = {line.ink.tobytes(): text for line, text in zip(clean, texts)}
    changed = 0
    for _ in range(tries):
        at = [int(rng.integers(DOT, side - DOT)) for side in image.shape[1::-1]]
        dotted = cv2.circle(image.copy(), at, DOT, [0] * 3, cv2.FILLED)
        found = lines_and_texts(reader.see(dotted), reader, known)[1]
        kept = [text for line, text in zip(clean, texts) if -cv2.pointPolygonTest(
            frame(line), [each / picture.scale for each in at], True) > BESIDE / picture.scale]
        rest = iter(found)
        changed += not all(text in rest for text in kept)   # in the same order
    return changed


def lines_and_texts(picture: Picture, reader: recognizer.Recognizer, known: dict[bytes, str]) -> tuple[list, list[str]]:
    """A picture's lines and their texts; known: the texts of inks that were read before."""
    lines = text_lines.lines_of(picture)
    return lines, [known.get(line.ink.tobytes()) or read(reader, [line])[0] for line in lines]


def frame(line: text_lines.StraightLine) -> np.ndarray:
    """The corners of a line on the page, float32 (4, 2)."""
    height, width = line.ink.shape
    return np.float32(np.array([(0, 0, 1), (width, 0, 1), (width, height, 1), (0, height, 1)]) @ line.to_page.T)
