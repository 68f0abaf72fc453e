"""What is fitted when a training has ended: a network's class biases, and how a line reader decodes."""
import functools
import itertools
from dataclasses import replace

import numpy as np
from tqdm import tqdm

from common import alphabets, softmax
from reading import ctc, line_recognizer
from training import metrics

# ---- class biases of networks that read characters

SPREADS = (0.5, 0.25, 0.12, 0.06)   # standard deviations of biases, to choose from


def fit_class_biases(learned: metrics.Predictions, validation: metrics.Predictions) -> np.ndarray:
    """What to add to the logits so that they suit scans in the natural class mix better: float32 (62,).

    Classes and sources that the training files hold too often leave a network with somewhat wrong expectations,
    whatever the loss allowed for; this is bias correction (Alexandari et al. 2020, arXiv 1901.06852).  The biases are
    fitted to images that the network has learned from, of which there are enough for all classes, each counting as
    often as its class does in the natural mix.  The loss on the validation images decides how far they are trusted.
    (For pen strokes nothing is fitted: biases that suited some validation writers made it read others worse.)
    """
    weights = np.exp(-alphabets.log_ratio(np.bincount(learned.labels, minlength=62)))[learned.labels]
    logits, held_out = (np.log(np.maximum(each.probabilities, 1e-12)).astype(float) for each in (learned, validation))
    biases = [np.zeros(62, np.float32), *(
        _fit_biases(logits, learned.labels, spread, weights / weights.mean())
        for spread in tqdm(SPREADS, "fitting class biases", leave=False))]
    return min(biases, key=lambda bias: _loss(held_out + bias, validation.labels))


def _loss(logits: np.ndarray, labels: np.ndarray) -> float:
    """Sum of the cross-entropies."""
    return -float(softmax.log_softmax(logits)[np.arange(len(labels)), labels].sum())


def _fit_biases(logits: np.ndarray, labels: np.ndarray, spread: float, weights: np.ndarray) -> np.ndarray:
    """The likeliest biases if a normal distribution of standard deviation `spread` is their prior: float32 (62,).

    weights: float (n,), how often each image counts.
    """
    from scipy.optimize import minimize  # here, since a training should not wait for it
    counts = np.bincount(labels, weights, minlength=logits.shape[1])

    def negative_log_posterior(bias):
        log_probs = softmax.log_softmax(logits + bias)
        value = -weights @ log_probs[np.arange(len(labels)), labels] + (bias ** 2).sum() / (2 * spread ** 2)
        return value, weights @ np.exp(log_probs) - counts + bias / spread ** 2

    return minimize(negative_log_posterior, np.zeros(logits.shape[1]), jac=True, method="L-BFGS-B").x.astype(np.float32)


# ---- how a line reader decodes

# What each weight is chosen from; see line_recognizer.Decoding.  The search starts in the middle.
CHOICES = {"lm_weight": (0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.5), "insertion_bonus": (0.4, 0.8, 1.6, 2.4, 2.8, 3.2, 3.6),
           "space_bonus": (0.5, 0.0, -0.5, -1.0, -1.5, -2.0, -2.5), "space_lm_share": (0.2, 0.4, 0.6, 0.8, 1.0),
           "prior_share": (0.0, 0.2, 0.35, 0.5, 0.65)}


def fit_decoding(log_probs: list[np.ndarray], truths: list[str],
                 reader: line_recognizer.LineReader) -> dict[str, float]:
    """The weights of CHOICES with the lowest character error rate on texts that the network has not learned from.

    One weight after the other takes a step to the next of its choices, as long as that helps (coordinate descent).
    log_probs: what reader.log_probs says of these texts.
    """
    progress = tqdm(desc="fitting how to decode", unit=" tries", leave=False)

    @functools.cache
    def error(places: tuple[int, ...]) -> float:
        progress.update()
        return _cer(log_probs, truths, reader, _weights_at(places))

    places = tuple(len(row) // 2 for row in CHOICES.values())
    settled = 0   # weights in a row that stay as they are
    for axis, row in itertools.cycle(enumerate(CHOICES.values())):
        near = [places[:axis] + (place,) + places[axis + 1:] for place in (places[axis] - 1, places[axis] + 1)
                if 0 <= place < len(row)]
        best = min([places, *near], key=error)   # where two are as good, no step
        settled = settled + 1 if best == places else 0
        places = best
        if settled == len(CHOICES):
            progress.close()
            return _weights_at(places)


def _weights_at(places: tuple[int, ...]) -> dict[str, float]:
    return {name: row[place] for (name, row), place in zip(CHOICES.items(), places, strict=True)}


def _cer(log_probs, truths: list[str], reader: line_recognizer.LineReader, decoding: dict[str, float]) -> float:
    """CER of texts read with these weights."""
    tried = replace(reader.decoding, **decoding)
    texts = [ctc.search(tried.without_prior(each), reader.lm, tried)[0].text for each in log_probs]
    return metrics.cer(list(zip(truths, texts, strict=True)))


def fit_confidence(read: list[line_recognizer.LineText], truths: list[str]) -> list[float]:
    """Weights of line_recognizer.evidence and an offset that make it the log odds that a word is right.

    J. Platt, "Probabilistic outputs for support vector machines", 1999.
    """
    from sklearn.linear_model import LogisticRegression  # here, since a training should not wait for it
    values = [values for line in read for values in line.evidence]
    right = [right for line, truth in zip(read, truths, strict=True) for right in metrics.right_words(truth, line.text)]
    if len(set(right)) < 2:
        return list(line_recognizer.Decoding().confidence)
    fitted = LogisticRegression(C=10, max_iter=1000).fit(values, right)
    return [round(float(value), 4) for value in (*fitted.coef_[0], fitted.intercept_[0])]
