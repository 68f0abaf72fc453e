"""What a line reader's logits say: CTC's label sequences as text, and where each character lies.

For each step, 4 px of a strip, a network trained with CTC (Graves et al. 2006,
"Connectionist temporal classification") gives the probabilities of each
character and of a blank.  A text's probability is the sum over all ways to
stretch it over the steps with blanks between.
"""
import math
from typing import NamedTuple

import numpy as np

import strip

# What a line reader can read: printable ASCII.  Its place here plus 1 is a character's label; 0 is CTC's blank.
ALPHABET = "".join(map(chr, range(32, 127)))
LABELS = {character: label for label, character in enumerate(ALPHABET, 1)}

WIDTH_STEP = 32      # px: strips are filled up to a multiple of this
BEAM = 200           # texts that are followed at once, at most
FEW = 256            # texts in the tree of a search to begin with
NEAR = 8.0           # nat below the best: those that are followed
LIKELY = 8.0         # nat below a step's best: characters that are tried
MOST_LIKELY = 10     # characters that are tried in a step, at most
SURE_BLANK = math.log(0.998)   # steps that are surely blank change no text
SPACE = LABELS[" "]
MARKS = "".join(character for character in ALPHABET if not character.isalnum())   # and the space: what ends a word
LEAST = -1e30        # log of 0, but that differences stay finite


class Weights(NamedTuple):
    """What texts are ranked by, beside the network: all in nat."""
    strength: float = 0.0   # how often the language model's log probability counts
    bonus: float = 0.0      # what each character adds
    space: float = 0.0      # what a space adds to that


NONE = Weights()   # the network alone


class Text(NamedTuple):
    """A text that the logits may say."""
    text: str
    ctc: float          # log of its probability, after the network alone
    language: float     # log of its probability, after the language model

    def score(self, weights: Weights) -> float:
        """What it is ranked by."""
        return (self.ctc + weights.strength * self.language + weights.bonus * len(self.text)
                + weights.space * self.text.count(" "))


def side_by_side(strips) -> np.ndarray:
    """Strips uint8 (height, width) as one batch (n, height, width), paper behind those that are narrower."""
    width = max(picture.shape[1] for picture in strips)
    batch = np.zeros((len(strips), strip.HEIGHT, width + -width % WIDTH_STEP), np.uint8)
    for row, picture in enumerate(strips):
        batch[row, :, :picture.shape[1]] = picture
    return batch


def greedy(logits: np.ndarray) -> str:
    """The text along the likeliest label of each step: logits (steps, 96)."""
    labels = logits.argmax(axis=-1)
    return text_of(labels[np.flatnonzero(np.diff(labels, prepend=0))])


def text_of(labels: np.ndarray) -> str:
    """Labels int (n,) as text, without the blanks among them."""
    return "".join(ALPHABET[label - 1] for label in labels.tolist() if label)


# ---- the search

def search(log_probs: np.ndarray, prior=None, weights: Weights = NONE, before: str = "") -> list[Text]:
    """The likeliest texts, best first, by prefix beam search (Hannun et al. 2014, arXiv 1408.2873).

    log_probs: float (steps, 96), normalised.
    prior: a phrases.Prior, the language model.
    before: what stands before the text, for the prior.
    """
    log_probs = log_probs.astype(np.float64)
    texts = _Texts(prior, before)
    bonus = np.full(len(ALPHABET) + 1, weights.bonus)
    bonus[SPACE] += weights.space
    # The texts that are followed: rows, log P that each ends in a blank, in its last character, in either, and what the
    # prior and the bonus make of it.
    rows, ends_blank, ends_label = np.zeros(1, int), np.zeros(1), np.full(1, LEAST)
    total, worth = np.zeros((2, 1))
    order = np.argsort(-log_probs[:, 1:], axis=1)[:, :MOST_LIKELY] + 1
    likely = np.take_along_axis(log_probs, order, axis=1) > log_probs.max(axis=1, keepdims=True) - LIKELY
    for of_step, labels, count in zip(log_probs, order, likely.sum(axis=1).tolist(), strict=True):
        if of_step[0] > SURE_BLANK:
            ends_blank = total = total + of_step[0]
            ends_label = np.full(len(rows), LEAST)
            continue
        labels, last = labels[:count], texts.table["last"][rows]
        again = last[:, None] == labels   # a character follows itself only after a blank
        arrives = np.where(again, ends_blank[:, None], total[:, None]) + of_step[labels]
        if SPACE in labels:   # none comes first, nor after another
            arrives[((rows == 0) | (last == SPACE))[:, None] & (labels == SPACE)] = LEAST
        ends_blank, ends_label = total + of_step[0], ends_label + of_step[last]
        row, label = np.nonzero(again)
        if len(row):
            parents = texts.places_of_parents(rows)[row]
            followed = parents >= 0   # what a text grows into is followed too
            row, label, parents = row[followed], label[followed], parents[followed]
            ends_label[row] = np.logaddexp(ends_label[row], arrives[parents, label])
            arrives[parents, label] = LEAST
        ways = np.column_stack([np.logaddexp(ends_blank, ends_label), arrives])   # stays as it is, or grows
        worths = np.repeat(worth[:, None], count + 1, axis=1)
        worths[:, 1:] += weights.strength * texts.table["following"][rows[:, None], labels] + bonus[labels]
        scores = ways + worths
        chosen = np.flatnonzero(scores > scores.max() - NEAR)
        if len(chosen) > BEAM:
            chosen = chosen[np.argpartition(-scores.ravel()[chosen], BEAM)[:BEAM]]
        row, column = np.divmod(chosen, count + 1)
        grown = column > 0
        total, worth = ways.ravel()[chosen], worths.ravel()[chosen]
        ends_blank, ends_label = ends_blank[row], np.where(grown, total, ends_label[row])
        ends_blank[grown] = LEAST
        rows = rows[row]
        rows[grown] = texts.grow(rows[grown], labels[column[grown] - 1])
    found: dict[str, Text] = {}
    for row, arrives in zip(rows.tolist(), total.tolist()):
        text, spoken = texts.texts[row], float(texts.table["spoken"][row])
        if text.endswith(" "):   # what ends in a space goes on with nothing: it is the text before
            text = text[:-1]
        else:
            spoken += float(texts.table["following"][row, SPACE])
        if text not in found or found[text].ctc < arrives:
            found[text] = Text(text, arrives, spoken)
    return sorted(found.values(), key=lambda one: -one.score(weights))


