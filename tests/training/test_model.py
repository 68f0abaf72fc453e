"""Training as a user runs it: on a small data set of its own, from the command line."""
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pytest
import toy

import model
from common import alphabets, runs
from training import augment, character_trainer, corrections_store, dataset, emnist, metrics, networks

ROOT = Path(__file__).resolve().parents[2]
CHARACTERS = "012ABxyz"
SMALL = ["--learning_rate=0.003", "--batch_size=40", "--val_split=0.2", "--steps_per_call=2"]
FILES = ("model.keras", "config.json", "metrics.json", "confusion.png", "errors.png", "training.png")
FILES_OF_LINES = ("model.keras", "config.json", "metrics.json", "readings.png", "training.png")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return toy.write_all(tmp_path_factory.mktemp("data"), 50, CHARACTERS)


def train(data: Path, models: Path, *more: str, **options) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "model.py"), f"--data_path={data}", f"--models_path={models}", *SMALL, *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)


def only_run(models: Path) -> Path:
    folders = list(models.iterdir())
    assert len(folders) == 1
    return folders[0]


def metrics_of(folder: Path) -> dict:
    return json.loads((folder / "metrics.json").read_text())


def history(folder: Path) -> list[float]:
    state, _ = character_trainer.load_checkpoint(folder / "checkpoint.npz")
    return [epoch["val_loss"] for epoch in state["history"]]


def test_a_run_learns_and_leaves_everything(data, tmp_path):
    done = train(data, tmp_path, "--train_epochs=12", "--augmentation=0.5", "--label_smoothing=0.02")
    assert done.returncode == 0, done.stderr
    folder = only_run(tmp_path)
    assert abs(int(folder.name) - time.time()) < 300
    assert all((folder / name).stat().st_size > 0 for name in FILES)
    test = metrics_of(folder)["emnist_test"]
    assert test["accuracy"] > 0.85 and test["images"] == 80 and test["loss"] < 0.6
    assert f"accuracy {test['accuracy']:.4f}" in done.stdout
    config = json.loads((folder / "config.json").read_text())
    assert config["settings"]["learning_rate"] == 0.003 and config["images"]["emnist_train"] == 320
    assert len(config["sha256"]) == 4 and config["versions"]["keras"]
    tags = toy.logged(folder / "logs")
    assert {"epoch_loss", "epoch_accuracy", "epoch_learning_rate", "glyphs as the network sees them",
            "confusion", "errors", "test_accuracy"} <= tags
    check = subprocess.run([sys.executable, "-m", "tools.check_acc_loss", folder.name, f"--models_path={tmp_path}",
                            f"--data_path={data}", "--pen_path="], capture_output=True, text=True, timeout=120)
    assert check.returncode == 0, check.stderr
    assert f"| {test['accuracy']:.4f} |" in check.stdout and f"| {folder.name} |" in check.stdout

    more = train(data, tmp_path, f"--finetune={folder.name}", "--train_epochs=1", "--learning_rate=0.0001",
                 "--corrections=0", "--pen=False")
    assert more.returncode == 0, more.stderr
    tuned = next(path for path in tmp_path.iterdir() if path != folder)
    assert metrics_of(tuned)["emnist_test"]["accuracy"] > 0.8, "one step from scratch would know nothing"


def test_finetuning_learns_corrections_and_does_not_forget(data, tmp_path):
    """Somebody writes A upside down."""
    train(data, tmp_path, "--train_epochs=12")
    base = only_run(tmp_path)
    glyphs, labels = toy.samples(30, 5, "A")
    strange = np.ascontiguousarray(glyphs[:, ::-1])
    missing = train(data, tmp_path, f"--finetune={base.name}", f"--corrections_path={tmp_path}/none", "--pen=False")
    assert missing.returncode == 2 and "holds no corrected characters" in missing.stderr.splitlines()[-1]
    corrections_store.write_corrections(tmp_path / "kept", strange[:15], labels[:15])
    done = train(data, tmp_path, f"--finetune={base.name}", f"--corrections_path={tmp_path}/kept", "--pen=False",
                 "--train_epochs=8")
    assert done.returncode == 0, done.stderr
    tuned = next(path for path in tmp_path.iterdir() if path.name.isdigit() and path != base)
    about = runs.read_config(str(tmp_path), tuned.name)
    assert about["images"]["corrections"] == 15 and about["settings"]["network"] == "dense"
    assert about["prior_of_drawings"] == runs.read_config(str(tmp_path), base.name)["prior_of_drawings"]
    before, after = ((metrics.predict(networks.load_network(str(tmp_path), run.name), strange[15:], labels[15:]).guesses
                      == labels[15:]).mean() for run in (base, tuned))
    assert before < 0.5 and after > 0.8
    assert metrics_of(tuned)["emnist_test"]["accuracy"] > 0.8


