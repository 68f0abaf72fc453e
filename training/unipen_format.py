"""Reads UNIPEN's own text format, and makes Dataset/UNIPEN/*.jsonl.gz from the distribution.

    python -m tools.fetch_data --archive=unipen-CDROM-train_r01_v07.tgz

The distribution, https://doi.org/10.5281/zenodo.1195803: `data/<kind>/<source>/*.dat` say which pen strokes form which
character or word (.SEGMENT), and name a file below `include/` (.INCLUDE) that holds the strokes (.PEN_DOWN).
Format: I. Guyon, "UNIPEN 1.0 Format Definition", 1994.  The records are described in training/unipen.py.
"""
import errno
import functools
import gzip
import hashlib
import os
import re
import shutil
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

from common import errors, files
from training import unipen

# Folder of data/ -> category.  Folders 2, 3 and 6 list the segments of these again; 4 and 5 are empty.
KINDS = {"1a": "characters", "1b": "characters", "1c": "characters", "1d": "symbols", "7": "words", "8": "lines"}
LABELS = {
    "characters": re.compile(r"[0-9A-Za-z]"),
    "symbols": re.compile(r"[!-/:-@\[-`{-~]"),
    "words": re.compile(r"[!-~]+"),
    "lines": re.compile(r"[ -~]+"),
}
STYLES = ("printed", "cursive", "mixed")
BAD_QUALITY = {"BAD", "LBR"}   # what the labelling tools wrote on segments they rejected

# One person may have written for several sets of one contributor: those sets share their writers.
SOURCES = {"apa": "ap", "apb": "ap", "apc": "ap", "apd": "ap", "ape": "ap", "app": "ap",
           "cea": "ce", "ceb": "ce", "cec": "ce", "cee": "ce"}
TEST_PERCENT, VAL_PERCENT = 20, 8

# "Size" is the longer side of a character or symbol, and the height of a word or line.
MIN_CHARACTER_SIZE = 8   # tablet units; smaller ones are only a few pixels of a screen
MAX_SIZE = 400.0         # larger ink is scaled down to this: a finer grid than any picture needs
TOLERANCE = 0.006        # of the size: points closer than this to the simplified stroke are dropped
MIN_TOLERANCE = 0.4      # units; less would keep the steps of the integer grid

MAX_INCLUDE_DEPTH = 8    # deeper nesting means a file that includes itself
STATEMENT = re.compile(r"^(?=\.[A-Z])", re.MULTILINE)
PART = re.compile(r"(\d+)(?::(\d+))?(?:-(\d+)(?::(\d+))?)?")   # 7, 7-9, 7:3-9:12
NUMBERS = re.compile(r"(?<!\S)[\d:,-]*\d[\d:,-]*(?!\S)")
# No member of a tar archive is written outside the folder; Python before 3.11.4 cannot promise that.
SAFELY = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}


class _Skip(Exception):
    """Why one segment gives no record."""


def split_of(writer: str) -> str:
    """The split of everything by `writer`: the same on every machine, about 72 / 8 / 20 %."""
    percent = int(hashlib.sha1(writer.encode()).hexdigest(), 16) % 100
    if percent < TEST_PERCENT:
        return "test"
    return "val" if percent < TEST_PERCENT + VAL_PERCENT else "train"


# ---- from a file's text to pen movements and segments

class _Component(NamedTuple):
    """A piece of pen movement.  Most are never looked at, so the numbers stay text until then."""
    pen_down: bool
    text: str
    columns: tuple[str, ...] | None   # None: the .COORD follows later


class _Segment(NamedTuple):
    where: str            # component list such as "3-5,7"; "?" means the pen data that follow
    quality: list[str]
    label: str
    start: int            # number of components before it


@dataclass
class _Recording:
    """What a file and the files it includes hold, in order."""
    components: list[_Component] = field(default_factory=list)
    segments: list[_Segment] = field(default_factory=list)   # of the file itself only
    columns: tuple[str, ...] | None = None
    writer: str | None = None
    style: str = "?"


def _load(recording: _Recording, path: Path, include_folder: Path, depth: int = 0) -> _Recording:
    """Add to the recording what a file holds; depth: of its inclusion, 0 for the first file."""
    if depth > MAX_INCLUDE_DEPTH:
        raise errors.DataError(f"{path} includes itself; the file is damaged")
    for keyword, body in _statements(path):
        if keyword in (".PEN_DOWN", ".PEN_UP"):
            if body:   # pen movements that were not recorded are not numbered either
                recording.components.append(_Component(keyword == ".PEN_DOWN", body, recording.columns))
        elif keyword == ".SEGMENT" and not depth:
            recording.segments.append(_segment(body, len(recording.components)))
        elif keyword == ".INCLUDE":
            beside = path.parent / body.strip()   # else the name is relative to include/
            name = beside if beside.is_file() else include_folder / body.strip()
            _load(recording, name, include_folder, depth + 1)
        elif keyword == ".COORD":
            recording.columns = tuple(body.split())
        elif keyword == ".WRITER_ID":
            recording.writer = "_".join(body.partition("\n")[0].split()) or recording.writer
        elif keyword == ".STYLE":
            recording.style = next((style for style in STYLES if body.lower().startswith(style)), "?")
    return recording


