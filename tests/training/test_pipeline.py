"""A training that ends early, in whatever way, says what is kept and can go on from there."""
import errno
import json
import os
import re
from pathlib import Path

import keras
import numpy as np
import pytest
import toy

import model
from common import errors, files, runs
from training import (
    callbacks,
    character_trainer,
    devices,
    metrics,
    networks,
    pipeline,
)
from training.config import configure


@pytest.fixture
def train(tmp_path):
    """Runs a short training with these settings in tmp_path/models; returns its folder."""
    data = toy.write_all(tmp_path / "data", 10, "ab")

    def run(*arguments: str) -> Path:
        given = f"--data_path={data}", f"--models_path={tmp_path / 'models'}", "--batch_size=10", "--train_epochs=2"
        return pipeline.run(configure(vars(model), [*given, *arguments]))
    if keras.backend.backend() == "tensorflow":   # which starts faster without compiling
        tensorflow = pytest.importorskip("tensorflow")
        tensorflow.config.run_functions_eagerly(True)
        yield run
        tensorflow.config.run_functions_eagerly(False)
    else:
        yield run


def with_loss(state: dict, loss: float) -> dict:
    state["best"]["val_loss"] = loss
    return state


def raising(error: BaseException):
    def work(*_, **__):
        raise error
    return work


def test_what_follows_a_training_is_done_once_however_often_it_is_ended(train, tmp_path, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        patch.setattr(metrics, "finish", raising(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt, match="keeps what was learned; python model.py --resume="):
            train()
        folder, = (tmp_path / "models").iterdir()
        patch.setattr(metrics, "finish", raising(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))))
        with pytest.raises(errors.MachineError, match=f"No space left on device: .*--resume={folder.name} goes on"):
            train(f"--resume={folder.name}")
    kept = (folder / "model.keras").read_bytes()
    train(f"--resume={folder.name}")
    assert (folder / "metrics.json").is_file() and (folder / "model.keras").read_bytes() == kept
    assert len(toy.history(folder)) == 2 and runs.read_config(folder.parent, folder.name)["finished"]
    monkeypatch.setattr(metrics, "finish", lambda *_: None)
    train(f"--resume={folder.name}", "--train_epochs=3")
    assert len(toy.history(folder)) == 3 and "is finished" not in capsys.readouterr().out
    restore = callbacks.restore
    monkeypatch.setattr(callbacks, "restore", lambda *arguments: with_loss(restore(*arguments), 0.0))
    kept = (folder / "model.keras").read_bytes()
    train(f"--resume={folder.name}", "--train_epochs=4", "--patience=30", "--train_workers=1")
    assert len(toy.history(folder)) == 4 and (folder / "model.keras").read_bytes() == kept, "the best one is still best"
    monkeypatch.setattr(character_trainer.CharacterTrainer, "keeps_latest", True)   # as a line reader does
    train(f"--resume={folder.name}", "--train_epochs=5", "--patience=30")
    assert len(toy.history(folder)) == 5 and (folder / "model.keras").read_bytes() != kept


def test_16_bits_train_with_augmentation_and_a_teacher_and_keep_32(train, tmp_path, monkeypatch):
    teacher = train()
    monkeypatch.setattr(devices, "multiplies_bfloat16", lambda: True)
    folder = train(f"--teacher={teacher.name}", "--augmentation=1", "--mixed_precision=True")
    assert np.isfinite(toy.history(folder)).all() and toy.history(folder)
    assert '"mixed_' not in networks.load_network(folder.parent, folder.name).to_json()


@pytest.mark.parametrize("error, sentence", [
    (MemoryError(), "there is not enough memory: .*nothing is lost"),
    (RuntimeError("RESOURCE_EXHAUSTED: OOM when allocating"), "smaller --batch_size=: .*nothing is lost"),
    (PermissionError(errno.EACCES, "Permission denied", "a/logs"), "Permission denied: a/logs: .*nothing is lost")])
