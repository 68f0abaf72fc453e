"""The reader of words and lines: what it learns from, and training."""
import functools
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import time
import unicodedata
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import toy

import model
from common import alphabets, errors, line_image, pen_strokes, runs
from reading import line_recognizer, recognizer
from reading.network import Network
from tools import draw_samples, measure_adaptation
from training import (
    callbacks,
    corrections_store,
    devices,
    line_records,
    line_rendering,
    line_texts,
    line_trainer,
    line_validation,
    metrics,
    networks,
    optimizer,
    pipeline,
    prefetch,
    synthesis,
)
from training.config import configure

ROOT = Path(__file__).resolve().parents[2]


# ---- what it learns from

WORDS = {"tame": 15, "wide": 15, "send": 15}
TEXTS = WORDS | {"a lid": 10, "one two": 10} | dict.fromkeys("adehilmnorstw25", 6)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = toy.write_pen(toy.write_all(tmp_path_factory.mktemp("data"), 12), TEXTS)
    return toy.write_paper(folder, ["one two", "a lid", "wide", "send"] * 4)


def test_each_kind_of_writing_is_written_and_no_two_samples_are_alike(data):
    everything = synthesis.LineSynthesizer(data, data, paper_path=data)
    rng = np.random.default_rng(0)
    folder = toy.write_pen(data / "capitals", {"H": 6})   # the only capital of the stroke font
    (folder / "text").mkdir()
    (folder / "text" / "words.txt").write_text("hh h hhh hh\nh hh\n" * 9)
    capitals = synthesis.LineSynthesizer(folder, "", paper_path=folder)
    for kind in synthesis.KINDS:
        writer = capitals if kind == "capitals" else everything
        samples = [sample for _ in range(200) if (sample := writer.sample(rng, {kind: 1.0}))]
        assert len(samples) >= 20, kind
        for seen, text, shown in samples:
            assert seen.dtype == np.uint8 and seen.shape[0] == line_image.HEIGHT and seen.max() > 100
            assert text and set(text) <= set(alphabets.ALPHABET) and text == " ".join(text.split())
            assert bool(shown) == (kind not in ("several", "composed", "scanned", "font", "capitals"))
            assert kind != "capitals" or text.isupper(), "small capitals need a capital among them"
        assert len({seen.tobytes() for seen, *_ in samples}) > 0.9 * len(samples), "no two are alike"
    (folder / "text" / "words.txt").write_text("Hhhhhh hh\n\n\nHhß\n")   # one in three is read
    titled = synthesis.LineSynthesizer(folder, "", paper_path=folder)
    titled._characters["S"] = titled._characters["H"]   # of "SS", which ß becomes in capitals
    texts = {text for _ in range(60) if (sample := titled.sample(rng, {"capitals": 1.0})) for text in [sample[1]]}
    assert {"Hhhhhh hh", "HHHHHH HH"} <= texts
    texts = {text for _ in range(60) if (sample := everything.sample(rng, {"word": 1.0})) for text in [sample[1]]}
    bare = {"".join(letter for letter in unicodedata.normalize("NFD", text) if letter.isascii()) for text in texts}
    assert bare == set(WORDS) and len(texts) > len(WORDS), "some have accents"


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


def test_typographic_marks_become_plain_ones():
    assert alphabets.plain("L’e\u0301te\u0301\u00a0: „so“ – « là »…") == "L'été : \"so\" - « là »..."


def test_forms_are_filled():
    rng = np.random.default_rng(0)
    texts = [line_texts.filled(form, ["Été"], rng) for form in line_texts.FORMS]
    assert len(texts) > 150 and all(text and text == " ".join(text.split()) for text in texts)
    assert {*"".join(texts)} <= {*alphabets.ALPHABET} and not {*"^~§"} & {*"".join(texts)}