@functools.lru_cache(maxsize=16)   # the files of one writer in 1a, 1b, ... include the same large file
def _statements(path: Path) -> list[tuple[str, str]]:
    """Keyword and body of each statement of a file."""
    try:
        text = path.read_text(encoding="latin-1")   # the headers hold accented names
    except OSError as error:
        raise errors.DataError(f"{path} cannot be read ({error.strerror}); unpack the whole distribution") from error
    return [tuple((statement.split(None, 1) + ["", ""])[:2]) for statement in STATEMENT.split(text)]


def _segment(body: str, start: int) -> _Segment:
    """Split LEVEL COMPONENTS QUALITY "LABEL"; the label may itself hold quotes."""
    head, _, rest = body.partition('"')
    label = re.sub(r"(?s)\\(.)", r"\1", rest.rpartition('"')[0])
    fields = head.split()
    where = "".join(NUMBERS.findall(head)) or "".join(fields[1:2]) or "?"
    return _Segment(where, fields, " ".join(label.split()), start)


# ---- from segments to records

def parse_file(path: Path, root: Path, skipped: Counter[str]) -> Iterator[dict]:
    """Yield the records of one file `root`/data/<kind>/<source>/....dat of the distribution.

    root: the folder with data/ and include/ in it.
    skipped: counts the segments that give no record, by reason.
    Raises errors.DataError if the file or one that it includes cannot be read.
    """
    kind, source = path.relative_to(root).parts[1:3]
    recording = _load(_Recording(), path, root / "include")
    writer = f"{SOURCES.get(source, source)}/{recording.writer or path.stem}"
    about = {"writer": writer, "style": recording.style, "split": split_of(writer)}
    for number in range(len(recording.segments)):
        try:
            yield _record(recording, number, KINDS[kind], about)
        except _Skip as reason:
            skipped[str(reason)] += 1


def _record(recording: _Recording, number: int, category: str, about: dict[str, str]) -> dict:
    """The record of segment `number`; _Skip if it has no label of the category or no ink."""
    segment = recording.segments[number]
    if BAD_QUALITY.intersection(segment.quality):
        raise _Skip("marked as bad")
    if not LABELS[category].fullmatch(segment.label):
        raise _Skip(f"no label of {category}")
    strokes = []
    for index, part in _named(recording, number):
        if index >= len(recording.components):
            raise _Skip("names a component that does not exist")
        if recording.components[index].pen_down:
            whole = _points(recording.components[index], recording)
            strokes.append(whole[part])
            if category in ("characters", "symbols") and len(strokes[-1]) < len(whole):
                raise _Skip("cut out of a cursive word")
    strokes = [stroke for stroke in strokes if len(stroke)]
    if not strokes:
        raise _Skip("no ink")
    return {"label": segment.label, **about, "strokes": _simplify(strokes, category)}


def _named(recording: _Recording, number: int) -> Iterator[tuple[int, slice]]:
    """Which components, and which of their points, form a segment, in the order of its list.

    Components count from 0 over .PEN_DOWN and .PEN_UP alike, points from 0 within a component.
    A segment with "?" for a list consists of the pen data between it and the next segment.
    """
    segment = recording.segments[number]
    if segment.where == "?":
        following = recording.segments[number + 1:number + 2]
        end = following[0].start if following else len(recording.components)
        yield from ((index, slice(None)) for index in range(segment.start, end))
        return
    for part in segment.where.strip(",").split(","):
        match = PART.fullmatch(part)
        if not match:
            raise _Skip("unreadable component list")
        low, first, high, last = (None if text is None else int(text) for text in match.groups())
        high = low if high is None else high
        end = None if last is None else last + 1
        for index in range(low, high + 1):
            yield index, slice(first if index == low else None, end if index == high else None)


def _points(component: _Component, recording: _Recording) -> np.ndarray:
    """The points of a component, float64 (n, 2), with y as in the file."""
    columns = component.columns or recording.columns or ("X", "Y")
    try:
        rows = np.array(component.text.split(), np.float64).reshape(-1, len(columns))
        return rows[:, [columns.index("X"), columns.index("Y")]]
    except ValueError as error:   # a word among the numbers, a row cut short, no X or Y
        raise _Skip("unreadable coordinates") from error


