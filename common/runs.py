"""Trained networks in Models/{unixTime}/: finding and describing them, and what they were made with."""
import importlib.metadata
import json
import os
import platform
import subprocess
from pathlib import Path

from common import errors

ROOT = Path(__file__).resolve().parents[1]
# unixTime of the networks that read when none is named
DEFAULT = "1795724860"              # words and lines
DEFAULT_CHARACTERS = "1795678193"   # single characters
DEFAULT_PAGES = "1795990780"        # writing on pages
DEFAULT_SEGMENTING = "1795560346"   # lines put together from characters; geometry.npz is learned for it
PACKAGES = ("keras", "tensorflow", "jax", "torch", "numpy", "opencv-python-headless", "opencv-python")


class RunError(errors.UserError):
    """A run that does not exist or cannot be used; the message names those that can."""


def list_runs(models_path: str | Path, reads: str = "") -> list[str]:
    """The unixTimes in models_path that hold a trained network, oldest first.

    reads: "characters", "lines" or "pages" lists only networks that read these; without it those for pages are left
    out, since they give no text.
    """
    names = sorted({path.parent.name for path in Path(models_path).glob("*/model.*")
                    if path.suffix in (".keras", ".onnx")})
    return [name for name in names if (found := _reads(models_path, name)) == reads or not reads and found != "pages"]


def _reads(models_path: str | Path, unix_time: str) -> str:
    try:
        return read_config(models_path, unix_time)["reads"]
    except (RunError, KeyError, TypeError):
        return ""


def models_folder(models_path: str | Path) -> str:
    """A relative models_path is looked for in the current folder, then beside the scripts."""
    return str(models_path if Path(models_path).is_dir() else ROOT / models_path)


def describe(models_path: str | Path, unix_time: str) -> str:
    """A run in a few words, such as "resnet, 86.1 %, 1700000000": its network and its accuracy on the test set.

    For a network that reads lines it is the share of characters read correctly in words of the validation data.
    """
    try:
        config = read_config(models_path, unix_time)
        metrics = json.loads(Path(models_path, unix_time, "metrics.json").read_text())
        accuracy = (1 - metrics["validation"]["cer_words"] if config["reads"] == "lines"
                    else metrics["emnist_test"]["accuracy"])
        return f"{config['settings']['network']}, {100 * accuracy:.1f} %, {unix_time}"
    except (OSError, ValueError, KeyError, TypeError):
        return f"not scored, {unix_time}"


def read_config(models_path: str | Path, unix_time: str) -> dict:
    """config.json of a run; RunError if there is none."""
    path = Path(models_path, unix_time, "config.json")
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        there = ", ".join(list_runs(models_path)) or "none yet; train one with `python model.py`"
        raise RunError(f"{path} cannot be read ({error.__class__.__name__}); the runs in {models_path} are: "
                       f"{there}") from error


# ---- what a result depends on

def versions() -> dict[str, str]:
    """Versions of Python and of the packages that affect a result."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def git_commit() -> str:
    """The commit of the code that runs, with + behind it when files differ from it; "" outside a repository."""
    try:
        answer = subprocess.run(["git", "describe", "--always", "--abbrev=40", "--dirty=+"], cwd=ROOT,
                                capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip()


def hardware() -> str:
    """The processor and its number of cores, to name beside a measured time."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass  # not Linux
    return f"{name}, {os.cpu_count()} cores"
