"""Validates line readers on words and lines, drawn and scanned, by people that no network learns from."""
import cv2
import keras
import numpy as np
from keras import ops

from common import errors, files, line_image
from reading import ctc
from training import devices, metrics, prefetch, synthesis
from training.config import TrainingConfig

WORDS, LINES, SCANS = 600, 150, 120   # samples in each epoch; scans: of each kind
DRY_RUN_SAMPLES = 10                  # of each style of words, and of each kind of lines
KINDS = ("words", "lines", "copiste", "dhsd")
STYLES = ("printed", "mixed", "cursive")
LEAST = -80.0             # nats: the least likely character against the likeliest; float32 ends at -87
SHOWN, TILE = 32, 460     # line images in a picture, and the px of width shown


class Validation(keras.callbacks.Callback):
    """Words and lines, drawn as they were written, and scanned lines; adds its metrics to those of each epoch."""

    def __init__(self, config: TrainingConfig):
        """Raises errors.DataError when a file is missing or damaged, or there are no samples."""
        super().__init__()
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
        self._batches = list(prefetch.batches(self.samples, config.batch_size))
        self.texts: list[str] = []   # what `measure` has read of the samples
        self.kept = lambda model: model.network   # see pipeline.Trainer

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

    def on_epoch_end(self, epoch, logs=None):
        """Measure the model's network, for the callbacks after this one."""
        logs.update({f"val_{name}": value for name, value in self.measure(self.kept(self.model)).items()})

    def error_rates(self, texts: list[str]) -> dict[str, float]:
        """CER and WER of the texts that were read, for each kind of sample."""
        found = {}
        for kind in KINDS:
            pairs = [(sample.text, text) for sample, text in zip(self.samples, texts, strict=True)
                     if sample.kind == kind]
            if pairs:
                found |= {f"cer_{kind}": metrics.cer(pairs), f"wer_{kind}": metrics.wer(pairs)}
        return found

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
