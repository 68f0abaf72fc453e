"""Writing to put on pages: words as ink at any x-height, each with its baseline.

Three sources: pen strokes (UNIPEN), fonts, and whole blocks of real pages (Copiste d'un jour).
A writer keeps one style; `word` returns one word in it, as large as asked for.
"""
import functools
import importlib.util
import itertools
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from common import errors, pen_strokes
from common.alphabets import X_HEIGHT
from training import line_records, line_rendering

RECORDS = 14_000          # maximum number of words of pen strokes kept in memory, a sample of all
X_HEIGHTS = 5, 60          # px: least and greatest x-height that is looked for on real pages
LINE_X_HEIGHT = 20        # px, of a line in a font
BEFORE_WORD = 0.15        # of a word's height: paper around a font's word, for letters that reach out


class Word(NamedTuple):
    """A word as ink."""
    ink: np.ndarray       # uint8 (height, width), bright on dark: how much of each pixel the pen covers
    baseline: float       # px below the picture's top


class Block(NamedTuple):
    """A part of a real page of writing."""
    picture: np.ndarray   # uint8 (height, width, 3), RGB
    ink: np.ndarray       # uint8 (height, width): coverage by writing
    core: np.ndarray      # uint8 (height, width): 255 between baseline and the top of small letters
    known: np.ndarray     # uint8 (height, width): 255 where ink and core are certain
    rules: np.ndarray     # uint8 (height, width): 255 on printed rules
    x_height: float


# ---- pen strokes

