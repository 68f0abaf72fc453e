"""Reads straight lines of writing with a network trained by CTC: strips in, texts with their characters out.

    reader = LineReader(network, config["decoding"], phrases.load())
    texts = reader.read([line.ink for line in segmentation.straight_lines(ink)])
"""
import itertools
import math
from typing import NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

import ctc
import dataset
import edits
import glyph
import lattice
import phrases
import segmentation
import strip

AT_ONCE = 8              # strips in one call of the network, at most
# What config.json says of how to read with a network, if it says nothing.
DECODING = {"strength": 0.4, "bonus": 0.6, "space": 0.0, "spacing": 1.0, "prior_share": 0.0,
            "label_prior": [0.0] * len(ctc.ALPHABET), "confidence": [0.27, 0.3, 0.53, 0.19, 0.59]}


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

    def __init__(self, network, decoding: dict | None = None, prior: phrases.Prior | None = None):
        """network: keras.Model, uint8 (batch, strip.HEIGHT, width) -> logits (batch, steps, 96).

        decoding: those of ctc.Weights, the network's own prior and the share of it to take
        away, and what makes a word's confidence a probability; see fit, without_prior and
        fit_confidence.
        prior: the language model; None reads without.
        """
        self.network = network
        self.decoding = DECODING | (decoding or {})
        self.prior = prior

    @property
    def weights(self) -> ctc.Weights:
        """What texts are ranked by."""
        return ctc.Weights(*(self.decoding[name] for name in ctc.Weights._fields))

    def log_probs(self, strips: list[np.ndarray]) -> list[np.ndarray]:
        """Log probabilities float32 (steps, 96) of each strip, uint8 (strip.HEIGHT, width)."""
        found = [None] * len(strips)
        order = np.argsort([picture.shape[1] for picture in strips], kind="stable").tolist()
        for start in range(0, len(order), AT_ONCE):
            rows = order[start:start + AT_ONCE]
            logits = self.network.predict_on_batch(ctc.side_by_side([strips[row] for row in rows]))
            for row, of_strip in zip(rows, logits):
                found[row] = lattice.log_softmax(np.asarray(of_strip, np.float32))
        return found

    def read(self, inks: list[np.ndarray]) -> list[LineText]:
        """Read lines: each uint8 (height, width), bright ink on dark, straight."""
        strips, maps = zip(*map(strip.strip, inks), strict=True) if inks else ((), ())
        return [self.decode(log_probs, to_ink)
                for log_probs, to_ink in zip(self.log_probs(list(strips)), maps, strict=True)]

    def read_characters(self, inks: list[np.ndarray]) -> list[list[tuple[str, float]]]:
        """Read each ink, uint8 (height, width), as one letter or digit: the likeliest with their probabilities."""
        found = []
        for log_probs in self.log_probs([strip.strip(ink)[0] for ink in inks]):
            scores = ctc.single(log_probs)[[ctc.LABELS[character] for character in dataset.CHARACTERS]]
            found.append(lattice.ranked(np.exp(lattice.log_softmax(scores)), dataset.CHARACTERS))
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
        centres = to_ink[0, 0] * (steps.mean(axis=1) + 0.5) * strip.STEP + to_ink[0, 2]
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
            chances = np.exp(lattice.log_softmax(np.array([scores[one] for one in (word, *others)])))
            evidences.append(evidence(word, float(chances[0]), itself))
            sure = self._calibrated(evidences[-1])
            left = (1 - sure) / max(float(chances[1:].sum()), 1e-9)
            found.append([(word, round(sure, 6)), *((one, round(left * float(chance), 6)) for one, chance in
                                                    zip(others[:lattice.ALTERNATIVES - 1], chances[1:]))])
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
        chances = np.exp(lattice.log_softmax(scores))
        return [lattice.ranked(of_place, ctc.ALPHABET, ctc.LABELS[character] - 1)
                for of_place, character in zip(chances, text, strict=True)]


def without_prior(log_probs: np.ndarray, prior: list[float], share: float) -> np.ndarray:
    """Log probabilities (steps, 96) with less of what the network expects whatever it sees.

    A network trained by CTC knows how often each character occurs, and the language
    model would count that a second time: a share of it is taken away (Miao, Gowayyed and
    Metze 2015, "EESEN", arXiv 1507.08240).
    prior: log of the share of each character of ctc.ALPHABET in what the network has learned from.
    """
    if not share:
        return log_probs
    expected = np.array([0.0, *prior], np.float32)
    expected[1:] -= np.exp(expected[1:]) @ expected[1:]   # on average a text becomes neither likelier nor unlikelier
    return lattice.log_softmax(log_probs - np.float32(share) * expected)


