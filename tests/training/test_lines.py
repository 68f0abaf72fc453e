"""The reader of words and lines: what it learns from, and training."""
import collections
import functools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
import toy

import model
from common import alphabets, errors, line_image, pen_strokes, runs, settings
from reading import line_recognizer
from reading.network import Network
from tools import draw_samples
from training import (
    augment,
    character_trainer,
    corrections_store,
    line_records,
    line_texts,
    metrics,
    networks,
    prefetch,
    synthesis,
)

ROOT = Path(__file__).resolve().parents[2]


# ---- what it learns from

WORDS = {"tame": 15, "wide": 15, "send": 15}
TEXTS = WORDS | {"a lid": 10, "one two": 10} | dict.fromkeys("adehilmnorstw25", 6)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return toy.write_pen(toy.write_all(tmp_path_factory.mktemp("data"), 12), TEXTS)


def test_a_scribe_writes_in_every_way(data):
    writer = synthesis.LineSynthesizer(data, data)
    rng = np.random.default_rng(0)
    for kind in synthesis.KINDS:
        samples = [sample for _ in range(200) if (sample := writer.sample(rng, {kind: 1.0}))]
        assert len(samples) >= 20, kind
        for seen, text, source in samples:
            assert seen.dtype == np.uint8 and seen.shape[0] == line_image.HEIGHT and seen.max() > 100
            assert text and set(text) <= set(alphabets.ALPHABET) and text == " ".join(text.split())
            assert (source is None) == (kind in ("several", "composed", "scanned"))
        assert len({seen.tobytes() for seen, *_ in samples}) > 0.9 * len(samples), "no two are alike"
    texts = {text for _ in range(60) if (sample := writer.sample(rng, {"word": 1.0})) for text in [sample[1]]}
    assert texts == set(WORDS)


def test_the_same_seed_writes_the_same(data):
    writer = synthesis.LineSynthesizer(data, data)
    one, other = (writer.sample(np.random.default_rng(7)) for _ in range(2))
    assert one[1] == other[1] and (one[0] == other[0]).all()


def test_rows_of_digits_and_letters_are_written_whole_and_in_groups():
    rng = np.random.default_rng(0)
    rows = [line_texts.random_row(rng) for _ in range(400)]
    for row in rows:
        assert row == " ".join(row.split()) and 3 <= len(row.replace(" ", "")) <= 26
        assert sum(all(c in kind for c in row.replace(" ", "")) for kind in (
            alphabets.CHARACTERS[:10], alphabets.CHARACTERS[10:36], alphabets.CHARACTERS[36:])) == 1
    assert 0.15 < np.mean([" " not in row for row in rows]) < 0.5
    assert 0.02 < np.mean([set(map(len, row.split())) == {1} for row in rows]) < 0.3


def test_text_in_two_rows_is_left_out():
    rows = [stroke.ravel().tolist() for stroke in draw_samples.strokes_of(["then", "one"], 60, 1)]
    line = [stroke.ravel().tolist() for stroke in draw_samples.strokes_of(["then one"], 60, 1)]
    assert line_records.has_rows(rows) and not line_records.has_rows(line)


def test_batches_hold_all_samples_and_none_is_much_too_wide(data):
    writer = synthesis.LineSynthesizer(data, "")
    rng = np.random.default_rng(0)
    samples = [sample for _ in range(300) if (sample := writer.sample(rng, synthesis.FIRST_KINDS))]
    found = list(prefetch.batches(samples, 16, rng))
    texts = ["".join(alphabets.ALPHABET[label - 1] for label in row if label) for _, labels, _ in found
             for row in labels.tolist()]
    assert sorted(texts) == sorted(text for _, text, _ in samples)
    for strips, _, _ in found[:-1]:
        filled = np.flatnonzero(strips.max(axis=(0, 1)))[-1] + 1
        assert strips.shape[2] - filled <= line_image.WIDTH_STEP + line_image.MARGIN
        most = prefetch.AREA * 16 * (1 + strips.shape[2] / prefetch.LONG) + line_image.WIDTH_STEP * len(strips)
        assert len(strips) == 1 or len(strips) * strips.shape[2] <= most


