"""How far what was read is from what was written: CER, WER, spaces, and whether confidences are honest."""
import numpy as np
from rapidfuzz.distance import Levenshtein

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
