"""Metrics for characters, words and lines, and the files that a finished training writes about them.

model.py calls `finish` once at the end of a training; tools/check_acc_loss.py calls `evaluate` for saved networks.
"""
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from rapidfuzz.distance import Levenshtein
from tqdm import tqdm

from common import alphabets, files, runs, softmax
from training import curves, emnist, unipen

BATCH = 500
PEN_WIDTH = 8        # px, for a character 100 px tall: the pen that test strokes are drawn with
LOOKALIKES = ("0Oo", "1Il", "5Ss", "2Zz", "9gq")
WORST_PAIRS = 15
ERRORS_SHOWN = 96
BINS = 10            # of the expected calibration error


# ---- characters

class Predictions(NamedTuple):
    """What a network makes of n glyphs: probabilities float32 (n, 62), and the true labels uint8 (n,)."""
    probabilities: np.ndarray
    labels: np.ndarray

    @property
    def guesses(self) -> np.ndarray:
        """The likeliest label of each glyph: int (n,)."""
        return self.probabilities.argmax(axis=1)


def predict(network, images: np.ndarray, labels: np.ndarray, what: str = "test images", shift=0) -> Predictions:
    """Let a network read images uint8 (n, 28, 28) with these true labels uint8 (n,).

    what: shown by the progress bar.
    shift: (62,), added to the logits: for the class mix that the images come from, see character_trainer.TrainingModel.
    """
    probabilities = np.empty((len(images), len(alphabets.CHARACTERS)), np.float32)
    for start in tqdm(range(0, len(images), BATCH), desc=what, unit="batch", leave=False):
        logits = network.predict_on_batch(images[start:start + BATCH])
        probabilities[start:start + BATCH] = np.exp(softmax.log_softmax(np.float32(logits) + np.float32(shift)))
    return Predictions(probabilities, labels)


def measure(predictions: Predictions) -> dict[str, float]:
    """Loss in nats, and accuracies and F1 between 0 and 1."""
    from sklearn.metrics import f1_score  # here, since a training should not wait for it
    labels, guesses = predictions.labels.astype(int), predictions.guesses
    of_truth = predictions.probabilities[np.arange(len(labels)), labels]
    likelier = (predictions.probabilities > of_truth[:, None]).sum(axis=1)   # classes likelier than the label
    return {
        "images": len(labels),
        "loss": float(-np.log(np.maximum(of_truth, 1e-12)).mean()),
        "accuracy": float((guesses == labels).mean()),
        "accuracy_without_case": _agreement(labels, guesses, str.lower),
        "accuracy_lookalikes_merged": _agreement(labels, guesses, _merged),
        "top5": float((likelier < 5).mean()),
        "macro_f1": float(f1_score(labels, guesses, labels=np.unique(labels), average="macro", zero_division=0)),
    }


def _merged(character: str) -> str:
    return next((group for group in LOOKALIKES if character in group), character)


def _agreement(labels, guesses, same) -> float:
    """Accuracy where characters that `same` maps to the same value count as one."""
    kinds = np.unique([same(character) for character in alphabets.CHARACTERS], return_inverse=True)[1]
    return float((kinds[labels] == kinds[guesses]).mean())


def confusion_matrix(predictions: Predictions) -> np.ndarray:
    """int (62, 62): how often each true label (row) was read as each label (column)."""
    from sklearn import metrics
    return metrics.confusion_matrix(predictions.labels, predictions.guesses, labels=range(62))


