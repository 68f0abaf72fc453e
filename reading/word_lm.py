"""Word language model of the line reader: how likely words, pairs of words, marks and spaces are in a language.

    model = word_lm.load("english")
    model.next_log_probs(["of the"])     natural log of P(next character | text) for each text

The character language model (reading/character_lm.py) spells: it knows which letters make words.  Where a word
ends, this model adds whether it exists, how often it follows the previous word, and whether it is a name or, in German,
a noun: a word that people write with a capital.  As in word beam search (H.
Scheidl, S. Fiel, R. Sablatnig, "Word beam search", ICFHR 2018), a word list helps; names, numbers and codes still get
through, since a share of all words is spelt rather than taken from the list.

tools/build_language_models.py builds LANGUAGE.npz.  Single words: wordfreq (R. Speer, version 3.1, 2022,
https://doi.org/10.5281/zenodo.7199437; its data, and so these files, are under CC BY-SA 4.0).  Pairs of English words:
symspellpy's list (W. Garbe, MIT licence), taken from Google Books Ngrams (CC BY 3.0); of other words: counted in Common
Voice's sentences (CC0).  Capitals, marks and spaces: counted in these, and in what people wrote for UNIPEN (training
split, CC BY 4.0).
"""
import functools
import math
import re
from pathlib import Path

import numpy as np

from common import alphabets
from reading import character_lm

LANGUAGES = "english", "french", "german", "spanish", "none"   # none: no model
LISTED = 0.8               # share of words taken from the list; the others are spelt
STEP = 1 / 8               # nat: log probabilities are stored as multiples of this
ANYTHING = 0.3             # share of characters that may be any, or else names and foreign words would become others
RARE = 0.1                 # share of that for letters and marks beyond ASCII
# A letter or digit that stands alone is often followed by the next in order, as in "A B C" or "1 2 3".  Only 8 of 743
# validation lines hold such a sequence; values from 0.15 to 0.3 read them the same.
NEXT_IN_ORDER = 0.15
# A sentence begins with a capital, whatever the word: the share of lines that begin with one, and of these marks that a
# new one follows.
LINE_BEGINS, MARK_ENDS, SENTENCE_MARKS = 0.3, 0.9, (".", "!", "?")
IMPOSSIBLE = -1e30         # log of 0, finite so that differences are

# The part of P(next) that every character has, by CTC's labels without the blank.
USUAL = len(alphabets.ASCII)
ANY = ANYTHING * np.repeat([(1 - RARE) / USUAL, RARE / (len(alphabets.ALPHABET) - USUAL)],
                           [USUAL, len(alphabets.ALPHABET) - USUAL])

# The kinds of characters that follow each other: letters, digits, the space and each mark.
KINDS = ["a", "0", *alphabets.MARKS]
PLACES = {kind: place for place, kind in enumerate(KINDS)}
SPACE = PLACES[" "]
ORDER = np.array([(character_lm.SPELT + alphabets.MARKS).index(one) for one in alphabets.ALPHABET])   # see _by_label
CAPITALISED = {before: capitalised / (lower + capitalised)   # share of words that begin with a capital
               for before, (lower, capitalised, *_) in character_lm.FOLLOWING.items()}
ENDS = np.array([kind != "'" for kind in KINDS[SPACE:]])   # marks that end a word; in "isn't", "isn" is no word
PARTS = re.compile("(?:[A-Z][a-z]+)+[A-Z]")   # the parts of a name, up to the capital of the last part


