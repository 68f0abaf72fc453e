"""Writes words and lines for a line reader to learn from, as people do: no two alike.

    python -m training.synthesis                     a sheet of what it writes, into scribe.png
    python -m training.synthesis --pen_path=FOLDER   with the pen strokes in another folder

It knows these ways to write, and mixes them (see LineSynthesizer.sample):

- word, line: what one person wrote with a pen, as recorded.
- joined: words of one person side by side, with spaces of all widths.
- composed: words, numbers, names and codes put together from one person's
  single characters, which may touch.
- scanned: the same from EMNIST's scans.
- corrected: words that somebody put right in textrecog_ui.py, to learn that hand.

Whatever it writes is changed at random, as strokes where there are strokes:
slant, slope, width, gaps, waviness, the pen and the paper.
"""
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from common import alphabets, errors, files, glyph, line_image, pen_strokes, settings
from reading import text_lines
from training import corrections_store, emnist, unipen

# ---- settings: change them here or on the command line, as --name=value
pen_path = "Dataset/UNIPEN"      # folder with the pen strokes
data_path = "Dataset/EMNIST"     # folder with EMNIST's files
variety = 1.0                    # strength of random changes, 0 for none
seed = 0                         # of everything random
# ---- end of settings

# Top and bottom of a character above the baseline, in heights of a capital; all others reach from 0 to 1.
X_HEIGHT, DESCENT = 0.62, -0.35
EXTENTS = (dict.fromkeys("acemnorsuvwxz", (X_HEIGHT, 0)) | dict.fromkeys("gpqy", (X_HEIGHT, DESCENT))
           | {"i": (0.9, 0), "j": (0.9, DESCENT), "t": (0.85, 0)}
           | dict.fromkeys("()[]{}|@$", (1.1, -0.15)) | dict.fromkeys("'\"`", (1.05, 0.72))
           | dict.fromkeys("+<>", (0.7, 0.1))
           | {".": (0.08, 0), ",": (0.12, -0.18), ":": (0.55, 0), ";": (0.55, -0.18), "*": (0.95, 0.5),
              "^": (1.05, 0.7), "=": (0.5, 0.25), "-": (0.4, 0.35), "_": (-0.08, -0.14), "~": (0.5, 0.35)})
FLAT = {"-": 0.45, "_": 0.7, "~": 0.55, "=": 0.5, ".": 0.08}   # width, which tells more than their height

NARROW = "1Iijl|!()[]{}:;'"   # no more than about as wide as they are tall
SAME_SHAPE = "ckopsuvwxyz"     # letters whose case shows in their size alone
SCANS = 1500                   # of each character, at most

KINDS = {"word": 0.39, "line": 0.29, "joined": 0.10, "composed": 0.17, "scanned": 0.05}   # shares of samples
FIRST_KINDS = {"word": 0.75, "composed": 0.25}   # while a network has learned nothing: what is short is learned first
ROWS = 0.2              # of the texts that are put together from characters are rows of digits or letters
SIZES = 24, 60          # px, height of a tall letter where it is drawn
PENS = 0.04, 0.17       # diameter of the pen in such heights
POINTS = 500            # of a record that decide about its slope and slant
WIDEST = 2000           # px of strip: longer lines are left out, since they take too long to learn from
HELD_OUT = 15_820       # last rows of EMNIST's training file, which validate the networks of characters


Source = tuple[str, int]   # "words", "lines" or "corrected", and the record's row among them


class Sample(NamedTuple):
    """What a network learns from."""
    picture: np.ndarray       # uint8 (line_image.HEIGHT, width): a strip, or (height, width): ink that becomes one
    text: str
    source: Source | None     # the record that it is of, if it is of one


class Writing(NamedTuple):
    """A record of training/unipen.py, straight, upright and as tall as all others: a tall letter has height 1."""
    points: np.ndarray    # float32 (n, 2), all strokes one after the other, y downwards
    ends: np.ndarray      # int (strokes,): where each stroke ends in points
    label: str


# ---- records

def read_records(pen_path: str | Path, kind: str, split: str) -> list[dict]:
    """The records of one category and split that have ink and a label of alphabets.ALPHABET in one row of writing."""
    records = unipen.read_strokes(Path(pen_path, f"{kind}.jsonl.gz"), split)
    return [record for record in records
            if record["strokes"] and all(character in alphabets.LABELS for character in record["label"])
            and not (kind == "lines" and has_rows(record["strokes"]))]


