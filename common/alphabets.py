"""The characters that networks read, in the order of their labels, and how often people write each."""
import unicodedata

import numpy as np

CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"   # of labels 0..61

# Images of each class in EMNIST's official training set: how often people wrote each character on NIST's forms.
OFFICIAL_COUNTS = np.array([
    34585, 38374, 34203, 35143, 33535, 31416, 34232, 35754, 33946, 33847,
    6407, 3878, 10094, 4562, 4934, 9182, 2517, 3152, 11946, 3762, 2468, 5076, 9002,
    8237, 24983, 8347, 2605, 5073, 20764, 9820, 12602, 4637, 4695, 2771, 4743, 2701,
    10033, 5159, 2854, 10177, 24631, 2561, 3687, 8738, 2725, 1896, 2491, 15318, 2645,
    11418, 2749, 2448, 2994, 14105, 2699, 18262, 2830, 2910, 2697, 2822, 2365, 2725])

# Networks for lines read printable ASCII and the letters and marks of French, German, Spanish, Portuguese and Italian.
# A character's label is its index here plus 1; 0 is CTC's blank.  A network with fewer labels reads the first of them.
ASCII = "".join(map(chr, range(32, 127)))
ALPHABET = ASCII + "àáâãäæçèéêëìíîïñòóôõöœùúûüÿßÀÁÂÃÄÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖŒÙÚÛÜŸ€£°«»¿¡"
LABELS = {character: label for label, character in enumerate(ALPHABET, 1)}
CAPITALS = {letter: letter.upper() for letter in ALPHABET   # of small letters; ß has none
            if letter.islower() and letter.upper() in LABELS}
SPACE = LABELS[" "]
MARKS = "".join(character for character in ALPHABET if not character.isalnum())   # with the space: what ends a word
PLAIN = str.maketrans({"’": "'", "‘": "'", "‚": ",", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "―": "-",
                       "…": "...", "º": "°", "ª": "a", "·": ".", **dict.fromkeys("\u00ad\u200b\u2060")})


def plain(text: str) -> str:
    """A text with plain quotes, dashes and single spaces, as networks for lines learn it."""
    return " ".join(unicodedata.normalize("NFC", text).translate(PLAIN).split())


# Top and bottom of a character above the baseline, in capital heights; all others reach from 0 to 1.
X_HEIGHT, DESCENT = 0.62, -0.35
EXTENTS = (dict.fromkeys("acemnorsuvwxz", (X_HEIGHT, 0)) | dict.fromkeys("gpqy", (X_HEIGHT, DESCENT))
           | {"i": (0.9, 0), "j": (0.9, DESCENT), "t": (0.85, 0)}
           | dict.fromkeys("()[]{}|@$", (1.1, -0.15)) | dict.fromkeys("'\"`", (1.05, 0.72))
           | dict.fromkeys("+<>", (0.7, 0.1))
           | {".": (0.08, 0), ",": (0.12, -0.18), ":": (0.55, 0), ";": (0.55, -0.18), "*": (0.95, 0.5),
              "°": (1.05, 0.72), "«": (0.55, 0.05), "»": (0.55, 0.05), "¿": (0.65, -0.35), "¡": (0.65, -0.35),
              "^": (1.05, 0.7), "=": (0.5, 0.25), "-": (0.4, 0.35), "_": (-0.08, -0.14), "~": (0.5, 0.35)})


def log_ratio(counts: np.ndarray) -> np.ndarray:
    """Log of each class's share of `counts` over its natural share, 0 for a class without any: (62,)."""
    natural = np.where(counts > 0, OFFICIAL_COUNTS, 0)
    ratio = np.divide(counts * natural.sum(), natural * np.sum(counts), out=np.ones(62), where=natural > 0)
    return np.log(ratio).astype(np.float32)
