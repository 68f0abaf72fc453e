"""How likely a word is after the one before, and a mark or a space after a word: what a line reader knows of English.

    python -m tools.build_word_lm    make word_lm.npz again; needs Dataset/UNIPEN and `pip install wordfreq symspellpy`,
                              which reading does not

    prior = phrases.load()
    prior.next_log_probs("of the")     natural log of P(next character | text), by CTC's labels
    prior.ended("of the", " ")         what of that comes from "the" being a word that often follows "of"

reading/character_lm.py spells: it knows which letters make English words.  This adds which of
them are words, and which words follow each other, once a word has ended.  As in word
beam search (H. Scheidl, S. Fiel, R. Sablatnig, "Word beam search", ICFHR 2018) a list
of words helps, and names, numbers and codes still get through: here by the share of
words that are spelt and not taken from the list.

Single words: wordfreq, as in reading/character_lm.py.  Pairs: the list of symspellpy (W. Garbe, MIT
licence), taken from Google Books Ngrams (CC BY 3.0).  Marks and spaces: counted in what
people wrote for UNIPEN (training split, CC BY 4.0).
"""
import functools
import math
import re
from pathlib import Path

import numpy as np

from common import alphabets
from reading import character_lm, ctc

FILE = Path(__file__).with_name("word_lm.npz")
LISTED = 0.8               # of words are taken from the list, the others are spelt
STEP = 1 / 8               # nat: log probabilities are stored as multiples of it
PAIRS = "frequency_bigramdictionary_en_243_342.txt"   # symspellpy's file
PAIRS_COUNTED = 2.5e13     # words were counted for it: what makes its counts and wordfreq's frequencies agree
UNLISTED = 0.15            # of the words after one, at least, are in no pair
ANYTHING = 0.3             # of characters may be any: else names and what is no English would be turned into words
# A letter or digit that stands alone is often followed by the next in order, as in "A B C" or "1 2 3".  Only 8 of 743
# validation lines hold such a sequence; from 0.15 to 0.3 they are read alike.
NEXT_IN_ORDER = 0.15
RARE = 5.0                 # weight of marks in general, in places, against those of one place

# What follows each other: letters, digits, a space or each mark.
KINDS = ["a", "0", *alphabets.MARKS]
PLACES = {kind: place for place, kind in enumerate(KINDS)}
SPACE = PLACES[" "]
ORDER = np.array([(alphabets.CHARACTERS + alphabets.MARKS).index(one) for one in alphabets.ALPHABET])   # see _by_label
ENDS = np.array([kind != "'" for kind in KINDS[SPACE:]])   # marks that a word may end before
PARTS = re.compile("(?:[A-Z][a-z]+)+[A-Z]")   # of a name, and the capital that the last begins with


