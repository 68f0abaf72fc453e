"""Reads lines that people wrote on paper: scans with their texts, by writer in training and validation.

    lines = real_lines.read("Dataset/Paper/copiste", "train")

A folder holds lines.zip, gray pictures 64 px high, and lines.tsv: file, writer, split, text; see docs/data.md.

- Copiste: French pages, BAnQ, "Copiste d'un jour", CC BY 4.0.
- DHSD: German place and street names (N. Riaz et al., StylusAI, ICDAR 2024), CC BY 4.0.
"""
import zipfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from common import alphabets, errors

MOST_ALIKE = 3   # lines of one text: every writer has copied the same consent
# Writers whose lines validate, of each folder; all others teach.
VALIDATION = {
    "copiste": frozenset(f"wikitexte_0{number}" for number in (
        "024 044 066 070 094 103 134 138 147 152 157 161 166 172 173 177 202 210 223 235 242 251 255").split()),
    "dhsd": frozenset("w3 w9 w16 w20 w25 w32".split())}


class RealLine(NamedTuple):
    """A line as it was scanned, and its text in alphabets.ALPHABET."""
    file: bytes   # a picture's file, which `image` decodes
    text: str

    def image(self) -> np.ndarray:
        """The picture, uint8 (height, width), dark ink on bright paper."""
        return cv2.imdecode(np.frombuffer(self.file, np.uint8), cv2.IMREAD_GRAYSCALE)


def read(folder: str | Path, split: str) -> list[RealLine]:
    """The lines of one split, "train" or "val", that alphabets.ALPHABET can spell; none if there is no such folder.

    Raises errors.DataError when a file is damaged.
    """
    folder, found, alike = Path(folder), [], Counter()
    if not folder.is_dir():
        return []
    try:
        rows = [row.split("\t") for row in Path(folder, "lines.tsv").read_text("utf-8").splitlines()]
        with zipfile.ZipFile(folder / "lines.zip") as archive:
            for name, writer, _, text in rows:
                text = alphabets.plain(text)
                held_out = writer in VALIDATION[folder.name]
                alike[text] += 1
                if (text and held_out == (split == "val") and alphabets.LABELS.keys() >= set(text)
                        and (split == "val" or alike[text] <= MOST_ALIKE)):
                    found.append(RealLine(archive.read(name), text))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise errors.DataError(f"{folder} cannot be read ({error}): make it again, as docs/data.md says") from error
    return found
