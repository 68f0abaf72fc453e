"""Candidates for characters -> text: a beam search over all ways to join a line's pieces.

A candidate is a run of pieces that might be one character; the network has
classified each once.  A way through the line is a chain of candidates, and its
score adds up

- how likely each candidate is one whole character, and which, by the network
  and by its size, its place on the line, its cuts and its gaps (GeometryModel),
- how likely a space is at each boundary (GeometryModel),
- how likely the letters follow each other in English (reading/character_lm.py).

The weights of these are tuned, and the judge is trained, by tools/train_geometry.py.
"""
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common import alphabets, files, softmax
from reading.character_lm import CharacterLM, ClassMix
from reading.oversegmentation import TextLine

# Before tuning; see search().
WEIGHTS = {"network": 0.5, "whole": 0.8, "language": 0.8, "space": 1.0, "character": 1.6, "gap": 1.0}
BEAM = 10                # beginnings of a line that are followed further
LIKELY = 6               # characters tried for a candidate
UNLIKELY = -7.0          # log odds that a candidate is one character, below which it is not followed
HOPELESS = 6.0           # nat: characters and spaces so much worse than another choice are not tried
SPACE_FEATURES = 39
FILE = Path(__file__).with_name("geometry.npz")

# Letters whose size tells their case estimate_guides for the lines of writing; the others for the baseline at most.
SMALL, TALL = "aemnr", "bdfhklABDEFGHIKLMNQRTY0123456789"
ON_BASE = "aemnrbdhklcosuvwxzABDEFGHIKLMNRTUCOSVWXZ012345678"


# ---- what is known about candidates

@dataclass(frozen=True)
class Candidates:
    """The candidates of one line, n of them."""
    line: TextLine
    spans: np.ndarray       # int (n, 2): first piece, and the piece behind the last
    boxes: np.ndarray       # int (n, 4): left, top, right, bottom
    log_probs: np.ndarray   # float32 (n, 62): natural log of the network's probabilities, all characters as frequent


@dataclass(frozen=True)
class Guides:
    """The lines of writing, y in px, and how many letters voted for the height of small and of tall ones."""
    x_line: float
    cap_line: float
    base: float
    small: float
    tall: float


def estimate_guides(found: Candidates) -> Guides:
    """Baseline, x-height and cap-height as the letters estimate_guides whose size tells their case."""
    line, boxes = found.line, found.boxes
    alone = (line.cuts[found.spans[:, 0]] == 0) & (line.cuts[found.spans[:, 1]] == 0)
    height = (boxes[:, 3] - boxes[:, 1]) / line.x_height
    weight = np.where(alone, 1.0, 0.1) * np.clip(height, 0.05, 1) ** 2
    small, tall, on_base = (np.exp(found.log_probs) @ _among(SMALL, TALL, ON_BASE).T * weight[:, None]).T
    base = _weighted_median(boxes[:, 3], on_base, line.base)
    x_line = _weighted_median(boxes[:, 1], small, None)
    cap_line = _weighted_median(boxes[:, 1], tall, None)
    if x_line is None:
        x_line = base - 0.62 * (base - cap_line) if cap_line is not None else line.top
    if cap_line is None:
        cap_line = base - 1.6 * (base - x_line)
    return Guides(x_line, cap_line, base, float(small.sum()), float(tall.sum()))


@functools.cache
def _among(*groups: str) -> np.ndarray:
    """float (groups, 62): 1 where a character is in the group."""
    return np.array([[character in group for character in alphabets.CHARACTERS] for group in groups], float)


