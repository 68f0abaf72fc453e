"""Extracts single characters from words and lines that people wrote with a pen: more letters to learn from.

    python -m tools.extract_characters                     with the shipped networks; minutes
    python -m tools.extract_characters --model=UNIXTIME    with another network for characters

Letters inside words are written faster and joined more often than those in the boxes of a form, and by other people.
Their text is known, but not which strokes form which letter.  The line reader finds where each letter of the text is,
each stroke goes to the letter nearest to it, and the network for characters has to agree.  Strokes are never cut, so a
word whose letters run together yields nothing.

Reads the training split of words.jsonl.gz and lines.jsonl.gz in the folder of the pen strokes, and writes
extracted.jsonl.gz beside them, in the format of characters.jsonl.gz.  model.py --extracted adds them to a training.
"""
import gzip
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from common import alphabets, files, glyph, line_image, pen_strokes, runs, settings
from reading import ctc, recognizer
from training import line_records, unipen

# ---- settings: change them here or on the command line, as --name=value
model = ""                       # unixTime of the network for characters; if empty, the shipped one
pen_path = "Dataset/UNIPEN"      # folder with the pen strokes
per_writer = 60                  # words, and lines, of each writer to try; 0: all
pen = 7.0                        # px, the pen's diameter for a character 100 px tall
models_path = "Models"           # where networks are kept
# ---- end of settings

STYLES = ("printed", "mixed", "?")
TALL = 60                  # px, height of a tall letter in the words drawn for the line reader
ROUNDS = 3                 # of assigning strokes to characters, and finding each character's middle from its strokes
LEAST = 0.05               # probability of a character's label, with all characters equally frequent
LEAST_MEAN = -0.9          # nats, over the characters of a word; words below that are labelled wrongly, or joined


def main(arguments: list[str]) -> None:
    """Split up the words and lines of the training split, and keep the characters that clearly match the text."""
    config, _ = settings.configure(globals(), arguments)
    settings.between("per_writer", config.per_writer, 0)
    reader = recognizer.Recognizer(config.model or runs.DEFAULT_CHARACTERS, config.models_path)
    if reader.reads != "characters":
        raise runs.RunError(f"the run {reader.unixTime} reads lines: name a network for characters with --model=")
    reader.load()
    folder, counts = Path(config.pen_path), Counter()

    def write(path: Path) -> None:
        with gzip.open(path, "wt", encoding="utf-8") as file:
            for kind in ("words", "lines"):
                for record in tqdm(list(separable(folder / f"{kind}.jsonl.gz", config.per_writer)), desc=kind):
                    for found in extract(reader, record, config.pen):
                        file.write(unipen.line_of(found))
                        counts[kind] += 1

    out = folder / "extracted.jsonl.gz"
    files.write_atomically(out, write)
    print(f"{out}: {counts['words']:,} characters of words, {counts['lines']:,} of lines")


def separable(path: Path, per_writer: int) -> Iterator[dict]:
    """Records of the training split with at least one stroke for each character.

    per_writer: how many of each writer at most; 0: all.
    """
    seen = Counter()
    for record in unipen.read_strokes(path, "train"):
        if record["style"] in STYLES and 1 < len(record["label"].replace(" ", "")) <= len(record["strokes"]):
            seen[record["writer"]] += 1
            if not per_writer or seen[record["writer"]] <= per_writer:
                yield record


def extract(reader: recognizer.Recognizer, record: dict, pen: float) -> Iterator[dict]:
    """The characters of a record from `separable`, as records themselves.

    pen: diameter in px of the pen that draws them for the network, for a character 100 px tall.
    """
    groups = strokes_of_characters(reader, record)
    known = [(alphabets.CHARACTERS.index(letter), strokes) for letter, strokes in groups
             if letter in alphabets.CHARACTERS]
    if not known:
        return
    glyphs = np.array([glyph.draw_glyph(strokes, pen) for _, strokes in known], np.uint8)
    labels = [label for label, _ in known]
    log_probs = reader.characters.log_likelihoods(glyphs)[np.arange(len(labels)), labels]
    if log_probs.mean() < LEAST_MEAN:
        return
    for (label, strokes), log_prob in zip(known, log_probs):
        if log_prob > np.log(LEAST):
            yield record | {"label": alphabets.CHARACTERS[label], "strokes": strokes}


def strokes_of_characters(reader: recognizer.Recognizer, record: dict) -> list[tuple[str, list]]:
    """Each character of a record's text except spaces, with the strokes nearest to it; [] if one has none."""
    lines, text = reader.pages.finder, record["label"]
    tall = line_records.tall_letter(record["strokes"])
    strokes = pen_strokes.scale_strokes(record["strokes"], TALL / tall)
    image, to_ink = line_image.normalize(pen_strokes.draw_strokes(strokes, 0.08 * TALL, margin=TALL))
    try:
        steps = ctc.align(next(lines.log_probs([image])), text)
    except ValueError:   # too many characters for its width
        return []
    centres = to_ink[0, 0] * (steps.mean(axis=1) + 0.5) * line_image.STEP + to_ink[0, 2] - TALL
    places = [place for place, character in enumerate(text) if character != " "]
    spans = np.array([(x.min(), x.max()) for x in (pen_strokes.as_points(stroke)[:, 0] for stroke in strokes)])
    spans -= spans.min()
    middles = centres[places]
    for _ in range(ROUNDS):
        nearest = np.abs(spans.mean(axis=1)[:, None] - middles).argmin(axis=1)
        if len(set(nearest.tolist())) < len(places):   # a character has no stroke
            return []
        middles = np.array([(spans[nearest == place, 0].min() + spans[nearest == place, 1].max()) / 2
                            for place in range(len(places))])
    return [(text[place], [record["strokes"][row] for row in np.flatnonzero(nearest == number)])
            for number, place in enumerate(places)]


if __name__ == "__main__":
    settings.run(main)
