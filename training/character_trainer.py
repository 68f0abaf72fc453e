"""How a network learns: data on the device, losses for uncertain labels, checkpoints that resume.

model.py is the script to run; these are the parts it is made of.
"""
import json
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras import ops
from tqdm import tqdm

from common import alphabets, files, runs
from training import devices, metrics, networks, tensorboard_log
from training.augment import augment


class TrainingModel(keras.Model):
    """Trains `network` on rows of a data set that stays, as uint8, in the device's memory.

    Its input is places in `order`, which holds an epoch's row numbers (see EpochSampler).
    So only a few bytes travel to the device with each batch; fetching, augmentation,
    loss and update run there in one compiled step.

    images: uint8 (n, 28, 28).
    targets: int32 (n, 3): label, other label, source.  The two labels differ where
        a letter's case is unknown.
    prior_shift: float32 (sources, 62), log(share of each class in a source / natural share).
        Sources differ in their mix: on forms S is eight times as frequent as s, among
        drawings s is more frequent.  Added to the logits in training alone, the shift lets
        the network learn shapes from all of them while its own logits follow the natural
        mix of forms (logit adjustment, Menon et al. 2021, arXiv 2007.07314).  Who reads
        drawings adds the shift of drawings, config.json's prior_of_drawings.
    places: length of `order`.  batch_size: of every training step; 0 where it varies.
    group: images that share a random warp.  augmentation: its strength, see training/augment.py; 0 for none.
    teacher: a trained network whose probabilities are learned too, with the share
        teacher_share of the loss (Hinton et al. 2015, arXiv 1503.02531).
    """

    def __init__(self, network, images, targets, prior_shift, places, batch_size=0, group=1, augmentation=0.0,
                 label_smoothing=0.0, teacher=None, teacher_share=0.0, seed=0):
        super().__init__()
        self.network = network
        self.images = self._kept(images)
        self.targets = self._kept(targets)
        self.prior_shift = ops.convert_to_tensor(prior_shift)
        self.order = self.add_weight(shape=(places,), dtype="int32", initializer="zeros", trainable=False)
        self.replicas = replicas()
        self.batch_size = batch_size // self.replicas
        self.group = group
        self.augmentation = self.add_weight(shape=(), initializer=keras.initializers.Constant(augmentation),
                                            trainable=False) if augmentation else None
        self.label_smoothing = label_smoothing
        self.teacher = teacher
        self.teacher_share = teacher_share if teacher else 0.0
        self.augment_seed = keras.random.SeedGenerator(seed)
        if teacher:
            teacher.trainable = False
            if augmentation:   # has softened what it sees already
                networks.set_softness(teacher, 0.0)

    def _kept(self, array: np.ndarray):
        """The array in the device's memory.  JAX would write any but a variable into the program that it compiles."""
        if keras.backend.backend() != "jax":
            return on_device(array)
        return self.add_weight(shape=array.shape, dtype=array.dtype.name, trainable=False,
                               initializer=lambda shape, dtype: ops.convert_to_tensor(array))

    def call(self, places, training=False):
        """Logits (batch, 62), in training with a teacher its logits too, and the targets (batch, 3) behind them.

        The targets go this way, as floats, since a metric may not see `order` under JAX.
        """
        if training and self.batch_size:  # a known batch size lets TensorFlow choose faster kernels
            places = ops.reshape(places, (self.batch_size,))
        rows = ops.take(self.order, ops.cast(places, "int32"))
        glyphs = self.glyphs(rows, training)
        outputs = [self.network(glyphs, training=training)]
        if training and self.teacher:
            outputs.append(self.teacher(glyphs, training=False))
        return ops.concatenate([*outputs, ops.cast(ops.take(self.targets, rows, axis=0), "float32")], axis=-1)

    def glyphs(self, rows, training=False):
        """The pictures that the network sees: uint8 (batch, 28, 28), changed at random in training."""
        glyphs = ops.take(self.images, rows, axis=0)
        if training and self.augmentation is not None:
            return augment(glyphs, self.augment_seed, self.group, self.augmentation)
        return glyphs

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Cross-entropy with either of two labels: minus the log of the sum of their probabilities."""
        logits, taught = y_pred[:, :62], y_pred[:, 62:-3]
        label, other, source = _targets(y_pred)
        shift = ops.take(self.prior_shift, source, axis=0)
        log_probabilities = ops.log_softmax(logits + shift)
        first = _pick(log_probabilities, label)
        either = ops.logaddexp(first, _pick(log_probabilities, other))
        loss = -ops.where(label == other, first, either)
        if training and self.label_smoothing:
            uniform = -ops.mean(log_probabilities, axis=-1)
            loss = loss + self.label_smoothing * (uniform - loss)
        if training and self.teacher_share:
            agreement = -ops.sum(ops.softmax(taught + shift) * log_probabilities, axis=-1)
            loss = loss + self.teacher_share * (agreement - loss)
        return ops.mean(loss) / self.replicas  # TensorFlow adds up what its replicas return

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """The loss and the accuracy; where the case is unknown either counts."""
        label, other, _ = _targets(y_pred)
        guess = ops.cast(ops.argmax(y_pred[:, :62], axis=-1), "int32")
        right = ops.logical_or(guess == label, guess == other)
        self.accuracy.update_state(ops.cast(right, "float32"))
        return {**self.get_metrics_result(), "accuracy": self.accuracy.result()}

    @property
    def own_variables(self) -> list:
        """What --resume needs beside the network and the optimiser."""
        return [self.augment_seed.state]

    def build(self, input_shape=None):
        self.accuracy = keras.metrics.Mean(name="accuracy")
        self.built = True


def replicas() -> int:
    """How many devices share each batch under TensorFlow; other backends see one batch, whatever divides it."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow
    return tensorflow.distribute.get_strategy().num_replicas_in_sync


