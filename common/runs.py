"""Trained networks in Models/{unixTime}/: finding, describing and loading them."""
import contextlib
import importlib.metadata
import io
import json
import os
import platform
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from common import errors, files

# unixTime of the networks that read when none is named
DEFAULT = "1795724860"              # words and lines
DEFAULT_CHARACTERS = "1795678193"   # single characters
DEFAULT_SEGMENTING = "1795560346"   # characters that lines are put together from; geometry.npz is learned for it
PACKAGES = ("keras", "tensorflow", "jax", "torch", "numpy", "opencv-python-headless", "opencv-python")


class RunError(errors.UserError):
    """A run that does not exist or cannot be used; the message names those that can."""


def list_runs(models_path: str, reads: str = "") -> list[str]:
    """The unixTimes in models_path that hold a trained network, oldest first; reads: only characters, or lines."""
    names = sorted(path.parent.name for path in Path(models_path).glob("*/model.keras"))
    return [name for name in names if not reads or _reads(models_path, name) == reads]


def _reads(models_path: str, unix_time: str) -> str:
    try:
        return read_config(models_path, unix_time)["reads"]
    except (RunError, KeyError, TypeError):
        return ""


def models_folder(models_path: str | Path) -> str:
    """A relative models_path is looked for in the current folder, then beside the scripts."""
    there = Path(models_path)
    return str(there if there.is_dir() else Path(__file__).resolve().parents[1] / there)


def describe(models_path: str, unix_time: str) -> str:
    """A run in a few words, such as "resnet, 86.1 %, 1700000000": its network and its accuracy on the test set.

    Of a reader of lines, the share of characters that it reads right in words of the validation data.
    """
    try:
        config = read_config(models_path, unix_time)
        metrics = json.loads(Path(models_path, unix_time, "metrics.json").read_text())
        accuracy = (1 - metrics["validation"]["cer_words"] if config["reads"] == "lines"
                    else metrics["emnist_test"]["accuracy"])
        return f"{config['settings']['network']}, {100 * accuracy:.1f} %, {unix_time}"
    except (OSError, ValueError, KeyError, TypeError):
        return f"not scored, {unix_time}"


def read_config(models_path: str, unix_time: str) -> dict:
    """config.json of a run; RunError if there is none."""
    path = Path(models_path, unix_time, "config.json")
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        there = ", ".join(list_runs(models_path)) or "none yet; train one with `python model.py`"
        raise RunError(f"{path} cannot be read ({error.__class__.__name__}); the runs in {models_path} are: "
                       f"{there}") from error


def load_network(models_path: str, unix_time: str):
    """The trained keras.Model of a run: uint8 (batch, 28, 28) -> logits (batch, 62)."""
    import keras

    from common import networks  # noqa: F401  its own layers have to be known
    read_config(models_path, unix_time)
    path = Path(models_path, unix_time, "model.keras")
    try:
        network = keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises many kinds for a damaged file
        raise RunError(f"{path} cannot be loaded ({error.__class__.__name__}); the runs in {models_path} are: "
                       f"{', '.join(list_runs(models_path)) or 'none'}") from error
    network.jit_compile = jit_compile()  # for predict_on_batch
    return network


def save_network(network, path: Path) -> None:
    """Write a network as a .keras file that takes little more than half the room: its kernels with 12 significant bits.

    That many bits are more than a bfloat16 multiplication uses.  What a training goes on from is checkpoint.npz.
    """
    def write(temporary: Path) -> None:
        network.save(temporary)
        with zipfile.ZipFile(temporary) as file:
            parts = {name: file.read(name) for name in file.namelist()}
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as file:
            for name, content in (parts | {"model.weights.h5": _packed(parts["model.weights.h5"])}).items():
                file.writestr(name, content)

    files.write_atomically(path, write)


def _packed(weights: bytes) -> bytes:
    """An HDF5 file with its kernels rounded, and compressed after numbers' first bytes are put side by side."""
    import h5py
    smaller = io.BytesIO()
    with h5py.File(io.BytesIO(weights)) as file, h5py.File(smaller, "w") as packed:
        def copy(name: str, found) -> None:
            if not isinstance(found, h5py.Dataset):
                copied = packed.require_group(name)
            else:
                way = dict(compression=9, shuffle=True) if found.size > 500 else {}   # what is small would grow
                copied = packed.create_dataset(name, data=_rounded(found[...]), **way)
            copied.attrs.update(found.attrs)

        packed.attrs.update(file.attrs)
        file.visititems(copy)
    return smaller.getvalue()


def _rounded(weights):
    """A kernel rounded to 12 significant bits; other weights are few, and some of them large."""
    if weights.ndim > 1 and weights.dtype == "float32":
        return ((weights.view("uint32") + 0x800) & 0xFFFFF000).view("float32")
    return weights


def for_reading(network):
    """The network, compiled for batches of any size and width, on a CPU with sooner LSTMs.

    TensorFlow would compile it for the first batch alone, and for the second, if that
    differs, for all that come: twice the time, and the second picture waits again.
    """
    import keras
    if keras.backend.backend() != "tensorflow" or network.jit_compile:
        return network
    import tensorflow

    from common import networks
    network = networks.with_both_ways(network, tensorflow.function)
    network.jit_compile = False
    network.make_predict_function()
    network.predict_function.get_concrete_function([(tensorflow.TensorSpec(network.input_shape, "uint8"),)])
    return network


@contextlib.contextmanager
def quiet_import():
    """Import Keras for a user who reads a picture: sooner, and without TensorFlow's notes on missing GPUs.

    They are written past Python's stderr; if anything goes wrong meanwhile, all of it is shown.  scikit-learn, of which
    Keras offers a wrapper where it finds it, takes a fifth of the import, and nothing here needs that wrapper.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    hidden = "sklearn" not in sys.modules
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as notes:
        os.dup2(notes.fileno(), 2)
        try:
            if hidden:
                sys.modules["sklearn"] = None
            yield
        except BaseException:
            notes.seek(0)
            os.write(kept, notes.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            if hidden:
                del sys.modules["sklearn"]


def gpus() -> list[str]:
    """The GPUs that the backend can use, such as "gpu:0"."""
    import keras
    if keras.backend.backend() == "torch":   # of which keras.distribution knows nothing
        import torch
        return [f"gpu:{place}" for place in range(torch.cuda.device_count())]
    return [name for name in keras.distribution.list_devices() if not name.lower().startswith("cpu")]


def jit_compile() -> bool | str:
    """Keras's own choice, but nothing is compiled where that is slower.

    With TensorFlow on a CPU XLA is several times slower than none; PyTorch compiles
    anew for each width of strips, and without cuDNN's LSTMs.
    """
    import keras
    slower = keras.backend.backend() == "torch" or keras.backend.backend() == "tensorflow" and not gpus()
    return False if slower else "auto"


def versions() -> dict[str, str]:
    """Python and the packages that decide a result."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def git_commit() -> str:
    """The commit of the code that runs, with + behind it when files differ from it; "" outside a repository."""
    here = Path(__file__).resolve().parents[1]
    try:
        answer = subprocess.run(["git", "describe", "--always", "--abbrev=40", "--dirty=+"], cwd=here,
                                capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip()


def hardware() -> str:
    """The processor and its cores, for figures of speed."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass  # not Linux: platform's name has to do
    return f"{name}, {os.cpu_count()} cores"
