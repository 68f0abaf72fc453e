"""Measures speed and memory on this machine, with made-up images; nothing is fetched or kept.

    python -m tools.benchmark train                  all about training, about 8 minutes on two cores
    python -m tools.benchmark train --seconds=5      sooner, and less exactly
    python -m tools.benchmark train --part=rates --network=dense
    python -m tools.benchmark read                   all about reading with the shipped networks, about a minute
    python -m tools.benchmark read --reader=UNIXTIME the same with another network of Models/
    python -m tools.benchmark apps                   all about the drawing apps, about three minutes

What train measures:
    start   the classic run, python model.py, on files of the official size: memory and the time to its first step
    rates   images per second of each network, trained as model.py does and with a plain Keras fit
    gpu     the time for an epoch and the GPU's busy share, where the backend sees a GPU
What read measures:
    word    the time for a word of 7 characters
    line    the time for a line of 20 characters
    long    the time for a line of 40 characters
    photo   the time for a 12-megapixel photo of a page
    many    the memory of a process that reads 1,000 small pictures, and how it grows
What apps measures, in real windows (an Xvfb of its own where there is no display):
    start   the time to the window, and to a network that is ready
    pen     3,000 points drawn in 3 s while readings run: points kept, longest event handler
    lift    the time from the pen's lift to the text of a line of 20 characters
    hour    memory in an hour of use, compressed: 2,000 strokes, 300 readings, 50 clears, 20 changes of network
"""
import functools
import gzip
import importlib.metadata
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

import model
from common import alphabets, glyph, runs, settings
from reading import recognizer
from tools import benchmark_apps
from training import dataset, devices, emnist

# ---- settings: change them here or on the command line, as --name=value
part = "all"               # one of the parts above, or all
network = "all"            # a network type, see training/networks.py, or all
images = 697932            # training images; the official number
seconds = 20.0             # of steady training in each measurement
gpu_batch = 4096           # images per step on a GPU
mixed_precision = False    # float16 arithmetic on a GPU
pictures = 1000            # small pictures that one process reads
reader = ""                # read: unixTime of the network that reads; without one, the shipped one
# ---- end of settings

MEMORY_BAR, START_BAR = 1500, 15             # of the classic run: MB, seconds to the first step
EPOCH_BARS = {"dense": 1.0, "resnet": 5.0}   # seconds, on a GPU
LINES = {"word": ("letters", 25), "line": ("my line of 20 letters now", 40),   # text, and bar in ms
         "long": ("this line is 40 letters if you count them all well", 60)}
PHOTO_BAR, READ_MEMORY_BAR = 2, 1000         # s for a photo, MB for many pictures
TEST_SHARE = 116_323 / 697_932               # official test images for each training image
RATE_IMAGES = 100_000      # a plain fit keeps its images as floats, and twice: more would not fit small machines
ROUNDS = 2                 # the two ways of training take turns, so that a slow spell of the machine meets both
WARM_UP = 1.0              # seconds of training before the clock starts
BLOCK = 1000               # different glyphs; files and arrays repeat them
PAGE_WORDS = "the quick brown fox jumps over the lazy dog and 1234567890 SPHINX of black quartz judge my vow".split()
LINE_READINGS, PHOTO_READINGS = 50, 3
SETTLED = 0.2              # of many pictures: what memory grows before is buffers and caches


class BenchmarkError(ValueError):
    """A measurement that failed; the message says which and why."""


def main(arguments: list[str]) -> None:
    """Run the mode named on the command line."""
    given, words = settings.read(__file__, globals(), arguments, positional="MODE")
    config = {name: globals()[name] for name in settings.meanings(__file__)} | given
    if words and words[0] in MEASUREMENTS:
        print(json.dumps(MEASUREMENTS[words[0]](config, *words[1:])))
        return
    if len(words) != 1 or words[0] not in MODES:
        raise settings.SettingsError(f"name one of the modes, {', '.join(MODES)}, as in: python -m tools.benchmark train")
    MODES[words[0]](config)


