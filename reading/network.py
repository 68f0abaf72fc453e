"""A run's trained network in ONNX Runtime: pictures in, logits out, without Keras.

Training ends with model.onnx beside model.keras.  If there is only model.keras, as in older runs, a process that
imports Keras (training/export.py) converts it on first use: into the run's folder or, if that is not writable, into
the user's cache.
"""
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from common import files, runs

# A line of 20 letters takes 6.4 ms with two threads on two cores, 10.6 with one.  Eight lines in one batch would take
# 15 % less time than one by one, but padding them to one width costs that: lines are read one by one, two at a time.
THREADS = min(2, os.cpu_count() or 1)


class Network:
    """The network of one run, opened."""

    def __init__(self, models_path: str | Path, unix_time: str, threads: int = THREADS):
        """threads: the most used at once.  Raises runs.RunError when there is no network, or its file is damaged or has
        another shape.
        """
        self._threads = threads
        path = model_file(Path(models_path, unix_time))
        self._session = _open(path, threads)
        self._input = self._session.get_inputs()[0].name
        reads = runs.read_config(models_path, unix_time)["reads"]
        self._options = _give_back_memory() if reads == "pages" else None
        runs.check_network(path, reads, *(
            tuple(side if isinstance(side, int) else None for side in ports[0].shape[1:])
            for ports in (self._session.get_inputs(), self._session.get_outputs())))

    def logits(self, pictures: np.ndarray) -> np.ndarray:
        """Logits float32 (n, 62) of glyphs uint8 (n, 28, 28); (n, width / 4, labels) of line images (n, 32, width)."""
        return self.outputs(pictures)[0]

    def outputs(self, pictures: np.ndarray) -> list[np.ndarray]:
        """All outputs of the network: for pages uint8 (n, height, width, 3), the maps of networks.page."""
        try:
            return self._session.run(None, {self._input: pictures}, self._options)
        except Exception as error:   # ONNX Runtime's errors have no common class
            if "Alloc" in str(error):
                raise MemoryError from error
            raise

    def each(self, batches: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        """The logits of several batches; while the caller works on one, the next ones are computed."""
        if len(batches) < 2 or self._threads < 2:
            yield from map(self.logits, batches)
            return
        with ThreadPoolExecutor(self._threads) as pool:
            yield from pool.map(self.logits, batches)


def _open(path: Path, threads: int):
    import onnxruntime  # here, so that --help and messages about wrong settings need not wait for it
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.force_spinning_stop", "1")   # a waiting thread takes the caller's time
    options.enable_mem_pattern = False   # a plan for each new picture size takes memory and saves no time
    options.log_severity_level = 3   # errors
    arena = {"arena_extend_strategy": "kSameAsRequested"}   # not twice as much
    try:
        return onnxruntime.InferenceSession(path, options, providers=[("CPUExecutionProvider", arena)])
    except Exception as error:   # ONNX Runtime's errors have no common class
        raise runs.RunError(f"{path} cannot be loaded ({error.__class__.__name__}): if enough memory is left, copy it "
                            "again") from error


def _give_back_memory():
    """Options with which a session releases its memory after each picture: about 100 MB for a photo."""
    import onnxruntime
    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def model_file(folder: Path) -> Path:
    """The ONNX file of a run's folder, converted from model.keras if missing; raises RunError if that is impossible."""
    path, source = folder / "model.onnx", folder / "model.keras"
    if path.is_file():
        return path
    if not source.is_file():
        raise runs.RunError(f"{folder} holds no trained network; the runs in {folder.parent} are: "
                            f"{', '.join(runs.list_runs(folder.parent)) or 'none'}")
    if not os.access(folder, os.W_OK):
        import platformdirs  # here, since few runs need it
        path = platformdirs.user_cache_path("handwriting", appauthor=False) / f"{files.sha256(source)}.onnx"
        if path.is_file():
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
    if not importlib.util.find_spec("keras"):
        raise runs.RunError(f"{folder} holds model.keras alone, and converting it needs Keras: "
                            "pip install -r requirements.txt")
    print(f"converting {source} to {path}, once, for reading", file=sys.stderr)
    convert(folder, path)
    return path


def convert(folder: Path, path: Path) -> None:
    """Write the network in a run's folder as an ONNX file, in a separate process so that Keras stays out of this one.

    Raises RunError, with the reason, when that fails.
    """
    command = [sys.executable, "-m", "training.export", str(folder.resolve()), str(path.resolve())]
    done = subprocess.run(command, cwd=runs.ROOT, env=os.environ | {"CUDA_VISIBLE_DEVICES": ""}, capture_output=True,
                          text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason was given"])[-1].removeprefix("export.py: ")
        raise runs.RunError(f"{folder / 'model.keras'} cannot be converted: {reason}")
