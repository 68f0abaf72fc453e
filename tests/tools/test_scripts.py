"""The command line of every script, and training/curves.py on runs that the tests write themselves."""
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest

import model
from common import runs, settings
from tools import benchmark, plotScript
from training import curves, emnist, tensorboard_log

ROOT = Path(__file__).resolve().parents[2]


def launched(name: str) -> list[str]:
    """What Python has to be told to run a script, or a tool by its module."""
    return [str(ROOT / name)] if name.endswith(".py") else ["-m", name]


def script(name: str, *arguments: str, flags: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *flags, *launched(name), *arguments], capture_output=True, text=True,
                          cwd=ROOT,
                          timeout=60)


# ---- training/curves.py

def log_epochs(folder: Path, losses: dict[int, float]) -> None:
    """What a training leaves in its logs; the accuracy is 1 - loss / 4, the training loss half the validation's."""
    tensorboard_log.spare_tensorflow()
    with tensorboard_log.EventLog(folder / "logs/train") as train, tensorboard_log.EventLog(folder / "logs/validation") as validation:
        for epoch, loss in losses.items():
            train.scalar("epoch_learning_rate", 0.001 * 0.9 ** epoch, epoch)
            for log, value in ((train, loss / 2), (validation, loss)):
                log.scalar("epoch_loss", value, epoch)
                log.scalar("epoch_accuracy", 1 - value / 4, epoch)


def make_run(models: Path, unix_time: str, network: str, losses: dict[int, float]) -> Path:
    log_epochs(models / unix_time, losses)
    (models / unix_time / "config.json").write_text(json.dumps({"settings": {"network": network}}))
    return models / unix_time


@pytest.fixture
def models(tmp_path) -> Path:
    make_run(tmp_path, "1700000000", "dense", {1: 2.0, 2: 1.0, 3: 1.5})
    make_run(tmp_path, "1700000001", "resnet", {1: 1.0, 2: 0.5})
    return tmp_path


def test_a_resumed_runs_files_are_merged_and_the_later_one_counts(models):
    run = models / "1700000000"
    for path in run.glob("logs/*/events*"):  # as if written long ago: a file's name begins with its time
        path.rename(path.with_name(re.sub(r"tfevents\.\d+", "tfevents.1000000000", path.name)))
    log_epochs(run, {3: 0.8, 4: 0.6})
    label, train, validation = curves.read_run(run)
    assert label == "dense 1700000000"
    assert validation["epoch_loss"] == pytest.approx({1: 2.0, 2: 1.0, 3: 0.8, 4: 0.6})
    assert validation["epoch_accuracy"] == pytest.approx({1: 0.5, 2: 0.75, 3: 0.8, 4: 0.85})
    assert train["epoch_loss"] == pytest.approx({1: 1.0, 2: 0.5, 3: 0.4, 4: 0.3})
    assert train["epoch_learning_rate"] == pytest.approx({e: 0.001 * 0.9 ** e for e in (1, 2, 3, 4)})


def test_each_run_has_a_line_for_training_and_one_for_validation(models):
    figure = curves.draw([curves.read_run(models / name) for name in ("1700000000", "1700000001")])
    drawn = {axes.get_title(): [list(line.get_ydata()) for line in axes.lines if len(line.get_ydata()) > 1]
             for axes in figure.axes}
    assert drawn["Loss"] == [[1.0, 0.5, 0.75], [2.0, 1.0, 1.5], [0.5, 0.25], [1.0, 0.5]]
    assert drawn["Accuracy"] == [[0.75, 0.875, 0.8125], [0.5, 0.75, 0.625], [0.875, 0.9375], [0.75, 0.875]]
    assert [len(line) for line in drawn["Learning rate"]] == [3, 2]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["dense 1700000000", "resnet 1700000001"]
    best = [(line.get_xdata()[0], line.get_ydata()[0]) for line in figure.axes[0].lines if len(line.get_ydata()) == 1]
    assert best == [(2, 1.0), (2, 0.5)]


def test_one_run_is_drawn_into_its_folder_and_nothing_else_is_left(models):
    def picture(name):
        curves.plot([models / name], models / name / "training.png")
        return cv2.imread(str(models / name / "training.png"))

    dense, resnet = picture("1700000000"), picture("1700000001")
    assert dense.shape == resnet.shape and dense.shape[0] > 600 and dense.shape[1] > 1000
    assert (dense != resnet).any(axis=2).sum() > 2000
    assert not list(models.rglob("partial-*"))


def test_without_a_name_all_runs_with_curves_are_drawn(models, capsys):
    (models / "1700000002/logs/validation").mkdir(parents=True)  # a run in its first epoch
    plotScript.main([f"--models_path={models}"])
    assert capsys.readouterr().out == f"wrote {models / 'training.png'}\n"
    assert curves.find_runs(str(models)) == [models / "1700000000", models / "1700000001"]


def test_a_run_without_logs_or_a_picture_that_cannot_be_written_is_named(models):
    (models / "1700000003").mkdir()
    (models / "1700000003/config.json").write_text('{"settings": {"network": "conv"}}')
    with pytest.raises(runs.RunError, match="1700000003.*holds no curves"):
        curves.plot([models / "1700000003"], models / "x.png")
    with pytest.raises(runs.RunError, match="curves.xyz cannot be written"):
        curves.plot([models / "1700000000"], models / "curves.xyz")
    with pytest.raises(runs.RunError, match="nowhere.*holds no run"):
        curves.find_runs(str(models / "nowhere"))


def test_an_unknown_run_ends_with_one_sentence(models):
    done = script("tools.plotScript", "1234567890", f"--models_path={models}")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and "1234567890" in done.stderr


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