def has_rows(strokes: list) -> bool:
    """Whether a text runs over two rows: somewhere the pen goes far back to the left and down."""
    boxes = np.array([[*points.min(axis=0), *points.max(axis=0)] for points in map(pen_strokes.as_points, strokes)])
    width = boxes[:, 2].max() - boxes[:, 0].min()
    tall = tall_letter(strokes)
    reach, low = np.maximum.accumulate(boxes[:, 2]), np.median(boxes[:, 3])
    back = reach[:-1] - boxes[1:, 0] > 0.4 * width + tall
    down = boxes[1:, 1] > low + 0.3 * tall
    return bool((back & down).any())


def tall_letter(strokes: list) -> float:
    """The height of a tall letter in a record's own unit, which differs from writer to writer.

    A height that nine of ten strokes do not exceed: text may slope or stand in two
    rows, so that the ink's own height says little.
    """
    heights = [np.ptp(pen_strokes.as_points(stroke)[:, 1]) for stroke in strokes]
    return max(1.0, float(np.percentile(heights, 90)))


def writing_of(record: dict, upright: bool = True) -> Writing:
    """A record with its strokes scaled and, if `upright`, without slope and slant, as reading will find them."""
    strokes = [pen_strokes.as_points(stroke) for stroke in record["strokes"]]
    points = np.concatenate(strokes) / np.float32(tall_letter(strokes))
    ends = np.cumsum([len(stroke) for stroke in strokes])
    if upright:
        dense = _along(points, ends) * 40
        slope, slant = text_lines.shears(dense[:, 1], dense[:, 0])
        points[:, 1] -= slope * points[:, 0]
        points[:, 0] -= slant * points[:, 1]
    return Writing(points - points.min(axis=0), ends, record["label"])


def _along(points: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """POINTS points at even distances along the strokes: float32 (POINTS, 2)."""
    step = np.hypot(*np.diff(points, axis=0, prepend=points[:1]).T)
    step[ends[:-1]] = 0  # the pen is up
    way = np.cumsum(step + 1e-6)
    at = np.linspace(0, way[-1], POINTS)
    return np.stack([np.interp(at, way, points[:, axis]) for axis in (0, 1)], axis=1).astype(np.float32)


# ---- strokes, changed

def change(writing: Writing, rng: np.random.Generator, variety: float = 1.0) -> np.ndarray:
    """The points of a writing, changed at random as other hands would write it: float32 (n, 2)."""
    points, ends = writing.points.copy(), writing.ends
    starts = np.concatenate([[0], ends[:-1]])
    counts = ends - starts
    lefts = np.minimum.reduceat(points[:, 0], starts)
    rights = np.maximum.reduceat(points[:, 0], starts)
    # Gaps between strokes widen or close, most of them alike.
    order = np.argsort(lefts, kind="stable")
    reach = np.maximum.accumulate(rights[order])
    gaps = np.concatenate([[0], np.maximum(lefts[order][1:] - reach[:-1], 0)])
    longer = np.clip(np.exp(variety * rng.normal(0, 0.35)) - 1 + variety * rng.normal(0, 0.12, len(gaps)), -0.8, 1.5)
    moved = np.empty(len(ends), np.float32)
    moved[order] = np.cumsum(gaps * longer)
    shift = variety * rng.normal(0, 0.018, (len(ends), 2))
    shift[:, 0] += moved
    points += np.repeat(shift, counts, axis=0)
    # Slow waves in both directions.
    for _ in range(2):
        wave = rng.normal(0, 1, (2, 2)) * [2.2, 1.6]
        phase = points @ wave.T + rng.uniform(0, 2 * np.pi, 2)
        points += (variety * rng.normal(0, 0.035, 2)) * np.sin(phase)
    wide = np.exp(variety * rng.normal(0, 0.15))
    slant, slope = variety * rng.normal(0, 0.16), variety * rng.normal(0, 0.012)
    points = points @ np.array([[wide, slope], [slant, 1]])
    return points.astype(np.float32)


def draw(points: np.ndarray, ends: np.ndarray, rng: np.random.Generator, variety: float = 1.0) -> np.ndarray:
    """Draw strokes with a pen and at a size chosen by lot, on paper that leaves its traces: uint8, bright on dark."""
    size = rng.uniform(*SIZES) if variety else 45.0
    pen = np.exp(rng.uniform(*np.log(PENS))) if variety else 0.08
    strokes = np.split(points * np.float32(size), ends[:-1])
    return on_paper(pen_strokes.draw_strokes(strokes, max(1.0, pen * size)), rng, variety)


def plainly(writing: Writing) -> np.ndarray:
    """A writing as it is, drawn with a pen and at a size that are usual: uint8, bright on dark."""
    return draw(writing.points, writing.ends, np.random.default_rng(0), 0)


def on_paper(image: np.ndarray, rng: np.random.Generator, variety: float = 1.0) -> np.ndarray:
    """What a scanner, a camera or a screen may make of ink (uint8): soft, ragged, thinner, with specks."""
    lot = rng.random()
    if lot < 0.25 * variety:      # ragged edges
        noise = cv2.GaussianBlur(rng.normal(0, 90, image.shape).astype(np.float32), (0, 0), 0.8)
        soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.1)) + noise
        image = cv2.convertScaleAbs(np.where(soft > rng.uniform(110, 170), np.clip(soft * 2, 160, 255), 0))
    elif lot < 0.45 * variety:    # soft edges
        image = cv2.convertScaleAbs(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.5)), alpha=rng.uniform(1, 1.5))
    elif lot < 0.6 * variety:     # no edges at all
        image = (image > rng.uniform(40, 200)).view(np.uint8) * np.uint8(255)
    if rng.random() < 0.06 * variety:
        for x, y in rng.integers(0, image.shape[::-1], (rng.integers(1, 5), 2)).tolist():
            cv2.circle(image, (x, y), 1, 255, cv2.FILLED)
    return image


