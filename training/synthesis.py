"""Makes the line images that a line reader learns from; as with people, no two are alike.

`python -m tools.draw_training` draws a sheet of them.  The kinds of writing, mixed by LineSynthesizer.sample:

- word, line: what one person wrote with a pen, as recorded.
- several: words of one person side by side, with spaces of all widths.
- composed: words, numbers, names and codes put together from one person's single characters, which may touch.
- scanned: the same from EMNIST's scans.
- page, name: scanned lines that people wrote on paper: French text, and German names.
- font: texts in handwriting fonts and in a few printed faces, as if scanned.
- capitals: parts of sentences in one person's capitals, as if scanned, since hardly any of the scanned lines is;
  some in small capitals, whose text is in small letters, as people publish it.
- corrected: words that a user corrected in textrecog_ui.py, to learn that user's writing.

Each is changed at random, as strokes if it has strokes: slant, slope, width, gaps, waviness, pen and paper.
"""
import functools
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from common import alphabets, glyph, line_image
from reading import line_inks, page_network, text_lines
from training import corrections_store, emnist, line_rendering, line_texts, page_writing, paper
from training.line_records import Writing, kept_writing, read_records, read_scans

KINDS = {"word": 0.38, "line": 0.17, "several": 0.06, "composed": 0.08, "scanned": 0.02,   # shares of samples
         "page": 0.13, "name": 0.05, "font": 0.06, "capitals": 0.05}
REAL = {"page": "copiste", "name": "dhsd"}   # kinds that are scanned lines: their folders
TAILS = 0.3                    # share of scanned lines into which tails of other lines reach
ACCENTED = 0.2                 # share of words that get accents
PRINTED = 0.12                 # share of typefaces among fonts
FIRST_KINDS = {"word": 0.75, "composed": 0.25}   # for an untrained network: what is short is learned first
RECORDED = {"word": "words", "line": "lines", "corrected": "corrected"}   # kinds that are one record: its category
WIDEST = 1000                  # px: wider line images take too long to learn from
SCANS = 1500                   # maximum number of scans of each character
CAPITAL = 36                   # px: height of the ink of a line of capitals, as if scanned
SMALL_CAPITALS = 0.4           # share of small capitals among these; they stand for small letters ...
SMALL = 0.65, 0.85             # ... and are this high, in heights of a capital


class Sample(NamedTuple):
    """A sample for a network to learn from."""
    picture: np.ndarray       # uint8 (line_image.HEIGHT, width): a line image; before that its ink, (height, width)
    text: str
    kind: str = ""            # "words", "lines" or "corrected" where it shows one record, "copiste" or "dhsd"