class WordLM:
    """P(text) for any text in alphabets.ALPHABET, character by character."""

    def __init__(self, spelling: character_lm.CharacterLM, words: list[str], word_log_probs: np.ndarray,
                 pairs: np.ndarray, pair_log_probs: np.ndarray, marks: np.ndarray, capitals: np.ndarray):
        """words: in alphabetical order; word_log_probs: float (n,), log P of each.

        pairs: int64 (m,), ascending: index of the first word times n plus index of the second;
        pair_log_probs: float (m,), log P(second | first).
        marks: float (kinds, kinds), log P(next kind | kind of a character), by PLACES; after letters and digits,
        log P(next | the word is over).
        capitals: float (n,), log of how many times the usual odds those are that each word begins with a capital.
        """
        self.spelling, self._marks, self._capitals = spelling, marks, capitals
        self._places = {word: place for place, word in enumerate(words)}
        self._word_log_probs, self._pairs, self._pair_log_probs = word_log_probs, pairs, pair_log_probs
        for name in ("_behind_word", "_listed_gain", "_unpaired"):
            setattr(self, name, functools.lru_cache(character_lm.CACHE)(getattr(self, name)))
        # What comes next, by the part of a text that matters, and by (last word, kind before it, gain at its end).
        self._known: dict[str | tuple[str, str, float], np.ndarray] = {}

    def next_log_probs(self, texts: list[str]) -> list[np.ndarray]:
        """Natural log of P(next character | text) for each label of CTC, float (labels,), of each text; read-only.

        Marks and spaces that end a word include its _end_gain, so the sum of P is not exactly 1.
        """
        if len(self._known) > 2 * character_lm.CACHE:
            self._known = {}
        known = self._known
        tails = [text[text.rfind(" ", 0, text.rfind(" ")) + 1:] for text in texts]   # the last two words
        new = [tail for tail in dict.fromkeys(tails) if tail not in known]
        if not new:   # the usual case
            return [known[tail] for tail in tails]
        ends = [(word := last_word(tail), kind_before(start := tail[:len(tail) - len(word)]),
                 self._end_gain(start, word)) for tail in new]
        inside = [end for end in dict.fromkeys(ends) if end[0] and end not in known]
        if inside:
            known.update(zip(inside, self._in_words(*zip(*inside, strict=True)), strict=True))
        for tail, end in zip(new, ends, strict=True):
            known[tail] = known[end] if end[0] else self._behind_word(tail[-1:] or " ", end[1])
        return [known[tail] for tail in tails]

    def _end_gain(self, before: str, word: str) -> float:
        """How much a word after the text `before` adds to the log probability of the mark or space that ends it.

        It is the log of how much more often the word occurs than its spelling predicts: a small loss for an unknown
        word, 0 where the text does not end in a word.  The apostrophe, which ends no word, gains nothing: see ENDS.
        """
        gain = 0.0
        if word.isalpha() and not before.endswith("'"):   # in "isn't", "t" is no word
            gain = self._listed_gain(last_word(before[:-1]).lower() if before.endswith(" ") else "", word.lower())
            gain += self._capital_gain(before, word)
        if not follows_in_order(before[:-1].rpartition(" ")[2] if before.endswith(" ") else "", word):
            return gain
        spelt = math.exp(self.spelling.word_log_prob(word, kind_before(before)))
        return math.log((1 - NEXT_IN_ORDER) * math.exp(gain) + NEXT_IN_ORDER / spelt)

    def _listed_gain(self, before: str, word: str) -> float:
        """Log of how much likelier a lower case word is after another than its spelling predicts."""
        if word not in self._places:
            return math.log(1 - LISTED)
        place, n = self._places[word], len(self._places)
        chance, first = math.exp(self._word_log_probs[place]), self._places.get(before)
        if first is not None:
            chance *= self._unpaired(first)
            at = int(self._pairs.searchsorted(first * n + place))
            if at < len(self._pairs) and self._pairs[at] == first * n + place:
                chance += math.exp(self._pair_log_probs[at])
        spelt = self.spelling.word_log_prob(word) - math.log(character_lm.KINDS["lower"])
        return math.log(1 - LISTED + LISTED * chance / math.exp(spelt))

    def _capital_gain(self, before: str, word: str) -> float:
        """Log of how much likelier a listed word begins as it does, with a capital or without, than other words."""
        place = self._places.get(word.lower())
        if place is None or len(word) < 2 or not (word.islower() or word.istitle()) or before[-1:].isalnum():
            return 0.0   # a part of a name, such as McLean, too
        usual = CAPITALISED[kind_before(before)]
        odds = usual / (1 - usual) * math.exp(self._capitals[place])
        share, before = odds / (1 + odds), before.rstrip()
        if word.islower():
            return math.log((1 - share) / (1 - usual))
        begins = MARK_ENDS if before.endswith(SENTENCE_MARKS) else 0.0 if before else LINE_BEGINS
        return math.log((begins + (1 - begins) * share) / (begins + (1 - begins) * usual))

    def _unpaired(self, first: int) -> float:
        """The share of the words after the word with index `first` that no pair lists."""
        n = len(self._places)
        of_first = slice(*np.searchsorted(self._pairs, (first * n, (first + 1) * n)))
        return 1 - float(np.exp(self._pair_log_probs[of_first]).sum())

    def _behind_word(self, end: str, before: str) -> np.ndarray:
        """Log P of what follows a mark or space, float (labels,); before: the kind of the word before it."""
        marks = self._marks[PLACES[end]]
        inside = self.spelling.first_log_probs(before).astype(float)
        letters = np.concatenate([character_lm.UPPER, character_lm.LOWER])
        for share, chosen in zip(marks[:SPACE], (letters, character_lm.DIGIT), strict=True):
            inside[chosen] += share - np.log(np.exp(inside[chosen]).sum())
        return _by_label(inside, marks[SPACE:])

    def _in_words(self, words: list[str], before: list[str], gains: list[float]) -> np.ndarray:
        """Log P of what follows the beginnings of words, float (n, labels); before: kinds of the previous words."""
        inside = self.spelling.next_log_probs(words, before)
        marks = self._marks[[PLACES[kind_of(word[-1])] for word in words], SPACE:]
        return _by_label(inside, inside[:, character_lm.END_OF_WORD:] + marks + np.outer(gains, ENDS))


