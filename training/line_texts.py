"""Samples texts for line images that are put together from single characters."""
import numpy as np

from common import alphabets

ROWS = 0.2   # share of texts that are rows of digits or letters
# What stands around a word, and how often.
AROUND = {"{}.": 0.24, "{},": 0.24, "{}?": 0.07, "{}!": 0.07, "{}:": 0.06, "{};": 0.05, "({})": 0.06, '"{}"': 0.06,
          "{}'s": 0.05, "'{}'": 0.02, "{}-": 0.03, "[{}]": 0.02, "#{}": 0.02, "@{}": 0.01}


def random_text(vocabulary: list[str], rng: np.random.Generator) -> str:
    """One to five words, numbers, dates or codes, or a row of digits or letters."""
    if rng.random() < ROWS:
        return random_row(rng)
    words = rng.choice((1, 2, 3, 4, 5), p=(0.7, 0.15, 0.08, 0.04, 0.03))
    return " ".join(random_word(vocabulary, rng) for _ in range(words))


def random_word(vocabulary: list[str], rng: np.random.Generator) -> str:
    """A word as it may stand in a text, or a number, a date, a code."""
    chance = rng.random()
    if chance < 0.62:
        word = vocabulary[rng.integers(len(vocabulary))]
        word = (word, word.lower(), word.capitalize(), word.upper())[rng.choice(4, p=(0.4, 0.2, 0.2, 0.2))]
        if rng.random() < 0.22:
            word = list(AROUND)[rng.choice(len(AROUND), p=list(AROUND.values()))].format(word)
        return word
    digits = "".join(rng.choice(list("0123456789"), rng.integers(1, 8)))
    if chance < 0.74:
        return digits
    if chance < 0.86:
        day, month, year = rng.integers(1, 32), rng.integers(1, 13), rng.integers(1900, 2100)
        return (f"${digits}", f"{digits}%", f"{digits}.{rng.integers(100):02}", f"${digits}.{rng.integers(100):02}",
                f"{day}/{month}/{year}", f"{year}-{month:02}-{day:02}", f"{day}.{month}.{year % 100:02}",
                f"{rng.integers(1, 13)}:{rng.integers(60):02}", f"({rng.integers(100, 1000)})",
                f"{rng.integers(100, 1000)}-{rng.integers(10000):04}", f"{digits}+{month}", f"{digits}={day}",
                f"{day}*{month}", f"-{digits}", f"#{digits}", f"{digits[:3]},{rng.integers(1000):03}")[rng.integers(16)]
    letters = alphabets.CHARACTERS if chance < 0.95 else alphabets.ALPHABET[1:]
    return "".join(rng.choice(list(letters), rng.integers(1, 8)))


def random_row(rng: np.random.Generator) -> str:
    """Digits or letters, in order or not, whole or in groups of one to seven: "ABCDE FGHIJ", "3 4", "800 555 1234"."""
    alphabet = (alphabets.CHARACTERS[:10], alphabets.CHARACTERS[10:36], alphabets.CHARACTERS[36:])[
        rng.choice(3, p=(0.5, 0.3, 0.2))]
    length = int(rng.integers(3, 27 if alphabet[0] != "0" else 21))
    if rng.random() < 0.6:
        start = 0 if rng.random() < 0.5 else rng.integers(len(alphabet))
        row = "".join(np.roll(list(alphabet), -start)[np.arange(length) % len(alphabet)])
        row = row[::-1] if rng.random() < 0.25 else row
    else:
        row = "".join(rng.choice(list(alphabet), length))
    chance = rng.random()
    if chance < 0.25:
        return row
    often = rng.choice(7, p=(0.2, 0.1, 0.2, 0.15, 0.25, 0.05, 0.05)) + 1   # one length, or any around it
    sizes = np.full(length, often) if chance < 0.7 else rng.integers(1, often + 3, length)
    return " ".join(filter(None, map("".join, np.split(list(row), np.cumsum(sizes)))))
