"""How networks for characters learn: losses, sampling, augmentation, backends and devices."""
import os
import signal
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import toy

import model
from common import runs
from training import (
    augment,
    callbacks,
    character_trainer,
    config,
    dataset,
    devices,
    networks,
    optimizer,
)

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "Models"
DEFAULTS = config.configure(vars(model), [])


# ---- data

def source(name: str, labels: list[int], mix: int) -> dataset.Source:
    labels = np.array(labels, np.uint8)
    return dataset.Source(name, np.tile(labels[:, None, None], (1, 28, 28)), labels, mix)


def test_sources_are_joined_and_corrections_get_their_share_of_an_epoch():
    sources = [source("emnist_train", [0] * 6 + [1] * 4, dataset.SCANS),
               source("emnist_validation", [1, 2], dataset.NATURAL),
               source("pen_strokes", [61] * 5, dataset.PEN_STROKES), source("pen_words", [3, 3, 24], dataset.PEN_WORDS),
               source("corrections", [60, 59], dataset.PEN_STROKES)]
    images = np.concatenate([each.images for each in sources[:2]])
    data = dataset.join(replace(DEFAULTS, corrections=0.5), images, sources)
    assert len(data.images) == 22 and data.val_rows.tolist() == [10, 11]
    assert (data.images[:, 0, 0] == data.targets[:, 0]).all()
    counts = np.bincount(data.train_rows, minlength=22)
    assert counts[:20].tolist() == [1] * 10 + [0, 0] + [1] * 8 and counts[20:].sum() == 18
    assert len(np.unique(data.groups)) == 2 + 2 + 1 + 2 + 2, "each class of each source is a group of its own"
    assert data.prior_shift[dataset.PEN_WORDS].any() and not data.prior_shift[dataset.NATURAL].any()


def test_images_of_unknown_case_count_for_both_letters_and_a_dry_run_reads_a_few(tmp_path):
    toy.write_all(tmp_path, 20, "Oo")
    glyphs, _ = toy.samples(40, 5, "O")
    for kind, content in (("images-idx3", toy.idx(glyphs.transpose(0, 2, 1), 0x803)),
                          ("upper-labels-idx1", toy.idx(np.full(40, 24, np.uint8), 0x801)),
                          ("lower-labels-idx1", toy.idx(np.full(40, 50, np.uint8), 0x801))):
        (tmp_path / f"emnist-byclass-train-either-{kind}-ubyte").write_bytes(content)
    data = dataset.load(replace(DEFAULTS, data_path=str(tmp_path), either_case=True))
    assert data.sizes["emnist_either_case"] == 40 and data.targets[-1].tolist() == [24, 50, dataset.SCANS]
    assert np.array_equal(data.images[-40:], glyphs) and data.targets[0, 0] == data.targets[0, 1]
    counts = dataset.class_counts(dataset.Source("", glyphs, data.targets[-40:, 0], 0, data.targets[-40:, 1]), 10)
    assert counts.sum() == pytest.approx(10) and counts[24] == pytest.approx(10 * 24983 / (24983 + 2749))
    assert dataset.load(replace(DEFAULTS, data_path=str(tmp_path), dry_run=True)).sizes["emnist_train"] == 36


def test_class_cap_shows_other_rows_each_epoch():
    groups = np.repeat([0, 1], [9000, 1000])
    sampler = character_trainer.EpochSampler(np.arange(10000), groups, np.arange(0), batch_size=5, class_cap=2000)
    first, second = sampler.sample(0), sampler.sample(1)
    assert sampler.images == 3000 and np.bincount(groups[first]).tolist() == [2000, 1000]
    assert set(first[groups[first] == 0]) != set(second[groups[second] == 0])
    assert 0.28 < groups[first][:1500].mean() < 0.39, "the mix is the same from the first batch to the last"


def test_a_teacher_refuses_pen_strokes_that_are_labelled_wrongly(monkeypatch):
    monkeypatch.setattr(runs, "read_config", lambda *_: {"prior_of_drawings": [0.0] * 62})
    sources = [source("emnist_train", [1] * 4, dataset.SCANS), source("emnist_validation", [1], dataset.NATURAL),
               source("pen_strokes", [5, 5, 7, 7], dataset.PEN_STROKES)]
    data = dataset.join(DEFAULTS, np.concatenate([each.images for each in sources[:2]]), sources)
    seen = data.images[:, 0, 0].copy()
    seen[8] = 9   # the last pen stroke looks like a 9
    teacher = SimpleNamespace(predict_on_batch=lambda images: 20 * np.eye(62)[seen[5:]])
    left = character_trainer.without_doubtful(replace(DEFAULTS, teacher="1"), data, teacher)
    assert left.train_rows.tolist() == [0, 1, 2, 3, 5, 6, 7] and left.sizes["pen_strokes"] == 3


# ---- networks and losses

