"""Reads straight lines of writing with a network trained by CTC: strips in, texts with their characters out.

    reader = LineReader(Network("Models", unix_time).logits, config["decoding"], word_lm.load())
    texts = reader.read([line.ink for line in text_lines.straight_lines(ink)])
"""
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from common import alphabets, line_image, softmax
from reading import ctc, word_lm

AT_ONCE = 8              # strips in one call of the network, at most
# What config.json says of how to read with a network, if it says nothing.
DECODING = {"strength": 0.4, "bonus": 0.6, "space": 0.0, "spacing": 1.0, "prior_share": 0.0,
            "label_prior": [0.0] * len(alphabets.ALPHABET), "confidence": [0.27, 0.3, 0.53, 0.19, 0.59]}


class Read(NamedTuple):
    """A character that was read."""
    text: str
    alternatives: list[tuple[str, float]]   # the likeliest with their probabilities, itself first
    confidence: float                       # probability of it
    centre: float                           # px of the line's ink: where the network sees it


class LineText(NamedTuple):
    """A line that was read: its text, and its words without the spaces between."""
    text: str
    words: list[list[Read]]
    rivals: list[list[tuple[str, float]]]   # what each word may be, with the probabilities, itself first
    evidence: list[tuple[float, ...]]       # what speaks for each word; see evidence