def test_two_processes_write_and_no_batch_twice(data):
    config = {name: getattr(model, name) for name in settings.meanings(model.__file__)}
    config |= {"data_path": str(data), "pen_path": str(data), "batch_size": 8, "epoch_steps": 5}
    written = prefetch.Prefetcher(config, writers=2)
    try:
        given = [written.next() for _ in range(20)]
        assert len({strips.tobytes() for strips, *_ in given}) == 20 and not any(again for *_, again in given)
        assert len(written.processes) == 2
    finally:
        written.close()
    assert not any(process.is_alive() for process in written.processes)


def test_while_no_batch_is_written_earlier_ones_come_again_at_most_so_often(data):
    config = {name: getattr(model, name) for name in settings.meanings(model.__file__)}
    config |= {"data_path": str(data), "pen_path": str(data), "batch_size": 64, "epoch_steps": 50, "echo": 2}
    written = prefetch.Prefetcher(config)
    seen = collections.Counter()
    try:
        for strips, _, again in (written.next() for _ in range(24)):
            assert again == (strips.tobytes() in seen)
            seen[strips.tobytes()] += 1
    finally:
        written.close()
    assert 24 / 3 <= len(seen) < 24 and max(seen.values()) <= 1 + 2


def test_strips_that_come_again_are_changed_but_stay_what_they_are():
    shown = np.zeros((3, line_image.HEIGHT, 160), np.uint8)
    for row, text in enumerate(("minimum", "", "Wort 15")):
        cv2.putText(shown[row], text, (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 2, cv2.LINE_AA)
    seed = keras.random.SeedGenerator(0)
    changed = keras.ops.convert_to_numpy(augment.change_strips(shown, seed))
    assert changed.shape == shown.shape and changed.dtype == np.uint8 and not changed[1].any()
    for before, after in ((shown[0], changed[0]), (shown[2], changed[2])):
        assert np.abs(before.astype(int) - after).mean() > 3
        assert after.sum(dtype=float) == pytest.approx(before.sum(dtype=float), rel=0.25)
        middles = [np.average(np.arange(160), weights=picture.sum(axis=0) + 1e-9) for picture in (before, after)]
        assert abs(middles[0] - middles[1]) < 3
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(augment.change_strips(shown, seed, 0.0)), shown)


def test_a_network_with_wider_lstms_begins_with_what_a_narrower_one_knows(monkeypatch):
    narrow = networks.build("line", 0)
    monkeypatch.setitem(networks.LINE_NETWORKS, "line", functools.partial(networks.line, units=230))
    wide = networks.build("line", 0)
    character_trainer.take_over(wide, narrow)
    strips = np.random.default_rng(0).integers(0, 256, (2, line_image.HEIGHT, 96), dtype=np.uint8)
    assert wide.count_params() > narrow.count_params()
    np.testing.assert_allclose(wide.predict_on_batch(strips), narrow.predict_on_batch(strips), atol=1e-4)


# ---- training and reading

TRAIN = ["--network=line", "--batch_size=24", "--epoch_steps=40", "--learning_rate=0.004", "--dropout=0",
         "--augmentation=0.3"]


def train(data: Path, models: Path, *more: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "model.py"), f"--data_path={data}", f"--pen_path={data}",
               f"--models_path={models}", *TRAIN, *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=400,
                          env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory) -> tuple[subprocess.CompletedProcess, Path]:
    """A small reader of lines: what its training printed, and its run."""
    models = tmp_path_factory.mktemp("models")
    done = train(data, models, "--train_epochs=5")
    assert done.returncode == 0, done.stderr
    folder, = models.iterdir()
    return done, folder


def test_a_line_reader_learns_a_hand_from_corrected_words(data, trained, tmp_path):
    """Somebody writes upside down."""
    _, base = trained
    hand = [(text, [stroke * (1, -1) for stroke in draw_samples.strokes_of([text], 60, seed, 16)])
            for seed in range(8) for text in ("send", "salted", "lines")]
    for text, strokes in hand[:12]:
        corrections_store.remember_word(tmp_path / "kept", strokes, text)
    done = train(data, base.parent, f"--finetune={base.name}", f"--corrections_path={tmp_path / 'kept'}",
                 "--train_epochs=4", "--corrections=0.5")
    assert done.returncode == 0, done.stderr
    tuned, = (folder for folder in base.parent.iterdir() if folder != base)
    about = runs.read_config(str(tuned.parent), tuned.name)
    assert about["corrected_words"] == 12 and about["reads"] == "lines"
    assert about["decoding"] == runs.read_config(str(base.parent), base.name)["decoding"]

    def read(folder: Path) -> float:
        reader = line_recognizer.LineReader(Network(folder.parent, folder.name).each)
        texts = reader.read_lines([pen_strokes.draw_strokes(strokes, 5) for _, strokes in hand[12:]])
        return metrics.cer([(truth, text.text) for (truth, _), text in zip(hand[12:], texts, strict=True)])

    assert read(base) > 0.5 and read(tuned) < 0.2
    assert json.loads((tuned / "metrics.json").read_text())["validation"]["cer_words"] < 0.4, "nothing is forgotten"


