"""The devices that the Keras backend computes on, and how it is set up."""
import mmap
import os
import sys

import numpy as np

from common import files, settings
from training.config import TrainingConfig

UNUSED = ("jax", "sklearn", "matplotlib")   # packages that TensorFlow or Keras imports if they are installed


def prepare(config: TrainingConfig) -> None:
    """Import Keras, set seeds and precision and, with JAX, use all GPUs.

    Raises SettingsError when batches cannot be divided among the GPUs.
    """
    import_keras()
    import keras
    keras.utils.set_random_seed(config.seed)
    found = gpus()
    mixed = config.mixed_precision and (found or multiplies_bfloat16())
    keras.mixed_precision.set_global_policy(("mixed_float16" if found else "mixed_bfloat16") if mixed else "float32")
    if len(found) > 1 and keras.backend.backend() == "jax":
        if config.batch_size % len(found):
            raise settings.SettingsError(f"--batch_size={config.batch_size} has to be a multiple of {len(found)}, "
                                         "the number of GPUs")
        keras.distribution.set_distribution(keras.distribution.DataParallel())


def import_keras() -> None:
    """Import Keras without packages that it does not need here: they take 200 MB and half of the import time.

    The backend is TensorFlow unless the environment names another.
    """
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")   # only errors, except for what TensorFlow prints on import
    hidden = [package for package in UNUSED if package not in {backend, *sys.modules}]
    sys.modules.update(dict.fromkeys(hidden))   # None: importing it fails, which both handle
    try:
        with files.quiet():
            import keras  # noqa: F401
    finally:
        for package in hidden:
            del sys.modules[package]


def gpus() -> list[str]:
    """The GPUs that the backend can use, such as "gpu:0"."""
    import keras
    if keras.backend.backend() == "torch":   # keras.distribution does not list PyTorch's devices
        import torch
        return [f"gpu:{place}" for place in range(torch.cuda.device_count())]
    return [name for name in keras.distribution.list_devices() if not name.lower().startswith("cpu")]


def multiplies_bfloat16() -> bool:
    """Whether the CPU multiplies bfloat16 in hardware; others emulate it, which is slower than float32."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            flags = file.read().split()
    except OSError:   # only Linux has this file
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def jit_compile() -> bool | str:
    """The value for Keras's jit_compile: "auto", but False where compiling is slower.

    TensorFlow on a CPU is several times slower with XLA.  PyTorch compiles each width of line images separately, and
    without cuDNN's LSTMs.
    """
    import keras
    backend = keras.backend.backend()
    return False if backend == "torch" or backend == "tensorflow" and not gpus() else "auto"


def aligned(shape: tuple[int, ...]) -> np.ndarray:
    """A uint8 array of zeros, aligned to a page of memory, so that TensorFlow can share it."""
    size = int(np.prod(shape))
    private = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if os.name == "posix" else {}
    return np.frombuffer(mmap.mmap(-1, max(size, 1), **private), np.uint8, size).reshape(shape)


def release(array: np.ndarray) -> None:
    """Give the memory of an `aligned` array back to the system; the array becomes zeros.

    Otherwise TensorFlow would keep what a compiled step has used until the process ends.
    """
    memory = array
    while isinstance(memory, np.ndarray):
        memory = memory.base
    pages = getattr(memory, "obj", None)
    if isinstance(pages, mmap.mmap) and hasattr(pages, "madvise"):
        pages.madvise(mmap.MADV_DONTNEED)


def tensor_of(array: np.ndarray):
    """An array as the backend's tensor; on a CPU TensorFlow shares `aligned` memory, which Keras would copy twice."""
    import keras
    shared = array.flags.c_contiguous and array.ctypes.data % mmap.PAGESIZE == 0
    if shared and keras.backend.backend() == "tensorflow" and not gpus():
        import tensorflow
        return tensorflow.experimental.dlpack.from_dlpack(array.__dlpack__())
    return keras.ops.convert_to_tensor(array)
