"""Trains a network for characters: images on the device, one compiled step, epochs of sampled rows."""
import math
from pathlib import Path

import keras
import numpy as np
from keras import ops

from common import files, runs
from training import dataset, devices, emnist, metrics, networks, optimizer
from training.augment import augment, softness
from training.callbacks import AugmentationSchedule
from training.config import TrainingConfig
from training.pipeline import Trainer

DOUBTFUL = 0.01              # probability below which a teacher rejects a pen stroke's label
GROUP = 8                    # images of a batch that share one random warp, at most


class TrainingModel(keras.Model):
    """Trains `network` on rows of a data set that stays in the device's memory as uint8.

    Its inputs are positions in `order`, which holds an epoch's row numbers (see EpochSampler).  So only a few bytes
    travel to the device with each batch; fetching, augmentation, loss and update run there in one compiled step.

    The class mix differs between sources: in EMNIST's scans S is eight times as frequent as s, among pen strokes s is
    more frequent.  data.prior_shift, added to the logits only in training, lets the network learn shapes from all
    sources while its own logits follow the natural mix of the scans (logit adjustment, Menon et al. 2021, arXiv
    2007.07314).  Code that reads pen strokes adds their shift, prior_of_drawings in config.json.

    places: length of `order`.
    teacher: a trained network whose probabilities are learned too (Hinton et al. 2015, arXiv 1503.02531).
    """

    def __init__(self, network, data: dataset.Data, places: int, config: TrainingConfig, teacher=None):
        super().__init__(dtype="float32")   # the network alone computes in other precisions
        self.network, self.teacher = network, teacher
        self.images, self.targets = self._kept(data.images), self._kept(data.targets)
        self.prior_shift = ops.convert_to_tensor(data.prior_shift)
        self.order = self.add_weight(shape=(places,), dtype="int32", initializer="zeros", trainable=False)
        self.batch_size = config.batch_size
        self.augmentation = self.add_weight(shape=(), initializer=keras.initializers.Constant(config.augmentation),
                                            trainable=False) if config.augmentation else None
        self.augment_seed = keras.random.SeedGenerator(config.seed)
        self.label_smoothing, self.teacher_share = config.label_smoothing, config.teacher_share if teacher else 0.0
        if teacher:
            teacher.trainable = False
            if config.augmentation:   # it already softens what the teacher sees
                networks.set_softness(teacher, 0.0)
        self.accuracy = keras.metrics.Mean(name="accuracy")
        self.built = True   # all its parts are

    def _kept(self, array: np.ndarray):
        """Put the array into the device's memory.  JAX would write anything but variables into the compiled code."""
        if keras.backend.backend() != "jax":
            return devices.tensor_of(array)
        return self.add_weight(shape=array.shape, dtype=array.dtype.name, trainable=False,
                               initializer=lambda shape, dtype: ops.convert_to_tensor(array))

    def call(self, places, training=False):
        """Logits (batch, 62), then in training the teacher's logits if there is one, and last the targets (batch, 3).

        The targets are part of the output, as floats, since a metric must not read `order` under JAX.
        """
        if training:  # a known batch size lets TensorFlow choose faster kernels
            places = ops.reshape(places, (self.batch_size,))
        rows = ops.take(self.order, ops.cast(places, "int32"))
        glyphs = self.glyphs(rows, self.augment_seed if training else None)
        outputs = [self.network(glyphs, training=training)]
        if training and self.teacher:
            outputs.append(self.teacher(glyphs, training=False))
        return ops.concatenate([*outputs, ops.cast(ops.take(self.targets, rows, axis=0), "float32")], axis=-1)

    def glyphs(self, rows, seed: keras.random.SeedGenerator | None):
        """The images of these rows as the network sees them, uint8 (batch, 28, 28): augmented if there is a seed."""
        glyphs = ops.take(self.images, rows, axis=0)
        if seed is None or self.augmentation is None:
            return glyphs
        return augment(glyphs, seed, math.gcd(self.batch_size, GROUP), self.augmentation)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Cross-entropy in nats, under the class mix that the images come from.

        Where the case is unknown, it is minus the log of the sum of both letters' probabilities.
        """
        logits, taught = y_pred[:, :62], y_pred[:, 62:-3]
        label, other, mix = _targets(y_pred)
        shift = ops.take(self.prior_shift, mix, axis=0)
        log_probabilities = ops.log_softmax(logits + shift)
        right = ops.logical_or(*(ops.one_hot(each, 62, dtype="bool") for each in (label, other)))
        loss = -ops.logsumexp(ops.where(right, log_probabilities, -1e9), axis=-1)
        if training and self.label_smoothing:
            uniform = -ops.mean(log_probabilities, axis=-1)
            loss = loss + self.label_smoothing * (uniform - loss)
        if training and self.teacher_share:
            agreement = -ops.sum(ops.softmax(taught + shift) * log_probabilities, axis=-1)
            loss = loss + self.teacher_share * (agreement - loss)
        return ops.mean(loss)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """The loss and the accuracy; where the case is unknown, either case counts as right."""
        guess = ops.cast(ops.argmax(y_pred[:, :62], axis=-1), "int32")
        label, other, _ = _targets(y_pred)
        self.accuracy.update_state(ops.cast(ops.logical_or(guess == label, guess == other), "float32"))
        return {**self.get_metrics_result(), "accuracy": self.accuracy.result()}

    @property
    def own_variables(self) -> list:
        """What --resume needs besides the network and the optimiser."""
        return [self.augment_seed.state]


def _targets(outputs):
    """Label, other label and class mix, int32 (batch,) each, from what TrainingModel.call returns."""
    return ops.unstack(ops.cast(outputs[:, -3:], "int32"), 3, axis=-1)


class EpochSampler(keras.callbacks.Callback):
    """Samples the rows of each epoch, in random order, at most class_cap of each group.

    Where one class has far more images than the rest, the cap leaves the time to the others; which of its rows are
    seen changes from epoch to epoch.

    rows: int (n,), to learn from.  groups: int, one number for the class and source of every image.
    val_rows: int (m,), the same in every epoch, after the others.
    """

    def __init__(self, rows, groups, val_rows, batch_size, class_cap=0, seed=0):
        super().__init__()
        self.rows, self.groups, self.val_rows = rows, groups, val_rows
        self.batch_size, self.class_cap, self.seed = batch_size, class_cap, seed
        self.images = len(self.sample(0))     # in an epoch
        self.places = np.arange(self.images, dtype=np.int32)
        self.val_places = np.arange(self.images, self.images + len(val_rows), dtype=np.int32)

    def sample(self, epoch: int) -> np.ndarray:
        """The rows of one epoch, in whole batches: int32."""
        random = np.random.default_rng((self.seed, epoch))
        rows = random.permutation(self.rows)
        if self.class_cap:
            rows = rows[np.argsort(self.groups[rows], kind="stable")]
            groups = self.groups[rows]
            rank = np.arange(len(rows)) - np.searchsorted(groups, groups)   # of a row in its group
            rows = random.permutation(rows[rank < self.class_cap])
        if len(rows) < self.batch_size:
            rows = np.resize(rows, self.batch_size)
        return rows[:len(rows) // self.batch_size * self.batch_size].astype(np.int32)

    def on_epoch_begin(self, epoch, logs=None):
        """Give the model the rows of this epoch."""
        self.model.order.assign(np.concatenate([self.sample(epoch), self.val_rows]))


class CharacterTrainer(Trainer):
    """Trains a network that reads characters."""

    def __init__(self, config: TrainingConfig, data: dataset.Data):
        super().__init__(config, data)
        self.teacher = networks.load_to_train(config.models_path, config.teacher) if config.teacher else None
        if self.teacher and (config.pen or config.extracted):
            self.data = without_doubtful(config, data, self.teacher)
        self.sampler = EpochSampler(self.data.train_rows, data.groups, data.val_rows, config.batch_size,
                                    config.class_cap, config.seed)

    def build_model(self) -> TrainingModel:
        """See Trainer."""
        config, data = self.config, self.data
        network = self.first_network()
        if config.last_augmentation:
            networks.set_softness(network, softness(config.last_augmentation))
        model = TrainingModel(network, data, self.sampler.images + len(data.val_rows), config, self.teacher)
        steps = self.sampler.images // config.batch_size * config.train_epochs
        model.compile(optimizer.optimizer_of(config, steps), steps_per_execution=steps_per_call(config),
                      jit_compile=devices.jit_compile())
        return model

    def fit(self, model, callbacks, epoch=0):
        """Train on the rows that the sampler gives; see Trainer.fit."""
        config, sampler = self.config, self.sampler
        return model.fit(sampler.places, batch_size=config.batch_size, shuffle=False,
                         validation_data=(sampler.val_places,), validation_batch_size=config.batch_size,
                         epochs=config.train_epochs, initial_epoch=epoch, verbose=0,
                         callbacks=[AugmentationSchedule(config), sampler, *callbacks])

    def pictures(self, model: TrainingModel) -> dict[tuple[str, str], np.ndarray]:
        """The first batch as the network sees it, augmented with other random numbers than in training."""
        first = self.sampler.sample(0)[:self.config.batch_size]
        glyphs = ops.convert_to_numpy(model.glyphs(first, keras.random.SeedGenerator(0)))
        return {("train", "glyphs as the network sees them"): files.in_rows(list(glyphs), 20)}

    def describe(self) -> dict:
        """Numbers of images, the class mix of pen strokes, and hashes of EMNIST's files."""
        prior = self.data.prior_shift[dataset.PEN_STROKES].astype(float).round(4).tolist()
        if self.config.corrections:  # one writer's corrections do not tell how often people write each character
            prior = runs.read_config(self.config.models_path, self.config.finetune).get("prior_of_drawings", 62 * [0.0])
        found = (emnist.find(self.config.data_path, Path(member).stem) for member in emnist.MEMBERS)
        return {"images": self.data.sizes, "prior_of_drawings": prior,
                "sha256": {path.name: files.sha256(path) for path in found if path}}

    def finish(self, folder: Path, network: keras.Model) -> None:
        """Score the network on validation and test images, and write metrics.json and pictures."""
        validation = metrics.predict(network, *self.data.validation(), "validation images")
        devices.release(self.data.images)   # 0.5 GB
        metrics.finish(folder, network, validation)


