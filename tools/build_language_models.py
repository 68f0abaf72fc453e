"""Builds the language models that reading uses: reading/english.npz and one for each other language.

    pip install "wordfreq>=3.1,<4" "symspellpy>=6.10,<7"
    python -m tools.build_language_models        minutes; needs Dataset/UNIPEN and Dataset/Paper

Words and their frequencies come from wordfreq, pairs of English words from symspellpy's list, those of other languages
from sentences; capitals, marks and spaces from sentences and from what people wrote for UNIPEN (training split).
Licences: see reading/word_lm.py.
"""
import importlib.resources
import math
import re
from collections import Counter, defaultdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from tqdm import tqdm

from common import alphabets, errors, files, settings
from reading import character_lm, word_lm
from training import unipen

# ---- settings: change them here or on the command line, as --name=value
languages = "english,french,german,spanish"   # which to build
pen_path = "Dataset/UNIPEN"      # folder with the pen strokes; their texts show where marks and spaces go
texts_path = "Dataset/Paper/text"   # folder with sentences, which show it too
# ---- end of settings

CHARACTER_WORDS = 200_000  # how many of the most frequent words the character model counts
CONTEXTS = 22_000          # contexts it keeps, the most informative ones; the file grows with them
ORDER = 8                  # characters in its longest n-gram
CHARACTER_FLATTEN = 0.7    # a word's weight is its frequency to this power: 1 as in running text, 0 all alike
WORDS = 50_000             # how many of the most frequent words the word model knows
FLATTEN = 0.9              # a word's weight is its frequency to this power
LABELS = len(character_lm.LETTERS) + 1   # letters, and the end of a word
LEAST = 40                 # steps of character_lm.STEP: -log of the smallest P(letter | context) that is kept
SENTENCES = 10             # one in this many sentences is counted
RAREST = 1e-8              # frequency of the rarest words that wordfreq lists; each of them counts as one
PAIRS = "frequency_bigramdictionary_en_243_342.txt"   # symspellpy's file
PAIRS_COUNTED = 2.5e13     # words counted for it; makes its counts agree with wordfreq's frequencies
FIRST = re.compile(r"([^\W\d_]+) ")   # a word before a space
PAIR = re.compile(r"([^\W\d_]+) (?=([^\W\d_]+)(?![\w']))")   # ... and the word after it, but not the l of "l'an"
DISCOUNT = 0.75            # of each pair's count
UNLISTED = 0.15            # smallest share of the words after a word that are in no listed pair
CODES = {"english": "en", "french": "fr", "german": "de", "spanish": "es"}   # of wordfreq and Common Voice's files
SINGLE = {"english": "ai", "french": "aày", "german": "", "spanish": "aeoyuó"}   # one-letter words
INSIDE = re.compile(r"(?<=[^\W\d_] |[\d,;] )[^\W\d_]+")   # a word within a sentence
UNSEEN = 0.5               # pseudo-count: weight of the usual share of capitals for a word; chosen on held-out text
GENERAL_MARKS = 5.0        # pseudo-counts: weight of what follows any kind, relative to what follows one kind


def main(arguments: list[str]) -> None:
    """Count characters, words, pairs and marks of each language, and write its file."""
    config, _ = settings.configure(globals(), arguments)
    languages = config.languages.split(",")
    for language in languages:
        settings.one_of("language", language, CODES)
    for language in languages:
        labels, sentences = read_texts(config, language)
        frequencies = with_sharp_s(read_frequencies(language), sentences)
        contexts = prune(smooth(count(frequencies)))
        listed = dict(sorted(list(frequencies.items())[:WORDS]))
        pairs = (pair_probabilities(read_pairs(), listed) if language == "english" else
                 pairs_in_sentences(sentences, listed))
        marks = count_marks(labels + sentences[::SENTENCES])
        capitals = capital_odds(labels + sentences, listed)
        path = Path(word_lm.__file__).with_name(f"{language}.npz")
        write(path, contexts, word_probabilities(listed), pairs, marks, capitals)
        print(f"{path.name}: {len(contexts):,} contexts, {len(listed):,} words, {len(pairs):,} pairs, "
              f"{path.stat().st_size / 1e6:.2f} MB")


def read_frequencies(language: str) -> dict[str, float]:
    """The most frequent words that consist of letters, in order, and their frequencies in text.

    wordfreq also lists single letters that are not words but left over from tokenising.
    """
    try:
        import wordfreq
    except ImportError:
        raise settings.SettingsError("the package wordfreq is missing: pip install wordfreq") from None
    code = CODES[language]
    return {word: wordfreq.word_frequency(word, code)
            for word in tqdm(wordfreq.top_n_list(code, CHARACTER_WORDS), f"{language} words", leave=False)
            if set(word) <= set(character_lm.LETTERS) and (len(word) > 1 or word in SINGLE[language])}


