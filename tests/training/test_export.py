"""Trained networks as ONNX files: from every Keras backend, with the logits that Keras gives."""
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from reading.network import Network

ROOT = Path(__file__).resolve().parents[2]
EXPORT = """
import sys
from pathlib import Path
import numpy as np
from training import export, networks
name, folder = sys.argv[1], Path(sys.argv[2])
network = networks.build(name)
networks.save_network(network, folder / "model.keras")
if name == "line":
    export.LARGE = 0
export.export_run(folder)
shape = (2, 32, 160) if name == "line" else (3, 28, 28)
pictures = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
np.savez(folder / "known.npz", pictures=pictures, logits=network.predict_on_batch(pictures),
         bytes=4 * network.count_params())
"""


@pytest.mark.parametrize("backend, package, name", [("tensorflow", "tensorflow", "line"), ("jax", "jax", "dense"),
                                                    ("torch", "torch", "dense")])
def test_a_network_of_every_backend_is_exported(backend, package, name, tmp_path):
    """The one for lines is exported as if it were large, so that its kernels have 24 bits."""
    if not find_spec(package):
        pytest.skip(f"{package} is not installed")
    (tmp_path / "config.json").write_text(json.dumps({
        "reads": "lines" if name == "line" else "characters", "settings": {"network": name}}))
    done = subprocess.run([sys.executable, "-c", EXPORT, name, str(tmp_path)], cwd=ROOT, timeout=200,
                          env={**os.environ, "KERAS_BACKEND": backend}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "known.npz") as known:
        np.testing.assert_allclose(Network(tmp_path.parent, tmp_path.name).logits(known["pictures"]), known["logits"],
                                   atol=1e-4)
        share = (tmp_path / "model.onnx").stat().st_size / known["bytes"]
    assert share < (0.8 if name == "line" else 1.1) and not list(tmp_path.glob("partial-*"))


def test_a_network_that_is_saved_again_is_exported_again(tmp_path):
    from training import networks
    (tmp_path / "model.onnx").write_bytes(b"of the former network")
    networks.save_network(networks.build("dense"), tmp_path / "model.keras")
    assert not (tmp_path / "model.onnx").exists()
