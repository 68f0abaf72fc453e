"""Trained networks in Models/{unixTime}/: finding and describing them, and what they were made with."""
import contextlib
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

from common import alphabets, errors, files, line_image

ROOT = Path(__file__).resolve().parents[1]
# unixTimes of the networks that read when none is named
DEFAULT = "1796001515"              # words and lines
DEFAULT_CHARACTERS = "1795678193"   # single characters
DEFAULT_PAGES = "1796001840"        # writing on pages
PACKAGES = ("keras", "tensorflow", "jax", "torch", "numpy", "opencv-python-headless", "opencv-python")


READS = {"characters": "single characters", "lines": "words, lines and pages"}   # in words
# How well a network reads: the share it reads right, from metrics.json, and of what.
SCORES = {"characters": (lambda metrics: metrics["emnist_test"]["accuracy"], "EMNIST's characters"),
          "lines": (lambda metrics: 1 - metrics["validation"]["wer_words"], "the validation words"),
          "words": (lambda metrics: metrics["words"]["exact"], "UNIPEN's words")}   # by tools/evaluate.py


class RunError(errors.UserError):
    """A run that does not exist or cannot be used; the message names those that can."""


def list_runs(models_path: str | Path, reads: str = "") -> list[str]:
    """The unixTimes in models_path that hold a trained network, oldest first.

    reads: "characters", "lines" or "pages" lists only networks that read these; "" leaves out those for pages, since
    they give no text.
    """
    names = sorted({path.parent.name for path in Path(models_path).glob("*/model.*")
                    if path.suffix in (".keras", ".onnx")})
    return [name for name in names if (found := _reads(models_path, name)) == reads or not reads and found != "pages"]


def _reads(models_path: str | Path, unix_time: str) -> str:
    try:
        return read_config(models_path, unix_time)["reads"]
    except RunError:
        return ""


def models_folder(models_path: str | Path) -> str:
    """The folder of runs: a relative models_path is looked up in the current folder, then beside the scripts."""
    return str(models_path if Path(models_path).is_dir() else ROOT / models_path)


def describe(models_path: str | Path, unix_time: str) -> str:
    """A run in words, such as "line: words, lines and pages, 84.1 % of UNIPEN's words, 1700000000".

    Each figure says what it is a share of.  The one for words, if measured, is comparable among all networks; others
    come from the network's own training.
    """
    name, figure = "", "not scored"
    with contextlib.suppress(ValueError, KeyError, TypeError, OverflowError):
        config = read_config(models_path, unix_time)
        name = f"{config['settings']['network']}: {READS[config['reads']]}, "
        metrics = files.read_json(Path(models_path, unix_time, "metrics.json"))
        kinds = ["characters"] * (config["reads"] == "characters") + ["words"] * ("words" in metrics) or ["lines"]
        figure = ", ".join(f"{100 * float(share(metrics)):.1f} % of {of}" for share, of in map(SCORES.get, kinds))
    return f"{name}{figure}, {unix_time}"


def read_config(models_path: str | Path, unix_time: str) -> dict:
    """config.json of a run, with `reads` and `settings` in it; raises RunError if it is missing or malformed."""
    path = Path(models_path, unix_time, "config.json")
    try:
        config = files.read_json(path)
        wrong = [name for name, fits in SHAPES.items()
                 if not (fits(config[name]) if name in config else name in OPTIONAL)]
        if wrong:
            raise errors.DataError(f"{path} holds no usable {wrong[0]}")
        return config
    except errors.DataError as error:
        there = ", ".join(sorted(path.parent.name for path in Path(models_path).glob("*/config.json")
                                 if path.parent.name != unix_time)) or "none; train one with `python model.py`"
        raise RunError(f"{error}; other runs in {models_path}: {there}") from error


def _numbers(value, count: int | None = None) -> bool:
    """Whether a value is a list of finite numbers; count: how many, None for any."""
    return (isinstance(value, list) and count in (None, len(value))
            and all(type(one) in (int, float) and abs(one) < 1e9 for one in value))


def _decoding(value) -> bool:
    return value is None or isinstance(value, dict) and all(_numbers([one]) or _numbers(one) for one in value.values())


# What config.json holds: for each name, a test of whether its value is usable.
SHAPES = {
    "reads": lambda value: isinstance(value, str) and value in NETWORKS,
    "settings": lambda value: isinstance(value, dict) and isinstance(value.get("network"), str),
    "images": lambda value: isinstance(value, dict) and _numbers(list(value.values())),
    "prior_of_drawings": lambda value: _numbers(value, len(alphabets.CHARACTERS)),
    "decoding": _decoding,
    "alphabet": lambda value: isinstance(value, str),
    "resumed_at": lambda value: isinstance(value, list),
}
OPTIONAL = "images", "prior_of_drawings", "decoding", "alphabet", "resumed_at"
# The shape that a network takes and the rank of what it gives, both without the batch; None is any number.
NETWORKS = {"characters": ((28, 28), 1), "lines": ((line_image.HEIGHT, None), 2), "pages": ((None, None, 3), None)}


def check_network(path: Path, reads: str, takes: tuple, gives: tuple) -> None:
    """Raise RunError unless a network of these shapes, without the batch, reads what its run's config.json says."""
    wanted, dimensions = NETWORKS[reads]
    labels = {"characters": (len(alphabets.CHARACTERS),) * 2, "lines": (2, len(alphabets.ALPHABET) + 1)}.get(reads)
    if takes != wanted or labels and not (len(gives) == dimensions and labels[0] <= (gives[-1] or 0) <= labels[1]):
        raise RunError(f"{path} takes {takes} and gives {gives}, which no network that reads {reads} does: "
                       "put the run's own file in its place")


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
    """The commit of the running code, followed by + if files differ from it; "" outside a repository."""
    try:
        answer = subprocess.run(["git", "--no-optional-locks", "describe", "--always", "--abbrev=40", "--dirty=+"],
                                cwd=ROOT, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip()


def hardware() -> str:
    """The processor and its number of cores, to state beside measured times."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass  # not Linux
    return f"{name}, {os.cpu_count()} cores"
