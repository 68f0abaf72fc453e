"""Measures training; a part of tools/benchmark.py, which see for how to run it."""
import gzip
import re
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from common import alphabets, glyph
from tools import processes
from training import emnist

TEST_SHARE = 116_323 / 697_932   # official test images for each training image
BLOCK = 1000                     # different glyphs; files and arrays repeat them


# ---- made-up images

def make_glyphs() -> np.ndarray:
    """Glyphs of random pen strokes: uint8 (BLOCK, 28, 28)."""
    random = np.random.default_rng(0)
    return np.stack([glyph.draw_glyph([random.uniform(0, 100, (random.integers(3, 7), 2))], 10)
                     for _ in range(BLOCK)])


def write_emnist(folder: Path, count: int) -> None:
    """Write the four files of EMNIST ByClass with `count` training images, in the official format and proportion."""
    glyphs = make_glyphs()
    for part, rows in (("train", count), ("test", max(1, round(count * TEST_SHARE)))):
        labels = np.random.default_rng(rows).integers(0, len(alphabets.CHARACTERS), rows, dtype=np.uint8)
        with gzip.open(folder / f"emnist-byclass-{part}-labels-idx1-ubyte.gz", "wb", 1) as file:
            file.write(struct.pack(">2I", emnist.LABELS_MAGIC, rows) + labels.tobytes())
        with gzip.open(folder / f"emnist-byclass-{part}-images-idx3-ubyte.gz", "wb", 1) as file:
            file.write(struct.pack(">4I", emnist.IMAGES_MAGIC, rows, 28, 28))
            for start in range(0, rows, BLOCK):
                file.write(glyphs[:rows - start].tobytes())


# ---- the classic run

def run_classic(config: SimpleNamespace) -> Iterator[tuple]:
    """The classic run to its end, with calibration, scores and pictures."""
    first = []

    def look(seconds: float, notes: str) -> bool:
        if not first and re.search(r"epoch 1/.*\bloss \d", notes):   # its progress bar
            first.append(seconds)
        return False

    with tempfile.TemporaryDirectory() as folder:
        write_emnist(Path(folder), config.images)
        done = processes.run([sys.executable, "model.py", f"--data_path={folder}", f"--models_path={folder}/models",
                              f"--train_epochs={config.train_epochs}"], look)
    yield f"classic run, {config.images:,} images, first step after", first[0], "s", "at most 15"
    yield f"its end, with {config.train_epochs} epochs", done.seconds, "s", ""
    yield "most memory", max(done.memory), "MB", "at most 1350"


PARTS = {"classic": run_classic}
