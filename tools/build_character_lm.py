"""Builds reading/character_lm.npz from the English words of wordfreq.

    python -m tools.build_character_lm    needs `pip install wordfreq`
"""
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from common import files, settings
from reading import character_lm

# ---- settings: change them here or on the command line, as --name=value
words = 200000          # so many of the most frequent words are counted
contexts = 55000        # so many are kept, those that tell most; the file grows with them
order = 8               # characters in the longest n-gram that is counted
flatten = 0.7           # a word counts as its frequency to this power: 1 as in running text, 0 each word alike
smoothing = 1.0         # weight of the shorter context, for each letter that was seen to follow
# ---- end of settings
RAREST = 1e-8                      # frequency of the rarest words that wordfreq lists: these count as one


def main(arguments: list[str]) -> None:
    """Count the letters of English words and write the model."""
    config = globals() | settings.read(__file__, globals(), arguments)[0]
    frequencies = read_frequencies(config["words"])
    rows = smooth(count(frequencies, config["order"], config["flatten"]), config["smoothing"])
    kept = prune(rows, config["contexts"])
    write(character_lm.FILE, {context: rows[context][1] for context in kept})
    size = character_lm.FILE.stat().st_size / 1e6
    print(f"{character_lm.FILE}: {len(kept):,} contexts from {len(frequencies):,} words, {size:.2f} MB")


def read_frequencies(words: int) -> dict[str, float]:
    """English words of the letters a-z, and their share of running text."""
    try:
        import wordfreq
    except ImportError:
        raise settings.SettingsError("the package wordfreq is missing: pip install wordfreq") from None
    # A single letter is a word only in "a": the list has "i" for the pronoun, and what tokenising left of others.
    return {word: wordfreq.word_frequency(word, "en")
            for word in tqdm(wordfreq.top_n_list("en", words), "words", leave=False)
            if set(word) <= set(character_lm.LETTERS) and (len(word) > 1 or word == "a")}


def count(frequencies: dict[str, float], order: int, flatten: float) -> dict[str, np.ndarray]:
    """How often each letter, or the end, follows each context of fewer than `order` letters: {context: (27,)}."""
    counts = defaultdict(lambda: np.zeros(27))
    for word, frequency in tqdm(frequencies.items(), "counting", leave=False):
        weight = max(1.0, frequency / RAREST) ** flatten
        marked = character_lm.START + word
        for place in range(1, len(marked) + 1):
            label = character_lm.LETTERS.index(marked[place]) if place < len(marked) else character_lm.END
            for start in range(max(0, place - order + 1), place + 1):
                counts[marked[start:place]][label] += weight
    return counts


def smooth(counts: dict[str, np.ndarray], smoothing: float) -> dict[str, tuple[float, np.ndarray]]:
    """P(next | context), interpolated with that of shorter contexts.

    The shorter context's weight grows with the number of different letters seen
    (I. Witten, T. Bell, "The zero-frequency problem", IEEE Trans. Information Theory
    37(4), 1991).
    Returns {context: (how much it tells beyond the shorter one, in nats of all words, P (27,))}.
    """
    rows = {}
    for context in tqdm(sorted(counts, key=len), "smoothing", leave=False):
        seen = counts[context]
        shorter = rows[context[1:]][1] if context else np.full(27, 1 / 27)
        weight = smoothing * np.count_nonzero(seen)
        row = (seen + weight * shorter) / (seen.sum() + weight)
        rows[context] = float(seen.sum() * (row * np.log(row / shorter)).sum()), row
    return rows


def prune(rows: dict[str, tuple[float, np.ndarray]], contexts: int) -> list[str]:
    """The contexts that tell most, and the empty one.

    A. Stolcke, "Entropy-based pruning of backoff language models", DARPA Broadcast
    News Transcription and Understanding Workshop, 1998.
    """
    return ["", *sorted(filter(None, rows), key=lambda context: rows[context][0], reverse=True)[:contexts]]


def write(path: Path, rows: dict[str, np.ndarray]) -> None:
    """Write {context: P (27,)}."""
    # Contexts with the same end are neighbours and predict much the same, so that changes from row to row are small.
    known = sorted(rows, key=lambda context: context[::-1])
    steps = np.rint(-np.log([rows[context] for context in known]) / character_lm.STEP).clip(0, 255).astype(np.uint8)
    changes = np.diff(steps, axis=0, prepend=np.zeros((1, 27), np.uint8))  # modulo 256
    contexts = np.frombuffer("\n".join(known).encode("ascii"), np.uint8)
    files.write_atomically(path, lambda temporary: np.savez_compressed(temporary, contexts=contexts, changes=changes))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except settings.SettingsError as error:
        settings.fail(error)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
