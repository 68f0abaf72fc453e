"""Writes the line images that a line reader learns from, as people write: no two alike.

`python -m tools.draw_line_images` draws a sheet of them.  The kinds of writing, mixed by LineSynthesizer.sample:

- word, line: what one person wrote with a pen, as recorded.
- several: words of one person side by side, with spaces of all widths.
- composed: words, numbers, names and codes put together from one person's single characters, which may touch.
- scanned: the same from EMNIST's scans.
- corrected: words that a user corrected in textrecog_ui.py, to learn that user's writing.

Each is changed at random, as strokes where there are strokes: slant, slope, width, gaps, waviness, pen and paper.
"""
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common import alphabets, glyph, line_image
from training import corrections_store, emnist, line_rendering, line_texts
from training.line_records import Writing, read_records, writing_of

KINDS = {"word": 0.39, "line": 0.29, "several": 0.10, "composed": 0.17, "scanned": 0.05}   # shares of samples
FIRST_KINDS = {"word": 0.75, "composed": 0.25}   # while a network has learned nothing: what is short is learned first
RECORDED = {"word": "words", "line": "lines", "corrected": "corrected"}   # kinds that are one record: its category
WIDEST = 2000                  # px of a line image: wider ones take too long to learn from
SCANS = 1500                   # of each character, at most

Source = tuple[str, int]   # "words", "lines" or "corrected", and the record's row among them


class Sample(NamedTuple):
    """What a network learns from."""
    picture: np.ndarray       # uint8 (line_image.HEIGHT, width): a line image; before that (height, width): its ink
    text: str
    source: Source | None     # the record that it shows, if it shows one


