"""Networks in ONNX Runtime: without Keras, from any folder, and with a clear message if there is none."""
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from common import runs
from reading import binarize, network, recognizer

ROOT = Path(__file__).resolve().parents[2]
SMALL = "1796083215"   # the shipped run that is converted fastest
SAMPLE = str(ROOT / "samples" / "R.png")


def python(code: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True,
                          timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("run", [runs.DEFAULT, runs.DEFAULT_CHARACTERS])
def test_reading_needs_no_keras(run):
    code = ("import sys, recogScript; reader = recogScript.Recognizer(sys.argv[1]); "
            "print(reader.recog(sys.argv[2]).text, reader.recog_character(sys.argv[2]).text, "
            "*sorted({'keras', 'tensorflow', 'training'} & sys.modules.keys()))")
    assert python(code, run, SAMPLE).split() == ["R", "R"]


def test_settings_are_explained_without_loading_what_reads():
    code = "import sys, recogScript; print(*sorted({'onnxruntime', 'scipy', 'matplotlib'} & sys.modules.keys()))"
    assert not python(code).strip()


def copy(folder: Path, *names: str) -> Path:
    """A run with only some of its files."""
    (folder / "1").mkdir(parents=True)
    for name in names:
        shutil.copy(ROOT / "Models" / SMALL / name, folder / "1" / name)
    return folder


def test_an_older_run_is_converted_once(tmp_path, capfd):
    models = copy(tmp_path, "config.json", "model.keras")
    assert runs.list_runs(models) == ["1"]
    assert recognizer.Recognizer("1", models).recog_character(SAMPLE).text == "R"
    assert capfd.readouterr().err.count("\n") == 1
    glyphs = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)
    np.testing.assert_allclose(network.Network(models, "1").logits(glyphs),
                               network.Network(ROOT / "Models", SMALL).logits(glyphs), atol=1e-4)
    assert not capfd.readouterr().err


def test_a_run_that_cannot_be_written_to_is_converted_into_the_cache(tmp_path, monkeypatch, capfd):
    models = copy(tmp_path / "models", "config.json", "model.keras")
    monkeypatch.setattr(network.os, "access", lambda *_: False)
    monkeypatch.setattr(network, "convert", lambda _, path: shutil.copy(ROOT / "Models" / SMALL / "model.onnx", path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for notes in (1, 0):
        assert recognizer.Recognizer("1", models).recog_character(SAMPLE).text == "R"
        assert capfd.readouterr().err.count("\n") == notes
    assert not (models / "1" / "model.onnx").exists() and len(list((tmp_path / "cache").rglob("*.onnx"))) == 1


@pytest.mark.parametrize("names, content, message", [
    (["config.json"], None, "1 holds no trained network; the runs in .* are: none"),
    (["config.json"], "model.onnx", "model.onnx cannot be loaded .*: if enough memory is left, copy it again"),
    (["config.json"], "model.keras", "model.keras cannot be converted: .*model.keras cannot be loaded"),
])
def test_what_cannot_be_opened_is_named(tmp_path, names, content, message):
    models = copy(tmp_path, *names)
    if content:
        (models / "1" / content).write_bytes(b"damaged")
    with pytest.raises(runs.RunError, match=message) as refused:
        recognizer.Recognizer("1", models).load(characters=True)
    assert "\n" not in str(refused.value)


def test_without_keras_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(network.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(runs.RunError, match="needs Keras: pip install -r requirements.txt"):
        recognizer.Recognizer("1", copy(tmp_path, "config.json", "model.keras")).load(characters=True)


@pytest.mark.parametrize("run", [runs.DEFAULT, runs.DEFAULT_CHARACTERS])
def test_a_reader_and_its_readings_can_be_sent_to_other_processes(run):
    reader = recognizer.Recognizer(run, language="none", threads=1)
    reading = reader.recog(SAMPLE)
    sent = pickle.dumps(reader)
    assert len(sent) < 1000
    again, picture = pickle.loads(sent), binarize.read_picture(SAMPLE, page=True)
    assert again.unixTime == run and again.pages.read(picture) == reader.pages.read(picture)
    copied = pickle.loads(pickle.dumps(reading))
    assert copied == reading and (copied.glyphs == reading.glyphs).all()


def test_each_shipped_network_takes_any_batch_and_any_width():
    for run in runs.list_runs(ROOT / "Models"):
        opened = network.Network(ROOT / "Models", run)
        assert (ROOT / "Models" / run / "model.onnx").stat().st_size < 9_000_000
        if json.loads((ROOT / "Models" / run / "config.json").read_text())["reads"] == "lines":
            labels = 96 if run == "1795724860" else 158   # the predecessor of the shipped one reads ASCII
            shapes = {(1, 32, 32): (1, 8, labels), (3, 32, 1600): (3, 400, labels)}
        else:
            shapes = {(1, 28, 28): (1, 62), (7, 28, 28): (7, 62)}
        for shape, logits in shapes.items():
            found = opened.logits(np.zeros(shape, np.uint8))
            assert found.shape == logits and found.dtype == np.float32