def _targets(outputs):
    """Label, other label and source, int32 (batch,) each, from what TrainingModel.call returns."""
    return ops.unstack(ops.cast(outputs[:, -3:], "int32"), 3, axis=-1)


def take_over(network, trained) -> None:
    """Begin with what another network of the same kind has learned, whose LSTMs may be narrower.

    New units change nothing at first: nobody listens to them until they have learned
    something (Chen et al. 2016, "Net2Net", arXiv 1511.05641).
    """
    weights, inputs = [], None     # inputs: those of the next layer that there were before
    for layer, its in zip(network.layers, trained.layers, strict=True):
        found, fresh = its.get_weights(), layer.get_weights()
        if isinstance(layer, keras.layers.Bidirectional):
            units, now = np.arange(its.forward_layer.units), layer.forward_layer.units
            gates = np.concatenate([units + now * gate for gate in range(4)])
            inputs = np.arange(len(found[0])) if inputs is None else inputs
            axes = 2 * [(inputs, gates), (units, gates), (gates,)]   # of kernel, recurrent kernel and bias
            found = [_inside(*each) for each in zip(found, fresh, axes, strict=True)]
            inputs = np.concatenate([units, units + now])
        elif isinstance(layer, keras.layers.Dense) and inputs is not None:
            found[0] = _inside(found[0], fresh[0], (inputs, np.arange(found[0].shape[1])))
        weights += found
    network.set_weights(weights)


def _inside(old: np.ndarray, fresh: np.ndarray, axes: tuple[np.ndarray, ...]) -> np.ndarray:
    """Fresh weights with old ones at these places of each axis, and none from what is new to what is old."""
    wide = fresh.copy()
    wide[..., axes[-1]] = 0
    wide[np.ix_(*axes)] = old
    return wide


def on_device(array: np.ndarray):
    """The array as a tensor.  On a CPU TensorFlow shares its memory, of which Keras would make two copies."""
    shared = array.flags.c_contiguous and array.ctypes.data % 64 == 0
    if shared and keras.backend.backend() == "tensorflow" and not devices.gpus():
        import tensorflow
        return tensorflow.experimental.dlpack.from_dlpack(array.__dlpack__())
    return ops.convert_to_tensor(array)


