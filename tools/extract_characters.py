"""Takes single characters out of words and lines that people wrote with a pen: more letters to learn from.

    python -m tools.extract_characters                     with the shipped network; minutes
    python -m tools.extract_characters --model=UNIXTIME    with another

Letters inside words are written faster and joined more than those that fill a
form's boxes, and by other people.  Their text is known, but not which strokes
are which letter: forced alignment with a trained network finds out.  Strokes
are never cut, so a word whose letters run together gives nothing.

Reads words.jsonl.gz and lines.jsonl.gz in the folder of the pen strokes, the
training split alone, and writes harvest.jsonl.gz beside them, in the form of
characters.jsonl.gz.  model.py --harvest adds them to a training.
"""
import gzip
import itertools
import os
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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
AT_ONCE = 64               # words classified together


def main(arguments: list[str]) -> None:
    """Align every word of the training split, keep the characters that are surely what the text says."""
    config = globals() | settings.read(__file__, globals(), arguments)[0]
    reader = recognizer.Recognizer(config["model"] or runs.DEFAULT_CHARACTERS, config["models_path"])
    reader.load(characters=True)
    folder = Path(config["pen_path"])
    counts = Counter()

    def write(path: Path) -> None:
        with gzip.open(path, "wt", encoding="utf-8") as file, ThreadPoolExecutor(os.cpu_count()) as pool:
            for kind in ("words", "lines"):
                records = list(separable(folder / f"{kind}.jsonl.gz", config["per_writer"]))
                bar = tqdm(total=len(records), desc=kind)
                for batch in batches(records, AT_ONCE):
                    for record in harvest(reader, batch, config["pen"], pool):
                        file.write(unipen.line_of(record))
                        counts[kind] += 1
                    bar.update(len(batch))
                bar.close()

    files.write_atomically(folder / "harvest.jsonl.gz", write)
    print(f"{folder / 'harvest.jsonl.gz'}: {counts['words']:,} characters of words, {counts['lines']:,} of lines")


def separable(path: Path, per_writer: int) -> Iterator[dict]:
    """Records of the training split with at least a stroke for each character, strokes sorted from left to right."""
    seen = Counter()
    for record in unipen.read_strokes(path, "train"):
        letters = record["label"].replace(" ", "")
        if record["style"] in STYLES and len(letters) > 1 and len(record["strokes"]) >= len(letters):
            seen[record["writer"]] += 1
            if per_writer and seen[record["writer"]] > per_writer:
                continue
            middles = [float(np.ptp(points[:, 0]) / 2 + points[:, 0].min())
                       for points in map(pen_strokes.as_points, record["strokes"])]
            yield record | {"strokes": [record["strokes"][place] for place in np.argsort(middles, kind="stable")]}


def batches(items: list, size: int) -> Iterator[list]:
    for start in range(0, len(items), size):
        yield items[start:start + size]


def spans_of(strokes: list) -> list[tuple[int, int]]:
    """All groups of neighbouring strokes that may be one character: first stroke, and the one behind the last."""
    return [(first, behind) for first in range(len(strokes))
            for behind in range(first + 1, min(first + MOST_STROKES, len(strokes)) + 1)]


def harvest(reader: recognizer.Recognizer, records: list[dict], pen: float, pool) -> Iterator[dict]:
    """The characters of these records, as records themselves."""
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
    try:
        main(sys.argv[1:])
    except (settings.SettingsError, unipen.UnipenError, runs.RunError) as error:
        settings.fail(error)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
