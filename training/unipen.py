"""UNIPEN: what the pens of real people drew, as records of strokes.

UNIPEN is a collection of handwriting that about forty companies and universities recorded on
tablets in the 1990s. Its public part, `train_r01_v07`, is one archive of text files, published at
https://doi.org/10.5281/zenodo.1195803 under CC BY 4.0. Credit: I. Guyon, L. Schomaker,
R. Plamondon, M. Liberman, S. Janet, "UNIPEN project of on-line data exchange and recognizer
benchmarks", ICPR 1994.

This module has no command line; `python -m tools.fetch_data --archive=UNIPEN` does the first step below.

    from training import unipen
    written, skipped = unipen.convert("unipen-CDROM-train_r01_v07.tgz", "Dataset/unipen")
    for record in unipen.read_strokes("Dataset/unipen/characters.jsonl.gz", split="train"):
        print(record["label"], record["strokes"])

A record is a dict, and one line of JSON in the files:

    label     printable ASCII: one character, a word, or a line of text; with the spaces that people
              write, which not every source has (see `as_written`)
    writer    source and name, such as "art/writer01"
    style     printed, cursive, mixed, or ? where the source does not say
    split     train, val or test. It depends on the writer's name alone (see `split_of`), so
              everything that one person wrote is in the same split
    strokes   a list of flat lists of integers [x, y, x, y, ...] with x to the right and y down,
              from the top left of the ink. The unit differs from writer to writer

The distribution: `data/<kind>/<source>/*.dat` say which pen strokes are which character or word
(.SEGMENT) and name a file below `include/` (.INCLUDE) that holds the strokes (.PEN_DOWN).
"""
from __future__ import annotations

import contextlib
import functools
import gzip
import hashlib
import json
import lzma
import os
import re
import tarfile
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

from common import alphabets, errors, glyph


def read_pen(pen_path: str, split: str, seed: int = 0, workers: int = 20, limit: int = 0,
             pen: float | None = None, file: str = "characters") -> tuple[np.ndarray, np.ndarray]:
    """Pen strokes of one split ("train", "val", "test": no writer is in two) as glyphs.

    pen: the pen's diameter in px for a character 100 px tall; None draws each
    with a random one between 3 and 14.  limit: read only so many (0: all).
    file: "harvest" for the letters that python -m tools.extract_characters took out of words.
    Returns images uint8 (n, 28, 28) and labels uint8 (n,).
    """
    path = Path(pen_path)
    path = path / f"{file}.jsonl.gz" if path.is_dir() or not path.suffix else path
    if not path.is_file():
        command, without = {"harvest": ("-m tools.extract_characters", "harvest")}.get(file, ("-m tools.fetch_data --archive=UNIPEN", "pen"))
        raise errors.DataError(f"{path} is missing: make it with `python {command}`, or train without (--{without}=False)")
    labels, strokes = [], []
    for record in read_strokes(path, split):
        if record["label"] in alphabets.CHARACTERS and len(record["label"]) == 1:
            labels.append(alphabets.CHARACTERS.index(record["label"]))
            strokes.append(record["strokes"])
            if len(labels) == limit:
                break
    widths = np.random.default_rng(seed).uniform(3, 14, len(labels)) if pen is None else np.full(len(labels), pen)
    with ThreadPoolExecutor(min(workers, os.cpu_count() or 1)) as pool:
        images = list(pool.map(glyph.draw_glyph, strokes, widths, chunksize=256))
    return np.array(images, np.uint8).reshape(-1, 28, 28), np.array(labels, np.uint8)

SPLITS = ("train", "val", "test")
CATEGORIES = ("characters", "symbols", "words", "lines")

# Folder of data/ -> category. Folders 2, 3 and 6 list the segments of these over again, 4 and 5
# are empty.
KINDS = {"1a": "characters", "1b": "characters", "1c": "characters", "1d": "symbols",
         "7": "words", "8": "lines"}
LABELS = {
    "characters": re.compile(r"[0-9A-Za-z]"),
    "symbols": re.compile(r"[!-/:-@\[-`{-~]"),
    "words": re.compile(r"[!-~]+"),
    "lines": re.compile(r"[ -~]+"),
}
STYLES = ("printed", "cursive", "mixed")
BAD_QUALITY = {"BAD", "LBR"}  # what the labelling tools wrote on segments they rejected