def test_a_line_reader_learns_resumes_and_reads(data, trained, tmp_path):
    done, base = trained
    folder = tmp_path / base.name
    shutil.copytree(base, folder)
    assert "words and lines left out" in done.stdout
    about = json.loads((folder / "config.json").read_text())
    assert about["reads"] == "lines" and about["decoding"].keys() == asdict(line_recognizer.Decoding()).keys()
    # It has learned from words of these letters alone, and what it expects of them is what it saw.
    shares = dict(zip(alphabets.ALPHABET, np.exp(about["decoding"]["label_prior"])))
    assert sum(shares.values()) == pytest.approx(1, abs=0.02) and shares["e"] > 5 * shares["Q"]
    metrics = json.loads((folder / "metrics.json").read_text())["validation"]
    assert metrics["cer_words"] < 0.35, metrics
    assert f"cer_words {metrics['cer_words']:.4g}" in done.stdout
    assert (folder / "readings.png").stat().st_size > 0
    assert {"epoch_loss", "epoch_cer_words", "epoch_wer_lines", "truth, and what was read",
            "strips as the network sees them"} <= toy.logged(folder / "logs")

    more = train(data, tmp_path, f"--resume={folder.name}", "--train_epochs=6")
    assert more.returncode == 0 and "going on after epoch 5 of 6" in more.stdout, more.stderr
    read = subprocess.run([sys.executable, str(ROOT / "recogScript.py"), f"--model={folder.name}", "--json",
                           f"--models_path={tmp_path}", "-"], input=picture_of("send"), capture_output=True,
                          timeout=120)
    assert read.returncode == 0, read.stderr
    line, = json.loads(read.stdout)["lines"]
    assert line["text"] == "send"
    boxes = [character["box"] for character in line["words"][0]["characters"]]
    assert boxes == sorted(boxes) and all(width > 0 and height > 20 for _, _, width, height in boxes)


def picture_of(text: str) -> bytes:
    ink = pen_strokes.draw_strokes(draw_samples.strokes_of([text], 60, 3, 16), 5, margin=24)
    return cv2.imencode(".png", 255 - ink)[1].tobytes()


def test_a_line_reader_learns_corrected_words_unless_told_to_go_on(tmp_path):
    given = [f"--finetune={runs.DEFAULT}", f"--models_path={ROOT / 'Models'}"]
    learning = model.configure([*given, f"--corrections_path={tmp_path}"])
    assert learning["preset"] == "corrected_words" and 0 < learning["corrections"] < 1
    with pytest.raises(errors.DataError, match="no corrected words yet.*Remember my writing"):
        model.train_line(learning, tmp_path / "run")
    assert not list(tmp_path.iterdir())
    with pytest.raises(settings.SettingsError, match="--echo=-1 has to be 0 or more"):
        model.configure([*given, "--echo=-1"])
    for wrong in ("--preset=corrections", "--preset=best"):
        with pytest.raises(settings.SettingsError, match="does not fit it; corrected_words does"):
            model.configure([*given, wrong])
    with pytest.raises(settings.SettingsError, match="leave --network= out"):
        model.configure([*given, "--network=dense"])
    going_on = model.configure([*given, "--preset=line"])
    assert going_on["preset"] == "line" and going_on["epoch_steps"] == 400 and not going_on["corrections"]


def test_missing_pen_strokes_are_named(tmp_path):
    toy.write_all(tmp_path, 5)
    done = train(tmp_path, tmp_path / "models")
    assert done.returncode == 2 and "words.jsonl.gz is missing" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "models").exists()
