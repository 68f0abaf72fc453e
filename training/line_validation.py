"""Validates line readers on words and lines, drawn and scanned, by people that no network learns from.

At the end of a training, how to decode and how to tell confidence are fitted to the same samples.
"""
import functools
import itertools
from dataclasses import replace

import cv2
import keras
import numpy as np
from keras import ops
from tqdm import tqdm

from common import errors, files, line_image
from reading import ctc, line_recognizer, word_lm
from training import devices, metrics, prefetch, synthesis
from training.config import TrainingConfig

WORDS, LINES, SCANS = 600, 150, 120   # samples in each epoch; scans: of each kind
DRY_RUN_SAMPLES = 10                  # of each style of words, and of each kind of lines
KINDS = ("words", "lines", "copiste", "dhsd")
STYLES = ("printed", "mixed", "cursive")
LEAST = -80.0             # nats: the least likely character against the likeliest; float32 ends at -87
SHOWN, TILE = 32, 460     # line images in a picture, and the px of width shown
LANGUAGES = {"copiste": "french", "dhsd": "german"}   # of the kinds of samples that are not in English
FITTED_IN_DRY_RUN = 5     # decoding is fitted to this many of the shortest texts in a dry run
# The choices for each weight; see line_recognizer.Decoding.  The search starts in the middle.
CHOICES = {"lm_weight": (0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.5), "insertion_bonus": (0.4, 0.8, 1.6, 2.4, 2.8, 3.2, 3.6),
           "space_bonus": (0.5, 0.0, -0.5, -1.0, -1.5, -2.0, -2.5), "space_lm_share": (0.2, 0.4, 0.6, 0.8, 1.0),
           "prior_share": (0.0, 0.2, 0.35, 0.5, 0.65)}


