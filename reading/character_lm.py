"""Character language model: how likely the next character of a word is.

    model = word_lm.load("english").spelling
    model.next_log_probs(["th"], [""])   natural log of P(next character | "th"), in the order of SPELT

Letters are predicted from up to seven characters before them, by counts from a word list of the language.  Case, digits
and whatever the list lacks come from a few kinds of words, see KINDS; one of them is any string at all, so that names,
codes and non-words stay readable.
"""
import functools
import math

import numpy as np

from common import alphabets

SPELT = "".join(character for character in alphabets.ALPHABET if character.isalnum())   # begins as CHARACTERS does
LETTERS = "".join(character for character in SPELT if character.islower())
START, END = "^", len(LETTERS)     # mark before a word's first letter; label of a word's end
STEP = 1 / 4                       # nat: log probabilities are stored as multiples of this; a finer step gains nothing

END_OF_WORD = len(SPELT)
DIGIT, UPPER, LOWER = (np.flatnonzero([test(character) for character in SPELT])
                       for test in (str.isdigit, str.isupper, str.islower))

# The kinds of words and their shares: roughly as in running text, with more digits and capitals, since people also
# write labels, forms and headings by hand.
KINDS = {"lower": 0.66, "Capitalised": 0.16, "CAPITALS": 0.06, "digits": 0.06, "initial": 0.03, "any": 0.03}
# The shares after a word of each kind: capitals mostly follow capitals.  Roughly as counted in UNIPEN's training texts,
# with more of what is rare.
FOLLOWING = {"": tuple(KINDS.values()),
             "lower": (0.80, 0.09, 0.02, 0.03, 0.02, 0.04), "Capitalised": (0.50, 0.33, 0.04, 0.04, 0.04, 0.05),
             "CAPITALS": (0.16, 0.06, 0.62, 0.07, 0.04, 0.05), "initial": (0.38, 0.20, 0.05, 0.02, 0.30, 0.05),
             "digits": (0.60, 0.20, 0.05, 0.08, 0.02, 0.05)}
SWITCH = 0.02                      # at each character a word may change to any kind: McDonald, 3rd, HTML5
END_OF_DIGITS, END_OF_ANY = 0.3, 0.15
PRONOUN = 0.5                      # share of single capital letters set aside for "I" in English
CACHE = 10_000                     # contexts remembered, about 7 MB

LABELS = {character: label for label, character in enumerate(SPELT)}
SHARES = {before: np.array(shares, np.float32) for before, shares in FOLLOWING.items()}
EVEN = 1 / len(KINDS)


def _without_letters(first: bool) -> np.ndarray:
    """P(next | kind of word) without the language's letters, at the first or a later place: float32 (kinds, labels)."""
    expected = np.zeros((len(KINDS), END_OF_WORD + 1), np.float32)
    *_, digits, initial, anything = expected
    anything[:] = (1 - END_OF_ANY) / END_OF_WORD
    anything[END_OF_WORD] = END_OF_ANY
    digits[DIGIT] = (1 - END_OF_DIGITS) / 10
    digits[END_OF_WORD] = END_OF_DIGITS
    initial[END_OF_WORD] = 1
    if first:
        expected[:, END_OF_WORD] = 1e-6  # a word has at least one character
        initial[UPPER] = 1 / len(UPPER)
    return expected


FIRST, INSIDE = _without_letters(True), _without_letters(False)
# Inside words, P(next | kind of word) is INSIDE + WORDS * P(next letter in either case, or end of the word).
WORDS = np.zeros_like(INSIDE)
WORDS[:2, LOWER] = WORDS[2, UPPER] = WORDS[:3, END_OF_WORD] = 1
BY_LABEL = list(zip(INSIDE.T.tolist(), WORDS.T.tolist(), strict=True))
# The column of each label among LETTERS and END.  Digits have none, but there WORDS is 0.
LETTER = np.array([*(max(0, LETTERS.find(character.lower())) for character in SPELT), END])


class CharacterLM:
    """P(next character | the word so far), for words of a language and everything else."""

    def __init__(self, table: dict[str, int], letters: np.ndarray, pronoun: float = PRONOUN):
        """letters: float32 (n, END + 1), P of LETTERS and the word's end in each context; table: context -> its row.

        pronoun: share of single capital letters set aside for "I"; the rest is spread over all of them.
        """
        self._table, self._letters = table, letters
        self._longest = max(map(len, table))
        first = FIRST.copy()
        lower, capitalised, capitals, _, initial, _ = first
        begins = letters[self._row("")][LETTER]
        lower[LOWER] = begins[LOWER]
        capitalised[UPPER] = capitals[UPPER] = begins[UPPER]
        initial[UPPER] *= 1 - pronoun
        initial[LABELS["I"]] += pronoun
        self._first = first / first.sum(axis=1, keepdims=True)   # P(first character | kind of word)
        self._beginning = functools.lru_cache(CACHE)(self._beginning)

    def first_log_probs(self, before: str) -> np.ndarray:
        """Natural log of P(first character of a word): float32 (labels,), SPELT and then the end of the word.

        before: the kind of the previous word, of FOLLOWING; "" if it tells nothing.
        """
        return np.log(SHARES[before] @ self._first)

    def next_log_probs(self, contexts: list[str], before: list[str]) -> np.ndarray:
        """Natural log of P(next | context) for the characters so far of several words, at least one each.

        before: for each word, see first_log_probs.  Returns float32 (n, labels).
        """
        kinds, _, rows = zip(*map(self._beginning, contexts, before), strict=True)
        kinds, letters = np.array(kinds, np.float32), self._letters[list(rows)]
        return np.log(kinds @ INSIDE + kinds @ WORDS * letters[:, LETTER])

    def word_log_prob(self, word: str, before: str = "") -> float:
        """Natural log of P(word), including its end."""
        return self._beginning(word, before)[1] + math.log(sum(self._joint(word, before, END_OF_WORD)))

    def _beginning(self, context: str, before: str) -> tuple[list[float], float, int]:
        """P(kind of word | context) for each kind, log P(context), and the row of letters for what comes next.

        This is the forward algorithm of hidden Markov models, in plain Python: for six kinds NumPy takes longer.
        """
        if not context:
            return SHARES[before].tolist(), 0.0, self._row(context)
        joint = self._joint(context[:-1], before, LABELS[context[-1]])
        total = sum(joint)
        log_prob = self._beginning(context[:-1], before)[1] + math.log(total)
        return [(1 - SWITCH) * one / total + SWITCH * EVEN for one in joint], log_prob, self._row(context)

    def _joint(self, context: str, before: str, label: int) -> list[float]:
        """P(kind of word, next label | context) for each kind."""
        kinds, _, row = self._beginning(context, before)
        if not context:
            return [kind * one for kind, one in zip(kinds, self._first[:, label].tolist(), strict=True)]
        letter = self._letters.item(row, LETTER[label])
        return [kind * (other + word * letter) for kind, other, word in zip(kinds, *BY_LABEL[label], strict=True)]

    def _row(self, context: str) -> int:
        """The row of letters for the longest known suffix of the context."""
        known = (START + context.lower())[-self._longest:]
        return next(self._table[known[start:]] for start in range(len(known) + 1) if known[start:] in self._table)


def kind_of(word: str) -> str:
    """The kind of a word, of FOLLOWING; "" if none."""
    if word.isdigit():
        return "digits" if len(word) > 1 else ""
    if not word.isalpha() or word in ("a", "A", "I"):
        return ""
    if word.islower():
        return "lower"
    if word.isupper():
        return "CAPITALS" if len(word) > 1 else "initial"
    return "Capitalised" if word.istitle() else ""
