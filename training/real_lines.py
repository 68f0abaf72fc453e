"""Reads lines that people wrote on paper: scans with their texts, split by writer into training and validation.

    lines = real_lines.read("Dataset/Paper/copiste", "train")

A folder holds lines.zip, gray pictures 64 px high, and lines.tsv: file, writer, split, text.  training/originals.py
makes both from published data:

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

from common import alphabets, errors

WRITERS = Path(__file__).with_name("writers.txt")
SCALES = {"copiste": 1.3, "dhsd": 1.5}
MOST_ALIKE = 3   # maximum number of training lines with one text: every writer has copied the same consent


class RealLine(NamedTuple):
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


def read(folder: str | Path, split: str) -> list[RealLine]:
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
                    found.append(RealLine(archive.read(name), text, SCALES[folder.name]))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise errors.DataError(f"{folder} cannot be read ({error}): run `python -m tools.fetch_data --paper` to make "
                               "it again") from error
    return found
