"""Learns how candidates for characters are weighed: makes geometry.npz, which reading uses, for one network.

    python -m tools.train_geometry                     for the shipped network; minutes
    python -m tools.train_geometry --model=UNIXTIME    for another

The judge learns from words and lines of the training split, whose text is
known: forced alignment with the network finds the pieces of each character, and
every other candidate is an example of what is none.  Then the weights of the
search are changed one at a time, for as long as words and lines of the
validation split are read better.
"""
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from common import alphabets, errors, runs, settings
from reading import binarize, character_lm, lattice, oversegmentation, recognizer
from tools import evaluate
from training import emnist, metrics

# ---- settings: change them here or on the command line, as --name=value
model = ""                       # unixTime of the network that reads; without one, the shipped network
words = 1800                     # printed words to learn from
mixed = 300                      # words with partly joined letters
lines = 600                      # lines with spaces
strings = 700                    # lines of EMNIST's scans, whose letters have their true heights
validation = 240                 # words to tune the weights with; lines and strings: a quarter each
hidden = (96, 48)                # units in the judge's layers
epochs = 20                      # of its training
rounds = 1                       # through all weights
seeds = (0, 1)                   # of what is drawn by lot; a judge is trained with each, and their mean is kept
output = "geometry.npz"             # what reading uses
models_path = "Models"           # where networks are kept
data_path = "Dataset/EMNIST"     # folder with EMNIST's files
pen_path = "Dataset/UNIPEN"      # folder with the pen strokes
# ---- end of settings

LEAST = -2.5               # nat: texts that align worse on average are wrongly labelled, or joined too much
FACTORS = (0.6, 0.8, 1.25, 1.6)
SHIFTS = (-1, -0.5, 0.5, 1)   # of the one weight that is added, "gap"
LEAST_GAIN = 0.002         # in what is minimised; validation has few writers, and less is chance
FIXED = ("network",)       # more would suit the validation words, and lose the case of letters whose shape is the same
EXACT = 0.3                # share of texts that are not read exactly, beside CER, in what is minimised
SPACES = 0.3               # share of wrong spaces, and of single words that are split, in it
CODES = 0.25               # part of random strings in it; words and lines have 1
ALONE = (0.25, 0.25, 1)    # parts of words, lines and strings without the language model


class Example(NamedTuple):
    """A picture's text and the candidates of its lines."""
    text: str
    found: list[lattice.Candidates]


# ---- data

def examples(reader: recognizer.Recognizer, samples: Iterable[evaluate.Sample]) -> Iterator[Example]:
    """Find the candidates in drawn samples and classify them; samples without ink are left out."""
    for sample in samples:
        ink = binarize.find_ink(sample.image)
        if ink is not None:
            yield Example(sample.truth, reader.pages.candidates(oversegmentation.find_lines(ink))[0])


def draw(config: dict, split: str, kind: str, style: str, number: int) -> list[evaluate.Sample]:
    """Draw `number` records of one split, as evenly from all writers as there are records."""
    rng = np.random.default_rng(config["seed"])
    of_writer = {}
    for record in evaluate.read_records(config["pen_path"], kind, style, split):
        of_writer.setdefault(record["writer"], []).append(record)
    turns = [(turn, record) for records in of_writer.values() for turn, record in enumerate(rng.permuted(records))]
    chosen = sorted(turns, key=lambda turn: turn[0])[:number]
    return [evaluate.draw_record(record, kind, rng) for _, record in chosen]


def compose(config: dict, validation: bool, number: int) -> list[evaluate.Sample]:
    """Lines of EMNIST's scans: of those that validated the network's training, or of those it learned from."""
    rng = np.random.default_rng(config["seed"])
    images, labels = emnist.read_emnist(config["data_path"], "train")
    held_out = len(evaluate.read_scans(config["data_path"], "val", config["val_split"])[0])
    rows = np.arange(len(images))
    rows = rows[-held_out:] if validation else rows[:-held_out]
    samples = []
    for _ in range(number):
        words = [rows[word] for word in evaluate.random_words(len(rows), rng)]
        samples.append(evaluate.compose(words, images, labels, rng))
    return samples


class Rows(NamedTuple):
    """What the judge learns from."""
    known: np.ndarray      # float32 (n, features) of candidates
    whole: np.ndarray      # float32 (n,): 1 where a candidate is one whole character
    labels: np.ndarray     # int (n,): which, or -1
    gaps: np.ndarray       # float32 (m, features) of boundaries
    spaces: np.ndarray     # float32 (m,): 1 where there is a space


