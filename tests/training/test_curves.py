"""training/curves.py on runs that the tests write themselves."""
import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from common import runs
from tools import plotScript
from training import curves

ROOT = Path(__file__).resolve().parents[2]


def log_epochs(folder: Path, losses: dict[int, float]) -> None:
    """Write a training's logs; the accuracy is 1 - loss / 4, the training loss half the validation loss."""
    with (curves.EventLog(folder / "logs/train") as train,
          curves.EventLog(folder / "logs/validation") as validation):
        for epoch, loss in losses.items():
            train.scalar("epoch_learning_rate", 0.001 * 0.9 ** epoch, epoch)
            for log, value in ((train, loss / 2), (validation, loss)):
                log.scalar("epoch_loss", value, epoch)
                log.scalar("epoch_accuracy", 1 - value / 4, epoch)


def make_run(models: Path, unix_time: str, network: str, losses: dict[int, float]) -> Path:
    log_epochs(models / unix_time, losses)
    about = {"reads": "characters", "settings": {"network": network}}
    (models / unix_time / "config.json").write_text(json.dumps(about))
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
    (models / "1700000003/config.json").write_text('{"reads": "characters", "settings": {"network": "conv"}}')
    with pytest.raises(runs.RunError, match="1700000003.*holds no curves"):
        curves.plot([models / "1700000003"], models / "x.png")
    with pytest.raises(runs.RunError, match="curves.xyz cannot be written"):
        curves.plot([models / "1700000000"], models / "curves.xyz")
    with pytest.raises(runs.RunError, match="nowhere.*holds no run"):
        curves.find_runs(str(models / "nowhere"))


def test_an_unknown_run_ends_with_one_sentence(models):
    done = subprocess.run([sys.executable, "-m", "tools.plotScript", "1234567890", f"--models_path={models}"],
                          capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and "1234567890" in done.stderr