class LineSynthesizer:
    """Makes samples from the records of one split."""

    def __init__(self, pen_path: str | Path, data_path: str | Path, split: str = "train", variety: float = 1.0,
                 corrections_path: str | Path = "", val_split: float = 0.1, paper_path: str | Path = ""):
        """Read everything; raises errors.DataError when a file is missing or damaged.

        data_path: folder with EMNIST's files; "" for no scans.
        paper_path: folder with copiste, dhsd, fonts and text; what is missing is not used.
        variety: strength of random changes, 0 for none.
        corrections_path: folder with the corrections of textrecog_ui.py; "" for none.
        val_split: share of EMNIST's training file, from its end, that is not used.
        """
        self.variety = variety
        self.words = read_records(pen_path, "words", split)
        self.lines = read_records(pen_path, "lines", split)
        self.corrected = corrections_store.read_corrected_words(corrections_path) if corrections_path else []
        self.scans = scanned_characters(data_path, val_split) if data_path else {}
        self.real = {kind: read_scans(Path(paper_path, folder), split) for kind, folder in REAL.items()
                     } if paper_path else {}
        self._fonts = sorted(map(str, Path(paper_path, "fonts").glob("*.ttf"))) if paper_path else []
        self._sentences = line_texts.read_sentences(Path(paper_path, "text")) if paper_path else []
        self._vocabulary = sorted({word for record in self.words + self.lines for word in record["label"].split()
                                   if word.isalpha()})
        texts = self._sentences[::3] + [line.text for lines in self.real.values() for line in lines]
        self._words = self._vocabulary + sorted({word for text in texts for word in text.split() if word.isalpha()})
        by_writer = defaultdict(list)
        for record in self.words:
            by_writer[record["writer"]].append(record)
        self._words_of_writers = [records for records in by_writer.values() if len(records) > 5]
        by_writer = defaultdict(lambda: defaultdict(list))
        self._characters = defaultdict(list)   # character -> records of all writers
        for kind in ("characters", "symbols"):
            for record in read_records(pen_path, kind, split):
                by_writer[record["writer"]][record["label"]].append(record)
                self._characters[record["label"]].append(record)
        self._characters_of_writers = [known for known in by_writer.values() if len(known) > 20]

    def sample(self, rng: np.random.Generator, kinds: dict[str, float] = KINDS) -> Sample | None:
        """A line image to learn from.

        kinds: how likely each kind of writing is.
        None where the sample is unusable: too wide, or too narrow for its text.
        """
        names = self.kinds(kinds)
        shares = np.array([kinds[kind] for kind in names])
        kind = names[rng.choice(len(names), p=shares / shares.sum())]
        if kind in REAL or kind in ("font", "capitals"):
            return self._on_paper(kind, rng)
        write = {"several": self._several, "composed": self._composed, "scanned": self._scanned}.get(kind)
        drawn = write(rng) if write else self._recorded(RECORDED[kind], rng)
        if drawn is None or glyph.ink_box(drawn.picture) is None:
            return None
        return _usable(drawn._replace(picture=line_image.normalize(drawn.picture)[0]))

    def kinds(self, wanted: Iterable[str]) -> list[str]:
        """The wanted kinds of writing for which there are files."""
        there = {"scanned": self.scans, "font": self._fonts and self._sentences, "capitals": self._sentences,
                 **self.real}
        return [kind for kind in wanted if there.get(kind, kind not in REAL)]

    def plain(self, category: str, row: int) -> Sample | None:
        """Like sample, but one record or scan as it is: a row of "words", "lines", "corrected" or a kind of REAL."""
        if category in REAL:
            real = self.real[category][row]
            picture = cv2.cvtColor(real.seen(), cv2.COLOR_GRAY2RGB)
            return _usable(Sample(line_image_of(picture), real.text, REAL[category]))
        writing = kept_writing(getattr(self, category)[row])
        picture = line_image.normalize(line_rendering.draw_plain(writing))[0]
        return _usable(Sample(picture, writing.label, category))

    def _draw(self, writing: Writing, rng: np.random.Generator, variety: float, kind: str = "") -> Sample:
        """A writing as a sample, its strokes changed by `variety`."""
        points = line_rendering.change(writing, rng, variety) if variety else writing.points
        return Sample(line_rendering.draw(points, writing.ends, rng, self.variety), writing.label, kind)

    def _on_paper(self, kind: str, rng: np.random.Generator) -> Sample | None:
        """A scanned line of a kind of REAL, or a text in a font or in capitals, aged at random."""
        make = {"font": self._in_font, "capitals": self._in_capitals}.get(kind, functools.partial(self._scan, kind))
        if (found := make(rng)) is None:
            return None
        gray, text = found
        neighbour = self._scan(kind, rng)[0] if kind in REAL and rng.random() < TAILS else None
        return _usable(Sample(line_image_of(paper.age(gray, rng, neighbour)), text, REAL.get(kind, "")))

    def _scan(self, kind: str, rng: np.random.Generator) -> tuple[np.ndarray, str]:
        """A scanned line of a kind of REAL, uint8 (height, width), dark on bright, and its text."""
        line = _any_of(self.real[kind], rng)
        return line.seen(), line.text

    def _in_font(self, rng: np.random.Generator) -> tuple[np.ndarray, str] | None:
        """A text in a font, like _scan."""
        text = (line_texts.span(_any_of(self._sentences, rng), rng) if rng.random() < 0.8 else
                line_texts.random_text(self._words, rng))
        faces = page_writing.typefaces() if rng.random() < PRINTED else self._fonts
        gray = page_writing.in_font(_any_of(faces, rng), text, rng)
        return None if gray is None else (gray, text)

    def _in_capitals(self, rng: np.random.Generator) -> tuple[np.ndarray, str] | None:
        """A part of a sentence in one person's capitals or small capitals, like _scan."""
        text = line_texts.span(_any_of(self._sentences, rng), rng)
        small = rng.random() < SMALL_CAPITALS and text != text.lower()   # their sizes tell nothing without a capital
        drawn = self._composed(rng, text if small else text.upper(), rng.uniform(*SMALL) if small else 0.0)
        box = drawn and glyph.ink_box(drawn.picture)
        if not box:
            return None
        scale = CAPITAL / box[3]
        return 255 - cv2.resize(drawn.picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), drawn.text

    def _recorded(self, category: str, rng: np.random.Generator) -> Sample | None:
        """A random record of one category."""
        records = getattr(self, category)
        if not records:
            return None
        writing = kept_writing(_any_of(records, rng))
        accented = line_rendering.add_accents(writing, rng) if category == "words" and rng.random() < ACCENTED else None
        return self._draw(accented or writing, rng, self.variety, category)

    def _several(self, rng: np.random.Generator) -> Sample | None:
        """Two to fifteen words of one writer in a line; long lines are rare."""
        if not self._words_of_writers:
            return None
        records = _any_of(self._words_of_writers, rng)
        space = rng.uniform(0.4, 1.1)
        x, words = 0.0, []
        for row in rng.choice(len(records), 2 + min(13, int(rng.exponential(3)))).tolist():
            writing = kept_writing(records[row])
            points, width = line_rendering.on_baseline(line_rendering.change(writing, rng, self.variety / 2),
                                                       writing.label)
            words.append(writing._replace(points=points + (x, rng.normal(0, 0.04))))
            x += width + space + rng.exponential(0.15)
        return self._draw(_in_one(words, " ".join(word.label for word in words)), rng, 0.0)

    def _composed(self, rng: np.random.Generator, text: str = "", small: float = 0.0) -> Sample | None:
        """A text, by default a random one, composed of single characters, by one writer as far as they exist.

        small: height of the small capitals that are written for small letters, in heights of a capital; 0: none are.
        """
        text = text or line_texts.random_text(self._words, rng)
        own = _any_of(self._characters_of_writers, rng) if self._characters_of_writers else {}
        gap, space = line_rendering.spacing(rng)
        x, characters = 0.0, []
        for character in text:
            if character == " ":
                x += space
                continue
            shape = alphabets.CAPITALS.get(character, character) if small else character
            base, mark = line_rendering.base_and_mark(shape)
            records = own.get(base) or self._characters.get(base)
            if not records:
                return None
            strokes = line_rendering.complete(line_rendering.choose_strokes(records, base, rng), shape)
            points, width = line_rendering.place(strokes, shape if not mark else base, rng)
            for stroke in line_rendering.mark_strokes(mark, width / 2, points[:, 1].min(), rng) if mark else ():
                points, strokes = np.concatenate([points, stroke]), [*strokes, stroke]
            if shape != character:
                points, width = small * points, small * width
            characters.append(Writing(points + (x, 0), np.cumsum([len(stroke) for stroke in strokes]), character))
            x += width + max(gap + rng.normal(0, 0.06), -0.12) + 0.05
        return self._draw(_in_one(characters, text), rng, 0.8 * self.variety) if characters else None

    def _scanned(self, rng: np.random.Generator) -> Sample | None:
        """Text composed of EMNIST's scans."""
        text = "".join(character for character in line_texts.random_text(self._vocabulary, rng)
                       if character in self.scans or character == " ")
        text = " ".join(text.split())
        if not text:
            return None
        size = int(rng.uniform(*line_rendering.SIZES))
        sheet = np.zeros((3 * size, round((2 * len(text) + 2) * size)), np.uint8)
        x, (gap, space) = size, line_rendering.spacing(rng)
        for character in text:
            if character == " ":
                x += space * size
                continue
            if len(scans := self.scans[character]):
                scan = _any_of(scans, rng)
            elif character in self._characters:
                strokes = line_rendering.choose_strokes(self._characters[character], character, rng)
                scan = glyph.draw_glyph(strokes, rng.uniform(6, 12))
            else:
                return None
            x += line_rendering.paste(sheet, x, scan, character, size, rng)
            x += max(gap + rng.normal(0, 0.05), 0.0) * size
        return Sample(line_rendering.on_paper(sheet, rng, self.variety), text)


