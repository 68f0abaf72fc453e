"""Logits to probabilities, and the likeliest characters."""
import numpy as np

ALTERNATIVES = 5   # of a character or word


def ranked(probabilities: np.ndarray, characters: str,
           firsts: list[int] | None = None) -> list[list[tuple[str, float]]]:
    """For each row of probabilities (n, characters), the likeliest characters, best first, at most ALTERNATIVES.

    firsts: for each row, the index of the character to put first, however likely.
    """
    order = np.argsort(-probabilities, axis=1)[:, :ALTERNATIVES].tolist()
    if firsts is not None:
        order = [[first, *(place for place in row if place != first)][:ALTERNATIVES]
                 for first, row in zip(firsts, order, strict=True)]
    return [[(characters[place], round(float(row[place]), 6)) for place in places]
            for row, places in zip(probabilities, order, strict=True)]


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Log probabilities from logits along the last axis, in the same dtype."""
    logits = logits - logits.max(axis=-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