def check_part(config: dict, parts: dict) -> None:
    """Refuse a part that the mode does not have."""
    if config["part"] not in ("all", *parts):
        raise settings.SettingsError(f"there is no part {config['part']!r}; there are: {', '.join(parts)}, all")


def train(config: dict) -> None:
    """Everything about training."""
    check_part(config, TRAIN_PARTS)
    if config["images"] < 2000 or config["seconds"] <= 0:
        raise settings.SettingsError("--images has to be 2000 or more and --seconds more than 0")
    machine = measure(config, "machine")
    if config["network"] not in ("all", *machine["networks"]):
        raise settings.SettingsError(f"there is no network {config['network']!r}; choose all or one of: "
                                     f"{', '.join(machine['networks'])}")
    print(describe_machine(machine))
    for name, function in TRAIN_PARTS.items():
        if config["part"] in ("all", name):
            function(config, machine)


def read(config: dict) -> None:
    """Everything about reading."""
    check_part(config, READ_PARTS)
    if config["pictures"] < 10:
        raise settings.SettingsError("--pictures has to be 10 or more")
    print(f"{describe_machine(measure(config, 'machine'))}\n\nreading with "
          f"{config['reader'] or 'the shipped network'}, once it is loaded:", flush=True)
    for name, function in READ_PARTS.items():
        if config["part"] in ("all", name):
            print(function(measure(config, name)), flush=True)


def apps(config: dict) -> None:
    """Everything about the drawing apps."""
    parts = {name.removeprefix("app_"): function for name, function in benchmark_apps.PARTS.items()}
    check_part(config, parts)
    print(describe_machine(measure(config, "machine")) + "\n\ndrawing, with the shipped network:", flush=True)
    for name, function in parts.items():
        if config["part"] in ("all", name):
            print(function(measure(config, f"app_{name}")), flush=True)


# ---- measurements in a process of their own

def measure(config: dict, name: str, *words: str) -> dict:
    """The result of one of MEASUREMENTS, made by a process of its own.

    In one process for all, memory, thread pools and compiled code that one
    network leaves would be in the way of the next.
    """
    command = [sys.executable, "-m", "tools.benchmark", name, *words, *(f"--{key}={value}" for key, value in config.items())]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"})
    if done.returncode:
        raise BenchmarkError(f"measuring {' '.join((name, *words))} failed: {_last_line(done.stderr)}")
    return json.loads(done.stdout.splitlines()[-1])


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it gave no reason"])[-1]


def see_machine(config: dict) -> dict:
    """What only the backend knows, and the names of the networks."""
    import keras

    from training import networks
    return {"backend": keras.backend.backend(), "gpus": devices.gpus(), "networks": list(networks.NETWORKS)}


def describe_machine(machine: dict) -> str:
    """Processor, memory, GPU and package versions in two lines."""
    gpu = _ask_nvidia("name,memory.total") if machine["gpus"] else []
    hardware = [_processor(), f"{os.cpu_count()} cores", _memory(), "; ".join(gpu or machine["gpus"]) or "no GPU"]
    packages = runs.versions() | _versions("jax", "jaxlib", "torch", "tqdm")
    return (f"{', '.join(hardware)}; {platform.platform()}\nbackend {machine['backend']}; "
            + ", ".join(f"{name} {version}" for name, version in packages.items()))


def _versions(*packages: str) -> dict[str, str]:
    known = {distribution.name.lower(): distribution.version for distribution in importlib.metadata.distributions()
             if distribution.name}
    return {name: known[name] for name in packages if name in known}


def _processor() -> str:
    about = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.+)", about.read_text()) if about.is_file() else []
    return names[0] if names else platform.processor() or platform.machine()


def _memory() -> str:
    if not hasattr(os, "sysconf"):  # Windows
        return "memory unknown"
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB memory"