def evidence(word: str, chance: float, way: ctc.Text) -> tuple[float, ...]:
    """What tells whether a word is right: four numbers.

    chance: its probability among the readings of its steps.  way: what the network and the language model say of it.
    They are the log odds of that chance, both log probabilities in nat, kept within limits, and the word's length.
    """
    chance = min(max(chance, 1e-4), 1 - 1e-4)
    return math.log(chance / (1 - chance)), max(way.ctc, -20.0), len(word), max(way.language, -60.0)


# ---- fitting how to decode

# What each weight of decoding is chosen from; see ctc.Weights and without_prior.  The search starts in the middle.
CHOICES = {"strength": (0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.5), "bonus": (0.4, 0.8, 1.6, 2.4, 2.8, 3.2, 3.6),
           "space": (0.5, 0.0, -0.5, -1.0, -1.5, -2.0, -2.5), "spacing": (0.2, 0.4, 0.6, 0.8, 1.0),
           "prior_share": (0.0, 0.2, 0.35, 0.5, 0.65)}


def fit(log_probs: list[np.ndarray], truths: list[str], reader: LineReader) -> dict[str, float]:
    """What to decode with, by the least error rate on texts that the network has not learned from.

    log_probs: what reader.log_probs says of the strips of these texts.
    Returns a weight for each of CHOICES.  They are changed one after the other, to the
    next in their row, as long as that lowers the error rate (coordinate descent).
    """
    places = {name: len(row) // 2 for name, row in CHOICES.items()}
    tried: dict[tuple, float] = {}
    progress = tqdm(desc="fitting how to decode", unit=" ways", leave=False)

    def error(way: dict[str, int]) -> float:
        key = tuple(way.values())
        if key not in tried:
            tried[key] = _error_rate(log_probs, truths, reader, _chosen(way))
            progress.update()
            progress.set_postfix_str(f"CER {min(tried.values()):.4f}")
        return tried[key]

    settled = 0
    for name in itertools.cycle(CHOICES):
        ways = [places | {name: place} for place in range(places[name] - 1, places[name] + 2)
                if 0 <= place < len(CHOICES[name])]
        best = min([places, *ways], key=error)   # of two that are as good the one that is there
        settled = settled + 1 if best == places else 0
        places = best
        if settled == len(CHOICES):
            break
    progress.close()
    return _chosen(places)


def _chosen(places: dict[str, int]) -> dict[str, float]:
    """The weights at these places of CHOICES."""
    return {name: CHOICES[name][place] for name, place in places.items()}


def _error_rate(log_probs, truths: list[str], reader: LineReader, decoding: dict[str, float]) -> float:
    """CER of texts read with these weights."""
    weights = ctc.Weights(*(decoding[name] for name in ctc.Weights._fields))
    judged = (without_prior(each, reader.decoding["label_prior"], decoding["prior_share"]) for each in log_probs)
    texts = [ctc.search(each, reader.prior, weights)[0].text for each in judged]
    return edits.error_rate(list(zip(truths, texts, strict=True)))


def fit_confidence(read: list[LineText], truths: list[str]) -> list[float]:
    """Weights of the evidence for a word, and an offset, that make it the log odds of being right.

    J. Platt, "Probabilistic outputs for support vector machines", 1999.
    """
    from sklearn.linear_model import LogisticRegression
    values = [values for line in read for values in line.evidence]
    right = [right for line, truth in zip(read, truths, strict=True) for right in edits.right_words(truth, line.text)]
    if len(set(right)) < 2:
        return DECODING["confidence"]
    fitted = LogisticRegression(C=10, max_iter=1000).fit(values, right)
    return [round(float(value), 4) for value in (*fitted.coef_[0], fitted.intercept_[0])]


# ---- whose ink is whose

BEYOND = 0.6     # of the usual distance of two centres: so far beyond them characters may be cut apart
FAR = 3.0        # strokes that a cut may cross rather than lie one such distance beyond
ASIDE = 0.2      # strokes that one at a centre may cross less than one in the middle, twice
EMPTY = 3.0      # strokes that are crossed rather than leaving a character without ink, ...
LEAST_INK = 0.4  # ... or with less than this share of the pen's width squared: a dot has more
MINE = 0.75      # of a connected part of the ink: so much in a character's columns makes all of it the character's


class Shape(NamedTuple):
    """The ink of one character in a line."""
    ink: np.ndarray      # uint8 (height, width), the line's
    y: np.ndarray        # int (n,): its pixels
    x: np.ndarray
    alone: bool          # whether it touches no other character
    seen: bool           # False of a character without ink of its own: its pixels are then those of its column

    @property
    def glyph(self) -> np.ndarray:
        """These pixels, with the soft edge around them: uint8 (28, 28)."""
        if not self.seen:
            return np.zeros((28, 28), np.uint8)
        top, left = max(0, self.y.min() - 1), max(0, self.x.min() - 1)
        block = self.ink[top:self.y.max() + 2, left:self.x.max() + 2]
        mine = np.zeros(block.shape, np.uint8)
        mine[self.y - top, self.x - left] = 1
        soft = (cv2.dilate(mine, np.ones((3, 3), np.uint8)) > mine) & (block < segmentation.INK)
        return glyph.glyph(np.where((mine > 0) | soft, block, 0).astype(np.uint8))


def shapes(ink: np.ndarray, line: LineText) -> list[Shape]:
    """The ink of each character of a line, uint8 (height, width), from left to right.

    Where letters are joined they are parted where there is least ink between the
    places at which the network saw them.
    """
    centres = [one.centre for word in line.words for one in word]
    if not centres:
        return []
    mask = ink >= segmentation.INK
    _, parts = cv2.connectedComponents(mask.view(np.uint8), connectivity=8)
    y, x = np.divmod(np.flatnonzero(mask), ink.shape[1])   # as np.nonzero, sooner
    owners = np.searchsorted(_edges(mask, centres), np.arange(ink.shape[1]), side="right")   # of the columns
    part, owner = parts[y, x], owners[x]
    counts = np.bincount(part * len(centres) + owner, minlength=(parts.max() + 1) * len(centres))
    counts = counts.reshape(-1, len(centres))
    whole = counts.max(axis=1) >= MINE * counts.sum(axis=1)
    owner = np.where(whole[part], counts.argmax(axis=1)[part], owner)
    order = np.argsort(owner, kind="stable")
    y, x, alone = y[order], x[order], whole[part[order]]
    ends = np.cumsum(np.bincount(owner, minlength=len(centres))).tolist()
    found = []
    for centre, first, behind in zip(centres, [0, *ends], ends):
        if first < behind:
            found.append(Shape(ink, y[first:behind], x[first:behind], bool(alone[first:behind].all()), True))
        else:  # the network saw it in another's ink
            columns = np.full(2, min(max(0, round(centre)), ink.shape[1] - 1))
            found.append(Shape(ink, np.array([0, len(ink) - 1]), columns, False, False))
    return found


def _edges(mask: np.ndarray, centres: list[float]) -> list[int]:
    """Between every two centres a column, the first that is the next character's: all that together cost least.

    mask: bool (height, width), where there is ink.  centres: ascending.

    A cut costs as many strokes as it crosses, a little for being nearer to one centre
    than to the other, and much for lying beyond either; a character without ink costs,
    too.  So letters that stand apart are told apart even where the network has seen one
    late, in the ink of the next, or early.
    """
    ink = np.count_nonzero(mask, axis=0)
    pen = glyph.stroke_width(mask.view(np.uint8) * np.uint8(255))
    crossed, least = ink / pen, LEAST_INK * pen ** 2
    before = np.concatenate([[0], np.cumsum(ink)])   # ink before each column
    spacing = max(1.0, float(np.median(np.diff(centres)))) if len(centres) > 1 else 1.0
    off = ASIDE / 2 + FAR, ASIDE / 2, 0, ASIDE / 2, ASIDE / 2 + FAR   # what the five places below cost
    places, costs, ways = np.zeros(1, int), np.zeros(1), []
    for left, right in zip(centres, centres[1:]):
        first = min(max(0, round(left - BEYOND * spacing)), len(ink) - 1)
        cuts = np.arange(first, max(first + 1, min(round(right + BEYOND * spacing) + 1, len(ink))))
        at = left - spacing, left, (left + right) / 2, right, right + spacing   # in between the cost changes evenly
        # Of the earlier places, so many are not behind each cut, and so many, the first, leave ink enough between.
        ahead = np.searchsorted(places, cuts, side="right")
        inky = np.searchsorted(before[places] + least, before[cuts], side="right")
        lowest = np.concatenate([[np.inf], np.minimum.accumulate(costs)])   # cost of the first so many
        full, empty = lowest[inky], lowest[ahead] + EMPTY
        ways.append((places, costs, np.where(full <= empty, inky, ahead)))
        places, costs = cuts, np.minimum(full, empty) + crossed[cuts] + np.interp(cuts, at, off)
    place = int((costs + EMPTY * (before[places] + least > before[-1])).argmin())
    edges = []
    for earlier, costs, counts in reversed(ways):
        edges.append(int(places[place]))
        places, place = earlier, int(costs[:counts[place]].argmin())
    return edges[::-1]
