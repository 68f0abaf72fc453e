"""What readers of lines are measured by: words and lines of people that no network learns from."""
import cv2
import keras
import numpy as np
from keras import ops

from common import errors, files, line_image
from reading import ctc
from training import metrics, prefetch, synthesis
from training.config import TrainingConfig

WORDS, LINES = 900, 200   # for each epoch
DRY_RUN_SAMPLES = 10      # of each style of words, and of lines
STYLES = ("printed", "mixed", "cursive")
SHOWN = 32                # line images in a picture


class Validation(keras.callbacks.Callback):
    """Words of all styles and lines, drawn as they were written; adds its figures to those of each epoch."""

    def __init__(self, config: TrainingConfig):
        """Raises errors.DataError when a file is missing or damaged, or holds none."""
        super().__init__()
        limit = DRY_RUN_SAMPLES if config.dry_run else None
        self._synthesizer = synthesis.LineSynthesizer(config.pen_path, "", "val", variety=0)
        words, lines = self._synthesizer.words, self._synthesizer.lines
        rng = np.random.default_rng(0)
        chosen = [rng.permutation([row for row, record in enumerate(words) if record["style"] == style])
                  [:limit or WORDS // len(STYLES)] for style in STYLES]
        rows = {"words": np.concatenate(chosen).astype(int), "lines": rng.permutation(len(lines))[:limit or LINES]}
        self.samples = self._plain(rows)
        if not self.samples:
            raise errors.DataError(f"{config.pen_path} holds no words of the validation split")
        self.batches = list(prefetch.batches(self.samples, config.batch_size))
        self.pairs: list[tuple[str, str]] = []   # (truth, reading) of each sample in the batches' order, last measured
        self._others = {} if limit else {kind: np.setdiff1d(np.arange(len(records)), rows[kind])
                                         for kind, records in (("words", words), ("lines", lines))}

    def others(self) -> list[synthesis.Sample]:
        """All words and lines beside the samples; none in a dry run."""
        return self._plain(self._others)

    def _plain(self, rows: dict[str, np.ndarray]) -> list[synthesis.Sample]:
        """These rows of each category."""
        return [sample for kind, of_kind in rows.items() for sample in plain(self._synthesizer, kind, of_kind)]

    def measure(self, network: keras.Model) -> dict[str, float]:
        """Figures of a network without a language model.

        val_loss is CTC's in nat for each character; cer and wer are of words and of lines.
        """
        loss = length = 0
        self.pairs, kinds = [], []
        for images, labels, sources in self.batches:
            logits = network.predict_on_batch(images)
            loss += float(ops.sum(ctc_loss(labels, logits)))
            length += int((labels > 0).sum())
            self.pairs += zip(map(ctc.text_of, labels), map(ctc.greedy, logits), strict=True)
            kinds += [kind for kind, _ in sources]
        rates = error_rates(self.pairs, kinds)
        return {"val_loss": loss / length} | {f"val_{name}": rate for name, rate in rates.items()}

    def on_epoch_end(self, epoch, logs=None):
        """Measure the model's network, for the callbacks behind this one."""
        logs.update(self.measure(self.model.network))

    def picture(self, images: list[np.ndarray] | None = None, pairs: list[tuple[str, str]] | None = None) -> np.ndarray:
        """Some line images with their truth (above) and what was read (below): RGB uint8.

        images, pairs: what to choose from; None: the batches, as they were measured last.
        """
        images = images or [image for batch, *_ in self.batches for image in batch]
        pairs = pairs or self.pairs
        step = max(1, len(images) // SHOWN)
        return sheet([(images[i], *pairs[i]) for i in range(0, len(images), step)])


def ctc_loss(labels, logits):
    """CTC's loss in nat, (batch,), of labels int (batch, length), 0 behind them, and logits (batch, steps, classes)."""
    labels = ops.cast(labels, "int32")
    lengths = ops.sum(ops.cast(labels > 0, "int32"), axis=-1)
    steps = ops.zeros_like(lengths) + ops.shape(logits)[1]
    return ops.ctc_loss(labels, logits, lengths, steps, mask_index=0)


def error_rates(pairs: list[tuple[str, str]], kinds: list[str]) -> dict[str, float]:
    """CER and WER of "words" and of "lines" among pairs of truth and reading."""
    found = {}
    for kind in ("words", "lines"):
        of_kind = [pair for pair, its in zip(pairs, kinds, strict=True) if its == kind]
        if of_kind:
            found |= {f"cer_{kind}": metrics.cer(of_kind), f"wer_{kind}": metrics.wer(of_kind)}
    return found


def plain(synthesizer: synthesis.LineSynthesizer, kind: str, rows) -> list[synthesis.Sample]:
    """These rows of a category as they were written, but for those that are of no use."""
    return [sample for row in rows if (sample := synthesizer.plain(kind, int(row)))]


def sheet(rows: list[tuple[np.ndarray, str, str]], width: int = 460, columns: int = 2) -> np.ndarray:
    """Line images (height, width), each with two lines of text below, the second red where they differ: RGB uint8."""
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
