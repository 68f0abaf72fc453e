"""Reads words and lines with a network for single characters.

The reader of lines finds the characters, and the ink is cut apart between them (character_boxes).  This network then
says which letter or digit each one is, weighed with its height and place on the line and with the language model.
Spaces and marks, which the network does not know, stay as they were found.
"""
import functools

import numpy as np

from common import alphabets, softmax
from reading import character_boxes
from reading.binarize import Picture
from reading.character_reader import CharacterReader
from reading.line_recognizer import LineReader
from reading.readings import Reading
from reading.word_lm import WordLM

# Chosen on validation words and lines of UNIPEN.
NETWORK = 0.7     # weight of the network: it learned from isolated characters and is too sure of others
LM_WEIGHT = 1.0   # of the language model
UNEVEN = 0.16     # standard deviation of a character's top and bottom, in capital heights
MOST_OFF = 8.0    # nat: most that a top or bottom at a wrong height costs
ROUNDS = 4        # of estimating a line's heights from its characters, and the characters from these
NEVER = -50.0     # log of a negligible probability

LABELS = np.array([alphabets.LABELS[character] for character in alphabets.CHARACTERS])
EXTENTS = np.array([alphabets.EXTENTS.get(character, (1, 0)) for character in alphabets.CHARACTERS])


class SegmentingReader:
    """Reads lines whose characters another reader finds."""

    def __init__(self, finder: LineReader, characters: CharacterReader, lm: WordLM | None):
        """finder: finds the characters.  characters: says which they are.  lm: None reads without a language model."""
        self.finder, self.characters = finder, characters
        self._prior = 0.0 if lm else characters.prior
        self._decoder = LineReader(finder.each, {"lm_weight": LM_WEIGHT, "insertion_bonus": 0.0}, lm)

    def read(self, picture: Picture) -> Reading:
        """Read the words and lines of a picture."""
        found = list(self.finder.find(picture))
        shapes = [shape for line in found for shape in line.shapes]
        glyphs = np.array(character_boxes.glyphs(shapes), np.uint8).reshape(-1, 28, 28)
        scores = np.split(self.characters.log_likelihoods(glyphs) + self._prior,
                          np.cumsum([len(line.shapes) for line in found])[:-1])
        lines = [line.with_text(self._decoder.decode(log_probs_of(line.text.text, line.shapes, of_line),
                                                     settle_case=False))   # by heights, above
                 for line, of_line in zip(found, scores)]
        return Reading(lines, functools.partial(list, glyphs), [shape.alone for shape in shapes])


def log_probs_of(text: str, shapes: list[character_boxes.Shape], scores: np.ndarray) -> np.ndarray:
    """What the characters of a line may be, as if from a CTC network: float (2 * len(text), labels).

    text: as found.  shapes, and scores, float (n, 62), the log of how likely each character is: for all characters of
    the text except spaces.  Each character is one step, with a blank after it.
    """
    rows = np.full((2 * len(text), len(alphabets.ALPHABET) + 1), NEVER)
    rows[1::2, 0] = 0
    visible = np.array([character != " " for character in text])
    known = np.array([character in alphabets.CHARACTERS for character in text])
    if known.any():
        ends = np.array([(shape.y.min(), shape.y.max() + 1) for shape in shapes], float)[known[visible]]
        rows[np.ix_(2 * np.flatnonzero(known), LABELS)] = with_heights(NETWORK * scores[known[visible]], ends)
    for place in np.flatnonzero(~known):
        rows[2 * place, alphabets.LABELS[text[place]]] = 0
    return softmax.log_softmax(rows)


def with_heights(scores: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Scores float (n, 62) of the characters of a line, less penalties for unfit heights.

    ends: float (n, 2), y of the top and the bottom of each.
    The likely characters determine the baseline and the capital height, which in turn tell how well each one fits, and
    so on (expectation maximisation).  There are two starts, the tallest as a capital and as a small letter; the better
    one wins.
    """
    baseline = float(np.median(ends[:, 1]))
    least = 0.5 * float(np.ptp(ends, axis=1).max())
    tallest = max(baseline - ends[:, 0].min(), least)
    found = [_fitted(scores, ends, baseline, height, least) for height in (tallest, tallest / alphabets.X_HEIGHT)]
    return softmax.log_softmax(max(found, key=lambda weighed: np.logaddexp.reduce(weighed, axis=1).sum()))


def _fitted(scores: np.ndarray, ends: np.ndarray, baseline: float, height: float, least: float) -> np.ndarray:
    """The scores less the cost of heights, from a first guess of the baseline and the capital height."""
    terms = np.stack([np.ones_like(EXTENTS), -EXTENTS], axis=-1)   # y = baseline - height * extent
    for _ in range(ROUNDS):
        off = (ends[:, None] - (baseline - height * EXTENTS)) / height
        weighed = scores - np.minimum(off ** 2 / (2 * UNEVEN ** 2), MOST_OFF).sum(axis=-1)
        shares = np.exp(softmax.log_softmax(weighed))
        normal = np.einsum("nc,cei,cej->ij", shares, terms, terms) + 1e-6 * np.eye(2)
        baseline, height = np.linalg.solve(normal, np.einsum("nc,ne,cei->i", shares, ends, terms))
        height = max(height, least)
    return weighed
