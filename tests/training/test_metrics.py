"""training/metrics.py: figures that can be counted by hand, and pictures of what is misread."""
import cv2
import numpy as np
import pytest

from common import alphabets
from training import metrics


def predictions(pairs: list[tuple[str, str]]) -> metrics.Predictions:
    """Predictions with these true and read characters, the read one at 0.7, the true one at 0.3."""
    labels = np.array([alphabets.CHARACTERS.index(truth) for truth, _ in pairs], np.uint8)
    probabilities = np.zeros((len(pairs), 62), np.float32)
    for row, (truth, read) in enumerate(pairs):
        probabilities[row, labels[row]] += 0.3
        probabilities[row, alphabets.CHARACTERS.index(read)] += 0.7
    return metrics.Predictions(probabilities, labels)


FOUND = predictions([("a", "a"), ("a", "A"), ("0", "O"), ("0", "O"), ("7", "1")])


def test_accuracies_count_what_is_told_apart():
    figures = metrics.measure(FOUND)
    assert figures == pytest.approx({
        "images": 5, "loss": -4 / 5 * np.log(0.3), "accuracy": 1 / 5, "accuracy_without_case": 2 / 5,
        "accuracy_lookalikes_merged": 3 / 5, "top5": 1, "macro_f1": 2 / 3 / 3}, rel=1e-5)


def test_the_confusion_matrix_has_the_truth_in_its_rows(tmp_path):
    table = metrics.confusion_matrix(FOUND)
    assert table.shape == (62, 62) and table.sum() == 5
    assert table[alphabets.CHARACTERS.index("0"), alphabets.CHARACTERS.index("O")] == 2
    assert metrics.worst_pairs(table)[0] == ["0", "O", 2] and len(metrics.worst_pairs(table)) == 3
    metrics.draw_confusion(table, tmp_path / "confusion.png")
    assert cv2.imread(str(tmp_path / "confusion.png")).shape[:2] == (810, 864)
    images = np.full((5, 28, 28), 200, np.uint8)
    errors = metrics.errors_picture(FOUND, images)
    assert errors.ndim == 3 and (errors == 200).all(axis=2).sum() > 4 * 70 * 70, "four glyphs"
    assert not metrics.errors_picture(predictions([("a", "a")]), images).any()


def test_error_rates_count_edits():
    pairs = [("the cat", "the cot"), ("sat", "sat on")]
    assert metrics.cer(pairs) == pytest.approx(4 / 10) and metrics.wer(pairs) == pytest.approx(2 / 3)
    assert metrics.cer([]) == 0 and metrics.wer([("", "a")]) == 1


def test_space_f1_counts_spaces_that_stand_where_they_should():
    assert metrics.space_f1([("a b c", "a b c")]) == 1
    assert metrics.space_f1([("a b c", "a bc")]) == pytest.approx(2 / 3)
    assert np.isnan(metrics.space_f1([("ab", "ab")]))


def test_words_are_right_where_they_stand():
    assert metrics.right_words("the cat sat down", "the cot sat") == [True, False, True]
    assert metrics.right_words("a b", "a x b") == [True, False, True]


def test_calibration_error_is_how_far_confidence_is_from_the_truth():
    assert metrics.ece([0.95] * 20, [True] * 19 + [False]) == pytest.approx(0, abs=1e-9)
    assert metrics.ece([0.95] * 10 + [0.15] * 10, [False] * 20) == pytest.approx(0.55)
