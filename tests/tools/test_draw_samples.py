"""The committed samples are those that tools/draw_samples.py draws."""
from pathlib import Path

import cv2
import numpy as np

from tools import draw_samples

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


def test_the_samples_are_drawn_as_they_are_committed(tmp_path):
    draw_samples.main([f"--folder={tmp_path}"])
    drawn = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    assert drawn == {path.relative_to(SAMPLES) for path in SAMPLES.rglob("*") if path.is_file()}
    for name in drawn:
        if name.suffix == ".json":
            assert (tmp_path / name).read_text() == (SAMPLES / name).read_text()
            continue
        new, old = (cv2.imread(str(folder / name)).astype(int) for folder in (tmp_path, SAMPLES))
        assert new.shape == old.shape and np.abs(new - old).mean() < 1   # other library versions round differently
