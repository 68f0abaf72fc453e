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
BEAM = 48            # texts that are followed at once, at most
NEAR = 7.0           # nat below the best: those that are followed
LIKELY = 6.0         # nat below a step's best: characters that are tried
MOST_LIKELY = 6      # characters that are tried in a step, at most
SURE_BLANK = math.log(0.9995)   # steps that are surely blank change no text
SPACE = LABELS[" "]
MARKS = "".join(character for character in ALPHABET if not character.isalnum())   # and the space: what ends a word
LEAST = -1e30        # log of 0, but that differences stay finite


class Text(NamedTuple):
    """A text that the logits may say."""
    text: str
    ctc: float          # log of its probability, after the network alone
    language: float     # log of its probability, after the language model

    def score(self, strength: float, bonus: float) -> float:
        """What it is ranked by: the language model counts `strength` times, each character adds `bonus`."""
        return self.ctc + strength * self.language + bonus * len(self.text)


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

def search(log_probs: np.ndarray, prior=None, strength: float = 0.0, bonus: float = 0.0, beam: int = BEAM,
           before: str = "") -> list[Text]:
    """The likeliest texts, best first, by prefix beam search (Hannun et al. 2014, arXiv 1408.2873).

    log_probs: float (steps, 96), normalised.
    prior: a phrases.Prior; its log probabilities count `strength` times, and each character adds `bonus`.
    before: what stands before the text, for the prior.
    """
    # text: [log P that it ends in a blank, ... in its last character, of the prior, following, last label]
    beams = {"": [0.0, LEAST, 0.0, prior.following(before) if prior else None, 0]}
    blanks = log_probs[:, 0].tolist()
    order = np.argsort(-log_probs[:, 1:], axis=1)[:, :MOST_LIKELY] + 1
    values = np.take_along_axis(log_probs, order, axis=1)
    tried = values > log_probs.max(axis=1, keepdims=True) - LIKELY
    for blank, labels, logs, good in zip(blanks, order.tolist(), values.tolist(), tried.tolist(), strict=True):
        if blank > SURE_BLANK:
            for state in beams.values():
                state[0], state[1] = _add(state[0], state[1]) + blank, LEAST
            continue
        step = {label: log for label, log, keep in zip(labels, logs, good) if keep}
        found: dict[str, list] = {}
        for text, (ends_blank, ends_label, spoken, following, last) in beams.items():
            total = _add(ends_blank, ends_label)
            known = found.get(text)
            again = ends_label + step[last] if last in step else LEAST
            if known is None:
                found[text] = [total + blank, again, spoken, following, last]
            else:
                known[0], known[1] = _add(known[0], total + blank), _add(known[1], again)
            for label, log in step.items():
                character = ALPHABET[label - 1]
                if label == SPACE and (not text or last == SPACE):
                    continue  # a text begins with no space, and has none beside another
                arrives = (ends_blank if label == last else total) + log
                known = found.get(text + character)
                if known is None:
                    said = spoken + following[label] if prior else 0.0
                    if prior and character in MARKS:
                        said += prior.ended(before + text, character)
                    found[text + character] = [LEAST, arrives, said, None, label]
                else:
                    known[1] = _add(known[1], arrives)
        scored = [(_add(state[0], state[1]) + strength * state[2] + bonus * len(text), text, state)
                  for text, state in found.items()]
        scored.sort(key=lambda one: -one[0])
        least = scored[0][0] - NEAR
        beams = {text: state for score, text, state in scored[:beam] if score > least}
        if prior:
            for text, state in beams.items():
                if state[3] is None:
                    state[3] = prior.following(before + text)
    texts: dict[str, Text] = {}
    for text, (ends_blank, ends_label, spoken, following, last) in beams.items():
        if last == SPACE:   # what ends in a space goes on with nothing: it is the text before
            text = text.rstrip()
        elif prior:
            spoken += following[SPACE] + prior.ended(before + text, " ")
        arrives = _add(ends_blank, ends_label)
        if text not in texts or texts[text].ctc < arrives:
            texts[text] = Text(text, arrives, spoken)
    return sorted(texts.values(), key=lambda one: -one.score(strength, bonus))


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


def _add(a: float, b: float) -> float:
    """log(exp(a) + exp(b))."""
    if a < b:
        a, b = b, a
    return a + math.log1p(math.exp(b - a)) if b - a > -40 else a


# ---- where the characters lie

def align(log_probs: np.ndarray, text: str) -> np.ndarray:
    """For each character of a text the steps that say it on the likeliest way: int (len(text), 2), first and last.

    log_probs: float (steps, 96).  Raises ValueError when there are too few steps for the text.
    """
    labels = np.zeros(2 * len(text) + 1, int)
    labels[1::2] = [LABELS[character] for character in text]
    # A character may follow another without a blank between, unless they are equal.
    skips = np.zeros(len(labels), bool)
    skips[3::2] = labels[3::2] != labels[1:-2:2]
    scores = np.full(len(labels), LEAST)
    scores[:2] = log_probs[0, labels[:2]]
    back = np.zeros((len(log_probs), len(labels)), np.int8)
    for step in range(1, len(log_probs)):
        ways = np.full((3, len(labels)), LEAST)
        ways[0] = scores
        ways[1, 1:] = scores[:-1]
        ways[2, 2:] = np.where(skips[2:], scores[:-2], LEAST)
        back[step] = ways.argmax(axis=0)
        scores = np.take_along_axis(ways, back[step][None].astype(int), axis=0)[0] + log_probs[step, labels]
    place = len(labels) - 1 - int(len(labels) > 1 and scores[-2] > scores[-1])
    if scores[place] < LEAST / 2:
        raise ValueError(f"{len(log_probs)} steps are too few for the text {text!r}")
    steps = np.zeros((len(text), 2), int)
    steps[:, 0] = len(log_probs)
    for step in range(len(log_probs) - 1, -1, -1):
        if place % 2:
            steps[place // 2] = step, max(steps[place // 2, 1], step)
        place -= int(back[step, place])
    return steps