def test_what_the_machine_lacks_is_said_in_one_sentence(tmp_path, error, sentence):
    folder = pipeline.new_folder(tmp_path)
    with pytest.raises(errors.MachineError, match=sentence) as told, pipeline.telling_what_is_kept(folder):
        raise error
    assert told.value.status == 1 and not folder.exists()


class Spoil(keras.callbacks.Callback):
    """Makes weights NaN at the start of the epoch `epoch`."""
    epoch = 0

    def __init__(self, *_):
        super().__init__()

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == Spoil.epoch:
            self.model.network.get_layer("logits").bias.assign(np.full(62, np.nan))


def test_a_loss_that_is_no_number_ends_the_training_with_the_last_good_epoch(train, tmp_path, monkeypatch):
    monkeypatch.setattr(character_trainer, "AugmentationSchedule", Spoil)
    with pytest.raises(callbacks.NotFinite, match="loss is no longer finite.*lower --learning_rate="):
        train()
    assert not list((tmp_path / "models").iterdir()), "nothing was learned, and nothing is left"
    Spoil.epoch = 1
    with pytest.raises(callbacks.NotFinite):
        train()
    folder, = (tmp_path / "models").iterdir()
    assert len(toy.history(folder)) == 1 and "finished" not in runs.read_config(folder.parent, folder.name)
    assert np.isfinite(json.loads((folder / "metrics.json").read_text())["emnist_test"]["loss"])
    assert all(np.isfinite(one).all() for one in networks.load_network(folder.parent, folder.name).get_weights())


def test_folders_and_runs_are_taken_by_one_training_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.5)
    assert [pipeline.new_folder(tmp_path / "a").name for _ in range(3)] == ["1700000000", "1700000001", "1700000002"]
    folder = tmp_path / "a" / "1700000000"
    (folder / "checkpoint.npz").touch()
    files.write_json(folder / "config.json", {"reads": "characters", "settings": {"network": "dense"}})
    with files.locked(folder / ".lock"), pytest.raises(runs.RunError, match="another process trains in"):
        pipeline.run(configure(vars(model), [f"--resume={folder.name}", f"--models_path={folder.parent}"]))


@pytest.mark.parametrize("content, named", [
    ("[]", "holds a list"), ("{}", "no usable reads"), ('{"reads": "minds", "settings": {"network": "a"}}', "reads"),
    ('{"reads": "lines", "settings": []}', "settings"), ("[" * 9999, "recursion"), ('{"reads": ', "Expecting value"),
    ('{"reads": "characters", "settings": {"network": "dense"}, "prior_of_drawings": [1]}', "prior_of_drawings"),
    ('{"reads": "lines", "settings": {"network": "line"}, "alphabet": [1]}', "alphabet"),
    ('{"reads": "lines", "settings": {"network": "line"}, "resumed_at": 1}', "resumed_at")])
def test_a_config_of_another_shape_is_named(tmp_path, content, named):
    (tmp_path / "1").mkdir()
    (tmp_path / "1/config.json").write_text(content)
    (tmp_path / "1/metrics.json").write_text(content)
    with pytest.raises(runs.RunError, match=f"1/config.json .*{named}"):
        runs.read_config(tmp_path, "1")
    assert runs.describe(tmp_path, "1") == "not scored, 1" and runs.list_runs(tmp_path) == []


def test_a_network_of_another_shape_is_refused(tmp_path):
    (tmp_path / "1").mkdir()
    files.write_json(tmp_path / "1/config.json", {"reads": "lines", "settings": {"network": "line"}})
    networks.save_network(networks.build("dense"), tmp_path / "1/model.keras")
    with pytest.raises(runs.RunError, match=re.escape("takes (28, 28) and gives (62,)")):
        networks.load_network(tmp_path, "1")


def test_json_holds_no_number_that_is_not_finite(tmp_path):
    files.write_json(tmp_path / "a.json", {"a": float("nan"), "b": [float("inf"), 1.5], "c": {"d": float("-inf")}})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": None, "b": [None, 1.5], "c": {"d": None}}