class _Texts:
    """The texts of a search, a tree: each but the first, "", is another with one more character.

    table has a row for each: parent (its row), last (label), spoken (log P after the
    prior), and following (96,), what each label adds to that.
    """

    def __init__(self, prior, before: str):
        self._prior, self._before = prior, before
        self.texts = [""]
        self._rows: dict[tuple[int, int], int] = {}
        self.table = np.zeros(FEW, [("parent", int), ("last", int), ("place", int),
                                    ("spoken", float), ("following", float, len(ALPHABET) + 1)])
        self._fill(0, 0, 0)

    def grow(self, rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """The rows of these texts with one more character each."""
        found, new = [], []
        for way in zip(rows.tolist(), labels.tolist()):
            row = self._rows.get(way)
            if row is None:
                row = self._rows[way] = len(self.texts)
                self.texts.append(self.texts[way[0]] + ALPHABET[way[1] - 1])
                new.append(way)
            found.append(row)
        if new:
            self._fill(len(self.texts) - len(new), *np.transpose(new))
        return np.array(found, int)

    def places_of_parents(self, rows: np.ndarray) -> np.ndarray:
        """The place in rows of the parent of each; -1 where it is not among them."""
        places = self.table["place"]
        places[rows] = np.arange(1, len(rows) + 1)
        found = np.where(rows > 0, places[self.table["parent"][rows]], 0) - 1
        places[rows] = 0
        return found

    def _fill(self, first: int, parents, labels) -> None:
        """Fill the table for all texts from row `first` on."""
        while len(self.texts) > len(self.table):
            self.table = np.concatenate([self.table, np.zeros_like(self.table)])
        new = self.table[first:len(self.texts)]   # a view
        new["parent"], new["last"] = parents, labels
        new["spoken"] = self.table["spoken"][parents] + self.table["following"][parents, labels]
        if self._prior:
            new["following"] = [self._prior.next_log_probs(self._before + text) for text in self.texts[first:]]


def single(log_probs: np.ndarray) -> np.ndarray:
    """Log of the probability of each text of one character alone, by its label: float (96,), [0] that of no text."""
    blank = log_probs[:, 0].astype(float)
    before, inside, behind = 0.0, np.full(log_probs.shape[1], LEAST), np.full(log_probs.shape[1], LEAST)
    for step, of_step in enumerate(log_probs.astype(float)):
        behind = np.logaddexp(behind, inside) + blank[step]
        inside = np.logaddexp(inside, before) + of_step
        before += blank[step]
    found = np.logaddexp(inside, behind)
    found[0] = before
    return found


# ---- where the characters lie

def align(log_probs: np.ndarray, text: str) -> np.ndarray:
    """For each character of a text the steps that say it on the likeliest way: int (len(text), 2), first and last.

    log_probs: float (steps, 96).  Raises ValueError when there are too few steps for the text.
    """
    labels = np.zeros(2 * len(text) + 1, int)
    labels[1::2] = [LABELS[character] for character in text]
    # A character may follow another without a blank between, unless they are equal.
    closed = np.full(len(labels), LEAST)
    closed[3::2][labels[3::2] != labels[1:-2:2]] = 0
    said = log_probs[:, labels].astype(float)
    padded = np.full(len(labels) + 2, LEAST)   # nobody comes from the two places before the first
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
