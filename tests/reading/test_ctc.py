"""CTC: texts summed over all paths, what a language model decides, and where each character is."""
import itertools

import numpy as np
import pytest

from common import alphabets, softmax
from reading import ctc, word_lm


def log_probs(seed: int, steps: int, labels: str) -> np.ndarray:
    """Random log probabilities, in which only the blank and these characters are possible."""
    found = np.full((steps, 96), -40.0)
    places = [0, *(alphabets.LABELS[character] for character in labels)]
    found[:, places] = np.random.default_rng(seed).normal(0, 1.2, (steps, len(places)))
    return softmax.log_softmax(found)


def sum_over_paths(of_steps: np.ndarray, labels: str) -> dict[str, float]:
    """Log probability of every text, by trying every path."""
    found: dict[str, float] = {}
    for path in itertools.product([0, *(alphabets.LABELS[character] for character in labels)], repeat=len(of_steps)):
        text = "".join(alphabets.ALPHABET[label - 1] for label, _ in itertools.groupby(path) if label)
        found[text] = np.logaddexp(found.get(text, ctc.LEAST), of_steps[np.arange(len(path)), path].sum())
    return found


@pytest.mark.parametrize("seed", range(5))
def test_the_search_sums_over_all_paths(seed, monkeypatch):
    monkeypatch.setattr(ctc, "NEAR", 99)   # follow every text
    of_steps = log_probs(seed, 5, "ab")
    truth = sum_over_paths(of_steps, "ab")
    found = ctc.search(of_steps)
    assert found[0].text == max(truth, key=truth.get)
    for one in found[:10]:
        assert one.ctc == pytest.approx(truth[one.text], abs=1e-6)
    alone = ctc.single(of_steps)
    for character in "ab":
        assert alone[alphabets.LABELS[character]] == pytest.approx(truth[character], abs=1e-6)
    assert alone[0] == pytest.approx(truth[""], abs=1e-6)


def test_the_language_model_decides_what_the_ink_leaves_open():
    of_steps = np.full((12, 96), -12.0)
    for step, (first, second) in enumerate([("t", "f"), ("h", "n"), ("e", "c")]):
        of_steps[4 * step:4 * step + 4, 0] = -0.1
        of_steps[4 * step + 1, [0, alphabets.LABELS[first], alphabets.LABELS[second]]] = -4, np.log(0.48), np.log(0.52)
    of_steps = softmax.log_softmax(of_steps)
    assert ctc.search(of_steps)[0].text == "fnc"
    assert ctc.search(of_steps, word_lm.load(), ctc.Weights(0.4))[0].text == "the"


def test_alignment_finds_the_steps_of_each_character():
    of_steps = np.full((14, 96), -9.0)
    of_steps[:, 0] = 0
    for step, character in ((2, "o"), (3, "o"), (6, "o"), (9, "h"), (10, "!")):
        of_steps[step, [0, alphabets.LABELS[character]]] = -6, 0
    assert ctc.greedy(of_steps) == "ooh!"
    assert ctc.align(softmax.log_softmax(of_steps), "ooh!").tolist() == [[2, 3], [6, 6], [9, 9], [10, 10]]
    with pytest.raises(ValueError, match="too few"):
        ctc.align(of_steps[:3], "oooo")