def test_letters_get_accents_above_them():
    strokes = [stroke.ravel().tolist() for stroke in draw_samples.strokes_of(["send"], 60, 1)]
    writing = line_records.writing_of({"label": "send", "strokes": strokes})
    rng = np.random.default_rng(0)
    for _ in range(20):
        found = line_rendering.add_accents(writing, rng)
        assert "".join(line_rendering.base_and_mark(letter)[0] for letter in found.label) == "send" != found.label
        assert len(found.ends) > len(writing.ends) and found.ends[-1] == len(found.points)
        assert found.points[len(writing.points):, 1].max() < 0.5, "above the small letters"
    assert line_rendering.add_accents(writing._replace(label="kiwi"), rng) is None
    assert len(line_rendering.complete([np.float32([[0, 0], [5, 9]])], "€")) == 3


def test_text_in_two_rows_is_left_out():
    rows = [stroke.ravel().tolist() for stroke in draw_samples.strokes_of(["then", "one"], 60, 1)]
    line = [stroke.ravel().tolist() for stroke in draw_samples.strokes_of(["then one"], 60, 1)]
    assert line_records.has_rows(rows) and not line_records.has_rows(line)


# ---- batches

def test_batches_hold_all_samples_and_none_is_much_too_wide(data):
    synthesizer = synthesis.LineSynthesizer(data, "")
    rng = np.random.default_rng(0)
    samples = [sample for _ in range(300) if (sample := synthesizer.sample(rng, synthesis.FIRST_KINDS))]
    found = list(prefetch.batches(samples, 16, rng))
    texts = ["".join(alphabets.ALPHABET[label - 1] for label in row if label) for _, labels in found
             for row in labels.tolist()]
    assert sorted(texts) == sorted(text for _, text, _ in samples)
    for images, _ in found[:-1]:
        filled = np.flatnonzero(images.max(axis=(0, 1)))[-1] + 1
        assert images.shape[2] - filled <= line_image.WIDTH_STEP + line_image.MARGIN
        most = prefetch.AREA * 16 * (1 + images.shape[2] / prefetch.LONG) + line_image.WIDTH_STEP * len(images)
        assert len(images) == 1 or len(images) * images.shape[2] <= most


def line_config(data: Path, *more: str):
    return configure(vars(model), ["--network=line", "--finetune=", f"--data_path={data}", f"--pen_path={data}",
                                    f"--paper_path={data / 'nowhere'}", *more])


def test_two_processes_write_and_no_batch_twice(data):
    prefetcher = prefetch.Prefetcher(line_config(data, "--batch_size=8", "--epoch_steps=5"), writers=2)
    try:
        given = [prefetcher.next() for _ in range(20)]
        assert len({images.tobytes() for images, _ in given}) == 20 and len(prefetcher.processes) == 2
        assert all(len(images) == len(labels) for images, labels in given)
        for process in prefetcher.processes:
            os.kill(process.pid, signal.SIGINT)   # Ctrl-C is for the training
        assert prefetcher.next() and all(process.is_alive() for process in prefetcher.processes)
    finally:
        prefetcher.close()
    assert not any(process.is_alive() for process in prefetcher.processes)


def test_a_process_that_is_ended_while_it_hands_over_a_batch_is_no_endless_wait(data):
    prefetcher = prefetch.Prefetcher(line_config(data, "--batch_size=64", "--epoch_steps=5"))
    assert prefetcher._written._reader.poll(60), "a part of a batch, which is larger than a pipe holds"
    prefetcher.close()
    with pytest.raises(errors.DataError, match="was ended"):
        prefetcher.next()


def test_what_goes_wrong_in_a_process_is_said(data):
    prefetcher = prefetch.Prefetcher(replace(line_config(data), pen_path="nowhere"))
    with pytest.raises(errors.DataError, match="nowhere.*is missing"):
        prefetcher.next()
    prefetcher.close()


# ---- training and reading

TRAIN = ("--network=line", "--batch_size=16", "--epoch_steps=25", "--learning_rate=0.01", "--dropout=0",
         "--augmentation=0.3", "--mixed_precision=False")


