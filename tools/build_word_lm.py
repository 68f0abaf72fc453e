"""Builds reading/word_lm.npz from wordfreq, the pairs of symspellpy, and the texts of UNIPEN's training split.

    python -m tools.build_word_lm    needs `pip install wordfreq symspellpy` and Dataset/UNIPEN
"""
import importlib.resources
import sys
from pathlib import Path

import numpy as np

from common import alphabets, errors, files, settings
from reading import word_lm
from tools import build_character_lm
from training import unipen

# ---- settings: change them here or on the command line, as --name=value
words = 100000                   # so many of the most frequent words are known
flatten = 0.9                    # a word counts as its frequency to this power: 1 as in running text
pen_path = "Dataset/UNIPEN"      # folder with the pen strokes, whose texts tell where marks and spaces stand
# ---- end of settings


def main(arguments: list[str]) -> None:
    """Count words, pairs and marks, and write the model."""
    config = globals() | settings.read(__file__, globals(), arguments)[0]
    labels = {record["label"] for kind in ("words", "lines")
              for record in unipen.read_strokes(Path(config["pen_path"], f"{kind}.jsonl.gz"), "train")}
    frequencies = read_words(config["words"])
    pairs = pair_chances(read_pairs(), frequencies)
    write(word_lm.FILE, word_chances(frequencies, config["flatten"]), pairs, count_marks(sorted(labels)))
    size = word_lm.FILE.stat().st_size / 1e6
    print(f"{word_lm.FILE}: {len(frequencies):,} words, {len(pairs):,} pairs, {size:.2f} MB")


def read_words(words: int) -> dict[str, float]:
    """The most frequent English words, in alphabetical order, and their share of running text."""
    found = build_character_lm.read_frequencies(words)
    import wordfreq
    return dict(sorted((found | {"i": wordfreq.word_frequency("i", "en")}).items()))


def word_chances(frequencies: dict[str, float], flatten: float) -> dict[str, float]:
    """P(word) of each, from its share of running text."""
    weights = {word: frequency ** flatten for word, frequency in frequencies.items()}
    return {word: weight / sum(weights.values()) for word, weight in weights.items()}


def read_pairs() -> dict[tuple[str, str], int]:
    """Pairs of words, and how often they occur in Google's books."""
    try:
        file = importlib.resources.files("symspellpy").joinpath(word_lm.PAIRS)
    except ImportError:
        raise settings.SettingsError("the package symspellpy is missing: pip install symspellpy") from None
    rows = map(str.split, file.read_text("utf-8").splitlines())
    return {(first, second): int(count) for first, second, count in rows}


def pair_chances(counts: dict[tuple[str, str], int], frequencies: dict[str, float]) -> dict[tuple[str, str], float]:
    """P(second | first) of each pair of known words.

    Rare pairs are not in the list: a first word counts as often as wordfreq says, but
    the share word_lm.UNLISTED of what follows it is at least left for words in no pair.
    """
    pairs = {pair: count for pair, count in counts.items() if frequencies.keys() >= set(pair)}
    listed = dict.fromkeys(frequencies, 0)
    for (first, _), count in pairs.items():
        listed[first] += count
    most = {word: max(count / (1 - word_lm.UNLISTED), word_lm.PAIRS_COUNTED * frequencies[word])
            for word, count in listed.items()}
    return {(first, second): count / most[first] for (first, second), count in pairs.items()}


def count_marks(labels: list[str]) -> np.ndarray:
    """P(next kind | kind of a character), float (35, 35), in the order of word_lm.KINDS, but inside of words.

    labels: texts; where one begins or ends stands a space.  After letters and digits,
    which go on as reading/character_lm.py tells, it is P(next | the word is over).
    """
    counts = np.zeros((len(word_lm.KINDS), len(word_lm.KINDS)))
    for label in labels:
        places = [word_lm.PLACES[word_lm.kind_of(character)] for character in f" {' '.join(label.split())} "
                  if character in alphabets.LABELS]
        np.add.at(counts, (places[:-1], places[1:]), 1)
    counts[:word_lm.SPACE, :word_lm.SPACE] = 0
    found = np.empty_like(counts)
    # What follows words in general, spaces in general, marks in general.
    for rows in (slice(0, word_lm.SPACE), slice(word_lm.SPACE, word_lm.SPACE + 1), slice(word_lm.SPACE + 1, None)):
        general = counts[rows].sum(axis=0) + 0.05
        general[[word_lm.SPACE] if rows.start == word_lm.SPACE else range(word_lm.SPACE) if rows.start == 0 else []] = 0
        found[rows] = counts[rows] + word_lm.RARE * general / general.sum()
    return found / found.sum(axis=1, keepdims=True)


def write(path: Path, words: dict[str, float], pairs: dict[tuple[str, str], float], marks: np.ndarray) -> None:
    """Write P(word), P(second | first) and the marks of count_marks; words are in alphabetical order."""
    places = {word: place for place, word in enumerate(words)}
    keys = {places[first] * len(words) + places[second]: chance for (first, second), chance in pairs.items()}
    rising = sorted(keys)
    logs = {name: np.rint(-np.log(np.maximum(chances, 1e-15)) / word_lm.STEP).clip(0, 255).astype(np.uint8)
            for name, chances in (("word_log_probs", list(words.values())),
                                  ("pair_log_probs", [keys[key] for key in rising]), ("marks", marks))}
    known = np.frombuffer("\n".join(words).encode("ascii"), np.uint8)
    steps = np.diff(rising, prepend=0).astype(np.uint32)
    files.write_atomically(path, lambda temporary: np.savez_compressed(temporary, words=known, pairs=steps, **logs))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except errors.UserError as error:
        settings.fail(error)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
