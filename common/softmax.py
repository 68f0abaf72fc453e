"""Logits to probabilities, and the likeliest of them."""
import numpy as np

ALTERNATIVES = 5   # of a character or word


def ranked(probabilities: np.ndarray, characters: str, first: int | None = None) -> list[tuple[str, float]]:
    """The likeliest characters with their probabilities, (n,), best first, at most ALTERNATIVES.

    first: place of one that comes before them, however likely.
    """
    order = np.argsort(-probabilities)[:ALTERNATIVES]
    if first is not None:
        order = [first, *order[order != first]][:ALTERNATIVES]
    return [(characters[place], round(float(probabilities[place]), 6)) for place in order]


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Log probabilities from logits along the last axis, of the same dtype."""
    logits = logits - logits.max(axis=-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
