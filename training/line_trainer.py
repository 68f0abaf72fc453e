"""Trains a line reader: line images from parallel processes, CTC, and validation on words and lines."""
import functools
import unicodedata
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from common import alphabets, files, line_image, runs
from reading import line_recognizer
from training import corrections_store, devices, networks, optimizer, prefetch, synthesis, unipen
from training.config import TrainingConfig
from training.line_validation import KINDS, SHOWN, Validation, ctc_loss
from training.pipeline import Trainer

SHORTCUT = 0.15          # share of the convolutions' own loss
DOUBTFUL = 3.5           # nats per character: a higher loss means a wrong label, ...
LEARNED = 1.0            # ... once the median loss of a batch is below this
COUNTED = 5000, 200      # samples counted for the label prior: usually, and in a dry run
RARER = 2.0              # nats: how far a new character starts below the one that it looks like
LIKE = dict(zip("æœÆŒß€£°«»¿¡", "aoEOBCLo<>?!", strict=True))


class LineTrainingModel(keras.Model):
    """Trains `network` on line images uint8 (batch, height, width) and labels int32 (batch, length), padded with 0.

    The loss is CTC (Graves et al. 2006) for the network and, with a small share, for a shortcut from its convolutions
    (Retsinas et al. 2022, arXiv 2404.11339).

    shortcut: its share of the loss.  cycles: of the learning rate; with several, `mean_weights` is the better network.
    """

    def __init__(self, network, shortcut: float = SHORTCUT, cycles: int = 1):
        super().__init__()
        self.network, self.share = network, shortcut
        self.shortcut = layers.Conv1D(network.output_shape[-1], 3, padding="same", dtype="float32", name="shortcut")
        columns = network.get_layer("columns").output
        self.both = keras.Model(network.input, [network.output, self.shortcut(columns)])
        self.ends = [keras.Variable(ops.zeros_like(one), trainable=False, dtype="float32")   # sums over earlier cycles
                     for one in network.weights] if cycles > 1 else []
        self.ended = keras.Variable(0.0, trainable=False, dtype="float32")   # how many these are
        self.built = True   # all its parts are; otherwise Keras would run them once more to find out

    def call(self, images, training=False):
        """Logits of the network and of the shortcut, each float32 (batch, steps, labels), concatenated."""
        return ops.concatenate(self.both(images, training=training), axis=-1)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The CTC loss in nats per character: otherwise long lines would count more than words.

        Once the network has learned something, texts that it finds impossible are wrong labels, and do not count.
        """
        logits, shortcut = ops.split(y_pred, 2, axis=-1)
        lengths = ops.cast(ops.sum(ops.cast(y > 0, "int32"), axis=-1), "float32")
        losses = ctc_loss(y, logits)
        each = losses / lengths
        counts = ops.cast(ops.logical_or(each < DOUBTFUL, ops.median(each) > LEARNED), "float32")
        length = ops.maximum(ops.sum(counts * lengths), 1.0)
        loss = ops.sum(counts * losses) / length
        return loss + self.share * (ops.sum(counts * ctc_loss(y, shortcut)) / length - loss) if training else loss

    @property
    def own_variables(self) -> list:
        """What --resume needs besides the network and the optimiser."""
        return [*self.shortcut.variables, *self.ends, *[self.ended] * bool(self.ends)]

    def end_cycle(self) -> None:
        """Remember the weights that a cycle has led to."""
        for total, weight in zip(self.ends, self.network.weights):
            total.assign_add(weight)
        self.ended.assign_add(1)

    def mean_weights(self) -> list[np.ndarray]:
        """The mean of the weights at the ends of earlier cycles and of those now.

        P. Izmailov et al. 2018, "Averaging weights leads to wider optima and better generalization", arXiv 1803.05407.
        """
        weights = self.network.get_weights()
        return [(ops.convert_to_numpy(total) + weight) / (float(self.ended) + 1)
                for total, weight in zip(self.ends, weights, strict=True)] if self.ends else weights


# ---- what it learns from

class LineBatches(keras.utils.PyDataset):
    """The batches of each epoch for Keras's fit: those of `prefetcher`, once the training begins."""

    def __init__(self, config: TrainingConfig):
        super().__init__()
        self.config = config
        self.prefetcher: prefetch.Prefetcher | None = None
        self.shown: np.ndarray | None = None   # images of an epoch's first batch

    def __len__(self):
        return self.config.epoch_steps

    def __getitem__(self, step):
        if not self.prefetcher:   # Keras looks at two batches to see in which dimensions they differ
            size = step + 1
            return np.zeros((size, line_image.HEIGHT, 32 * size), np.uint8), np.zeros((size, size), np.int32)
        batch = self.prefetcher.next()
        if not step:
            self.shown = batch[0][:SHOWN]
        return batch