@pytest.mark.parametrize("shipped", [runs.DEFAULT_CHARACTERS, "1796083215"])
def test_a_shipped_network_goes_on_from_what_it_knows(shipped):
    setup = config.configure(vars(model), [f"--finetune={shipped}", f"--models_path={MODELS}"])
    assert setup.val_split == runs.read_config(MODELS, shipped)["settings"]["val_split"] != 0.1
    glyphs = np.random.default_rng(0).integers(0, 256, (4, 28, 28), dtype=np.uint8)
    data = dataset.Data(*[None] * 3, np.arange(200), np.arange(0), None, {})
    network = character_trainer.CharacterTrainer(replace(setup, class_cap=0), data).first_network()
    known = networks.load_network(MODELS, shipped).predict_on_batch(glyphs)
    np.testing.assert_allclose(network.predict_on_batch(glyphs), known, atol=1e-4)


def test_the_loss_is_cross_entropy_in_the_mix_that_images_come_from_and_either_case_is_right():
    logits = np.random.default_rng(0).normal(size=(2, 62)).astype(np.float32)
    targets = np.array([[12, 38, 0], [5, 5, 1]], np.int32)
    shift = np.linspace(-1, 1, 62).astype(np.float32)
    data = dataset.Data(np.zeros((2, 28, 28), np.uint8), targets, None, None, None, np.stack([0 * shift, shift]), {})
    training = character_trainer.TrainingModel(networks.build("dense"), data, 2, DEFAULTS)
    chances = [np.exp(row) / np.exp(row).sum() for row in (logits[0], logits[1] + shift)]
    expected = -(np.log(chances[0][12] + chances[0][38]) + np.log(chances[1][5])) / 2
    outputs = np.hstack([logits, targets]).astype(np.float32)
    assert float(training.compute_loss(y_pred=outputs)) == pytest.approx(expected, rel=1e-5)


def test_fused_adam_is_keras_adam():
    def weights(adam):
        keras.utils.set_random_seed(0)
        network = keras.Sequential([keras.Input((5,)), keras.layers.Dense(7, activation="tanh"), keras.layers.Dense(3)])
        network.compile(adam(keras.optimizers.schedules.CosineDecay(0.05, 50), weight_decay=0.1), "mse")
        rng = np.random.default_rng(0)
        network.fit(rng.normal(size=(200, 5)), rng.normal(size=(200, 3)), batch_size=20, epochs=4, shuffle=False,
                    verbose=0)
        return network.get_weights()

    for ours, theirs in zip(weights(optimizer.Adam), weights(keras.optimizers.Adam)):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_aligned_memory_is_shared_with_the_backend():
    array = devices.aligned((3, 28, 28))
    array[:] = 1
    tensor = devices.tensor_of(array)
    array[2] = 7
    shared = keras.backend.backend() == "tensorflow" and not devices.gpus()
    assert int(keras.ops.convert_to_numpy(tensor)[2, 5, 5]) == (7 if shared else 1)
    devices.release(array[1:])
    assert not array.any() and devices.aligned((0, 28, 28)).shape == (0, 28, 28)
    devices.release(np.ones(3))   # it has no memory of that kind


@pytest.mark.parametrize("gpus, multiplies, policy", [
    ([], True, "mixed_bfloat16"), ([], False, "float32"), (["gpu:0"], False, "mixed_float16")])
def test_mixed_precision_is_what_the_machine_is_fast_in(gpus, multiplies, policy, monkeypatch):
    monkeypatch.setattr(devices, "gpus", lambda: gpus)
    monkeypatch.setattr(devices, "multiplies_bfloat16", lambda: multiplies)
    devices.prepare(replace(DEFAULTS, mixed_precision=True))
    assert keras.mixed_precision.global_policy().name == policy


def test_what_is_trained_in_16_bits_is_kept_in_32():
    glyphs = np.random.default_rng(0).integers(0, 256, (8, 28, 28), dtype=np.uint8)
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    trained = networks.build("lstm")
    keras.mixed_precision.set_global_policy("float32")
    kept = networks.with_policy(trained, "float32")
    assert "bfloat16" in {layer.compute_dtype for layer in trained.layers}
    assert {layer.compute_dtype for layer in kept.layers[1:]} == {"float32"}
    np.testing.assert_allclose(kept.predict_on_batch(glyphs), trained.predict_on_batch(glyphs), atol=0.05)
    assert networks.with_policy(kept, "float32") is kept
    again = networks.with_policy(kept, "mixed_bfloat16")   # to finetune it
    for now, before in zip(again.layers[1:], trained.layers[1:], strict=True):
        assert now.compute_dtype == before.compute_dtype
    assert again.output.dtype == "float32"