def with_sharp_s(frequencies: dict[str, float], sentences: list[str]) -> dict[str, float]:
    """Spell German words with ß where the sentences do: wordfreq lists "strasse"."""
    words = {word.strip(alphabets.MARKS).lower() for sentence in sentences for word in sentence.split() if "ß" in word}
    sharp = {word.replace("ß", "ss"): word for word in words}
    return {sharp.get(word, word): frequency for word, frequency in frequencies.items()}


def read_texts(config: SimpleNamespace, language: str) -> tuple[list[str], list[str]]:
    """The texts of UNIPEN's training records, and sentences in the language."""
    labels = {record["label"] for kind in ("words", "lines")
              for record in unipen.read_strokes(Path(config.pen_path, f"{kind}.jsonl.gz"), "train")}
    path = Path(config.texts_path, f"commonvoice_{CODES[language]}.txt")
    if not path.is_file():
        raise errors.DataError(f"{path} is missing: python -m tools.fetch_data --paper fetches it")
    sentences = path.read_text("utf-8").splitlines()
    return sorted(labels), [alphabets.plain(sentence) for sentence in sentences]


# ---- characters

def count(frequencies: dict[str, float]) -> dict[str, np.ndarray]:
    """How often each letter, or the end, follows each context of fewer than ORDER letters: {context: (labels,)}."""
    counts = defaultdict(lambda: np.zeros(LABELS))
    for word, frequency in tqdm(frequencies.items(), "counting", leave=False):
        weight = max(1.0, frequency / RAREST) ** CHARACTER_FLATTEN
        marked = character_lm.START + word
        for place in range(1, len(marked) + 1):
            label = character_lm.LETTERS.index(marked[place]) if place < len(marked) else character_lm.END
            for start in range(max(0, place - ORDER + 1), place + 1):
                counts[marked[start:place]][label] += weight
    return counts


def smooth(counts: dict[str, np.ndarray]) -> dict[str, tuple[float, np.ndarray]]:
    """P(next | context), interpolated with that of the next shorter context.

    The more different letters follow, the more the shorter context weighs (I. Witten, T. Bell, "The zero-frequency
    problem", IEEE Trans. Information Theory 37(4), 1991).
    Returns {context: (information beyond the shorter context, in nats over all words, P (labels,))}.
    """
    rows = {}
    for context in tqdm(sorted(counts, key=len), "smoothing", leave=False):
        seen = counts[context]
        shorter = rows[context[1:]][1] if context else np.full(LABELS, 1 / LABELS)
        weight = np.count_nonzero(seen)
        row = (seen + weight * shorter) / (seen.sum() + weight)
        rows[context] = float(seen.sum() * (row * np.log(row / shorter)).sum()), row
    return rows


def prune(rows: dict[str, tuple[float, np.ndarray]]) -> dict[str, np.ndarray]:
    """P (labels,) after the empty context and after the CONTEXTS most informative ones.

    A. Stolcke, "Entropy-based pruning of backoff language models", DARPA Broadcast News Transcription and
    Understanding Workshop, 1998.
    """
    informative = sorted(filter(None, rows), key=lambda context: rows[context][0], reverse=True)
    return {context: rows[context][1] for context in ["", *informative[:CONTEXTS]]}


def _quantized(probabilities, step: float) -> np.ndarray:
    """-log of probabilities in multiples of `step` nats: uint8."""
    with np.errstate(divide="ignore"):   # P = 0 becomes 255
        return np.rint(-np.log(probabilities) / step).clip(0, 255).astype(np.uint8)


# ---- words, pairs and marks

def word_probabilities(frequencies: dict[str, float]) -> dict[str, float]:
    """P(word) of each word, from its frequency in running text."""
    weights = {word: frequency ** FLATTEN for word, frequency in frequencies.items()}
    total = sum(weights.values())
    return {word: weight / total for word, weight in weights.items()}


def read_pairs() -> dict[tuple[str, str], int]:
    """Pairs of words, and how often they occur in Google Books."""
    try:
        file = importlib.resources.files("symspellpy").joinpath(PAIRS)
    except ImportError:
        raise settings.SettingsError("the package symspellpy is missing: pip install symspellpy") from None
    rows = map(str.split, file.read_text("utf-8").splitlines())
    return {(first, second): int(number) for first, second, number in rows}


