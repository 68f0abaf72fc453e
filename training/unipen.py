"""Reads UNIPEN: pen strokes of people who wrote on tablets, one record per line in Dataset/UNIPEN/*.jsonl.gz.

training/unipen_format.py makes these files from the distribution.  A record is a dict:

    label     printable ASCII: one character, a word, or a line of text, with the spaces that people wrote
    writer    source and name, such as "art/writer01"
    style     printed, cursive, mixed, or ? where the source does not say
    split     train, val or test, by the writer alone: everything that one person wrote is in the same split
    strokes   lists of integers [x, y, x, y, ...] with x to the right and y down, from the top left of the ink;
              the unit differs from writer to writer

I. Guyon, L. Schomaker, R. Plamondon, M. Liberman, S. Janet, "UNIPEN project of on-line data exchange and recognizer
benchmarks", ICPR 1994; https://doi.org/10.5281/zenodo.1195803, CC BY 4.0.
"""
import gzip
import itertools
import json
import os
import re
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from common import alphabets, errors, glyph

SPLITS = ("train", "val", "test")
CATEGORIES = ("characters", "symbols", "words", "lines")
REMAKE = "run `python -m tools.fetch_data --archive=UNIPEN`"
FARTHEST = 1e7   # no point of a pen stroke is this far from the origin
PENS = 3, 14   # px: range of pen diameters that draw characters 100 px tall for training

# The labels of lines have spaces that nobody wrote: in these sources beside each mark ("Houston Tx ."), in two of them
# also between digits ("( 5 1 0 ) 8 7 4 - 3 8 6 1").  These rules remove them, in this order.
DIGIT_BY_DIGIT = {"hpp", "hpb"}
MARK_BY_MARK = DIGIT_BY_DIGIT | {"att", "ce", "ced", "dar", "sta"}
SPACING = [(sources, re.compile(pattern), joined) for sources, pattern, joined in (
    ({"ced"}, " ", ""),                                                    # formulas: $78,787 !
    (DIGIT_BY_DIGIT, r"(?<!\S)((?:\d )?\d) : (\d) (\d)(?!\S)", r"\1 : \2\3"),  # times: 2 : 0 0
    (DIGIT_BY_DIGIT, r"(?<!\S)(\d) (?=\d(?!\S))", r"\1"),                  # numbers: 1 8 0 0
    (DIGIT_BY_DIGIT, r"(?<=\d) ([-/:]) (?=\d)", r"\1"),                    # 874 - 3861
    (DIGIT_BY_DIGIT, r"(?<=\d) (?=(?:st|nd|rd|th)\b)", ""),                # 24 th
    ({"hpp"}, r"(?<=[A-Za-z]) ([-/]) (?=\w)", r"\1"),                      # first - class
    (MARK_BY_MARK, r"(?<=\w) ?' ?(?=(?:s|t|d|m|ll|re|ve)(?!\S))", "'"),    # Maxwell 's
    (MARK_BY_MARK, r"(?<!\S)([\"']) ([^\"']+) \1(?!\S)", r"\1\2\1"),       # " dog "
    (MARK_BY_MARK, r"^\" (?=\w)", '"'),                                    # " CAN THAT BOX
    (MARK_BY_MARK, r"(?<=[\w'\".)?!]) (?=[.,;:?!)\]]+(?!\S))", ""),        # Houston Tx .
    (MARK_BY_MARK, r"(?<!\S)([(\[]) (?=\S)", r"\1"),                       # ( 456)
    (MARK_BY_MARK, r"(?<!\S)([$#]) (?=\d)", r"\1"),                        # $ 100
    (MARK_BY_MARK, r"(?<=\d) (?=%(?!\S))", ""),                            # 100 %
)]
ROWS_OF_DIGITS = {"0 1 2 3 4 5 6 7 8 9", "1 2 3 4 5 6 7 8 9", "1 2 3 4 5 6 7 8 9 0"}   # written digit by digit


