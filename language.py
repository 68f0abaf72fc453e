"""How likely the next character of an English word is: the language model that helps to read.

    python language.py           make language.npz again; needs `pip install wordfreq`, which reading does not

    model = language.load()
    model.next_log_probs("th")   natural log of P(next character | "th"), in the order of dataset.CHARACTERS

Letters are predicted from up to seven characters before them, by counts from wordfreq's list of
English words.  What that list does not know, case and digits, comes from a few kinds of words, see
KINDS; one of them is any string at all, so that names, codes and non-words stay readable.

wordfreq: R. Speer, version 3.1, 2022, https://doi.org/10.5281/zenodo.7199437; its data, and so
language.npz, are under CC BY-SA 4.0.
"""
import functools
import math
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

import dataset
import runs
import settings

# ---- settings: change them here or on the command line, as --name=value
words = 200000          # so many of the most frequent words are counted
contexts = 55000        # so many are kept, those that tell most; the file grows with them
order = 8               # characters in the longest n-gram that is counted
flatten = 0.7           # a word counts as its frequency to this power: 1 as in running text, 0 each word alike
smoothing = 1.0         # weight of the shorter context, for each letter that was seen to follow
# ---- end of settings

FILE = Path(__file__).with_name("language.npz")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
START, END = "^", 26               # mark before a word's first letter; the label of a word's end
STEP = 1 / 4                       # nat: log probabilities are stored as multiples of it; a finer step gains nothing
RAREST = 1e-8                      # frequency of the rarest words that wordfreq lists: these count as one

END_OF_WORD = len(dataset.CHARACTERS)
DIGIT, UPPER, LOWER = slice(0, 10), slice(10, 36), slice(36, 62)

# The kinds of words with the share of each among all: roughly that of running text, with more
# digits and capitals, since labels, forms and headings are written by hand too.
KINDS = {"lower": 0.66, "Capitalised": 0.16, "CAPITALS": 0.06, "digits": 0.06, "initial": 0.03, "any": 0.03}
# The same behind a word of some kind: capitals mostly follow capitals.  About as counted in UNIPEN's training texts,
# with more of what is rare.
FOLLOWING = {"": tuple(KINDS.values()),
             "lower": (0.80, 0.09, 0.02, 0.03, 0.02, 0.04), "Capitalised": (0.50, 0.33, 0.04, 0.04, 0.04, 0.05),
             "CAPITALS": (0.16, 0.06, 0.62, 0.07, 0.04, 0.05), "initial": (0.38, 0.20, 0.05, 0.02, 0.30, 0.05),
             "digits": (0.60, 0.20, 0.05, 0.08, 0.02, 0.05)}
SWITCH = 0.02                      # a word goes on as any of the kinds: McDonald, 3rd, HTML5
END_OF_DIGITS, END_OF_ANY = 0.3, 0.15
PRONOUN = 0.5                      # of single capital letters are "I"
CACHE = 10_000                     # contexts remembered, some 7 MB


LABELS = {character: label for label, character in enumerate(dataset.CHARACTERS)}
SHARES = {before: np.array(shares, np.float32) for before, shares in FOLLOWING.items()}
EVEN = 1 / len(KINDS)


def _without_letters(first: bool) -> np.ndarray:
    """P(next | kind of word) but for the letters of English, float32 (kinds, 63): of the first or of a later place."""
    expected = np.zeros((len(KINDS), END_OF_WORD + 1), np.float32)
    *_, digits, initial, anything = expected
    anything[:] = (1 - END_OF_ANY) / END_OF_WORD
    anything[END_OF_WORD] = END_OF_ANY
    digits[DIGIT] = (1 - END_OF_DIGITS) / 10
    digits[END_OF_WORD] = END_OF_DIGITS
    initial[END_OF_WORD] = 1
    if first:
        expected[:, END_OF_WORD] = 1e-6  # words have a character
        initial[UPPER] = (1 - PRONOUN) / 26
        initial[LABELS["I"]] += PRONOUN
    return expected


FIRST, INSIDE = _without_letters(True), _without_letters(False)
# Inside of words P(next | kind of word) is INSIDE + ENGLISH * P(next letter, whatever its case, or end of the word).
ENGLISH = np.zeros_like(INSIDE)
ENGLISH[:2, LOWER] = ENGLISH[2, UPPER] = ENGLISH[:3, END_OF_WORD] = 1
BY_LABEL = list(zip(INSIDE.T.tolist(), ENGLISH.T.tolist(), strict=True))
LETTER = np.array([*[0] * 10, *range(26), *range(26), END])   # of each label; digits have none, and ENGLISH is 0


