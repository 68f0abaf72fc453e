"""Measures speed and memory on this machine with made-up pictures; nothing is downloaded or kept.

    python -m tools.benchmark read                        reading with the shipped networks, minutes
    python -m tools.benchmark train                       training, about a quarter of an hour on two cores
    python -m tools.benchmark apps                        the drawing apps in real windows
    python -m tools.benchmark read --part=line            one part
    python -m tools.benchmark read --unixTime=UNIXTIME    another network of Models/

The parts of read:
    start    process start to text, compared with the same reading by model.keras in Keras; import and --help
    word, line, long    a word of 7 characters, lines of 20 and 40: first call, median, memory of the process
    photo    a photo of a page, 12 megapixels
    bulk     1,000 small pictures read by one worker on one core and by two on two, and the memory used
The parts of train:
    classic  the classic run, python model.py, on files of the official size, to its end but with fewer epochs:
             the time to its first step, and its peak memory
    dense, resnet, mixer    images per second; on a GPU, for example, with --batch_size=4096 --mixed_precision
The parts of apps: see tools/benchmark_apps.py.
"""
import importlib
import os
import platform
import shutil
import subprocess
from types import SimpleNamespace

import psutil

from common import runs, settings
from tools import processes

# ---- settings: change them here or on the command line, as --name=value
part = "all"               # one of the parts above, or all
unixTime = ""              # read: the network to use; if empty, the shipped one
pictures = 1000            # bulk: number of pictures
images = 697932            # classic: number of training images; the official one
train_epochs = 2           # classic: number of epochs
seconds = 20.0             # dense, resnet, mixer: seconds of steady training
batch_size = 100           # dense, resnet, mixer: images per step
mixed_precision = False    # dense, resnet, mixer: multiply in 16 bits
# ---- end of settings

MODES = ("read", "train", "apps")


def main(arguments: list[str]) -> None:
    """Describe the machine, and measure each part in a process of its own."""
    config, words = settings.configure(globals(), arguments, positional="MODE")
    if len(words) != 1 or words[0] not in MODES:
        raise settings.SettingsError(f"name a mode, {' or '.join(MODES)}, as in: python -m tools.benchmark read")
    parts = importlib.import_module(f"tools.benchmark_{words[0]}").PARTS
    for name in ("pictures", "images", "train_epochs", "batch_size"):
        settings.between(name, getattr(config, name), 1)
    settings.one_of("part", config.part, ("all", *parts))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    print(describe_machine(), flush=True)
    for name in parts if config.part == "all" else [config.part]:
        # Memory, thread pools and compiled code left over from one part would disturb the next.
        processes.alone(measure, words[0], name, config)


def measure(mode: str, part: str, config: SimpleNamespace) -> None:
    """Measure one part, and print each (what, value, unit, bar) as it comes; bar: the target in words, or ""."""
    for what, value, unit, bar in importlib.import_module(f"tools.benchmark_{mode}").PARTS[part](config):
        print(f"  {what:<44} {value:>{'10,.0f' if abs(value) >= 100 else '10.3g'}} {unit:<9}"
              + (f" (bar: {bar})" if bar else ""), flush=True)


def describe_machine() -> str:
    """Processor, memory, GPU and package versions, in two lines."""
    import onnxruntime  # here, since --help should not wait for it
    gpu = "no GPU"
    if shutil.which("nvidia-smi"):
        asked = subprocess.run(["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"],
                               capture_output=True, text=True)
        gpu = "; ".join(asked.stdout.splitlines()) or gpu
    packages = runs.versions() | {"onnxruntime": onnxruntime.__version__}
    return (f"{runs.hardware()}, {psutil.virtual_memory().total / 2**30:.0f} GiB memory, {gpu}; {platform.platform()}\n"
            + ", ".join(map(" ".join, packages.items()))
            + f"; backend {os.environ.get('KERAS_BACKEND', 'tensorflow')}")


if __name__ == "__main__":
    settings.run(main)
