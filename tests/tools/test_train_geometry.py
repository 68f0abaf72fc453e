"""tools/train_geometry.py learns a geometry model from a small data set."""
from pathlib import Path

import numpy as np
import toy

from tools import train_geometry

ROOT = Path(__file__).resolve().parents[2]


def test_a_geometry_model_is_learned_and_reads(tmp_path):
    data = toy.write_pen(toy.write_all(tmp_path / "data", 20),
                         dict.fromkeys(("tame", "wide", "one two", "a lid"), 10))
    train_geometry.main([f"--data_path={data}", f"--pen_path={data}", f"--output={tmp_path / 'geometry.npz'}",
                         "--words=12", "--mixed=4", "--lines=12", "--strings=6", "--validation=8", "--epochs=2",
                         "--rounds=0"])
    with np.load(tmp_path / "geometry.npz") as learned, np.load(ROOT / "reading/geometry.npz") as shipped:
        assert {name: array.shape for name, array in learned.items()} == {
            name: array.shape for name, array in shipped.items()}
        assert any((learned[name] != shipped[name]).any() for name in learned), "not the shipped one again"
