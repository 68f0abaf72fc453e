"""Measures reading; part of tools/benchmark.py, which says how to run it."""
import functools
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil

from common import errors, files
from reading import recognizer
from reading.binarize import Source
from tools import draw_samples, processes

SAMPLE = "samples/pages/lines.png"
STARTS, KERAS_STARTS = 5, 3
LINES = {"word": ("letters", 8), "line": ("Hello there what is this", 15),   # text, and bar in ms
         "long": ("Hello there what is this and what is on the others", 25)}
READINGS, PHOTO_READINGS = 50, 3
SETTLED = 0.2              # of the time for a folder: memory growth before that is buffers and caches

# The same reading with the network in Keras.
WITH_KERAS = """
import functools, sys
from common import runs
from reading import binarize, line_recognizer, word_lm
from training import networks
run = "Models", sys.argv[2] or runs.DEFAULT
each = functools.partial(map, networks.load_network(*run).predict_on_batch)
reader = line_recognizer.LineReader(each, runs.read_config(*run)["decoding"], word_lm.load())
print(reader.read(binarize.read_picture(sys.argv[1], page=True)).text)
"""


# ---- start

def start(config: SimpleNamespace) -> Iterator[tuple]:
    """Seconds from the start of a process to its end, in which it prints the text of a sample."""
    script = [sys.executable, "recogScript.py", f"--unixTime={config.unixTime}", SAMPLE]
    ours, text = repeat(script, STARTS)
    yield "process start to text", ours, "s", "at most 1.2"
    if recognizer.Recognizer(config.unixTime or None).reads != "lines":   # Keras reads lines below
        return
    with_keras, keras_text = repeat([sys.executable, "-c", WITH_KERAS, SAMPLE, config.unixTime], KERAS_STARTS)
    if text != keras_text:
        raise errors.UserError(f"ONNX Runtime read {text!r}, Keras {keras_text!r}: they have to agree")
    yield "the same with model.keras in Keras", with_keras, "s", ""
    yield "Keras's time over ours", with_keras / ours, "", "at least 4"
    yield "import recogScript", repeat([sys.executable, "-c", "import recogScript"], STARTS)[0], "s", "at most 0.4"
    yield "recogScript.py --help", repeat([sys.executable, "recogScript.py", "--help"], STARTS)[0], "s", "at most 0.3"


def repeat(command: list[str], times: int) -> tuple[float, str]:
    """The median time in seconds that a program takes, and its output."""
    done = [processes.run(command) for _ in range(times)]
    return statistics.median(one.seconds for one in done), done[0].output


# ---- readings in one process

def read_line(config: SimpleNamespace, name: str) -> Iterator[tuple]:
    """Read one of LINES again and again."""
    text, bar = LINES[name]
    image = 255 - draw_samples.write_lines([text], 50, 4, 8)
    return time_readings(config, image, f"{len(text.replace(' ', ''))} characters", "ms", bar, READINGS)


def read_photo(config: SimpleNamespace) -> Iterator[tuple]:
    """Read a photo of a page again and again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "photo.jpg")
        processes.alone(save_photo, path)   # the memory that it takes does not count
        yield from time_readings(config, path, "a photo of 12 megapixels", "s", 0.8, PHOTO_READINGS)


def save_photo(path: Path) -> None:
    """Write a photo of a page of 440 characters, RGB, 3000 px wide and 4000 high."""
    ink = draw_samples.write_lines([LINES["long"][0]] * 11, 35, 3, 8)
    below, behind = 2000 - 120 - ink.shape[0], 1500 - 144 - ink.shape[1]
    page = draw_samples.photograph(np.pad(ink, [(50, below), (50, behind)]), 7)   # it adds the rest
    page.resize((3000, 4000)).save(path, quality=90)


def time_readings(config: SimpleNamespace, image: Source, what: str, unit: str, bar: float,
                  readings: int) -> Iterator[tuple]:
    """The time of the first reading of a picture, once the network is loaded, and the median of `readings` more."""
    reader, times = recognizer.Recognizer(config.unixTime or None), []
    reader.load()
    for _ in range(readings + 1):
        began = time.perf_counter()
        reader.recog(image)
        times.append((time.perf_counter() - began) * (1000 if unit == "ms" else 1))
    yield f"{what}, median of {readings}", statistics.median(times[1:]), unit, f"at most {bar}"
    yield f"{what}, the first time", times[0], unit, f"at most {2 * bar:g}"
    yield "memory of the process", processes.memory(psutil.Process()), "MB", "at most 300"


# ---- a folder of pictures

def read_folder(config: SimpleNamespace) -> Iterator[tuple]:
    """Read a folder of small pictures with one worker on one core, then with two on two."""
    own, random, rates = psutil.Process(), np.random.default_rng(0), []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(config.pictures):
            word = "".join(random.choice(list(draw_samples.LETTERS), random.integers(1, 13)))
            files.save_picture(255 - draw_samples.write_lines([word], random.integers(20, 60), 4, number),
                               Path(folder, f"{number:06}.png"))
        for workers in (1, 2):
            if hasattr(own, "cpu_affinity"):   # not on macOS; child processes inherit it
                own.cpu_affinity(list(range(workers)))
            done = processes.run([sys.executable, "recogScript.py", f"--workers={workers}", "--json",
                                  f"--unixTime={config.unixTime}", folder])
            if len(done.output.splitlines()) != config.pictures:
                raise errors.UserError(f"{len(done.output.splitlines())} of {config.pictures} pictures were read")
            rates.append(config.pictures / done.seconds)
            settled = done.memory[round(SETTLED * len(done.memory))]
            yield f"pictures per second, workers: {workers}", rates[-1], "", ""
            yield "most memory, of all processes", max(done.memory), "MB", "at most 300" if workers == 1 else ""
            yield f"grown after {SETTLED:.0%} of the time", max(done.memory) - settled, "MB", ""
    yield "two workers over one", rates[1] / rates[0], "", "at least 1.6"


PARTS = {"start": start, **{name: functools.partial(read_line, name=name) for name in LINES}, "photo": read_photo,
         "bulk": read_folder}
