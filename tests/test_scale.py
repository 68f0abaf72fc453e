"""The programs of docs/scale.md, as printed there: pictures on a Dask cluster, a training on two hosts."""
import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import toy

ROOT = Path(__file__).resolve().parents[1]


def program(name: str, folder: Path) -> Path:
    """Write the code block of docs/scale.md that has this name to a file."""
    block, = re.findall(rf"^```python {name}\n(.*?)^```", (ROOT / "docs/scale.md").read_text(), re.M | re.S)
    path = folder / f"{name}.py"
    path.write_text(block)
    return path


def environment(**more: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)} | more


@pytest.mark.skipif(not importlib.util.find_spec("distributed"), reason="dask[distributed] is not installed")
def test_pictures_are_read_on_a_cluster(tmp_path):
    names = [str(path) for path in sorted((ROOT / "samples/pages").glob("*.png"))] + [str(ROOT / "README.md")]
    (tmp_path / "pictures.txt").write_text("\n".join(names))
    subprocess.run([sys.executable, program("cluster", tmp_path)], cwd=tmp_path, env=environment(), check=True,
                   timeout=120)
    found = {reading["file"]: reading for reading in map(json.loads, open(tmp_path / "readings.jsonl"))}
    assert sorted(found) == sorted(names)
    assert found[str(ROOT / "samples/pages/lines.png")]["text"].startswith("Hello world")
    assert "README.md" in found[names[-1]]["error"]


@pytest.mark.skipif(not importlib.util.find_spec("jax"), reason="jax is not installed")
def test_two_hosts_train_one_network(tmp_path):
    data = toy.write_all(tmp_path / "data", 8, "abc")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, program("hosts", tmp_path), f"{address},{address}"]
    hosts = [subprocess.Popen([*command, str(number), str(data), "2"], cwd=tmp_path, stdout=subprocess.PIPE, text=True,
                              env=environment(KERAS_BACKEND="jax", JAX_PLATFORMS="cpu")) for number in range(2)]
    losses = [re.search(r"loss (\d\.\d+)$", host.communicate(timeout=120)[0].strip())[1] for host in hosts]
    assert [host.returncode for host in hosts] == [0, 0]
    assert losses[0] == losses[1]
    assert (tmp_path / "dense-0.keras").is_file()