class LineSynthesizer:
    """Writes samples from the records of one split."""

    def __init__(self, pen_path: str | Path, data_path: str | Path, split: str = "train", variety: float = 1.0,
                 corrections_path: str | Path = "", val_split: float = 0.1):
        """Read everything; raises errors.DataError when a file is missing or damaged.

        data_path: folder with EMNIST's files; "" writes no scans.
        variety: strength of random changes, 0 for none.
        corrections_path: folder with the corrections of textrecog_ui.py; "" writes none.
        val_split: share of EMNIST's training file, from its end, that is not written.
        """
        self.variety = variety
        self.words = read_records(pen_path, "words", split)
        self.lines = read_records(pen_path, "lines", split)
        self.corrected = corrections_store.read_corrected_words(corrections_path) if corrections_path else []
        self.scans = read_scans(data_path, val_split) if data_path else {}
        self.dropped: set[Source] = set()   # records with a wrong label
        self._kept: dict[Source, Writing] = {}
        self._vocabulary = sorted({word for record in self.words + self.lines for word in record["label"].split()
                                   if word.isalpha()})
        by_writer = defaultdict(list)
        for row, record in enumerate(self.words):
            by_writer[record["writer"]].append(row)
        self._rows_of_writers = [rows for rows in by_writer.values() if len(rows) > 5]
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
        None where what was sampled is of no use: too wide, or too narrow for its text.
        """
        names = [kind for kind in kinds if kind != "scanned" or self.scans]
        shares = np.array([kinds[kind] for kind in names])
        kind = names[rng.choice(len(names), p=shares / shares.sum())]
        write = {"several": self._several, "composed": self._composed, "scanned": self._scanned}.get(kind)
        drawn = write(rng) if write else self._recorded(RECORDED[kind], rng)
        if drawn is None or drawn.source in self.dropped or glyph.ink_box(drawn.picture) is None:
            return None
        return _usable(drawn._replace(picture=line_image.normalize(drawn.picture)[0]))

    def plain(self, category: str, row: int) -> Sample | None:
        """As sample, but one record as it is: row of "words", "lines" or "corrected"."""
        writing = self._writing(category, row)
        picture = line_image.normalize(line_rendering.draw_plain(writing))[0]
        return _usable(Sample(picture, writing.label, (category, row)))

    def forget(self) -> None:
        """Free the memory of records that were straightened."""
        self._kept.clear()

    def _writing(self, category: str, row: int) -> Writing:
        if (category, row) not in self._kept:
            self._kept[category, row] = writing_of(getattr(self, category)[row])
        return self._kept[category, row]

    def _draw(self, writing: Writing, rng: np.random.Generator, variety: float, source: Source | None = None) -> Sample:
        """A writing as a sample, its strokes changed by `variety`."""
        points = line_rendering.change(writing, rng, variety) if variety else writing.points
        return Sample(line_rendering.draw(points, writing.ends, rng, self.variety), writing.label, source)

    def _recorded(self, category: str, rng: np.random.Generator) -> Sample | None:
        """Any record of one category."""
        records = getattr(self, category)
        if not records:
            return None
        row = int(rng.integers(len(records)))
        return self._draw(self._writing(category, row), rng, self.variety, (category, row))

    def _several(self, rng: np.random.Generator) -> Sample | None:
        """Two to fifteen words of one writer in a line, few of them long."""
        if not self._rows_of_writers:
            return None
        rows = self._rows_of_writers[rng.integers(len(self._rows_of_writers))]
        space = rng.uniform(0.4, 1.1)
        x, words = 0.0, []
        for row in rng.choice(rows, 2 + min(13, int(rng.exponential(3)))).tolist():
            if ("words", row) in self.dropped:
                continue
            writing = self._writing("words", row)
            changed = line_rendering.change(writing, rng, self.variety / 2)
            # The baseline follows from what the letters say about the ink's top and bottom.
            extents = [alphabets.EXTENTS.get(character, (1, 0)) for character in writing.label]
            top, bottom = max(top for top, _ in extents), min(bottom for _, bottom in extents)
            low, high = changed.min(axis=0), changed.max(axis=0)
            scale = float(np.clip((top - bottom) / max(high[1] - low[1], 0.05), 0.5, 2.0))
            changed = (changed - (low[0], high[1])) * scale + (x, -bottom + rng.normal(0, 0.04))
            x += (high[0] - low[0]) * scale + space + rng.exponential(0.15)
            words.append(Writing(changed, writing.ends, writing.label))
        return self._draw(_in_one(words, " ".join(word.label for word in words)), rng, 0.0) if words else None

    def _composed(self, rng: np.random.Generator) -> Sample | None:
        """Text put together from single characters, of one writer as far as that writer wrote them."""
        text = line_texts.random_text(self._vocabulary, rng)
        writers = self._characters_of_writers
        own = writers[rng.integers(len(writers))] if writers else {}
        gap, space = line_rendering.spacing(rng)
        x, characters = 0.0, []
        for character in text:
            if character == " ":
                x += space
                continue
            records = own.get(character) or self._characters.get(character)
            if not records:
                return None
            strokes = line_rendering.choose_strokes(records, character, rng)
            points, width = line_rendering.place(strokes, character, rng)
            characters.append(Writing(points + (x, 0), np.cumsum([len(stroke) for stroke in strokes]), character))
            x += width + max(gap + rng.normal(0, 0.06), -0.12) + 0.05
        return self._draw(_in_one(characters, text), rng, 0.8 * self.variety) if characters else None

    def _scanned(self, rng: np.random.Generator) -> Sample | None:
        """Text put together from EMNIST's scans."""
        text = "".join(character for character in line_texts.random_text(self._vocabulary, rng)
                       if character in self.scans or character == " ")
        text = " ".join(text.split())
        if not text:
            return None
        size = int(rng.uniform(*line_rendering.SIZES))
        paper = np.zeros((3 * size, round((2 * len(text) + 2) * size)), np.uint8)
        x, (gap, space) = size, line_rendering.spacing(rng)
        for character in text:
            if character == " ":
                x += space * size
                continue
            scans = self.scans[character]
            if len(scans):
                scan = scans[rng.integers(len(scans))]
            elif character in self._characters:
                strokes = line_rendering.choose_strokes(self._characters[character], character, rng)
                scan = glyph.draw_glyph(strokes, rng.uniform(6, 12))
            else:
                return None
            x += line_rendering.paste(paper, x, scan, character, size, rng)
            x += max(gap + rng.normal(0, 0.05), 0.0) * size
        return Sample(line_rendering.on_paper(paper, rng, self.variety), text, None)


def read_scans(data_path: str | Path, val_split: float) -> dict[str, np.ndarray]:
    """Up to SCANS training images of EMNIST for each character: uint8 (n, 28, 28).
    """
    images, labels = emnist.read_emnist(data_path, "train")
    learn = len(images) - emnist.held_out(len(images), val_split)
    return {character: images[:learn][labels[:learn] == label][:SCANS]
            for label, character in enumerate(alphabets.CHARACTERS)}


def _in_one(parts: list[Writing], text: str) -> Writing:
    """Writings, each where it belongs, as one."""
    before = np.cumsum([0] + [len(part.points) for part in parts[:-1]])
    ends = [part.ends + count for part, count in zip(parts, before)]
    return Writing(np.concatenate([part.points for part in parts]).astype(np.float32), np.concatenate(ends), text)


def _usable(sample: Sample) -> Sample | None:
    """The sample, or None when CTC has too few steps for its text, or its line image is too wide."""
    width, text = sample.picture.shape[1], sample.text
    repeats = sum(a == b for a, b in zip(text, text[1:]))
    return sample if width <= WIDEST and width // line_image.STEP >= len(text) + repeats + 1 else None