def test_the_mean_of_first_and_last_weights_is_kept_where_it_is_better(data, tmp_path):
    train(data, tmp_path, "--train_epochs=12")
    base = only_run(tmp_path)
    network = networks.load_network(str(tmp_path), base.name)
    good = network.get_weights()
    rng = np.random.default_rng(0)
    aside = [rng.normal(0, 0.3, weights.shape) for weights in good]
    for name, sign in (("1", -1), ("2", 1)):
        shutil.copytree(base, tmp_path / name)
        network.set_weights([weights + sign * change for weights, change in zip(good, aside)])
        networks.save_network(network, tmp_path / name / "model.keras")
    images, labels = emnist.read_emnist(str(data), "train")
    character_trainer.average(tmp_path / "2", {"models_path": str(tmp_path), "finetune": "1"},
                     lambda network: metrics.measure(metrics.predict(network, images[-80:], labels[-80:]))["loss"])
    for kept, weights in zip(networks.load_network(str(tmp_path), "2").get_weights(), good):
        np.testing.assert_allclose(kept, weights, atol=0.01)
    refused = train(data, tmp_path, "--average=True")
    assert refused.returncode == 2 and "--average needs --finetune=" in refused.stderr.splitlines()[-1]


@pytest.mark.parametrize("shipped", [runs.DEFAULT_CHARACTERS, runs.DEFAULT_SEGMENTING])
def test_a_shipped_network_goes_on_from_what_it_knows(shipped):
    config = model.configure([f"--finetune={shipped}", f"--models_path={ROOT / 'Models'}"])
    assert config["val_split"] == runs.read_config(str(ROOT / "Models"), shipped)["settings"]["val_split"] != 0.1
    glyphs = np.random.default_rng(0).integers(0, 256, (4, 28, 28), dtype=np.uint8)
    known = networks.load_network(str(ROOT / "Models"), shipped).predict_on_batch(glyphs)
    np.testing.assert_allclose(model.first_network(config).predict_on_batch(glyphs), known, atol=1e-4)


def test_resume_gives_what_an_uninterrupted_run_gives(data, tmp_path):
    train(data, tmp_path / "whole", "--train_epochs=5")
    train(data, tmp_path / "parts", "--train_epochs=3")
    folder = only_run(tmp_path / "parts")
    first = history(folder)
    done = train(data, tmp_path / "parts", f"--resume={folder.name}", "--train_epochs=5")
    assert done.returncode == 0, done.stderr
    whole = history(only_run(tmp_path / "whole"))
    assert len(first) == 3 and len(whole) == 5
    np.testing.assert_allclose(history(folder), whole, rtol=0.02)