def test_ctrl_c_ends_a_training_even_where_python_would_lose_it(tmp_path, capsys):
    class LosesIt:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)   # an exception in a destructor is only reported

    seen = []

    class Presses(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            seen.append(batch)
            if batch == 3:
                LosesIt()

    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    network.compile(loss="mse")
    before = signal.getsignal(signal.SIGINT)

    def train():
        with callbacks.EarlyEnd(tmp_path) as interrupt:
            network.fit(np.zeros((64, 2)), np.zeros((64, 1)), batch_size=2, verbose=0, callbacks=[Presses(), interrupt])

    with pytest.raises(KeyboardInterrupt):
        train()
    assert seen == [0, 1, 2, 3] and signal.getsignal(signal.SIGINT) is before
    (tmp_path / "model.keras").touch()
    train()
    assert f"--resume={tmp_path.name} goes on" in capsys.readouterr().err


# ---- softness

def test_a_network_softens_what_it_reads_and_not_what_it_learns_from():
    point = np.zeros((1, 28, 28), np.float32)
    point[0, 14, 0] = 1
    soften = networks.Soften()
    np.testing.assert_array_equal(soften(point), point)   # until it is told how much
    networks.set_softness(keras.Sequential([keras.Input((28, 28)), soften]), 0.1)
    np.testing.assert_array_equal(soften(point, training=True), point)
    # By hand: 0.8 stays and 0.1 goes to either side, in both directions; beyond the left edge there is nothing.
    np.testing.assert_allclose(soften(point)[0, 12:17, :3], [[0, 0, 0], [0.08, 0.01, 0], [0.64, 0.08, 0],
                                                            [0.08, 0.01, 0], [0, 0, 0]], atol=1e-6)


def test_a_network_softens_as_augmentation_does_and_a_teacher_not_once_more():
    """Averaged over many small changes, fine lines become as pale as the softened ones."""
    lines = np.tile(np.float32([0, 200]), (28, 14))
    soften = networks.Soften()
    network = keras.Sequential([keras.Input((28, 28)), soften])
    for strength in (0.05, 0.1):
        networks.set_softness(network, augment.softness(strength))
        pictures = augment.augment(np.tile(lines, (400, 1, 1)), keras.random.SeedGenerator(1), 1, strength)
        spreads = [np.abs(np.diff(np.float32(each)[:, 6:22, 6:22])).mean() for each in (pictures, soften(lines[None]))]
        assert spreads[1] < 0.95 * 200 and spreads[0] == pytest.approx(spreads[1], rel=0.03)
    assert augment.softness(0.0) == 0 and augment.softness(1.0) == pytest.approx(1 / 12, abs=0.003)
    empty = np.zeros((4, 28, 28), np.uint8), np.zeros((4, 3), np.int32), np.zeros((1, 62))
    data = dataset.Data(*empty[:2], None, None, None, empty[2], {})
    teacher = networks.build("dense")
    for strength, expected in ((0.0, 0.06), (0.5, 0.0)):
        networks.set_softness(teacher, 0.06)
        setup = replace(DEFAULTS, augmentation=strength)
        character_trainer.TrainingModel(networks.build("dense"), data, 4, setup, teacher)
        assert float(teacher.get_layer("soften").softness) == pytest.approx(expected)


# ---- backends and devices

ONE_STEP = """
import numpy as np, keras
from common import settings
from training import character_trainer, dataset, networks, optimizer
from training.config import configure
glyphs = np.random.default_rng(0).integers(0, 256, (16, 28, 28), dtype=np.uint8)
targets = np.stack([np.arange(16), np.arange(16)[::-1], np.arange(16) % 3], 1).astype(np.int32)
data = dataset.Data(glyphs, targets, targets[:, 0], np.arange(4), np.arange(12, 16), np.zeros((3, 62), "float32"), {})
setup = configure(settings.constants("model.py"), ["--batch_size=4", "--augmentation=1", "--label_smoothing=0.1"])
eager = keras.backend.backend() == "tensorflow"   # which is quicker to begin
for name in set(networks.NETWORKS) - {"line", "page"}:
    network = networks.build(name)
    assert network(glyphs).shape == (16, 62)
    sampler = character_trainer.EpochSampler(data.train_rows, data.groups, data.val_rows, 4)
    model = character_trainer.TrainingModel(network, data, 8, setup, networks.build("dense"))
    model.compile(optimizer.Adam(0.001), jit_compile=keras.backend.backend() == "jax", run_eagerly=eager)
    before = [np.array(w) for w in network.get_weights()]
    losses = model.fit(sampler.places, batch_size=4, shuffle=False, validation_data=(sampler.val_places,),
                       validation_batch_size=4, callbacks=[sampler], verbose=0).history
    assert np.isfinite(losses["loss"][0]) and np.isfinite(losses["val_loss"][0])
    assert any((a != b).any() for a, b in zip(before, network.get_weights()))
print("all trained")
"""


@pytest.mark.parametrize("backend, package", [("tensorflow", "tensorflow"), ("jax", "jax"), ("torch", "torch")])
def test_every_network_trains_on_every_backend(backend, package, monkeypatch):
    if not find_spec(package):
        pytest.skip(f"{package} is not installed")
    if backend == keras.backend.backend():
        monkeypatch.chdir(ROOT)
        return exec(ONE_STEP, {})
    quick = {"KERAS_BACKEND": backend, "XLA_FLAGS": "--xla_backend_optimization_level=0"}   # to compile
    done = subprocess.run([sys.executable, "-c", ONE_STEP], cwd=ROOT, env=os.environ | quick, capture_output=True,
                          text=True, timeout=300)
    assert done.returncode == 0 and done.stdout == "all trained\n", done.stderr
