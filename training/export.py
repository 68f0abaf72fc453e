"""Writes a run's network as model.onnx, which ONNX Runtime reads without Keras.

    python -m training.export Models/1700000000             model.keras -> model.onnx beside it
    python -m training.export Models/1700000000 other.onnx  to another file

A training does this when it ends.  Keras exports with tf2onnx from its TensorFlow backend; with another backend, a
separate process with TensorFlow loads and exports the network.
"""
import os
import warnings
from pathlib import Path

import numpy as np

from common import files, runs, settings
from reading import network
from training import devices

TOLERANCE = 1e-3   # of a logit: float32 sums in another order differ by up to 1e-4
LARGE = 9_000_000  # bytes: a larger file stores its kernels in 24 bits
KERNEL = 1024      # an array of at least this many numbers counts as a kernel


def main(arguments: list[str]) -> None:
    """Export the network in the given folder."""
    if not 1 <= len(arguments) <= 2 or arguments[0].startswith("-"):
        raise settings.SettingsError("name a run's folder, and the file to write if it is not model.onnx there")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    devices.import_keras()
    folder = Path(arguments[0])
    export(folder, Path(arguments[1]) if arguments[1:] else folder / "model.onnx")


def export_run(folder: Path) -> None:
    """Write model.onnx beside a run's model.keras."""
    import keras
    here = keras.backend.backend() == "tensorflow" and len(devices.gpus()) < 2   # several share its variables
    (export if here else network.convert)(folder, folder / "model.onnx")


def export(folder: Path, path: Path) -> None:
    """Write the network of a run's folder as an ONNX file, with Keras's TensorFlow backend.

    The batch size is dynamic, for lines the width too, and for pages both sides.  The file's logits are compared with
    Keras's before it gets its name; RunError when they differ by more than TOLERANCE.
    """
    from training import networks
    trained = networks.load_network(folder.parent, folder.name)
    files.write_atomically(path, lambda temporary: _write(trained, temporary))


def _write(trained, path: Path) -> None:
    import onnx
    trained(_noise(trained, 1, 96))   # Keras exports only what has been called
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)   # Keras adapts tf2onnx to NumPy 2
        trained.export(str(path), format="onnx", verbose=False)
    model = onnx.load(path)
    _name(model.graph)
    if path.stat().st_size > LARGE:
        _keep_in_24_bits(model.graph)
    onnx.save(model, path)
    _check(trained, path)


def _noise(trained, count: int, width: int) -> np.ndarray:
    """Random pictures for a network: uint8 (count, height, width), RGB for pages; one for glyphs has a fixed width."""
    _, height, own_width, *colours = trained.input_shape
    return np.random.default_rng(count).integers(0, 256, (count, height or 64, own_width or width, *colours), np.uint8)


def _check(trained, path: Path) -> None:
    """Compare the logits of an ONNX file with the network's, for two batch sizes and widths."""
    import keras
    import onnxruntime
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for count, width in ((1, 160), (3, 416)):
        pictures = _noise(trained, count, width)
        known = trained(pictures, training=False)
        found = session.run(None, {session.get_inputs()[0].name: pictures})
        off = max(np.abs(one - keras.ops.convert_to_numpy(other)).max() for one, other in
                  zip(found, known if isinstance(known, list) else [known], strict=True))
        if not off <= TOLERANCE:
            raise runs.RunError(f"the logits of the exported network {trained.name} are off by {off:.2g}: "
                                "install the versions of requirements.txt")


def _name(graph) -> None:
    """Give the outputs and the dynamic dimensions of an exported graph descriptive names."""
    pages = len(graph.output) > 1
    for output, name in zip(graph.output, ("ink", "marks") if pages else ("logits",)):
        last = next(node for node in graph.node if output.name in node.output)
        last.output[list(last.output).index(output.name)] = output.name = name
    names = "batch height width" if pages else "batch steps labels"
    for value, names in ((graph.input[0], "batch height width"), *((output, names) for output in graph.output)):
        for dimension, name in zip(value.type.tensor_type.shape.dim, names.split()):
            if dimension.dim_param:
                dimension.dim_param = name


def _keep_in_24_bits(graph) -> None:
    """Store each kernel as 16-bit and 8-bit integers, together 24 bits: three quarters of the size.

    The step is 2^-23 of the kernel's largest number, about float32's own step there.  ONNX Runtime puts the
    kernels together once, when it loads the file.
    """
    from onnx import TensorProto, helper, numpy_helper
    kernels = [array for array in graph.initializer
               if array.data_type == TensorProto.FLOAT and np.prod(array.dims) >= KERNEL]
    nodes = []
    for kernel in kernels:
        values, name = numpy_helper.to_array(kernel), kernel.name
        step = np.float32(2.0 ** (np.ceil(np.log2(np.abs(values).max() + 1e-30)) - 23))
        whole = np.clip(np.rint(values / step), -2 ** 23, 2 ** 23 - 1).astype(np.int32)
        graph.initializer.remove(kernel)
        for part, integers, unit in ((f"{name}/high", (whole >> 8).astype(np.int16), 256 * step),
                                     (f"{name}/low", (whole & 255).astype(np.uint8), step)):
            graph.initializer.extend([numpy_helper.from_array(integers, part),
                                      numpy_helper.from_array(np.float32(unit), f"{part}/unit")])
            nodes += [helper.make_node("Cast", [part], [f"{part}/float"], to=TensorProto.FLOAT),
                      helper.make_node("Mul", [f"{part}/float", f"{part}/unit"], [f"{part}/share"])]
        nodes.append(helper.make_node("Add", [f"{name}/high/share", f"{name}/low/share"], [name]))
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes + rest)   # in the order of computation


if __name__ == "__main__":
    settings.run(main)