# ---- text to compose

AROUND = ("{}.", "{},", "{}?", "{}!", "{}:", "{};", "({})", '"{}"', "{}'s", "'{}'", "{}-", "[{}]", "#{}", "@{}")
AROUND_SHARES = 0.24, 0.24, 0.07, 0.07, 0.06, 0.05, 0.06, 0.06, 0.05, 0.02, 0.03, 0.02, 0.02, 0.01


def random_text(words: list[str], rng: np.random.Generator) -> str:
    """A word as it may stand in a text, or a number, a date, a code."""
    lot = rng.random()
    if lot < 0.62:
        word = words[rng.integers(len(words))]
        word = (word, word.lower(), word.capitalize(), word.upper())[rng.choice(4, p=(0.4, 0.2, 0.2, 0.2))]
        if rng.random() < 0.22:
            word = AROUND[rng.choice(len(AROUND), p=AROUND_SHARES)].format(word)
        return word
    digits = "".join(rng.choice(list("0123456789"), rng.integers(1, 8)))
    if lot < 0.74:
        return digits
    if lot < 0.86:
        day, month, year = rng.integers(1, 32), rng.integers(1, 13), rng.integers(1900, 2100)
        return (f"${digits}", f"{digits}%", f"{digits}.{rng.integers(100):02}", f"${digits}.{rng.integers(100):02}",
                f"{day}/{month}/{year}", f"{year}-{month:02}-{day:02}", f"{day}.{month}.{year % 100:02}",
                f"{rng.integers(1, 13)}:{rng.integers(60):02}", f"({rng.integers(100, 1000)})",
                f"{rng.integers(100, 1000)}-{rng.integers(10000):04}", f"{digits}+{month}", f"{digits}={day}",
                f"{day}*{month}", f"-{digits}", f"#{digits}", f"{digits[:3]},{rng.integers(1000):03}")[rng.integers(16)]
    letters = alphabets.CHARACTERS if lot < 0.95 else alphabets.ALPHABET[1:]
    return "".join(rng.choice(list(letters), rng.integers(1, 8)))


def random_row(rng: np.random.Generator) -> str:
    """Digits or letters, in order or not, whole or in groups of one to seven: "ABCDE FGHIJ", "3 4", "800 555 1234"."""
    alphabet = (alphabets.CHARACTERS[:10], alphabets.CHARACTERS[10:36], alphabets.CHARACTERS[36:])[
        rng.choice(3, p=(0.5, 0.3, 0.2))]
    length = int(rng.integers(3, 27 if alphabet[0] != "0" else 21))
    if rng.random() < 0.6:
        start = 0 if rng.random() < 0.5 else rng.integers(len(alphabet))
        row = "".join(np.roll(list(alphabet), -start)[np.arange(length) % len(alphabet)])
        row = row[::-1] if rng.random() < 0.25 else row
    else:
        row = "".join(rng.choice(list(alphabet), length))
    lot = rng.random()
    if lot < 0.25:
        return row
    often = rng.choice(7, p=(0.2, 0.1, 0.2, 0.15, 0.25, 0.05, 0.05)) + 1   # one length, or any around it
    sizes = np.full(length, often) if lot < 0.7 else rng.integers(1, often + 3, length)
    return " ".join(filter(None, map("".join, np.split(list(row), np.cumsum(sizes)))))