class WordLM:
    """P(text) of everything in alphabets.ALPHABET, character by character."""

    def __init__(self, spelling: character_lm.CharacterLM, known: list[str], word_log_probs: np.ndarray,
                 pairs: np.ndarray,
                 pair_log_probs: np.ndarray, marks: np.ndarray):
        """word_log_probs: float (n,) of the known words, which are in alphabetical order.

        pairs: int64 (m,), rising: place of the first word times n plus place of the second;
        pair_log_probs: float (m,), log P(second | first).  marks: see build_word_lm.count_marks; as logs.
        """
        self._spelling = spelling
        self._places = {word: place for place, word in enumerate(known)}
        self._word_log_probs, self._pairs, self._pair_log_probs, self._marks = (
            word_log_probs, pairs, pair_log_probs, marks)
        for name in ("_behind_word", "_gain", "_left"):
            setattr(self, name, functools.lru_cache(character_lm.CACHE)(getattr(self, name)))
        # What comes next, by all of a text that matters, and by the last word and what it adds where it is over.
        self._known: dict[str | tuple[str, str, float], np.ndarray] = {}

    def next_log_probs(self, text: str) -> np.ndarray:
        """Log of P(next character | text) for each label of CTC, float (96,); do not write to it.

        What ends a word says also whether it is one; see ended.
        """
        return self.all_next_log_probs([text])[0]

    def all_next_log_probs(self, texts: list[str]) -> list[np.ndarray]:
        """The same of many texts, in less time than one by one."""
        if len(self._known) > 2 * character_lm.CACHE:
            self._known = {}
        known = self._known
        tails = [text[text.rfind(" ", 0, text.rfind(" ")) + 1:] for text in texts]   # from the last space but one
        new = [tail for tail in dict.fromkeys(tails) if tail not in known]
        ends = [(word := last_word(tail), kind_before(start := tail[:len(tail) - len(word)]), self._ended(start, word))
                for tail in new]
        words = [end for end in dict.fromkeys(ends) if end[0] and end not in known]
        if words:
            known.update(zip(words, self._in_words(*zip(*words, strict=True)), strict=True))
        for tail, end in zip(new, ends, strict=True):
            known[tail] = known[end] if end[0] else self._behind_word(tail[-1:] or " ", end[1])
        return [known[tail] for tail in tails]

    def ended(self, text: str, follower: str) -> float:
        """What a text's last word adds where it is over, since `follower` comes next.

        It is the log of how much more often the word occurs than its spelling tells, of
        an unknown word a small loss; 0 where the text ends in no word.  A letter that
        stands alone gains behind another such.
        """
        word = last_word(text)
        return 0.0 if follower == "'" else self._ended(text[:len(text) - len(word)], word)

    def _ended(self, before: str, word: str) -> float:
        """The same of a word and what stands before it, unless an apostrophe follows."""
        gain = self._gain_of_word(before, word)
        other = before[:-1].rpartition(" ")[2] if before.endswith(" ") else ""
        if not follows_in_order(other, word):
            return gain
        spelt = math.exp(self._spelling.word_log_prob(word, kind_before(before)))
        return math.log((1 - NEXT_IN_ORDER) * math.exp(gain) + NEXT_IN_ORDER / spelt)

    def _gain_of_word(self, before: str, word: str) -> float:
        """What a word adds because there is such a word."""
        if not word.isalpha() or before.endswith("'"):   # of "isn't", "isn" is no word
            return 0.0
        word = word.lower()
        if word not in self._places:
            return math.log(1 - LISTED)
        return self._gain(last_word(before[:-1]).lower() if before.endswith(" ") else "", word)

    def _behind_word(self, end: str, before: str) -> np.ndarray:
        """Behind a mark or a space; before: the kind of the word before that."""
        kind = PLACES[end]
        inside = self._spelling.next_log_probs("", before).astype(float)
        shares = self._marks[kind, :SPACE]
        for share, chosen in zip(shares, (slice(10, 62), slice(10)), strict=True):   # letters, digits
            inside[chosen] += share - np.log(np.exp(inside[chosen]).sum())
        return _by_label(inside, self._marks[kind, SPACE:])

    def _in_words(self, words: list[str], before: list[str], ended: list[float]) -> np.ndarray:
        """In words, float (n, 96); before: the kinds of words before; ended: what each adds where it is over."""
        inside = self._spelling.all_next_log_probs(words, before)
        over = inside[:, character_lm.END_OF_WORD:] + self._marks[[PLACES[kind_of(word[-1])] for word in words], SPACE:]
        return _by_label(inside, over + np.outer(ended, ENDS))

    def _gain(self, before: str, word: str) -> float:
        """How much likelier a known word is behind another than its spelling tells."""
        place, n = self._places[word], len(self._places)
        chance, first = math.exp(self._word_log_probs[place]), self._places.get(before)
        if first is not None:
            chance *= self._left(first)
            at = int(self._pairs.searchsorted(first * n + place))
            if at < len(self._pairs) and self._pairs[at] == first * n + place:
                chance += math.exp(self._pair_log_probs[at])
        spelt = self._spelling.word_log_prob(word) - math.log(character_lm.KINDS["lower"])
        return math.log(1 - LISTED + LISTED * chance / math.exp(spelt))

    def _left(self, first: int) -> float:
        """The share of the words after one that no pair tells of."""
        n = len(self._places)
        its = slice(*np.searchsorted(self._pairs, (first * n, (first + 1) * n)))
        return 1 - float(np.exp(self._pair_log_probs[its]).sum())


def _by_label(inside: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Log probabilities of letters and digits, (..., 63) with a word's end, and of marks, (..., 33), as one.

    They are in the order of CTC's labels, float (..., 96), and have their share of ANYTHING.
    """
    listed = np.concatenate([inside[..., :character_lm.END_OF_WORD], marks], axis=-1)[..., ORDER]
    found = np.full((*listed.shape[:-1], len(alphabets.ALPHABET) + 1), ctc.LEAST)
    found[..., 1:] = np.log((1 - ANYTHING) * np.exp(listed) + ANYTHING / len(alphabets.ALPHABET))
    return found


def follows_in_order(one: str, other: str) -> bool:
    """Whether two words are single letters or digits, and the second is the next in the alphabet or in counting."""
    return (len(one) == len(other) == 1 and (one + other).isalnum()
            and (ord(other) - ord(one) == 1 or one + other == "90"))


@functools.lru_cache(character_lm.CACHE)
def kind_before(text: str) -> str:
    """The kind of the last word of a text that ends in a space; see character_lm.FOLLOWING."""
    return character_lm.kind_of(last_word(text.rstrip(alphabets.MARKS))) if text.endswith(" ") else ""


def last_word(text: str) -> str:
    """The letters and digits at a text's end; of names such as DelVillar the last part, which is spelt as a word is."""
    word = text[len(text.rstrip(alphabets.CHARACTERS)):]
    parts = PARTS.match(word)
    return word[parts.end() - 1:] if parts else word


def kind_of(character: str) -> str:
    """Its kind in KINDS: "a" for a letter, "0" for a digit, else the character itself."""
    return "a" if character.isalpha() else "0" if character.isdigit() else character


@functools.lru_cache(1)
def load(path: Path = FILE) -> WordLM:
    """What comes with the project, read once."""
    with np.load(path) as file:
        known = bytes(file["words"]).decode("ascii").split("\n")
        pairs = np.cumsum(file["pairs"], dtype=np.int64)
        singles, chances, marks = (file[name] * -STEP for name in ("word_log_probs", "pair_log_probs", "marks"))
    marks -= np.log(np.exp(marks).sum(axis=1, keepdims=True))   # rounding has changed the sums
    return WordLM(character_lm.load(), known, singles, pairs, chances, marks)