WITH_TINY = """
import runpy, sys
sys.path[:0] = [".", "tests"]
import toy
from training import line_trainer, networks
networks.NETWORKS["line"], line_trainer.COUNTED = toy.line_network, (300, 300)
runpy.run_path("model.py", run_name="__main__")
"""


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory) -> tuple[Path, str, str]:
    """The folder of a run that was ended after six epochs or more, and what it printed."""
    models = tmp_path_factory.mktemp("models")
    command = [sys.executable, "-c", WITH_TINY, f"--data_path={data}", f"--pen_path={data}", f"--models_path={models}",
               f"--paper_path={data}", "--finetune=", *TRAIN, "--train_epochs=16"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
                               start_new_session=True, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"})
    while process.poll() is None and not any(len(toy.history(folder)) >= 6 for folder in models.iterdir()):
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)   # as a terminal does: the processes that write get it too
    output, notes = process.communicate(timeout=240)
    assert process.returncode == 0 and "Traceback" not in notes and "ended early" in notes, notes
    folder, = models.iterdir()
    return folder, output, notes


@pytest.fixture
def small(data, monkeypatch):
    """Trains the tiny network in this process until the last epoch; returns the trainer and the run's folder."""
    monkeypatch.setitem(networks.NETWORKS, "line", toy.line_network)

    def train(models: Path, *more: str) -> tuple[line_trainer.LineTrainer, Path]:
        config = line_config(data, *TRAIN, f"--models_path={models}", *more)
        trainer = pipeline.load(config)
        folder = models / config.resume if config.resume else pipeline.new_folder(models)
        pipeline.train(trainer, folder)
        return trainer, folder
    return train


def test_the_loss_is_the_same_on_a_cpu_and_a_gpu(monkeypatch):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(8, 40, 30)).astype("float32")
    labels = rng.integers(1, 30, (8, 20), dtype=np.int32) * (np.arange(20) < rng.integers(1, 21, (8, 1)))
    here = np.array(line_validation.ctc_loss(labels, logits))
    monkeypatch.setattr(devices, "gpus", lambda: ["gpu:0"])
    np.testing.assert_allclose(here, np.array(line_validation.ctc_loss(labels, logits)), rtol=1e-4)


def test_the_loss_of_a_text_that_is_all_but_impossible_is_finite():
    logits = np.zeros((2, 10, 5), "float32")
    logits[..., 0], logits[:, :, 3] = 100, -200   # the blank is all but sure
    assert np.isfinite(line_validation.ctc_loss(np.array([[3, 1], [3, 3]], np.int32), logits)).all()


def test_a_line_reader_learns_and_reads(trained):
    folder, printed, _ = trained
    about = runs.read_config(folder.parent, folder.name)
    assert about["reads"] == "lines" and about["decoding"].keys() == asdict(line_recognizer.Decoding()).keys()
    # It has learned from words of these letters alone, so it expects them as often as it saw them.
    shares = dict(zip(alphabets.ALPHABET, np.exp(about["decoding"]["label_prior"])))
    assert sum(shares.values()) == pytest.approx(1, abs=0.02) and shares["e"] > 5 * shares["Q"]
    figures = json.loads((folder / "metrics.json").read_text())["validation"]
    assert figures["cer_words"] < 0.35 and f"cer_words {figures['cer_words']:.4g}" in printed
    assert {"model.keras", "model.onnx", "metrics.json", "readings.png", "training.png"} < {
        path.name for path in folder.iterdir()}
    assert {"epoch_loss", "epoch_cer_words", "epoch_wer_lines", "truth, and what was read",
            "line images as the network sees them"} <= toy.logged(folder / "logs")
    ink = pen_strokes.draw_strokes(draw_samples.strokes_of(["send"], 60, 3, 16), 5, margin=24)
    line, = recognizer.Recognizer(folder.name, str(folder.parent)).recog(255 - ink).lines
    assert line.text == "send"
    boxes = [character.box for character in line.words[0].characters]
    assert boxes == sorted(boxes) and all(width > 0 and height > 20 for _, _, width, height in boxes)


