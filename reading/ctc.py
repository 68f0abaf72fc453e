"""What CTC logits say: texts with their probabilities, and where each character lies.

For each step, 4 px of a line image, a network trained with CTC (Graves et al. 2006, "Connectionist temporal
classification") gives the probabilities of each character and of a blank.  A path is one label per step; it spells the
text that is left once repeated labels are merged and blanks dropped.  A text's probability is the sum over its paths.
"""
import itertools
import math
import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from common import alphabets

BEAM = 200                     # most texts in the beam at once
NEAR = 8.0                     # nat below the best: how far down texts stay in the beam
LIKELY, MOST_LIKELY = 8.0, 10  # nat below a step's best: characters that are tried; the most per step
SURE_BLANK = math.log(0.998)   # a step whose blank is likelier than this changes no text
LEAST = -1e30                  # log of 0; differences stay finite
LABELS = len(alphabets.ALPHABET) + 1


@dataclass(frozen=True)
class Weights:
    """What texts are ranked by besides the network, in nat."""
    lm_weight: float = 0.0        # factor of the language model's log probability
    insertion_bonus: float = 0.0  # for each character
    space_bonus: float = 0.0      # for each space, on top of that
    space_lm_share: float = 1.0   # share of lm_weight at spaces


NONE = Weights()   # the network alone


class Text(NamedTuple):
    """A text that the logits may spell."""
    text: str
    ctc: float          # log of its probability from the network alone
    language: float     # log of its probability from the language model; spaces count by Weights.space_lm_share

    def score(self, weights: Weights) -> float:
        """The score that it is ranked by."""
        return (self.ctc + weights.lm_weight * self.language + weights.insertion_bonus * len(self.text)
                + weights.space_bonus * self.text.count(" "))


def greedy(logits: np.ndarray) -> str:
    """The text of the likeliest path: logits (steps, labels)."""
    return "".join(alphabets.ALPHABET[label - 1] for label, _ in itertools.groupby(logits.argmax(axis=-1)) if label)


# ---- the search

Step = tuple[list[float], list[int]]   # log probability of each label, and labels of the characters to try


def search(log_probs: np.ndarray, lm=None, weights: Weights = NONE, before: str = "") -> list[Text]:
    """The likeliest texts, best first, by prefix beam search (Hannun et al. 2014, arXiv 1408.2873).

    log_probs: float (steps, labels), normalised.  lm: a word_lm.WordLM.  before: the preceding text, for the lm.
    """
    return search_steps(steps_of(log_probs), lm, weights, before)


def search_steps(steps: list[Step], lm=None, weights: Weights = NONE, before: str = "") -> list[Text]:
    """As `search`, but with prepared steps: those of each word of a line are searched again."""
    beam = _Beam(lm, weights, before)
    for of_step, labels in steps:
        beam.advance(of_step, labels)
    return beam.texts()


def steps_of(log_probs: np.ndarray) -> list[Step]:
    """Log probabilities float (steps, labels), prepared for the search; for a sure blank, only the blank's is kept."""
    log_probs = log_probs.astype(np.float64)
    found: list[Step] = [([blank], []) for blank in log_probs[:, 0].tolist()]
    open_steps = np.flatnonzero(log_probs[:, 0] <= SURE_BLANK)
    rows = log_probs[open_steps]
    for step, of_step, labels in zip(open_steps.tolist(), rows.tolist(), _likely(rows), strict=True):
        found[step] = of_step, labels
    return found


def _likely(log_probs: np.ndarray) -> list[list[int]]:
    """The labels of the characters to try in each step, from log probabilities (steps, labels)."""
    likely = log_probs > log_probs.max(axis=1, keepdims=True) - LIKELY
    likely[:, 0] = False
    for step in np.flatnonzero(likely.sum(axis=1) > MOST_LIKELY):
        likely[step, np.argsort(log_probs[step, 1:])[:-MOST_LIKELY] + 1] = False
    return [np.flatnonzero(of_step).tolist() for of_step in likely]


