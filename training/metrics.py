"""Scores a trained network and draws what it gets wrong.

model.py calls `finish` once at the end of a training; tools/check_acc_loss.py calls
`evaluate` again for saved networks.
"""
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from rapidfuzz.distance import Levenshtein
from tqdm import tqdm

from common import alphabets, files, runs
from training import curves, emnist, tensorboard_log, unipen

BATCH = 500
PEN_WIDTH = 8        # px, for a character 100 px tall: the pen that test strokes are drawn with
LOOKALIKES = ("0Oo", "1Il", "5Ss", "2Zz", "9gq")
WORST_PAIRS = 15
ERRORS_SHOWN = 96


class Reading(NamedTuple):
    """What a network makes of n glyphs: probabilities float32 (n, 62), and the true labels uint8 (n,)."""
    probabilities: np.ndarray
    labels: np.ndarray

    @property
    def guesses(self) -> np.ndarray:
        return self.probabilities.argmax(axis=1)


def read(network, images: np.ndarray, labels: np.ndarray, what: str = "test images", shift=0) -> Reading:
    """Let a network read uint8 (n, 28, 28); shift (62,) is added to its logits, see training.TrainingModel."""
    logits = [network.predict_on_batch(images[start:start + BATCH])
              for start in tqdm(range(0, len(images), BATCH), desc=what, unit="batch", leave=False)]
    logits = np.concatenate(logits).astype(np.float32) + np.asarray(shift, np.float32)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return Reading(powers / powers.sum(axis=1, keepdims=True), labels)


def measure(reading: Reading) -> dict[str, float]:
    """The figures of a reading; each share lies between 0 and 1."""
    from sklearn.metrics import f1_score  # here, since a training should not wait for it
    labels, guesses = reading.labels.astype(int), reading.guesses
    of_truth = reading.probabilities[np.arange(len(labels)), labels]
    # The label's rank: how many classes are thought more likely.
    rank = (reading.probabilities > of_truth[:, None]).sum(axis=1)
    return {
        "images": len(labels),
        "loss": float(-np.log(np.maximum(of_truth, 1e-12)).mean()),
        "accuracy": float((guesses == labels).mean()),
        "accuracy_without_case": _agreement(labels, guesses, str.lower),
        "accuracy_lookalikes_merged": _agreement(labels, guesses, _merged),
        "top5": float((rank < 5).mean()),
        "macro_f1": float(f1_score(labels, guesses, labels=np.unique(labels), average="macro", zero_division=0)),
    }


def _merged(character: str) -> str:
    return next((group for group in LOOKALIKES if character in group), character)


def _agreement(labels, guesses, same) -> float:
    kinds = np.unique([same(character) for character in alphabets.CHARACTERS], return_inverse=True)[1]
    return float((kinds[labels] == kinds[guesses]).mean())


def confusion(reading: Reading) -> np.ndarray:
    """int (62, 62): how often each true label (row) was read as each other (column)."""
    return np.bincount(reading.labels.astype(int) * 62 + reading.guesses, minlength=62 * 62).reshape(62, 62)


