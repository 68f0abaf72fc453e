"""How a line reader learns: a process that writes strips, CTC, and what TensorBoard shows of it.

model.py --network=line is the script to run; these are the parts it is made of.
"""
import itertools
import os
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import keras
import numpy as np
from keras import layers, ops
from tqdm import tqdm

from common import alphabets, errors, files, line_image, runs
from reading import ctc, line_recognizer, word_lm
from reading.network import Network
from training import augment, character_trainer, curves, devices, export, metrics, networks, prefetch, synthesis

# ---- fitting how to decode

# What each weight of decoding is chosen from; see ctc.Weights and without_prior.  The search starts in the middle.
CHOICES = {"lm_weight": (0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.5), "insertion_bonus": (0.4, 0.8, 1.6, 2.4, 2.8, 3.2, 3.6),
           "space_bonus": (0.5, 0.0, -0.5, -1.0, -1.5, -2.0, -2.5), "space_lm_share": (0.2, 0.4, 0.6, 0.8, 1.0),
           "prior_share": (0.0, 0.2, 0.35, 0.5, 0.65)}


def fit_decoding(log_probs: list[np.ndarray], truths: list[str], reader: line_recognizer.LineReader) -> dict[str, float]:
    """What to decode with, by the least error rate on texts that the network has not learned from.

    log_probs: what reader.log_probs says of the strips of these texts.
    Returns a weight for each of CHOICES.  They are changed one after the other, to the
    next in their row, as long as that lowers the error rate (coordinate descent).
    """
    places = {name: len(row) // 2 for name, row in CHOICES.items()}
    tried: dict[tuple, float] = {}
    progress = tqdm(desc="fitting how to decode", unit=" ways", leave=False)

    def error(way: dict[str, int]) -> float:
        key = tuple(way.values())
        if key not in tried:
            tried[key] = _error_rate(log_probs, truths, reader, _chosen(way))
            progress.update()
            progress.set_postfix_str(f"CER {min(tried.values()):.4f}")
        return tried[key]

    settled = 0
    for name in itertools.cycle(CHOICES):
        ways = [places | {name: place} for place in range(places[name] - 1, places[name] + 2)
                if 0 <= place < len(CHOICES[name])]
        best = min([places, *ways], key=error)   # of two that are as good the one that is there
        settled = settled + 1 if best == places else 0
        places = best
        if settled == len(CHOICES):
            break
    progress.close()
    return _chosen(places)


def _chosen(places: dict[str, int]) -> dict[str, float]:
    """The weights at these places of CHOICES."""
    return {name: CHOICES[name][place] for name, place in places.items()}


def _error_rate(log_probs, truths: list[str], reader: line_recognizer.LineReader, decoding: dict[str, float]) -> float:
    """CER of texts read with these weights."""
    weights = ctc.Weights(*(decoding[name] for name in ctc.Weights._fields))
    judged = (line_recognizer.without_prior(each, reader.decoding.label_prior, decoding["prior_share"]) for each in log_probs)
    texts = [ctc.search(each, reader.lm, weights)[0].text for each in judged]
    return metrics.cer(list(zip(truths, texts, strict=True)))


def fit_confidence(read: list[line_recognizer.LineText], truths: list[str]) -> list[float]:
    """Weights of the line_recognizer.evidence for a word, and an offset, that make it the log odds of being right.

    J. Platt, "Probabilistic outputs for support vector machines", 1999.
    """
    from sklearn.linear_model import LogisticRegression
    values = [values for line in read for values in line.evidence]
    right = [right for line, truth in zip(read, truths, strict=True) for right in metrics.right_words(truth, line.text)]
    if len(set(right)) < 2:
        return list(line_recognizer.Decoding().confidence)
    fitted = LogisticRegression(C=10, max_iter=1000).fit(values, right)
    return [round(float(value), 4) for value in (*fitted.coef_[0], fitted.intercept_[0])]

VAL_WORDS, VAL_LINES = 900, 200   # of each epoch
SHORTCUT = 0.15          # share of the convolutions' own loss
DOUBTFUL = 3.5           # nat for each character: a higher loss of a trained network tells a wrong label
MOST_DOUBTFUL = 0.05     # of all records
CHECKED = 400            # records of each category whose labels are checked in a dry run
COUNTED = 5000, 200      # samples whose characters tell what a network expects; in a dry run
MOST_WRITERS = 14        # processes that write strips, of which each takes 0.8 GB of memory
SHOWN = 32               # strips in TensorBoard's picture


class LineTrainingModel(keras.Model):
    """Trains `network` on strips uint8 (batch, height, width) and their labels int32 (batch, length), 0 behind them.

    The loss is CTC's (Graves et al. 2006), for each strip, of the network and, with a
    small share, of a shortcut from its convolutions (Retsinas et al. 2022, arXiv 2404.11339).
    """

    def __init__(self, network, shortcut: float = SHORTCUT):
        """shortcut: its share of the loss."""
        super().__init__()
        self.network, self.share = network, shortcut
        self.shortcut = layers.Conv1D(network.output_shape[-1], 3, padding="same", dtype="float32", name="shortcut")
        columns = network.get_layer("columns").output
        self.both = keras.Model(network.input, [network.output, self.shortcut(columns)])
        self.built = True   # all of its parts are; else Keras would run through them once more to find out

    def call(self, strips, training=False):
        """Logits of the network and of the shortcut, float32 (batch, steps, 96) each, one beside the other."""
        return ops.concatenate(self.both(strips, training=training), axis=-1)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """CTC, in nat for each character: else long lines would count more than words."""
        logits, shortcut = ops.split(y_pred, 2, axis=-1)
        length = ops.cast(ops.sum(ops.cast(y > 0, "int32")), "float32")
        loss = ops.sum(ctc_loss(y, logits)) / length
        return loss + self.share * (ops.sum(ctc_loss(y, shortcut)) / length - loss) if training else loss

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return self.get_metrics_result()

    def make_train_function(self, force=False):
        """As Keras, but on a CPU TensorFlow traces a step, which takes seconds, once and not for size after size."""
        if keras.backend.backend() != "tensorflow" or devices.gpus():
            return super().make_train_function(force)
        if self.train_function is None or force:
            import tensorflow
            sizes = (tensorflow.TensorSpec((None, line_image.HEIGHT, None), "uint8"),
                     tensorflow.TensorSpec((None, None), "int32"))
            self.optimizer.build(self.trainable_variables)   # else the first trace would, and be of no use
            step = tensorflow.function(lambda *batch: self.train_step(batch), input_signature=sizes)
            self.train_function = lambda batches: step(*next(batches)[:2])

    @property
    def own_variables(self) -> list:
        """What --resume needs beside the network and the optimiser."""
        return self.shortcut.variables


def ctc_loss(labels, logits):
    """CTC's loss in nat, (batch,), of labels int (batch, length), 0 behind them, and logits (batch, steps, classes)."""
    labels = ops.cast(labels, "int32")
    lengths = ops.sum(ops.cast(labels > 0, "int32"), axis=-1)
    steps = ops.zeros_like(lengths) + ops.shape(logits)[1]
    return ops.ctc_loss(labels, logits, lengths, steps, mask_index=0)


# ---- what it is measured by

class Validation:
    """Words and lines of people that no network learns from, as they are, to measure each epoch by."""

    def __init__(self, config: dict):
        limit = 40 if config["dry_run"] else None
        writer = synthesis.LineSynthesizer(config["pen_path"], "", "val", variety=0)
        rng = np.random.default_rng(0)
        styles = ("printed", "mixed", "cursive")
        chosen = [rng.permutation([row for row, record in enumerate(writer.words) if record["style"] == style])
                  [:limit or VAL_WORDS // len(styles)] for style in styles]
        rows = {"words": np.concatenate(chosen).astype(int),
                "lines": rng.permutation(len(writer.lines))[:limit or VAL_LINES]}
        self._writer = writer
        self.samples = self._plain(rows)
        self._others = {} if limit else {
            kind: np.setdiff1d(np.arange(len(records)), rows[kind])
            for kind, records in (("words", writer.words), ("lines", writer.lines))}
        if not self.samples:
            raise errors.DataError(f"{config['pen_path']} holds no words of the validation split")
        self.batches = list(prefetch.batches(self.samples, config["batch_size"]))

    def others(self) -> list[tuple]:
        """All words and lines beside the samples."""
        return self._plain(self._others)

    def _plain(self, rows: dict[str, np.ndarray]) -> list[tuple]:
        """These rows of each category, as they are."""
        return [sample for kind, of_kind in rows.items() for sample in _plain(self._writer, kind, of_kind)]

    def measure(self, network) -> tuple[dict[str, float], list[tuple[str, str]]]:
        """Figures of a network without a language model, and (truth, reading) of each sample in order of the batches.

        val_loss is in nat for each character; cer and wer are of words and of lines.
        """
        loss = length = 0
        pairs, kinds = [], []
        for strips, labels, sources in self.batches:
            logits = network.predict_on_batch(strips)
            loss += float(ops.sum(ctc_loss(labels, logits)))
            length += int((labels > 0).sum())
            pairs += zip(map(ctc.text_of, labels), map(ctc.greedy, logits), strict=True)
            kinds += [kind for kind, _ in sources]
        figures = {"val_loss": loss / length}
        for kind in ("words", "lines"):
            of_kind = [pair for pair, its in zip(pairs, kinds, strict=True) if its == kind]
            if of_kind:
                figures[f"val_cer_{kind}"] = metrics.cer(of_kind)
                figures[f"val_wer_{kind}"] = metrics.wer(of_kind)
        return figures, pairs

    def picture(self, pairs: list[tuple[str, str]], strips=None) -> np.ndarray:
        """Some strips with their truth (above) and what was read (below): RGB uint8.

        strips: those that the pairs belong to; None: those of the batches, as measure returns them.
        """
        strips = strips or [picture for batch, *_ in self.batches for picture in batch]
        step = max(1, len(strips) // SHOWN)
        return sheet([(strips[i], *pairs[i]) for i in range(0, len(strips), step)])


def _plain(writer: synthesis.LineSynthesizer, kind: str, rows) -> list[tuple]:
    return [sample for row in rows if (sample := writer.plain(kind, int(row)))]


def sheet(rows: list[tuple[np.ndarray, str, str]], width: int = 460, columns: int = 2) -> np.ndarray:
    """Strips (height, width), each with two lines of text below, the second red where they differ: RGB uint8."""
    tiles = []
    for pixels, truth, read in rows:
        tile = np.zeros((68, width, 3), np.uint8)
        shown = pixels[:, :width]
        tile[:line_image.HEIGHT, :shown.shape[1]] = shown[..., None]
        for y, text, colour in ((46, truth, (170, 170, 170)), (61, read, (120, 230, 120) if read == truth
                                                                 else (255, 120, 110))):
            cv2.putText(tile, text, (4, y), cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)
        tiles.append(tile)
    return files.in_rows(tiles, columns)


def wrong_labels(network, config: dict) -> set[synthesis.Source]:
    """(category, row) of training records whose label a half-trained network finds nearly impossible.

    At most the share MOST_DOUBTFUL of all: a network that has learned little finds all of them so.
    """
    writer = synthesis.LineSynthesizer(config["pen_path"], "", variety=0)
    found = []
    for kind, records in (("words", writer.words), ("lines", writer.lines)):
        count = min(len(records), CHECKED) if config["dry_run"] else len(records)
        for start in tqdm(range(0, count, 2000), f"checking labels of {kind}", leave=False):
            samples = _plain(writer, kind, range(start, min(start + 2000, count)))
            writer.forget()
            for strips, labels, sources in prefetch.batches(samples, config["batch_size"]) if samples else ():
                losses = ops.convert_to_numpy(ctc_loss(labels, network.predict_on_batch(strips)))
                found += zip(losses / (labels > 0).sum(axis=1), sources, strict=True)
    found.sort(key=lambda one: -one[0])
    dropped = {source for loss, source in found[:round(MOST_DOUBTFUL * len(found))] if loss > DOUBTFUL}
    print(f"{len(dropped):,} of {len(found):,} words and lines left out: the network finds their labels impossible")
    return dropped


# ---- the loop

class LineLog(character_trainer.Log):
    """Losses, error rates and learning rate of each epoch, and strips with what was read, for TensorBoard."""

    def __init__(self, folder: Path, validation: Validation):
        super().__init__(folder)
        self.checked = validation

    def first_batch(self, strips: np.ndarray) -> None:
        """Show what the network learns from."""
        self.train.image("strips as the network sees them", np.vstack(list(strips[:SHOWN])), 0)

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        self.validation.image("truth, and what was read", self.checked.picture(self.model.pairs), epoch + 1)


def fit(trainee: LineTrainingModel, config: dict, validation: Validation, callbacks: keras.callbacks.CallbackList,
        log: LineLog | None = None, epoch: int = 0) -> None:
    """Train from `epoch` on until the epochs are over or a callback ends it.

    Keras's own fit would read from a generator, and tf.data's slows convolutions on a
    CPU down (see character_trainer.EpochSampler); the width of strips differs from batch to batch.
    """
    dropped = set(wrong_labels(trainee.network, config)) if epoch > doubt_epoch(config) else set()
    writers = strip_writers(config)
    written = prefetch.Prefetcher(config, epoch, dropped, writers)
    seed = keras.random.SeedGenerator(config["seed"])
    callbacks.on_train_begin()
    try:
        for number in range(epoch, config["train_epochs"]):
            if number == doubt_epoch(config):
                written.close()
                written = prefetch.Prefetcher(config, number, wrong_labels(trainee.network, config), writers)
            callbacks.on_epoch_begin(number)
            losses = []
            for step in range(config["epoch_steps"]):
                strips, labels, again = written.next()
                if number == epoch and not step and log:
                    log.first_batch(strips)
                if again:
                    strips = augment.change_strips(ops.convert_to_tensor(strips), seed)
                losses.append(float(trainee.train_on_batch(strips, labels)))
                callbacks.on_train_batch_end(step, {"loss": np.mean(losses[-50:])})
            figures, trainee.pairs = validation.measure(trainee.network)
            callbacks.on_epoch_end(number, {"loss": float(np.mean(losses)), **figures})
            if trainee.stop_training:
                break
    finally:
        written.close()
        callbacks.on_train_end()


def strip_writers(config: dict) -> int:
    """How many processes write strips: one feeds a dozen CPU cores that train, a GPU takes what fourteen write."""
    most = min(config["train_workers"], config["epoch_steps"], MOST_WRITERS, (os.cpu_count() or 2) - 1)
    return max(1, most) if devices.gpus() else 1


def doubt_epoch(config: dict) -> int:
    """Before this epoch wrong labels are left out."""
    return max(1, config["train_epochs"] // 3)


def character_shares(config: dict) -> list[float]:
    """Log of the share of each character of alphabets.ALPHABET in what a network learns from."""
    writer = synthesis.LineSynthesizer(config["pen_path"], config["data_path"], val_split=config["val_split"])
    rng = np.random.default_rng(config["seed"])
    texts = [sample.text for _ in range(COUNTED[config["dry_run"]]) if (sample := writer.sample(rng))]
    counts = np.bincount([alphabets.LABELS[character] for character in "".join(texts)], minlength=len(alphabets.ALPHABET) + 1)[1:]
    shares = (counts + 1) / (counts + 1).sum()
    return np.log(shares).round(2).tolist()


def finish(folder: Path, validation: Validation) -> dict:
    """Fit how the best network of a finished training is decoded, and leave metrics.json and pictures in its folder."""
    about = runs.read_config(str(folder.parent), folder.name)
    network = networks.load_network(str(folder.parent), folder.name)
    strips, truths, sources = zip(*validation.samples, strict=True)
    export.export_run(folder)
    reader = line_recognizer.LineReader(Network(folder.parent, folder.name).each, about.get("decoding"), word_lm.load())
    log_probs = list(reader.log_probs(strips))
    if not about["settings"]["corrections"]:  # else it is decoded as the network that it comes from
        reader.decoding = replace(reader.decoding, label_prior=character_shares(about["settings"]))
        others = validation.others()   # all there are: spaces are few, and hands differ
        more = [*log_probs, *reader.log_probs([picture for picture, *_ in others])]
        labels = [*truths, *(text for _, text, _ in others)]
        reader.decoding = replace(reader.decoding, **fit_decoding(more, labels, reader))
        reader.decoding = replace(reader.decoding, confidence=fit_confidence([reader.decode(each) for each in more], labels))
        files.write_json(folder / "config.json", about | {"decoding": asdict(reader.decoding)})
    figures, _ = validation.measure(network)
    found = {"parameters": network.count_params()} | {
        f"{name.removeprefix('val_')}_without_language_model": value for name, value in figures.items()}
    texts = [reader.decode(each).text for each in log_probs]
    for kind in ("words", "lines"):
        pairs = [(truth, text) for truth, text, source in zip(truths, texts, sources, strict=True) if source[0] == kind]
        found[kind] = len(pairs)
        found[f"cer_{kind}"] = metrics.cer(pairs)
        found[f"wer_{kind}"] = metrics.wer(pairs)
    files.write_json(folder / "metrics.json", {"validation": found})
    files.save_picture(validation.picture(list(zip(truths, texts, strict=True)), strips), folder / "readings.png")
    curves.plot([folder], folder / "training.png")
    print(", ".join(f"{name} {value:.4g}" for name, value in found.items()))
    print(f"{folder}: model.keras, model.onnx, config.json, metrics.json, logs/, readings.png, training.png")
    return found