class LineReader:
    """Reads lines with one network."""

    def __init__(self, logits: Callable[[np.ndarray], np.ndarray], decoding: dict | None = None, prior: word_lm.WordLM | None = None):
        """logits: the network, uint8 (batch, line_image.HEIGHT, width) -> float32 (batch, steps, 96).

        decoding: those of ctc.Weights, the network's own prior and the share of it to take
        away, and what makes a word's confidence a probability; see line_trainer.fit, without_prior and
        line_trainer.fit_confidence.
        prior: the language model; None reads without.
        """
        self.logits = logits
        self.decoding = DECODING | (decoding or {})
        self.prior = prior

    @property
    def weights(self) -> ctc.Weights:
        """What texts are ranked by."""
        return ctc.Weights(*(self.decoding[name] for name in ctc.Weights._fields))

    def log_probs(self, strips: list[np.ndarray]) -> list[np.ndarray]:
        """Log probabilities float32 (steps, 96) of each strip, uint8 (line_image.HEIGHT, width)."""
        found = [None] * len(strips)
        order = np.argsort([picture.shape[1] for picture in strips], kind="stable").tolist()
        for start in range(0, len(order), AT_ONCE):
            rows = order[start:start + AT_ONCE]
            logits = self.logits(line_image.to_batch([strips[row] for row in rows]))
            for row, of_strip in zip(rows, logits):
                found[row] = softmax.log_softmax(np.asarray(of_strip, np.float32))
        return found

    def read(self, inks: list[np.ndarray]) -> list[LineText]:
        """Read lines: each uint8 (height, width), bright ink on dark, straight."""
        strips, maps = zip(*map(line_image.normalize, inks), strict=True) if inks else ((), ())
        return [self.decode(log_probs, to_ink)
                for log_probs, to_ink in zip(self.log_probs(list(strips)), maps, strict=True)]

    def read_characters(self, inks: list[np.ndarray]) -> list[list[tuple[str, float]]]:
        """Read each ink, uint8 (height, width), as one letter or digit: the likeliest with their probabilities."""
        found = []
        for log_probs in self.log_probs([line_image.normalize(ink)[0] for ink in inks]):
            scores = ctc.single(log_probs)[[alphabets.LABELS[character] for character in alphabets.CHARACTERS]]
            found.append(softmax.ranked(np.exp(softmax.log_softmax(scores)), alphabets.CHARACTERS))
        return found

    def decode(self, log_probs: np.ndarray, to_ink: np.ndarray | None = None) -> LineText:
        """The text that log probabilities (steps, 96) say; to_ink, (2, 3), maps px of the strip to px of the ink."""
        to_ink = np.eye(2, 3) if to_ink is None else to_ink
        weights = ctc.NONE
        if self.prior:
            weights = self.weights
            log_probs = without_prior(log_probs, self.decoding["label_prior"], self.decoding["prior_share"])
        ways = ctc.search(log_probs, self.prior, weights)
        text = ways[0].text
        if not text:
            return LineText("", [], [], [])
        steps = ctc.align(log_probs, text)
        centres = to_ink[0, 0] * (steps.mean(axis=1) + 0.5) * line_image.STEP + to_ink[0, 2]
        read = [[]]
        alternatives = self._alternatives(log_probs, text, steps, weights.strength)
        for character, likely, centre in zip(text, alternatives, centres.tolist(), strict=True):
            if character == " ":
                read.append([])
            else:
                read[-1].append(Read(character, likely, likely[0][1], centre))
        return LineText(text, read, *self._rivals(log_probs, ways, steps, weights))

    def _rivals(self, log_probs, readings: list[ctc.Text], steps, weights: ctc.Weights) -> tuple[list, list]:
        """For each word of the best reading the likeliest readings of its steps, with probabilities, and evidence."""
        text = readings[0].text
        spaces = [place for place, character in enumerate(text) if character == " "]
        firsts = [0, *(steps[place, 1] + 1 for place in spaces)]
        behinds = [*(steps[place, 0] for place in spaces), len(log_probs)]
        found, evidences = [], []
        begin = 0
        for word, first, behind in zip(text.split(" "), firsts, behinds, strict=True):
            ways = readings if not spaces else ctc.search(log_probs[first:behind], self.prior, weights, text[:begin])
            begin += len(word) + 1
            scores = {way.text: way.score(weights) for way in ways if way.text and " " not in way.text}
            scores.setdefault(word, min(scores.values(), default=0.0))
            itself = next((way for way in ways if way.text == word), ways[-1])
            others = sorted(scores.keys() - {word}, key=scores.get, reverse=True)
            chances = np.exp(softmax.log_softmax(np.array([scores[one] for one in (word, *others)])))
            evidences.append(evidence(word, float(chances[0]), itself))
            sure = self._calibrated(evidences[-1])
            left = (1 - sure) / max(float(chances[1:].sum()), 1e-9)
            found.append([(word, round(sure, 6)), *((one, round(left * float(chance), 6)) for one, chance in
                                                    zip(others[:softmax.ALTERNATIVES - 1], chances[1:]))])
        return found, evidences

    def _calibrated(self, values: tuple[float, ...]) -> float:
        """How often words for which so much speaks are right."""
        *weights, offset = self.decoding["confidence"]
        return 1 / (1 + math.exp(-(np.dot(weights, values) + offset)))

    def _alternatives(self, log_probs, text: str, steps, strength: float) -> list[list[tuple[str, float]]]:
        """What each character may be instead, by the steps that say it and the characters before it; itself first."""
        scores = np.array([log_probs[first:last + 1, 1:].max(axis=0) for first, last in steps], float)
        if self.prior:
            before = [text[:place] for place in range(len(text))]
            scores += strength * np.array(self.prior.all_next_log_probs(before))[:, 1:]
        scores[:, 0] = ctc.LEAST   # a space is no character
        chances = np.exp(softmax.log_softmax(scores))
        return [softmax.ranked(of_place, alphabets.ALPHABET, alphabets.LABELS[character] - 1)
                for of_place, character in zip(chances, text, strict=True)]


def without_prior(log_probs: np.ndarray, prior: list[float], share: float) -> np.ndarray:
    """Log probabilities (steps, 96) with less of what the network expects whatever it sees.

    A network trained by CTC knows how often each character occurs, and the language
    model would count that a second time: a share of it is taken away (Miao, Gowayyed and
    Metze 2015, "EESEN", arXiv 1507.08240).
    prior: log of the share of each character of alphabets.ALPHABET in what the network has learned from.
    """
    if not share:
        return log_probs
    expected = np.array([0.0, *prior], np.float32)
    expected[1:] -= np.exp(expected[1:]) @ expected[1:]   # on average a text becomes neither likelier nor unlikelier
    return softmax.log_softmax(log_probs - np.float32(share) * expected)


def evidence(word: str, chance: float, way: ctc.Text) -> tuple[float, ...]:
    """What tells whether a word is right: four numbers.

    chance: its probability among the readings of its steps.  way: what the network and the language model say of it.
    They are the log odds of that chance, both log probabilities in nat, kept within limits, and the word's length.
    """
    chance = min(max(chance, 1e-4), 1 - 1e-4)
    return math.log(chance / (1 - chance)), max(way.ctc, -20.0), len(word), max(way.language, -60.0)
