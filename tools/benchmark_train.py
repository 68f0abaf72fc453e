"""Measures training; part of tools/benchmark.py, which says how to run it."""
import functools
import gzip
import re
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from common import alphabets, glyph, runs, settings
from tools import processes
from training import emnist, pipeline
from training.config import configure

OFFICIAL = 697_932, 116_323   # training and test images of EMNIST ByClass
BLOCK = 1000                  # different glyphs, which repeat
IMAGES = {"dense": 100_000, "resnet": 10_000, "mixer": 10_000}   # per epoch of measure_rate, which takes seconds


# ---- made-up images

def make_glyphs() -> np.ndarray:
    """Glyphs of random pen strokes: uint8 (BLOCK, 28, 28)."""
    random = np.random.default_rng(0)
    return np.stack([glyph.draw_glyph([random.uniform(0, 100, (random.integers(3, 7), 2))], 10)
                     for _ in range(BLOCK)])


def write_emnist(folder: Path, count: int) -> None:
    """Write the four files of EMNIST ByClass with `count` training images, in the official format and proportion."""
    glyphs = make_glyphs()
    for part, rows in (("train", count), ("test", max(1, round(count * OFFICIAL[1] / OFFICIAL[0])))):
        labels = np.random.default_rng(rows).integers(0, len(alphabets.CHARACTERS), rows, dtype=np.uint8)
        with gzip.open(folder / f"emnist-byclass-{part}-labels-idx1-ubyte.gz", "wb", 1) as file:
            file.write(struct.pack(">2I", emnist.LABELS_MAGIC, rows) + labels.tobytes())
        with gzip.open(folder / f"emnist-byclass-{part}-images-idx3-ubyte.gz", "wb", 1) as file:
            file.write(struct.pack(">4I", emnist.IMAGES_MAGIC, rows, 28, 28))
            for start in range(0, rows, BLOCK):
                file.write(glyphs[:rows - start].tobytes())


# ---- the classic run

def run_classic(config: SimpleNamespace) -> Iterator[tuple]:
    """The classic run to its end, including calibration, scores and pictures."""
    first = []

    def look(seconds: float, notes: str) -> None:
        if not first and re.search(r"\bloss=\d", notes):   # from its progress bar
            first.append(seconds)

    with tempfile.TemporaryDirectory() as folder:
        write_emnist(Path(folder), config.images)
        done = processes.run([sys.executable, "model.py", f"--data_path={folder}", f"--models_path={folder}/models",
                              f"--train_epochs={config.train_epochs}"], look)
    yield f"classic run, {config.images:,} images, first step after", first[0], "s", "at most 15"
    yield f"its end, with {config.train_epochs} epochs", done.seconds, "s", ""
    yield "most memory", max(done.memory), "MB", "at most 1350"


# ---- rates

def measure_rate(config: SimpleNamespace, name: str) -> Iterator[tuple]:
    """Images per second of one type of network, over whole epochs after the first, which compiles."""
    with tempfile.TemporaryDirectory() as folder:
        write_emnist(Path(folder), IMAGES[name])
        trainer = pipeline.load(configure(settings.constants(runs.ROOT / "model.py"), [
            f"--network={name}", f"--data_path={folder}", f"--batch_size={config.batch_size}", "--val_split=0.001",
            f"--mixed_precision={config.mixed_precision}", "--train_epochs=1000000"]))
    import keras
    ends = []

    def on_epoch_end(epoch, logs):
        ends.append(time.perf_counter())
        watch.model.stop_training = len(ends) > 1 and ends[-1] - ends[0] >= config.seconds

    watch = keras.callbacks.LambdaCallback(on_epoch_end=on_epoch_end)
    trainer.fit(trainer.build_model(), [watch])
    rate = trainer.sampler.images * (len(ends) - 1) / (ends[-1] - ends[0])
    yield f"{name}, training", rate, "images/s", ""
    yield f"{name}, an epoch of {OFFICIAL[0]:,} images", OFFICIAL[0] / rate, "s", ""


PARTS = {"classic": run_classic, **{name: functools.partial(measure_rate, name=name) for name in IMAGES}}
