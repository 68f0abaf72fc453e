"""Finds lines that are written in capitals alone, so that all their letters are read as capitals.

Many letters have the same shape in both cases, and line images make a line of capitals as tall as one of small letters.
So in "ROUTE DU PORT" a network is sure of the case of some letters and doubts that of others.  The line as a whole
settles it: in usual writing the network rules out capitals for most letters, in capitals for few.
"""
import numpy as np

from common import alphabets
from reading import ctc

FEWEST = 8         # letters: shorter texts stay as they are, since many are initials or short names
DOUBT = 3.0        # nat: the most that may speak against capitals, on average over the letters of the line, ...
WORD_DOUBT = 6.0   # ... and of each word in which small letters are read
PAIRS = np.array([[alphabets.LABELS[letter] for letter in pair] for pair in alphabets.CAPITALS.items()])
PAIR_OF = np.zeros((ctc.LABELS, 2), int)   # of each label, the small letter and its capital; 0, 0: neither
PAIR_OF[PAIRS] = PAIRS[:, None]


def detect(text: str, strongest: np.ndarray) -> bool:
    """Whether the line of a text is written in capitals, though the text holds small letters.

    strongest: float (len(text), labels), see ctc.strongest.
    """
    if text.upper() == text:
        return False
    pairs = PAIR_OF[[alphabets.LABELS[character] for character in text]]
    small, capital = np.take_along_axis(strongest, pairs, axis=1).T
    letters, against = pairs[:, 0] > 0, np.logaddexp(0, small - capital)   # -log of the capital's share of both
    if letters.sum() < FEWEST or against[letters].mean() > DOUBT:
        return False
    behind = -1
    for word in text.split(" "):
        begin, behind = behind + 1, behind + 1 + len(word)
        of_word = against[begin:behind][letters[begin:behind]]
        if len(of_word) > 1 and word.upper() != word and of_word.mean() > WORD_DOUBT:
            return False
    return True


def with_capitals(log_probs: np.ndarray) -> np.ndarray:
    """Log probabilities (steps, labels) with each small letter's probability added to its capital's."""
    small, capital = PAIRS[PAIRS.max(axis=1) < log_probs.shape[1]].T
    merged = log_probs.copy()
    merged[:, capital] = np.logaddexp(log_probs[:, small], log_probs[:, capital])
    merged[:, small] = ctc.LEAST
    return merged