def _ask_nvidia(fields: str) -> list[str]:
    try:
        answer = subprocess.run(["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader"],
                                capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return []  # no such tool; the backend's own names will do
    return answer.stdout.splitlines() if answer.returncode == 0 else []


# ---- made-up images

def make_glyphs() -> np.ndarray:
    """Glyphs of random pen strokes: uint8 (BLOCK, 28, 28)."""
    random = np.random.default_rng(0)
    return np.stack([glyph.draw_glyph([random.uniform(0, 100, (random.integers(3, 7), 2))], 10)
                     for _ in range(BLOCK)])


def make_data(count: int) -> dataset.Data:
    """As much as dataset.load_data would return for `count` training images without validation."""
    labels = np.random.default_rng(0).integers(0, len(alphabets.CHARACTERS), count, dtype=np.int32)
    targets = np.stack([labels, labels, np.zeros_like(labels)], axis=1)
    return dataset.Data(images=np.resize(make_glyphs(), (count, 28, 28)), targets=targets, groups=labels,
                      train_rows=np.arange(count, dtype=np.int32), val_rows=np.zeros(0, np.int32),
                      prior_shift=np.zeros((3, len(alphabets.CHARACTERS)), np.float32), sizes={})


def write_files(folder: Path, count: int) -> None:
    """The four files of EMNIST ByClass with `count` training images, in the official format and proportion."""
    glyphs = make_glyphs()
    for part_name, rows in (("train", count), ("test", max(1, round(count * TEST_SHARE)))):
        labels = np.random.default_rng(rows).integers(0, len(alphabets.CHARACTERS), rows, dtype=np.uint8)
        with gzip.open(folder / f"emnist-byclass-{part_name}-labels-idx1-ubyte.gz", "wb") as file:
            file.write(emnist.to_idx(labels))
        with open(folder / f"emnist-byclass-{part_name}-images-idx3-ubyte.gz", "wb") as file:
            # Compressed data may follow compressed data in a gzip file: each block is compressed only once.
            header = emnist.IMAGES_MAGIC, rows, 28, 28
            file.write(gzip.compress(b"".join(number.to_bytes(4, "big") for number in header)))
            file.write(gzip.compress(glyphs.tobytes()) * (rows // BLOCK))
            file.write(gzip.compress(glyphs[:rows % BLOCK].tobytes()))


# ---- start: the classic run

def measure_start(config: dict, machine: dict) -> None:
    """Print the peak memory of the classic run, and the time until its first step is done."""
    with tempfile.TemporaryDirectory() as folder:
        data_path, models_path = Path(folder, "data"), Path(folder, "models")
        data_path.mkdir()
        write_files(data_path, config["images"])
        took, peak = watch_run(["--data_path=" + str(data_path), "--models_path=" + str(models_path)],
                               config["seconds"])
    memory = f"{peak:,.0f} MB" if peak else "not to be had on this system"
    print(f"\nclassic run, python model.py, with {config['images']:,} training images:\n"
          f"  first step done after  {took:8.1f} s   (bar: {START_BAR} s)\n"
          f"  peak resident memory   {memory:>10}   (bar: {MEMORY_BAR:,} MB; "
          f"until {config['seconds']:g} s after the first step)", flush=True)


def watch_run(arguments: list[str], seconds: float) -> tuple[float, float]:
    """Start model.py, end it `seconds` after its first step.  Returns seconds to that step, and peak memory in MB."""
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, str(Path(model.__file__)), *arguments],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    watch = _FirstStep(process.stderr)
    watch.start()
    try:
        peak = 0.0
        while process.poll() is None and (watch.seen is None or time.monotonic() < watch.seen + seconds):
            peak = max(peak, _peak_memory(process.pid))
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    watch.join()
    process.stderr.close()
    if watch.seen is None:
        raise BenchmarkError(f"model.py ended before its first step: {_last_line(watch.text)}")
    return watch.seen - began, peak or _peak_memory_by_resource("RUSAGE_CHILDREN")


class _FirstStep(threading.Thread):
    """Reads what model.py shows on stderr; its progress bar names a loss as soon as the first step is done."""

    def __init__(self, stream):
        super().__init__(daemon=True)
        self.stream, self.seen, self.text = stream, None, ""

    def run(self):
        while chunk := os.read(self.stream.fileno(), 4096):
            self.text += chunk.decode(errors="replace")
            if self.seen is None and re.search(r"epoch 1/.*\bloss \d", self.text):
                self.seen = time.monotonic()


def _peak_memory(pid: int, field: str = "VmHWM") -> float:
    """The most memory in MB that a running process has held so far; 0 where the system does not tell.

    field: of /proc; with VmRSS, what it holds now.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # not Linux, or the process has just ended
        return 0.0
    found = re.search(rf"{field}:\s*(\d+) kB", status)
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def _peak_memory_by_resource(who: str) -> float:
    """For systems without /proc: the most memory in MB that this process, or one ended child, has held."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(getattr(resource, who)).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6  # macOS counts bytes, others KiB


# ---- rates: images per second

def measure_rates(config: dict, machine: dict) -> None:
    """Print each network's images per second, trained in two ways."""
    names = machine["networks"] if config["network"] == "all" else [config["network"]]
    count = min(config["images"], RATE_IMAGES)
    print(f"\nimages per second, {count:,} images, batches of {model.batch_size}, steady state:\n"
          f"  {'network':10} {'model.py':>10} {'plain fit':>10} {'ratio':>7}", flush=True)
    for name in (bar := tqdm(names, unit="network", leave=False)):
        bar.set_description(name)
        rates = measure(config, "rate", name)
        bar.write(f"  {name:10} {rates['ours']:10,.0f} {rates['plain']:10,.0f} {rates['ours'] / rates['plain']:7.2f}",
                  file=sys.stdout)


def rate(config: dict, name: str) -> dict[str, float]:
    """Images per second of one network, trained as model.py trains it ("ours") and with a plain fit ("plain")."""
    setup = model.configure([f"--network={name}"])
    model.prepare_backend(setup)
    call = setup["batch_size"] * model.steps_in_a_call(setup)
    data = make_data(min(config["images"], RATE_IMAGES) // call * call)
    ways = {"ours": train_ours(setup, data), "plain": train_plain(setup, data)}
    done = {way: np.zeros(2) for way in ways}  # images, seconds
    for turn in range(ROUNDS):
        for way, fit in ways.items():
            watch = stopwatch(config["seconds"] / ROUNDS, 0 if turn else WARM_UP, in_background=way == "plain")
            fit(watch)
            done[way] += watch.steps * setup["batch_size"], watch.seconds
    return {way: float(count / seconds) for way, (count, seconds) in done.items()}


def train_ours(setup: dict, data: dataset.Data):
    """A function that trains model.py's way, with given callbacks, until one of them ends it."""
    trainee, order = model.build_training_model(setup, data)
    return lambda *callbacks: trainee.fit(order.places, batch_size=setup["batch_size"], shuffle=False, epochs=10**6,
                                          callbacks=[order, *callbacks], verbose=0)


def train_plain(setup: dict, data: dataset.Data):
    """A function that trains the same network from float images in memory, with Keras's default settings."""
    import keras

    from training import networks
    glyphs = keras.Input((28, 28))
    features = networks.NETWORKS[setup["network"]](glyphs, setup["dropout"])
    network = keras.Model(glyphs, keras.layers.Dense(networks.CLASSES)(features))
    network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = data.images.astype(np.float32) / 255, data.targets[:, 0]
    return lambda *callbacks: network.fit(x, y, batch_size=setup["batch_size"], epochs=10**6,
                                          callbacks=list(callbacks), verbose=0)


def stopwatch(seconds: float, warm_up: float, in_background: bool):
    """A callback that times whole steps of a fit for `seconds`, then ends it.

    The clock starts with a step's end, `warm_up` seconds after the first (whose call
    compiles), and stops with a step's end.  Afterwards .steps are those in between
    and .seconds is their time.  Keras calls it when a step's loss is known, so what a
    GPU has only been asked to do does not count.

    in_background: let Keras call it from threads beside the training, as in a fit
    without callbacks; otherwise it is waited for, as for model.py's progress bar.
    """
    import keras

    class Stopwatch(keras.callbacks.Callback):
        async_safe = in_background
        first = began = None
        steps, seconds = 0, 0.0

        def __init__(self):
            super().__init__()
            self.lock = threading.Lock()

        def on_train_batch_end(self, batch, logs=None):
            with self.lock:
                if not self.seconds:
                    self.tick(time.perf_counter())

        def tick(self, now: float) -> None:
            self.first = self.first or now
            if self.began is None:
                self.began = now if now >= self.first + warm_up else None
                return
            self.steps += self.model.steps_per_execution
            if now >= self.began + seconds:
                self.seconds = now - self.began
                self.model.stop_training = True

    return Stopwatch()


# ---- gpu: epochs per second

def measure_epochs(config: dict, machine: dict) -> None:
    """Print the time for an epoch of dense and resnet on a GPU, and its busy share."""
    if not machine["gpus"]:
        print(f"\nepochs on a GPU: skipped, the backend {machine['backend']} sees none")
        return
    print(f"\nepochs on a GPU, {config['images']:,} images, batches of {config['gpu_batch']:,}, augmentation on, "
          f"{'float16' if config['mixed_precision'] else 'float32'}:\n"
          f"  {'network':10} {'s/epoch':>8} {'bar':>6} {'GPU busy':>9}", flush=True)
    for name, bar in EPOCH_BARS.items():
        if config["network"] in ("all", name):
            found = measure(config, "epoch", name)
            busy = f"{found['busy']:.0f} %" if found["busy"] is not None else "unknown"
            print(f"  {name:10} {found['seconds']:8.2f} {bar:4.0f} s {busy:>9}", flush=True)


def epoch(config: dict, name: str) -> dict[str, float | None]:
    """Seconds for an epoch (the median), and the share of time in % in which the GPU was busy (None: unknown)."""
    setup = model.configure([f"--network={name}", "--preset=best", f"--batch_size={config['gpu_batch']}",
                             "--class_cap=0", f"--mixed_precision={config['mixed_precision']}"])
    model.prepare_backend(setup)
    watch = epoch_watch(config["seconds"])
    train_ours(setup, make_data(config["images"]))(watch)
    times = np.diff(watch.ends)
    return {"seconds": float(statistics.median(times)), "busy": watch.busy}


def epoch_watch(seconds: float):
    """A callback that times the epochs after the first, which compiles, for at least `seconds` and three epochs."""
    import keras

    class EpochWatch(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.ends, self.busy = [], None

        def on_train_batch_end(self, batch, logs=None):
            """Does nothing, but is waited for, as model.py's progress bar is."""

        def on_epoch_end(self, epoch, logs=None):
            self.ends.append(time.perf_counter())
            if epoch == 0:
                self.sampler = _start_sampler()
            if epoch >= 3 and self.ends[-1] - self.ends[0] >= seconds:
                self.busy = _read_sampler(self.sampler)
                self.model.stop_training = True

    return EpochWatch()


def _start_sampler() -> subprocess.Popen | None:
    """nvidia-smi, telling five times a second how busy the GPUs were."""
    try:
        return subprocess.Popen(["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms",
                                 "200"], stdout=subprocess.PIPE, text=True)
    except OSError:
        return None  # no such tool; the share stays unknown


def _read_sampler(sampler: subprocess.Popen | None) -> float | None:
    if sampler is None:
        return None
    sampler.terminate()
    samples = [int(line) for line in sampler.communicate()[0].splitlines() if line.strip().isdigit()]
    return statistics.mean(samples) if samples else None


# ---- reading

def write_text(words: list[str], height: int, size: tuple[int, int] | None = None) -> np.ndarray:
    """Words in a line or, with a size (width, height), on a page: uint8, ink bright on dark.

    height: of a capital, in px.
    """
    scale, pen = height / 22, max(1, height // 16)
    sizes = [cv2.getTextSize(word, cv2.FONT_HERSHEY_SIMPLEX, scale, pen)[0][0] for word in words]
    width, bottom = size or (sum(sizes) + height * (len(words) + 1), 3 * height)
    paper, x, y = np.zeros((bottom, width), np.uint8), height, 2 * height
    for word, length in zip(words, sizes):
        if x + length + height > width:
            x, y = height, y + 3 * height
        cv2.putText(paper, word, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, 255, pen, cv2.LINE_AA)
        x += length + height
    return paper


def make_photo() -> np.ndarray:
    """A photo of a written page, 4000x3000 px: gray, in light that falls off to one side, with noise."""
    page = write_text(PAGE_WORDS * 6, 70, (3000, 4000))
    y, x = np.mgrid[0:1:4000j, 0:1:3000j].astype(np.float32)
    light = 230 - 90 * x - 40 * y
    noise = np.random.default_rng(0).normal(0, 4, page.shape).astype(np.float32)
    return np.clip(light * (1 - page / np.float32(400)) + noise, 0, 255).astype(np.uint8)


def load_reader(config: dict):
    """The reader that is named, or that recogScript.py uses when nothing else is asked for, with its network loaded."""
    reader = recognizer.Recognizer(config["reader"] or None)
    reader.load()
    return reader


def time_readings(config: dict, image: np.ndarray, readings: int) -> dict:
    """Seconds to read a picture: the first time, and the median of `readings` more; and its number of characters."""
    reader, times = load_reader(config), []
    for _ in range(readings + 1):
        start = time.perf_counter()
        text = reader.recog(image).text
        times.append(time.perf_counter() - start)
    return {"first": times[0], "seconds": statistics.median(times[1:]), "characters": len("".join(text.split()))}


def line(config: dict, name: str) -> dict:
    """Time one of LINES."""
    return {"name": name} | time_readings(config, 255 - write_text(LINES[name][0].split(), 50), LINE_READINGS)


def photo(config: dict) -> dict:
    """Time a photo of a page."""
    return time_readings(config, make_photo(), PHOTO_READINGS)


def many(config: dict) -> dict[str, float | None]:
    """Read many small pictures; memory in MB: its peak, and its growth after the first fifth (None: unknown)."""
    reader, random, settled = load_reader(config), np.random.default_rng(0), 0.0
    for number in tqdm(range(config["pictures"]), "reading"):
        word = "".join(random.choice(list(alphabets.CHARACTERS), random.integers(1, 13)))
        reader.recog(255 - write_text([word], int(random.integers(20, 60))))
        if number + 1 == round(SETTLED * config["pictures"]):
            settled = _peak_memory(os.getpid(), "VmRSS")
    return {"peak": _peak_memory(os.getpid()) or _peak_memory_by_resource("RUSAGE_SELF"),
            "growth": _peak_memory(os.getpid(), "VmRSS") - settled if settled else None}


def describe_line(found: dict) -> str:
    """What was measured, for people."""
    text, bar = LINES[found["name"]]
    return (f"  {len(text.replace(' ', ''))} characters{1000 * found['seconds']:20.1f} ms  (bar: {bar} ms; median of "
            f"{LINE_READINGS}, the first {1000 * found['first']:.0f} ms)")


def describe_photo(found: dict) -> str:
    """What was measured, for people."""
    return (f"  a photo of 12 megapixels {found['seconds']:8.2f} s   (bar: {PHOTO_BAR} s; median of {PHOTO_READINGS}, "
            f"the first {found['first']:.2f} s; {found['characters']} characters)")


def describe_many(found: dict) -> str:
    """What was measured, for people."""
    unknown = "not to be had on this system"
    peak = f"{found['peak']:8,.0f} MB  (bar: {READ_MEMORY_BAR:,} MB; many small pictures)" if found["peak"] else unknown
    growth = unknown if found["growth"] is None else f"{found['growth']:8,.1f} MB"
    return f"  peak resident memory     {peak}\n  grown after a fifth      {growth}"


TRAIN_PARTS = {"start": measure_start, "rates": measure_rates, "gpu": measure_epochs}
READ_PARTS = {**dict.fromkeys(LINES, describe_line), "photo": describe_photo, "many": describe_many}
MODES = {"train": train, "read": read, "apps": apps}
MEASUREMENTS = {"machine": see_machine, "rate": rate, "epoch": epoch, "photo": photo, "many": many,
                **{name: functools.partial(line, name=name) for name in LINES},
                **benchmark_apps.MEASUREMENTS}


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (settings.SettingsError, BenchmarkError, OSError) as error:
        settings.fail(error)
    except KeyboardInterrupt:
        print("\nended; nothing was kept", file=sys.stderr)
        raise SystemExit(130) from None