def worst_pairs(table: np.ndarray) -> list[list]:
    """The most frequent errors: [true character, character read, count]."""
    errors = table * (1 - np.eye(62, dtype=int))
    order = np.argsort(-errors, axis=None)[:WORST_PAIRS]
    return [[alphabets.CHARACTERS[i // 62], alphabets.CHARACTERS[i % 62], int(errors.flat[i])]
            for i in order if errors.flat[i]]


def read_test_data(data_path: str, pen_path: str = "", limit: int = 0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """EMNIST's official test set and, if pen_path is given, pen strokes of unseen writers.

    limit: only so many images of each (0: all).
    Returns {"emnist_test": (images, labels), "pen_test": (images, labels)}.
    """
    images, labels = emnist.read_emnist(data_path, "test")
    data = {"emnist_test": (images[:limit], labels[:limit]) if limit else (images, labels)}
    if pen_path:
        data["pen_test"] = unipen.read_pen(pen_path, "test", pen=PEN_WIDTH, limit=limit)
    return data


def evaluate(network, data: dict[str, tuple[np.ndarray, np.ndarray]], config: dict) -> tuple[dict, Reading]:
    """Score a network on what read_test_data gives; config is its run's config.json.

    Scans are read by the network's logits as they are.  Drawings are read as
    recogScript.py reads them: with the class mix of the drawings trained on, not
    that of NIST's forms.
    Returns the figures, {"emnist_test": {...}, "pen_test": {...}}, and the reading of EMNIST's test set.
    """
    shifts = {"pen_test": config["prior_of_drawings"]}
    readings = {part: read(network, *samples, what=part, shift=shifts.get(part, 0)) for part, samples in data.items()}
    figures = {part: measure(reading) for part, reading in readings.items()}
    test = readings["emnist_test"]
    figures["emnist_test"]["worst_pairs"] = worst_pairs(confusion(test))
    return figures, test


def finish(folder: Path, data) -> dict:
    """Score the best network of a finished training and leave metrics.json, pictures and logs in its folder."""
    about = runs.read_config(str(folder.parent), folder.name)
    from training import export, networks   # here: tools that only score need no Keras
    config = about["settings"]
    network = networks.load_network(str(folder.parent), folder.name)
    rows = data.val_rows
    validation = read(network, data.images[rows], data.targets[rows, 0], "validation images")
    test = read_test_data(config["data_path"], config["pen_path"] if config["pen"] else "",
                          limit=400 if config["dry_run"] else 0)
    figures, reading = evaluate(network, test, about)
    figures = {"parameters": network.count_params(), "emnist_validation": measure(validation)} | figures
    files.write_json(folder / "metrics.json", figures)
    _draw_all(folder, config, figures, reading, test["emnist_test"][0])
    print(describe(figures))
    export.export_run(folder)
    print(f"{folder}: model.keras, model.onnx, config.json, metrics.json, logs/, confusion.png, errors.png, training.png")
    return figures


def _draw_all(folder: Path, config: dict, figures: dict, reading: Reading, images: np.ndarray) -> None:
    draw_confusion(confusion(reading), folder / "confusion.png")
    files.save_picture(errors_picture(reading, images), folder / "errors.png")
    curves.plot([folder], folder / "training.png")
    test = figures["emnist_test"]
    with tensorboard_log.EventLog(folder / "logs") as log:
        log.hparams(config, {f"test_{name}": test[name] for name in ("accuracy", "accuracy_without_case", "loss")})
        for name in ("confusion", "errors"):
            log.image(name, cv2.imread(str(folder / f"{name}.png"))[..., ::-1], 0)


def describe(figures: dict) -> str:
    """The figures of a run for people."""
    test = figures["emnist_test"]
    lines = [f"official test set, {test['images']:,} images: accuracy {test['accuracy']:.4f}, "
             f"without case {test['accuracy_without_case']:.4f}, "
             f"lookalikes merged {test['accuracy_lookalikes_merged']:.4f}, top 5 {test['top5']:.4f}, "
             f"macro F1 {test['macro_f1']:.4f}, loss {test['loss']:.4f}",
             "most frequent errors (true, read, how often): "
             + ", ".join(f"{a} {b} {count}" for a, b, count in test["worst_pairs"])]
    if "pen_test" in figures:
        pen = figures["pen_test"]
        lines.append(f"pen strokes of unseen writers, {pen['images']:,}: accuracy {pen['accuracy']:.4f}, "
                     f"without case {pen['accuracy_without_case']:.4f}")
    return "\n".join(lines)


# ---- pictures

def draw_confusion(table: np.ndarray, path: Path) -> None:
    """Confusion matrix as a PNG: each row's shares, so that rare classes show as well as frequent ones."""
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    from matplotlib.figure import Figure  # here, since a training should not wait for it
    figure = Figure(figsize=(9.6, 9), layout="constrained")
    axes = figure.subplots()
    picture = axes.imshow(np.sqrt(shares), cmap="magma", vmin=0, vmax=1)
    for set_ticks in (axes.set_xticks, axes.set_yticks):
        set_ticks(range(62), list(alphabets.CHARACTERS), fontsize=8, family="monospace")
    axes.set(xlabel="read as", ylabel="true character", title="Official test set: how each character is read")
    bar = figure.colorbar(picture, shrink=0.7, ticks=np.sqrt([0, 0.01, 0.05, 0.2, 0.5, 1]))
    bar.ax.set_yticklabels(["0", "1 %", "5 %", "20 %", "50 %", "100 %"])
    files.write_atomically(path, lambda temporary: figure.savefig(temporary, dpi=90))


def errors_picture(reading: Reading, images: np.ndarray) -> np.ndarray:
    """The errors that the network was surest of, each with its true and its read label: RGB uint8."""
    confidence = reading.probabilities.max(axis=1) * (reading.guesses != reading.labels)
    worst = np.argsort(-confidence)[:ERRORS_SHOWN]
    worst = worst[confidence[worst] > 0]
    tiles = [_tile(images[i], alphabets.CHARACTERS[reading.labels[i]], alphabets.CHARACTERS[reading.guesses[i]],
                   confidence[i]) for i in worst]
    return files.in_rows(tiles, 12) if tiles else np.zeros((32, 32, 3), np.uint8)


def _tile(image: np.ndarray, truth: str, guess: str, confidence: float) -> np.ndarray:
    tile = np.zeros((106, 88, 3), np.uint8)
    tile[2:86, 2:86] = cv2.resize(image, (84, 84), interpolation=cv2.INTER_CUBIC)[..., None]
    for text, x, colour in ((truth, 6, (120, 230, 120)), (guess, 30, (255, 120, 110)),
                            (f"{confidence:.2f}", 52, (150, 150, 150))):
        cv2.putText(tile, text, (x, 101), cv2.FONT_HERSHEY_SIMPLEX, 0.52 if x < 50 else 0.38, colour, 1, cv2.LINE_AA)
    return tile
"""How far what was read is from what was written: CER, WER, spaces, and whether confidences are honest."""

BINS = 10   # of the expected calibration error


def error_rate(pairs: list[tuple]) -> float:
    """Edits that turn readings into truths, over the truths' length: CER of strings, WER of lists of words.

    V. Levenshtein, "Binary codes capable of correcting deletions, insertions, and
    reversals", 1966.
    """
    edits = sum(Levenshtein.distance(truth, text) for truth, text in pairs)
    return edits / max(1, sum(len(truth) for truth, _ in pairs))


def space_f1(pairs: list[tuple[str, str]]) -> float:
    """Harmonic mean of the shares of true spaces that were read and of read spaces that are true.

    A true space was read if the best alignment of both texts leaves it untouched.
    NaN where neither text has a space.
    """
    right = true = read = 0
    for truth, text in pairs:
        changed = {edit.src_pos for edit in Levenshtein.editops(truth, text) if edit.tag != "insert"}
        right += sum(character == " " and place not in changed for place, character in enumerate(truth))
        true, read = true + truth.count(" "), read + text.count(" ")
    return 2 * right / (true + read) if true + read else float("nan")


def right_words(truth: str, text: str) -> list[bool]:
    """For each word of a text whether it stands in the truth at its place, in the best alignment of both."""
    expected, found = truth.split(), text.split()
    right = [False] * len(found)
    for block in Levenshtein.opcodes(expected, found):
        if block.tag == "equal":
            right[block.dest_start:block.dest_end] = [True] * (block.dest_end - block.dest_start)
    return right


def calibration_error(confidences: list[float], right: list[bool]) -> float:
    """Expected calibration error: how far confidences are from the share that is right, on average over BINS bins.

    C. Guo et al., "On calibration of modern neural networks", 2017, arXiv 1706.04599.  NaN without any.
    """
    if not len(confidences):
        return float("nan")
    confidences, right = np.asarray(confidences, float), np.asarray(right, float)
    bins = np.minimum((confidences * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, confidences - right, minlength=BINS)
    return float(np.abs(gaps).sum() / len(confidences))