def steps_per_call(config: TrainingConfig) -> int:
    """Training steps in one call of the backend: few for slow networks, or the progress bar and Ctrl-C would wait."""
    if keras.backend.backend() == "torch":
        return 1   # PyTorch has no loop over steps
    return config.steps_per_call or (100 if config.network == "dense" else 10)


def without_doubtful(config: TrainingConfig, data: dataset.Data, teacher: keras.Model) -> dataset.Data:
    """Leave out pen strokes whose label the teacher finds nearly impossible: most of them are mislabelled."""
    sizes = data.sizes.copy()
    prior = runs.read_config(config.models_path, config.teacher).get("prior_of_drawings", 0.0)
    rows = np.unique(data.train_rows[data.targets[data.train_rows, 2] >= dataset.PEN_STROKES])
    labels = data.targets[rows, 0]
    found = metrics.predict(teacher, data.images[rows], labels, "checking labels", prior)
    doubtful = rows[found.probabilities[np.arange(len(rows)), labels] < DOUBTFUL]
    print(f"{len(doubtful):,} of {len(rows):,} pen strokes left out: {config.teacher} finds their labels impossible")
    for name, mix in (("pen_strokes", dataset.PEN_STROKES), ("pen_words", dataset.PEN_WORDS)):
        if name in sizes:
            sizes[name] -= int((data.targets[doubtful, 2] == mix).sum())
    return data._replace(train_rows=data.train_rows[~np.isin(data.train_rows, doubtful)], sizes=sizes)