def test_a_line_reader_goes_on(small, trained, tmp_path, capsys):
    folder = tmp_path / trained[0].name
    shutil.copytree(trained[0], folder)
    before = toy.history(folder)
    small(tmp_path, f"--resume={folder.name}", f"--train_epochs={len(before) + 1}")
    assert f"going on after epoch {len(before)} of {len(before) + 1}" in capsys.readouterr().out
    assert toy.history(folder)[:-1] == before and toy.history(folder)[-1] < 1.3 * before[-1]


def test_the_mean_of_all_cycles_and_the_first_network_is_kept(small, trained, tmp_path, monkeypatch):
    base, ends = trained[0], []
    end_cycle = line_trainer.LineTrainingModel.end_cycle
    monkeypatch.setattr(line_trainer.LineTrainingModel, "end_cycle",
                        lambda model: (ends.append(model.network.get_weights()), end_cycle(model)))
    trainer, tuned = small(base.parent, f"--finetune={base.name}", "--preset=line", "--start_share=0.25",
                           "--epoch_steps=4", "--train_epochs=2", "--cycles=2", "--learning_rate=0.01")
    first, kept = (networks.load_network(base.parent, each.name).get_weights() for each in (base, tuned))
    training = trainer.build_model()
    callbacks.restore(training, tuned / "checkpoint.npz")
    last = training.network.get_weights()
    (middle,) = ends
    for old, one, two, mean in zip(first, middle, last, kept, strict=True):
        np.testing.assert_allclose(mean, 0.25 * old + 0.375 * (one + two), atol=1e-5)
    for old, new in ((first, middle), (middle, last)):
        assert any(np.abs(before - after).max() > 0.005 for before, after in zip(old, new))
    for resumed, mean in zip(trainer.kept(training).get_weights(), kept, strict=True):
        np.testing.assert_allclose(resumed, mean, atol=1e-5)
    before = (tuned / "model.keras").read_bytes()
    small(base.parent, f"--resume={tuned.name}", f"--finetune={base.name}", "--train_epochs=3", "--start_share=0.9")
    assert (tuned / "model.keras").read_bytes() != before, "figures under another setting are no measure"


def test_the_rate_falls_to_nothing_in_each_cycle():
    rate = optimizer.CosineCycles(0.5, 40)
    rates = [float(rate(step)) for step in range(80)]
    assert max(rates) == pytest.approx(0.5) and rates[:40] == rates[40:] and rates[39] < 0.005 < rates[20]


def upside_down(seeds: range) -> list[tuple[str, list[np.ndarray]]]:
    """Words of somebody who writes upside down."""
    return [(text, [stroke * (1, -1) for stroke in draw_samples.strokes_of([text], 60, seed, 16)])
            for seed in seeds for text in ("send", "salted", "lines")]


def test_a_line_reader_learns_a_writer_from_corrected_words(small, trained, tmp_path):
    base = trained[0]
    for text, strokes in upside_down(range(4)):
        corrections_store.remember_word(tmp_path, strokes, text)
    trainer, tuned = small(base.parent, f"--finetune={base.name}", f"--corrections_path={tmp_path}", "--train_epochs=4",
                           "--corrections=0.5")
    about = runs.read_config(tuned.parent, tuned.name)
    assert about["corrected_words"] == 12 and about["reads"] == "lines"
    assert about["decoding"] == runs.read_config(base.parent, base.name)["decoding"]
    network, rest = networks.load_network(tuned.parent, tuned.name), upside_down(range(4, 8))

    def read(each) -> float:
        texts = line_recognizer.LineReader(each).read_lines([pen_strokes.draw_strokes(word, 5) for _, word in rest])
        return metrics.cer([(truth, text.text) for (truth, _), text in zip(rest, texts, strict=True)])

    before, after = read(Network(base.parent, base.name).each), read(functools.partial(map, network.predict_on_batch))
    assert before > 0.5 and after < 0.3
    assert trainer.data.measure(network)["cer_words"] < 0.4, "nothing is forgotten"