def pair_probabilities(counts: dict[tuple[str, str], int],
                       frequencies: dict[str, float]) -> dict[tuple[str, str], float]:
    """P(second | first) of each pair of known words.

    The list lacks rare pairs, so a first word counts as often as wordfreq says, and at least the share UNLISTED of
    what follows it is left for words in no pair.
    """
    pairs = {pair: number for pair, number in counts.items() if frequencies.keys() >= set(pair)}
    listed = dict.fromkeys(frequencies, 0)
    for (first, _), number in pairs.items():
        listed[first] += number
    return {(first, second): number / max(listed[first] / (1 - UNLISTED), PAIRS_COUNTED * frequencies[first])
            for (first, second), number in pairs.items()}


def pairs_in_sentences(sentences: list[str], listed: dict[str, float]) -> dict[tuple[str, str], float]:
    """P(second | first) of each pair of known words with only a space between, by absolute discounting (Ney, 1994).

    Pairs that occur once are left out: their share goes to words in no pair, like what is discounted.
    """
    firsts, pairs = Counter(), Counter()
    for sentence in map(str.lower, sentences):
        firsts.update(FIRST.findall(sentence))
        pairs.update(PAIR.findall(sentence))
    return {pair: (number - DISCOUNT) / firsts[pair[0]] for pair, number in pairs.items()
            if number > 1 and listed.keys() >= set(pair)}


def capital_odds(texts: list[str], listed: dict[str, float]) -> dict[str, float]:
    """Log of how many times the usual odds those are that each listed word begins with a capital within a sentence.

    0 for a word that does not occur; few occurrences count less than many.
    """
    found, capitals = Counter(), Counter()
    for text in texts:
        for word in INSIDE.findall(text):
            if len(word) > 1 and (word.islower() or word.istitle()):
                found[word.lower()] += 1
                capitals[word.lower()] += word.istitle()
    usual = capitals.total() / found.total()
    odds = {}
    for word in listed:
        share = (capitals[word] + UNSEEN * usual) / (found[word] + UNSEEN)
        odds[word] = math.log(share / (1 - share)) - math.log(usual / (1 - usual))
    return odds


def count_marks(labels: list[str]) -> np.ndarray:
    """P(next kind | kind of a character) where no word continues, float (kinds, kinds), indexed by word_lm.PLACES.

    labels: texts; each is counted with a space before and after it.  After letters and digits it is P(next | word end).
    """
    counts = np.zeros((len(word_lm.KINDS), len(word_lm.KINDS)))
    for label in labels:
        places = [word_lm.PLACES[word_lm.kind_of(character)] for character in f" {' '.join(label.split())} "
                  if character in alphabets.LABELS]
        np.add.at(counts, (places[:-1], places[1:]), 1)
    space = word_lm.SPACE
    inside, blank, marks = slice(0, space), slice(space, space + 1), slice(space + 1, None)
    counts[inside, inside] = 0
    found = np.empty_like(counts)
    for rows, impossible in ((inside, inside), (blank, blank), (marks, slice(0))):
        general = counts[rows].sum(axis=0) + 0.05
        general[impossible] = 0
        found[rows] = counts[rows] + GENERAL_MARKS * general / general.sum()
    return found / found.sum(axis=1, keepdims=True)


def write(path: Path, contexts: dict[str, np.ndarray], words: dict[str, float], pairs: dict[tuple[str, str], float],
          marks: np.ndarray, capitals: dict[str, float]) -> None:
    """Write {context: P (labels,)}, P(word), P(second | first), count_marks and capital_odds for word_lm.load.

    words: in alphabetical order.
    """
    # Sorted by their ends, neighbouring contexts predict much the same, so changes from row to row are small.
    known = sorted(contexts, key=lambda context: context[::-1])
    steps = np.minimum(_quantized([contexts[context] for context in known], character_lm.STEP), LEAST)
    changes = np.diff(steps.T, prepend=np.zeros((LABELS, 1), np.uint8))  # modulo 256
    places = {word: place for place, word in enumerate(words)}
    keys = {places[first] * len(words) + places[second]: chance for (first, second), chance in pairs.items()}
    rising = sorted(keys)
    logs = {"word_log_probs": list(words.values()), "pair_log_probs": [keys[key] for key in rising], "marks": marks}
    texts = {name: np.frombuffer("\n".join(each).encode(), np.uint8)
             for name, each in (("contexts", known), ("words", words))}
    gaps = np.diff(rising, prepend=0).astype(np.uint32)
    odds = np.rint([capitals[word] / word_lm.STEP for word in words]).clip(-127, 127).astype(np.int8)
    files.write_atomically(path, lambda temporary: np.savez_compressed(
        temporary, **texts, changes=changes, pairs=gaps, capitals=odds,
        **{name: _quantized(each, word_lm.STEP) for name, each in logs.items()}))


if __name__ == "__main__":
    settings.run(main)