def rows_of(example: Example) -> Rows | None:
    """The candidates of one line by forced alignment; None if it does not fit its text."""
    if len(example.found) != 1:
        return None
    found, = example.found
    parts = example.text.split()
    labels = [alphabets.CHARACTERS.index(character) for part in parts for character in part]
    aligned, mean = lattice.align(found, labels)
    if mean < LEAST:
        return None
    known = lattice.features(found)
    whole, which = np.zeros(len(known), np.float32), np.full(len(known), -1)
    whole[aligned], which[aligned] = 1, labels
    spaces = np.zeros(len(found.line.boxes) - 1, np.float32)
    starts = np.cumsum([len(part) for part in parts])[:-1]
    spaces[found.spans[np.array(aligned)[starts], 0] - 1] = 1
    natural = found.line.cuts[1:-1] == 0
    return Rows(known, whole, which, lattice.space_features(found.line)[natural], spaces[natural])


# ---- training of the judge

def train_candidates(rows: Rows, config: dict) -> dict[str, np.ndarray]:
    """The judge's network for candidates, as arrays for lattice.GeometryModel.

    One output says whether the candidate is one whole character; the others are
    added to the network's log probabilities.  As in training/character_trainer.py, the classes'
    shares among the rows are added while it learns, and not when it reads.
    """
    import keras
    from keras import ops
    keras.utils.set_random_seed(config["seed"])
    mean, scale = rows.known.mean(axis=0), rows.known.std(axis=0) + 0.05
    mean[-62:], scale[-62:] = 0, 1
    values = given = keras.Input((rows.known.shape[1],))
    for units in config["hidden"]:
        values = keras.layers.Dropout(0.15)(keras.layers.Dense(units, activation="relu")(values))
    network = keras.Model(given, keras.layers.Dense(63, kernel_initializer="zeros")(values))
    counts = np.bincount(rows.labels[rows.labels >= 0], minlength=62) + 3.0
    prior = np.log(counts / counts.sum()).astype(np.float32)

    def loss(truth, out):
        whole, label, log_probs = truth[:, :1], ops.cast(truth[:, 1], "int32"), truth[:, 2:]
        change = out[:, 1:]
        of_label = ops.sum(ops.log_softmax(log_probs + change + prior) * ops.one_hot(label, 62), axis=-1)
        change = 1e-3 * ops.sum(change ** 2, axis=-1)  # the network is right unless the rows say otherwise
        return 2 * keras.losses.binary_crossentropy(whole, out[:, :1], from_logits=True) - whole[:, 0] * (
            of_label - change)

    truth = np.concatenate([rows.whole[:, None], np.maximum(rows.labels, 0)[:, None],
                            lattice.log_probs_of(rows.known)], axis=1).astype(np.float32)
    steps = config["epochs"] * -(-len(truth) // 256)
    rate = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    network.compile(keras.optimizers.AdamW(rate, weight_decay=1e-3), loss)
    network.fit((rows.known - mean) / scale, truth, batch_size=256, epochs=config["epochs"], verbose=0)
    layers = [layer.get_weights() for layer in network.layers if isinstance(layer, keras.layers.Dense)]
    return as_arrays("candidate", mean, scale, layers)


def train_spaces(rows: Rows, config: dict) -> dict[str, np.ndarray]:
    """The judge's network for spaces, as arrays for lattice.GeometryModel."""
    from sklearn.neural_network import MLPClassifier
    mean, scale = rows.gaps.mean(axis=0), rows.gaps.std(axis=0) + 0.02
    network = MLPClassifier((24,), alpha=0.1, max_iter=300, random_state=config["seed"])
    network.fit((rows.gaps - mean) / scale, rows.spaces)
    return as_arrays("space", mean, scale, zip(network.coefs_, network.intercepts_))


def as_arrays(part: str, mean: np.ndarray, scale: np.ndarray, layers: Iterable) -> dict[str, np.ndarray]:
    """One part of geometry.npz: what its input is scaled by, and the kernel and bias of each layer, float32."""
    arrays = {f"{part}_mean": mean, f"{part}_scale": scale}
    for place, (kernel, bias) in enumerate(layers):
        arrays |= {f"{part}_kernel{place}": kernel, f"{part}_bias{place}": bias}
    return {name: np.asarray(values, np.float32) for name, values in arrays.items()}


def mean_of(judges: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The mean of several judges as one wider judge: what chance made one of them prefer has less weight in it."""
    from scipy.linalg import block_diag
    result = {}
    for part in ("candidate", "space"):
        of_part = [{name.removeprefix(f"{part}_"): values for name, values in judge.items() if name.startswith(part)}
                   for judge in judges]
        last = sum(name.startswith("kernel") for name in of_part[0]) - 1
        layers = []
        for place in range(last + 1):
            kernels = [one[f"kernel{place}"] for one in of_part]
            biases = [one[f"bias{place}"] for one in of_part]
            if not place:  # each has a normalisation of its own, which goes into its first layer
                biases = [bias - one["mean"] / one["scale"] @ kernel
                          for one, kernel, bias in zip(of_part, kernels, biases)]
                kernels = [kernel / one["scale"][:, None] for one, kernel in zip(of_part, kernels)]
                layers.append((np.hstack(kernels), np.hstack(biases)))
            elif place < last:
                layers.append((block_diag(*kernels), np.hstack(biases)))
            else:
                layers.append((np.vstack(kernels) / len(judges), np.mean(biases, axis=0)))
        known = len(of_part[0]["mean"])
        result |= as_arrays(part, np.zeros(known), np.ones(known), layers)
    return result


# ---- weights of the search

def tune(sets: list[tuple[float, list]], model, weights: dict[str, float], rounds: int) -> dict[str, float]:
    """Change one weight at a time as long as the sets are read better: coordinate descent."""
    best = cost(sets, model, weights)
    for _ in range(rounds):
        for name in [name for name in weights if name not in FIXED]:
            values = [weights[name] + step for step in SHIFTS] if name == "gap" else [
                weights[name] * step for step in FACTORS]
            tried = [weights | {name: value} for value in values]
            costs = [cost(sets, model, changed) for changed in tried]
            if min(costs) < best - LEAST_GAIN:
                best, weights = min(costs), tried[int(np.argmin(costs))]
            print(f"{name} {weights[name]:.3f}: {best:.4f}", flush=True)
    return weights


def cost(sets: list[tuple[float, list]], model, weights: dict[str, float]) -> float:
    """What the weights are chosen by, over sets with their parts in it: CER, texts not read exactly, wrong spaces."""
    total = 0.0
    for part, texts in sets:
        pairs = [(truth, " ".join(lattice.text(lattice.search(scores, model, weights)) for scores in of_lines))
                 for truth, of_lines in texts]
        exact = np.mean([truth == text for truth, text in pairs])
        split = np.mean([" " in text for truth, text in pairs if " " not in truth] or [0])
        with_spaces = [pair for pair in pairs if " " in pair[0]]
        wrong = 1 - metrics.space_f1(with_spaces) if with_spaces else 0
        total += part * (metrics.cer(pairs) + EXACT * (1 - exact) + SPACES * (split + wrong))
    return total / sum(part for part, _ in sets)


# ---- command line

def learn(reader: recognizer.Recognizer, config: dict) -> dict[str, np.ndarray]:
    """Train one judge on samples of the training split, as arrays for lattice.GeometryModel."""
    samples = [sample for kind, style, name in (("words", "printed", "words"), ("words", "mixed", "mixed"),
                                                ("lines", "printed", "lines"))
               for sample in draw(config, "train", kind, style, config[name])]
    samples += compose(config, False, config["strings"])
    rows = [rows_of(example) for example in examples(reader, tqdm(samples, "candidates"))]
    rows = Rows(*map(np.concatenate, zip(*[row for row in rows if row])))
    print(f"{rows.whole.sum():,.0f} characters and {len(rows.whole):,} candidates, "
          f"{rows.spaces.sum():,.0f} spaces and {len(rows.spaces):,} gaps to learn from", flush=True)
    return train_candidates(rows, config) | train_spaces(rows, config)


def main(arguments: list[str]) -> None:
    """Learn from the training split, tune on the validation split, write geometry.npz."""
    config = globals() | settings.read(__file__, globals(), arguments)[0]
    reader = recognizer.Recognizer(config["model"] or runs.DEFAULT_SEGMENTING, config["models_path"])
    config["model"] = reader.unixTime
    config["val_split"] = runs.read_config(reader.models_path, reader.unixTime)["settings"]["val_split"]
    judge = lattice.GeometryModel(mean_of([learn(reader, config | {"seed": seed}) for seed in config["seeds"]]))
    config["seed"] = config["seeds"][0]
    words, lines, strings = (
        [(text, [lattice.score(each, judge) for each in found])
         for text, found in examples(reader, tqdm(samples, "validation"))]
        for samples in (draw(config, "val", "words", "printed", config["validation"]),
                        draw(config, "val", "lines", "printed", config["validation"] // 4),
                        compose(config, True, config["validation"] // 4)))
    for name, model, parts in (("weights", character_lm.load(), (1, 1, CODES)),
                               ("weights_alone", reader.characters.mix, ALONE)):
        weights = tune(list(zip(parts, (words, lines, strings))), model, judge.weights(model), config["rounds"])
        judge.arrays[name] = np.array(list(weights.values()), np.float32)
    judge.save(Path(config["output"]))
    print(f"{config['output']} is written")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (settings.SettingsError, errors.DataError, runs.RunError) as error:
        settings.fail(error)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