def worst_pairs(table: np.ndarray) -> list[list]:
    """The most frequent errors of a confusion matrix: [true character, character read, count]."""
    mistakes = table * (1 - np.eye(62, dtype=int))
    order = np.argsort(-mistakes, axis=None)[:WORST_PAIRS]
    return [[alphabets.CHARACTERS[i // 62], alphabets.CHARACTERS[i % 62], int(mistakes.flat[i])]
            for i in order if mistakes.flat[i]]


# ---- words and lines

def cer(pairs: list[tuple[str, str]]) -> float:
    """Character error rate of (truth, reading): edits that turn readings into truths, per character of the truths.

    V. Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals", 1966.
    """
    edits = sum(Levenshtein.distance(truth, text) for truth, text in pairs)
    return edits / max(1, sum(len(truth) for truth, _ in pairs))


def wer(pairs: list[tuple[str, str]]) -> float:
    """Word error rate of (truth, reading): like cer, but for words."""
    return cer([(truth.split(), text.split()) for truth, text in pairs])


def space_f1(pairs: list[tuple[str, str]]) -> float:
    """F1 of spaces: harmonic mean of recall, the share of true spaces that were read, and precision.

    A true space was read if the best alignment of both texts leaves it untouched.  NaN if there are no spaces.
    """
    right = true = read = 0
    for truth, text in pairs:
        changed = {edit.src_pos for edit in Levenshtein.editops(truth, text) if edit.tag != "insert"}
        right += sum(character == " " and place not in changed for place, character in enumerate(truth))
        true, read = true + truth.count(" "), read + text.count(" ")
    return 2 * right / (true + read) if true + read else float("nan")


def right_words(truth: str, text: str) -> list[bool]:
    """For each word of a text, whether the truth has it at the same place, in the best alignment of both."""
    expected, found = truth.split(), text.split()
    right = [False] * len(found)
    for block in Levenshtein.opcodes(expected, found):
        if block.tag == "equal":
            right[block.dest_start:block.dest_end] = [True] * (block.dest_end - block.dest_start)
    return right


def ece(confidences: list[float], right: list[bool]) -> float:
    """Expected calibration error: how far confidences are from the share that is right, on average over BINS bins.

    C. Guo et al., "On calibration of modern neural networks", 2017, arXiv 1706.04599.  NaN if there are none.
    """
    if not len(confidences):
        return float("nan")
    confidences, right = np.asarray(confidences, float), np.asarray(right, float)
    bins = np.minimum((confidences * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, confidences - right, minlength=BINS)
    return float(np.abs(gaps).sum() / len(confidences))


# ---- a finished training

def read_test_data(data_path: str, pen_path: str = "", limit: int = 0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """EMNIST's official test set and, if pen_path is given, pen strokes of unseen writers.

    limit: maximum number of images of each (0: all).
    Returns {"emnist_test": (images, labels), "pen_test": (images, labels)}.
    """
    images, labels = emnist.read_emnist(data_path, "test")
    data = {"emnist_test": (images[:limit or None], labels[:limit or None])}
    if pen_path:
        data["pen_test"] = unipen.read_pen(pen_path, "test", pen=PEN_WIDTH, limit=limit)
    return data


def evaluate(network, data: dict[str, tuple[np.ndarray, np.ndarray]], config: dict) -> tuple[dict, Predictions]:
    """Score a network on what read_test_data gives; config is its run's config.json.

    EMNIST scans are read with the network's plain logits.  Pen strokes are read as recogScript.py reads them: with the
    class mix of the pen strokes in training, not that of EMNIST's scans.
    Returns the figures, {"emnist_test": {...}, "pen_test": {...}}, and the predictions for EMNIST's test set.
    """
    shifts = {"pen_test": config.get("prior_of_drawings", 0.0)}
    found = {part: predict(network, *samples, what=part, shift=shifts.get(part, 0)) for part, samples in data.items()}
    figures = {part: measure(predictions) for part, predictions in found.items()}
    figures["emnist_test"]["worst_pairs"] = worst_pairs(confusion_matrix(found["emnist_test"]))
    return figures, found["emnist_test"]


def finish(folder: Path, network, validation: Predictions) -> None:
    """Score a finished training's network on the test set; writes metrics.json, pictures and logs into its folder.

    validation: its predictions for the validation images.
    """
    about = runs.read_config(folder.parent, folder.name)
    config = about["settings"]
    test = read_test_data(config["data_path"], config["pen_path"] if config["pen"] else "",
                          limit=400 if config["dry_run"] else 0)
    figures, predictions = evaluate(network, test, about)
    figures = {"parameters": network.count_params(), "emnist_validation": measure(validation)} | figures
    files.write_json(folder / "metrics.json", figures)
    draw_confusion(confusion_matrix(predictions), folder / "confusion.png")
    files.save_picture(errors_picture(predictions, test["emnist_test"][0]), folder / "errors.png")
    of_test = figures["emnist_test"]
    with curves.EventLog(folder / "logs") as log:
        log.hparams(config, {f"test_{name}": of_test[name] for name in ("accuracy", "accuracy_without_case", "loss")})
        for name in ("confusion", "errors"):
            log.image(name, cv2.imread(str(folder / f"{name}.png"))[..., ::-1], 0)
    print(describe(figures))


def describe(figures: dict) -> str:
    """The figures of a run as readable text."""
    lines = []
    for part, name in (("emnist_test", "official test set"), ("pen_test", "pen strokes of unseen writers")):
        if part in figures:
            found = [f"{key.replace('_', ' ')} {value:.4f}" for key, value in figures[part].items()
                     if isinstance(value, float)]
            lines.append(f"{name}, {figures[part]['images']:,} images: {', '.join(found)}")
    pairs = (f"{truth} {read} {count}" for truth, read, count in figures["emnist_test"]["worst_pairs"])
    return "\n".join([*lines, "most frequent errors (true, read, how often): " + ", ".join(pairs)])


# ---- pictures

def draw_confusion(table: np.ndarray, path: Path) -> None:
    """Draw a confusion matrix as a PNG: shares of each row, so that rare classes show as well as frequent ones."""
    from matplotlib.colors import PowerNorm  # here, since a training should not wait for it
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(9.6, 9), layout="constrained")
    axes = figure.subplots()
    picture = axes.imshow(shares, cmap="magma", norm=PowerNorm(0.5, 0, 1))   # so that 1 % is visible
    for set_ticks in (axes.set_xticks, axes.set_yticks):
        set_ticks(range(62), list(alphabets.CHARACTERS), fontsize=8, family="monospace")
    axes.set(xlabel="read as", ylabel="true character", title="Official test set: how each character is read")
    figure.colorbar(picture, shrink=0.7, ticks=[0, 0.01, 0.05, 0.2, 0.5, 1], format=PercentFormatter(1, decimals=0))
    files.write_atomically(path, lambda temporary: figure.savefig(temporary, dpi=90))


def errors_picture(predictions: Predictions, images: np.ndarray) -> np.ndarray:
    """The errors that a network was surest of, each with its true and read label: RGB uint8."""
    confidence = predictions.probabilities.max(axis=1) * (predictions.guesses != predictions.labels)
    worst = np.argsort(-confidence)[:ERRORS_SHOWN]
    tiles = [_tile(images[row], alphabets.CHARACTERS[predictions.labels[row]],
                   alphabets.CHARACTERS[predictions.guesses[row]], confidence[row])
             for row in worst if confidence[row] > 0]
    return files.in_rows(tiles, 12) if tiles else np.zeros((32, 32, 3), np.uint8)


def _tile(image: np.ndarray, truth: str, guess: str, confidence: float) -> np.ndarray:
    """A glyph above its true label (green), the label read (red) and the probability of that."""
    tile = np.zeros((106, 88, 3), np.uint8)
    tile[2:86, 2:86] = cv2.resize(image, (84, 84), interpolation=cv2.INTER_CUBIC)[..., None]
    for text, x, colour in ((truth, 6, (120, 230, 120)), (guess, 30, (255, 120, 110)),
                            (f"{confidence:.2f}", 52, (150, 150, 150))):
        cv2.putText(tile, text, (x, 101), cv2.FONT_HERSHEY_SIMPLEX, 0.52 if x < 50 else 0.38, colour, 1, cv2.LINE_AA)
    return tile