def _weighted_median(values: np.ndarray, weights: np.ndarray, otherwise: float | None) -> float | None:
    if weights.sum() < 0.3:
        return otherwise
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def features(found: Candidates) -> np.ndarray:
    """What the judge knows of each candidate: float32 (n, FEATURES).

    Its size and place, in x-heights as the core of the line has it and as its
    letters estimate_guides for it; the cuts and gaps at its ends and inside it; its
    neighbours; and the network's log probabilities.
    """
    line, spans, guides = found.line, found.spans, estimate_guides(found)
    first, behind = spans.T
    left, top, right, bottom = found.boxes.T.astype(np.float32)
    unit = np.float32(line.x_height)
    voted = max(guides.base - guides.x_line, 0.35 * (guides.base - guides.cap_line), 3.0)
    inner_gap, least_gap, least_cut = _inside(line, spans)
    widths = np.concatenate(([0], line.boxes[:, 2] - line.boxes[:, 0], [0])) / unit
    heights = line.boxes[:, 3] - line.boxes[:, 1]
    usual = float(np.median(heights[heights >= 0.5 * np.median(heights)]))
    probs = np.exp(found.log_probs)
    columns = [
        (right - left) / unit, (bottom - top) / unit, (top - line.top) / unit, (bottom - line.base) / unit,
        (top - guides.x_line) / voted, (top - guides.cap_line) / voted, (bottom - guides.base) / voted,
        (right - left) / voted, (bottom - top) / voted, (bottom - top) / usual,
        np.full(len(spans), min(guides.small, 3.0) / 2), np.full(len(spans), min(guides.tall, 3.0) / 2),
        line.cuts[first], line.cuts[behind], line.cuts[first] == 0, line.cuts[behind] == 0,
        line.gaps[first] / unit, line.gaps[behind] / unit, inner_gap / unit, least_gap / unit, least_cut,
        (behind - first) / 2, behind - first == 1, first == 0, behind == len(line.boxes),
        widths[first], widths[behind + 1],
        np.full(len(spans), line.pen / unit) * 3, np.full(len(spans), unit / usual),
        probs.max(axis=1), -(probs * found.log_probs).sum(axis=1),
    ]
    known = np.clip(np.stack([np.asarray(column, np.float32) for column in columns], axis=1), -4, 4)
    return np.concatenate([known, np.maximum(found.log_probs, -10) / 5 + 1], axis=1)


def log_probs_of(known: np.ndarray) -> np.ndarray:
    """The network's log probabilities (n, 62) from the features."""
    return known[:, -62:] * 5 - 5