class Validation:
    """Words and lines, drawn as they were written, and scanned lines."""

    def __init__(self, config: TrainingConfig):
        """Raises errors.DataError when a file is missing or damaged, or there are no samples."""
        synthesizer = synthesis.LineSynthesizer(config.pen_path, "", "val", variety=0, paper_path=config.paper_path)
        of_style, of_lines, of_scans = ((DRY_RUN_SAMPLES,) * 3 if config.dry_run else
                                        (WORDS // len(STYLES), LINES, SCANS))
        rng, chosen = np.random.default_rng(0), []
        for style in STYLES:
            rows = [row for row, record in enumerate(synthesizer.words) if record["style"] == style]
            chosen += [("words", int(row)) for row in rng.permutation(rows)[:of_style]]
        for kind, lines in {"lines": synthesizer.lines, **synthesizer.real}.items():
            rows = rng.permutation(len(lines))[:of_lines if kind == "lines" else of_scans]
            chosen += [(kind, int(row)) for row in rows]
        found = filter(None, (synthesizer.plain(kind, row) for kind, row in chosen))   # without the unusable ones
        self.samples = sorted(found, key=lambda sample: sample.picture.shape[1])   # by width, as in batches
        if not self.samples:
            raise errors.DataError(f"{config.pen_path} holds no words of the validation split")
        self.dry_run = config.dry_run
        self._batches = list(prefetch.batches(self.samples, config.batch_size))
        self.texts: list[str] = []   # what `measure` has read of the samples

    def measure(self, network: keras.Model) -> dict[str, float]:
        """The CTC loss in nats per character, and the error rates, of a network without a language model."""
        loss = length = 0
        self.texts = []
        for images, labels in self._batches:
            logits = network.predict_on_batch(images)
            loss += float(ops.sum(ctc_loss(labels, logits)))
            length += int((labels > 0).sum())
            self.texts += map(ctc.greedy, logits)
        return {"loss": loss / length, **self.error_rates(self.texts)}

    def error_rates(self, texts: list[str]) -> dict[str, float]:
        """CER and WER of the texts that were read, for each kind of sample."""
        found = {}
        for kind in KINDS:
            pairs = [(sample.text, text) for sample, text in zip(self.samples, texts, strict=True)
                     if sample.kind == kind]
            if pairs:
                found |= {f"cer_{kind}": metrics.cer(pairs), f"wer_{kind}": metrics.wer(pairs)}
        return found

    def read(self, reader: line_recognizer.LineReader, log_probs: list[np.ndarray]) -> list[line_recognizer.LineText]:
        """Read the first samples from their log probabilities (see LineReader.log_probs), each in its own language."""
        found = []
        for sample, each in zip(self.samples, log_probs):
            reader.lm = lm_of(sample)
            found.append(reader.decode(each))
        return found

    def fit_decoding(self, reader: line_recognizer.LineReader, log_probs: list[np.ndarray]) -> None:
        """Set the weights and confidences of a reader's decoding to those that suit the samples best."""
        samples = self.samples
        if self.dry_run:   # an untrained network leaves thousands of texts to choose from
            log_probs, samples = log_probs[:FITTED_IN_DRY_RUN], samples[:FITTED_IN_DRY_RUN]
        truths, lms = [sample.text for sample in samples], [lm_of(sample) for sample in samples]
        reader.decoding = fit_weights(log_probs, truths, lms, reader.decoding)
        confidence = fit_confidence(self.read(reader, log_probs), truths)
        reader.decoding = replace(reader.decoding, confidence=confidence)

    def picture(self, texts: list[str]) -> np.ndarray:
        """Some samples, each with its text and, below, what was read, in red if it differs: RGB uint8."""
        tiles = []
        for sample, text in list(zip(self.samples, texts, strict=True))[::max(1, len(texts) // SHOWN)]:
            tile, shown = np.zeros((68, TILE, 3), np.uint8), sample.picture[:, :TILE]
            tile[:line_image.HEIGHT, :shown.shape[1]] = shown[..., None]
            colour = (120, 230, 120) if text == sample.text else (255, 120, 110)
            for y, line, its in ((46, sample.text, (170, 170, 170)), (61, text, colour)):
                cv2.putText(tile, line, (4, y), cv2.FONT_HERSHEY_SIMPLEX, 0.42, its, 1, cv2.LINE_AA)
            tiles.append(tile)
        return files.in_rows(tiles, 2)


def ctc_loss(labels, logits):
    """CTC loss in nats, (batch,), of labels int (batch, length), padded with 0, and logits (batch, steps, classes)."""
    labels = ops.cast(labels, "int32")
    lengths = ops.sum(ops.cast(labels > 0, "int32"), axis=-1)
    steps = ops.zeros_like(lengths) + ops.shape(logits)[1]
    if keras.backend.backend() == "tensorflow" and not devices.gpus():
        return _ctc_loss_on_cpu(labels, logits, steps)
    return ops.ctc_loss(labels, logits, lengths, steps, mask_index=0)


def _ctc_loss_on_cpu(labels, logits, steps):
    """The same from TensorFlow's kernel, ten times as fast as its loop for GPUs; finite for a text that cannot fit.

    The kernel takes logarithms of probabilities: one that underflows to 0 would make the loss infinite.
    """
    import tensorflow
    sparse = tensorflow.sparse.from_dense(labels)
    logits = ops.cast(logits, "float32")
    least = ops.stop_gradient(ops.max(logits, axis=-1, keepdims=True)) + LEAST
    blank_last = ops.roll(ops.maximum(logits, least), -1, axis=-1)
    return tensorflow.compat.v1.nn.ctc_loss(sparse.with_values(sparse.values - 1), blank_last, steps, time_major=False,
                                            ignore_longer_outputs_than_inputs=True)


# ---- how to decode

def lm_of(sample: synthesis.Sample) -> word_lm.WordLM:
    """The language model for a sample."""
    return word_lm.load(LANGUAGES.get(sample.kind, "english"))


def fit_weights(log_probs: list[np.ndarray], truths: list[str], lms: list[word_lm.WordLM],
                decoding: line_recognizer.Decoding) -> line_recognizer.Decoding:
    """A decoding with those weights of CHOICES that give the lowest character error rate.

    Each weight in turn moves to the next of its choices, as long as that helps (coordinate descent).
    """
    progress = tqdm(desc="fitting how to decode", unit=" tries", leave=False)

    def at(places: tuple[int, ...]) -> line_recognizer.Decoding:
        weights = {name: row[place] for (name, row), place in zip(CHOICES.items(), places, strict=True)}
        return replace(decoding, **weights)

    @functools.cache
    def error(places: tuple[int, ...]) -> float:
        progress.update()
        tried = at(places)
        texts = [ctc.search(tried.without_prior(each), lm, tried)[0].text
                 for each, lm in zip(log_probs, lms, strict=True)]
        return metrics.cer(list(zip(truths, texts, strict=True)))

    places = tuple(len(row) // 2 for row in CHOICES.values())
    settled = 0   # weights in a row that did not move
    for axis, row in itertools.cycle(enumerate(CHOICES.values())):
        near = [places[:axis] + (place,) + places[axis + 1:] for place in (places[axis] - 1, places[axis] + 1)
                if 0 <= place < len(row)]
        best = min([places, *near], key=error)   # in a tie nothing moves
        settled = settled + 1 if best == places else 0
        places = best
        if settled == len(CHOICES):
            progress.close()
            return at(places)


def fit_confidence(read: list[line_recognizer.LineText], truths: list[str]) -> list[float]:
    """The weights of line_recognizer.evidence, and an offset, that turn it into the log odds that a word is right.

    J. Platt, "Probabilistic outputs for support vector machines", 1999.
    """
    from sklearn.linear_model import LogisticRegression  # here, since a training should not wait for it
    values = [values for line in read for values in line.evidence]
    right = [right for line, truth in zip(read, truths, strict=True) for right in metrics.right_words(truth, line.text)]
    if len(set(right)) < 2:
        return list(line_recognizer.Decoding().confidence)
    fitted = LogisticRegression(C=10, max_iter=1000).fit(values, right)
    return [round(float(value), 4) for value in (*fitted.coef_[0], fitted.intercept_[0])]
