"""Training networks for characters as a user does, on a small data set: one run from the command line, ended
by Ctrl-C, and others that continue from it."""
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import toy

import model
from common import errors, runs
from tools import check_acc_loss, measure_adaptation
from training import corrections_store, metrics, networks, pipeline
from training.config import configure

ROOT = Path(__file__).resolve().parents[2]
CHARACTERS = "025ABHtw"
SMALL = ("--learning_rate=0.003", "--batch_size=40", "--val_split=0.2", "--steps_per_call=2", "--augmentation=0.5",
         "--label_smoothing=0.02")
FILES = ("model.keras", "model.onnx", "config.json", "metrics.json", "training.png")
PICTURES = {"characters": ("confusion.png", "errors.png"), "lines": ("readings.png",)}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return toy.write_all(tmp_path_factory.mktemp("data"), 50, CHARACTERS)


@pytest.fixture(scope="module")
def ended(data, tmp_path_factory) -> tuple[Path, str, str]:
    """The folder of a run that was ended after twelve epochs or more, and what it printed."""
    models = tmp_path_factory.mktemp("models")
    command = [sys.executable, str(ROOT / "model.py"), f"--data_path={data}", f"--models_path={models}", *SMALL,
               "--train_epochs=100000", "--patience=100000"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"})
    while process.poll() is None and not any(len(toy.history(folder)) >= 12 for folder in models.iterdir()):
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    output, notes = process.communicate(timeout=180)
    assert process.returncode == 0 and "Traceback" not in notes, notes
    folder, = models.iterdir()
    return folder, output, notes


def train(data: Path, models: Path, *more: str) -> Path:
    """Train in this process; returns the folder of the new run."""
    before = set(models.glob("*"))
    model.main([f"--data_path={data}", f"--models_path={models}", *SMALL, *more])
    return next(iter(set(models.glob("*")) - before), None)


def metrics_of(folder: Path) -> dict:
    return json.loads((folder / "metrics.json").read_text())


def test_a_run_that_is_ended_keeps_everything(ended):
    folder, output, notes = ended
    assert f"ended early; python model.py --resume={folder.name} goes on" in notes
    assert abs(int(folder.name) - time.time()) < 600
    assert all((folder / name).stat().st_size > 0 for name in FILES + PICTURES["characters"])
    test = metrics_of(folder)["emnist_test"]
    assert test["accuracy"] > 0.85 and test["images"] == 80 and test["loss"] < 0.6
    assert f"accuracy {test['accuracy']:.4f}" in output
    config = runs.read_config(folder.parent, folder.name)
    assert config["settings"]["learning_rate"] == 0.003 and config["images"]["emnist_train"] == 320
    assert len(config["sha256"]) == 4 and config["versions"]["keras"]
    assert {"epoch_loss", "epoch_accuracy", "epoch_learning_rate", "glyphs as the network sees them",
            "confusion", "errors", "test_accuracy"} <= toy.logged(folder / "logs")


def test_saved_networks_are_scored_again(data, ended, capsys):
    folder = ended[0]
    check_acc_loss.main([folder.name, f"--models_path={folder.parent}", f"--data_path={data}", "--pen_path="])
    table = capsys.readouterr().out
    assert f"| {metrics_of(folder)['emnist_test']['accuracy']:.4f} |" in table and f"| {folder.name} |" in table


def test_a_resumed_run_learns_what_an_uninterrupted_one_learns(data, ended, tmp_path, capsys):
    """Their random numbers are the same, including those of augmentation and dropout."""
    folder = tmp_path / "parts" / ended[0].name
    shutil.copytree(ended[0], folder)
    before = toy.history(folder)
    given = f"--data_path={data}", f"--train_epochs={len(before) + 2}", *SMALL
    for more in ([f"--models_path={folder.parent}", f"--resume={folder.name}"], [f"--models_path={tmp_path}"]):
        whole = pipeline.run(configure(vars(model), [*given, *more]))
    assert f"going on after epoch {len(before)} of {len(before) + 2}" in capsys.readouterr().out
    assert toy.history(folder)[:-2] == before and toy.history(folder) == toy.history(whole)
    for one, other in zip(weights(folder), weights(whole), strict=True):
        np.testing.assert_array_equal(one, other)
    there = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    pipeline.run(configure(vars(model), [f"--models_path={folder.parent}", f"--resume={folder.name}"]))
    assert "is finished, and nothing is changed" in capsys.readouterr().out
    assert there == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def weights(folder: Path) -> list[np.ndarray]:
    return networks.load_network(folder.parent, folder.name).get_weights()


def test_a_checkpoint_of_another_network_is_refused(data, ended, tmp_path):
    folder = tmp_path / ended[0].name
    shutil.copytree(ended[0], folder)
    config = (folder / "config.json").read_text()
    with pytest.raises(runs.RunError, match="belongs to another network"):
        train(data, tmp_path, f"--resume={folder.name}", "--network=conv")
    assert (folder / "config.json").read_text() == config


def test_finetuning_learns_corrections_and_does_not_forget(data, ended, tmp_path):
    """Somebody writes A upside down."""
    base = ended[0]
    glyphs, labels = toy.samples(30, 5, "A")
    strange = np.ascontiguousarray(glyphs[:, ::-1])
    corrections_store.write_corrections(tmp_path, strange[:15], labels[:15])
    tuned = train(data, base.parent, f"--finetune={base.name}", f"--corrections_path={tmp_path}", "--pen=False",
                  "--augmentation=0.3", "--train_epochs=8")
    about = runs.read_config(base.parent, tuned.name)
    assert about["images"]["corrections"] == 15 and about["settings"]["network"] == "dense"
    assert about["prior_of_drawings"] == runs.read_config(base.parent, base.name)["prior_of_drawings"]
    before, after = ((metrics.predict(networks.load_network(base.parent, run.name), strange[15:], labels[15:]).guesses
                      == labels[15:]).mean() for run in (base, tuned))
    assert before < 0.5 and after > 0.8
    assert metrics_of(tuned)["emnist_test"]["accuracy"] > 0.8


def test_a_network_learns_from_others_and_from_pen_strokes(data, ended, tmp_path, capsys):
    base, strokes = ended[0], tmp_path / "characters.jsonl.gz"
    toy.write_pen(tmp_path, dict.fromkeys("25Htw", 20))
    strokes.write_bytes(gzip.compress(gzip.decompress(strokes.read_bytes()).replace(b'"val"', b'"test"')))
    taught = train(data, base.parent, f"--teacher={base.name}", "--pen", f"--pen_path={tmp_path}",
                   "--class_cap=20", "--train_epochs=3", "--preset=best")
    assert re.search(r"\d+ of 80 pen strokes left out", capsys.readouterr().out)
    assert {"emnist_train", "pen_strokes"} < runs.read_config(base.parent, taught.name)["images"].keys()
    figures = metrics_of(taught)
    assert figures["emnist_test"]["accuracy"] > 0.3, "a chance is 0.12"
    assert figures["pen_test"]["images"] == 20


def test_what_one_writer_gains_is_measured(data, ended, tmp_path, capsys):
    toy.write_pen(tmp_path, dict.fromkeys("25Htw", 20))
    measure_adaptation.main([f"--unixTime={ended[0].name}", f"--models_path={ended[0].parent}", f"--data_path={data}",
                             f"--pen_path={tmp_path}", "--split=val", "--writers=1", "--most=6"])
    table = capsys.readouterr().out
    assert re.search(r"\| val/\d \| 3 \| 3 \| [\d.]+ \| [\d.]+ \| [\d.]+ \| [\d.]+ \|", table)
    assert re.search(r"\| mean \| 3 \| 3 \|( [\d.]+ \|){4}", table)


def test_wrong_data_end_with_one_sentence_and_leave_nothing(data, tmp_path):
    models = tmp_path / "models"
    done = subprocess.run([sys.executable, str(ROOT / "model.py"), f"--models_path={models}", "--data_path=nowhere"],
                          capture_output=True, text=True, timeout=180, cwd=tmp_path,
                          env=os.environ | {"https_proxy": "http://127.0.0.1:9", "TF_CPP_MIN_LOG_LEVEL": "3"})
    sentences = [line for line in done.stderr.splitlines() if line.startswith("model.py: ")]
    assert done.returncode == 2 and len(sentences) == 1 and "Traceback" not in done.stderr, done.stderr
    given = f"--data_path={data}", f"--corrections_path={tmp_path}", f"--models_path={ROOT / 'Models'}"
    for wrong, reason in ((f"--finetune={runs.DEFAULT_CHARACTERS}", "no corrected characters yet.*Remember my writing"),
                          (f"--finetune={runs.DEFAULT}", "no corrected words yet")):
        with pytest.raises(errors.DataError, match=reason):
            model.main([wrong, *given])
    with pytest.raises(errors.DataError, match="words.jsonl.gz is missing"):
        model.main(["--network=line", f"--data_path={data}", f"--pen_path={data}", f"--models_path={models}"])
    assert not models.exists()


def test_shipped_runs_are_complete():
    models = ROOT / "Models"
    names = runs.list_runs(models)
    kinds = {runs.read_config(models, name)["settings"]["network"] for name in names}
    assert {"dense", "mixer", "line"} < kinds and kinds & {"resnet", "deepconv"}
    lines, characters = (runs.list_runs(models, kind) for kind in ("lines", "characters"))
    assert sorted(lines + characters) == names
    assert runs.DEFAULT in lines and runs.DEFAULT_CHARACTERS in characters
    for name in names:
        pictures = PICTURES[runs.read_config(models, name)["reads"]]
        assert all((models / name / file).is_file() for file in FILES + pictures)
        assert list((models / name / "logs").rglob("events.*"))
        assert re.fullmatch(rf"\w+: (single characters, \d+\.\d % of EMNIST's characters|words, lines and pages), "
                            rf"\d+\.\d % of UNIPEN's words, {name}",
                            runs.describe(models, name)), "the same figure for all"


def test_the_settings_begin_right_behind_the_docstring():
    text = (ROOT / "model.py").read_text()
    assert text.startswith(f'"""{model.__doc__}"""\n# ---- settings')