def test_what_one_writer_gains_is_measured(small, trained, data, tmp_path, capsys, monkeypatch):
    toy.write_pen(tmp_path, {"remolds": 20, "a lid": 10} | dict.fromkeys("adehilmnorstw25", 6))
    monkeypatch.setattr(measure_adaptation, "configure", lambda space, arguments: configure(
        space, [*arguments, "--epoch_steps=4", "--batch_size=8", "--mixed_precision=False"]))
    measure_adaptation.main([f"--unixTime={trained[0].name}", f"--models_path={trained[0].parent}",
                             f"--data_path={data}", f"--pen_path={tmp_path}", "--split=val", "--writers=1", "--most=4"])
    table = capsys.readouterr().out
    assert re.search(r"\| val/\d \| [12] \| \d \|( [\d.]+ \|){6}", table) and "| mean |" in table


def test_what_goes_wrong_while_lines_are_written_ends_the_training(small, trained, data, tmp_path, monkeypatch):
    class Broken(prefetch.Prefetcher):
        def __init__(self, *_):
            self._written, self.processes = queue.Queue(), []
            self._written.put(errors.DataError("no more"))

        def close(self):
            self.closed = True

    monkeypatch.setattr(prefetch, "Prefetcher", Broken)
    setup = line_config(data, *TRAIN, f"--models_path={tmp_path}")
    trainer = line_trainer.LineTrainer(setup, line_trainer.Validation(setup))
    with pytest.raises(errors.DataError, match="no more"):
        trainer.fit(trainer.build_model(), [])
    assert trainer.batches.prefetcher.closed


def test_a_network_that_knows_fewer_characters_learns_the_others(data, tmp_path, monkeypatch):
    monkeypatch.setitem(networks.NETWORKS, "line", toy.line_network)
    with monkeypatch.context() as before:
        before.setattr(networks, "LINE_CLASSES", 96)
        old = networks.build("line")
    networks.save_network(old, tmp_path / "1" / "model.keras")
    (tmp_path / "1" / "config.json").write_text('{"reads": "lines", "settings": {"network": "line"}}')
    setup = line_config(data, f"--models_path={tmp_path}", "--preset=line", "--finetune=1")
    new = line_trainer.LineTrainer(setup, None).first_network()
    images = np.random.default_rng(0).integers(0, 256, (1, line_image.HEIGHT, 64), dtype=np.uint8)
    one, other = (network.predict_on_batch(images) for network in (old, new))
    np.testing.assert_allclose(other[..., :96], one, atol=1e-4)
    label, like = alphabets.LABELS["é"], alphabets.LABELS["e"]
    np.testing.assert_allclose(other[..., label], one[..., like] - line_trainer.RARER, atol=1e-4)


def test_wrong_labels_do_not_count_once_the_others_are_read(data):
    model = line_trainer.LineTrainer(line_config(data), None).build_model()
    logits = np.full((3, 9, networks.LINE_CLASSES), -9.0, np.float32)
    logits[:, :, 0] = 0
    logits[:, 1, 5], logits[:, 4, 6] = 9, 9
    both, right, wrong = np.concatenate([logits, logits], axis=-1), [5, 6], [7, 8]

    def loss(*labels):
        return float(model.compute_loss(None, np.array(labels, np.int32), both[:len(labels)], training=False))

    assert loss(right, right, wrong) == pytest.approx(loss(right, right), abs=1e-5) and loss(wrong, wrong) > 3.5


def test_the_line_network_trains(data):
    setup = line_config(data, "--dry_run")
    model = line_trainer.LineTrainer(setup, line_trainer.Validation(setup)).build_model()
    model.run_eagerly = True   # which starts faster
    images = np.random.default_rng(0).integers(0, 256, (2, line_image.HEIGHT, 64), dtype=np.uint8)
    losses = [float(model.train_on_batch(images, np.array([[5, 6], [7, 0]], np.int32))) for _ in range(3)]
    assert losses[2] < losses[0]