def test_ctrl_c_keeps_and_scores_the_best_network(data, tmp_path):
    command = [sys.executable, str(ROOT / "model.py"), f"--data_path={data}", f"--models_path={tmp_path}", *SMALL,
               "--train_epochs=100000", "--patience=100000"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    deadline = time.time() + 120
    while not list(tmp_path.glob("*/checkpoint.npz")) and time.time() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    folder = only_run(tmp_path)
    assert process.returncode == 0 and "Traceback" not in errors, errors
    assert f"--resume={folder.name}" in errors
    assert metrics_of(folder)["emnist_test"]["images"] == 80


def test_ctrl_c_ends_a_training_even_where_python_would_lose_it():
    class LosesIt:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)   # an exception in a destructor is reported, no more

    seen = []

    class Presses(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            seen.append(batch)
            if batch == 3:
                LosesIt()

    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    network.compile(loss="mse")
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), character_trainer.Interrupt() as interrupt:
        network.fit(np.zeros((64, 2)), np.zeros((64, 1)), batch_size=2, verbose=0, callbacks=[Presses(), interrupt])
    assert seen == [0, 1, 2, 3] and signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("arguments, named", [
    (["--learning_rat=1"], "learning_rate"), (["--train_epochs=many"], "train_epochs"),
    (["--network=transformer"], "dense, conv, deepconv, resnet, wide, lstm, mixer"), (["--preset=fast"], "best"),
    (["--preset=corrections"], "--finetune="), (["--resume=123"], "123"), (["--teacher=123"], "123"),
    (["--data_path=nowhere"], "nowhere")])
def test_bad_settings_are_refused_in_one_sentence(data, tmp_path, arguments, named):
    offline = {**os.environ, "https_proxy": "http://127.0.0.1:9"}
    done = train(data, tmp_path / "models", *arguments, env=offline, cwd=tmp_path)
    sentences = [line for line in done.stderr.splitlines() if line.startswith("model.py: ")]
    assert done.returncode == 2 and len(sentences) == 1 and named in sentences[0], done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("models/*")), "nothing may be written"


ONE_STEP = """
import numpy as np, keras
from training import networks
from training import character_trainer
glyphs = np.random.default_rng(0).integers(0, 256, (16, 28, 28), dtype=np.uint8)
targets = np.stack([np.arange(16)] * 2 + [np.arange(16) % 3], 1).astype(np.int32)
targets[3, 1] = 40
for name in networks.NETWORKS:
    network = networks.build(name)
    assert network(glyphs).shape == (16, 62)
    teacher = networks.build("dense")
    order = character_trainer.EpochSampler(np.arange(12), targets[:, 0], np.arange(12, 16), 4)
    trainee = character_trainer.TrainingModel(network, glyphs, targets, np.zeros((3, 62), "float32"), 16, 4, 4, 1.0, 0.1, teacher, 0.5)
    trainee.compile(character_trainer.Adam(0.001), jit_compile=False)
    before = [np.array(w) for w in network.get_weights()]
    losses = trainee.fit(order.places, batch_size=4, shuffle=False, validation_data=(order.val_places,),
                         callbacks=[order], verbose=0).history
    assert np.isfinite(losses["loss"][0]) and np.isfinite(losses["val_loss"][0])
    assert any((a != b).any() for a, b in zip(before, network.get_weights()))
    print("trained", name)
"""