def character_shares(config: TrainingConfig) -> list[float]:
    """Log of the share of each character of alphabets.ALPHABET in the training texts."""
    synthesizer = synthesis.LineSynthesizer(config.pen_path, config.data_path, val_split=config.val_split,
                                            paper_path=config.paper_path)
    rng = np.random.default_rng(config.seed)
    texts = [sample.text for _ in range(COUNTED[config.dry_run]) if (sample := synthesizer.sample(rng))]
    labels = [alphabets.LABELS[character] for character in "".join(texts)]
    counts = np.bincount(labels, minlength=len(alphabets.ALPHABET) + 1)[1:] + 1
    return np.log(counts / counts.sum()).round(2).tolist()


def is_early(layer: layers.Layer) -> bool:
    """Whether a layer sees edges and strokes, which are alike in all writing: freezing it saves a third of the time."""
    shape = layer.output.shape
    return len(shape) == 4 and (shape[1] or 0) > line_image.HEIGHT // 8


def labels_like(known: int) -> np.ndarray:
    """For each label, the one among the first `known` whose character looks like its own: int (labels,)."""
    like = [unicodedata.normalize("NFD", LIKE.get(character, character))[0] for character in alphabets.ALPHABET]
    return np.array([0, *(label if label < known else alphabets.LABELS[character]
                          for label, character in enumerate(like, 1))])


# ---- the training

