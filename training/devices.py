"""What the Keras backend computes on, and how it is prepared."""
import os

import numpy as np

from common import settings
from training.config import TrainingConfig

ALIGNMENT = 64   # bytes: TensorFlow shares memory that begins at a multiple


def prepare(config: TrainingConfig) -> None:
    """Import Keras and set seeds, precision and, where there are several GPUs, all of them to work.

    SettingsError when batches cannot be divided among the GPUs.
    """
    if config.mixed_precision:  # read by TensorFlow's CPU kernels when it is imported
        os.environ.setdefault("TF_SET_ONEDNN_FPMATH_MODE", "BF16")
    import keras
    keras.utils.set_random_seed(config.seed)
    found = gpus()
    if config.mixed_precision and found:
        keras.mixed_precision.set_global_policy("mixed_float16")
    if len(found) < 2:
        return
    if config.batch_size % len(found):
        raise settings.SettingsError(f"--batch_size={config.batch_size} has to be a multiple of {len(found)}, "
                                     "the number of GPUs")
    if keras.backend.backend() == "jax":
        keras.distribution.set_distribution(keras.distribution.DataParallel())
    elif keras.backend.backend() == "tensorflow":
        import tensorflow
        tensorflow.distribute.experimental_set_strategy(tensorflow.distribute.MirroredStrategy())


def gpus() -> list[str]:
    """The GPUs that the backend can use, such as "gpu:0"."""
    import keras
    if keras.backend.backend() == "torch":   # keras.distribution does not list PyTorch's devices
        import torch
        return [f"gpu:{place}" for place in range(torch.cuda.device_count())]
    return [name for name in keras.distribution.list_devices() if not name.lower().startswith("cpu")]


def jit_compile() -> bool | str:
    """The value for Keras's jit_compile: "auto", but False where compiling is slower.

    TensorFlow on a CPU is several times slower with XLA.  PyTorch compiles each width of line images separately, and
    without cuDNN's LSTMs.
    """
    import keras
    backend = keras.backend.backend()
    return False if backend == "torch" or backend == "tensorflow" and not gpus() else "auto"


def replicas() -> int:
    """How many devices share each batch under TensorFlow; other backends see one batch, whatever divides it."""
    import keras
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow
    return tensorflow.distribute.get_strategy().num_replicas_in_sync


def aligned(shape: tuple[int, ...]) -> np.ndarray:
    """Memory for uint8 of this shape that TensorFlow can share; its values are undefined."""
    size = int(np.prod(shape))
    memory = np.empty(size + ALIGNMENT, np.uint8)
    return memory[-memory.ctypes.data % ALIGNMENT:][:size].reshape(shape)


def tensor_of(array: np.ndarray):
    """An array as the backend's tensor; on a CPU TensorFlow shares `aligned` memory, which Keras would copy twice."""
    import keras
    shared = array.flags.c_contiguous and array.ctypes.data % ALIGNMENT == 0
    if shared and keras.backend.backend() == "tensorflow" and not gpus():
        import tensorflow
        return tensorflow.experimental.dlpack.from_dlpack(array.__dlpack__())
    return keras.ops.convert_to_tensor(array)