@pytest.mark.parametrize("backend, package", [("tensorflow", "tensorflow"), ("jax", "jax"), ("torch", "torch")])
def test_every_network_trains_on_every_backend(backend, package):
    if not find_spec(package):
        pytest.skip(f"{package} is not installed")
    done = subprocess.run([sys.executable, "-c", ONE_STEP], cwd=ROOT, env={**os.environ, "KERAS_BACKEND": backend},
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("trained") == len(networks.NETWORKS)


TWO_DEVICES = """
import sys
import tensorflow as tf
devices = int(sys.argv[1])
if devices > 1:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * devices)
    tf.distribute.experimental_set_strategy(tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(devices)]))
import numpy as np, keras, model
from training import dataset
keras.utils.set_random_seed(0)
glyphs = np.random.default_rng(0).integers(0, 256, (200, 28, 28), dtype=np.uint8)
labels = np.arange(200, dtype=np.int32) % 10
glyphs[np.arange(200), labels * 2] = 255
data = dataset.Data(glyphs, np.stack([labels, labels, 0 * labels], 1), labels, np.arange(160), np.arange(160, 200),
                  np.zeros((3, 62), np.float32), {})
config = model.configure(["--batch_size=20", "--dropout=0", "--learning_rate=0.003"])
trainee, order = model.build_training_model(config, data)
history = trainee.fit(order.places, batch_size=20, shuffle=False, validation_data=(order.val_places,),
                      validation_batch_size=20, epochs=3, callbacks=[order], verbose=0).history
print(history["val_loss"])
"""


def test_two_devices_learn_what_one_learns():
    losses = []
    for devices in "1", "2":
        done = subprocess.run([sys.executable, "-c", TWO_DEVICES, devices], cwd=ROOT, capture_output=True, text=True,
                              timeout=300, env={**os.environ, "KERAS_BACKEND": "tensorflow"})
        assert done.returncode == 0, done.stderr
        losses.append(json.loads(done.stdout.splitlines()[-1]))
    one, two = losses
    assert one[-1] < one[0] - 0.2
    np.testing.assert_allclose(two, one, rtol=0.03)


def test_what_is_trained_in_16_bits_is_kept_in_32():
    glyphs = np.random.default_rng(0).integers(0, 256, (8, 28, 28), dtype=np.uint8)
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        trained = networks.build("lstm")
    finally:
        keras.mixed_precision.set_global_policy("float32")
    kept = character_trainer.in_float32(trained)
    assert "bfloat16" in {layer.compute_dtype for layer in trained.layers}
    assert {layer.compute_dtype for layer in kept.layers[1:]} == {"float32"}
    np.testing.assert_allclose(kept.predict_on_batch(glyphs), trained.predict_on_batch(glyphs), atol=0.05)
    assert character_trainer.in_float32(kept) is kept


def test_either_label_costs_the_sum_of_both_probabilities():
    logits = np.random.default_rng(0).normal(size=(2, 62)).astype(np.float32)
    targets = np.array([[12, 38, 0], [5, 5, 1]], np.int32)
    shift = np.linspace(-1, 1, 62).astype(np.float32)
    trainee = character_trainer.TrainingModel(networks.build("dense"), np.zeros((2, 28, 28), np.uint8), targets,
                               np.stack([0 * shift, shift]), places=2)
    chances = [np.exp(row) / np.exp(row).sum() for row in (logits[0], logits[1] + shift)]
    expected = -(np.log(chances[0][12] + chances[0][38]) + np.log(chances[1][5])) / 2
    outputs = np.hstack([logits, targets]).astype(np.float32)
    assert float(trainee.compute_loss(y_pred=outputs)) == pytest.approx(expected, rel=1e-5)


def test_fused_adam_is_keras_adam():
    import keras

    def weights(optimizer):
        keras.utils.set_random_seed(0)
        network = keras.Sequential([keras.Input((5,)), keras.layers.Dense(7, activation="tanh"), keras.layers.Dense(3)])
        network.compile(optimizer(keras.optimizers.schedules.CosineDecay(0.05, 50), weight_decay=0.1), "mse")
        rng = np.random.default_rng(0)
        network.fit(rng.normal(size=(200, 5)), rng.normal(size=(200, 3)), batch_size=20, epochs=4, shuffle=False,
                    verbose=0)
        return network.get_weights()

    for ours, theirs in zip(weights(character_trainer.Adam), weights(keras.optimizers.Adam)):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_a_network_softens_what_it_reads_and_not_what_it_learns_from():
    point = np.zeros((1, 28, 28), np.float32)
    point[0, 14, 0] = 1
    soften = networks.Soften()
    np.testing.assert_array_equal(soften(point), point)   # until it is told how much
    networks.set_softness(keras.Sequential([keras.Input((28, 28)), soften]), 0.1)
    np.testing.assert_array_equal(soften(point, training=True), point)
    # By hand: 0.8 stay and 0.1 go to either side, in both directions; to the left of the edge there is nothing.
    np.testing.assert_allclose(soften(point)[0, 12:17, :3], [[0, 0, 0], [0.08, 0.01, 0], [0.64, 0.08, 0],
                                                            [0.08, 0.01, 0], [0, 0, 0]], atol=1e-6)


def test_a_network_softens_as_augmentation_does_and_a_teacher_not_once_more():
    """Fine lines, a little changed in many ways, become on average as pale as the softened ones."""
    lines = np.tile(np.float32([0, 200]), (28, 14))
    soften = networks.Soften()
    network = keras.Sequential([keras.Input((28, 28)), soften])
    for strength in (0.05, 0.1):
        networks.set_softness(network, augment.softness(strength))
        pictures = augment.augment(np.tile(lines, (400, 1, 1)), keras.random.SeedGenerator(1), 1, strength)
        spreads = [np.abs(np.diff(np.float32(each)[:, 6:22, 6:22])).mean() for each in (pictures, soften(lines[None]))]
        assert spreads[1] < 0.95 * 200 and spreads[0] == pytest.approx(spreads[1], rel=0.03)
    assert augment.softness(0.0) == 0 and augment.softness(1.0) == pytest.approx(1 / 12, abs=0.003)
    glyphs, labels = toy.samples(5, 3, CHARACTERS)
    teacher = networks.build("dense")
    for strength, expected in ((0.0, 0.06), (0.5, 0.0)):
        networks.set_softness(teacher, 0.06)
        character_trainer.TrainingModel(networks.build("dense"), glyphs, np.zeros((len(glyphs), 3), np.int32),
                         np.zeros((1, 62), np.float32), 40, augmentation=strength, teacher=teacher, teacher_share=0.5)
        assert float(teacher.get_layer("soften").softness) == pytest.approx(expected)


def test_biases_fitted_to_images_of_another_mix_suit_the_natural_one():
    rng = np.random.default_rng(0)
    common = np.flatnonzero(alphabets.OFFICIAL_COUNTS > 15000)     # of which there are enough
    wrong = np.zeros(62)
    wrong[common] = rng.normal(0, 0.7, len(common))
    logits = rng.normal(0, 1, (40_000, 62)) + np.log(alphabets.OFFICIAL_COUNTS)
    labels = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    powers = np.exp(logits + wrong)
    reading = metrics.Predictions(powers / powers.sum(axis=1, keepdims=True), labels)
    # Files that hold three in four of all images of every other class, and one in four of the rest.
    kept = rng.random(len(labels)) < np.where(labels % 2, 0.75, 0.25)
    rows = np.flatnonzero(kept[:-2000])
    learned = metrics.Predictions(reading.probabilities[rows], labels[rows])
    bias = character_trainer.fit_natural_bias(learned, metrics.Predictions(reading.probabilities[-2000:], labels[-2000:]))
    np.testing.assert_allclose((bias - bias[common].mean())[common], (wrong[common].mean() - wrong)[common], atol=0.25)
    few = metrics.Predictions(learned.probabilities[:20], learned.labels[:20])
    bias = character_trainer.fit_natural_bias(few, metrics.Predictions(reading.probabilities[-2000:], labels[-2000:]))
    assert np.abs(bias).max() < 0.8, "twenty images may not move a class far"


STROKES = {"0": [[50, 0, 10, 30, 10, 70, 50, 100, 90, 70, 90, 30, 50, 0]], "1": [[20, 20, 50, 0, 50, 100]],
           "A": [[0, 100, 50, 0, 100, 100], [25, 60, 75, 60]], "z": [[0, 0, 90, 0, 0, 100, 90, 100]]}


def write_strokes(folder: Path, wrong: int) -> None:
    """Pen strokes of some characters, `wrong` of those for learning with another's label."""
    rng = np.random.default_rng(0)
    with gzip.open(folder / "characters.jsonl.gz", "wt") as file:
        for split, count in (("train", 200), ("val", 60), ("test", 40)):
            for i in range(count):
                label = "01Az"[i % 4]
                strokes = [(np.array(stroke) + rng.integers(-6, 7, len(stroke))).tolist() for stroke in STROKES[label]]
                if split == "train" and i < wrong:
                    label = "01Az"[(i + 1) % 4]
                file.write(json.dumps({"label": label, "writer": f"toy/{split}", "style": "printed", "split": split,
                                       "strokes": strokes}) + "\n")


def test_a_teacher_refuses_pen_strokes_that_are_labelled_wrongly(tmp_path):
    data = toy.write_all(tmp_path / "data", 50, "01Az")
    pens = ["--pen=True", "--renderings=2", f"--pen_path={tmp_path}", "--augmentation=0.2", "--train_epochs=20"]
    write_strokes(tmp_path, wrong=0)
    assert train(data, tmp_path / "models", *pens).returncode == 0
    teacher = only_run(tmp_path / "models")
    assert metrics_of(teacher)["pen_test"]["accuracy"] > 0.9
    write_strokes(tmp_path, wrong=8)
    done = train(data, tmp_path / "models", *pens, f"--teacher={teacher.name}")
    assert done.returncode == 0, done.stderr
    left_out = re.search(r"(\d+) of 200 pen strokes left out", done.stdout)
    assert left_out and 6 <= int(left_out[1]) <= 8
    taught = next(path for path in (tmp_path / "models").iterdir() if path != teacher)
    assert metrics_of(taught)["pen_test"]["accuracy"] > 0.9
    assert json.loads((taught / "config.json").read_text())["images"]["pen_strokes"] == 200 - int(left_out[1])


def test_class_cap_shows_other_rows_each_epoch():
    groups = np.repeat([0, 1], [9000, 1000])
    order = character_trainer.EpochSampler(np.arange(10000), groups, np.arange(0), batch_size=5, class_cap=2000)
    first, second = order.shuffled(0), order.shuffled(1)
    assert order.images == 3000 and np.bincount(groups[first]).tolist() == [2000, 1000]
    assert set(first[groups[first] == 0]) != set(second[groups[second] == 0])
    assert 0.28 < groups[first][:1500].mean() < 0.39, "the mix is the same from the first batch to the last"


def test_each_epoch_sees_one_picture_of_a_drawing():
    glyphs = [np.full((count, 28, 28), value, np.uint8) for count, value in ((4, 10), (2, 20), (3, 30))]
    scans, validation, drawings = (dataset.Source(name, images, np.arange(len(images), dtype=np.uint8),
                                                np.arange(len(images), dtype=np.uint8), mix)
                                   for name, images, mix in zip(("emnist_train", "emnist_validation", "pen_strokes"),
                                                                glyphs, (dataset.SCANS, dataset.NATURAL, dataset.DRAWINGS)))
    drawings = drawings._replace(again=(glyphs[2] + 1, glyphs[2] + 2))
    config = {"renderings": 3, "natural_prior": False, "class_cap": 0, "corrections": 0.0}
    data = dataset.join(config, np.concatenate(glyphs[:2]), [scans, validation, drawings])
    order = character_trainer.EpochSampler(data.train_rows, data.groups, data.val_rows, batch_size=1, alike=data.alike)
    seen = Counter()
    for epoch in range(60):
        rows = order.shuffled(epoch)
        assert sorted(data.images[rows, 0, 0] // 10) == [1] * 4 + [3] * 3
        assert sorted(data.targets[rows[data.targets[rows, 2] == dataset.DRAWINGS], 0]) == [0, 1, 2]
        seen.update(zip(data.targets[rows, 0].tolist(), data.images[rows, 0, 0].tolist()))
    assert all(seen[label, 30 + pen] > 5 for label in range(3) for pen in range(3))


def test_shipped_runs_are_complete():
    names = runs.list_runs(str(ROOT / "Models"))
    kinds = {runs.read_config(str(ROOT / "Models"), name)["settings"]["network"] for name in names}
    assert {"dense", "mixer", "line"} < kinds and kinds & {"resnet", "deepconv"}
    lines, characters = (runs.list_runs(str(ROOT / "Models"), kind) for kind in ("lines", "characters"))
    assert sorted(lines + characters) == names
    assert runs.DEFAULT in names and runs.DEFAULT_CHARACTERS in characters
    for name in names:
        files = FILES if name in characters else FILES_OF_LINES
        assert all((ROOT / "Models" / name / file).is_file() for file in files)
        assert list((ROOT / "Models" / name / "logs").rglob("events.*"))
        assert re.fullmatch(rf"\w+, \d+\.\d %, {name}", runs.describe(str(ROOT / "Models"), name))