def _pick(values, columns):
    return ops.squeeze(ops.take_along_axis(values, columns[:, None], axis=-1), axis=-1)


class FusedAdam(keras.optimizers.Adam):
    """Keras's Adam, with TensorFlow's fused kernel (Kingma and Ba 2015, arXiv 1412.6980).

    Keras writes Adam as fifteen operations, each a pass over all weights: on a CPU
    half of the dense network's training time.  The kernel computes the same in one.
    """

    def update_step(self, gradient, variable, learning_rate):
        import tensorflow
        index = self._get_variable_index(variable)
        step = ops.cast(self.iterations + 1, variable.dtype)
        tensorflow.raw_ops.ResourceApplyAdam(
            var=variable.handle, m=self._momentums[index].value.handle, v=self._velocities[index].value.handle,
            beta1_power=self.beta_1 ** step, beta2_power=self.beta_2 ** step,
            lr=ops.cast(learning_rate, variable.dtype), beta1=self.beta_1, beta2=self.beta_2, epsilon=self.epsilon,
            grad=ops.cast(gradient, variable.dtype))


# Other backends are served best by Keras's own: JAX compiles it whole, PyTorch updates all weights in one call.
Adam = FusedAdam if keras.backend.backend() == "tensorflow" else keras.optimizers.Adam


def freeze_statistics(network) -> None:
    """Let batch normalisation use what it knows of the mean and variance of features, and learn no more of it."""
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False


class AugmentationSchedule(keras.callbacks.Callback):
    """Lets augmentation fall evenly from its first strength to its last: what is learned last is what is read later.

    Strong augmentation keeps a network from learning its training images by heart; but
    they are no longer the images that it will read.
    """

    def __init__(self, first: float, last: float, epochs: int):
        super().__init__()
        self.first, self.last, self.epochs = first, last, epochs

    def on_epoch_begin(self, epoch, logs=None):
        if self.model.augmentation is not None:
            done = epoch / max(1, self.epochs - 1)
            self.model.augmentation.assign(self.first + done * (self.last - self.first))


