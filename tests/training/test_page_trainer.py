"""Training the page network, from the command line to a run that reading can open."""
import json

import numpy as np
import pytest
import toy

import model
from common import errors, runs
from reading.network import Network
from training import networks

WORDS = {"hello": 10, "tinder": 10, "5": 8}


def test_a_run_is_trained_and_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(networks.NETWORKS, "page", toy.page_network)
    data, paper = toy.write_pen(tmp_path / "pen", WORDS), toy.write_paper(tmp_path / "paper")
    given = [f"--models_path={tmp_path}", "--dry_run", "--epoch_steps=2", "--batch_size=2"]
    model.main(["--network=page", f"--pen_path={data}", f"--paper_path={paper}", *given, "--train_epochs=1"])
    name, = runs.list_runs(tmp_path, "pages")
    assert not runs.list_runs(tmp_path), "it reads no text by itself"
    model.main([f"--resume={name}", *given, "--train_epochs=2"])
    assert "going on after epoch 1 of 2" in capsys.readouterr().out
    folder = tmp_path / name
    assert all((folder / file).is_file() for file in ("model.keras", "model.onnx", "pages.png", "training.png"))
    config = runs.read_config(tmp_path, name)
    assert config["settings"]["preset"] == "page" and len(config["sha256"]) == 3
    assert json.loads((folder / "metrics.json").read_text())["validation"]["loss"] > 0
    assert {"epoch_loss", "truth above, found below"} <= toy.logged(folder / "logs")
    ink, marks = Network(tmp_path, name).outputs(np.zeros((1, 64, 96, 3), np.uint8))
    assert ink.shape == (1, 64, 96, 1) and marks.shape == (1, 32, 48, 4)


def test_missing_data_are_named(tmp_path):
    with pytest.raises(errors.DataError, match="fonts is missing: docs/data.md"):
        model.main(["--network=page", f"--paper_path={tmp_path}", f"--models_path={tmp_path / 'models'}"])
