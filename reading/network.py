"""A run's trained network in ONNX Runtime: pictures in, logits out, without Keras.

A training ends with model.onnx beside model.keras.  Where only model.keras is, as in older runs, it is converted on
first use by a process that imports Keras (training/export.py): into the run's folder or, where that cannot be written
to, into the user's cache.
"""
import functools
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from common import files, runs

THREADS = 1   # of one call; see docs/reading.md for what two bring


class Network:
    """The network of one run.  Its file is opened by the first picture or by `load`; a pickle holds only the path."""

    def __init__(self, models_path: str | Path, unix_time: str):
        self.models_path, self.unix_time = models_path, unix_time

    def __reduce__(self):
        return Network, (self.models_path, self.unix_time)

    def load(self) -> None:
        """Open the network now; runs.RunError when there is none or its file is damaged."""
        self._session  # noqa: B018  the property opens it

    def logits(self, pictures: np.ndarray) -> np.ndarray:
        """Logits float32 (n, 62) of glyphs uint8 (n, 28, 28), or (n, width / 4, 96) of line images (n, 32, width)."""
        return self._session.run(None, {self._session.get_inputs()[0].name: pictures})[0]

    @functools.cached_property
    def _session(self):
        import onnxruntime  # here: --help and messages about bad settings need not wait for it
        path = model_file(Path(self.models_path, self.unix_time))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        options.log_severity_level = 3   # errors
        try:
            return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:   # ONNX Runtime's errors have no common class
            raise runs.RunError(f"{path} cannot be loaded ({error.__class__.__name__}): delete it, and it is made again "
                                "from model.keras") from error


def model_file(folder: Path) -> Path:
    """The ONNX file of a run's folder, converted from model.keras if there is none; RunError if that is impossible."""
    path, source = folder / "model.onnx", folder / "model.keras"
    if path.is_file():
        return path
    if not source.is_file():
        raise runs.RunError(f"{folder} holds no trained network (model.onnx or model.keras); the runs in "
                            f"{folder.parent} are: {', '.join(runs.list_runs(folder.parent)) or 'none'}")
    if not os.access(folder, os.W_OK):
        path = _cache() / f"{files.sha256(source)}.onnx"
        if path.is_file():
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
    print(f"converting {source} to {path}, once, for reading", file=sys.stderr)
    convert(folder, path)
    return path


def convert(folder: Path, path: Path) -> None:
    """Write the network of a run's folder as an ONNX file, in a process of its own: Keras stays out of this one."""
    if not importlib.util.find_spec("keras"):
        raise runs.RunError(f"{folder} holds model.keras alone, and converting it needs Keras: "
                            "pip install -r requirements.txt")
    command = [sys.executable, "-m", "training.export", str(folder.resolve()), str(path.resolve())]
    done = subprocess.run(command, cwd=runs.ROOT, env=os.environ | {"CUDA_VISIBLE_DEVICES": ""}, capture_output=True,
                          text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason was given"])[-1].removeprefix("export.py: ")
        raise runs.RunError(f"{folder / 'model.keras'} cannot be converted: {reason}")


def _cache() -> Path:
    """The folder for converted networks in the user's cache."""
    home = Path.home()
    usual = {"win32": home / "AppData/Local", "darwin": home / "Library/Caches"}.get(sys.platform, home / ".cache")
    return Path(os.environ.get("XDG_CACHE_HOME") or usual, "handwriting")