class EpochSampler(keras.callbacks.Callback):
    """Which rows an epoch sees, in which order: shuffled anew each time, at most class_cap of each group.

    Where one class has far more images than the rest, the cap spends the time on
    the others; which of its rows are seen changes from epoch to epoch.

    rows: int (n,), to learn from.  groups: int, the class and source of every image.
    val_rows: int (m,), always the same and behind the others.
    alike: int (images, k), rows that show the same drawing as each; an epoch sees one of them.
    """

    def __init__(self, rows, groups, val_rows, batch_size, class_cap=0, seed=0, alike=None):
        super().__init__()
        self.rows, self.groups, self.val_rows, self.alike = rows, groups, val_rows, alike
        self.batch_size, self.class_cap, self.seed = batch_size, class_cap, seed
        self.images = len(self.shuffled(0))     # in an epoch
        self.steps = self.images // batch_size
        self.places = np.arange(self.images, dtype=np.int32)
        self.val_places = np.arange(self.images, self.images + len(val_rows), dtype=np.int32)

    def shuffled(self, epoch: int) -> np.ndarray:
        """Rows of one epoch, whole batches of them: int32."""
        random = np.random.default_rng((self.seed, epoch))
        rows = random.permutation(self.rows)
        if self.class_cap:  # capped groups end early in this order, so it has to be shuffled once more
            rows = random.permutation(rows[rank_in_group(self.groups[rows]) < self.class_cap])
        if self.alike is not None:
            rows = self.alike[rows, random.integers(self.alike.shape[1], size=len(rows))]
        if len(rows) < self.batch_size:
            rows = np.resize(rows, self.batch_size)
        return rows[:len(rows) // self.batch_size * self.batch_size].astype(np.int32)

    def on_epoch_begin(self, epoch, logs=None):
        self.model.order.assign(np.concatenate([self.shuffled(epoch), self.val_rows]))


def rank_in_group(groups: np.ndarray) -> np.ndarray:
    """For each element how many before it are of the same group: int (n,)."""
    order = np.argsort(groups, kind="stable")
    counts = np.bincount(groups)
    starts = np.cumsum(counts) - counts
    ranks = np.empty(len(groups), np.int64)
    ranks[order] = np.arange(len(groups)) - starts[groups[order]]
    return ranks


# ---- after the training

SHARES = (0.0, 0.25, 0.5, 0.75)     # of the weights that a finetuned network began with, to choose from
SPREADS = (0.5, 0.25, 0.12, 0.06)   # of class biases, to choose from
MOST_TO_CALIBRATE = 50_000          # images learned from that class biases are fitted to


def average(folder: Path, config: dict, loss: Callable[[keras.Model], float]) -> None:
    """Make a finetuned network the mean of what it began with and what it ended with, weight by weight.

    Both lie in one valley of the loss, and between them it is often lower still (Wortsman
    et al. 2022, "Robust fine-tuning of zero-shot models", arXiv 2109.01903).  Which share
    the first has is decided by the loss on the validation data.

    folder: the run's, with model.keras, which is written anew.  config: its settings.
    loss: that of a network on the validation data.
    """
    network = networks.load_network(str(folder.parent), folder.name)
    first = networks.load_network(config["models_path"], config["finetune"]).get_weights()
    last = network.get_weights()
    losses = {}
    for share in SHARES:
        network.set_weights(_mean(first, last, share))
        losses[share] = loss(network)
    share = min(losses, key=losses.get)
    network.set_weights(_mean(first, last, share))
    networks.save_network(network, folder / "model.keras")
    print(f"validation loss {losses[0.0]:.4f}, and {losses[share]:.4f} with {share} of the weights it began with")


def _mean(first: list[np.ndarray], last: list[np.ndarray], share: float) -> list[np.ndarray]:
    return [share * before + (1 - share) * after for before, after in zip(first, last, strict=True)]


def calibrate(folder: Path, learned: tuple[np.ndarray, np.ndarray], validation: tuple[np.ndarray, np.ndarray]) -> None:
    """Correct the class biases of a trained network (bias correction, Alexandari et al. 2020, arXiv 1901.06852).

    Classes and sources that the training files hold too often leave a network with
    somewhat wrong expectations, whatever the loss allowed for.  The 62 biases that suit
    scans best, each counting as often as its class does in the natural mix, go into
    the network's last layer.  (For drawings nothing is fitted: biases that suited some
    validation writers made others' drawings read worse.)

    folder: the run's, whose model.keras is written anew.
    learned: images and labels of scans that it has learned from.  validation: of others, in the natural mix.
    """
    network = networks.load_network(str(folder.parent), folder.name)
    bias = fit_natural_bias(*(metrics.predict(network, *samples, "calibration") for samples in (learned, validation)))
    layer = network.get_layer("logits")
    layer.bias.assign(layer.bias + bias)
    networks.save_network(network, folder / "model.keras")


def fit_natural_bias(learned: metrics.Predictions, validation: metrics.Predictions) -> np.ndarray:
    """What to add to the logits so that they suit scans in the natural mix better: float32 (62,).

    Of images that a network has learned from there are enough for all classes; how far
    they can be trusted, the loss on the validation images decides.
    """
    logits, held_out = _logits(learned), _logits(validation)
    weights = np.exp(-alphabets.log_ratio(np.bincount(learned.labels, minlength=62)))[learned.labels]
    biases = [_fit_bias(logits, learned.labels, spread, weights / weights.mean())
              for spread in tqdm((0.0, *SPREADS), "fitting class biases", leave=False)]
    return min(biases, key=lambda bias: _loss_of(held_out + bias, validation.labels))


def _logits(reading: metrics.Predictions) -> np.ndarray:
    return np.log(np.maximum(reading.probabilities, 1e-12)).astype(float)


def _loss_of(logits: np.ndarray, labels: np.ndarray) -> float:
    """Sum of the cross-entropies."""
    return float(np.logaddexp.reduce(logits, axis=1).sum() - logits[np.arange(len(labels)), labels].sum())


def _fit_bias(logits: np.ndarray, labels: np.ndarray, spread: float, weights: np.ndarray) -> np.ndarray:
    """The likeliest biases if a normal distribution of standard deviation `spread` is their prior: float32 (62,).

    weights: float (n,), how often each image counts.
    """
    from scipy.optimize import minimize  # here, since a training should not wait for it
    classes = logits.shape[1]
    if not spread:
        return np.zeros(classes, np.float32)
    counts = np.bincount(labels, weights, minlength=classes)

    def negative_log_posterior(bias):
        powers = np.exp(logits + bias)
        total = powers.sum(axis=1)
        value = weights @ np.log(total) - counts @ bias + (bias ** 2).sum() / (2 * spread ** 2)
        return value, (weights / total) @ powers - counts + bias / spread ** 2

    return minimize(negative_log_posterior, np.zeros(classes), jac=True, method="L-BFGS-B").x.astype(np.float32)


# ---- checkpoints

_CALLBACK_STATE = ("wait", "best", "best_epoch", "stopped_epoch", "cooldown_counter")


class Checkpoint(keras.callbacks.Callback):
    """After each epoch keeps the best network (model.keras) and all that --resume needs (checkpoint.npz)."""

    def __init__(self, folder: Path, others=(), state: dict | None = None):
        super().__init__()
        self.folder, self.others = Path(folder), list(others)
        self.state = state or {"epoch": 0, "best": None, "history": []}

    def on_train_begin(self, logs=None):
        for callback, kept in zip(self.others, self.state.get("callbacks", [])):
            for name, value in kept.items():
                setattr(callback, name, value)

    def on_epoch_end(self, epoch, logs=None):
        logs = {name: float(value) for name, value in (logs or {}).items()}
        self.state["epoch"] = epoch + 1
        self.state["history"].append(logs)
        if self.state["best"] is None or logs["val_loss"] < self.state["best"]["val_loss"]:
            self.state["best"] = {"epoch": epoch + 1, **logs}
            networks.save_network(in_float32(self.model.network), self.folder / "model.keras")
        self.state["callbacks"] = [{name: float(getattr(callback, name)) for name in _CALLBACK_STATE
                                    if hasattr(callback, name)} for callback in self.others]
        files.write_atomically(self.folder / "checkpoint.npz", self._save)

    def _save(self, path):
        values = {f"v{i}": ops.convert_to_numpy(v.value) for i, v in enumerate(_state_variables(self.model))}
        np.savez(path, state=json.dumps(self.state), **values)


def in_float32(network):
    """A network trained in mixed precision as one that calculates in 32 bits: who reads may have a CPU alone."""
    described = network.to_json()
    if '"mixed_' not in described:
        return network
    copy = keras.models.model_from_json(re.sub(r'"mixed_\w+"', '"float32"', described))
    copy.set_weights(network.get_weights())
    return copy


def load_checkpoint(path: Path) -> tuple[dict, list[np.ndarray]]:
    """The state of a training and the values of its variables."""
    with np.load(path) as kept:
        return json.loads(str(kept["state"])), [kept[f"v{i}"] for i in range(len(kept.files) - 1)]


def restore(trainee: keras.Model, values: list[np.ndarray]) -> None:
    """Put a checkpoint's values back; runs.RunError when it belongs to another network or optimiser."""
    trainee.optimizer.build(trainee.trainable_variables)
    variables = _state_variables(trainee)
    if [tuple(v.shape) for v in variables] != [v.shape for v in values]:
        raise runs.RunError("the checkpoint belongs to another network, since its config.json was changed: "
                            "undo that, or train anew")
    for variable, value in zip(variables, values):
        variable.assign(value)


def _state_variables(trainee: keras.Model) -> list:
    return [*trainee.network.variables, *trainee.own_variables, *trainee.optimizer.variables]


# ---- Ctrl-C

class Interrupt(keras.callbacks.Callback):
    """Ctrl-C ends a training for certain, between two batches: a context, and a callback of the training in it.

    Python raises KeyboardInterrupt wherever it happens to be: one in forty times in a
    destructor of TensorFlow, where the exception is only reported and the training goes on.
    Pressed once more, it is raised at once.
    """

    def __init__(self):
        super().__init__()
        self.pressed = False

    def __enter__(self):
        self.before = signal.getsignal(signal.SIGINT)
        if self.before is signal.default_int_handler:   # else somebody wants it ignored, as nohup and & do
            signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, *_):
        signal.signal(signal.SIGINT, self.before)

    def _press(self, *_):
        if self.pressed:
            raise KeyboardInterrupt
        self.pressed = True

    def on_train_batch_end(self, batch, logs=None):
        if self.pressed:
            raise KeyboardInterrupt

    def on_test_batch_end(self, batch, logs=None):
        self.on_train_batch_end(batch)