def _inside(line: TextLine, spans: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Widest gap, narrowest gap and shortest cut between the pieces of each candidate; 0, 0, 3 if it is one piece."""
    result = np.zeros((3, len(spans)), np.float32)
    result[2] = 3
    for row, (first, behind) in enumerate(spans.tolist()):
        if behind - first > 1:
            gaps, cuts = line.gaps[first + 1:behind], line.cuts[first + 1:behind]
            result[:, row] = gaps.max(), gaps.min(), cuts.min()
    return result[0], result[1], result[2]


def space_features(line: TextLine) -> np.ndarray:
    """What the judge knows of each boundary between two pieces: float32 (pieces - 1, SPACE_FEATURES).

    The gap in x-heights, measured in three ways, each beside the line's other gaps: a
    space is wide where others are narrow.  And the pieces and gaps next to it.
    """
    gaps = np.column_stack([line.gaps, line.distances])[1:-1] / line.x_height
    if not len(gaps):
        return np.zeros((0, SPACE_FEATURES), np.float32)
    natural = line.cuts[1:-1] == 0
    columns = []
    for gap in gaps.T:
        order = np.sort(gap[natural] if natural.any() else gap)
        wide, narrow = _two_groups(order)
        middle, step = (wide + narrow) / 2, max(0.1, wide - narrow)
        above = np.searchsorted(order, middle, side="right")
        spread = np.sqrt(np.mean((order - np.where(order > middle, wide, narrow)) ** 2)) / step
        between = order[above] - order[above - 1] if 0 < above < len(order) else 0.0
        columns += [gap, gap - narrow, gap - wide, gap - np.median(order), (gap - middle) / step,
                    np.searchsorted(order, gap) / len(order), wide - narrow, spread, between,
                    (len(order) - above) / len(order)]
    mean = gaps[natural, 2]
    before, behind = np.zeros((2, len(gaps)))
    before[natural], behind[natural] = np.append(0, mean)[:-1], np.append(mean, 0)[1:]
    widths = (line.boxes[:, 2] - line.boxes[:, 0]) / line.x_height
    heights = (line.boxes[:, 3] - line.boxes[:, 1]) / line.x_height
    columns += [gaps[:, 2] - np.maximum(before, behind), gaps[:, 2] - np.minimum(before, behind), widths[:-1],
                widths[1:], np.minimum(widths[:-1], widths[1:]), np.median(widths), np.median(heights),
                3 * line.pen / line.x_height, min(len(mean), 20) / 10]
    known = np.stack(np.broadcast_arrays(*columns), axis=1)
    return np.clip(known, -4, 6).astype(np.float32)


def _two_groups(values: np.ndarray) -> tuple[float, float]:
    """Means of the wide and the narrow gaps, split where Otsu's criterion is highest; values in rising order."""
    if len(values) < 2:
        return float(values[0]), 0.0
    sums = np.cumsum(values)
    count = np.arange(1, len(values))
    low, high = sums[:-1] / count, (sums[-1] - sums[:-1]) / (len(values) - count)
    best = int(np.argmax(count * (len(values) - count) * (high - low) ** 2))
    return float(high[best]), float(low[best])


class GeometryModel:
    """Small dense networks that weigh geometry; trained by tools/train_geometry.py, kept in geometry.npz."""

    def __init__(self, arrays: dict[str, np.ndarray]):
        self.arrays = arrays

    def weights(self, model: CharacterLM | ClassMix) -> dict[str, float]:
        """The weights of the search that were tuned together with this judge and this kind of model."""
        tuned = self.arrays.get("weights" if isinstance(model, CharacterLM) else "weights_alone", WEIGHTS.values())
        return WEIGHTS | dict(zip(WEIGHTS, map(float, tuned)))

    def save(self, path: Path = FILE) -> None:
        """Write geometry.npz, or another file of its kind."""
        files.write_atomically(path, lambda temporary: np.savez_compressed(temporary, **self.arrays))

    def candidates(self, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log odds that a candidate is one whole character, (n,), and log probabilities of which, (n, 62)."""
        out = self._forward("candidate", known)
        return out[:, 0], softmax.log_softmax(out[:, 1:] + log_probs_of(known))

    def spaces(self, known: np.ndarray) -> np.ndarray:
        """Log odds of a space at each boundary: (n,)."""
        return self._forward("space", known)[:, 0]

    def _forward(self, part: str, values: np.ndarray) -> np.ndarray:
        """Dense layers with ReLU between them."""
        layer = 0
        values = (values - self.arrays[f"{part}_mean"]) / self.arrays[f"{part}_scale"]
        while f"{part}_kernel{layer}" in self.arrays:
            if layer:
                values = np.maximum(values, 0)
            values = values @ self.arrays[f"{part}_kernel{layer}"] + self.arrays[f"{part}_bias{layer}"]
            layer += 1
        return values


@functools.lru_cache(1)
def load_geometry(path: Path = FILE) -> GeometryModel:
    """The judge that comes with the project, read once."""
    with np.load(path) as file:
        return GeometryModel({name: file[name].astype(np.float32) for name in file.files})


# ---- the search

@dataclass(frozen=True)
class Scores:
    """All that the search needs of a line."""
    spans: np.ndarray        # int (n, 2)
    whole: np.ndarray        # float (n,): log odds that a candidate is one whole character
    characters: np.ndarray   # float (n, 62): log probability of each character if it is
    spaces: np.ndarray       # float (pieces - 1,): log odds of a space behind each piece but the last


def score(found: Candidates, judge: GeometryModel | None = None) -> Scores:
    """Let the judge look at a line's candidates."""
    judge = judge or load_geometry()
    whole, characters = judge.candidates(features(found))
    spaces = judge.spaces(space_features(found.line))
    return Scores(found.spans, whole, characters, np.where(found.line.cuts[1:-1] > 0, -12, spaces))


class Step(NamedTuple):
    """One character on the way through the line, linked to the one before."""
    before: "Step | None"
    candidate: int
    label: int
    new_word: bool
    context: str             # the word's characters before it


class BeamPath(NamedTuple):
    """A way from a line's beginning to a boundary."""
    total: float
    word: str                # the characters of its last word so far; "" if the model does not look at them
    step: Step | None
    new_word: bool           # whether a word begins at the boundary
    following: np.ndarray    # float (63,): what the language model adds for each character or the word's end


def search(scores: Scores, model: CharacterLM | ClassMix, weights: dict[str, float] | None = None) -> list[Step]:
    """The best way through a line, from left to right.

    Beam search over the boundaries between pieces.  Of the ways that reach a
    boundary with the same letters in the current word the best is kept, and of
    all at a boundary the BEAM best.
    """
    weights = weights or load_geometry().weights(model)
    pieces = int(scores.spans[:, 1].max()) if len(scores.spans) else 0
    starting = _choices(scores, weights, pieces)
    odds = scores.spaces + weights["gap"]
    log_space, log_none = -weights["space"] * np.logaddexp(0, -odds), -weights["space"] * np.logaddexp(0, odds)
    beams = [{} for _ in range(pieces + 1)]   # letters of the current word: total, and what makes a Step
    beginning = weights["language"] * model.next_log_probs("")
    ways = [BeamPath(0.0, "", None, True, beginning)]
    for place in range(pieces):
        if place:
            ways = _best(beams[place], model, weights)
            ways = _with_spaces(ways, log_space[place - 1], log_none[place - 1], beginning)
        rows, behinds, labels, gains = starting[place]
        names = [alphabets.CHARACTERS[label] if isinstance(model, CharacterLM) else "" for label in labels]
        for way in ways:
            totals = (way.following[labels] + gains + way.total).tolist()
            for row, behind, label, name, total in zip(rows, behinds, labels, names, totals):
                beam, word = beams[behind], way.word + name
                known = beam.get(word)
                if known is None or total > known[0]:
                    beam[word] = total, way.step, row, label, way.new_word, way.word
    ways = _best(beams[pieces], model, weights)
    return _back(max(ways, key=_ended).step) if ways else []


def _choices(scores: Scores, weights: dict[str, float], pieces: int) -> list[tuple]:
    """For each boundary what may begin there: candidates, boundaries behind them, labels, and what each adds.

    Candidates of several pieces that are clearly no character are left out, and so
    are unlikely labels.
    """
    local = weights["network"] * scores.characters
    likely = np.argpartition(-local, LIKELY, axis=1)[:, :LIKELY] if len(local) else np.empty((0, LIKELY), int)
    local = np.take_along_axis(local, likely, axis=1)
    gains = (weights["whole"] * np.clip(scores.whole, -8, 8) + weights["character"])[:, None] + local
    first, behind = scores.spans.T
    tried = (local > local.max(axis=1, keepdims=True) - HOPELESS) & (
        (behind == first + 1) | (scores.whole > UNLIKELY))[:, None]
    rows, places = np.nonzero(tried)
    order = np.argsort(first[rows], kind="stable")
    rows, places = rows[order], places[order]
    ends = np.searchsorted(first[rows], np.arange(pieces + 1))
    parts = [slice(*pair) for pair in zip(ends, ends[1:])]
    return [(rows[part].tolist(), behind[rows[part]].tolist(), likely[rows[part], places[part]],
             gains[rows[part], places[part]]) for part in parts]


def _best(beam: dict[str, tuple], model: CharacterLM | ClassMix, weights: dict[str, float]) -> list[BeamPath]:
    """The best ways of those that reach a boundary."""
    best = sorted(beam.items(), key=lambda way: -way[1][0])[:BEAM]
    return [BeamPath(total, word, Step(*step), False, weights["language"] * model.next_log_probs(word))
            for word, (total, *step) in best]


def _ended(way: BeamPath) -> float:
    """The total of a way if its word ends here."""
    return way.total + float(way.following[-1])


def _with_spaces(ways: list[BeamPath], log_space: float, log_none: float, beginning: np.ndarray) -> list[BeamPath]:
    """Each way with and without a space here; after a space only the best is kept, since all letters begin anew."""
    result = [way._replace(total=way.total + log_none) for way in ways]
    if log_space > log_none - HOPELESS and ways:
        best = max(ways, key=_ended)
        result.append(BeamPath(_ended(best) + log_space, "", best.step, True, beginning))
    return result


def text(way: list[Step]) -> str:
    """The text of a way, with a space between words."""
    return "".join((" " if step.new_word and place else "") + alphabets.CHARACTERS[step.label]
                   for place, step in enumerate(way))


def posterior(scores: Scores, step: Step, model: CharacterLM | ClassMix) -> np.ndarray:
    """Probabilities float (62,) of each character at one step, given those before it in the word."""
    weights = load_geometry().weights(model)
    adds = weights["language"] * model.next_log_probs(step.context)[:len(alphabets.CHARACTERS)]
    return np.exp(softmax.log_softmax(weights["network"] * scores.characters[step.candidate] + adds))


def _back(step: Step | None) -> list[Step]:
    way = []
    while step is not None:
        way.append(step)
        step = step.before
    return way[::-1]


def align(found: Candidates, labels: list[int]) -> tuple[list[int], float]:
    """The candidates that best spell a known text, by the network alone (forced alignment).

    Returns the row of each character's candidate, [] if there are too few
    pieces, and the mean log probability.
    """
    return spell(found.spans, found.log_probs[:, labels])


def spell(spans: np.ndarray, local: np.ndarray) -> tuple[list[int], float]:
    """The spans that follow each other from the first piece to the last and have the highest sum of log probabilities.

    spans: int (n, 2): first piece, and the piece behind the last.
    local: float (n, characters): log probability of each span as each character of the text.
    Returns as align does.
    """
    pieces, characters = int(spans[:, 1].max()), local.shape[1]
    local = np.maximum(local, -9)
    best = np.full((characters + 1, pieces + 1), -np.inf)
    best[0, 0] = 0
    came = np.full((characters + 1, pieces + 1), -1)
    for place in range(characters):
        for row, (first, behind) in enumerate(spans.tolist()):
            total = best[place, first] + local[row, place]
            if total > best[place + 1, behind]:
                best[place + 1, behind], came[place + 1, behind] = total, row
    if not np.isfinite(best[-1, -1]):
        return [], -np.inf
    rows, behind = [], pieces
    for place in range(characters, 0, -1):
        rows.append(int(came[place, behind]))
        behind = spans[rows[-1], 0]
    return rows[::-1], float(best[-1, -1]) / characters
