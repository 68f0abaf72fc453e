"""Reads what people wrote, to make line images from it: UNIPEN's pen strokes, and scanned lines with their texts.

    records = line_records.read_records("Dataset/UNIPEN", "words", "train")
    lines = line_records.read_scans("Dataset/Paper/copiste", "train")

A folder with scans holds lines.zip, gray pictures 64 px high, and lines.tsv: file, writer, split, text.
training/materials.py makes both from published data:

- copiste: French pages, BAnQ, "Copiste d'un jour", CC BY 4.0.
- dhsd: German place and street names (N. Riaz et al., StylusAI, ICDAR 2024), CC BY 4.0.
"""
import re
import zipfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from common import alphabets, errors, pen_strokes
from reading import text_lines
from training import unipen

POINTS = 500   # of a record, from which its slope and slant are estimated
WRITERS = Path(__file__).with_name("writers.txt")
SCALES = {"copiste": 1.3, "dhsd": 1.5}
MOST_ALIKE = 3   # maximum number of training lines with one text: every writer has copied the same consent


# ---- pen strokes

class Writing(NamedTuple):
    """The strokes of a record, straight and upright; a tall letter has height 1."""
    points: np.ndarray   # float32 (n, 2), all strokes one after the other, y downwards
    ends: np.ndarray     # int (strokes,): where each stroke ends in points
    label: str


def read_records(pen_path: str | Path, kind: str, split: str) -> list[dict]:
    """The records of one category and split that have ink, a label in alphabets.ALPHABET, and one row of writing.

    Raises errors.DataError when the file is missing or damaged.
    """
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

    It is the height that nine in ten strokes do not exceed: the height of all ink says little, since text may slope or
    run over two rows.
    """
    heights = [np.ptp(pen_strokes.as_points(stroke)[:, 1]) for stroke in strokes]
    return max(1.0, float(np.percentile(heights, 90)))


def kept_writing(record: dict) -> Writing:
    """Like writing_of, but the record keeps it for the next time."""
    if "writing" not in record:
        record["writing"] = writing_of(record)
    return record["writing"]


def writing_of(record: dict) -> Writing:
    """A record as reading will see it: scaled, and without slope and slant."""
    strokes = [pen_strokes.as_points(stroke) for stroke in record["strokes"]]
    points = np.concatenate(strokes) / np.float32(tall_letter(strokes))
    ends = np.cumsum([len(stroke) for stroke in strokes])
    dense = _along(points, ends) * 40
    slope, slant = text_lines.shears(dense[:, 1], dense[:, 0])
    points[:, 1] -= slope * points[:, 0]
    points[:, 0] -= slant * points[:, 1]
    return Writing(points - points.min(axis=0), ends, record["label"])


def _along(points: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """POINTS points at even distances along the strokes: float32 (POINTS, 2)."""
    step = np.hypot(*np.diff(points, axis=0, prepend=points[:1]).T)
    step[ends[:-1]] = 0   # the pen is up
    length = np.cumsum(step + 1e-6)
    at = np.linspace(0, length[-1], POINTS)
    return np.stack([np.interp(at, length, points[:, axis]) for axis in (0, 1)], axis=1).astype(np.float32)


# ---- scans

class Scan(NamedTuple):
    """A line as it was scanned, and its text in alphabets.ALPHABET."""
    file: bytes   # a picture's file, which `image` decodes
    text: str
    scale: float  # how much it is enlarged for the page network

    def image(self) -> np.ndarray:
        """The picture, uint8 (height, width), dark ink on bright paper."""
        return cv2.imdecode(np.frombuffer(self.file, np.uint8), cv2.IMREAD_GRAYSCALE)

    def seen(self) -> np.ndarray:
        """The picture, enlarged to the letter size that the page network needs."""
        return cv2.resize(self.image(), None, fx=self.scale, fy=self.scale, interpolation=cv2.INTER_CUBIC)


def split_of(name: str, writer: str) -> str:
    """The split of a writer of the data set `name`: "train" or "val", or "test" for those nobody may learn from."""
    for split in ("train", "val"):
        section = re.search(rf"^\[{name} {split}\]([^[]+)", WRITERS.read_text("utf-8"), re.M)
        if section and writer.removeprefix("wikitexte_") in section[1].split():
            return split
    return "test"


def read_scans(folder: str | Path, split: str) -> list[Scan]:
    """The lines of one split, "train" or "val", that alphabets.ALPHABET can spell; none if there is no such folder.

    Raises errors.DataError when a file is damaged.
    """
    folder, found, alike = Path(folder), [], Counter()
    if not folder.is_dir():
        return []
    try:
        rows = [row.split("\t") for row in (folder / "lines.tsv").read_text("utf-8").splitlines()]
        wanted = {writer for writer in {row[1] for row in rows} if split_of(folder.name, writer) == split}
        with zipfile.ZipFile(folder / "lines.zip") as archive:
            for name, writer, _, text in rows:
                text = alphabets.plain(text)
                alike[text] += 1
                if (text and writer in wanted and alphabets.LABELS.keys() >= set(text)
                        and (split == "val" or alike[text] <= MOST_ALIKE)):
                    found.append(Scan(archive.read(name), text, SCALES[folder.name]))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise errors.DataError(f"{folder} cannot be read ({error}): run `python -m tools.fetch_data --paper` to make "
                               "it again") from error
    return found