# ---- what a person sees while it runs

class Progress(keras.callbacks.Callback):
    """A progress bar for the epoch: images per second, and the time all epochs will still take."""

    def __init__(self, images: int, batch_size: int, epochs: int):
        """images: in an epoch."""
        super().__init__()
        self.images, self.batch_size, self.epochs, self.bar = images, batch_size, epochs, None

    def on_epoch_begin(self, epoch, logs=None):
        self.began, self.done = time.monotonic(), 0
        self.bar = tqdm(total=self.images, desc=f"epoch {epoch + 1}/{self.epochs}", unit=" images",
                        unit_scale=True, mininterval=0.5, dynamic_ncols=True)

    def on_train_batch_end(self, batch, logs=None):
        done = (batch + 1) * self.batch_size
        self.bar.update(done - self.bar.n)
        if time.monotonic() - self.done > 1:
            self.done = time.monotonic()
            self.bar.set_postfix_str(", ".join(f"{name} {float(value):.3f}" for name, value in logs.items()))

    def on_epoch_end(self, epoch, logs=None):
        left = (self.epochs - epoch - 1) * (time.monotonic() - self.began)
        figures = ", ".join(f"{name} {float(value):.4f}" for name, value in logs.items() if name != "learning_rate")
        self.bar.set_postfix_str(f"{figures}, all epochs at most {tqdm.format_interval(left)} more")
        self.bar.close()

    def on_train_end(self, logs=None):
        if self.bar:
            self.bar.close()


