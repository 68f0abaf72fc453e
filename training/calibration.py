"""Fits how a line reader decodes, and what turns its confidences into probabilities, at the end of a training."""
import functools
import itertools
from dataclasses import replace

import numpy as np
from tqdm import tqdm

from reading import ctc, line_recognizer, word_lm
from training import metrics

# The choices for each weight; see line_recognizer.Decoding.  The search starts in the middle.
CHOICES = {"lm_weight": (0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.5), "insertion_bonus": (0.4, 0.8, 1.6, 2.4, 2.8, 3.2, 3.6),
           "space_bonus": (0.5, 0.0, -0.5, -1.0, -1.5, -2.0, -2.5), "space_lm_share": (0.2, 0.4, 0.6, 0.8, 1.0),
           "prior_share": (0.0, 0.2, 0.35, 0.5, 0.65)}


def fit_decoding(log_probs: list[np.ndarray], truths: list[str], lms: list[word_lm.WordLM],
                 decoding: line_recognizer.Decoding) -> dict[str, float]:
    """The weights of CHOICES with the lowest character error rate on texts that the network has not learned from.

    Each weight in turn moves to the next of its choices, as long as that helps (coordinate descent).
    log_probs: of these texts, from LineReader.log_probs.  lms: the language model of each.  decoding: all the rest.
    """
    progress = tqdm(desc="fitting how to decode", unit=" tries", leave=False)

    @functools.cache
    def error(places: tuple[int, ...]) -> float:
        progress.update()
        tried = replace(decoding, **_weights_at(places))
        texts = [ctc.search(tried.without_prior(each), lm, tried)[0].text
                 for each, lm in zip(log_probs, lms, strict=True)]
        return metrics.cer(list(zip(truths, texts, strict=True)))

    places = tuple(len(row) // 2 for row in CHOICES.values())
    settled = 0   # weights in a row that did not move
    for axis, row in itertools.cycle(enumerate(CHOICES.values())):
        near = [places[:axis] + (place,) + places[axis + 1:] for place in (places[axis] - 1, places[axis] + 1)
                if 0 <= place < len(row)]
        best = min([places, *near], key=error)   # in a tie nothing moves
        settled = settled + 1 if best == places else 0
        places = best
        if settled == len(CHOICES):
            progress.close()
            return _weights_at(places)


def _weights_at(places: tuple[int, ...]) -> dict[str, float]:
    return {name: row[place] for (name, row), place in zip(CHOICES.items(), places, strict=True)}


def fit_confidence(read: list[line_recognizer.LineText], truths: list[str]) -> list[float]:
    """The weights of line_recognizer.evidence, and an offset, that turn it into the log odds that a word is right.

    J. Platt, "Probabilistic outputs for support vector machines", 1999.
    """
    from sklearn.linear_model import LogisticRegression  # here, since a training should not wait for it
    values = [values for line in read for values in line.evidence]
    right = [right for line, truth in zip(read, truths, strict=True) for right in metrics.right_words(truth, line.text)]
    if len(set(right)) < 2:
        return list(line_recognizer.Decoding().confidence)
    fitted = LogisticRegression(C=10, max_iter=1000).fit(values, right)
    return [round(float(value), 4) for value in (*fitted.coef_[0], fitted.intercept_[0])]
