"""How a line reader learns: line images from processes beside the training, CTC, and validation by words and lines."""
import os
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops
from tqdm import tqdm

from common import alphabets, files, line_image, runs
from reading import line_recognizer, word_lm
from reading.network import Network
from training import (
    calibration,
    corrections_store,
    curves,
    devices,
    export,
    networks,
    optimizer,
    prefetch,
    synthesis,
    unipen,
)
from training.config import TrainingConfig
from training.line_validation import SHOWN, Validation, ctc_loss, plain
from training.pipeline import Trainer

SHORTCUT = 0.15          # share of the convolutions' own loss
DOUBTFUL = 3.5           # nat for each character: a higher loss of a trained network tells a wrong label
MOST_DOUBTFUL = 0.05     # of all records
CHECKED = 100            # records of each category whose labels are checked in a dry run
COUNTED = 5000, 200      # samples whose characters tell what a network expects; in a dry run
FITTED_IN_DRY_RUN = 5    # shortest texts that decoding is fitted to in a dry run
MOST_WRITERS = 14        # processes that write line images, of which each takes 0.8 GB of memory


class LineTrainingModel(keras.Model):
    """Trains `network` on line images uint8 (batch, height, width) and labels int32 (batch, length), 0 behind them.

    The loss is CTC's (Graves et al. 2006), of the network and, with a small share, of a shortcut from its convolutions
    (Retsinas et al. 2022, arXiv 2404.11339).

    shortcut: its share of the loss.
    """

    def __init__(self, network, shortcut: float = SHORTCUT):
        super().__init__()
        self.network, self.share = network, shortcut
        self.shortcut = layers.Conv1D(network.output_shape[-1], 3, padding="same", dtype="float32", name="shortcut")
        columns = network.get_layer("columns").output
        self.both = keras.Model(network.input, [network.output, self.shortcut(columns)])
        self.built = True   # all of its parts are; else Keras would run through them once more to find out

    def call(self, images, training=False):
        """Logits of the network and of the shortcut, float32 (batch, steps, 96) each, one beside the other."""
        return ops.concatenate(self.both(images, training=training), axis=-1)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """CTC's loss in nat for each character: else long lines would count more than words."""
        logits, shortcut = ops.split(y_pred, 2, axis=-1)
        length = ops.cast(ops.sum(ops.cast(y > 0, "int32")), "float32")
        loss = ops.sum(ctc_loss(y, logits)) / length
        return loss + self.share * (ops.sum(ctc_loss(y, shortcut)) / length - loss) if training else loss

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """The loss alone."""
        return self.get_metrics_result()

    @property
    def own_variables(self) -> list:
        """What --resume needs beside the network and the optimiser."""
        return self.shortcut.variables


# ---- what it learns from

class LineBatches(keras.utils.PyDataset):
    """The batches of each epoch for Keras's fit, written by processes that `start` starts."""

    def __init__(self, config: TrainingConfig):
        super().__init__()
        self.config, self.prefetcher = config, None
        self.shown: np.ndarray | None = None   # images of an epoch's first batch
        self.error: Exception | None = None    # what a process has raised; TensorFlow hides it in an error of its own

    def __len__(self):
        return self.config.epoch_steps

    def __getitem__(self, step):
        if not self.prefetcher:   # Keras looks at two batches to see in which dimensions they differ
            size = step + 1
            return np.zeros((size, line_image.HEIGHT, 32 * size), np.uint8), np.zeros((size, size), np.int32)
        try:
            batch = self.prefetcher.next()
        except Exception as error:
            self.error = error
            raise
        if not step:
            self.shown = batch[0][:SHOWN]
        return batch

    def start(self, epoch: int, dropped: set[synthesis.Source]) -> None:
        """Write from this epoch on, without some records."""
        self.close()
        self.prefetcher = prefetch.Prefetcher(self.config, epoch, dropped, line_writers(self.config))

    def close(self) -> None:
        """End the processes."""
        if self.prefetcher:
            self.prefetcher.close()