class Log(keras.callbacks.Callback):
    """The figures and the learning rate of each epoch, for TensorBoard."""

    def __init__(self, folder: Path):
        super().__init__()
        self.folder = Path(folder)

    def on_train_begin(self, logs=None):
        self.train = tensorboard_log.EventLog(self.folder / "train")
        self.validation = tensorboard_log.EventLog(self.folder / "validation")

    def on_epoch_end(self, epoch, logs=None):
        rate = float(ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self.train.scalar("epoch_learning_rate", rate, epoch + 1)
        for name, value in logs.items():
            if name != "learning_rate":  # ReduceLROnPlateau adds what has been written already
                log = self.validation if name.startswith("val_") else self.train
                log.scalar("epoch_" + name.removeprefix("val_"), float(value), epoch + 1)

    def on_train_end(self, logs=None):
        self.train.close()
        self.validation.close()


class GlyphLog(Log):
    """A grid of training glyphs as well."""

    def __init__(self, folder: Path, order: EpochSampler):
        super().__init__(folder)
        self.order = order

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        first = self.order.shuffled(0)[:self.order.batch_size]
        glyphs = ops.convert_to_numpy(self.model.glyphs(first, training=True))
        self.train.image("glyphs as the network sees them", files.in_rows(list(glyphs), 20), 0)