class PenWriter:
    """One person of UNIPEN with one pen."""

    def __init__(self, records: list[dict], glyphs: dict[str, list[dict]], rng: np.random.Generator):
        """records: the person's words.  glyphs: single characters by anyone, to compose numbers from."""
        self.records, self.glyphs, self.rng = records, glyphs, rng
        self.pen = float(np.exp(rng.uniform(np.log(0.07), np.log(0.36))))   # of the x-height
        self.wide, self.slant = np.exp(rng.normal(0, 0.12)), rng.normal(0, 0.15)

    def word(self, x_height: float, text: str = "") -> Word:
        """A word whose small letters are x_height px tall; text: digits or capitals to write; by default any word."""
        if text:
            return self._drawn(*self._composed(text), x_height)
        record = self.records[self.rng.integers(len(self.records))]
        writing = line_records.kept_writing(record)
        points, _ = line_rendering.on_baseline(writing.points, writing.label)
        return self._drawn(points, writing.ends, x_height)

    def _composed(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """A text of single characters: points, with the baseline at y = 0 and capitals of height 1, and stroke ends."""
        x, points, ends = 0.0, [], []
        gap = self.rng.uniform(0.1, 0.35)
        for character in text:
            if character not in self.glyphs:
                x += 0.5
                continue
            strokes = line_rendering.choose_strokes(self.glyphs[character], character, self.rng)
            drawn, width = line_rendering.place(strokes, character, self.rng)
            points.append(drawn + (x, 0))
            ends += (np.cumsum([len(s) for s in strokes]) + (ends[-1] if ends else 0)).tolist()
            x += width + gap
        return np.concatenate(points or [np.zeros((1, 2))]), np.array(ends or [1])

    def _drawn(self, points: np.ndarray, ends: np.ndarray, x_height: float) -> Word:
        size = x_height / X_HEIGHT
        points = points @ np.array([[self.wide, 0], [-self.slant, 1]]) * size
        width = max(1.1, self.pen * x_height)
        ink = pen_strokes.draw_strokes(np.split(points.astype(np.float32), ends[:-1]), width, 2)
        return Word(ink, 2 + width / 2 - float(points[:, 1].min()))


# ---- fonts

class FontWriter:
    """One font, set a little irregularly."""

    def __init__(self, path: str, texts: list[str], rng: np.random.Generator, printed: bool = False):
        """path: a font's file.  texts: sentences to take words from.  printed: set it regularly."""
        self.path, self.texts, self.rng, self.printed = path, texts, rng, printed
        self.bold = 0 if printed else int(rng.choice(4, p=(0.55, 0.25, 0.15, 0.05)))
        self.slant = 0.0 if printed else rng.normal(0, 0.12)
        self.words = iter(())

    def word(self, x_height: float, text: str = "") -> Word:
        """A word whose small letters are x_height px tall; text: what to write; by default any word."""
        while not text:
            text = next(self.words, "")
            if not text:
                self.words = iter(self.texts[self.rng.integers(len(self.texts))].split())
        x_height = max(3.0, x_height * (1 if self.printed else np.exp(self.rng.normal(0, 0.04))))
        font, of_x = font_of(self.path, round(2 * x_height))
        left, top, right, bottom = font.getbbox(text, anchor="ls", stroke_width=self.bold)
        pad = round(BEFORE_WORD * (bottom - top)) + 2 + self.bold
        page = Image.new("L", (max(1, right - left) + 2 * pad, max(1, bottom - top) + 2 * pad))
        ImageDraw.Draw(page).text((pad - left, pad - top), text, 255, font, anchor="ls", stroke_width=self.bold)
        ink, baseline = np.asarray(page), pad - top
        if self.slant:
            shear = np.array([[1, self.slant, -self.slant * baseline], [0, 1, 0]], np.float32)
            ink = cv2.warpAffine(ink, shear, ink.shape[::-1])
        scale = x_height / of_x
        size = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
        ink = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        return Word(ink, baseline * scale)


@functools.lru_cache(512)
def font_of(path: str, x_height: int) -> tuple[ImageFont.FreeTypeFont, float]:
    """A font whose x is about x_height px tall, and how tall it is exactly."""
    def tall(font) -> float:
        return max(1.0, -font.getbbox("x", anchor="ls")[1])

    probe = ImageFont.truetype(path, 100)
    font = ImageFont.truetype(path, max(6, round(100 * x_height / tall(probe))))
    return font, tall(font)


def in_font(path: str, text: str, rng: np.random.Generator) -> np.ndarray | None:
    """A text in a font as a line: uint8 (height, width), dark on white; None if the font lacks a character."""
    if not letters_of(path) >= set(text):
        return None
    return 255 - FontWriter(path, [], rng).word(LINE_X_HEIGHT, text).ink


@functools.cache
def letters_of(path: str) -> set[str]:
    """The characters that a font's file can write."""
    from fontTools.ttLib import TTFont
    return {*map(chr, TTFont(path, lazy=True).getBestCmap())}


# ---- real pages

class RealPages:
    """Blocks of the pages of Copiste d'un jour, of one split."""

    def __init__(self, folder: str | Path, split: str):
        self.folder = Path(folder)
        with open(self.folder / "pages.jsonl", encoding="utf-8") as lines:
            self.pages = [page for page in map(json.loads, lines) if page["split"] == split and page["lines"]]

    def block(self, rng: np.random.Generator, side: int) -> Block:
        """A square of `side` px, at least partly over lines, anywhere on any page."""
        page = self.pages[rng.integers(len(self.pages))]
        picture = cv2.cvtColor(cv2.imread(str(self.folder / "pages" / page["file"])), cv2.COLOR_BGR2RGB)
        line = np.array(page["lines"][rng.integers(len(page["lines"]))]["baseline"])
        corner = line[rng.integers(len(line))] - rng.uniform(0.1, 0.9, 2) * side
        left, top = np.clip(corner, 0, np.maximum(0, np.array(picture.shape[1::-1]) - side)).astype(int).tolist()
        return block_of(picture[top:top + side, left:left + side], page, left, top)


def block_of(picture: np.ndarray, page: dict, left: int, top: int) -> Block:
    """Find the writing in a part of a page; left, top: the part's corner on the page."""
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    paper = cv2.medianBlur(cv2.morphologyEx(gray, cv2.MORPH_CLOSE, np.ones((25, 25), np.uint8)), 5)
    dark = cv2.subtract(paper, gray).astype(np.float32)
    inside, core, strange = (np.zeros(gray.shape, np.uint8) for _ in range(3))
    heights = []
    rules = cv2.morphologyEx((dark > 12).view(np.uint8), cv2.MORPH_OPEN, np.ones((1, 81), np.uint8))
    shown = [line for line in page["lines"] if _overlaps(line["polygon"], left, top, gray.shape)]
    for line in shown:
        cv2.fillPoly(inside, [np.array(line["polygon"]) - (left, top)], 255)
    level = _stroke_level(dark, (inside > 0) & (rules == 0))
    soft = np.where(inside > 0, np.clip(dark / level, 0, 1), 0).astype(np.float32)
    for line in shown:
        baseline = np.array(line["baseline"], float) - (left, top)
        height = _x_height(np.where(rules > 0, 0, soft), baseline)
        if height:
            heights.append(height)
            band = np.concatenate([baseline, baseline[::-1] - (0, height)])
            cv2.fillPoly(core, [np.round(band * 8).astype(np.int32)], 255, cv2.LINE_8, 3)
        else:
            cv2.fillPoly(strange, [np.array(line["polygon"]) - (left, top)], 255)
    near_rules = cv2.dilate(rules, np.ones((5, 5), np.uint8)) > 0
    unsure = (dark > 0.25 * level) & (cv2.dilate(inside, np.ones((5, 5), np.uint8)) == 0) & ~near_rules
    unsure = cv2.dilate(unsure.view(np.uint8), np.ones((9, 9), np.uint8)) > 0
    known = ~(unsure | near_rules & (inside > 0) | (strange > 0))
    ink = np.where(near_rules, 0, 255 * np.clip(1.6 * soft - 0.3, 0, 1)).astype(np.uint8)
    return Block(picture, ink, core, known.view(np.uint8) * np.uint8(255), rules * np.uint8(255),
                 float(np.median(heights or [15])))


def _overlaps(polygon: list, left: int, top: int, shape: tuple) -> bool:
    x, y = np.array(polygon).T - [[left], [top]]
    return x.max() > 0 and y.max() > 0 and x.min() < shape[1] and y.min() < shape[0]


def _stroke_level(dark: np.ndarray, where: np.ndarray) -> float:
    """How much darker than the paper the middle of a stroke is."""
    values = dark[where]
    values = values[values > 20]
    return float(np.percentile(values, 75)) if len(values) > 50 else 80.0


def _x_height(ink: np.ndarray, baseline: np.ndarray) -> float | None:
    """The x-height over a baseline (n, 2), from the ink's profile; None if it cannot be told."""
    x = np.arange(max(0, baseline[0, 0]), min(ink.shape[1] - 1, baseline[-1, 0]), 2.0)
    if len(x) < 40:
        return None
    y = np.interp(x, *baseline.T)
    rows = np.arange(X_HEIGHTS[1])
    band = cv2.remap(ink, np.repeat(x[None], len(rows), 0).astype(np.float32),
                     (y[None] - rows[:, None]).astype(np.float32), cv2.INTER_LINEAR)
    profile = cv2.GaussianBlur(band.mean(axis=1)[:, None].astype(np.float32), (1, 5), 0)[:, 0]
    lower = profile[2:20]
    if lower.max() < 0.01:
        return None
    peak = np.percentile(profile[2:2 + max(6, int(np.argmax(lower)) + 6)], 70)
    below = np.flatnonzero(profile[int(np.argmax(lower)) + 2:] < 0.55 * peak)
    height = float(below[0] + int(np.argmax(lower)) + 2) if len(below) else 0.0
    return height if height >= X_HEIGHTS[0] else None


# ---- all sources together

@dataclass
class Sources:
    """All there is to write with, and on."""
    writers: dict[str, list[dict]]        # records of words, by person
    glyphs: dict[str, list[dict]]         # records of digits and capitals
    fonts: list[str]                      # files of handwriting fonts
    print_fonts: list[str]                # files of typefaces
    texts: list[str]                      # sentences
    papers: list[np.ndarray]              # pictures of paper, uint8 (height, width, 3)
    real: RealPages | None = None

    @classmethod
    def read(cls, pen_path: str | Path, paper_path: str | Path, split: str = "train") -> "Sources":
        """pen_path: folder with UNIPEN's records.  paper_path: folder with fonts, text, copiste, and maybe backgrounds.

        Raises errors.DataError when one is missing.
        """
        paper_path, writers, glyphs = Path(paper_path), defaultdict(list), defaultdict(list)
        for part in ("fonts", "text", "copiste/pages.jsonl"):
            if not (paper_path / part).exists():
                raise errors.DataError(f"{paper_path / part} is missing: docs/data.md says how to get it")
        words = itertools.islice(line_records.read_records(pen_path, "words", split), 0, None, 3)
        for record in itertools.islice(words, RECORDS):
            writers[record["writer"]].append(record)
        for record in itertools.islice(line_records.read_records(pen_path, "characters", split), 0, None, 4):
            if record["label"].isdigit() or record["label"].isupper():
                glyphs[record["label"]].append(record)
        texts = [line.strip() for path in sorted((paper_path / "text").glob("*.txt"))
                 for line in path.read_text(encoding="utf-8").splitlines()[::9] if len(line) > 8]
        real = RealPages(paper_path / "copiste", split)
        return cls({name: records for name, records in writers.items() if len(records) > 8}, glyphs,
                   sorted(map(str, (paper_path / "fonts").glob("*.ttf"))), typefaces(), texts,
                   clean_papers(paper_path / "backgrounds"), real if real.pages else None)

    def hand(self, rng: np.random.Generator):
        """A random writer: a person's pen strokes, or a handwriting font."""
        if self.writers and rng.random() < 0.6:
            records = list(self.writers.values())[rng.integers(len(self.writers))]
            return PenWriter(records, self.glyphs, rng)
        return FontWriter(self.fonts[rng.integers(len(self.fonts))], self.texts, rng)

    def printer(self, rng: np.random.Generator) -> FontWriter:
        """A random typeface."""
        return FontWriter(self.print_fonts[rng.integers(len(self.print_fonts))], self.texts, rng, printed=True)


def typefaces() -> list[str]:
    """Files of the text typefaces that come with matplotlib."""
    folder = Path(importlib.util.find_spec("matplotlib").origin).parent / "mpl-data" / "fonts" / "ttf"
    return sorted(str(path) for kind in ("DejaVuS*[!y].ttf", "STIXGeneral*.ttf") for path in folder.glob(kind))


def clean_papers(folder: Path) -> list[np.ndarray]:
    """Pictures of real paper without writing: uint8 (height, width, 3), RGB; none if there is no such folder."""
    if not folder.is_dir():
        return []
    rows = [line.split("\t") for line in (folder / "backgrounds.tsv").read_text().splitlines()]
    files = [row[0] for row in rows if row[3:] and row[3].isdigit() and int(row[3]) < 80]
    return [cv2.cvtColor(cv2.imread(str(folder / file)), cv2.COLOR_BGR2RGB) for file in files]
