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
from typing import NamedTuple

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
# Letters that stand alone come in rows, as "A B C": so many of them are followed by another, and so many of these are
# the next in the alphabet.  "a" and "I" mostly are words.  About as counted in UNIPEN's training texts.
ALONE, BEHIND_WORDS, IN_ORDER = 0.6, 0.03, 0.5
NEXT_DIGIT = 0.13   # of digits that stand alone are followed by the next in order, less often than in texts that ask
                    # for rows; other rows of digits do not count: widely spaced numbers are mostly meant as one
WORDS_ALONE = "aAI"
# Behind a number of several digits and a space so often another number follows, and so rarely of one digit: a number
# written wide has gaps everywhere.
NUMBERS, OF_ONE_DIGIT = 0.4, 0.1
# The alphabet, and digits in order up or down, are written whole, or in groups of GROUP and more, as "ABCDE FGHIJ".
# Behind ROW of them the share IN_ROW goes on in order: with a space before it as often as in the row so far, as if SEEN
# places more, of which the share PAUSES has a space, had been seen.  About as counted there, with more pauses: a
# network that learned from sentences is slow to see them.
ROW, GROUP, IN_ROW, PAUSES, SEEN = 5, 3, 0.92, 0.3, 4
RARE = 5.0                 # weight of marks in general, in places, against those of one place

# What follows each other: letters, digits, a space or each mark.
KINDS = ["a", "0", *alphabets.MARKS]
PLACES = {kind: place for place, kind in enumerate(KINDS)}
SPACE = PLACES[" "]
ORDER = np.array([(alphabets.CHARACTERS + alphabets.MARKS).index(one) for one in alphabets.ALPHABET])   # see _by_label
ENDS = np.array([kind != "'" for kind in KINDS[SPACE:]])   # marks that a word may end before
PARTS = re.compile("(?:[A-Z][a-z]+)+[A-Z]")   # of a name, and the capital that the last begins with


class Row(NamedTuple):
    """Digits or letters in order at a text's end."""
    following: str   # the next
    count: int       # so many are there, ...
    spaces: int      # ... with so many spaces between
    paused: bool     # whether a space stands behind them


class WordLM:
    """P(text) of everything in alphabets.ALPHABET, character by character."""

    def __init__(self, spelling: character_lm.CharacterLM, known: list[str], word_log_probs: np.ndarray, pairs: np.ndarray,
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
        self._known: dict[tuple[str, Row | None] | tuple[str, str, float], np.ndarray] = {}

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
        asked = list(zip(tails, map(row_at_end, texts), strict=True))
        new = [each for each in dict.fromkeys(asked) if each not in known]
        ends = [(word := last_word(tail), kind_before(start := tail[:len(tail) - len(word)]), self._ended(start, word))
                for tail, _ in new]
        words = [end for end in dict.fromkeys(ends) if end[0] and end not in known]
        if words:
            known.update(zip(words, self._in_words(*zip(*words, strict=True)), strict=True))
        for (tail, row), end in zip(new, ends, strict=True):
            found = known[end] if end[0] else self._behind_word(tail[-1:] or " ", end[1])
            known[tail, row] = _in_row(found, row) if row else found
        return [known[each] for each in asked]

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
        if len(word) == 1 and word.isdigit() and kind_before(before) == "digits":
            return math.log(OF_ONE_DIGIT)
        other = before[:-1].rpartition(" ")[2] if before.endswith(" ") else ""
        share, chance = _row(other, word)
        if not share:
            return gain
        spelt = math.exp(self._spelling.word_log_prob(word, kind_before(before)))
        return math.log((1 - share) * math.exp(gain) + share * chance / spelt)

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
        if before == "digits" and end == " ":
            shares = np.log(np.exp(shares).sum() * np.array([1 - NUMBERS, NUMBERS]))
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


def row_at_end(text: str) -> Row | None:
    """The row that a text ends with, in one word or several, if it has at least ROW characters."""
    body = text[:-1] if text.endswith(" ") else text
    if len(body) < ROW or not _step(body[-3] if body[-2] == " " else body[-2], body[-1]):
        return None   # as of nearly all texts
    row, groups = "", []
    for word in reversed(body.split(" ")):
        own = word[len(word.rstrip(alphabets.CHARACTERS)):]
        if not own or not _in_order(own + row):
            break
        row, groups = own + row, [own, *groups]
        if own != word:   # a mark stands before it
            break
    spaces = len(groups) - 1
    if len(row) < ROW or len(row) - len(groups[-1]) < GROUP * spaces:
        return None
    last = row[-1]
    following = str((int(last) + _step(row[-2], last)) % 10) if last.isdigit() else _letter_behind(last)
    return Row(following, len(row), spaces, body != text) if following else None


def _in_order(row: str) -> bool:
    """Whether each letter or digit is the next behind the one before, or of digits each before it."""
    steps = {_step(one, other) for one, other in zip(row, row[1:])}
    return len(row) < 2 or steps in ({1}, {-1})


def _step(one: str, other: str) -> int:
    """1 where a digit or letter follows another in order, -1 where a digit precedes another, else 0."""
    if one.isdigit() and other.isdigit():
        return {1: 1, 9: -1}.get((int(other) - int(one)) % 10, 0)
    return int(one.isalpha() and other == _letter_behind(one))


def _letter_behind(letter: str) -> str:
    """The next letter of the alphabet, "" behind the last."""
    return "" if letter in "zZ" else chr(ord(letter) + 1)


def _in_row(found: np.ndarray, row: Row) -> np.ndarray:
    """Log probabilities (96,) of what comes next, at the end of a row."""
    pauses = 0.0 if row.paused else (row.spaces + PAUSES * SEEN) / (row.count - 1 + SEEN)
    chances = (1 - IN_ROW) * np.exp(found)
    chances[alphabets.LABELS[row.following]] += IN_ROW * (1 - pauses)
    chances[alphabets.SPACE] += IN_ROW * pauses
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(chances), ctc.LEAST)


def _row(other: str, word: str) -> tuple[float, float]:
    """How often a word that is one character is followed by another such in a row, and how likely that is `word`."""
    if len(word) == len(other) == 1:
        if (word + other).isalpha():
            share = BEHIND_WORDS if other in WORDS_ALONE else ALONE
            return share, (1 - IN_ORDER) / 26 + IN_ORDER * _step(other, word)
        if word.isdigit() and _step(other, word) == 1:
            return NEXT_DIGIT, 1.0
    return 0.0, 0.0


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