def line_image_of(picture: np.ndarray) -> np.ndarray | None:
    """The line image, uint8 (height, width), that reading makes of an RGB picture of a line; None without ink."""
    maps = page_network.shipped(1).maps(picture)
    strokes = maps.ink >= text_lines.INK
    if not strokes.any():
        return None
    ink = line_inks.sharp_ink(picture, maps.ink, maps.rule)
    ink = line_inks.amplify(ink, line_inks.gain_of(ink[strokes]))
    ink, _ = text_lines.straighten(ink)
    return line_image.normalize(ink)[0] if glyph.ink_box(ink) else None


def scanned_characters(data_path: str | Path, val_split: float) -> dict[str, np.ndarray]:
    """Up to SCANS training images of EMNIST for each character: uint8 (n, 28, 28)."""
    images, labels = emnist.read_emnist(data_path, "train")
    learn = len(images) - emnist.held_out(len(images), val_split)
    return {character: images[:learn][labels[:learn] == label][:SCANS]
            for label, character in enumerate(alphabets.CHARACTERS)}


def _any_of(values: list, rng: np.random.Generator):
    return values[rng.integers(len(values))]


def _in_one(parts: list[Writing], text: str) -> Writing:
    """Join writings, each already in its place, into one."""
    before = np.cumsum([0] + [len(part.points) for part in parts[:-1]])
    ends = [part.ends + count for part, count in zip(parts, before)]
    return Writing(np.concatenate([part.points for part in parts]).astype(np.float32), np.concatenate(ends), text)


def _usable(sample: Sample) -> Sample | None:
    """The sample, or None if it has no line image or too wide a one, or CTC has too few steps for its text."""
    if sample.picture is None:
        return None
    width, text = sample.picture.shape[1], sample.text
    repeats = sum(a == b for a, b in zip(text, text[1:]))
    return sample if width <= WIDEST and width // line_image.STEP >= len(text) + repeats + 1 else None
