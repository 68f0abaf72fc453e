"""The benchmark measures what it says, on few and small pictures."""
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from common import errors
from tools import benchmark_read, benchmark_train, processes
from training import emnist

ROOT = Path(__file__).resolve().parents[2]


def test_a_mode_or_part_that_is_missing_is_named():
    for arguments, answer in (([], "read or train or apps"), (["fly"], "read or train or apps"),
                              (["read", "--part=fly"], "start, word, line, long, photo, bulk")):
        done = subprocess.run([sys.executable, "-m", "tools.benchmark", *arguments], cwd=ROOT, capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == 2 and done.stderr.count("\n") == 1 and answer in done.stderr


def test_a_part_prints_each_figure_with_its_bar(monkeypatch):
    monkeypatch.setattr(benchmark_read, "READINGS", 2)
    median, first, memory = benchmark_read.read_line(SimpleNamespace(unixTime=""), "line")
    assert median[0] == "20 characters, median of 2" and 0 < median[1] < 10_000 and median[3] == "at most 15"
    assert first[3] == "at most 30" and 50 < memory[1] < 5000


def test_the_photo_is_of_a_page_and_has_12_megapixels(tmp_path):
    benchmark_read.save_photo(tmp_path / "photo.jpg")
    photo = Image.open(tmp_path / "photo.jpg")
    assert photo.size == (3000, 4000) and photo.getpixel((5, 5))[0] > photo.getpixel((2990, 3990))[0] + 50


def test_time_and_memory_of_a_program_are_measured_with_what_it_starts():
    child = "kept = b'x' * 200_000_000; import time; time.sleep(0.5)"
    code = ("import subprocess, sys, time; time.sleep(0.3); print('step 1', file=sys.stderr, flush=True); "
            f"subprocess.run([sys.executable, '-c', {child!r}]); print('done')")
    seen = []
    found = processes.run([sys.executable, "-c", code], lambda seconds, notes: "step" in notes and seen.append(seconds))
    assert found.output == "done\n" and 0.3 < seen[0] < found.seconds - 0.4
    assert max(found.memory) - found.memory[0] > 190
    with pytest.raises(errors.UserError, match="no such luck"):
        processes.run([sys.executable, "-c", "raise SystemExit('no such luck')"])


def test_made_up_files_are_read_as_emnist(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark_train, "BLOCK", 20)
    benchmark_train.write_emnist(tmp_path, 90)
    for part, count in (("train", 90), ("test", 15)):
        images, labels = emnist.read_emnist(str(tmp_path), part)
        assert images.shape == (count, 28, 28) and labels.shape == (count,) and images.any(axis=(1, 2)).all()
    train, _ = emnist.read_emnist(str(tmp_path), "train")
    assert (train[20:40] == train[:20]).all() and (train[80:] == train[:10]).all()


def test_training_is_timed(monkeypatch):
    monkeypatch.setattr(benchmark_train, "IMAGES", {"dense": 500})
    config = SimpleNamespace(batch_size=100, mixed_precision=False, seconds=0.05)
    rate, epoch = benchmark_train.measure_rate(config, "dense")
    assert rate[1] > 0 and epoch[1] == pytest.approx(697_932 / rate[1])
