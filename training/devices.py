"""What the Keras backend computes on."""


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