def placed(top: float, bottom: float, rng: np.random.Generator) -> tuple[float, float]:
    """Top and bottom of a character, above the baseline, as uneven as people write."""
    return top * rng.normal(1, 0.06) + rng.normal(0, 0.02), bottom + rng.normal(0, 0.03)


def _spacing(rng: np.random.Generator) -> tuple[float, float]:
    """The gap between characters, and what a space adds, in heights of a capital: some people write wide."""
    if rng.random() < 0.3:
        gap = rng.uniform(0.15, 0.7)
        return gap, 0.3 + gap * rng.uniform(0.3, 1.5)
    return rng.normal(0.14, 0.12), rng.uniform(0.45, 1.0)


class LineSynthesizer:
    """Writes samples from the records of one split."""

    def __init__(self, pen_path: str | Path, data_path: str | Path, split: str = "train", variety: float = 1.0,
                 corrections_path: str | Path = ""):
        """Reads everything; raises unipen.UnipenError or errors.DataError when a file is missing or damaged.

        data_path: folder with EMNIST's files; "" writes no scans.
        corrections_path: folder with the corrections of textrecog_ui.py; "" writes none.
        """
        self.variety = variety
        self.words = read_records(pen_path, "words", split)
        self.lines = read_records(pen_path, "lines", split)
        self.corrected = corrections_store.read_corrected_words(corrections_path) if corrections_path else []
        self.dropped: set[Source] = set()   # records with a wrong label
        self._kept: dict[Source, Writing] = {}
        self.vocabulary = sorted({word for record in self.words + self.lines for word in record["label"].split()
                                  if word.isalpha()})
        self.by_writer = defaultdict(list)
        for row, record in enumerate(self.words):
            self.by_writer[record["writer"]].append(row)
        self.writers = [writer for writer, rows in self.by_writer.items() if len(rows) > 5]
        self.characters = defaultdict(lambda: defaultdict(list))   # writer -> character -> records
        self.anyone = defaultdict(list)
        for kind in ("characters", "symbols"):
            for record in read_records(pen_path, kind, split):
                self.characters[record["writer"]][record["label"]].append(record)
                self.anyone[record["label"]].append(record)
        self.penmen = [writer for writer, known in self.characters.items() if len(known) > 20]
        self.scans = read_scans(str(data_path)) if data_path else {}

    def sample(self, rng: np.random.Generator, kinds: dict[str, float] = KINDS) -> Sample | None:
        """A strip to learn from.

        kinds: how likely each way to write is.
        None where what was drawn by lot cannot be used: too wide, or too narrow for its text.
        """
        names = [kind for kind in kinds if kind != "scanned" or self.scans]
        shares = np.array([kinds[kind] for kind in names])
        kind = names[rng.choice(len(names), p=shares / shares.sum())]
        drawn = getattr(self, "_" + kind)(rng)
        if drawn is None or drawn.source in self.dropped or glyph.ink_box(drawn.picture) is None:
            return None
        return _usable(drawn._replace(picture=line_image.normalize(drawn.picture)[0]))

    def plain(self, category: str, row: int) -> Sample | None:
        """As sample, but one record as it is."""
        writing = self._writing(category, row)
        return _usable(Sample(line_image.normalize(plainly(writing))[0], writing.label, (category, row)))

    def forget(self) -> None:
        """Free the memory of records that were straightened."""
        self._kept.clear()

    def _writing(self, category: str, row: int) -> Writing:
        if (category, row) not in self._kept:
            self._kept[category, row] = writing_of(getattr(self, category)[row])
        return self._kept[category, row]

    def _drawn(self, category: str, rng) -> Sample | None:
        """A record of one category, drawn by lot."""
        records = getattr(self, category)
        if not records:
            return None
        row = int(rng.integers(len(records)))
        writing = self._writing(category, row)
        image = draw(change(writing, rng, self.variety), writing.ends, rng, self.variety)
        return Sample(image, writing.label, (category, row))

    def _word(self, rng) -> Sample | None:
        return self._drawn("words", rng)

    def _line(self, rng) -> Sample | None:
        return self._drawn("lines", rng)

    def _corrected(self, rng) -> Sample | None:
        return self._drawn("corrected", rng)

    def _joined(self, rng) -> Sample | None:
        """Two to fifteen words of one writer in a line, few of them long."""
        if not self.writers:
            return None
        rows = self.by_writer[self.writers[rng.integers(len(self.writers))]]
        space = rng.uniform(0.4, 1.1)
        x, points, ends, texts = 0.0, [], [], []
        for row in rng.choice(rows, 2 + min(13, int(rng.exponential(3)))).tolist():
            if ("words", row) in self.dropped:
                continue
            writing = self._writing("words", row)
            changed = change(writing, rng, self.variety / 2)
            # The baseline follows from what the letters say about the ink's top and bottom.
            top, bottom = (choose(EXTENTS.get(c, (1, 0))[side] for c in writing.label) for choose, side in
                           ((max, 0), (min, 1)))
            low, high = changed.min(axis=0), changed.max(axis=0)
            scale = float(np.clip((top - bottom) / max(high[1] - low[1], 0.05), 0.5, 2.0))
            changed = (changed - (low[0], high[1])) * scale + (x, -bottom + rng.normal(0, 0.04))
            x += (high[0] - low[0]) * scale + space + rng.exponential(0.15)
            ends += (writing.ends + sum(map(len, points))).tolist()
            points.append(changed)
            texts.append(writing.label)
        if not points:
            return None
        image = draw(np.concatenate(points).astype(np.float32), np.array(ends), rng, self.variety)
        return Sample(image, " ".join(texts), None)

    def _text(self, rng) -> str:
        if rng.random() < ROWS:
            return random_row(rng)
        words = rng.choice((1, 2, 3, 4, 5), p=(0.7, 0.15, 0.08, 0.04, 0.03))
        return " ".join(random_text(self.vocabulary, rng) for _ in range(words))

    def _composed(self, rng) -> Sample | None:
        """Text put together from single characters, of one writer where he wrote them."""
        text = self._text(rng)
        own = self.characters[self.penmen[rng.integers(len(self.penmen))]] if self.penmen else {}
        gap, space = _spacing(rng)
        x, count, points, ends = 0.0, 0, [], []
        for character in text:
            if character == " ":
                x += space
                continue
            records = own.get(character) or self.anyone.get(character)
            if not records:
                return None
            strokes = _strokes(records, character, rng)
            drawn = np.concatenate(strokes)
            low, span = drawn.min(axis=0), np.maximum(np.ptp(drawn, axis=0), 1e-3)
            top, bottom = placed(*EXTENTS.get(character, (1, 0)), rng)
            if character in FLAT:
                scale = FLAT[character] * rng.normal(1, 0.1) / max(span)
            else:
                scale = min((top - bottom) / span[1], 1.5 / span[0])
            middle = -(top + bottom) / 2
            points.append((drawn - (low + span * (0, 0.5))) * scale + (x, middle))
            ends += [count + end for end in np.cumsum([len(stroke) for stroke in strokes]).tolist()]
            count += len(drawn)
            x += span[0] * scale + max(gap + rng.normal(0, 0.06), -0.12) + 0.05
        if not points:
            return None
        writing = Writing(np.concatenate(points).astype(np.float32), np.array(ends), text)
        image = draw(change(writing, rng, 0.8 * self.variety), writing.ends, rng, self.variety)
        return Sample(image, text, None)

    def _scanned(self, rng) -> Sample | None:
        """Text put together from EMNIST's scans."""
        text = "".join(character for character in self._text(rng) if character in self.scans or character == " ")
        text = " ".join(text.split())
        if not text:
            return None
        size = int(rng.uniform(*SIZES))
        paper = np.zeros((3 * size, round((2 * len(text) + 2) * size)), np.uint8)
        x, (gap, space) = size, _spacing(rng)
        for character in text:
            if character == " ":
                x += space * size
                continue
            scans = self.scans[character]
            if len(scans):
                scan = scans[rng.integers(len(scans))]
            elif character in self.anyone:
                scan = glyph.draw_glyph(_strokes(self.anyone[character], character, rng), rng.uniform(6, 12))
            else:
                return None
            x += paste(paper, x, scan, character, size, rng)
            x += max(gap + rng.normal(0, 0.05), 0.0) * size
        return Sample(on_paper(paper, rng, self.variety), text, None)