class Language:
    """P(next character | the word's characters before it), for English words and everything else."""

    def __init__(self, table: dict[str, int], letters: np.ndarray):
        """letters: probabilities float32 (n, 27) of a-z and the word's end; table: context -> its row."""
        self._table, self._letters = table, letters
        self._longest = max(map(len, table))
        first = FIRST.copy()
        lower, capitalised, capitals, *_ = first
        lower[LOWER] = capitalised[UPPER] = capitals[UPPER] = letters[self._row(""), :END]
        self._first = first / first.sum(axis=1, keepdims=True)   # P(first character | kind of word)
        self.next_log_probs = functools.lru_cache(CACHE)(self.next_log_probs)
        self._beginning = functools.lru_cache(CACHE)(self._beginning)

    def next_log_probs(self, context: str, before: str = "") -> np.ndarray:
        """Natural log of P(next | context): float32 (63,), dataset.CHARACTERS and then the end of the word.

        context: the word's characters so far, "" at its beginning.
        before: the kind of the word before, of FOLLOWING; "" if it tells nothing.
        What is returned is remembered: do not write to it.
        """
        log_probs = (self.all_next_log_probs([context], [before])[0] if context else
                     np.log(SHARES[before] @ self._first))
        log_probs.flags.writeable = False
        return log_probs

    def all_next_log_probs(self, contexts: list[str], before: list[str]) -> np.ndarray:
        """The same of many contexts, none of them empty, in less time than one by one: float32 (n, 63)."""
        kinds, _, rows = zip(*map(self._beginning, contexts, before), strict=True)
        kinds, letters = np.array(kinds, np.float32), self._letters[list(rows)]
        return np.log(kinds @ INSIDE + kinds @ ENGLISH * letters[:, LETTER])

    def word_log_prob(self, word: str, before: str = "") -> float:
        """Natural log of the probability of a whole word, its end included."""
        return self._beginning(word, before)[1] + math.log(sum(self._joint(word, before, END_OF_WORD)))

    def _beginning(self, context: str, before: str) -> tuple[list[float], float, int]:
        """P(kind of word | context) of each kind, log of P(context), and the row of letters for what comes next.

        It is the forward algorithm of hidden Markov models, in plain numbers: for six NumPy takes longer.
        """
        if not context:
            return SHARES[before].tolist(), 0.0, self._row(context)
        joint = self._joint(context[:-1], before, LABELS[context[-1]])
        total = sum(joint)
        log_prob = self._beginning(context[:-1], before)[1] + math.log(total)
        return [(1 - SWITCH) * one / total + SWITCH * EVEN for one in joint], log_prob, self._row(context)

    def _joint(self, context: str, before: str, label: int) -> list[float]:
        """P(kind of word, and this label is next | context) of each kind."""
        kinds, _, row = self._beginning(context, before)
        if not context:
            return [kind * one for kind, one in zip(kinds, self._first[:, label].tolist(), strict=True)]
        letter = self._letters.item(row, LETTER[label])
        return [kind * (other + english * letter) for kind, other, english in zip(kinds, *BY_LABEL[label], strict=True)]

    def _row(self, context: str) -> int:
        """The row of letters with P(next letter or end | the longest known end of the context)."""
        known = (START + context.lower())[-self._longest:]
        for start in range(len(known) + 1):
            row = self._table.get(known[start:])
            if row is not None:
                return row
        raise AssertionError("the empty context is always known")


class Mix:
    """How frequent the characters are, whatever precedes them: in the place of a Language where there is none."""

    def __init__(self, log_probs: np.ndarray):
        """log_probs: (62,), up to a constant."""
        self._log_probs = np.append(log_probs - log_probs.max(), 0).astype(np.float32)

    def next_log_probs(self, context: str) -> np.ndarray:
        """As Language.next_log_probs, but that a word's end costs nothing, and the sum is not 1."""
        return self._log_probs


def kind_of(word: str) -> str:
    """Which kind of FOLLOWING a word is, "" if none."""
    if word.isdigit():
        return "digits" if len(word) > 1 else ""
    if not word.isalpha() or word in ("a", "A", "I"):
        return ""
    if word.islower():
        return "lower"
    if word.isupper():
        return "CAPITALS" if len(word) > 1 else "initial"
    return "Capitalised" if word.istitle() else ""


@functools.lru_cache(1)
def load(path: Path = FILE) -> Language:
    """The model of English that comes with the project, read once."""
    with np.load(path) as file:
        known = bytes(file["contexts"]).decode("ascii").split("\n")
        letters = np.exp(np.cumsum(file["changes"], axis=0, dtype=np.uint8) * np.float32(-STEP))
    letters /= letters.sum(axis=1, keepdims=True)
    return Language({context: row for row, context in enumerate(known)}, letters)


# ---- making language.npz

def main(arguments: list[str]) -> None:
    """Count the letters of English words and write language.npz."""
    config = globals() | settings.read(__file__, globals(), arguments)[0]
    frequencies = read_frequencies(config["words"])
    rows = smooth(count(frequencies, config["order"], config["flatten"]), config["smoothing"])
    kept = prune(rows, config["contexts"])
    write(FILE, {context: rows[context][1] for context in kept})
    print(f"{FILE}: {len(kept):,} contexts from {len(frequencies):,} words, {FILE.stat().st_size / 1e6:.2f} MB")


def read_frequencies(words: int) -> dict[str, float]:
    """English words of the letters a-z, and their share of running text."""
    try:
        import wordfreq
    except ImportError:
        raise settings.SettingsError("the package wordfreq is missing: pip install wordfreq") from None
    # A single letter is a word only in "a": the list has "i" for the pronoun, and what tokenising left of others.
    return {word: wordfreq.word_frequency(word, "en")
            for word in tqdm(wordfreq.top_n_list("en", words), "words", leave=False)
            if set(word) <= set(LETTERS) and (len(word) > 1 or word == "a")}


def count(frequencies: dict[str, float], order: int, flatten: float) -> dict[str, np.ndarray]:
    """How often each letter, or the end, follows each context of fewer than `order` letters: {context: (27,)}."""
    counts = defaultdict(lambda: np.zeros(27))
    for word, frequency in tqdm(frequencies.items(), "counting", leave=False):
        weight = max(1.0, frequency / RAREST) ** flatten
        marked = START + word
        for place in range(1, len(marked) + 1):
            label = LETTERS.index(marked[place]) if place < len(marked) else END
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
    steps = np.rint(-np.log([rows[context] for context in known]) / STEP).clip(0, 255).astype(np.uint8)
    changes = np.diff(steps, axis=0, prepend=np.zeros((1, 27), np.uint8))  # modulo 256
    contexts = np.frombuffer("\n".join(known).encode("ascii"), np.uint8)
    runs.write_atomically(path, lambda temporary: np.savez_compressed(temporary, contexts=contexts, changes=changes))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except settings.SettingsError as error:
        settings.fail(error)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