def line_writers(config: TrainingConfig) -> int:
    """How many processes write: one feeds a dozen CPU cores that train, a GPU takes what fourteen write."""
    most = min(config.train_workers, config.epoch_steps, MOST_WRITERS, (os.cpu_count() or 2) - 1)
    return max(1, most) if devices.gpus() else 1


class LabelCheck(keras.callbacks.Callback):
    """Starts writing and, after a third of the epochs, leaves out records whose label the network finds impossible."""

    def __init__(self, batches: LineBatches, epoch: int):
        """epoch: the first one."""
        super().__init__()
        self.batches, self.first = batches, epoch
        self.checked = max(1, batches.config.train_epochs // 3)

    def on_epoch_begin(self, epoch, logs=None):
        """Start to write if this epoch is the first one, or the first one with checked labels."""
        if epoch in (self.first, self.checked):
            wrong = wrong_labels(self.model.network, self.batches.config) if epoch >= self.checked else set()
            self.batches.start(epoch, wrong)


def wrong_labels(network: keras.Model, config: TrainingConfig) -> set[synthesis.Source]:
    """Training records, as (category, row), whose label a half-trained network finds nearly impossible.

    At most the share MOST_DOUBTFUL of all: a network that has learned little finds all of them so.
    """
    synthesizer = synthesis.LineSynthesizer(config.pen_path, "", variety=0)
    found = []
    for kind, records in (("words", synthesizer.words), ("lines", synthesizer.lines)):
        count = min(len(records), CHECKED) if config.dry_run else len(records)
        for start in tqdm(range(0, count, 2000), f"checking labels of {kind}", leave=False):
            samples = plain(synthesizer, kind, range(start, min(start + 2000, count)))
            synthesizer.forget()
            for images, labels, sources in prefetch.batches(samples, config.batch_size) if samples else ():
                losses = ops.convert_to_numpy(ctc_loss(labels, network.predict_on_batch(images)))
                found += zip(losses / (labels > 0).sum(axis=1), sources, strict=True)
    found.sort(key=lambda one: -one[0])
    dropped = {source for loss, source in found[:round(MOST_DOUBTFUL * len(found))] if loss > DOUBTFUL}
    print(f"{len(dropped):,} of {len(found):,} words and lines left out: the network finds their labels impossible")
    return dropped


def character_shares(config: TrainingConfig) -> list[float]:
    """Log of the share of each character of alphabets.ALPHABET in what a network learns from."""
    synthesizer = synthesis.LineSynthesizer(config.pen_path, config.data_path, val_split=config.val_split)
    rng = np.random.default_rng(config.seed)
    texts = [sample.text for _ in range(COUNTED[config.dry_run]) if (sample := synthesizer.sample(rng))]
    labels = [alphabets.LABELS[character] for character in "".join(texts)]
    counts = np.bincount(labels, minlength=len(alphabets.ALPHABET) + 1)[1:] + 1
    return np.log(counts / counts.sum()).round(2).tolist()


# ---- the training

class LineTrainer(Trainer):
    """Trains a network that reads words and lines; its data are those of the validation."""

    def __init__(self, config: TrainingConfig, data: Validation):
        super().__init__(config, data)
        self.batches = LineBatches(config)

    def build_model(self) -> LineTrainingModel:
        """See Trainer."""
        config = self.config
        network = self.first_network()
        if config.corrections:  # some words of one writer do not tell how all writing is distributed
            for layer in network.layers:
                if isinstance(layer, layers.BatchNormalization):
                    layer.trainable = False
        # The shortcut begins at random, and what a trained network's convolutions know would give way to it.
        model = LineTrainingModel(network, 0.0 if config.finetune else SHORTCUT)
        adam = optimizer.optimizer_of(config, config.epoch_steps * config.train_epochs, global_clipnorm=1.0)
        model.compile(adam, jit_compile=devices.jit_compile())
        adam.build(model.trainable_variables)   # else Keras would run through a step once more, for seconds
        return model

    def fit(self, model, callbacks, epoch=0):
        """See Trainer."""
        first = [LabelCheck(self.batches, epoch), self.data]
        try:
            return model.fit(self.batches, epochs=self.config.train_epochs, initial_epoch=epoch, shuffle=False,
                             verbose=0, callbacks=[*first, *callbacks])
        except Exception:
            if self.batches.error:
                raise self.batches.error from None
            raise
        finally:
            self.batches.close()

    def pictures(self, model) -> dict[tuple[str, str], np.ndarray]:
        """Line images as the network sees them, and what it read of others."""
        return {("train", "line images as the network sees them"): np.vstack(list(self.batches.shown)),
                ("validation", "truth, and what was read"): self.data.picture(self.data.texts)}

    def describe(self) -> dict:
        """Hashes of UNIPEN's files; for corrections how many words, and the decoding that stays."""
        config = self.config
        paths = [Path(config.pen_path, f"{kind}.jsonl.gz") for kind in unipen.CATEGORIES]
        about = {"sha256": {path.name: files.sha256(path) for path in paths}}
        if config.corrections:
            about["corrected_words"] = len(corrections_store.read_corrected_words(config.corrections_path))
            about["decoding"] = runs.read_config(config.models_path, config.finetune).get("decoding")
        return about

    def finish(self, folder: Path) -> None:
        """Fit how the best network is decoded, and leave metrics.json and pictures in its folder."""
        about = runs.read_config(folder.parent, folder.name)
        network = networks.load_network(folder.parent, folder.name)
        export.export_run(folder)
        reader = line_recognizer.LineReader(Network(folder.parent, folder.name).each, about.get("decoding"),
                                            word_lm.load())
        log_probs = list(reader.log_probs([sample.picture for sample in self.data.samples]))
        if not self.config.corrections:  # else it is decoded as the network that it comes from
            self._fit_decoding(reader, log_probs)
            files.write_json(folder / "config.json", about | {"decoding": asdict(reader.decoding)})
        texts = [reader.decode(each).text for each in log_probs]
        kinds = [sample.source[0] for sample in self.data.samples]
        plain = self.data.measure(network)
        found = {"parameters": network.count_params(), "words": kinds.count("words"), "lines": kinds.count("lines"),
                 **self.data.error_rates(texts),
                 **{f"{name}_without_language_model": value for name, value in plain.items()}}
        files.write_json(folder / "metrics.json", {"validation": found})
        files.save_picture(self.data.picture(texts), folder / "readings.png")
        curves.plot([folder], folder / "training.png")
        print(", ".join(f"{name} {value:.4g}" for name, value in found.items()))
        print(f"{folder}: model.keras, model.onnx, config.json, metrics.json, logs/, readings.png, training.png")

    def _fit_decoding(self, reader: line_recognizer.LineReader, log_probs: list[np.ndarray]) -> None:
        """Have the reader decode as suits all words and lines of the validation split best: writers differ."""
        reader.decoding = replace(reader.decoding, label_prior=character_shares(self.config))
        others = self.data.others()
        log_probs = log_probs + list(reader.log_probs([sample.picture for sample in others]))
        truths = [sample.text for sample in self.data.samples + others]
        if self.config.dry_run:   # a network that has learned nothing leaves thousands of texts to choose from
            log_probs, truths = log_probs[:FITTED_IN_DRY_RUN], truths[:FITTED_IN_DRY_RUN]
        reader.decoding = replace(reader.decoding, **calibration.fit_decoding(log_probs, truths, reader))
        read = [reader.decode(each) for each in log_probs]
        reader.decoding = replace(reader.decoding, confidence=calibration.fit_confidence(read, truths))