def _simplify(strokes: list[np.ndarray], category: str) -> list[list[int]]:
    """Turn y down, move the ink to the origin, and drop the points that do not shape it.

    strokes: float arrays (n, 2) with y up.  Returns flat lists [x, y, x, y, ...].
    Raises _Skip if a character is too small to have a shape.

    D. Douglas, T. Peucker, "Algorithms for the reduction of the number of points required to represent a digitized
    line or its caricature", Cartographica 10(2), 1973.
    """
    strokes = [stroke * (1, -1) for stroke in strokes]
    points = np.concatenate(strokes)
    origin, (width, height) = points.min(axis=0), np.ptp(points, axis=0)
    size = height if category in ("words", "lines") else max(width, height)
    if category == "characters" and size < MIN_CHARACTER_SIZE:
        raise _Skip("too small")
    scale = min(1.0, MAX_SIZE / size) if size else 1.0
    tolerance = max(MIN_TOLERANCE, TOLERANCE * size * scale)
    scaled = (((stroke - origin) * scale).astype(np.float32) for stroke in strokes)
    return [np.rint(cv2.approxPolyDP(stroke, tolerance, False)).astype(int).ravel().tolist() for stroke in scaled]


# ---- from the distribution to the four files

def convert(source: str | Path, folder: str | Path) -> tuple[Counter[str], Counter[str]]:
    """Write characters, symbols, words and lines.jsonl.gz into `folder`.

    source: the distribution, as the downloaded archive (.tgz, .tar, .zip) or unpacked.
    Returns how many records each category got, and how many segments gave none, by reason.  The files are written
    once all is read; an interrupted run leaves older ones as they were.
    Raises errors.DataError if the source is missing, damaged, or not the distribution.
    """
    source, folder = Path(source), Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unipen-", dir=folder) as unpacked:
            lines, skipped = _read(source if source.is_dir() else _unpack(source, Path(unpacked)), source)
        for category, of_category in lines.items():
            if not of_category:   # a part of the distribution; the file may come from the whole one
                continue
            data = gzip.compress("".join(of_category).encode())
            files.write_atomically(folder / f"{category}.jsonl.gz", lambda path, data=data: path.write_bytes(data))
    except OSError as error:
        raise errors.DataError(f"{source} cannot be converted into {folder} ({error})") from error
    return Counter({category: len(of_category) for category, of_category in lines.items()}), skipped


def _unpack(archive: Path, folder: Path) -> Path:
    """Unpack the archive into `folder`, and return `folder`."""
    print(f"unpacking {archive}")
    try:
        shutil.unpack_archive(archive, folder, **{} if archive.suffix == ".zip" else SAFELY)
    except Exception as error:   # for a damaged or encrypted archive it raises errors of many kinds
        if getattr(error, "errno", None) not in (None, errno.ENOENT):   # the disk
            raise
        raise errors.DataError(f"{archive} is missing, damaged or no .tgz, .tar or .zip archive; download it from "
                               "https://doi.org/10.5281/zenodo.1195803") from error
    return folder


def _read(folder: Path, source: Path) -> tuple[dict[str, list[str]], Counter[str]]:
    """The records of each category, as lines of a .jsonl file, of a distribution unpacked in `folder` or below it.

    Also returns how many segments gave no record, by reason.
    """
    root = next((path.parent for path in folder.rglob("include") if (path.parent / "data").is_dir()), None)
    if not root:
        raise errors.DataError(f"{source} holds no folders data and include; it is not the UNIPEN distribution "
                               "train_r01_v07")
    # Files of one source and name follow each other, for the cache of _statements.
    paths = sorted((path for kind in KINDS for path in (root / "data" / kind).rglob("*.dat")),
                   key=lambda path: (path.relative_to(root).parts[2:], path))
    lines, skipped = {category: [] for category in unipen.CATEGORIES}, Counter()
    _statements.cache_clear()
    for path in tqdm(paths, desc="converting", unit=" files", disable=None):
        try:
            for record in parse_file(path, root, skipped):
                lines[KINDS[path.relative_to(root).parts[1]]].append(unipen.line_of(record))
        except errors.DataError as error:   # part of the distribution is useful without the rest
            skipped[str(error).replace(f"{root}{os.sep}", "")] += 1
    if not any(lines.values()):
        reasons = "; ".join(f"{count} x {why}" for why, count in skipped.most_common(3))
        raise errors.DataError(f"{source} gave no pen strokes ({reasons or 'no segments'})")
    return lines, skipped