@dataclass(slots=True)
class _Prefix:
    """A text that the steps so far may spell; probabilities are logs."""
    text: str
    last: int = 0               # label of its last character
    language: float = 0.0       # its probability from the language model
    worth: float = 0.0          # nat, from the language model and the bonuses
    ends_blank: float = LEAST   # its probability over paths that end in a blank, ...
    ends_label: float = LEAST   # ... over paths that end in its last character, ...
    total: float = LEAST        # ... and over both
    score: float = LEAST        # total + worth: what it is ranked by
    following: memoryview | None = None   # log probability of each next label; see _Beam._ask

    def longer(self, label: int, of_step: list[float]) -> float:
        """Its probability with one more character at this step; a label can follow itself only after a blank."""
        return (self.ends_blank if label == self.last else self.total) + of_step[label]


class _Beam:
    """The prefixes that a search follows, best first.

    They are plain Python: there are few, mostly two to seven, and NumPy would take longer.
    """

    def __init__(self, lm, weights: Weights, before: str):
        self._lm, self._before, self._weights = lm, before, weights
        self._bonus = [weights.insertion_bonus] * LABELS
        self._bonus[alphabets.SPACE] += weights.space_bonus
        self._share = [1.0] * LABELS
        self._share[alphabets.SPACE] = weights.space_lm_share
        self._prefixes = {"": _Prefix("", ends_blank=0.0, total=0.0, score=0.0)}
        self._blanks: float | None = None   # log probability of the sure blanks since the last other step

    def advance(self, of_step: list[float], labels: list[int]) -> None:
        """Process a step with these log probabilities, trying these labels."""
        if of_step[0] > SURE_BLANK:
            self._blanks = (self._blanks or 0.0) + of_step[0]
            return
        self._pass_blanks()
        longer = self._grow(of_step, labels)
        self._stay(of_step, labels)
        ranked = sorted([*self._prefixes.values(), *longer], key=operator.attrgetter("score"), reverse=True)
        least = ranked[0].score - NEAR
        self._prefixes = {one.text: one for one in ranked[:BEAM] if one.score > least}

    def _pass_blanks(self) -> None:
        """Extend all prefixes by the pending sure blanks."""
        if self._blanks is not None:
            for one in self._prefixes.values():
                one.ends_blank = one.total = one.total + self._blanks
                one.ends_label, one.score = LEAST, one.total + one.worth
            self._blanks = None

    def texts(self) -> list[Text]:
        """The texts if no more steps follow, best first."""
        self._pass_blanks()
        self._ask(self._prefixes.values())
        found: dict[str, Text] = {}
        for text, one in self._prefixes.items():
            language = one.language
            if one.last == alphabets.SPACE:   # a final space is the end of the word before it
                text = text[:-1]
            else:
                language += self._share[alphabets.SPACE] * one.following[alphabets.SPACE]
            if text not in found or found[text].ctc < one.total:
                found[text] = Text(text, one.total, language)
        return sorted(found.values(), key=lambda one: -one.score(self._weights))

    def _ask(self, prefixes: Iterable[_Prefix]) -> None:
        """Ask the language model what follows these prefixes, in one call."""
        new = [one for one in prefixes if one.following is None]
        if not new:
            return
        found = (self._lm.next_log_probs([self._before + one.text for one in new]) if self._lm else
                 np.zeros((len(new), LABELS)))
        for one, following in zip(new, found, strict=True):
            one.following = following.data   # its items are plain floats, faster than NumPy's

    def _grow(self, of_step: list[float], labels: list[int]) -> list[_Prefix]:
        """The prefixes, longer by one character, that a step makes likely and that are not in the beam yet."""
        if not labels:
            return []
        best = next(iter(self._prefixes.values()))
        least = best.score + of_step[0] - NEAR   # the best one stays with at least this score
        growing = [one for one in self._prefixes.values() if labels != [one.last] or one.ends_blank > LEAST / 2]
        self._ask(growing)   # only now: the language model takes half the time, and many prefixes never grow
        share, bonus, lm_weight = self._share, self._bonus, self._weights.lm_weight
        longer: list[_Prefix] = []
        for one in growing:
            for label in labels:
                if label == alphabets.SPACE and one.last in (0, alphabets.SPACE):   # no space comes first
                    continue
                arrives, language = one.longer(label, of_step), share[label] * one.following[label]
                worth = one.worth + lm_weight * language + bonus[label]
                if arrives + worth < least or (text := one.text + alphabets.ALPHABET[label - 1]) in self._prefixes:
                    continue
                longer.append(_Prefix(text, label, one.language + language, worth, LEAST, arrives, arrives,
                                      arrives + worth))
                least = max(least, arrives + worth - NEAR)
        return longer

    def _stay(self, of_step: list[float], labels: list[int]) -> None:
        """Carry each text through a step as it is, and add the paths by which another in the beam grows into it."""
        arrived = {text: parent.longer(one.last, of_step) for text, one in self._prefixes.items()
                   if one.last in labels and (parent := self._prefixes.get(text[:-1]))} if labels else {}
        for text, one in self._prefixes.items():
            one.ends_blank, one.ends_label = one.total + of_step[0], one.ends_label + of_step[one.last]
            if text in arrived:
                one.ends_label = _either(one.ends_label, arrived[text])
            one.total = _either(one.ends_blank, one.ends_label)
            one.score = one.total + one.worth