# One person may have written for several sets of one contributor: those sets share their writers.
SOURCES = {"apa": "ap", "apb": "ap", "apc": "ap", "apd": "ap", "ape": "ap", "app": "ap",
           "cea": "ce", "ceb": "ce", "cec": "ce", "cee": "ce"}

# In these sources each mark is a word of its own in a line's label, in two of them each digit too:
# "Houston Tx ." and "( 5 1 0 ) 8 7 4 - 3 8 6 1", though nobody wrote these spaces.  The rules say
# what to put for what, in this order.
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
ROWS_OF_DIGITS = {"0 1 2 3 4 5 6 7 8 9", "1 2 3 4 5 6 7 8 9", "1 2 3 4 5 6 7 8 9 0"}  # stay

# "Size" is the longer side of a character or symbol, and the height of a word or line.
MIN_CHARACTER_SIZE = 8  # tablet units; below, a few pixels of a screen are all that there is
MAX_SIZE = 400.0  # larger ink is scaled down to this: a finer grid than any picture needs
TOLERANCE = 0.006  # of the size: points closer than this to the simplified stroke are dropped
MIN_TOLERANCE = 0.4  # units; less would keep the steps of the integer grid

MAX_INCLUDE_DEPTH = 8  # nesting deeper than this is a file that includes itself
TEST_PERCENT, VAL_PERCENT = 20, 8

STATEMENT = re.compile(r"^(?=\.[A-Z])", re.MULTILINE)
PART = re.compile(r"(\d+)(?::(\d+))?(?:-(\d+)(?::(\d+))?)?")  # 7, 7-9, 7:3-9:12
NUMBERS = re.compile(r"(?<!\S)[\d:,-]*\d[\d:,-]*(?!\S)")
# What a damaged, truncated or encrypted archive raises while it is unpacked.
ARCHIVE_ERRORS = (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, lzma.LZMAError,
                  zlib.error, EOFError, RuntimeError)
REMAKE = "run python -m tools.fetch_data --archive=UNIPEN"


class UnipenError(ValueError):
    """One sentence: which file, what is wrong with it and, where there is one, the remedy."""


class _Skip(Exception):
    """Why one segment gives no record."""


def split_of(writer: str) -> str:
    """The split of everything by `writer`: the same on every machine, about 72 / 8 / 20 %."""
    percent = int(hashlib.sha1(writer.encode()).hexdigest(), 16) % 100
    if percent < TEST_PERCENT:
        return "test"
    return "val" if percent < TEST_PERCENT + VAL_PERCENT else "train"


# ---------------------------------------------------------------------------------------------
# Reading the converted files


def read_strokes(path: str | Path, split: str | None = None,
                 as_labelled: bool = False) -> Iterator[dict]:
    """Yield the records of a .jsonl or .jsonl.gz file, one at a time, in the file's order.

    split: "train", "val" or "test" for that part alone, None for all records.
    as_labelled: give labels the spaces that the source put into them rather than those of
    `as_written`.
    Raises UnipenError if the file is missing, damaged, or holds a line that is no record.
    """
    if split is not None and split not in SPLITS:
        raise UnipenError(f"split {split!r} is unknown; the splits are {', '.join(SPLITS)}.")
    path = Path(path)
    number = 0
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                record = _checked(line)
                if split is None or record["split"] == split:
                    if not as_labelled:
                        record["label"] = as_written(record["label"], record["writer"])
                    yield record
    except FileNotFoundError as error:
        raise UnipenError(f"{path} is missing; {REMAKE} to make it.") from error
    except (OSError, EOFError, zlib.error) as error:  # OSError includes gzip.BadGzipFile
        raise UnipenError(f"{path} cannot be read ({error}); "
                          f"{REMAKE} to make it again.") from error
    except UnicodeDecodeError as error:
        raise UnipenError(f"{path} is not a text file; {REMAKE} to make it again.") from error
    except _Skip as reason:
        raise UnipenError(f"{path}, line {number}: {reason}; "
                          f"{REMAKE} to make it again.") from reason


