"""Reads the UNIPEN records that line images are made from, and normalises their size, slope and slant."""
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common import alphabets, pen_strokes
from reading import text_lines
from training import unipen

POINTS = 500   # of a record, from which its slope and slant are estimated


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