def read_scans(data_path: str) -> dict[str, np.ndarray]:
    """Up to SCANS training images of EMNIST for each character: uint8 (n, 28, 28).

    Letters whose case shows in their size alone come from the images of unknown case too.
    """
    images, labels = emnist.read_emnist(data_path, "train")
    learn = max(len(images) - HELD_OUT, len(images) // 2)
    found = {character: images[:learn][labels[:learn] == label][:SCANS]
             for label, character in enumerate(alphabets.CHARACTERS)}
    if emnist.find(data_path, "emnist-byclass-train-either-images-idx3-ubyte"):
        images, upper, lower = emnist.read_either(data_path)
        for both in (upper, lower):
            for label in set(both.tolist()):
                character = alphabets.CHARACTERS[label]
                if character.lower() in SAME_SHAPE and len(found[character]) < SCANS:
                    found[character] = np.concatenate([found[character], images[both == label]])[:SCANS]
    return found


def _strokes(records: list[dict], character: str, rng: np.random.Generator) -> list[np.ndarray]:
    """The strokes of one of these records; cut off ones, wider than their character can be, are drawn again."""
    for _ in range(4):
        strokes = [pen_strokes.as_points(stroke) for stroke in records[rng.integers(len(records))]["strokes"]]
        width, height = np.ptp(np.concatenate(strokes), axis=0)
        if character in FLAT or width < (0.9 if character in NARROW else 2.2) * max(height, 1e-3):
            break
    return strokes


def paste(paper: np.ndarray, x: float, scan: np.ndarray, character: str, size: int, rng: np.random.Generator) -> int:
    """Paste a scan at its character's height, its ink from x on; returns the width of the ink in px."""
    left, above, width, height = glyph.ink_box(scan) or (0, 0, 28, 28)
    top, bottom = EXTENTS.get(character, (1, 0))
    scale = min((top - bottom) * size * rng.normal(1, 0.04) / height, 1.5 * size / width)
    picture = cv2.resize(scan, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    baseline = (1.8 - bottom + rng.normal(0, 0.02)) * size
    y, x = round(baseline - (above + height) * scale), round(x - left * scale)
    part = paper[y:y + picture.shape[0], x:x + picture.shape[1]]
    np.maximum(part, picture[:part.shape[0], :part.shape[1]], out=part)  # the soft edges of neighbours may overlap
    return round(width * scale)


def _usable(sample: Sample) -> Sample | None:
    """The sample, or None when CTC has too few steps for its text, or the strip is too wide."""
    width, text = sample.picture.shape[1], sample.text
    repeats = sum(a == b for a, b in zip(text, text[1:]))
    return sample if width <= WIDEST and width // line_image.STEP >= len(text) + repeats + 1 else None


# ---- a sheet to look at

def main(arguments: list[str]) -> None:
    """Draw a sheet of samples, each with its text."""
    config = globals() | settings.read(__file__, globals(), arguments)[0]
    scribe = LineSynthesizer(config["pen_path"], config["data_path"], variety=config["variety"])
    rng = np.random.default_rng(config["seed"])
    sheet = np.zeros((24 * 50, 1200), np.uint8)
    for kind, top in zip(KINDS, range(0, len(sheet), 5 * 50)):
        x, y = 0, top
        while y < min(top + 5 * 50, len(sheet)):
            sample = scribe.sample(rng, {kind: 1.0})
            if sample is None:
                continue
            picture, text, _ = sample
            if x + picture.shape[1] > sheet.shape[1]:
                x, y = 0, y + 50
                if picture.shape[1] > sheet.shape[1] or y >= min(top + 5 * 50, len(sheet)):
                    continue
            sheet[y:y + line_image.HEIGHT, x:x + picture.shape[1]] = picture
            cv2.putText(sheet, text, (x + 4, y + 45), cv2.FONT_HERSHEY_SIMPLEX, 0.36, 160, 1, cv2.LINE_AA)
            x += picture.shape[1]
    files.save_picture(sheet, Path("scribe.png"))
    print("scribe.png")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (settings.SettingsError, errors.DataError, unipen.UnipenError) as error:
        settings.fail(error)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