def _either(first: float, second: float) -> float:
    """Log of the sum of two probabilities, from their logs."""
    if first < second:
        first, second = second, first
    return first + math.log1p(math.exp(second - first))


def single(log_probs: np.ndarray) -> np.ndarray:
    """Log probability of each text of one character, by label: float (labels,); [0] is that of no text."""
    # A path is blanks, the character from step i to step j, and blanks.
    gain = np.cumsum(log_probs - log_probs[:, :1], axis=0, dtype=float)   # of the character over blanks, up to a step
    before = np.logaddexp.accumulate(np.vstack([np.zeros_like(gain[:1]), -gain[:-1]]))   # over all i up to a j
    blanks = log_probs[:, 0].sum(dtype=float)
    found = blanks + np.logaddexp.reduce(gain + before)
    found[0] = blanks
    return found


# ---- where the characters lie

def align(log_probs: np.ndarray, text: str) -> np.ndarray:
    """The first and the last step of each character of a text on its likeliest path: int (len(text), 2).

    log_probs: float (steps, labels).  Raises ValueError when there are too few steps for the text.
    """
    labels = np.zeros(2 * len(text) + 1, int)
    labels[1::2] = [alphabets.LABELS[character] for character in text]
    # A character may follow another without a blank in between, unless the two are equal.
    closed = np.full(len(labels), LEAST)
    closed[3::2][labels[3::2] != labels[1:-2:2]] = 0
    said = log_probs[:, labels].astype(float)
    padded = np.full(len(labels) + 2, LEAST)   # no path comes from the two places before the start
    second, first, scores = padded[:-2], padded[1:-1], padded[2:]
    scores[:2] = said[0, :2]
    moved, jumped = np.zeros((2, *said.shape), bool)
    for step in range(1, len(said)):
        jump = second + closed
        np.greater(first, scores, out=moved[step])
        best = np.maximum(first, scores)
        np.greater(jump, best, out=jumped[step])
        np.add(np.maximum(best, jump), said[step], out=scores)
    place = len(labels) - 1 - int(len(labels) > 1 and scores[-2] > scores[-1])
    if scores[place] < LEAST / 2:
        raise ValueError(f"{len(log_probs)} steps are too few for the text {text!r}")
    steps = np.zeros((len(text), 2), int)
    steps[:, 0] = len(log_probs)
    for step in range(len(log_probs) - 1, -1, -1):
        if place % 2:
            steps[place // 2] = step, max(steps[place // 2, 1], step)
        place -= 2 if jumped[step, place] else int(moved[step, place])
    return steps


def strongest(log_probs: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """The largest log probability of each label within each character's steps: (characters, labels).

    log_probs: float (steps, labels).  steps: int (characters, 2), see `align`.
    """
    if not len(steps):
        return log_probs[:0]
    padded = np.vstack([log_probs, log_probs[-1:]])   # so that the index after the last step exists
    return np.maximum.reduceat(padded, (steps + (0, 1)).ravel())[::2]