def as_written(label: str, writer: str) -> str:
    """A label without the spaces that its source put beside marks and between digits.

    What has no spaces stays, and digits in a row, "0 1 2 3 4 5 6 7 8 9", which were asked for one
    by one.  So do letters in a row, and dashes between words but for those of one source: a label
    alone does not tell of them.
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


def _checked(line: str) -> dict:
    """The record in `line`; _Skip says what is wrong with it."""
    try:
        record = json.loads(line)
        strokes = record["strokes"]
        missing = [key for key in ("label", "writer", "style", "split") if key not in record]
    except json.JSONDecodeError as error:
        raise _Skip(f"not JSON ({error})") from error
    except KeyError as error:
        raise _Skip(f"the record has no {error}") from error
    except TypeError as error:
        raise _Skip("not a record") from error
    if missing:
        raise _Skip(f"the record has no {missing[0]!r}")
    for key in ("label", "writer"):
        if not isinstance(record[key], str):
            raise _Skip(f"the {key} is {record[key]!r}")
    if record["split"] not in SPLITS:
        raise _Skip(f"the split is {record['split']!r}")
    if not isinstance(strokes, list) or not strokes or not all(map(_is_stroke, strokes)):
        raise _Skip("the strokes are not lists of x, y, x, y, ...")
    return record


def _is_stroke(values: object) -> bool:
    return (isinstance(values, list) and len(values) > 0 and len(values) % 2 == 0
            and set(map(type, values)) <= {int, float})


# ---------------------------------------------------------------------------------------------
# Reading UNIPEN's own text format


class _Component(NamedTuple):
    """A piece of pen movement. Most are never looked at, so the numbers stay text till then."""

    pen_down: bool
    text: str
    columns: tuple[str, ...] | None  # None: the .COORD stands in the file that includes this one


class _Segment(NamedTuple):
    where: str  # component list such as "3-5,7"; "?" means the pen data that follow
    quality: list[str]
    label: str
    start: int  # number of components before it


@dataclass
class _Recording:
    """What a file and the files it includes hold, in order."""

    components: list[_Component] = field(default_factory=list)
    segments: list[_Segment] = field(default_factory=list)  # of the file itself alone
    columns: tuple[str, ...] | None = None
    writer: str | None = None
    style: str | None = None

    def include(self, other: _Recording) -> None:
        self.components += other.components
        self.columns = other.columns or self.columns
        self.writer = other.writer or self.writer
        self.style = other.style or self.style


def parse_file(path: str | Path, root: str | Path,
               skipped: Counter[str] | None = None) -> Iterator[dict]:
    """Yield the records of one file `root`/data/<kind>/<source>/....dat of the distribution.

    root: the folder with data/ and include/ in it.
    skipped: counts the segments that give no record, by reason.
    Raises UnipenError if the file or one that it includes cannot be read.

    The format: I. Guyon, "UNIPEN 1.0 Format Definition", 1994.
    """
    path, root = Path(path), Path(root)
    data = root / "data"
    kind, source = path.parts[len(data.parts):][:2] if path.is_relative_to(data) else ("", "")
    if kind not in KINDS:
        raise UnipenError(f"{path} is not in one of the folders {', '.join(KINDS)} of {data}.")
    recording = _load(path, root / "include")
    writer = f"{SOURCES.get(source, source)}/{recording.writer or path.stem}"
    about = {"writer": writer, "style": recording.style or "?", "split": split_of(writer)}
    for number in range(len(recording.segments)):
        try:
            yield _record(recording, number, KINDS[kind], about)
        except _Skip as reason:
            if skipped is not None:
                skipped[str(reason)] += 1


# The files of one writer in the folders 1a, 1b, ... include the same large file: read it once.
@functools.lru_cache(maxsize=16)
def _load(path: Path, include_folder: Path, depth: int = 0) -> _Recording:
    if depth > MAX_INCLUDE_DEPTH:
        raise UnipenError(f"{path} includes itself; the file is damaged.")
    recording = _Recording()
    for statement in STATEMENT.split(_text(path)):
        keyword, body = (statement.split(None, 1) + ["", ""])[:2]
        if keyword in (".PEN_DOWN", ".PEN_UP"):
            if body:  # pen movements that were not recorded are not numbered either
                recording.components.append(
                    _Component(keyword == ".PEN_DOWN", body, recording.columns))
        elif keyword == ".SEGMENT":
            recording.segments.append(_segment(body, len(recording.components)))
        elif keyword == ".INCLUDE":
            name = _include_path(body.strip(), path, include_folder)
            recording.include(_load(name, include_folder, depth + 1))
        elif keyword == ".COORD":
            recording.columns = tuple(body.split())
        elif keyword == ".WRITER_ID":
            recording.writer = "_".join(body.partition("\n")[0].split()) or recording.writer
        elif keyword == ".STYLE":
            recording.style = next((s for s in STYLES if body.lower().startswith(s)), "?")
    return recording


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="latin-1")  # the headers hold accented names
    except FileNotFoundError as error:
        raise UnipenError(f"{path} is missing; unpack the whole distribution.") from error
    except OSError as error:
        raise UnipenError(f"{path} cannot be read ({error.strerror}).") from error


def _include_path(name: str, including: Path, include_folder: Path) -> Path:
    """Names are relative to include/ or to the folder of the file that includes them."""
    beside = including.parent / name
    return beside if beside.is_file() else include_folder / name


def _segment(body: str, start: int) -> _Segment:
    """Split LEVEL COMPONENTS QUALITY "LABEL"; the label may itself hold quotes."""
    head, _, rest = body.partition('"')
    label = re.sub(r"(?s)\\(.)", r"\1", rest.rpartition('"')[0])
    fields = head.split()
    where = "".join(NUMBERS.findall(head)) or "".join(fields[1:2]) or "?"
    return _Segment(where, fields, " ".join(label.split()), start)


def _record(recording: _Recording, number: int, category: str, about: dict[str, str]) -> dict:
    """The record of segment `number`; _Skip if it has no label of the category or no ink."""
    segment = recording.segments[number]
    if BAD_QUALITY.intersection(segment.quality):
        raise _Skip("marked as bad")
    if not LABELS[category].fullmatch(segment.label):
        raise _Skip(f"no label of {category}")
    pieces = _pieces(recording, number)
    isolated = category in ("characters", "symbols")
    if isolated and any(len(cut) < len(whole) for cut, whole in pieces):
        raise _Skip("cut out of a joined word")
    strokes = [cut for cut, _ in pieces if len(cut)]
    if not strokes:
        raise _Skip("no ink")
    return {"label": segment.label, **about, "strokes": _simplify(strokes, category)}


def _pieces(recording: _Recording, number: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """(part in the segment, whole stroke) of each pen-down stroke that segment `number` names."""
    pieces = []
    for index, first, last in _named(recording, number):
        if index >= len(recording.components):
            raise _Skip("names a component that does not exist")
        component = recording.components[index]
        if component.pen_down:
            points = _points(component, recording)
            pieces.append((points[first:None if last is None else last + 1], points))
    return pieces


def _named(recording: _Recording, number: int) -> Iterator[tuple[int, int, int | None]]:
    """(component, first point, last point or None for all) in the order of the segment's list.

    Components count from 0 over .PEN_DOWN and .PEN_UP alike, points from 0 within a component.
    A segment with "?" for a list is made of the pen data between it and the next segment.
    """
    segment = recording.segments[number]
    if segment.where == "?":
        following = recording.segments[number + 1:number + 2]
        end = following[0].start if following else len(recording.components)
        yield from ((index, 0, None) for index in range(segment.start, end))
        return
    for part in segment.where.strip(",").split(","):
        match = PART.fullmatch(part)
        if not match:
            raise _Skip("unreadable component list")
        low, first, high, last = (None if text is None else int(text) for text in match.groups())
        high = low if high is None else high
        for index in range(low, high + 1):
            yield index, (first or 0) if index == low else 0, last if index == high else None


def _points(component: _Component, recording: _Recording) -> np.ndarray:
    """The points of a component, float64 (n, 2), with y as in the file."""
    columns = component.columns or recording.columns or ("X", "Y")
    try:
        rows = np.array(component.text.split(), np.float64).reshape(-1, len(columns))
        return rows[:, [columns.index("X"), columns.index("Y")]]
    except ValueError as error:  # a word among the numbers, a row cut short, no X or Y
        raise _Skip("unreadable coordinates") from error


def _simplify(strokes: list[np.ndarray], category: str) -> list[list[int]]:
    """Turn y down, move the ink to the origin, and drop the points that do not shape it.

    strokes: float arrays (n, 2) with y up. Returns flat lists [x, y, x, y, ...].
    Raises _Skip if a character is too small to have a shape.

    Simplification: D. Douglas, T. Peucker, "Algorithms for the reduction of the number of points
    required to represent a digitized line or its caricature", Cartographica 10(2), 1973.
    """
    strokes = [stroke * (1, -1) for stroke in strokes]
    origin = np.min([stroke.min(axis=0) for stroke in strokes], axis=0)
    width, height = np.max([stroke.max(axis=0) for stroke in strokes], axis=0) - origin
    size = height if category in ("words", "lines") else max(width, height)
    if category == "characters" and size < MIN_CHARACTER_SIZE:
        raise _Skip("too small")
    scale = min(1.0, MAX_SIZE / size) if size else 1.0
    tolerance = max(MIN_TOLERANCE, TOLERANCE * size * scale)
    scaled = (((stroke - origin) * scale).astype(np.float32) for stroke in strokes)
    return [np.rint(cv2.approxPolyDP(stroke, tolerance, False)).astype(int).ravel().tolist()
            for stroke in scaled]


# ---------------------------------------------------------------------------------------------
# Converting the distribution


def convert(source: str | Path, folder: str | Path) -> tuple[Counter[str], Counter[str]]:
    """Write characters, symbols, words and lines.jsonl.gz into `folder`.

    source: the distribution, as the downloaded archive (.tgz, .tar, .zip) or unpacked.
    Returns how many records each category got, and how many segments gave none, by reason. The
    files get their names when all are complete; an interrupted run leaves older ones as they were.
    Raises UnipenError if the source is missing, damaged, or not the distribution.
    """
    source, folder = Path(source), Path(folder)
    if not source.exists():
        raise UnipenError(f"{source} is missing; download it from "
                          "https://doi.org/10.5281/zenodo.1195803.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unipen-", dir=folder) as temporary:
            counts = _convert(source, Path(temporary))
            for category in CATEGORIES:
                name = f"{category}.jsonl.gz"
                os.replace(Path(temporary, name), folder / name)
    except OSError as error:
        raise UnipenError(f"{source} cannot be converted into {folder} ({error}).") from error
    return counts


def _convert(source: Path, temporary: Path) -> tuple[Counter[str], Counter[str]]:
    """Write the four files into `temporary`, and unpack `source` there first if it is a file."""
    folder = source if source.is_dir() else _unpack(source, temporary / "unpacked")
    for root, subfolders, _ in os.walk(folder):
        if {"data", "include"} <= set(subfolders):
            break
    else:
        raise UnipenError(f"{source} holds no folders data and include; it is not the UNIPEN "
                          "distribution train_r01_v07.")
    written, skipped = _write(Path(root), temporary)
    if not any(written.values()):
        reasons = "; ".join(f"{count} x {why}" for why, count in skipped.most_common(3))
        raise UnipenError(f"{source} gave no pen strokes ({reasons or 'no segments'}).")
    return written, skipped


def _unpack(archive: Path, folder: Path) -> Path:
    """Unpack the archive into `folder`, and return `folder`."""
    folder.mkdir()
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as contents:
                for name in _bar(contents.namelist(), f"unpack {archive.name}"):
                    contents.extract(name, folder)
        else:
            with tarfile.open(archive) as contents:
                for member in _bar(contents, f"unpack {archive.name}"):
                    contents.extract(member, folder, filter="data")
    except ARCHIVE_ERRORS as error:
        raise UnipenError(f"{archive} is damaged or no .tgz, .tar or .zip archive; "
                          "download it again.") from error
    return folder


def _write(root: Path, folder: Path) -> tuple[Counter[str], Counter[str]]:
    """Write what the distribution at `root` holds into `folder`, and count; see `convert`."""
    written, skipped = Counter(dict.fromkeys(CATEGORIES, 0)), Counter()
    with contextlib.ExitStack() as stack:
        stack.callback(_load.cache_clear)
        files = {category: stack.enter_context(
            gzip.open(folder / f"{category}.jsonl.gz", "wt", encoding="ascii"))
            for category in CATEGORIES}
        for path in _bar(_data_files(root), "convert"):
            category = KINDS[path.relative_to(root).parts[1]]
            try:
                for record in parse_file(path, root, skipped):
                    files[category].write(line_of(record))
                    written[category] += 1
            except UnipenError as error:  # a part of the distribution is of use without the rest
                skipped[str(error).replace(f"{root}{os.sep}", "")] += 1
    return written, skipped


def _data_files(root: Path) -> list[Path]:
    """The files to read, those of one source and name after one another (see `_load`)."""
    paths = [path for kind in KINDS for path in (root / "data" / kind).rglob("*.dat")]
    return sorted(paths, key=lambda path: (path.relative_to(root).parts[2:], path))


def _bar(items: Iterable, what: str) -> tqdm:
    return tqdm(items, desc=what, unit=" files", disable=None)
