"""Takes single characters out of words and lines that people wrote with a pen: more letters to learn from.

    python -m tools.extract_characters                     with the shipped network; minutes
    python -m tools.extract_characters --model=UNIXTIME    with another

Letters inside words are written faster and joined more than those that fill a form's boxes, and by other people.
Their text is known, but not which strokes are which letter: forced alignment with a trained network finds out.
Strokes are never cut, so a word whose letters run together gives nothing.

Reads words.jsonl.gz and lines.jsonl.gz in the folder of the pen strokes, the training split alone, and writes
extracted.jsonl.gz beside them, of the same kind as characters.jsonl.gz.  model.py --harvest adds them to a training.
"""
import gzip
import itertools
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from common import alphabets, files, glyph, pen_strokes, runs, settings
from reading import lattice, recognizer
from training import unipen

# ---- settings: change them here or on the command line, as --name=value
model = ""                       # unixTime of the network that aligns; without one, the shipped network
pen_path = "Dataset/UNIPEN"      # folder with the pen strokes
per_writer = 60                  # words, and lines, of each writer to look at; 0: all
pen = 7.0                        # px, the pen's diameter for a character 100 px tall
models_path = "Models"           # where networks are kept
# ---- end of settings

STYLES = ("printed", "mixed", "?")
MOST_STROKES = 4           # of one character
LEAST = 0.05               # probability of a character's label, all characters as frequent
LEAST_MEAN = -0.9          # nat, over the characters of a word: others are labelled wrongly, or joined
OTHER = -2.5               # nat: what punctuation counts, which the network does not know
BATCH = 64                 # words classified together


def main(arguments: list[str]) -> None:
    """Align every word of the training split, keep the characters that are surely what the text says."""
    config, _ = settings.configure(globals(), arguments)
    reader = recognizer.Recognizer(config.model or runs.DEFAULT_CHARACTERS, config.models_path)
    reader.load(characters=True)
    folder, counts = Path(config.pen_path), Counter()

    def write(path: Path) -> None:
        with gzip.open(path, "wt", encoding="utf-8") as file, ThreadPoolExecutor(os.cpu_count()) as pool:
            for kind in ("words", "lines"):
                records = list(separable(folder / f"{kind}.jsonl.gz", config.per_writer))
                for start in tqdm(range(0, len(records), BATCH), desc=kind, unit="batch"):
                    for record in extract(reader, records[start:start + BATCH], config.pen, pool):
                        file.write(unipen.line_of(record))
                        counts[kind] += 1

    out = folder / "extracted.jsonl.gz"
    files.write_atomically(out, write)
    print(f"{out}: {counts['words']:,} characters of words, {counts['lines']:,} of lines")


def separable(path: Path, per_writer: int) -> Iterator[dict]:
    """Records of the training split with at least a stroke for each character, strokes sorted from left to right.

    per_writer: so many of each writer at most; 0: all.
    """
    seen = Counter()
    for record in unipen.read_strokes(path, "train"):
        strokes, letters = record["strokes"], record["label"].replace(" ", "")
        if record["style"] in STYLES and 1 < len(letters) <= len(strokes):
            seen[record["writer"]] += 1
            if not per_writer or seen[record["writer"]] <= per_writer:
                yield record | {"strokes": sorted(strokes, key=_middle)}


def _middle(stroke: list) -> float:
    x = pen_strokes.as_points(stroke)[:, 0]
    return float(np.ptp(x) / 2 + x.min())


def spans_of(strokes: list) -> list[tuple[int, int]]:
    """All groups of neighbouring strokes that may be one character: first stroke, and the one behind the last."""
    return [(first, behind) for first in range(len(strokes))
            for behind in range(first + 1, min(first + MOST_STROKES, len(strokes)) + 1)]


def extract(reader: recognizer.Recognizer, records: list[dict], pen: float, pool: Executor) -> Iterator[dict]:
    """The characters of records that `separable` gives, as records themselves.

    pen: px, diameter of the pen that draws them for the reader, for a character 100 px tall.  pool: threads that draw.
    """
    spans = [spans_of(record["strokes"]) for record in records]
    groups = [record["strokes"][first:behind] for record, of_record in zip(records, spans, strict=True)
              for first, behind in of_record]
    glyphs = np.array(list(pool.map(glyph.draw_glyph, groups, itertools.repeat(pen))), np.uint8)
    log_probs = reader.characters.log_likelihoods(glyphs)
    ends = np.cumsum([len(of_record) for of_record in spans])
    for record, of_record, rows in zip(records, spans, np.split(log_probs, ends[:-1]), strict=True):
        labels = [alphabets.CHARACTERS.find(letter) for letter in record["label"].replace(" ", "")]
        local = np.concatenate([rows, np.full((len(rows), 1), OTHER, np.float32)], axis=1)[:, labels]
        aligned, mean = lattice.spell(np.array(of_record), local)
        if mean < LEAST_MEAN:
            continue
        for place, (label, row) in enumerate(zip(labels, aligned, strict=True)):
            if label >= 0 and local[row, place] > np.log(LEAST):
                first, behind = of_record[row]
                yield record | {"label": alphabets.CHARACTERS[label], "strokes": record["strokes"][first:behind]}


if __name__ == "__main__":
    settings.run(main)