class LineTrainer(Trainer):
    """Trains a network that reads words and lines; its data are the validation samples."""

    def __init__(self, config: TrainingConfig, data: Validation):
        super().__init__(config, data)
        self.batches = LineBatches(config)
        self.start: list[np.ndarray] = []   # the weights that finetuning starts from
        # Once the rate has fallen to 0, fewer characters are wrong, though CTC is too sure of them.
        self.keeps_latest = config.schedule == "cosine"

    def first_network(self) -> keras.Model:
        """See Trainer; a trained network that reads fewer characters is extended to the others."""
        network = super().first_network()
        if network.output_shape[-1] == networks.LINE_CLASSES:
            return network
        wider = networks.build(self.config.network, self.config.dropout)
        *old, kernel, bias = network.get_weights()
        labels = labels_like(len(bias))
        bias = bias[labels] - RARER * (labels != np.arange(len(labels)))
        wider.set_weights([*old, kernel[:, labels], bias])
        return wider

    def build_model(self) -> LineTrainingModel:
        """See Trainer."""
        config = self.config
        network = self.first_network()
        self.start = network.get_weights()
        for layer in network.layers if config.finetune else ():
            # A few words of one writer do not have the statistics of all writing, and neither do batches of one width.
            layer.trainable = not (isinstance(layer, layers.BatchNormalization)
                                   or not config.corrections and is_early(layer))
        # The shortcut starts at random, and would overwrite what a trained network's convolutions know.
        model = LineTrainingModel(network, 0.0 if config.finetune else SHORTCUT, config.cycles)
        adam = optimizer.optimizer_of(config, config.epoch_steps * config.train_epochs, global_clipnorm=1.0)
        model.compile(adam, jit_compile=devices.jit_compile())
        adam.build(model.trainable_variables)   # otherwise Keras would run a step once more, which takes seconds
        return model

    def kept(self, model):
        """See Trainer; a network between a finetuned one and its origin reads the data of both well.

        M. Wortsman et al. 2022, "Robust fine-tuning of zero-shot models", arXiv 2109.01903.
        """
        share = self.config.start_share if self.config.finetune else 0.0
        if not share and not model.ends:
            return model.network
        between = keras.models.clone_model(model.network)
        between.set_weights([new + share * (old - new)
                             for old, new in zip(self.start, model.mean_weights(), strict=True)])
        return between

    def fit(self, model, callbacks, epoch=0):
        """See Trainer."""
        prefetcher = prefetch.Prefetcher(self.config, epoch)

        def begin(logs) -> None:
            self.batches.prefetcher = prefetcher

        def end_cycle(epoch, logs) -> None:
            if epoch and epoch % self.config.cycle_epochs == 0:
                model.end_cycle()

        def validate(epoch, logs) -> None:   # for the callbacks after this one
            logs.update({f"val_{name}": value for name, value in self.data.measure(self.kept(model)).items()})

        first = keras.callbacks.LambdaCallback(on_train_begin=begin, on_epoch_begin=end_cycle, on_epoch_end=validate)
        with prefetcher.surfacing():
            return model.fit(self.batches, epochs=self.config.train_epochs, initial_epoch=epoch, shuffle=False,
                             verbose=0, callbacks=[first, *callbacks])

    def pictures(self, model) -> dict[tuple[str, str], np.ndarray]:
        """Line images as the network sees them, and what it read in the validation samples."""
        return {("train", "line images as the network sees them"): np.vstack(list(self.batches.shown)),
                ("validation", "truth, and what was read"): self.data.picture(self.data.texts)}

    def describe(self) -> dict:
        """The alphabet and hashes of the data files; for corrections also the number of words and the old decoding."""
        config = self.config
        paths = [Path(config.pen_path, f"{kind}.jsonl.gz") for kind in unipen.CATEGORIES]
        found = {path.name: path for path in paths}
        found |= {f"{name}/lines.zip": path for name in synthesis.REAL.values()
                  if (path := Path(config.paper_path, name, "lines.zip")).is_file()}
        about = {"alphabet": alphabets.ALPHABET, "sha256": {name: files.sha256(path) for name, path in found.items()}}
        if config.corrections:
            about["corrected_words"] = len(corrections_store.read_corrected_words(config.corrections_path))
            about["decoding"] = runs.read_config(config.models_path, config.finetune).get("decoding")
        return about

    def finish(self, folder: Path, network: keras.Model) -> None:
        """Fit the decoding of the best network, and write metrics.json and pictures into its folder."""
        about = runs.read_config(folder.parent, folder.name)
        reader = line_recognizer.LineReader(functools.partial(map, network.predict_on_batch), about.get("decoding"))
        log_probs = list(reader.log_probs([sample.picture for sample in self.data.samples]))
        if not self.config.corrections:  # otherwise the original network's decoding stays
            reader.decoding = replace(reader.decoding, label_prior=character_shares(self.config))
            self.data.fit_decoding(reader, log_probs)
            files.write_json(folder / "config.json", about | {"decoding": asdict(reader.decoding)})
        texts = [read.text for read in self.data.read(reader, log_probs)]
        kinds = [sample.kind for sample in self.data.samples]
        plain = self.data.measure(network)
        found = {"parameters": network.count_params(), **{kind: kinds.count(kind) for kind in KINDS},
                 **self.data.error_rates(texts),
                 **{f"{name}_without_language_model": value for name, value in plain.items()}}
        files.write_json(folder / "metrics.json", {"validation": found})
        files.save_picture(self.data.picture(texts), folder / "readings.png")
        print(", ".join(f"{name} {value:.4g}" for name, value in found.items()))