def read_strokes(path: str | Path, split: str | None = None, as_labelled: bool = False) -> Iterator[dict]:
    """Yield the records of a .jsonl or .jsonl.gz file, one at a time, in the file's order.

    split: "train", "val" or "test" for only that part, None for all records.
    as_labelled: keep the labels' spaces as the source has them; see `as_written`.
    Raises errors.DataError if the file is missing, damaged, or holds a line that is not a record.
    """
    if split not in (None, *SPLITS):
        raise errors.DataError(f"split {split!r} is unknown; the splits are {', '.join(SPLITS)}")
    path, number = Path(path), 0
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                record = _checked(json.loads(line))
                if split in (None, record["split"]):
                    yield record if as_labelled else record | {"label": as_written(record["label"], record["writer"])}
    except FileNotFoundError as error:
        raise errors.DataError(f"{path} is missing; {REMAKE} to make it") from error
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise errors.DataError(f"{path} cannot be read ({error}); {REMAKE} to make it again") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise errors.DataError(f"{path}, line {number}, is not a record ({error!r}); {REMAKE} to make it "
                               "again") from error


def _checked(record: dict) -> dict:
    """The record itself; ValueError, KeyError or TypeError if it is not valid."""
    if not all(isinstance(record[key], str) for key in ("label", "writer", "style")):
        raise ValueError("label, writer and style are not texts")
    if record["split"] not in SPLITS:
        raise ValueError(f"the split is {record['split']!r}")
    strokes = record["strokes"]
    if not strokes or any(not stroke or len(stroke) % 2 or not set(map(type, stroke)) <= {int, float}
                          or not all(abs(place) < FARTHEST for place in stroke) for stroke in strokes):
        raise ValueError("the strokes are not lists of x, y, x, y, ...")
    return record


def as_written(label: str, writer: str) -> str:
    """A label without the spaces that its source put beside marks and between digits.

    Rows such as "A B C" and "0 1 2 3 4 5 6 7 8 9" stay as they are, and so do most dashes between words: labels alone
    do not tell how they were written.
    """
    source = writer.partition("/")[0]
    if " " not in label or source not in MARK_BY_MARK or label in ROWS_OF_DIGITS:
        return label
    for sources, pattern, joined in SPACING:
        if source in sources:
            label = pattern.sub(joined, label)
    return label


def line_of(record: dict) -> str:
    """A record as one line of a .jsonl file, as read_strokes reads it."""
    return json.dumps(record, separators=(",", ":")) + "\n"


def read_pen(pen_path: str | Path, split: str, seed: int = 0, workers: int = 20, limit: int = 0,
             pen: float | None = None, file: str = "characters") -> tuple[np.ndarray, np.ndarray]:
    """Characters of one split as glyphs.

    seed: for the pen diameters, which are sampled from PENS for each character.
    workers: maximum number of threads that draw.
    limit: maximum number of characters to read (0: all).
    pen: one diameter for all instead, in px for a character 100 px tall.
    file: "characters", or "extracted" for those that `python -m tools.extract_characters` takes out of words.
    Returns images uint8 (n, 28, 28) and labels uint8 (n,).  Raises errors.DataError when there is no such file.
    """
    path = Path(pen_path, f"{file}.jsonl.gz")
    if file == "extracted" and not path.is_file():
        path = Path(pen_path, "harvest.jsonl.gz")   # its older name
        if not path.is_file():
            raise errors.DataError(f"{pen_path} holds no extracted.jsonl.gz: run `python -m tools.extract_characters` "
                                   "to make it")
    found = ((alphabets.CHARACTERS.index(record["label"]), record["strokes"]) for record in read_strokes(path, split)
             if len(record["label"]) == 1 and record["label"] in alphabets.CHARACTERS)
    found = list(itertools.islice(found, limit or None))
    labels = np.array([label for label, _ in found], np.uint8)
    pens = np.random.default_rng(seed).uniform(*PENS, len(labels)) if pen is None else np.full(len(labels), pen)
    with ThreadPoolExecutor(min(workers, os.cpu_count() or 1)) as pool:
        images = list(pool.map(glyph.draw_glyph, [strokes for _, strokes in found], pens))
    return np.array(images, np.uint8).reshape(-1, 28, 28), labels