def _by_label(inside: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Log probabilities in the order of CTC's labels, float (..., labels), with the share ANYTHING for any character.

    inside: those of letters, digits and the end of a word; marks: those of MARKS.
    """
    listed = np.concatenate([inside[..., :character_lm.END_OF_WORD], marks], axis=-1)[..., ORDER]
    found = np.full((*listed.shape[:-1], len(alphabets.ALPHABET) + 1), IMPOSSIBLE)
    found[..., 1:] = np.log((1 - ANYTHING) * np.exp(listed) + ANY)
    return found


def follows_in_order(one: str, other: str) -> bool:
    """Whether two words are single letters or digits, the second being next in the alphabet or in counting."""
    return (len(one) == len(other) == 1 and (one + other).isalnum()
            and (ord(other) - ord(one) == 1 or one + other == "90"))


@functools.lru_cache(character_lm.CACHE)
def kind_before(text: str) -> str:
    """The kind of the last word of a text that ends in a space; see character_lm.FOLLOWING."""
    return character_lm.kind_of(last_word(text.rstrip(alphabets.MARKS))) if text.endswith(" ") else ""


def last_word(text: str) -> str:
    """The letters and digits at a text's end; of a name such as DelVillar the last part, which is spelt like a word."""
    word = text[len(text.rstrip(character_lm.SPELT)):]
    parts = PARTS.match(word)
    return word[parts.end() - 1:] if parts else word


def kind_of(character: str) -> str:
    """The kind of a character, of KINDS: "a" for a letter, "0" for a digit, otherwise the character itself."""
    return "a" if character.isalpha() else "0" if character.isdigit() else character


@functools.cache
def load(language: str = "english", folder: Path = Path(__file__).parent) -> WordLM | None:
    """The model of a language, of LANGUAGES, from a folder, by default the project's own; None for "none"."""
    if language == "none":
        return None
    with np.load(folder / f"{language}.npz") as file:
        contexts, words = (bytes(file[name]).decode().split("\n") for name in ("contexts", "words"))
        letters = np.exp(np.cumsum(file["changes"], axis=1, dtype=np.uint8).T * np.float32(-character_lm.STEP))
        pairs = np.cumsum(file["pairs"], dtype=np.int64)
        singles, chances, marks = (file[name] * -STEP for name in ("word_log_probs", "pair_log_probs", "marks"))
        capitals = file["capitals"] * STEP
    letters /= letters.sum(axis=1, keepdims=True)
    marks -= np.log(np.exp(marks).sum(axis=1, keepdims=True))   # rounding has changed the sums
    spelling = character_lm.CharacterLM({context: row for row, context in enumerate(contexts)}, letters,
                                        character_lm.PRONOUN if language == "english" else 0.0)
    return WordLM(spelling, words, singles, pairs, chances, marks, capitals)
