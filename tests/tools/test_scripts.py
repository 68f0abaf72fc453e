"""The command line of every script."""
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import model
from common import settings
from tools import benchmark
from training import emnist

ROOT = Path(__file__).resolve().parents[2]


def launched(name: str) -> list[str]:
    """What Python has to be told to run a script, or a tool by its module."""
    return [str(ROOT / name)] if name.endswith(".py") else ["-m", name]


def script(name: str, *arguments: str, flags: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *flags, *launched(name), *arguments], capture_output=True, text=True,
                          cwd=ROOT,
                          timeout=60)


# ---- the command line

VALUES = {"rate": 0.5, "epochs": 3, "network": "dense", "pen": False, "sizes": (1, 2)}


def test_values_take_the_type_of_what_they_replace():
    given, left = settings.apply(VALUES, ["--rate=2", "--epochs=7", "--network=7", "--pen", "--sizes=[3]", "image.png"])
    assert given == {"rate": 2.0, "epochs": 7, "network": "7", "pen": True, "sizes": (3,)}
    assert isinstance(given["rate"], float) and left == ["image.png"]
    assert settings.apply(VALUES, ["--pen=false"])[0] == {"pen": False}


@pytest.mark.parametrize("argument, complaint", [
    ("--epoch=7", "no setting --epoch"),
    ("--epochs=7.5", "7.5 is not a whole number"),
    ("--rate=fast", "fast is not a number"),
    ("--pen=maybe", "maybe is not True or False"),
    ("--sizes=(1", r"\(1 is not a list"),
    ("--sizes=5", "5 is not a list"),
    ("--epochs", "--epochs needs a value"),
])
def test_a_wrong_setting_is_named(argument, complaint):
    with pytest.raises(settings.SettingsError, match=complaint) as error:
        settings.apply(VALUES, [argument])
    if "needs a value" not in complaint:
        assert "rate, epochs, network, pen, sizes" in str(error.value)


def test_the_command_line_wins_over_the_preset_and_the_preset_over_the_script():
    assert model.configure([])["learning_rate"] == model.learning_rate == 0.0005
    best = model.PRESETS["best"]
    config = model.configure(["--preset=best", "--batch_size=64"])
    assert (config["batch_size"], config["learning_rate"]) == (64, best["learning_rate"])
    assert best["batch_size"] != 64 and best["learning_rate"] != 0.0005


def test_an_unknown_setting_of_model_ends_with_one_sentence_that_lists_them():
    done = script("model.py", "--learning_speed=1")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "--learning_speed" in done.stderr and "learning_rate, train_epochs" in done.stderr


def test_help_is_quick_and_explains_every_setting():
    began = time.monotonic()
    done = script("model.py", "--help", flags=("-X", "importtime"))
    assert time.monotonic() - began < 5
    imported = set(re.findall(r"\| +([\w.]+)$", done.stderr, re.MULTILINE))
    assert done.returncode == 0 and "numpy" in imported
    assert not imported & {"tensorflow", "keras", "jax", "torch", "sklearn", "matplotlib"}
    assert "python model.py" in done.stdout
    lines = dict(re.findall(r"^  --(\w+)=(.*)$", done.stdout, re.MULTILINE))
    assert list(lines)[:5] == ["learning_rate", "train_epochs", "train_workers", "val_split", "batch_size"]
    assert "dry_run" in lines and all(re.fullmatch(r"\S* +\w.{10,}", line) for line in lines.values())


def test_the_settings_begin_on_line_15_of_model():
    assert (ROOT / "model.py").read_text().splitlines()[14].startswith("learning_rate = 0.0005 ")


# ---- tools/benchmark.py

def test_benchmark_names_its_modes():
    done = script("tools.benchmark", "fly")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "train" in done.stderr


def test_benchmark_read_measures_a_line_of_twenty_characters(monkeypatch):
    monkeypatch.setattr(benchmark, "LINE_READINGS", 2)
    found = benchmark.line({"reader": ""}, "line")
    assert 15 <= found["characters"] <= 25 and 0 < found["seconds"] < 30
    assert "20 characters" in benchmark.describe_line(found)
    photo = benchmark.make_photo()
    assert photo.dtype == "uint8" and photo.size == 12_000_000 and photo[0, 0] > photo[-1, -1] + 80


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="only Linux tells what a process holds now")
def test_benchmark_read_sees_memory_grow():
    """In a process of its own: in one that has freed much, what grows fills the gaps first."""
    leak = ("import json; from tools import benchmark; kept = []; "
            "reader = type('Leak', (), {'recog': lambda self, image: kept.append(b'x' * 3_000_000)})(); "
            "benchmark.load_reader = lambda config: reader; print(json.dumps(benchmark.many({'pictures': 50})))")
    done = subprocess.run([sys.executable, "-c", leak], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert 100 < found["growth"] < 140 and found["peak"] > 150  # 40 times 3 MB


def test_benchmark_writes_files_that_dataset_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark, "BLOCK", 20)
    benchmark.write_files(tmp_path, 90)
    for part, count in (("train", 90), ("test", 15)):
        images, labels = emnist.read_emnist(str(tmp_path), part)
        assert images.shape == (count, 28, 28) and labels.shape == (count,) and images.any(axis=(1, 2)).all()
    train, _ = emnist.read_emnist(str(tmp_path), "train")
    assert (train[20:40] == train[:20]).all() and (train[80:] == train[:10]).all()
